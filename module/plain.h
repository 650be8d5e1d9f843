/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the pure files (vmcb, permission, npt, asid) need of their surroundings.
 * They take plain data only, so that the unit tests compile the very same files
 * as an ordinary program.
 */
#ifndef SVMRUN_PLAIN_H
#define SVMRUN_PLAIN_H

#include <linux/svmrun.h>

#ifdef __KERNEL__

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/types.h>

/* A zeroed page; charged to the memory cgroup of the caller. */
static inline u64 *table_alloc(void)
{
	return (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
}

static inline void table_free(u64 *table)
{
	free_page((unsigned long)table);
}

static inline u64 table_to_pa(const u64 *table)
{
	return virt_to_phys((void *)table);
}

static inline u64 *table_from_pa(u64 pa)
{
	return phys_to_virt(pa);
}

#else /* an ordinary program: physical addresses are its own pointers */

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, value) (*(volatile __typeof__(x) *)&(x) = (value))
#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define xchg(at, value) __atomic_exchange_n(at, value, __ATOMIC_SEQ_CST)
#define try_cmpxchg(at, old, value)                                            \
	__atomic_compare_exchange_n(at, old, value, false, __ATOMIC_SEQ_CST,   \
				    __ATOMIC_SEQ_CST)

static inline void __set_bit(unsigned long bit, unsigned long *bits)
{
	bits[bit / 64] |= 1ul << bit % 64;
}

static inline u64 *table_alloc(void)
{
	u64 *table = aligned_alloc(4096, 4096);

	return table ? memset(table, 0, 4096) : NULL;
}

static inline void table_free(u64 *table)
{
	free(table);
}

static inline u64 table_to_pa(const u64 *table)
{
	return (uintptr_t)table;
}

static inline u64 *table_from_pa(u64 pa)
{
	return (u64 *)(uintptr_t)pa;
}

#endif
#endif /* SVMRUN_PLAIN_H */
