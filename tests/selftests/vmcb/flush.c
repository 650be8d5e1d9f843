// SPDX-License-Identifier: GPL-2.0
/*
 * TLB flushes (APM 15.16): after a change that revokes translations, the next entry
 * into the guest uses a new ASID or flushes all. Emulators flush more than
 * requested, so the tests check the requests, by the tracepoint svmrun:enter.
 */
#include <sys/mman.h>

#include "pages.h"
#include "tracing.h"

#define GPA MIB_2
#define LENGTH MIB_2
#define ENTRIES 64

FIXTURE(flush)
{
	struct machine m;
	uint8_t *memory; /* mapped at GPA with all permissions; large if possible */
	struct entry last; /* of the guest */
	uint64_t bits[LENGTH / PAGE / 64];
};

FIXTURE_SETUP(flush)
{
	ASSERT_EQ(0, machine_create(&self->m));
	self->memory = pages_new_aligned(LENGTH, MIB_2);
	ASSERT_NE(MAP_FAILED, self->memory);
	ASSERT_EQ(0, machine_map(&self->m, GPA, self->memory, LENGTH,
				 MAP_ALL | SVMRUN_MAP_LOG_DIRTY));
	ASSERT_EQ(0, cpu_pin(0));
}

FIXTURE_TEARDOWN(flush)
{
	entries_end();
	machine_destroy(&self->m);
}

static bool is_fresh(const struct entry *entry, const struct entry *before)
{
	return entry->asid != before->asid ||
	       entry->tlb_control == SVM_TLB_CONTROL_FLUSH_ALL;
}

/*
 * Run a guest that touches the pages; return whether one of its entries was
 * flushed.
 */
static bool flushed(struct __test_metadata *_metadata,
		    FIXTURE_DATA(flush) * self, bool write)
{
	struct entry entries[ENTRIES];
	bool fresh = false;
	int count;

	EXPECT_EQ(0, entries_begin());
	EXPECT_EQ(0, machine_sweep(&self->m, GPA, 8 * PAGE, write));
	EXPECT_EQ(VMEXIT_HLT, self->m.vcpu.vmcb->control.exitcode);
	count = entries_read(entries, ENTRIES);
	EXPECT_LT(0, count);
	for (int i = 0; i < count; i++) {
		fresh |= is_fresh(&entries[i], &self->last);
		self->last = entries[i];
	}
	return fresh;
}

#define TRIES 10 /* Linux may move pages on its own. */

/* Run the guest until all its pages are mapped and no flush is needed. */
static void settle(struct __test_metadata *_metadata,
		   FIXTURE_DATA(flush) * self)
{
	int tries = 0;

	while (flushed(_metadata, self, true) ||
	       flushed(_metadata, self, false))
		ASSERT_GT(TRIES, tries++);
}

#define TEST_FLUSHES(name, revoke)                                             \
	TEST_F(flush, name)                                                    \
	{                                                                      \
		settle(_metadata, self);                                       \
		ASSERT_EQ(0, revoke);                                          \
		EXPECT_TRUE(flushed(_metadata, self, false));                  \
	}

TEST_FLUSHES(dontneed, madvise(self->memory, PAGE, MADV_DONTNEED))
TEST_FLUSHES(mprotect, mprotect(self->memory, PAGE, PROT_READ))
TEST_FLUSHES(fork, fork() ? 0 : (_exit(0), 0))
TEST_FLUSHES(protect, machine_protect(&self->m, GPA, PAGE, MAP_RX))
TEST_FLUSHES(unmap, machine_unmap(&self->m, GPA + LENGTH / 2, PAGE))
TEST_FLUSHES(dirty_clear, machine_dirty(&self->m, GPA, LENGTH, self->bits,
					SVMRUN_DIRTY_CLEAR))

/* A large page replaces small ones. */
TEST_F(flush, made_large)
{
	struct machine *m = &self->m;

	ASSERT_EQ(0, machine_unmap(m, GPA, LENGTH));
	ASSERT_EQ(0, madvise(self->memory, LENGTH, MADV_HUGEPAGE));
	memset(self->memory, 0, LENGTH);
	ASSERT_EQ(0, machine_map(m, GPA, self->memory, LENGTH, MAP_ALL));
	ASSERT_EQ(0, machine_protect(m, GPA, PAGE, MAP_RX));
	flushed(_metadata, self, false);
	ASSERT_EQ(0, machine_protect(m, GPA, PAGE, MAP_ALL));
	while (flushed(_metadata, self, false))
		;
	EXPECT_TRUE(flushed(_metadata, self, true));
	if (machine_vm_info(m).out_pages_2m != 1)
		SKIP(return, "no transparent huge page is available");
}

/* Changes that revoke nothing need no flush. */
#define TEST_KEEPS(name, harmless)                                             \
	TEST_F(flush, name)                                                    \
	{                                                                      \
		int i = 0;                                                     \
                                                                               \
		do {                                                           \
			settle(_metadata, self);                               \
			ASSERT_EQ(0, harmless);                                \
		} while (flushed(_metadata, self, false) && ++i < TRIES);      \
		EXPECT_GT(TRIES, i);                                           \
	}

TEST_KEEPS(map, machine_map(&self->m, GPA + (1 + i) * LENGTH, self->memory,
			    LENGTH, MAP_ALL))
TEST_KEEPS(elsewhere, munmap(pages_new(PAGE), PAGE))

TEST_HARNESS_MAIN
