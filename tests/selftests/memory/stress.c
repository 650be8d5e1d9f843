// SPDX-License-Identifier: GPL-2.0
/*
 * A random test: two guests increment random pages, and each counts its increments
 * in a tally, while the program changes these pages by random calls. At the end
 * memory must equal the tallies, and a copy that is updated by the dirty log must
 * equal memory. The environment variable SVMRUN_SEED determines the sequence.
 */
#include <linux/falloc.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "files.h"
#include "hammer.h"
#include "swap.h"
#include "userfaultfd.h"

#define GPA (2 * MIB_2)
#define PAGES 1024ul
#define LENGTH (PAGES * PAGE)
#define TALLY                                                                  \
	(16 *                                                                  \
	 MIB_2) /* guest physical address; one u32 per page for each player */
#define PLAYERS 2
#define STEPS 240
#define CHECKED 50 /* steps between checks */

#define KSM "/sys/kernel/mm/ksm/"

/* EBX: own u32 in the first page; ESI: own tally; EAX: random seed */
GUEST(play, 32,
      "1: imul $1664525, %eax, %eax\n add $1013904223, %eax\n"
      "mov %eax, %edx\n shr $22, %edx\n mov %edx, %ecx\n shl $12, %ecx\n"
      "incl (%ebx,%ecx)\n incl (%esi,%edx,4)\n jmp 1b");

struct player {
	struct svmrun_vcpu *vcpu;
	volatile uint32_t *tally;
	pthread_t thread;
	volatile bool stop;
	int error; /* an unexpected error of RUN */
};

FIXTURE(stress)
{
	struct machine m;
	struct svmrun_vcpu other;
	struct player players[PLAYERS];
	uint8_t *memory; /* mapped at GPA, logged */
	int file; /* behind the memory, or -1 */
	int userfault; /* or a negative errno */
	uint32_t(*copy)[PLAYERS]; /* updated by the log */
	uint64_t *bits;
	unsigned int seed;
	bool swap_is_own;
};

FIXTURE_VARIANT(stress)
{
	bool file;
};

FIXTURE_VARIANT_ADD(stress, anonymous){
	.file = false,
};

FIXTURE_VARIANT_ADD(stress, file){
	.file = true,
};

static int map_memory(FIXTURE_DATA(stress) * self, size_t offset, size_t length)
{
	return machine_map(&self->m, GPA + offset, self->memory + offset,
			   length, MAP_ALL | SVMRUN_MAP_LOG_DIRTY);
}

FIXTURE_SETUP(stress)
{
	const char *seed = getenv("SVMRUN_SEED");
	uint32_t *tallies = pages_new(PLAYERS * PAGES * sizeof(uint32_t));
	int flags = variant->file ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP_SETUP("only one CPU");
	self->seed = seed ? strtoul(seed, NULL, 0) : 1;
	self->copy = calloc(PAGES, sizeof(*self->copy));
	self->bits = calloc(PAGES / 64, sizeof(*self->bits));
	self->file = variant->file ? memfd_create("stress", MFD_CLOEXEC) : -1;
	ASSERT_EQ(0, variant->file ? ftruncate(self->file, LENGTH) : 0);
	self->userfault = userfault_open(0);
	self->memory = pages_new_aligned(LENGTH, MIB_2);
	ASSERT_EQ(self->memory,
		  mmap(self->memory, LENGTH, PROT_READ | PROT_WRITE,
		       flags | MAP_FIXED, self->file, 0));
	ASSERT_EQ(0, machine_create(&self->m));
	ASSERT_EQ(0, svmrun_vcpu_create(&self->other, &self->m.vm));
	ASSERT_EQ(0, map_memory(self, 0, LENGTH));
	ASSERT_EQ(0, machine_map(&self->m, TALLY, tallies,
				 PLAYERS * PAGES * sizeof(uint32_t), MAP_ALL));
	self->players[0].vcpu = &self->m.vcpu;
	self->players[1].vcpu = &self->other;
	MACHINE_LOAD(&self->m, MODE_PROTECTED, play);
	for (int i = 0; i < PLAYERS; i++) {
		struct svmrun_vcpu *vcpu = self->players[i].vcpu;

		self->players[i].tally = tallies + i * PAGES;
		ASSERT_EQ(0, vcpu_begin(&self->m, vcpu, MODE_PROTECTED));
		vcpu->regs->rbx = GPA + i * sizeof(uint32_t);
		vcpu->regs->rsi = TALLY + i * PAGES * sizeof(uint32_t);
		vcpu->vmcb->save.rax = self->seed + i * 1234567;
	}
	if (swap_begin(&self->swap_is_own))
		self->swap_is_own = false;
}

