// SPDX-License-Identifier: GPL-2.0
/* Mappings of whole page tables, of each format, also of tables that no kernel has */
#include <string.h>

#include "dump/mapping.h"
#include "lib/x86.h"
#include "suites.h"
#include "vcpu_pages.h"

#define MEMORY (1ul << 20)
#define MOST 16
#define RIGHTS (PTE_P | PTE_W | PTE_U)

static _Alignas(4096) uint8_t ram[MEMORY];
static const struct svmrun_memory memories[] = {
	{ ram, 0, MEMORY },
	{ ram, 1ul << 32, 0x10000 },
};
static struct vcpu_pages pages;
static struct svmrun_vcpu vcpu;
static struct mapping list[MOST];
static struct mappings mappings;

static void begin(uint64_t cr0, uint64_t cr4, uint64_t efer)
{
	memset(ram, 0, sizeof(ram));
	memset(list, 0, sizeof(list));
	vcpu = vcpu_pages_fill(&pages);
	pages.vmcb.save.cr0 = cr0;
	pages.vmcb.save.cr3 = 0x1000;
	pages.vmcb.save.cr4 = cr4;
	pages.vmcb.save.efer = efer;
	mappings = (struct mappings){ .list = list, .most = MOST };
}

static void begin_long(uint64_t cr4)
{
	begin(SVM_CR0_PG, SVM_CR4_PAE | cr4, SVM_EFER_LMA | SVM_EFER_LME);
}

static void set_entry(uint64_t table, unsigned int index, uint64_t entry)
{
	memcpy(ram + table + index * 8, &entry, 8);
}

static void set_entry_32(uint64_t table, unsigned int index, uint32_t entry)
{
	memcpy(ram + table + index * 4, &entry, 4);
}

static void find(void)
{
	ck_assert_int_eq(mappings_find(&mappings, &vcpu, memories, 2), 0);
}

static void expect(size_t i, uint64_t gva, uint64_t gpa, uint64_t size)
{
	ck_assert_uint_lt(i, mappings.count);
	ck_assert_uint_eq(list[i].gva, gva);
	ck_assert_uint_eq(list[i].gpa, gpa);
	ck_assert_uint_eq(list[i].size, size);
}

static void expect_count(size_t count)
{
	ck_assert_uint_eq(mappings.count, count);
	ck_assert(mappings.complete);
}

START_TEST(without_paging_addresses_are_physical)
{
	begin(0, 0, 0);
	find();
	expect_count(2);
	expect(0, 0, 0, MEMORY);
	expect(1, 1ul << 32, 1ul << 32, 0x10000);
}

START_TEST(pages_of_all_sizes)
{
	begin_long(0);
	set_entry(0x1000, 0, 0x2000 | RIGHTS);
	set_entry(0x2000, 0, 0x3000 | RIGHTS);
	set_entry(0x2000, 5, 0 | RIGHTS | PTE_PS);
	set_entry(0x3000, 1, 0 | RIGHTS | PTE_PS);
	set_entry(0x3000, 2, 0x4000 | RIGHTS);
	set_entry(0x4000, 7, 0x9000 | RIGHTS | PTE_NX);
	find();
	expect_count(3);
	expect(0, 2ul << 20, 0, MEMORY);
	expect(1, (4ul << 20) + 0x7000, 0x9000, 0x1000);
	expect(2, 5ul << 30, 0, MEMORY);
}

START_TEST(the_upper_half_is_first)
{
	begin_long(0);
	set_entry(0x1000, 0, 0x2000 | RIGHTS);
	set_entry(0x1000, 511, 0x2000 | RIGHTS);
	set_entry(0x2000, 510, 0 | RIGHTS | PTE_PS);
	find();
	expect_count(2);
	expect(0, 0xffffffff80000000, 0, MEMORY);
	expect(1, 0x7f80000000, 0, MEMORY);
}

START_TEST(five_levels)
{
	begin_long(SVM_CR4_LA57);
	set_entry(0x1000, 256, 0x2000 | RIGHTS);
	set_entry(0x2000, 1, 0x3000 | RIGHTS);
	set_entry(0x3000, 0, 0 | RIGHTS | PTE_PS);
	find();
	expect_count(1);
	expect(0, 0xff00008000000000, 0, MEMORY);
}

