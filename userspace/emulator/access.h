/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Accesses to the memory that a linear address means, or to a device there */
#ifndef EMULATOR_ACCESS_H
#define EMULATOR_ACCESS_H

#include "execution.h"

/**
 * struct access_fragment - a part of a memory operand that lies in one page
 * @gpa: where
 * @size: bytes, 0 if there is none
 * @host: the memory, NULL if there is none
 * @rom: that the guest cannot write to
 */
struct access_fragment {
	uint64_t gpa;
	unsigned int size;
	void *host;
	bool rom;
};

/**
 * struct memory_access - a memory operand that may be accessed
 * @fragment: one, or two if a page's end lies between
 */
struct memory_access {
	struct access_fragment fragment[2];
};

/* @size: up to 16; a fault is one now, and none later */
int access_translate(struct execution *execution, uint64_t linear,
		     unsigned int size, bool write,
		     struct memory_access *access);
void access_load(const struct svmrun_bus *bus,
		 const struct memory_access *access, void *bytes);
void access_store(const struct svmrun_bus *bus,
		  const struct memory_access *access, const void *bytes);

static inline uint64_t access_read(const struct svmrun_bus *bus,
				   const struct memory_access *access)
{
	uint64_t value = 0;

	access_load(bus, access, &value);
	return value;
}

/* False: another vCPU was faster, and @old is no more what was there. */
bool access_compare_exchange(const struct svmrun_bus *bus,
			     const struct memory_access *access, uint64_t old,
			     uint64_t value);

#endif /* EMULATOR_ACCESS_H */
