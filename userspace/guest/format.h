/* SPDX-License-Identifier: GPL-2.0 */
/* The format of an image, by its contents */
#ifndef GUEST_FORMAT_H
#define GUEST_FORMAT_H

#include "common/file.h"
#include "vmm/run_options.h"

/* Return the format of an image, FORMAT_FLAT if it has none that is known. */
enum format format_detect(const struct file *file);

/*
 * Fail with a message if an image that would be run as a flat one is a file that no
 * processor executes, such as a compressed kernel. Return 0 or the exit status.
 */
int format_check_flat(const struct file *file, const char *name);

#endif /* GUEST_FORMAT_H */
