/* SPDX-License-Identifier: GPL-2.0 */
#ifndef XSAVE_H
#define XSAVE_H

#include "machine.h"

/* Standard format of the XSAVE area (APM 11.5.10) */
#define XSAVE_FCW	0
#define XSAVE_FTW	4
#define XSAVE_MXCSR	24
#define XSAVE_ST(n)	(32 + 16 * (n))
#define XSAVE_XMM(n)	(160 + 16 * (n))
#define XSAVE_XSTATE_BV	512
#define XSAVE_XCOMP_BV	520
#define XSAVE_RESERVED	528
#define XSAVE_YMM(n)	(576 + 16 * (n)) /* upper halves */

#define XCR0_X87	(1ull << 0)
#define XCR0_SSE	(1ull << 1)
#define XCR0_AVX	(1ull << 2)
#define XCR0_PKRU	(1ull << 9)

static inline void *xsave_at(struct machine *m, uint32_t offset)
{
	return m->vcpu.xsave + offset;
}

#endif /* XSAVE_H */
