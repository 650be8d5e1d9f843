/* SPDX-License-Identifier: GPL-2.0 */
/* The file of --break: one hexadecimal address per line, as objdump prints them */
#ifndef ADDRESSES_H
#define ADDRESSES_H

#include <stddef.h>
#include <stdint.h>

#define ADDRESSES_MAX (1u << 20)

/**
 * struct addresses - the addresses of a file
 * @list: the addresses in ascending order, each once
 * @count: how many
 */
struct addresses {
	uint64_t *list;
	size_t count;
};

/* Read a file. Return 0, or the exit status after a message. */
int addresses_read(struct addresses *addresses, const char *file);
void addresses_free(struct addresses *addresses);

#endif /* ADDRESSES_H */
