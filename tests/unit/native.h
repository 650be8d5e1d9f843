/* SPDX-License-Identifier: GPL-2.0 */
/* An instruction, or a few, executed by this processor with registers of choice */
#ifndef NATIVE_H
#define NATIVE_H

#include <stdint.h>

/* What test_arithmetic.c's assembly knows by offset */
struct native {
	uint64_t gpr[10]; /* RAX to R9, as instructions number them, but for RSP */
	uint64_t rflags;
};

/* @code: ends with RET */
void native_run(struct native *native, const void *code);

#endif /* NATIVE_H */
