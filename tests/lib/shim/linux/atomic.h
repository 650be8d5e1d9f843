/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_ATOMIC_H
#define SHIM_ATOMIC_H

#include <stdbool.h>

#define xchg(at, value) __atomic_exchange_n(at, value, __ATOMIC_SEQ_CST)
#define try_cmpxchg(at, old, value)                                            \
	__atomic_compare_exchange_n(at, old, value, false, __ATOMIC_SEQ_CST,   \
				    __ATOMIC_SEQ_CST)

#endif /* SHIM_ATOMIC_H */
