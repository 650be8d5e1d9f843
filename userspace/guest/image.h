/* SPDX-License-Identifier: GPL-2.0 */
/* Images that begin in a mode of the processor: flat binaries and ELF executables */
#ifndef GUEST_IMAGE_H
#define GUEST_IMAGE_H

#include "guest.h"

/*
 * Load the image, and find its entry point. Return 0, or the exit status after a message.
 */
int guest_load_image(struct guest *guest, const struct run_options *options,
		     const struct file *file);

/* Set up the processor. Return 0 or a negative errno. */
int guest_begin_image(struct guest *guest, struct svmrun_vcpu *vcpu);

#endif /* GUEST_IMAGE_H */
