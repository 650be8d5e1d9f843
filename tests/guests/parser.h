/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PARSER_H
#define PARSER_H

#include <stddef.h>
#include <stdint.h>

/* Draw what a file describes; return the error, or 0. */
int parse(const uint8_t *bytes, size_t length);

#endif /* PARSER_H */
