/* SPDX-License-Identifier: GPL-2.0 */
/* Random instructions */
#ifndef CODE_H
#define CODE_H

#include <stddef.h>
#include <stdint.h>

void code_fill(uint8_t *code, size_t size, uint64_t *random);

#endif /* CODE_H */
