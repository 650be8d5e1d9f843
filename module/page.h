/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_PAGE_H
#define SVMRUN_PAGE_H

#include <linux/gfp.h>
#include <linux/mem_encrypt.h>
#include <linux/mm.h>

/* Allocate 1 << @order zeroed pages on @node. Return NULL without memory. */
static inline void *pages_alloc(int node, unsigned int order, gfp_t gfp)
{
	struct page *page = alloc_pages_node(node, gfp | __GFP_ZERO, order);

	return page ? page_address(page) : NULL;
}

/*
 * Allocate a page that VMRUN, VMLOAD and VMSAVE write to: a zeroed page on @node, or NULL.
 * Free it by pages_free(). On an SNP host such a page is in use while they do, and the
 * processor takes the whole 2 MiB for it if it lies at their beginning: another
 * access to these 2 MiB then fails the RMP check. So do not return such a page.
 */
static inline void *page_alloc_for_svm(int node, gfp_t gfp)
{
	void *page = pages_alloc(node, 0, gfp), *other;

	if (!page || !IS_ALIGNED(__pa(page), PMD_SIZE))
		return page;
	/* This page stays allocated meanwhile, so the next one is another. */
	other = page_alloc_for_svm(node, gfp);
	free_page((unsigned long)page);
	return other;
}

static inline void pages_free(void *pages, unsigned int order)
{
	free_pages((unsigned long)pages, order);
}

/* Return the physical address for SVM's instructions: with SME's encryption bit, if set */
static inline u64 pages_pa(const void *pages)
{
	return __sme_pa((unsigned long)pages);
}

#endif /* SVMRUN_PAGE_H */
