/* SPDX-License-Identifier: GPL-2.0 */
/* Images that expect a PC: Linux, multiboot kernels and firmware */
#ifndef GUEST_KERNEL_H
#define GUEST_KERNEL_H

#include "guest.h"

/*
 * Load the image and its files, which are read when it is loaded for the first time. Return
 * 0, or the exit status after a message.
 */
int guest_load_kernel(struct guest *guest, const struct run_options *options,
		      const struct file *image);
void guest_free_modules(struct guest *guest);

/* Describe the machine to firmware by its devices. Return 0 or a negative errno. */
int guest_describe_machine(struct guest *guest, struct machine *machine);

/* Set up the first processor and CMOS memory. Return the same. */
int guest_begin_kernel(struct guest *guest, struct machine *machine);

#endif /* GUEST_KERNEL_H */
