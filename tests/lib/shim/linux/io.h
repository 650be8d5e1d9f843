/* SPDX-License-Identifier: GPL-2.0 */
/* Physical addresses are the program's virtual addresses. */
#ifndef SHIM_IO_H
#define SHIM_IO_H

#include <linux/types.h>

static inline u64 virt_to_phys(void *address)
{
	return (uintptr_t)address;
}

static inline void *phys_to_virt(u64 address)
{
	return (void *)(uintptr_t)address;
}

#endif /* SHIM_IO_H */
