/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest that reads and writes one page without end, on another processor if
 * possible, and records what it does. Whatever happens to the page meanwhile must
 * not lose a write, nor let a write reach memory that is no longer the guest's.
 */
#ifndef HAMMER_H
#define HAMMER_H

#include "pages.h"
#include "runner.h"

/* At MACHINE_DATA; the guest below uses these offsets. */
struct hammer_data {
	uint32_t loops;
	uint32_t echo; /* the last value read from the page's third u32 */
	uint32_t idle; /* not 0: do not write */
	uint32_t written; /* number of increments of the page's first u32 */
};

/* EBX: address of the page */
GUEST(hammer_guest, 32,
      "1: mov 8(%ebx), %eax\n mov %eax, 0xa004\n"
      "cmpl $0, 0xa008\n jne 2f\n"
      "lock incl (%ebx)\n lock incl 0xa00c\n"
      "2: lock incl 0xa000\n jmp 1b");

struct hammer {
	struct machine *m;
	volatile struct hammer_data *data;
	struct runner runner;
};

/*
 * Return when the guest has completed at least two more loops, or false if it has
 * stopped. Sleep meanwhile, because an emulator may run both processors in one
 * thread.
 */
static inline bool hammer_wait(struct hammer *hammer)
{
	uint32_t before = hammer->data->loops;

	while (!hammer->runner.ended && hammer->data->loops - before < 3)
		usleep(50);
	return !hammer->runner.ended;
}

/* Run the guest, on processor 1 if there is one. */
static inline int hammer_go_on(struct hammer *hammer)
{
	cpu_set_t set;
	int err = runner_start(&hammer->runner, &hammer->m->vcpu);

	CPU_ZERO(&set);
	CPU_SET(1, &set);
	if (!err)
		pthread_setaffinity_np(hammer->runner.thread, sizeof(set),
				       &set);
	return err;
}

static inline int hammer_start(struct hammer *hammer, struct machine *m,
			       uint64_t gpa)
{
	hammer->m = m;
	hammer->data = machine_at(m, MACHINE_DATA);
	MACHINE_LOAD(m, MODE_PROTECTED, hammer_guest);
	m->vcpu.regs->rbx = gpa;
	cpu_pin(0);
	return hammer_go_on(hammer);
}

/* Kick the guest; return the result of RUN. */
static inline int hammer_stop(struct hammer *hammer)
{
	runner_kick(&hammer->runner);
	return runner_join(&hammer->runner);
}

/* Wait until the guest stops by itself; return the result of RUN. */
static inline int hammer_join(struct hammer *hammer)
{
	return runner_join(&hammer->runner);
}

/*
 * Expect that the guest reads what the program writes to the page, and vice versa.
 */
static inline void expect_shared(struct __test_metadata *_metadata,
				 struct hammer *hammer, volatile uint32_t *page)
{
	uint32_t before = page[0], told = page[2] + 1;

	page[2] = told;
	EXPECT_TRUE(hammer_wait(hammer))
	{
		TH_LOG("the guest has stopped");
	}
	EXPECT_EQ(told, hammer->data->echo);
	EXPECT_NE(before, page[0]);
}

/* Expect that the guest does not write to the page for longer than a tick. */
static inline void expect_left_alone(struct __test_metadata *_metadata,
				     volatile uint32_t *page)
{
	uint32_t before = page[0];

	usleep(10 * 1000);
	EXPECT_EQ(before, page[0]);
}

/*
 * Expect after hammer_stop() that no write went elsewhere. The guest may have been
 * stopped between its two increments.
 */
static inline void expect_none_lost(struct __test_metadata *_metadata,
				    struct hammer *hammer, uint32_t counted)
{
	EXPECT_LE(counted - hammer->data->written, 1);
	EXPECT_LT(0, counted);
}

#endif /* HAMMER_H */
