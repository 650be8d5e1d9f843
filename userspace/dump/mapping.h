/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The mappings of a processor's page tables: all of its address space, in contrast to
 * svmrun_translate(), which translates one address.
 */
#ifndef MAPPING_H
#define MAPPING_H

#include <stdbool.h>

#include <svmrun.h>

/**
 * struct mapping - consecutive virtual addresses of consecutive memory
 * @gva: the first one
 * @gpa: its physical address
 * @size: bytes
 */
struct mapping {
	uint64_t gva;
	uint64_t gpa;
	uint64_t size;
};

/**
 * struct mappings - a list of mappings
 * @list: the mappings
 * @count: how many
 * @most: how many may be found
 * @complete: all have been found
 */
struct mappings {
	struct mapping *list;
	size_t count;
	size_t most;
	bool complete;
};

/*
 * Find the mappings of a vCPU, as far as they are of its memory: first those in the upper half of
 * the address space, where kernels are, each half in ascending order. Without paging, virtual
 * addresses are physical ones. A page table that is used for many addresses is read only for the
 * first ones. The list, which has been allocated, is filled in. Return 0 or a negative errno.
 */
int mappings_find(struct mappings *mappings, const struct svmrun_vcpu *vcpu,
		  const struct svmrun_memory *memories, size_t memory_count);

#endif /* MAPPING_H */