/* Of a page of 1 GiB at 4 GiB - 1 GiB, nothing is memory; of the next one, 64 KiB are. */
START_TEST(only_memory_is_mapped)
{
	begin_long(0);
	set_entry(0x1000, 0, 0x2000 | RIGHTS);
	set_entry(0x2000, 0, 3ul << 30 | RIGHTS | PTE_PS);
	set_entry(0x2000, 1, 4ul << 30 | RIGHTS | PTE_PS);
	set_entry(0x2000, 2, 0xfffffffff000 | RIGHTS);
	set_entry(0x1000, 1, 0x80000000 | RIGHTS);
	find();
	expect_count(1);
	expect(0, 1ul << 30, 4ul << 30, 0x10000);
}

START_TEST(consecutive_pages_are_one_mapping)
{
	unsigned int i;

	begin_long(0);
	set_entry(0x1000, 0, 0x2000 | RIGHTS);
	set_entry(0x2000, 0, 0x3000 | RIGHTS);
	set_entry(0x3000, 0, 0x4000 | RIGHTS);
	set_entry(0x3000, 1, 0x5000 | RIGHTS);
	for (i = 0; i < 10; i++) {
		set_entry(0x4000, 502 + i, (0x10000 + i * 0x1000) | RIGHTS);
		set_entry(0x5000, i, (0x1a000 + i * 0x1000) | RIGHTS);
	}
	find();
	expect_count(1);
	expect(0, 502 * 0x1000, 0x10000, 20 * 0x1000);
}

START_TEST(legacy_paging)
{
	begin(SVM_CR0_PG, SVM_CR4_PSE, 0);
	set_entry_32(0x1000, 0x300, 0x2000 | RIGHTS);
	set_entry_32(0x2000, 3, 0x9000 | RIGHTS);
	set_entry_32(0x1000, 1, 1 << 13 | RIGHTS | PTE_PS); /* at 4 GiB */
	find();
	expect_count(2);
	expect(0, 0xc0003000, 0x9000, 0x1000);
	expect(1, 0x400000, 1ul << 32, 0x10000);
}

START_TEST(pae_paging)
{
	begin(SVM_CR0_PG, SVM_CR4_PAE, 0);
	pages.vmcb.save.cr3 = 0x1020;
	set_entry(0x1020, 3, 0x2000 | PTE_P);
	set_entry(0x1020, 4, 0x2000 | PTE_P); /* not an entry */
	set_entry(0x2000, 1, 0 | RIGHTS | PTE_PS);
	find();
	expect_count(1);
	expect(0, 0xc0200000, 0, MEMORY);
}

START_TEST(tables_outside_of_memory_are_empty)
{
	begin_long(0);
	pages.vmcb.save.cr3 = 0xfffffffffffff000;
	find();
	expect_count(0);
}

/* Each entry refers to the table itself: there would be 2^36 pages. */
START_TEST(circles_come_to_an_end)
{
	unsigned int i;

	begin_long(0);
	for (i = 0; i < 512; i++)
		set_entry(0x1000, i, 0x1000 | RIGHTS);
	find();
	ck_assert_uint_eq(mappings.count, MOST);
	ck_assert(!mappings.complete);
}

/* A table that is part of another one 512 times does not displace what follows. */
START_TEST(a_table_is_read_for_some_of_its_addresses)
{
	unsigned int i;

	begin_long(0);
	set_entry(0x1000, 0, 0x2000 | RIGHTS);
	for (i = 0; i < 511; i++)
		set_entry(0x2000, i, 0x3000 | RIGHTS);
	set_entry(0x2000, 511, 0x4000 | RIGHTS);
	set_entry(0x3000, 2, 0 | RIGHTS | PTE_PS);
	set_entry(0x4000, 3, 0 | RIGHTS | PTE_PS);
	find();
	expect_count(5);
	expect(3, (3ul << 30) + (4 << 20), 0, MEMORY);
	expect(4, (511ul << 30) + (6 << 20), 0, MEMORY);
}

static const TTest **const tests[] = {
	&without_paging_addresses_are_physical,
	&pages_of_all_sizes,
	&the_upper_half_is_first,
	&five_levels,
	&only_memory_is_mapped,
	&consecutive_pages_are_one_mapping,
	&legacy_paging,
	&pae_paging,
	&tables_outside_of_memory_are_empty,
	&circles_come_to_an_end,
	&a_table_is_read_for_some_of_its_addresses,
};

Suite *mapping_suite(void)
{
	return suite_of("mapping", tests, ARRAY_SIZE(tests));
}
