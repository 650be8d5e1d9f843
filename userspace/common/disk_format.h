/* SPDX-License-Identifier: GPL-2.0 */
/* Formats of disk images that contain the disk's sectors in a form of their own */
#ifndef DISK_FORMAT_H
#define DISK_FORMAT_H

#include <stddef.h>

#define DISK_FORMAT_BYTES                                                      \
	0x44 /* the first bytes of a file, which identify its format */

/* Return the name of the format, with an article, or NULL if the file has none of these. */
const char *disk_format_find(const void *bytes, size_t size);

#endif /* DISK_FORMAT_H */
