// SPDX-License-Identifier: GPL-2.0
/*
 * SVMRUN_DIRTY while guests run: two vCPUs on two processors increment random
 * pages, and the program copies the pages that the log names to a shadow. No write
 * may be missed.
 */
#include "pages.h"
#include "runner.h"

#define GPA MIB_2
#define PAGES 512ul
#define LENGTH (PAGES * PAGE)
#define ROUNDS 400

/* EBX: the pages; EAX: random seed */
GUEST(count_random_pages, 32,
      "1: imul $1664525, %eax, %eax\n add $1013904223, %eax\n"
      "mov %eax, %edx\n shr $11, %edx\n and $0x1ff000, %edx\n"
      "lock incl (%ebx,%edx)\n jmp 1b");

FIXTURE(dirty_smp)
{
	struct machine m;
	struct svmrun_vcpu other;
	struct runner runners[2];
	volatile uint32_t *memory; /* mapped at GPA, logged */
	uint32_t before[PAGES], shadow[PAGES];
	uint64_t bits[PAGES / 64];
};

FIXTURE_VARIANT(dirty_smp)
{
	int advice;
};

FIXTURE_VARIANT_ADD(dirty_smp, small_pages){
	.advice = MADV_NOHUGEPAGE,
};

FIXTURE_VARIANT_ADD(dirty_smp, large_page){
	.advice = MADV_HUGEPAGE,
};

FIXTURE_SETUP(dirty_smp)
{
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP_SETUP("only one CPU");
	ASSERT_EQ(0, machine_create(&self->m));
	ASSERT_EQ(0, svmrun_vcpu_create(&self->other, &self->m.vm));
	self->memory = pages_new_aligned(LENGTH, MIB_2);
	ASSERT_NE(MAP_FAILED, self->memory);
	ASSERT_EQ(0, madvise((void *)self->memory, LENGTH, variant->advice));
	ASSERT_EQ(0, machine_map(&self->m, GPA, (void *)self->memory, LENGTH,
				 MAP_RW | SVMRUN_MAP_LOG_DIRTY));
}

FIXTURE_TEARDOWN(dirty_smp)
{
	svmrun_vcpu_destroy(&self->other);
	machine_destroy(&self->m);
}

static volatile uint32_t *counter(FIXTURE_DATA(dirty_smp) * self, int page)
{
	return self->memory + page * PAGE / sizeof(uint32_t);
}

static int start(FIXTURE_DATA(dirty_smp) * self, int number,
		 struct svmrun_vcpu *vcpu)
{
	int err = vcpu_begin(&self->m, vcpu, MODE_PROTECTED);
	cpu_set_t set;

	vcpu->regs->rbx = GPA;
	vcpu->vmcb->save.rax = 12345 + number;
	if (!err)
		err = runner_start(&self->runners[number], vcpu);
	CPU_ZERO(&set);
	CPU_SET(number, &set);
	return err ? err :
		     -pthread_setaffinity_np(self->runners[number].thread,
					     sizeof(set), &set);
}

/*
 * Every value that was in memory before the log was read is either in the shadow,
 * or its page is in the log now.
 */
static void copy_logged(struct __test_metadata *_metadata,
			FIXTURE_DATA(dirty_smp) * self)
{
	unsigned int lost = 0;

	for (unsigned long i = 0; i < PAGES; i++)
		self->before[i] = *counter(self, i);
	ASSERT_EQ(0, machine_dirty(&self->m, GPA, LENGTH, self->bits,
				   SVMRUN_DIRTY_CLEAR));
	for (unsigned long i = 0; i < PAGES; i++)
		if (self->bits[i / 64] >> i % 64 & 1)
			self->shadow[i] = *counter(self, i);
		else
			lost += self->before[i] != self->shadow[i];
	ASSERT_EQ(0, lost);
}

static void run_rounds(struct __test_metadata *_metadata,
		       FIXTURE_DATA(dirty_smp) * self)
{
	uint32_t written = 0;

	MACHINE_LOAD(&self->m, MODE_PROTECTED, count_random_pages);
	ASSERT_EQ(0, start(self, 0, &self->m.vcpu));
	ASSERT_EQ(0, start(self, 1, &self->other));
	for (int i = 0; i < ROUNDS; i++) {
		copy_logged(_metadata, self);
		usleep(1000);
	}
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, runner_kick(&self->runners[i]));
		EXPECT_EQ(-EINTR, runner_join(&self->runners[i]));
	}
	copy_logged(_metadata, self);
	for (unsigned long i = 0; i < PAGES; i++) {
		written += self->shadow[i] > 0;
		ASSERT_EQ(*counter(self, i), self->shadow[i]);
	}
	EXPECT_LT(PAGES / 2, written);
	EXPECT_EQ(0, machine_dirty(&self->m, GPA, LENGTH, self->bits, 0));
	for (unsigned long i = 0; i < PAGES / 64; i++)
		EXPECT_EQ(0, self->bits[i]);
}

TEST_F_TIMEOUT(dirty_smp, nothing_is_lost, 120)
{
	run_rounds(_metadata, self);
}

TEST_HARNESS_MAIN
