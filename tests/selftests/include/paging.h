/* SPDX-License-Identifier: GPL-2.0 */
/* Guests in long mode with a page of their own choice at WINDOW. */
#ifndef PAGING_H
#define PAGING_H

#include "machine.h"

#define PTE_P (1ull << 0)
#define PTE_W (1ull << 1)

#define WINDOW (1ul << 30) /* guest virtual; the second directory's first */
#define WINDOW_ENTRY (MACHINE_TABLES + 3 * PAGE) /* that directory */
#define WINDOW_TABLE                                                           \
	(MACHINE_TABLES + 6 * PAGE) /* behind the library's tables */

/* Reads WINDOW into RAX, again each time it is run */
#define READ_WINDOW "mov $0x40000000, %ebx\n 1: mov (%rbx), %rax\n hlt\n jmp 1b"

static inline void window_map(struct machine *m, uint64_t gpa)
{
	*(uint64_t *)machine_at(m, WINDOW_TABLE) = gpa | PTE_P | PTE_W;
	*(uint64_t *)machine_at(m, WINDOW_ENTRY) = WINDOW_TABLE | PTE_P | PTE_W;
}

#endif /* PAGING_H */
