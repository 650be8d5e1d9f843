/* SPDX-License-Identifier: GPL-2.0 */
/* Each page is followed by its struct page. */
#ifndef SHIM_MM_H
#define SHIM_MM_H

#include <stdlib.h>
#include <string.h>
#include <linux/list.h>
#include <linux/types.h>

#define GFP_KERNEL_ACCOUNT 0

enum { SHIM_PAGE_SIZE = 4096 };

struct page {
	struct list_head lru;
};

static inline unsigned long get_zeroed_page(int gfp)
{
	void *address = aligned_alloc(SHIM_PAGE_SIZE, 2 * SHIM_PAGE_SIZE);

	if (address)
		memset(address, 0, SHIM_PAGE_SIZE);
	return (unsigned long)address;
}

static inline void free_page(unsigned long address)
{
	free((void *)address);
}

static inline struct page *virt_to_page(const void *address)
{
	return (struct page *)((uintptr_t)address + SHIM_PAGE_SIZE);
}

static inline void *page_address(struct page *page)
{
	return (char *)page - SHIM_PAGE_SIZE;
}

#endif /* SHIM_MM_H */
