/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LIST_H
#define SHIM_LIST_H

#include <linux/types.h>

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

#define list_entry(at, type, member)                                           \
	((type *)((char *)(at)-offsetof(type, member)))

#endif /* SHIM_LIST_H */
