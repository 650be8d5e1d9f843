/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The BIOS data area of a PC without a BIOS: where conventional memory ends, and which
 * serial ports there are. Kernels that are started without firmware read it as well, and
 * some return to real mode to call the BIOS.
 */
#ifndef SVMRUN_BDA_H
#define SVMRUN_BDA_H

#include <svmrun.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_BDA_GPA 0x400

/**
 * svmrun_bda_build() - write the interrupt vectors and the BIOS data area
 * @low: the memory from 0 on
 *
 * The extended BIOS data area, which begins at SVMRUN_E820_LOW_END, gets its size, and the
 * handlers of the interrupt vectors of real mode. A call of the BIOS, from INT 10h to INT
 * 1Ah, returns with CF and ZF set: it is not supported. Other interrupts return at once.
 *
 * Return: 0 or a negative errno; -ERANGE: @low does not include all of these.
 */
int svmrun_bda_build(const struct svmrun_memory *low);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_BDA_H */
