// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/memories.h"
#include "lib/x86.h"
#include "mapping.h"

/*
 * Tables may refer to each other in circles, and Linux has one that is part of all others of an
 * area (espfix). Read each table only for some of the addresses that it is for; and read no more
 * entries than 256 GiB of 4 KiB pages have.
 */
#define VISITS_MAX 4
#define ENTRIES_MAX (1u << 26)

/**
 * struct tables - page tables that are being read
 * @mappings: what is found
 * @memories: the memory that they are in
 * @memory_count: number of @memories
 * @entry_size: bytes of an entry
 * @index_bits: bits of an address that are the index into a table
 * @large_levels: the levels, as bits, whose entries can be large pages
 * @levels: number of the highest level; the lowest one is 1
 * @visits: how often the tables in each page of the memory have been read
 * @left: how many entries may still be read
 */
struct tables {
	struct mappings *mappings;
	const struct svmrun_memory *memories;
	size_t memory_count;
	unsigned int entry_size;
	unsigned int index_bits;
	unsigned int large_levels;
	unsigned int levels;
	uint8_t *visits;
	unsigned int left;
};

static void add_mapping(struct mappings *mappings, uint64_t gva, uint64_t gpa,
			uint64_t size)
{
	struct mapping *last = NULL;

	if (mappings->count)
		last = &mappings->list[mappings->count - 1];
	if (last && last->gva + last->size == gva &&
	    last->gpa + last->size == gpa)
		last->size += size;
	else if (mappings->count < mappings->most)
		mappings->list[mappings->count++] = (struct mapping){ gva, gpa,
								      size };
	else
		mappings->complete = false;
}

/* Add the parts of a page that are memory. */
static void add_page(const struct tables *tables, uint64_t gva, uint64_t gpa,
		     uint64_t size)
{
	const struct svmrun_memory *memory;
	uint64_t begin, end;
	size_t i;

	for (i = 0; i < tables->memory_count; i++) {
		memory = &tables->memories[i];
		begin = gpa > memory->gpa ? gpa : memory->gpa;
		end = memory->gpa + memory->size;
		if (end > gpa + size)
			end = gpa + size;
		if (begin < end)
			add_mapping(tables->mappings, gva + (begin - gpa),
				    begin, end - begin);
	}
}

/* A large page of 32-bit paging has address bits 39:32 in bits 20:13 of the entry. */
static uint64_t page_address(const struct tables *tables, uint64_t entry,
			     uint64_t size)
{
	uint64_t gpa = entry & PTE_ADDRESS & ~(size - 1);

	if (tables->entry_size == 4 && size > PAGE_SIZE)
		gpa |= (entry >> 13 & 0xff) << 32;
	return gpa;
}

static uint64_t sign_extend(const struct tables *tables, uint64_t gva)
{
	unsigned int unused = 64 - 12 - 9 * tables->levels;

	if (tables->levels < 4)
		return gva;
	return (int64_t)(gva << unused) >> unused;
}

/* Return a table, which is inside of a page, unless it has been read often enough. */
static const char *find_table(const struct tables *tables, uint64_t gpa,
			      size_t size)
{
	const struct svmrun_memory *memory = tables->memories;
	uint8_t *visits = tables->visits;
	size_t i;

	for (i = 0; i < tables->memory_count; i++, memory++) {
		if (gpa - memory->gpa < memory->size)
			break;
		visits += memory->size / PAGE_SIZE;
	}
	if (i == tables->memory_count)
		return NULL;
	visits += (gpa - memory->gpa) / PAGE_SIZE;
	if (*visits == VISITS_MAX)
		return NULL;
	++*visits;
	return memories_at(memory, 1, gpa, size);
}

static void read_table(struct tables *tables, uint64_t table,
		       unsigned int level, uint64_t gva);

static void read_entry(struct tables *tables, uint64_t entry,
		       unsigned int level, uint64_t gva)
{
	uint64_t size = 1ull << (12 + tables->index_bits * (level - 1));
	bool large = (tables->large_levels >> level & 1) && (entry & PTE_PS);

	if (!(entry & PTE_P))
		return;
	if (level == 1 || large)
		add_page(tables, sign_extend(tables, gva),
			 page_address(tables, entry, size), size);
	else
		read_table(tables, entry & PTE_ADDRESS, level - 1, gva);
}

/* Of the highest level, begin with the upper half. */
static void read_table(struct tables *tables, uint64_t table,
		       unsigned int level, uint64_t gva)
{
	unsigned int shift = 12 + tables->index_bits * (level - 1);
	bool highest = level == tables->levels;
	unsigned int count = highest && level == 3 ? 4 :
						     1u << tables->index_bits;
	unsigned int i, at;
	uint64_t entry = 0;
	const char *from = find_table(tables, table,
				      (size_t)count * tables->entry_size);

	for (i = 0; from && i < count; i++) {
		if (!tables->left)
			break;
		tables->left--;
		at = highest ? i ^ (count / 2) : i;
		memcpy(&entry, from + at * tables->entry_size,
		       tables->entry_size);
		read_entry(tables, entry, level, gva + ((uint64_t)at << shift));
	}
}

static uint64_t set_format(struct tables *tables,
			   const struct svm_vmcb_save *save)
{
	tables->entry_size = 8;
	tables->index_bits = 9;
	tables->large_levels = 1 << 2;
	if (!(save->cr4 & SVM_CR4_PAE)) {
		tables->entry_size = 4;
		tables->index_bits = 10;
		tables->levels = 2;
		tables->large_levels = save->cr4 & SVM_CR4_PSE ? 1 << 2 : 0;
		return save->cr3 & 0xfffff000;
	}
	if (!(save->efer & SVM_EFER_LMA)) {
		tables->levels = 3;
		return save->cr3 & 0xffffffe0;
	}
	tables->levels = 4 + !!(save->cr4 & SVM_CR4_LA57);
	tables->large_levels |= 1 << 3;
	return save->cr3 & PTE_ADDRESS;
}

static void map_physical(struct mappings *mappings,
			 const struct svmrun_memory *memories, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		add_mapping(mappings, memories[i].gpa, memories[i].gpa,
			    memories[i].size);
}

static size_t count_pages(const struct svmrun_memory *memories, size_t count)
{
	size_t i, pages = 0;

	for (i = 0; i < count; i++)
		pages += memories[i].size / PAGE_SIZE;
	return pages;
}

/* Only the counters of pages that have tables need memory of this process. */
static int read_tables(struct tables *tables, const struct svm_vmcb_save *save)
{
	size_t size = count_pages(tables->memories, tables->memory_count);
	uint64_t root = set_format(tables, save);

	tables->visits = mmap(NULL, size, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			      0);
	if (tables->visits == MAP_FAILED)
		return -errno;
	read_table(tables, root, tables->levels, 0);
	munmap(tables->visits, size);
	return 0;
}

int mappings_find(struct mappings *mappings, const struct svmrun_vcpu *vcpu,
		  const struct svmrun_memory *memories, size_t memory_count)
{
	const struct svm_vmcb_save *save = &vcpu->vmcb->save;
	struct tables tables = {
		.mappings = mappings,
		.memories = memories,
		.memory_count = memory_count,
		.left = ENTRIES_MAX,
	};
	int ret = 0;

	mappings->count = 0;
	mappings->complete = true;
	if (save->cr0 & SVM_CR0_PG)
		ret = read_tables(&tables, save);
	else
		map_physical(mappings, memories, memory_count);
	if (!tables.left)
		mappings->complete = false;
	return ret;
}
