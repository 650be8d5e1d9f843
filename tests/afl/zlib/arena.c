// SPDX-License-Identifier: GPL-2.0
/* The page tables are those of svmrun_mode_long(): addresses are physical addresses. */
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"

#define PAGE 4096ul
#define LARGE_PAGE (2ul << 20)
#define ENTRIES 512
#define ARENA_PAGES 64

/* Bits of a page table entry */
#define PRESENT 0x1ul
#define WRITABLE 0x2ul
#define LARGE 0x80ul
#define ADDRESS 0x000ffffffffff000ul

static uint8_t arena[ARENA_PAGES * PAGE] __attribute__((aligned(PAGE)));
static uint64_t table[ENTRIES] __attribute__((aligned(PAGE)));
static size_t used; /* pages, from the beginning of the arena */

static uint64_t *page_entry(const void *address)
{
	return &table[(uintptr_t)address / PAGE % ENTRIES];
}

/* Return the entry of 2 MiB that maps an address, in the third of the four levels. */
static uint64_t *large_entry(uintptr_t address)
{
	uint64_t *entries, at;
	int shift;

	asm volatile("mov %%cr3, %0" : "=r"(at));
	for (shift = 39; shift > 21; shift -= 9) {
		entries = (uint64_t *)(at & ADDRESS);
		at = entries[address >> shift & (ENTRIES - 1)];
	}
	entries = (uint64_t *)(at & ADDRESS);
	return &entries[address >> 21 & (ENTRIES - 1)];
}

static void flush_tlb(void)
{
	uint64_t cr3;

	asm volatile("mov %%cr3, %0; mov %0, %%cr3" : "=r"(cr3) : : "memory");
}

int arena_init(void)
{
	uintptr_t first = (uintptr_t)arena;
	uintptr_t last = first + sizeof(arena) - 1;
	uint64_t *large = large_entry(first);
	size_t i;

	if (first / LARGE_PAGE != last / LARGE_PAGE || !(*large & LARGE))
		return -1;
	for (i = 0; i < ENTRIES; i++)
		table[i] = (first / LARGE_PAGE * LARGE_PAGE + i * PAGE) |
			   PRESENT | WRITABLE;
	for (i = 0; i < ARENA_PAGES; i++)
		*page_entry(arena + i * PAGE) = 0;
	*large = (uintptr_t)table | PRESENT | WRITABLE;
	flush_tlb();
	return 0;
}

/* A processor does not cache that a page is not present. */
static void map_page(uint8_t *page)
{
	*page_entry(page) = (uintptr_t)page | PRESENT | WRITABLE;
}

static void unmap_page(uint8_t *page)
{
	*page_entry(page) = 0;
	asm volatile("invlpg %0" : : "m"(*page) : "memory");
}

/* Addresses are not used again: the arena is reset with the guest after each input. */
void *malloc(size_t size)
{
	size_t i, pages = size / PAGE + (size % PAGE != 0);
	uint8_t *begin = arena + used * PAGE;

	if (pages >= ARENA_PAGES - used)
		return NULL;
	for (i = 0; i < pages; i++)
		map_page(begin + i * PAGE);
	used += pages + 1;
	return begin + pages * PAGE - size;
}

void free(void *memory)
{
	uint8_t *page = (uint8_t *)((uintptr_t)memory & -PAGE);

	if (!memory)
		return;
	for (; *page_entry(page) & PRESENT; page += PAGE)
		unmap_page(page);
}
