// SPDX-License-Identifier: GPL-2.0
/*
 * Linux takes a page away, in every possible way, while a guest on another
 * processor reads and writes it. Once the call has returned, no access goes to the
 * previous page, and no write is lost.
 */
#include <linux/falloc.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "files.h"
#include "hammer.h"
#include "swap.h"

#define GPA MIB_2
#define ROUNDS 10

/* More increments than a guest makes during a test */
#define HIGH (1u << 30)

FIXTURE(invalidate)
{
	struct machine m;
	struct hammer hammer;
	volatile uint32_t *page; /* mapped at GPA, all permissions */
	volatile uint32_t *alias; /* the same memory, after use_file() */
	int file;
};

FIXTURE_SETUP(invalidate)
{
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP_SETUP("only one CPU");
	ASSERT_EQ(0, machine_create(&self->m));
	self->page = pages_new(PAGE);
	ASSERT_NE(MAP_FAILED, self->page);
	ASSERT_EQ(0, machine_map(&self->m, GPA, (void *)self->page, PAGE,
				 MAP_ALL));
}

FIXTURE_TEARDOWN(invalidate)
{
	machine_destroy(&self->m);
}

/* Back the page by a file, shared or private. */
static void use_file(struct __test_metadata *_metadata,
		     FIXTURE_DATA(invalidate) * self, int sharing)
{
	self->file = memfd_create("invalidate", MFD_CLOEXEC);
	ASSERT_LE(0, self->file);
	ASSERT_EQ(0, ftruncate(self->file, PAGE));
	ASSERT_EQ(self->page,
		  mmap((void *)self->page, PAGE, PROT_READ | PROT_WRITE,
		       sharing | MAP_FIXED, self->file, 0));
	self->alias = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			   self->file, 0);
	ASSERT_NE(MAP_FAILED, self->alias);
}

static void start(struct __test_metadata *_metadata,
		  FIXTURE_DATA(invalidate) * self)
{
	ASSERT_EQ(0, hammer_start(&self->hammer, &self->m, GPA));
	expect_shared(_metadata, &self->hammer, self->page);
}

/* Expect that the guest has stopped by itself, because its page is gone. */
static void expect_stopped(struct __test_metadata *_metadata,
			   FIXTURE_DATA(invalidate) * self)
{
	EXPECT_EQ(-EFAULT, hammer_join(&self->hammer));
	EXPECT_EQ(VMEXIT_NPF, self->m.vcpu.vmcb->control.exitcode);
	EXPECT_EQ(GPA, self->m.vcpu.vmcb->control.exitinfo2 & -PAGE);
}

/* After memory has been mapped again, the guest continues until it is kicked. */
static void expect_goes_on(struct __test_metadata *_metadata,
			   FIXTURE_DATA(invalidate) * self)
{
	ASSERT_EQ(0, hammer_go_on(&self->hammer));
	expect_shared(_metadata, &self->hammer, self->page);
	EXPECT_EQ(-EINTR, hammer_stop(&self->hammer));
}

/* ---- mapping removed ----------------------------------------------------- */

TEST_F(invalidate, munmap)
{
	use_file(_metadata, self, MAP_SHARED);
	start(_metadata, self);
	ASSERT_EQ(0, munmap((void *)self->page, PAGE));
	expect_left_alone(_metadata, self->alias);
	expect_stopped(_metadata, self);
	ASSERT_EQ(self->page, pages_renew((void *)self->page, PAGE));
	expect_goes_on(_metadata, self);
}

/* One call replaces the page by another one. */
TEST_F(invalidate, mapped_over)
{
	use_file(_metadata, self, MAP_SHARED);
	start(_metadata, self);
	for (int i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(self->page, pages_renew((void *)self->page, PAGE));
		expect_left_alone(_metadata, self->alias);
		expect_shared(_metadata, &self->hammer, self->page);
		ASSERT_EQ(self->page,
			  mmap((void *)self->page, PAGE, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_FIXED, self->file, 0));
		expect_shared(_metadata, &self->hammer, self->alias);
	}
	EXPECT_EQ(-EINTR, hammer_stop(&self->hammer));
}

/* A fault of the guest races with the change: it must not map the previous page. */
TEST_F(invalidate, mapped_over_while_it_faults)
{
	use_file(_metadata, self, MAP_SHARED);
	start(_metadata, self);
	for (int i = 0; i < 100; i++) {
		ASSERT_EQ(self->page,
			  mmap((void *)self->page, PAGE, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_FIXED, self->file, 0));
		for (int j = 0; j < i % 20 * 1000; j++)
			asm volatile("");
		ASSERT_EQ(self->page, pages_renew((void *)self->page, PAGE));
		ASSERT_TRUE(hammer_wait(&self->hammer));
		EXPECT_EQ(self->page[2], self->hammer.data->echo);
		self->alias[2] = i + 1;
	}
	EXPECT_EQ(-EINTR, hammer_stop(&self->hammer));
}

