// SPDX-License-Identifier: GPL-2.0
/*
 * Calls that process much guest memory give way to other threads. A thread on the
 * same processor reads the clock all the time: a caller that never reschedules
 * would keep it from doing so for most of the call. A nested VM may itself be
 * delayed for most of a call, so the test also counts how often the caller was
 * preempted, and tries again. With a preemptible kernel the test always passes.
 */
#include <sys/resource.h>
#include <time.h>

#include "hammer.h"
#include "paging.h"

/*
 * The guest reads one page in each 2 MiB of this range: many tables, little memory.
 */
#define GPA (4 * GIB_1)
#define SIZE (16 * GIB_1)
#define LEAVES (SIZE / MIB_2)

/* In the library's table for 1 GiB per entry, from 4 GiB on */
#define PTE_PS (1ull << 7)
#define DIRECTORY (MACHINE_TABLES + PAGE)

/* A shorter call may fit into one or two time slices, so it is not judged. */
#define LONG_MS 30

/* A call that never gives way fails each time. */
#define ATTEMPTS 4

GUEST(read_leaves, 64,
      "1: mov (%rbx), %rax\n add $0x200000, %rbx\n loop 1b\n hlt");

FIXTURE(reschedule)
{
	struct machine m;
	uint8_t *memory; /* SIZE bytes, not yet allocated */
	pthread_t thread;
	volatile bool stop;
	volatile uint64_t reads;
	volatile int64_t
		gap; /* longest time between two reads of the clock, in ms */
	long preempted; /* the caller's count at begin() */
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

static void *watch(void *argument)
{
	FIXTURE_DATA(reschedule) *self = argument;
	int64_t last = now_ms();

	while (!self->stop) {
		int64_t now = now_ms();

		if (now - last > self->gap)
			self->gap = now - last;
		last = now;
		self->reads++;
	}
	return NULL;
}

static void map_gibs(struct machine *m)
{
	uint64_t *entries = machine_at(m, DIRECTORY);

	for (uint64_t gpa = GPA; gpa < GPA + SIZE; gpa += GIB_1)
		entries[gpa / GIB_1] = gpa | PTE_P | PTE_W | PTE_PS;
}

FIXTURE_SETUP(reschedule)
{
	struct machine *m = &self->m;
	uint64_t end;

	ASSERT_EQ(0, cpu_pin(0));
	ASSERT_EQ(0, machine_create(m));
	end = 1ull << m->info.out_gpa_bits;
	machine_destroy(m);
	if (SIZE + GPA > end)
		SKIP_SETUP("guest physical addresses are too short");
}

FIXTURE_TEARDOWN(reschedule)
{
}

/* Create a VM with many tables, and a thread that reads the clock. */
static void prepare(struct __test_metadata *_metadata,
		    FIXTURE_DATA(reschedule) * self)
{
	struct machine *m = &self->m;

	ASSERT_EQ(0, machine_create(m));
	self->memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, self->memory);
	ASSERT_EQ(0, madvise(self->memory, SIZE, MADV_NOHUGEPAGE));
	ASSERT_EQ(0, machine_map(m, GPA, self->memory, SIZE,
				 MAP_ALL | SVMRUN_MAP_LOG_DIRTY));
	MACHINE_LOAD(m, MODE_LONG, read_leaves);
	map_gibs(m);
	m->vcpu.regs->rbx = GPA;
	m->vcpu.regs->rcx = LEAVES;
	ASSERT_EXIT(VMEXIT_HLT, m);
	EXPECT_LE(LEAVES, machine_vm_info(m).out_pages_4k);
	self->stop = false;
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, watch, self));
}

static void clean_up(FIXTURE_DATA(reschedule) * self)
{
	self->stop = true;
	pthread_join(self->thread, NULL);
	machine_destroy(&self->m);
	munmap(self->memory, SIZE);
}

static long times_preempted(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) ? -errno : usage.ru_nivcsw;
}

/*
 * Wait until the thread has read the clock, which updates the gap that has just
 * ended.
 */
static void wait_for_clock(FIXTURE_DATA(reschedule) * self)
{
	uint64_t reads = self->reads;

	while (self->reads < reads + 2)
		usleep(1000);
}

/* Start to measure. */
static int64_t begin(FIXTURE_DATA(reschedule) * self)
{
	wait_for_clock(self);
	self->gap = 0;
	self->preempted = times_preempted();
	return now_ms();
}

/* Return whether other threads have run in the meantime, or the call was short. */
static bool gave_way(struct __test_metadata *_metadata,
		     FIXTURE_DATA(reschedule) * self, int64_t begun)
{
	int64_t taken = now_ms() - begun;
	long preempted = times_preempted() - self->preempted;

	wait_for_clock(self);
	TH_LOG("%lld ms, longest gap %lld ms; preempted %ld times",
	       (long long)taken, (long long)self->gap, preempted);
	/* One preemption is expected when the call returns. */
	return taken < LONG_MS || self->gap < taken / 2 || preempted > 1;
}

/* A call to judge. It returns 0 on success. */
typedef int (*call_fn)(FIXTURE_DATA(reschedule) * self);

static void judge(struct __test_metadata *_metadata,
		  FIXTURE_DATA(reschedule) * self, call_fn call)
{
	bool right = false;
	int64_t begun;
	int i;

	for (i = 0; i < ATTEMPTS && !right; i++) {
		prepare(_metadata, self);
		begun = begin(self);
		EXPECT_EQ(0, call(self));
		right = gave_way(_metadata, self, begun);
		clean_up(self);
	}
	EXPECT_TRUE(right);
}

/* PROTECT visits each entry, so a part is sufficient. */
static int call_protect(FIXTURE_DATA(reschedule) * self)
{
	return machine_protect(&self->m, GPA, GIB_1, MAP_RX);
}

TEST_F_TIMEOUT(reschedule, protect, 120)
{
	judge(_metadata, self, call_protect);
}

static int call_unmap(FIXTURE_DATA(reschedule) * self)
{
	return machine_unmap(&self->m, GPA, SIZE);
}

TEST_F_TIMEOUT(reschedule, unmap, 120)
{
	judge(_metadata, self, call_unmap);
}

static int call_destroy(FIXTURE_DATA(reschedule) * self)
{
	svmrun_vcpu_destroy(&self->m.vcpu);
	svmrun_vm_destroy(&self->m.vm);
	return 0;
}

TEST_F_TIMEOUT(reschedule, destroy, 120)
{
	judge(_metadata, self, call_destroy);
}

/* Linux invalidates all of it at once. */
static int call_mprotect(FIXTURE_DATA(reschedule) * self)
{
	return mprotect(self->memory, SIZE, PROT_NONE);
}

TEST_F_TIMEOUT(reschedule, notifier, 120)
{
	judge(_metadata, self, call_mprotect);
}

static int call_dirty(FIXTURE_DATA(reschedule) * self)
{
	uint64_t *bits = pages_new(SIZE / PAGE / 8);
	int ret;

	if (bits == MAP_FAILED)
		return -errno;
	ret = machine_dirty(&self->m, GPA, SIZE, bits, SVMRUN_DIRTY_CLEAR);
	munmap(bits, SIZE / PAGE / 8);
	return ret;
}

TEST_F_TIMEOUT(reschedule, dirty, 120)
{
	judge(_metadata, self, call_dirty);
}

TEST_HARNESS_MAIN
