/* SPDX-License-Identifier: GPL-2.0 */
/* The vCPUs of a saved machine, which need no device */
#ifndef VCPUS_H
#define VCPUS_H

#include "vmm/saved.h"

/**
 * struct vcpus - the vCPUs
 * @list: the vCPUs, which are not vCPUs of the kernel
 * @count: how many
 * @pages: their pages
 */
struct vcpus {
	struct svmrun_vcpu *list;
	size_t count;
	void *pages;
};

/*
 * Read the vCPUs from the records, which are read up to the end. Return 0, or the exit status
 * after a message.
 */
int vcpus_read(struct vcpus *vcpus, struct saved *saved, unsigned int count);
void vcpus_free(struct vcpus *vcpus);

/* Return the first vCPU that uses paging, or the first one. */
const struct svmrun_vcpu *vcpus_find_paging(const struct vcpus *vcpus);

#endif /* VCPUS_H */
