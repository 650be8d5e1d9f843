/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_COMPILER_H
#define SHIM_COMPILER_H

#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, value) (*(volatile __typeof__(x) *)&(x) = (value))
/* There is no KCSAN here. */
#define data_race(expression) (expression)
#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

#endif /* SHIM_COMPILER_H */
