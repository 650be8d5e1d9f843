// SPDX-License-Identifier: GPL-2.0
/*
 * SVMRUN_DIRTY: the log contains the pages that the guest has written, and no
 * others.
 */
#include <sys/wait.h>

#include "pages.h"
#include "paging.h"

#define GPA MIB_2
#define PAGES 200ul /* not a multiple of 64, the bits of a word */
#define LENGTH (PAGES * PAGE)
#define WORDS ((PAGES + 63) / 64)
#define LOGGED (MAP_ALL | SVMRUN_MAP_LOG_DIRTY)

#define PIECE (128ul << 20) /* memory whose bits the module copies at once */

FIXTURE(dirty)
{
	struct machine m;
	uint8_t *memory; /* mapped at GPA, logged */
	uint64_t bits[WORDS + 1];
};

FIXTURE_SETUP(dirty)
{
	ASSERT_EQ(0, machine_create(&self->m));
	self->memory = pages_new(LENGTH);
	ASSERT_NE(MAP_FAILED, self->memory);
	ASSERT_EQ(0, machine_map(&self->m, GPA, self->memory, LENGTH, LOGGED));
}

FIXTURE_TEARDOWN(dirty)
{
	machine_destroy(&self->m);
}

static bool bit(const uint64_t *bits, unsigned long number)
{
	return bits[number / 64] >> number % 64 & 1;
}

static void set_bit(uint64_t *bits, unsigned long number)
{
	bits[number / 64] |= 1ull << number % 64;
}

static void guest_write(struct __test_metadata *_metadata, struct machine *m,
			unsigned long page)
{
	EXPECT_WRITE(m, GPA + page * PAGE, 1 + page);
}

/*
 * Expect that the log of @count pages from @first on equals @want, which has one
 * bit per page of the region. Unused bits of the last word must be 0, and words
 * after it unchanged.
 */
static void expect_range(struct __test_metadata *_metadata,
			 FIXTURE_DATA(dirty) * self, unsigned long first,
			 unsigned long count, const uint64_t *want,
			 uint32_t flags)
{
	const uint64_t untouched = 0x5555aaaa5555aaaa;
	unsigned long words = (count + 63) / 64, i;

	for (i = 0; i <= WORDS; i++)
		self->bits[i] = untouched;
	ASSERT_EQ(0, machine_dirty(&self->m, GPA + first * PAGE, count * PAGE,
				   self->bits, flags));
	for (i = 0; i < words * 64; i++)
		if (bit(self->bits, i) != (i < count && bit(want, first + i)))
			break;
	EXPECT_EQ(words * 64, i)
	{
		TH_LOG("first wrong bit, of %lu pages from %lu on", count,
		       first);
	}
	for (i = words; i <= WORDS; i++)
		EXPECT_EQ(untouched, self->bits[i]);
}

static void expect_log(struct __test_metadata *_metadata,
		       FIXTURE_DATA(dirty) * self, const uint64_t *want,
		       uint32_t flags)
{
	expect_range(_metadata, self, 0, PAGES, want, flags);
}

static const uint64_t none[WORDS];

/* Pages at the ends of words, at the ends of the region, and in between */
static const unsigned long some[] = { 0, 1, 5, 62, 63, 64, 127, 128, 198, 199 };

static void write_some(struct __test_metadata *_metadata,
		       FIXTURE_DATA(dirty) * self, uint64_t *want)
{
	memset(want, 0, WORDS * sizeof(*want));
	for (size_t i = 0; i < ARRAY_SIZE(some); i++) {
		guest_write(_metadata, &self->m, some[i]);
		set_bit(want, some[i]);
	}
}

/* ---- contents of the log ------------------------------------------------- */

TEST_F(dirty, begins_empty)
{
	expect_log(_metadata, self, none, 0);
}

