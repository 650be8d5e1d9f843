/* SPDX-License-Identifier: GPL-2.0 */
/* Execute instructions on this processor with given registers. */
#ifndef NATIVE_H
#define NATIVE_H

#include <stdint.h>

/* The assembly in test_arithmetic.c uses the offsets of the members. */
struct native {
	uint64_t gpr[10]; /* RAX to R9 by number, as in instructions; RSP is not used */
	uint64_t rflags;
};

/* @code: ends with RET */
void native_run(struct native *native, const void *code);

#endif /* NATIVE_H */
