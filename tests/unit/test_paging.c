// SPDX-License-Identifier: GPL-2.0
/*
 * svmrun_gva_to_gpa(): the page walk in each paging mode (APM chapter 5), faults on
 * missing permissions and reserved bits, accessed and dirty bits, and protection keys.
 */
#include <cpuid.h>
#include <errno.h>

#include "suites.h"
#include "vcpu_pages.h"
#include "xorshift.h"

#define PAGE 4096ull
#define MEMORY 0x100000ull /* guest physical */
#define PAGES 8
#define TARGET 0x0000000940000000ull /* all pages are mapped to this address */

#define P (1ull << 0)
#define W (1ull << 1)
#define U (1ull << 2)
#define A (1ull << 5)
#define D (1ull << 6)
#define PS (1ull << 7)
#define NX (1ull << 63)
#define ALL (P | W | U)

#define CR0_WP (1ull << 16)
#define CR0_PG (1ull << 31)
#define CR4_PSE (1ull << 4)
#define CR4_PAE (1ull << 5)
#define CR4_LA57 (1ull << 12)
#define CR4_SMEP (1ull << 20)
#define CR4_SMAP (1ull << 21)
#define CR4_PKE (1ull << 22)
#define EFER_LMA (1ull << 10)
#define EFER_NXE (1ull << 11)
#define RFLAGS_AC (1ull << 18)

#define READ 0
#define WRITE SVMRUN_ACCESS_WRITE
#define USER SVMRUN_ACCESS_USER
#define FETCH SVMRUN_ACCESS_FETCH
#define IMPLICIT SVMRUN_ACCESS_IMPLICIT
#define RSVD SVMRUN_FAULT_RESERVED

static struct vcpu_pages pages;
static struct svm_vmcb_save *const save = &pages.vmcb.save;
static _Alignas(4096) uint8_t bytes[PAGES * PAGE];
static struct svmrun_vcpu vcpu;

/* The page tables are in two memories. */
static const struct svmrun_memory memories[] = {
	{ .base = bytes, .gpa = MEMORY, .size = 3 * PAGE },
	{ .base = bytes + 3 * PAGE, .gpa = MEMORY + 3 * PAGE, .size = 5 * PAGE },
};

/* Addresses with a different index at each level, and bits set in each page offset */
#define GVA_LONG 0x00007a5a7b5d3abcull
#define GVA_5_LEVELS 0x00ba7a5a7b5d3abcull
#define GVA_32 0xc35d3abcull

enum mode { NONE, LEGACY, PAE, LONG, LONG_5 };

static const struct {
	unsigned int levels;
	uint64_t cr4, efer, gva;
} modes[] = {
	[LEGACY] = { 2, 0, 0, GVA_32 },
	[PAE] = { 3, CR4_PAE, EFER_NXE, GVA_32 },
	[LONG] = { 4, CR4_PAE, EFER_NXE | EFER_LMA, GVA_LONG },
	[LONG_5] = { 5, CR4_PAE | CR4_LA57, EFER_NXE | EFER_LMA, GVA_5_LEVELS },
};

static enum mode mode;

static void enter(enum mode new)
{
	vcpu = vcpu_pages_fill(&pages);
	mode = new;
	memset(bytes, 0, sizeof(bytes));
	save->cr0 = new == NONE ? 1 : CR0_PG | CR0_WP | 1;
	save->cr4 = modes[new].cr4;
	save->efer = modes[new].efer;
	save->rflags = 2;
	/* Flags and PCID are not part of the address. */
	save->cr3 = (MEMORY + modes[new].levels * PAGE) | 0x18;
}

static unsigned int shift_of(unsigned int level)
{
	return 12 + (mode == LEGACY ? 10 : 9) * (level - 1);
}

static void *entry_at(unsigned int level)
{
	unsigned int width = mode == LEGACY ? 4 : 8;
	uint64_t index = modes[mode].gva >> shift_of(level);

	if (mode == PAE && level == 3)
		index &= 3;
	return bytes + level * PAGE + index % (PAGE / width) * width;
}

static void entry_set(unsigned int level, uint64_t value)
{
	memcpy(entry_at(level), &value, mode == LEGACY ? 4 : 8);
}

static uint64_t entry_get(unsigned int level)
{
	uint64_t value = 0;

	memcpy(&value, entry_at(level), mode == LEGACY ? 4 : 8);
	return value;
}