TEST_F(dirty, written_pages)
{
	uint64_t want[WORDS];

	write_some(_metadata, self, want);
	expect_log(_metadata, self, want, 0);
	for (size_t i = 0; i < ARRAY_SIZE(some); i++)
		EXPECT_EQ(1 + some[i], self->memory[some[i] * PAGE]);
}

TEST_F(dirty, what_is_read_or_executed_is_not)
{
	for (unsigned long i = 0; i < PAGES; i++)
		self->memory[i * PAGE] = HLT_BYTE;
	EXPECT_EQ(0, machine_sweep(&self->m, GPA, LENGTH, false));
	EXPECT_ACCESS(&self->m, ACCESS_FETCH, GPA + 3 * PAGE, 0);
	expect_log(_metadata, self, none, 0);
}

TEST_F(dirty, what_the_program_writes_is_not)
{
	memset(self->memory, 5, LENGTH);
	expect_log(_metadata, self, none, 0);
	EXPECT_EQ(0, machine_sweep(&self->m, GPA, LENGTH, false));
	memset(self->memory, 6, LENGTH);
	expect_log(_metadata, self, none, 0);
}

/*
 * The first write is logged, even after the page was read or the program has
 * written it.
 */
TEST_F(dirty, written_after_it_was_read)
{
	uint64_t want[WORDS];

	memset(self->memory, 5, LENGTH);
	EXPECT_EQ(0, machine_sweep(&self->m, GPA, LENGTH, false));
	write_some(_metadata, self, want);
	expect_log(_metadata, self, want, 0);
}

TEST_F(dirty, kept_until_it_is_cleared)
{
	uint64_t want[WORDS];

	write_some(_metadata, self, want);
	for (int i = 0; i < 3; i++)
		expect_log(_metadata, self, want, 0);
	expect_log(_metadata, self, want, SVMRUN_DIRTY_CLEAR);
	expect_log(_metadata, self, none, SVMRUN_DIRTY_CLEAR);
}

TEST_F(dirty, written_again_after_it_was_cleared)
{
	uint64_t want[WORDS];

	for (int i = 0; i < 3; i++) {
		write_some(_metadata, self, want);
		expect_log(_metadata, self, want, SVMRUN_DIRTY_CLEAR);
		EXPECT_EQ(0, machine_sweep(&self->m, GPA, LENGTH, false));
		expect_log(_metadata, self, none, 0);
	}
}

/* A page that Linux has taken away since remains in the log. */
TEST_F(dirty, taken_away_meanwhile)
{
	uint64_t want[WORDS];

	write_some(_metadata, self, want);
	ASSERT_EQ(0, madvise(self->memory, LENGTH, MADV_DONTNEED));
	expect_log(_metadata, self, want, 0);
	EXPECT_EQ(0, machine_sweep(&self->m, GPA, LENGTH, false));
	expect_log(_metadata, self, want, SVMRUN_DIRTY_CLEAR);
	expect_log(_metadata, self, none, 0);
}

/* ---- ranges -------------------------------------------------------------- */

TEST_F(dirty, part_of_the_range)
{
	static const unsigned long counts[] = { 1, 2, 63, 64, 65, 129 };
	uint64_t want[WORDS];

	write_some(_metadata, self, want);
	for (unsigned long first = 0; first < PAGES; first++)
		for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
			if (first + counts[i] <= PAGES)
				expect_range(_metadata, self, first, counts[i],
					     want, 0);
}

TEST_F(dirty, part_of_it_cleared)
{
	uint64_t want[WORDS];

	write_some(_metadata, self, want);
	expect_range(_metadata, self, 5, 59, want, SVMRUN_DIRTY_CLEAR);
	want[0] &= (1ull << 5) - 1; /* pages 5 to 63 */
	expect_log(_metadata, self, want, 0);
	guest_write(_metadata, &self->m, 7);
	set_bit(want, 7);
	expect_log(_metadata, self, want, 0);
}

