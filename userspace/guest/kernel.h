/* SPDX-License-Identifier: GPL-2.0 */
/* Images that expect a PC: Linux, multiboot kernels and firmware */
#ifndef GUEST_KERNEL_H
#define GUEST_KERNEL_H

#include "guest.h"

/* Load the image and its files. Return 0, or the exit status after a message. */
int guest_load_kernel(struct guest *guest, const struct run_options *options,
		      const struct file *image);

/* Set up the first processor and the devices. Return 0 or a negative errno. */
int guest_begin_kernel(struct guest *guest, struct machine *machine);

#endif /* GUEST_KERNEL_H */