/* Map a page at level @leaf with @flags; all levels above permit everything. */
static void map(unsigned int leaf, uint64_t flags)
{
	uint64_t upper = mode == PAE ? P : ALL;
	unsigned int level;

	for (level = modes[mode].levels; level > leaf; level--)
		entry_set(level, (MEMORY + (level - 1) * PAGE) |
					 (level == 3 ? upper : ALL));
	if (leaf > 1)
		flags |= PS;
	entry_set(leaf, (mode == LEGACY ? (uint32_t)TARGET : TARGET) | flags);
}

static int walk(uint32_t access, uint64_t *gpa, struct svmrun_page_fault *fault)
{
	return svmrun_gva_to_gpa(&vcpu, memories, ARRAY_SIZE(memories),
				 modes[mode].gva, access, gpa, fault);
}

/* Error code of the fault, or 0 for none: no fault here has an error code of 0. */
static uint32_t fault_of(uint32_t access)
{
	struct svmrun_page_fault fault = { 0 };
	uint64_t gpa;
	int ret = walk(access, &gpa, &fault);

	if (!ret)
		return 0;
	ck_assert_int_eq(ret, -EFAULT);
	ck_assert_uint_eq(fault.address, modes[mode].gva);
	return fault.error_code;
}

static void check_target(uint64_t target, uint64_t page)
{
	uint64_t gpa = 0;

	ck_assert_int_eq(walk(READ, &gpa, NULL), 0);
	ck_assert_uint_eq(gpa, target + (modes[mode].gva & (page - 1)));
}

START_TEST(no_paging_is_one_to_one)
{
	uint64_t gpa;

	enter(NONE);
	ck_assert_int_eq(svmrun_gva_to_gpa(&vcpu, NULL, 0, 0xfedcba98, FETCH,
					   &gpa, NULL),
			 0);
	ck_assert_uint_eq(gpa, 0xfedcba98);
	svmrun_gva_to_gpa(&vcpu, NULL, 0, 0x1fedcba98, WRITE, &gpa, NULL);
	ck_assert_uint_eq(gpa, 0xfedcba98);
}

START_TEST(pages_of_4_kib)
{
	enter(LEGACY);
	map(1, ALL);
	check_target((uint32_t)TARGET, PAGE);
	enter(PAE);
	map(1, ALL);
	check_target(TARGET, PAGE);
	enter(LONG);
	map(1, ALL);
	check_target(TARGET, PAGE);
	enter(LONG_5);
	map(1, ALL);
	check_target(TARGET, PAGE);
}

START_TEST(large_pages)
{
	enter(PAE);
	map(2, ALL);
	check_target(TARGET, 2ull << 20);
	enter(LONG);
	map(2, ALL);
	check_target(TARGET, 2ull << 20);
	enter(LONG_5);
	map(2, ALL | 1ull << 12); /* PAT is not part of the address */
	check_target(TARGET, 2ull << 20);
}

static bool has_huge_pages(void)
{
	uint32_t eax, ebx, ecx, edx;

	__cpuid(0x80000001, eax, ebx, ecx, edx);
	return edx & (1u << 26);
}

START_TEST(huge_pages_if_the_processor_has_them)
{
	enter(LONG);
	map(3, ALL);
	if (has_huge_pages())
		check_target(TARGET, 1ull << 30);
	else
		ck_assert_uint_eq(fault_of(READ), P | RSVD);
}

START_TEST(large_pages_of_32_bit_paging)
{
	enter(LEGACY);
	save->cr4 |= CR4_PSE;
	map(2, ALL | 0x9ull << 13 | 1ull << 12);
	check_target(0x940000000 & ~0x3fffffull, 4ull << 20);
	entry_set(2, (uint32_t)TARGET | 0xffull << 13 | ALL | PS);
	check_target(0xff40000000 & ~0x3fffffull, 4ull << 20);
}

START_TEST(without_pse_there_are_none)
{
	enter(LEGACY);
	map(1, ALL);
	entry_set(2, entry_get(2) | PS);
	check_target((uint32_t)TARGET, PAGE);
}