TEST_F(dirty, several_maps)
{
	struct machine *m = &self->m;
	uint64_t want[WORDS] = { 1ull << 9 | 1ull << 10 | 1ull << 63, 1 };

	ASSERT_EQ(0, machine_unmap(m, GPA, LENGTH));
	for (unsigned long i = 0; i < PAGES; i += 10)
		ASSERT_EQ(0, machine_map(m, GPA + i * PAGE,
					 self->memory + (PAGES - 10 - i) * PAGE,
					 10 * PAGE, LOGGED));
	guest_write(_metadata, m, 9);
	guest_write(_metadata, m, 10);
	guest_write(_metadata, m, 63);
	guest_write(_metadata, m, 64);
	expect_log(_metadata, self, want, SVMRUN_DIRTY_CLEAR);
	expect_log(_metadata, self, none, 0);
}

TEST_F(dirty, mapped_anew)
{
	uint64_t want[WORDS];

	write_some(_metadata, self, want);
	ASSERT_EQ(0, machine_unmap(&self->m, GPA + 60 * PAGE, 10 * PAGE));
	ASSERT_EQ(0, machine_map(&self->m, GPA + 60 * PAGE,
				 self->memory + 60 * PAGE, 10 * PAGE, LOGGED));
	want[0] &= (1ull << 60) - 1;
	want[1] &= ~0x3full;
	expect_log(_metadata, self, want, 0);
}

TEST_F(dirty, protected_meanwhile)
{
	struct machine *m = &self->m;
	uint64_t want[WORDS];

	write_some(_metadata, self, want);
	ASSERT_EQ(0, machine_protect(m, GPA + 5 * PAGE, PAGE, MAP_RX));
	expect_log(_metadata, self, want, SVMRUN_DIRTY_CLEAR);
	EXPECT_NPF(0, m, ACCESS_WRITE, GPA + 5 * PAGE);
	expect_log(_metadata, self, none, 0);
	ASSERT_EQ(0, machine_protect(m, GPA + 5 * PAGE, PAGE, MAP_ALL));
	EXPECT_READ(1 + 5, m, GPA + 5 * PAGE);
	expect_log(_metadata, self, none, 0);
	guest_write(_metadata, m, 5);
	expect_log(_metadata, self, (uint64_t[WORDS]){ 1ull << 5 }, 0);
}

/* ---- errors, one at a time ----------------------------------------------- */

TEST_F(dirty, not_aligned)
{
	EXPECT_EQ(-EINVAL,
		  machine_dirty(&self->m, GPA + 8, PAGE, self->bits, 0));
	EXPECT_EQ(-EINVAL,
		  machine_dirty(&self->m, GPA, PAGE + 8, self->bits, 0));
	EXPECT_EQ(-EINVAL, machine_dirty(&self->m, GPA, 0, self->bits, 0));
}

TEST_F(dirty, unknown_flag)
{
	EXPECT_EQ(-EINVAL, machine_dirty(&self->m, GPA, PAGE, self->bits,
					 SVMRUN_DIRTY_CLEAR << 1));
}

TEST_F(dirty, out_of_range)
{
	uint64_t top = 1ull << self->m.info.out_gpa_bits;

	EXPECT_EQ(-ERANGE,
		  machine_dirty(&self->m, top - PAGE, 2 * PAGE, self->bits, 0));
	EXPECT_EQ(-ERANGE, machine_dirty(&self->m, PAGE, -PAGE, self->bits, 0));
}

