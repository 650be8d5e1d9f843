/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Environment of the files that depend on plain data only (vmcb, permission, npt, asid).
 * The unit tests compile the same files in an ordinary program.
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
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/vmstat.h>

/*
 * A zeroed page; charged to the memory cgroup of the caller, and counted as a page
 * of secondary page tables, there and for the machine.
 */
static inline u64 *table_alloc(void)
{
	u64 *table = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);

	if (table)
		mod_lruvec_page_state(virt_to_page(table),
				      NR_SECONDARY_PAGETABLE, 1);
	return table;
}

static inline void table_free(u64 *table)
{
	mod_lruvec_page_state(virt_to_page(table), NR_SECONDARY_PAGETABLE, -1);
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

/* The link of a table that is in use; it belongs to the owner of the table. */
static inline struct list_head *table_link(u64 *table)
{
	return &virt_to_page(table)->lru;
}

static inline u64 *table_from_link(struct list_head *link)
{
	return page_address(list_entry(link, struct page, lru));
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

struct list_head {
	struct list_head *next, *prev;
};

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list;
	list->prev = list;
}

static inline bool list_empty(const struct list_head *list)
{
	return list->next == list;
}

static inline void list_add(struct list_head *link, struct list_head *list)
{
	*link = (struct list_head){ list->next, list };
	list->next->prev = link;
	list->next = link;
}

static inline void list_del(struct list_head *link)
{
	link->next->prev = link->prev;
	link->prev->next = link->next;
}

/* A page, followed by the link */
static inline u64 *table_alloc(void)
{
	u64 *table = aligned_alloc(4096, 2 * 4096);

	return table ? memset(table, 0, 4096) : NULL;
}

static inline struct list_head *table_link(u64 *table)
{
	return (struct list_head *)(table + 512);
}

static inline u64 *table_from_link(struct list_head *link)
{
	return (u64 *)link - 512;
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
