/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers on the command line. The functions return false if the text is malformed. */
#ifndef NUMBER_H
#define NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Parse a decimal number, or a hexadecimal one after 0x. */
bool number_address(const char *text, uint64_t *value);

/* The same, with an optional suffix K, M or G for powers of 1024 */
bool number_size(const char *text, uint64_t *value);

/* Parse a number greater than 0, with an optional fraction. */
bool number_seconds(const char *text, double *value);

#endif /* NUMBER_H */
