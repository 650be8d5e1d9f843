/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest that a command line asks for: its memory, filled, and where and how
 * it begins. Made before the device is opened, so that bad input is reported
 * whatever the machine is.
 */
#ifndef GUEST_H
#define GUEST_H

#include <svmrun.h>

#include "options.h"

/**
 * struct guest - a guest that is ready to be run
 * @memory: its memory, from guest physical address 0
 * @mode: the mode it begins in
 * @entry: where
 * @stack: top of its stack: below the page tables, if there are any
 */
struct guest {
	struct svmrun_memory memory;
	enum mode mode;
	uint64_t entry;
	uint64_t stack;
};

/* Gives 0, or the exit status after a message. */
int guest_create(struct guest *guest, const struct run_options *options);
void guest_destroy(struct guest *guest);

/* Sets a vCPU's registers up; the same. */
int guest_begin(struct guest *guest, struct svmrun_vcpu *vcpu);

#endif /* GUEST_H */
