/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PARSER_H
#define PARSER_H

#include <stddef.h>
#include <stdint.h>

/* Draws what a file describes; returns what is wrong with it, or 0. */
int parse(const uint8_t *bytes, size_t length);

#endif /* PARSER_H */