TEST_F(invalidate, mprotect)
{
	start(_metadata, self);
	for (int i = 0; i < ROUNDS; i++) {
		int rights = i % 2 ? PROT_READ : PROT_NONE;

		ASSERT_EQ(0, mprotect((void *)self->page, PAGE, rights));
		expect_stopped(_metadata, self);
		ASSERT_EQ(0, mprotect((void *)self->page, PAGE,
				      PROT_READ | PROT_WRITE));
		ASSERT_EQ(0, hammer_go_on(&self->hammer));
		expect_shared(_metadata, &self->hammer, self->page);
	}
	EXPECT_EQ(-EINTR, hammer_stop(&self->hammer));
	expect_none_lost(_metadata, &self->hammer, *self->page);
}

TEST_F(invalidate, mprotect_stops_writes)
{
	start(_metadata, self);
	ASSERT_EQ(0, mprotect((void *)self->page, PAGE, PROT_READ));
	expect_left_alone(_metadata, self->page);
	expect_stopped(_metadata, self);
}

TEST_F(invalidate, mremap)
{
	volatile uint32_t *other = pages_new(PAGE);

	ASSERT_NE(MAP_FAILED, other);
	start(_metadata, self);
	ASSERT_EQ(other, mremap((void *)self->page, PAGE, PAGE,
				MREMAP_MAYMOVE | MREMAP_FIXED, (void *)other));
	expect_left_alone(_metadata, other);
	expect_stopped(_metadata, self);
	ASSERT_EQ(self->page,
		  mremap((void *)other, PAGE, PAGE,
			 MREMAP_MAYMOVE | MREMAP_FIXED, (void *)self->page));
	expect_goes_on(_metadata, self);
	expect_none_lost(_metadata, &self->hammer, *self->page);
}

/* Moving the page away leaves an empty page behind. */
TEST_F(invalidate, mremap_dontunmap)
{
	volatile uint32_t *other = pages_new(PAGE);

	ASSERT_NE(MAP_FAILED, other);
	start(_metadata, self);
	self->page[0] = HIGH;
	ASSERT_EQ(other,
		  mremap((void *)self->page, PAGE, PAGE,
			 MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
			 (void *)other));
	EXPECT_LE(HIGH, *other);
	expect_left_alone(_metadata, other);
	EXPECT_GT(HIGH, *self->page);
	expect_shared(_metadata, &self->hammer, self->page);
	EXPECT_EQ(-EINTR, hammer_stop(&self->hammer));
}

/* ---- memory released ----------------------------------------------------- */

TEST_F(invalidate, dontneed)
{
	start(_metadata, self);
	for (int i = 0; i < ROUNDS; i++) {
		self->page[0] = HIGH;
		ASSERT_EQ(0, madvise((void *)self->page, PAGE, MADV_DONTNEED));
		EXPECT_GT(HIGH, *self->page);
		expect_shared(_metadata, &self->hammer, self->page);
	}
	EXPECT_EQ(-EINTR, hammer_stop(&self->hammer));
}

/* The page reverts to the file's content, as in a reset of a VM to its snapshot. */
TEST_F(invalidate, dontneed_of_a_private_file)
{
	use_file(_metadata, self, MAP_PRIVATE);
	self->alias[0] = HIGH;
	start(_metadata, self);
	for (int i = 0; i < ROUNDS; i++) {
		self->page[0] = 5;
		ASSERT_TRUE(hammer_wait(&self->hammer));
		EXPECT_GT(HIGH, *self->page);
		ASSERT_EQ(0, madvise((void *)self->page, PAGE, MADV_DONTNEED));
		ASSERT_TRUE(hammer_wait(&self->hammer));
		EXPECT_LE(HIGH, *self->page);
		EXPECT_EQ(HIGH, *self->alias);
	}
	EXPECT_EQ(-EINTR, hammer_stop(&self->hammer));
}