TEST_F(dirty, not_logged)
{
	struct machine *m = &self->m;
	uint64_t *bits = self->bits;

	/*
	 * not mapped; not logged; only partly mapped, at the end or in the middle
	 */
	EXPECT_EQ(-ENOENT, machine_dirty(m, 2 * GPA, PAGE, bits, 0));
	EXPECT_EQ(-ENOENT, machine_dirty(m, 0, PAGE, bits, 0));
	EXPECT_EQ(-ENOENT, machine_dirty(m, GPA, LENGTH + PAGE, bits, 0));
	EXPECT_EQ(-ENOENT, machine_dirty(m, GPA - PAGE, 2 * PAGE, bits, 0));
	ASSERT_EQ(0, machine_unmap(m, GPA + 10 * PAGE, PAGE));
	EXPECT_EQ(-ENOENT, machine_dirty(m, GPA, LENGTH, bits, 0));
	EXPECT_EQ(0, machine_dirty(m, GPA, 10 * PAGE, bits, 0));
	ASSERT_EQ(0,
		  machine_map(m, GPA + 10 * PAGE, self->memory, PAGE, MAP_ALL));
	EXPECT_EQ(-ENOENT, machine_dirty(m, GPA, LENGTH, bits, 0));
}

/* An error leaves the log unchanged. */
TEST_F(dirty, not_logged_loses_nothing)
{
	uint64_t want[WORDS];

	write_some(_metadata, self, want);
	EXPECT_EQ(-ENOENT, machine_dirty(&self->m, GPA, LENGTH + PAGE,
					 self->bits, SVMRUN_DIRTY_CLEAR));
	expect_log(_metadata, self, want, 0);
}

