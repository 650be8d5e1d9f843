/* SPDX-License-Identifier: GPL-2.0 */
/* The guest's memory */
#ifndef GUEST_MEMORY_H
#define GUEST_MEMORY_H

#include "guest.h"

/*
 * Allocate RAM, below and above the hole for devices. Return 0, or the exit status after
 * a message.
 */
int guest_allocate_memory(struct guest *guest, uint64_t size);

/* Add memory that the guest cannot write to, after all RAM. Return the same. */
int guest_add_rom(struct guest *guest, uint64_t gpa, uint64_t size);

void guest_free_memory(struct guest *guest);

#endif /* GUEST_MEMORY_H */
