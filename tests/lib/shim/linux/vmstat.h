/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_VMSTAT_H
#define SHIM_VMSTAT_H

#include <linux/mm.h>

enum { NR_SECONDARY_PAGETABLE };

static inline void mod_lruvec_page_state(struct page *page, int item,
					 int number)
{
}

#endif /* SHIM_VMSTAT_H */