START_TEST(upper_half_is_of_no_account_outside_of_long_mode)
{
	uint64_t gpa;

	enter(PAE);
	map(1, ALL);
	ck_assert_int_eq(svmrun_gva_to_gpa(&vcpu, memories,
					   ARRAY_SIZE(memories),
					   GVA_32 | 0xdead00000000, READ, &gpa,
					   NULL),
			 0);
	ck_assert_uint_eq(gpa, TARGET + GVA_32 % PAGE);
}

START_TEST(pae_root_is_32_bytes_aligned)
{
	enter(PAE);
	map(1, ALL);
	memcpy(bytes + 3 * PAGE + 0x60, bytes + 3 * PAGE, 32);
	memset(bytes + 3 * PAGE, 0, 32);
	save->cr3 += 0x60;
	check_target(TARGET, PAGE);
}

static int walk_to(uint64_t gva)
{
	uint64_t gpa;

	return svmrun_gva_to_gpa(&vcpu, memories, ARRAY_SIZE(memories), gva,
				 READ, &gpa, NULL);
}

START_TEST(addresses_must_be_canonical)
{
	enter(LONG);
	ck_assert_int_eq(walk_to(0x00007fffffffffff), -EFAULT);
	ck_assert_int_eq(walk_to(0x0000800000000000), -ERANGE);
	ck_assert_int_eq(walk_to(0xffff7fffffffffff), -ERANGE);
	ck_assert_int_eq(walk_to(0xffff800000000000), -EFAULT);
	enter(LONG_5);
	ck_assert_int_eq(walk_to(0x00ffffffffffffff), -EFAULT);
	ck_assert_int_eq(walk_to(0x0100000000000000), -ERANGE);
	ck_assert_int_eq(walk_to(0xff00000000000000), -EFAULT);
}

START_TEST(tables_must_be_in_memory)
{
	uint64_t gpa;

	enter(LONG);
	map(1, ALL);
	entry_set(2, (MEMORY + PAGES * PAGE) | ALL);
	ck_assert_int_eq(walk(READ, &gpa, NULL), -ENXIO);
	save->cr3 = MEMORY - PAGE;
	ck_assert_int_eq(walk(READ, &gpa, NULL), -ENXIO);
}

/* ---- accessed and dirty bits ----------------------------------------------- */

static void check_marks(enum mode new, unsigned int leaf)
{
	unsigned int level, top;
	uint64_t gpa;

	enter(new);
	map(leaf, ALL);
	top = modes[new].levels;
	ck_assert_int_eq(walk(WRITE | SVMRUN_ACCESS_PROBE, &gpa, NULL), 0);
	for (level = top; level >= leaf; level--)
		ck_assert_uint_eq(entry_get(level) & (A | D), 0);
	ck_assert_int_eq(walk(READ, &gpa, NULL), 0);
	for (level = top; level >= leaf; level--)
		ck_assert_uint_eq(entry_get(level) & (A | D),
				  new == PAE &&level == 3 ? 0 : A);
	ck_assert_int_eq(walk(WRITE, &gpa, NULL), 0);
	ck_assert_uint_eq(entry_get(leaf) & (A | D), A | D);
	ck_assert_uint_eq(entry_get(top) & D, 0);
}

START_TEST(accesses_leave_marks)
{
	check_marks(LEGACY, 1);
	check_marks(PAE, 1);
	check_marks(PAE, 2);
	check_marks(LONG, 1);
	check_marks(LONG, 2);
	check_marks(LONG_5, 1);
}

START_TEST(refused_accesses_leave_none)
{
	enter(LONG);
	map(1, P | U);
	ck_assert_uint_eq(fault_of(WRITE), P | WRITE);
	ck_assert_uint_eq(entry_get(1) & (A | D), 0);
	ck_assert_uint_eq(entry_get(4) & A, 0);
}

/* ---- faults ---------------------------------------------------------------- */

#define FINE 0