/* A write after the call must not be discarded. */
TEST_F(invalidate, free)
{
	start(_metadata, self);
	for (int i = 0; i < ROUNDS; i++) {
		self->page[0] = HIGH;
		ASSERT_EQ(0, madvise((void *)self->page, PAGE, MADV_FREE));
		ASSERT_TRUE(hammer_wait(&self->hammer));
		ASSERT_EQ(0, madvise((void *)self->page, PAGE, MADV_PAGEOUT));
		EXPECT_LT(HIGH, *self->page);
		expect_shared(_metadata, &self->hammer, self->page);
	}
	EXPECT_EQ(-EINTR, hammer_stop(&self->hammer));
}

/* The same after the guest has stopped: its last write must not be discarded. */
TEST_F(invalidate, free_then_written)
{
	for (int i = 0; i < ROUNDS; i++) {
		EXPECT_WRITE(&self->m, GPA, 5);
		ASSERT_EQ(0, madvise((void *)self->page, PAGE, MADV_FREE));
		EXPECT_WRITE(&self->m, GPA, 6 + i);
		ASSERT_EQ(0, madvise((void *)self->page, PAGE, MADV_PAGEOUT));
		EXPECT_EQ(6 + i, *self->page);
	}
}

/* ---- page moved ---------------------------------------------------------- */

TEST_F(invalidate, swap)
{
	bool own;
	int err = swap_begin(&own);

	if (err)
		SKIP(return, "no swap space: %s", strerror(-err));
	start(_metadata, self);
	for (int i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, madvise((void *)self->page, PAGE, MADV_PAGEOUT));
		expect_shared(_metadata, &self->hammer, self->page);
	}
	EXPECT_EQ(-EINTR, hammer_stop(&self->hammer));
	expect_none_lost(_metadata, &self->hammer, *self->page);
	EXPECT_EQ(0, swap_end(own));
}

/* The page is swapped out, and swapped in when the guest accesses it. */
TEST_F(invalidate, swapped_in_by_the_guest)
{
	bool own;
	int err = swap_begin(&own);

	if (err)
		SKIP(return, "no swap space: %s", strerror(-err));
	for (int i = 0; i < ROUNDS; i++) {
		EXPECT_WRITE(&self->m, GPA, 5 + i);
		ASSERT_EQ(0, madvise((void *)self->page, PAGE, MADV_PAGEOUT));
		EXPECT_EQ(0, page_frame(self->page));
		EXPECT_READ(5 + i, &self->m, GPA);
	}
	EXPECT_EQ(0, swap_end(own));
}

TEST_F(invalidate, migration)
{
	uint64_t frame;

	start(_metadata, self);
	for (int i = 0; i < ROUNDS; i++) {
		frame = page_frame(self->page);
		if (madvise((void *)self->page, PAGE, MADV_SOFT_OFFLINE)) {
			hammer_stop(&self->hammer);
			SKIP(return, "cannot migrate: %s", strerror(errno));
		}
		EXPECT_NE(frame, page_frame(self->page));
		expect_shared(_metadata, &self->hammer, self->page);
	}
	EXPECT_EQ(-EINTR, hammer_stop(&self->hammer));
	expect_none_lost(_metadata, &self->hammer, *self->page);
}

/* ---- page shared with others --------------------------------------------- */

#define KSM "/sys/kernel/mm/ksm/"

/*
 * Disable smart scans (since Linux 6.7): they skip pages for several rounds, which
 * need not be the same for two pages with a different history.
 */
static int ksm_begin(volatile void *pages, size_t length)
{
	int err = madvise((void *)pages, length, MADV_MERGEABLE) ? -errno : 0;

	if (!err && !access(KSM "smart_scan", F_OK))
		err = file_write(KSM "smart_scan", "0");
	if (!err)
		err = file_write(KSM "sleep_millisecs", "1");
	if (!err)
		err = file_write(KSM "pages_to_scan", "1000");
	return err ? err : file_write(KSM "run", "1");
}

/* Wait until both are one page. */
static bool merged(const volatile void *one, const volatile void *other)
{
	for (int i = 0; i < 1000; i++) {
		if (page_frame(one) && page_frame(one) == page_frame(other))
			return true;
		usleep(10 * 1000);
	}
	return false;
}

/*
 * Pages are merged while the guest only reads; its first write separates them
 * again.
 */