FIXTURE_TEARDOWN(stress)
{
	swap_end(self->swap_is_own);
	close(self->userfault);
	svmrun_vcpu_destroy(&self->other);
	machine_destroy(&self->m);
}

/* ---- guests -------------------------------------------------------------- */

/* Permissions and memory change meanwhile, so retry until stopped. */
static void *player_main(void *argument)
{
	struct player *player = argument;
	int result = 0;

	while (!player->stop && !player->error) {
		result = call(player->vcpu->fd, SVMRUN_RUN, NULL);
		if (result && result != -EFAULT && result != -EINTR)
			player->error = result;
		if (!result &&
		    player->vcpu->vmcb->control.exitcode != VMEXIT_NPF)
			player->error = -EPROTO;
		if (result != -EINTR)
			usleep(200);
	}
	return NULL;
}

static void players_begin(struct __test_metadata *_metadata,
			  FIXTURE_DATA(stress) * self)
{
	for (int i = 0; i < PLAYERS; i++) {
		struct player *player = &self->players[i];

		player->stop = false;
		ASSERT_EQ(0, pthread_create(&player->thread, NULL, player_main,
					    player));
	}
}

static void players_end(struct __test_metadata *_metadata,
			FIXTURE_DATA(stress) * self)
{
	for (int i = 0; i < PLAYERS; i++) {
		struct player *player = &self->players[i];

		player->stop = true;
		ASSERT_EQ(0, call(player->vcpu->fd, SVMRUN_KICK, NULL));
		ASSERT_EQ(0, pthread_join(player->thread, NULL));
		EXPECT_EQ(0, player->error);
	}
}

/* ---- invariants ---------------------------------------------------------- */

static uint32_t *counters(FIXTURE_DATA(stress) * self, unsigned long page)
{
	return (uint32_t *)(self->memory + page * PAGE);
}

static void copy_page(FIXTURE_DATA(stress) * self, unsigned long page)
{
	memcpy(self->copy[page], counters(self, page), sizeof(*self->copy));
}

static void copy_logged(struct __test_metadata *_metadata,
			FIXTURE_DATA(stress) * self, unsigned long first,
			unsigned long count)
{
	ASSERT_EQ(0, machine_dirty(&self->m, GPA + first * PAGE, count * PAGE,
				   self->bits, SVMRUN_DIRTY_CLEAR));
	for (unsigned long i = 0; i < count; i++)
		if (self->bits[i / 64] >> i % 64 & 1)
			copy_page(self, first + i);
}

/*
 * A guest may have been stopped between the increments of a page and of its tally.
 */
static void check_tally(struct __test_metadata *_metadata,
			FIXTURE_DATA(stress) * self, int number)
{
	struct player *player = &self->players[number];
	uint32_t ahead = 0;

	for (unsigned long i = 0; i < PAGES; i++) {
		uint32_t counted = counters(self, i)[number];

		ASSERT_GE(1, counted - player->tally[i])
		{
			TH_LOG("player %d, page %lu", number, i);
		}
		ahead += counted - player->tally[i];
	}
	EXPECT_GE(1, ahead);
}

/* Call only while no guest runs. */
static void check(struct __test_metadata *_metadata,
		  FIXTURE_DATA(stress) * self)
{
	copy_logged(_metadata, self, 0, PAGES);
	for (int i = 0; i < PLAYERS; i++)
		check_tally(_metadata, self, i);
	for (unsigned long i = 0; i < PAGES; i++)
		ASSERT_EQ(0, memcmp(self->copy[i], counters(self, i),
				    sizeof(*self->copy)));
}

/* ---- steps --------------------------------------------------------------- */

