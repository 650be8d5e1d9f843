/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers on the command line; each gives false for what is none. */
#ifndef NUMBER_H
#define NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Decimal, or hexadecimal after 0x. */
bool number_address(const char *text, uint64_t *value);

/* The same, with K, M or G for powers of 1024. */
bool number_size(const char *text, uint64_t *value);

/* More than 0; may have a fraction. */
bool number_seconds(const char *text, double *value);

#endif /* NUMBER_H */
