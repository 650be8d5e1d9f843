/* SPDX-License-Identifier: GPL-2.0 */
/* The callers of the code where a guest has stopped, by the chain of its frame pointers */
#ifndef CALLERS_H
#define CALLERS_H

struct cpu;

/* Size of the text, in bytes */
#define CALLERS_SIZE 256

/*
 * Write ", called from 0x..., 0x..." to @text, the caller of the present function first; an empty
 * text if RBP is not the address of a frame. Functions that have been compiled without
 * -fno-omit-frame-pointer are missing, and RBP may lead to addresses that are not callers.
 */
void callers_write(const struct cpu *cpu, char text[CALLERS_SIZE]);

#endif /* CALLERS_H */