struct range {
	unsigned long first, count;
	uint8_t *hva;
	uint64_t gpa;
	size_t length;
};

static unsigned int below(FIXTURE_DATA(stress) * self, unsigned int limit)
{
	return rand_r(&self->seed) % limit;
}

/* Usually a few pages, sometimes many */
static struct range any_range(FIXTURE_DATA(stress) * self)
{
	unsigned int most = below(self, 4) ? 16 : PAGES;
	unsigned long first = below(self, PAGES);
	unsigned long count = 1 + below(self, most);

	if (count > PAGES - first)
		count = PAGES - first;
	return (struct range){
		.first = first,
		.count = count,
		.hva = self->memory + first * PAGE,
		.gpa = GPA + first * PAGE,
		.length = count * PAGE,
	};
}

typedef void step(struct __test_metadata *_metadata,
		  FIXTURE_DATA(stress) * self, struct range range);

static void step_mprotect(struct __test_metadata *_metadata,
			  FIXTURE_DATA(stress) * self, struct range range)
{
	int rights = below(self, 2) ? PROT_READ : PROT_NONE;

	ASSERT_EQ(0, mprotect(range.hva, range.length, rights));
	usleep(below(self, 500));
	ASSERT_EQ(0, mprotect(range.hva, range.length, PROT_READ | PROT_WRITE));
}

/*
 * Writers wait until the protection is removed, if one mapping contains the range.
 */
static void step_userfault(struct __test_metadata *_metadata,
			   FIXTURE_DATA(stress) * self, struct range range)
{
	int fd = self->userfault;

	if (fd < 0)
		return;
	ASSERT_EQ(0, userfault_register_for(fd, range.hva, range.length,
					    UFFDIO_REGISTER_MODE_WP));
	if (!write_protect_range(fd, range.hva, range.length, true)) {
		usleep(below(self, 500));
		ASSERT_EQ(0, write_protect_range(fd, range.hva, range.length,
						 false));
	}
	ASSERT_EQ(0, userfault_unregister(fd, range.hva, range.length));
}

static void step_protect(struct __test_metadata *_metadata,
			 FIXTURE_DATA(stress) * self, struct range range)
{
	ASSERT_EQ(0, machine_protect(&self->m, range.gpa, range.length,
				     below(self, 2) ? MAP_RX : MAP_RW));
	usleep(below(self, 500));
	ASSERT_EQ(0,
		  machine_protect(&self->m, range.gpa, range.length, MAP_ALL));
}

/* UNMAP discards the log, so the pages are copied. */
static void step_unmap(struct __test_metadata *_metadata,
		       FIXTURE_DATA(stress) * self, struct range range)
{
	ASSERT_EQ(0, machine_unmap(&self->m, range.gpa, range.length));
	for (unsigned long i = 0; i < range.count; i++)
		copy_page(self, range.first + i);
	ASSERT_EQ(0, map_memory(self, range.first * PAGE, range.length));
}

static void step_dirty(struct __test_metadata *_metadata,
		       FIXTURE_DATA(stress) * self, struct range range)
{
	copy_logged(_metadata, self, range.first, range.count);
}

/* Advice that Linux may refuse */
static void step_advise(struct __test_metadata *_metadata,
			FIXTURE_DATA(stress) * self, struct range range)
{
	static const int advice[] = {
		MADV_PAGEOUT,	 MADV_PAGEOUT,	 MADV_COLD,
		MADV_COLLAPSE,	 MADV_COLLAPSE,	 MADV_HUGEPAGE,
		MADV_NOHUGEPAGE, MADV_MERGEABLE, MADV_UNMERGEABLE,
	};

	madvise(range.hva, range.length,
		advice[below(self, ARRAY_SIZE(advice))]);
}

static void step_migrate(struct __test_metadata *_metadata,
			 FIXTURE_DATA(stress) * self, struct range range)
{
	madvise(range.hva, PAGE, MADV_SOFT_OFFLINE);
}

