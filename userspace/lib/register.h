/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bits of the control registers (APM 3.1) and XCR0 (APM 11.5.2). */
#ifndef REGISTER_H
#define REGISTER_H

#define CR0_PE		(1ull << 0)
#define CR0_MP		(1ull << 1)
#define CR0_ET		(1ull << 4)
#define CR0_NE		(1ull << 5)
#define CR0_WP		(1ull << 16)
#define CR0_NW		(1ull << 29)
#define CR0_CD		(1ull << 30)
#define CR0_PG		(1ull << 31)

#define CR4_VME		(1ull << 0)
#define CR4_PVI		(1ull << 1)
#define CR4_TSD		(1ull << 2)
#define CR4_DE		(1ull << 3)
#define CR4_PSE		(1ull << 4)
#define CR4_PAE		(1ull << 5)
#define CR4_MCE		(1ull << 6)
#define CR4_PGE		(1ull << 7)
#define CR4_PCE		(1ull << 8)
#define CR4_OSFXSR	(1ull << 9)
#define CR4_OSXMMEXCPT	(1ull << 10)
#define CR4_UMIP	(1ull << 11)
#define CR4_LA57	(1ull << 12)
#define CR4_FSGSBASE	(1ull << 16)
#define CR4_PCIDE	(1ull << 17)
#define CR4_OSXSAVE	(1ull << 18)
#define CR4_SMEP	(1ull << 20)
#define CR4_SMAP	(1ull << 21)
#define CR4_PKE		(1ull << 22)
#define CR4_CET		(1ull << 23)

#define EFER_SCE	(1ull << 0)
#define EFER_RAZ	(0x7full << 1) /* reserved, but not MBZ */
#define EFER_LME	(1ull << 8)
#define EFER_LMA	(1ull << 10)
#define EFER_NXE	(1ull << 11)
#define EFER_SVME	(1ull << 12)
#define EFER_LMSLE	(1ull << 13)
#define EFER_FFXSR	(1ull << 14)
#define EFER_TCE	(1ull << 15)
#define EFER_MCOMMIT	(1ull << 17)
#define EFER_INTWB	(1ull << 18)
#define EFER_UAIE	(1ull << 20)
#define EFER_AIBRSE	(1ull << 21)

#define XCR0_X87	(1ull << 0)
#define XCR0_SSE	(1ull << 1)
#define XCR0_AVX	(1ull << 2)
#define XCR0_BOUND	(3ull << 3)
#define XCR0_AVX512	(7ull << 5)
#define XCR0_TILE	(3ull << 17)

#endif /* REGISTER_H */
