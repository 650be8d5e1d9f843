/* SPDX-License-Identifier: GPL-2.0 */
/* Image files, read into memory */
#ifndef FILE_H
#define FILE_H

#include <stddef.h>

struct file {
	char *bytes;
	size_t size;
};

/* Return 0, or the exit status after a message. */
int file_read(struct file *file, const char *name);

/* Free the contents, if there are any. The file has none then. */
void file_free(struct file *file);

#endif /* FILE_H */