/* Move the memory away and back, if one mapping contains the range. */
static void step_mremap(struct __test_metadata *_metadata,
			FIXTURE_DATA(stress) * self, struct range range)
{
	const int flags = MREMAP_MAYMOVE | MREMAP_FIXED;
	void *other = pages_new(range.length);

	ASSERT_NE(MAP_FAILED, other);
	if (mremap(range.hva, range.length, range.length, flags, other) !=
	    other) {
		munmap(other, range.length);
		return;
	}
	usleep(below(self, 500));
	ASSERT_EQ(range.hva,
		  mremap(other, range.length, range.length, flags, range.hva));
}

static void step_fork(struct __test_metadata *_metadata,
		      FIXTURE_DATA(stress) * self, struct range range)
{
	int status;
	pid_t child = fork();

	if (!child) {
		usleep(below(self, 500));
		_exit(0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
}

static void step_kick(struct __test_metadata *_metadata,
		      FIXTURE_DATA(stress) * self, struct range range)
{
	call(self->players[below(self, PLAYERS)].vcpu->fd, SVMRUN_KICK, NULL);
}

static void step_move(struct __test_metadata *_metadata,
		      FIXTURE_DATA(stress) * self, struct range range)
{
	ASSERT_EQ(0, pin(self->players[below(self, PLAYERS)].thread,
			 below(self, 2)));
}

static int empty(FIXTURE_DATA(stress) * self, struct range range)
{
	if (self->file < 0)
		return madvise(range.hva, range.length, MADV_DONTNEED);
	return fallocate(self->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			 range.first * PAGE, range.length);
}

/* A guest that was stopped between two increments starts over. */
static void forget(FIXTURE_DATA(stress) * self)
{
	for (int i = 0; i < PLAYERS; i++) {
		for (unsigned long j = 0; j < PAGES; j++)
			self->players[i].tally[j] = counters(self, j)[i];
		self->players[i].vcpu->vmcb->save.rip = MACHINE_CODE;
	}
}

/* Empty pages while no guest runs: pages and tallies become 0. */
static void step_empty(struct __test_metadata *_metadata,
		       FIXTURE_DATA(stress) * self, struct range range)
{
	players_end(_metadata, self);
	check(_metadata, self);
	forget(self);
	ASSERT_EQ(0, empty(self, range));
	for (unsigned long i = range.first; i < range.first + range.count; i++)
		for (int j = 0; j < PLAYERS; j++) {
			ASSERT_EQ(0, counters(self, i)[j]);
			self->copy[i][j] = 0;
			self->players[j].tally[i] = 0;
		}
	players_begin(_metadata, self);
}

static step *const steps[] = {
	step_mprotect, step_protect,   step_protect, step_unmap,  step_unmap,
	step_dirty,    step_dirty,     step_advise,  step_advise, step_advise,
	step_migrate,  step_mremap,    step_fork,    step_kick,	  step_move,
	step_empty,    step_userfault,
};

TEST_F_TIMEOUT(stress, everything_at_once, 110)
{
	struct svmrun_vm_info info;
	uint32_t played = 0;

	TH_LOG("SVMRUN_SEED=%u", self->seed);
	file_write(KSM "run", "1");
	players_begin(_metadata, self);
	for (int i = 1; i <= STEPS; i++) {
		steps[below(self, ARRAY_SIZE(steps))](_metadata, self,
						      any_range(self));
		usleep(below(self, 2000));
		if (i % CHECKED)
			continue;
		players_end(_metadata, self);
		check(_metadata, self);
		players_begin(_metadata, self);
	}
	players_end(_metadata, self);
	check(_metadata, self);
	file_write(KSM "run", "2");
	for (unsigned long i = 0; i < PAGES; i++)
		played += self->players[0].tally[i] + self->players[1].tally[i];
	EXPECT_LT(PAGES / 16, played);

	/* Nothing remains. */
	ASSERT_EQ(0, machine_unmap(&self->m, 0,
				   1ull << self->m.info.out_gpa_bits));
	info = machine_vm_info(&self->m);
	EXPECT_EQ(0, info.out_regions);
	EXPECT_EQ(PAGE, info.out_table_bytes);
	EXPECT_EQ(0, info.out_pages_4k);
	EXPECT_EQ(0, info.out_pages_2m);
}

TEST_HARNESS_MAIN