/* @flags: set in the entry of the page; @upper: cleared in the entry above */
static const struct right {
	uint64_t flags, upper, cr0_clear, cr4, rflags;
	uint32_t access;
	bool fine;
} rights[] = {
	{ P, 0, 0, 0, 0, READ, true },
	{ P, 0, 0, 0, 0, USER, false },
	{ P | U, 0, 0, 0, 0, USER, true },
	{ P | U, U, 0, 0, 0, USER, false },
	{ P | U, 0, 0, 0, 0, USER | WRITE, false },
	{ ALL, 0, 0, 0, 0, USER | WRITE, true },
	{ ALL, W, 0, 0, 0, USER | WRITE, false },
	{ ALL, W, CR0_WP, 0, 0, USER | WRITE, false },
	{ P, 0, 0, 0, 0, WRITE, false },
	{ P, 0, CR0_WP, 0, 0, WRITE, true },
	{ P | W, W, 0, 0, 0, WRITE, false },
	{ P | W, W, CR0_WP, 0, 0, WRITE, true },
	{ P, 0, 0, 0, 0, FETCH, true },
	{ P | NX, 0, 0, 0, 0, FETCH, false },
	{ P | NX, 0, 0, 0, 0, READ, true },
	{ ALL | NX, 0, 0, 0, 0, USER | FETCH, false },
	{ ALL, 0, 0, 0, 0, USER | FETCH, true },
	/* SMEP */
	{ ALL, 0, 0, CR4_SMEP, 0, FETCH, false },
	{ ALL, U, 0, CR4_SMEP, 0, FETCH, true },
	{ ALL, 0, 0, CR4_SMEP, 0, USER | FETCH, true },
	{ ALL, 0, 0, CR4_SMEP, 0, READ, true },
	/* SMAP */
	{ ALL, 0, 0, CR4_SMAP, 0, READ, false },
	{ ALL, 0, 0, CR4_SMAP, 0, WRITE, false },
	{ ALL, 0, 0, CR4_SMAP, 0, FETCH, true },
	{ ALL, 0, 0, CR4_SMAP, 0, USER, true },
	{ ALL, U, 0, CR4_SMAP, 0, READ, true },
	{ ALL, 0, 0, CR4_SMAP, RFLAGS_AC, WRITE, true },
	{ ALL, 0, 0, CR4_SMAP, RFLAGS_AC, IMPLICIT, false },
	{ ALL, U, 0, CR4_SMAP, 0, IMPLICIT, true },
	{ ALL, 0, 0, 0, 0, IMPLICIT, true },
};

static void check_right(enum mode new, const struct right *right)
{
	uint32_t reported = right->access & (WRITE | USER | FETCH);

	enter(new);
	map(1, right->flags);
	entry_set(2, entry_get(2) & ~right->upper);
	save->cr0 &= ~right->cr0_clear;
	save->cr4 |= right->cr4;
	save->rflags |= right->rflags;
	ck_assert_uint_eq(fault_of(right->access),
			  right->fine ? FINE : P | reported);
}

START_TEST(rights_of_all_levels_count)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rights); i++) {
		check_right(PAE, &rights[i]);
		check_right(LONG, &rights[i]);
		check_right(LONG_5, &rights[i]);
		if (!(rights[i].flags & NX) && !(rights[i].access & FETCH))
			check_right(LEGACY, &rights[i]);
	}
}

START_TEST(what_is_not_present_is_no_violation)
{
	static const enum mode all[] = { LEGACY, PAE, LONG, LONG_5 };
	unsigned int level;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		for (level = 1; level <= modes[all[i]].levels; level++) {
			enter(all[i]);
			map(1, ALL);
			entry_set(level, ~P);
			ck_assert_uint_eq(fault_of(USER | WRITE), USER | WRITE);
		}
	}
}

START_TEST(fetches_are_reported_only_with_nx)
{
	enter(LONG);
	save->efer &= ~EFER_NXE;
	map(1, P);
	ck_assert_uint_eq(fault_of(USER | FETCH), P | USER);
	save->cr4 |= CR4_SMEP;
	ck_assert_uint_eq(fault_of(USER | FETCH), P | USER | FETCH);
	enter(LEGACY);
	save->efer |= EFER_NXE; /* has no effect without PAE */
	map(1, P);
	ck_assert_uint_eq(fault_of(USER | FETCH), P | USER);
}

