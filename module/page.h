/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_PAGE_H
#define SVMRUN_PAGE_H

#include <linux/gfp.h>
#include <linux/mem_encrypt.h>
#include <linux/mm.h>

/* 1 << @order zeroed pages on @node, or NULL. */
static inline void *pages_alloc(int node, unsigned int order, gfp_t gfp)
{
	struct page *page = alloc_pages_node(node, gfp | __GFP_ZERO, order);

	return page ? page_address(page) : NULL;
}

static inline void pages_free(void *pages, unsigned int order)
{
	free_pages((unsigned long)pages, order);
}

/* What SVM takes for the address of memory: with SME, encrypted memory. */
static inline u64 pages_pa(const void *pages)
{
	return __sme_pa((unsigned long)pages);
}

#endif /* SVMRUN_PAGE_H */