TEST_F(dirty, bitmap_cannot_be_written)
{
	uint64_t *constant = mmap(NULL, PAGE, PROT_READ,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct machine *m = &self->m;
	uint64_t want[WORDS];

	write_some(_metadata, self, want);
	EXPECT_EQ(-EFAULT, machine_dirty(m, GPA, LENGTH, NULL, 0));
	EXPECT_EQ(-EFAULT,
		  machine_dirty(m, GPA, LENGTH, constant, SVMRUN_DIRTY_CLEAR));
	EXPECT_EQ(-EFAULT, machine_dirty(m, GPA, LENGTH, (void *)-8ul,
					 SVMRUN_DIRTY_CLEAR));
	expect_log(_metadata, self, want, SVMRUN_DIRTY_CLEAR);
	expect_log(_metadata, self, none, 0);
}

/* If the bitmap ends early, bits that were not copied remain in the log. */
TEST_F(dirty, bitmap_ends_early)
{
	const uint64_t gpa = 1ul << 30, length = 2 * PIECE;
	uint64_t *bits = pages_new(2 * PAGE), word;
	struct machine *m = &self->m;
	uint8_t *memory = mmap(NULL, length, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			       0);

	ASSERT_NE(MAP_FAILED, memory);
	ASSERT_EQ(0, machine_map(m, gpa, memory, length, LOGGED));
	EXPECT_WRITE(m, gpa + 3 * PAGE, 1);
	EXPECT_WRITE(m, gpa + PIECE + 5 * PAGE, 1);
	ASSERT_EQ(0, munmap(&bits[PAGE / 8], PAGE));
	EXPECT_EQ(-EFAULT,
		  machine_dirty(m, gpa, length, bits, SVMRUN_DIRTY_CLEAR));
	EXPECT_EQ(1ull << 3, bits[0]);
	EXPECT_EQ(0, machine_dirty(m, gpa + PIECE, 64 * PAGE, &word,
				   SVMRUN_DIRTY_CLEAR));
	EXPECT_EQ(1ull << 5, word);
}

TEST_F(dirty, another_address_space)
{
	int status;
	pid_t child = fork();

	if (!child)
		_exit(machine_dirty(&self->m, GPA, LENGTH, self->bits, 0) !=
		      -EIO);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

/* A log that is too large fails with -ENOMEM, without a splat in the kernel log. */
TEST_F(dirty, log_too_large)
{
	const uint64_t length = 1ull << 46;

	if (self->m.info.out_gpa_bits < 48)
		SKIP(return, "fewer than 48 bits of address");
	ASSERT_EQ(0, machine_unmap(&self->m, 0, 2 * GPA));
	EXPECT_EQ(-ENOMEM, machine_map(&self->m, length, NULL, length, LOGGED));
	EXPECT_EQ(0, machine_map(&self->m, length, NULL, length, MAP_ALL));
}

/* ---- large pages --------------------------------------------------------- */

/* Map 2 MiB, if possible one large page, at GPA with a log. */
static uint8_t *map_large(struct __test_metadata *_metadata,
			  FIXTURE_DATA(dirty) * self)
{
	uint8_t *large = pages_new_aligned(MIB_2, MIB_2);

	ASSERT_NE(MAP_FAILED, large);
	ASSERT_EQ(0, madvise(large, MIB_2, MADV_HUGEPAGE));
	memset(large, 5, MIB_2);
	ASSERT_EQ(0, machine_unmap(&self->m, GPA, LENGTH));
	ASSERT_EQ(0, machine_map(&self->m, GPA, large, MIB_2, LOGGED));
	EXPECT_EQ(0, machine_sweep(&self->m, GPA, MIB_2, false));
	return large;
}

TEST_F(dirty, large_page_by_small_ones)
{
	uint64_t want[WORDS];

	map_large(_metadata, self);
	if (machine_vm_info(&self->m).out_pages_2m != 1)
		SKIP(return, "no transparent huge page is available");
	write_some(_metadata, self, want);
	expect_log(_metadata, self, want, SVMRUN_DIRTY_CLEAR);
	EXPECT_EQ(0, machine_sweep(&self->m, GPA, MIB_2, false));
	expect_log(_metadata, self, none, 0);
	write_some(_metadata, self, want);
	expect_log(_metadata, self, want, 0);
}

/* Copy from EBX to EDI; both and the code are in one large page. */
GUEST(copy, 32, "mov (%ebx), %eax\n xchg %eax, (%edi)\n hlt");

/* One instruction accesses several pages, of which it writes one. */
TEST_F(dirty, large_page_read_and_written_at_once)
{
	uint8_t *large = map_large(_metadata, self);
	struct machine *m = &self->m;

	MACHINE_LOAD(m, MODE_PROTECTED, copy);
	memcpy(large, copy, copy_end - copy);
	m->vcpu.vmcb->save.rip = GPA;
	m->vcpu.regs->rbx = GPA + PAGE;
	m->vcpu.regs->rdi = GPA + 2 * PAGE;
	large[PAGE] = 7;
	ASSERT_EXIT(VMEXIT_HLT, m);
	EXPECT_EQ(7, large[2 * PAGE]);
	expect_log(_metadata, self, (uint64_t[WORDS]){ 1ull << 2 }, 0);
}

/* ---- writes by the processor --------------------------------------------- */

#define TABLES 7 /* pages of the library's tables and of the window's */

GUEST(write_window, 64, "mov $0x40000000, %ebx\n movl $77, (%rbx)\n hlt");

/*
 * Setting accessed and dirty bits in the guest's page tables writes to their pages.
 */
TEST_F(dirty, page_table_walks)
{
	static uint8_t before[TABLES * PAGE];
	uint8_t *tables = machine_at(&self->m, MACHINE_TABLES);
	struct machine *m = &self->m;
	int changed = 0;

	MACHINE_LOAD(m, MODE_LONG, write_window);
	window_map(m, GPA);
	ASSERT_EQ(0, machine_unmap(m, MACHINE_TABLES, TABLES * PAGE));
	ASSERT_EQ(0, machine_map(m, MACHINE_TABLES, tables, TABLES * PAGE,
				 LOGGED));
	memcpy(before, tables, sizeof(before));
	ASSERT_EXIT(VMEXIT_HLT, m);
	ASSERT_EQ(0, machine_dirty(m, MACHINE_TABLES, TABLES * PAGE, self->bits,
				   0));
	for (int i = 0; i < TABLES; i++) {
		if (!memcmp(&before[i * PAGE], &tables[i * PAGE], PAGE))
			continue;
		changed++;
		EXPECT_TRUE(bit(self->bits, i));
	}
	/* the root, two lower levels, and the window's table */
	EXPECT_LE(4, changed);
}

TEST_HARNESS_MAIN