/* @bit in the entry at @level, in a walk to a page at level @leaf, is @reserved or not */
static const struct reserved {
	enum mode mode;
	unsigned int level, leaf;
	uint64_t bit;
	bool reserved;
} reserved[] = {
	{ LONG, 4, 1, PS, true },
	{ LONG, 4, 1, 1ull << 8, true },
	{ LONG, 3, 1, 1ull << 8, true },
	{ LONG, 2, 1, 1ull << 8, false },
	{ LONG, 1, 1, 1ull << 8, false },
	{ LONG, 2, 2, 1ull << 13, true },
	{ LONG, 2, 2, 1ull << 20, true },
	{ LONG, 2, 2, 1ull << 8, false },
	{ LONG, 1, 1, 1ull << 52, false },
	{ LONG, 1, 1, 1ull << 62, false },
	{ LONG_5, 5, 1, PS, true },
	{ LONG_5, 5, 1, 1ull << 8, true },
	{ PAE, 3, 1, 1ull << 1, true },
	{ PAE, 3, 1, 1ull << 2, true },
	{ PAE, 3, 1, 1ull << 5, true },
	{ PAE, 3, 1, 1ull << 8, true },
	{ PAE, 3, 1, 1ull << 9, false },
	{ PAE, 3, 1, 1ull << 3, false },
	{ PAE, 3, 1, NX, true },
	{ PAE, 3, 1, 1ull << 52, true },
	{ PAE, 2, 1, 1ull << 52, true },
	{ PAE, 1, 1, 1ull << 62, true },
	{ PAE, 2, 2, 1ull << 13, true },
	{ LEGACY, 2, 2, 1ull << 21, true },
	{ LEGACY, 2, 2, 1ull << 20, false },
};

START_TEST(reserved_bits_are_reserved)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(reserved); i++) {
		const struct reserved *bit = &reserved[i];

		enter(bit->mode);
		save->cr4 |= CR4_PSE;
		map(bit->leaf, ALL);
		entry_set(bit->level, entry_get(bit->level) | bit->bit);
		ck_assert_uint_eq(fault_of(WRITE),
				  bit->reserved ? P | RSVD | WRITE : FINE);
	}
}

START_TEST(nx_is_reserved_without_nxe)
{
	unsigned int level;

	for (level = 1; level <= 4; level++) {
		enter(LONG);
		map(1, ALL);
		entry_set(level, entry_get(level) | NX);
		ck_assert_uint_eq(fault_of(READ), FINE);
		save->efer &= ~EFER_NXE;
		ck_assert_uint_eq(fault_of(READ), P | RSVD);
	}
}

START_TEST(addresses_beyond_the_processor_s_are_reserved)
{
	uint32_t eax, ebx, ecx, edx, bits;

	__cpuid(0x80000008, eax, ebx, ecx, edx);
	bits = eax & 0xff;
	enter(LONG);
	map(1, ALL | 1ull << (bits - 1));
	ck_assert_uint_eq(fault_of(READ), FINE);
	if (bits == 52)
		return;
	map(1, ALL | 1ull << bits);
	ck_assert_uint_eq(fault_of(READ), P | RSVD);
	map(1, ALL | 1ull << 51);
	ck_assert_uint_eq(fault_of(READ), P | RSVD);
}

/* ---- protection keys -------------------------------------------------------- */

#define KEY 5
#define AD 1
#define WD 2
#define PK SVMRUN_FAULT_KEY

static _Alignas(64) uint8_t area[8192];

/* Set PKRU. Return its offset in the XSAVE area, or 0 if the processor has no PKRU. */
static uint32_t give_pkru(uint32_t rights)
{
	uint32_t eax, ebx, ecx, edx, pkru = rights << (2 * KEY);
	uint64_t valid = 1ull << 9;

	__cpuid_count(0xd, 9, eax, ebx, ecx, edx);
	enter(LONG);
	save->cr4 |= CR4_PKE;
	vcpu.xsave = area;
	vcpu.xsave_size = sizeof(area);
	memset(area, 0, sizeof(area));
	memcpy(area + 512, &valid, sizeof(valid));
	if (ebx)
		memcpy(area + ebx, &pkru, sizeof(pkru));
	map(1, ALL | (uint64_t)KEY << 59);
	return ebx;
}

static const struct {
	uint32_t rights, access, error;
} keys[] = {
	{ 0, USER | WRITE, FINE },
	{ AD, USER, P | PK | USER },
	{ AD, READ, P | PK },
	{ AD, USER | FETCH, FINE },
	{ WD, USER, FINE },
	{ WD, USER | WRITE, P | PK | USER | WRITE },
	{ WD, WRITE, P | PK | WRITE },
};

