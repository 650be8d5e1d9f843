/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bits of XCR0 (APM 11.5.2) */
#ifndef REGISTER_H
#define REGISTER_H

#define XCR0_X87	(1ull << 0)
#define XCR0_SSE	(1ull << 1)
#define XCR0_AVX	(1ull << 2)
#define XCR0_BOUND	(3ull << 3)
#define XCR0_AVX512	(7ull << 5)
#define XCR0_PKRU	(1ull << 9)
#define XCR0_TILE	(3ull << 17)

#endif /* REGISTER_H */
