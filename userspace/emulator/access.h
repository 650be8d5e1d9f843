/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Accesses by linear address to memory, or to a device at the physical address */
#ifndef EMULATOR_ACCESS_H
#define EMULATOR_ACCESS_H

#include "execution.h"

/**
 * struct access_fragment - the part of a memory operand inside one page
 * @gpa: physical address of memory or of a device
 * @size: bytes, 0 if the fragment does not exist
 * @host: the memory, NULL if there is none at @gpa
 * @rom: the guest cannot write to the memory
 */
struct access_fragment {
	uint64_t gpa;
	unsigned int size;
	void *host;
	bool rom;
};

/**
 * struct memory_access - a memory operand whose address has been translated
 * @fragment: its fragments; the second one exists only if it crosses a page boundary
 */
struct memory_access {
	struct access_fragment fragment[2];
};

/*
 * Translate a linear address to that of memory or a device. Return 0 or a negative errno;
 * -EFAULT: @fault is set.
 */
int translate_linear(const struct svmrun_vcpu *vcpu,
		     const struct svmrun_bus *bus, uint64_t linear,
		     uint32_t access, uint64_t *physical, struct fault *fault);

/*
 * Translate the address of an operand of up to 16 bytes. Return 0 or a negative errno.
 * All faults are detected here; the access itself cannot fail.
 */
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

/* Return false if another vCPU has changed the memory, so that it is not @old. */
bool access_compare_exchange(const struct svmrun_bus *bus,
			     const struct memory_access *access, uint64_t old,
			     uint64_t value);

#endif /* EMULATOR_ACCESS_H */