START_TEST(keys_refuse_data)
{
	bool there;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		there = give_pkru(keys[i].rights);
		ck_assert_uint_eq(fault_of(keys[i].access),
				  there ? keys[i].error : FINE);
	}
}

START_TEST(keys_have_exceptions)
{
	give_pkru(WD);
	save->cr0 &= ~CR0_WP;
	ck_assert_uint_eq(fault_of(WRITE), FINE);
	give_pkru(AD);
	map(1, P | W | (uint64_t)KEY << 59); /* supervisor page */
	ck_assert_uint_eq(fault_of(WRITE), FINE);
	give_pkru(AD);
	save->cr4 &= ~CR4_PKE;
	ck_assert_uint_eq(fault_of(WRITE), FINE);
	give_pkru(AD);
	area[512 + 1] = 0; /* PKRU in its initial state */
	ck_assert_uint_eq(fault_of(WRITE), FINE);
	give_pkru(AD);
	vcpu.xsave_size = 576; /* too small for PKRU */
	ck_assert_uint_eq(fault_of(WRITE), FINE);
}

/* ---- random tables ----------------------------------------------------------- */

/* Fill the tables with random entries, most of which are present and point to tables. */
static void scramble(uint64_t *seed)
{
	uint64_t *entries = (uint64_t *)bytes;
	size_t i;

	for (i = 0; i < sizeof(bytes) / sizeof(*entries); i++) {
		uint64_t random = xorshift(seed);

		entries[i] = (MEMORY + (random >> 60) * PAGE) | ALL;
		entries[i] ^= random & (random >> 20) & 0x1fff & ~P;
		if (random >> 40 & 1)
			entries[i] |= entries[i] << 32;
	}
}

static void check_random(uint64_t *seed)
{
	static const uint32_t accesses[] = { READ,	   WRITE, USER,
					     USER | WRITE, FETCH, USER | FETCH,
					     IMPLICIT };
	uint64_t gva = xorshift(seed) & modes[mode].gva, gpa[3] = { 0 };
	uint32_t access = accesses[xorshift_below(seed, 7)];
	struct svmrun_page_fault fault[3];
	unsigned int i;
	int ret[3];

	for (i = 0; i < 3; i++)
		ret[i] = svmrun_gva_to_gpa(&vcpu, memories,
					   ARRAY_SIZE(memories), gva,
					   i == 1 ?
						   access :
						   access | SVMRUN_ACCESS_PROBE,
					   &gpa[i], &fault[i]);
	/* not ck_assert(), each of which writes to a file */
	if (ret[0] != ret[1] || ret[1] != ret[2] || gpa[0] != gpa[1] ||
	    gpa[1] != gpa[2])
		ck_abort_msg("a probe and an access differ");
	if (!ret[0] && (gpa[0] % PAGE != gva % PAGE || gpa[0] >> 52))
		ck_abort_msg("an address in another page");
}

START_TEST(ten_million_walks_are_harmless)
{
	uint64_t seed = xorshift_seed(1);
	unsigned int i;

	for (i = 0; i < 3400000; i++) {
		if (i % 16384 == 0) {
			enter(LEGACY + i / 16384 % 4);
			save->cr4 |= CR4_PSE |
				     (xorshift(&seed) & (CR4_SMAP | CR4_SMEP));
			scramble(&seed);
		}
		check_random(&seed);
	}
}

static const TTest **const tests[] = {
	&no_paging_is_one_to_one,
	&pages_of_4_kib,
	&large_pages,
	&huge_pages_if_the_processor_has_them,
	&large_pages_of_32_bit_paging,
	&without_pse_there_are_none,
	&upper_half_is_of_no_account_outside_of_long_mode,
	&pae_root_is_32_bytes_aligned,
	&addresses_must_be_canonical,
	&tables_must_be_in_memory,
	&accesses_leave_marks,
	&refused_accesses_leave_none,
	&rights_of_all_levels_count,
	&what_is_not_present_is_no_violation,
	&fetches_are_reported_only_with_nx,
	&reserved_bits_are_reserved,
	&nx_is_reserved_without_nxe,
	&addresses_beyond_the_processor_s_are_reserved,
	&keys_refuse_data,
	&keys_have_exceptions,
	&ten_million_walks_are_harmless,
};

Suite *paging_suite(void)
{
	return suite_of("paging", tests, ARRAY_SIZE(tests));
}