TEST_F(invalidate, ksm)
{
	volatile uint32_t *pages = pages_new_aligned(2 * PAGE, 2 * PAGE);
	volatile uint32_t *other = pages + PAGE / sizeof(*pages);
	int err = ksm_begin(pages, 2 * PAGE);

	if (err)
		SKIP(return, "KSM is not available: %s", strerror(-err));
	self->page = pages;
	ASSERT_EQ(0, machine_unmap(&self->m, GPA, PAGE));
	ASSERT_EQ(0, machine_map(&self->m, GPA, (void *)pages, PAGE, MAP_ALL));
	start(_metadata, self);
	for (int i = 0; i < 3; i++) {
		self->hammer.data->idle = 1;
		ASSERT_TRUE(hammer_wait(&self->hammer));
		memcpy((void *)other, (void *)self->page, PAGE);
		ASSERT_TRUE(merged(self->page, other));
		ASSERT_TRUE(hammer_wait(&self->hammer));
		EXPECT_EQ(page_frame(other), page_frame(self->page));
		self->hammer.data->idle = 0;
		expect_shared(_metadata, &self->hammer, self->page);
		expect_left_alone(_metadata, other);
		EXPECT_NE(page_frame(other), page_frame(self->page));
	}
	EXPECT_EQ(-EINTR, hammer_stop(&self->hammer));
	expect_none_lost(_metadata, &self->hammer, *self->page);
	EXPECT_EQ(0, file_write(KSM "run", "2"));
}

/* The child sees the page as it was at the fork, and no later write. */
static int child_main(volatile uint32_t *page)
{
	uint32_t born = page[0];

	usleep(20 * 1000);
	if (page[0] != born)
		return 1;
	page[0] = 5;
	usleep(10 * 1000);
	return page[0] == 5 ? 0 : 2;
}

TEST_F(invalidate, fork)
{
	int status;
	pid_t child;

	start(_metadata, self);
	for (int i = 0; i < ROUNDS; i++) {
		child = fork();
		if (!child)
			_exit(child_main(self->page));
		expect_shared(_metadata, &self->hammer, self->page);
		ASSERT_EQ(child, waitpid(child, &status, 0));
		EXPECT_EQ(0, status);
	}
	EXPECT_EQ(-EINTR, hammer_stop(&self->hammer));
	expect_none_lost(_metadata, &self->hammer, *self->page);
}

/* ---- changes of the file ------------------------------------------------- */

TEST_F(invalidate, truncated)
{
	use_file(_metadata, self, MAP_SHARED);
	start(_metadata, self);
	for (int i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, ftruncate(self->file, 0));
		expect_stopped(_metadata, self);
		ASSERT_EQ(0, ftruncate(self->file, PAGE));
		EXPECT_EQ(0, self->alias[0]);
		expect_left_alone(_metadata, self->alias);
		ASSERT_EQ(0, hammer_go_on(&self->hammer));
		expect_shared(_metadata, &self->hammer, self->alias);
	}
	EXPECT_EQ(-EINTR, hammer_stop(&self->hammer));
}

TEST_F(invalidate, hole_punched)
{
	use_file(_metadata, self, MAP_SHARED);
	start(_metadata, self);
	for (int i = 0; i < ROUNDS; i++) {
		self->alias[0] = HIGH;
		ASSERT_EQ(0,
			  fallocate(self->file,
				    FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				    0, PAGE));
		EXPECT_GT(HIGH, *self->alias);
		expect_shared(_metadata, &self->hammer, self->alias);
	}
	EXPECT_EQ(-EINTR, hammer_stop(&self->hammer));
}

/* ---- end of the process -------------------------------------------------- */

/* Run a guest on the shared page, then exit or wait to be killed. */
static void child_hammers(volatile uint32_t *page, bool exits)
{
	struct hammer hammer;
	struct machine m;

	if (machine_create(&m) ||
	    machine_map(&m, GPA, (void *)page, PAGE, MAP_ALL) ||
	    hammer_start(&hammer, &m, GPA))
		_exit(1);
	hammer_wait(&hammer);
	if (exits)
		_exit(0);
	pause();
}

static void end_of_a_process(struct __test_metadata *_metadata,
			     FIXTURE_DATA(invalidate) * self, bool exits)
{
	int status;
	pid_t child;

	use_file(_metadata, self, MAP_SHARED);
	for (int i = 0; i < 5; i++) {
		uint32_t before = self->alias[0];

		child = fork();
		if (!child)
			child_hammers(self->page, exits);
		while (self->alias[0] == before)
			sched_yield();
		if (!exits)
			ASSERT_EQ(0, kill(child, SIGKILL));
		ASSERT_EQ(child, waitpid(child, &status, 0));
		expect_left_alone(_metadata, self->alias);
	}
}

TEST_F(invalidate, exit)
{
	end_of_a_process(_metadata, self, true);
}

TEST_F(invalidate, killed)
{
	end_of_a_process(_metadata, self, false);
}

TEST_HARNESS_MAIN
