// SPDX-License-Identifier: GPL-2.0
/*
 * Events are delivered exactly once, even if their delivery is interrupted by a
 * fault that the module handles, an interrupt of the host, a kick or a signal.
 * Deliveries that never complete end when the program or the kernel requests it.
 */
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

#include "breakpoints.h"
#include "runner.h"
#include "tables.h"

#define VECTOR_DB 1
#define VECTOR_BP 3
#define VECTOR_UD 6
#define VECTOR_AC 17
#define VECTOR_INT 0x21

#define VMCB (self->m.vcpu.vmcb)
#define REGS (self->m.vcpu.regs)

/* One counter per vector, incremented by the handlers */
#define COUNTS 0xb000ul

static const uint64_t events[] = {
	EVENT_NMI,
	EVENT_EXCEPTION(VECTOR_UD),
};

/* Events that instructions raise */
static const uint64_t software[] = {
	EVENT_EXCEPTION(VECTOR_BP),
	EVENT_SOFT(VECTOR_INT),
	EVENT_SOFT(VECTOR_BP),
};

#define SKIP_LOST(m)                                                           \
	do {                                                                   \
		if (tables_lose_soft(m))                                       \
			SKIP(return, "an INTn whose delivery faults is lost"); \
	} while (0)

GUEST(stay, 64, "1: hlt\n jmp 1b");
/* The same bytes in each mode; CX is the number of repetitions. */
GUEST(interrupts, 64, "1: int $0x21\n int3\n loop 1b\n hlt");
GUEST(faults, 64, "1: ud2\n loop 1b\n hlt");

static unsigned int *counter(struct machine *m, uint8_t vector)
{
	return machine_at(m, COUNTS + vector * sizeof(unsigned int));
}

/* ---- handlers that count ------------------------------------------------- */

struct code {
	uint8_t *at;
};

static void put(struct code *code, const char *bytes, size_t size)
{
	memcpy(code->at, bytes, size);
	code->at += size;
}

#define PUT(code, bytes) put(code, bytes, sizeof(bytes) - 1)

/*
 * Set a handler that increments a counter, and returns @skip bytes after the
 * interrupted instruction.
 */
static void set_counting(struct machine *m, enum machine_mode mode,
			 uint8_t vector, uint8_t skip)
{
	struct code code = { machine_at(m, HANDLER(vector)) };
	const uint32_t count = COUNTS + vector * sizeof(unsigned int);

	if (skip && mode == MODE_LONG)
		PUT(&code, "\x48");
	if (skip) { /* add $skip, (%esp) */
		PUT(&code, "\x83\x04\x24");
		put(&code, (const char *)&skip, 1);
	}
	if (mode == MODE_REAL) /* incl count; iret */
		PUT(&code, "\x66\xff\x06");
	else if (mode == MODE_PROTECTED)
		PUT(&code, "\xff\x05");
	else
		PUT(&code, "\xff\x04\x25");
	put(&code, (const char *)&count, mode == MODE_REAL ? 2 : 4);
	if (mode == MODE_LONG)
		PUT(&code, "\x48");
	PUT(&code, "\xcf");
}

static void set_all_counting(struct machine *m, enum machine_mode mode)
{
	tables_set(m, mode);
	for (int vector = 0; vector < VECTORS; vector++)
		set_counting(m, mode, vector, 0);
}

/* ---- faults that the module handles -------------------------------------- */

MODE_FIXTURE(fault)

static const uint64_t pages[] = {
	TABLES_IDT,	 TABLES_GDT, TABLES_HANDLERS, COUNTS,
	REAL_STACK_PAGE, STACK_PAGE, MACHINE_CODE,
};

static void inject(struct machine *m, uint64_t event)
{
	m->vcpu.vmcb->save.rip = MACHINE_CODE;
	m->vcpu.vmcb->control.nrip = MACHINE_CODE;
	m->vcpu.vmcb->control.eventinj = event;
}

static void inject_and_count(struct __test_metadata *_metadata,
			     struct machine *m, uint64_t event)
{
	unsigned int *count = counter(m, event & SVM_EVENT_VECTOR_MASK);
	unsigned int before = *count;

	inject(m, event);
	ASSERT_EXIT(VMEXIT_HLT, m);
	EXPECT_EQ(before + 1, *count);
	EXPECT_EQ(MACHINE_CODE, m->vcpu.vmcb->save.rip);
}

static void forget_each_page(struct __test_metadata *_metadata,
			     struct machine *m, uint64_t event)
{
	for (size_t page = 0; page < ARRAY_SIZE(pages); page++) {
		ASSERT_EQ(0, machine_forget(m, pages[page]));
		inject_and_count(_metadata, m, event);
	}
}

static void forget_all_pages(struct __test_metadata *_metadata,
			     struct machine *m, uint64_t event)
{
	for (size_t page = 0; page < ARRAY_SIZE(pages); page++)
		ASSERT_EQ(0, machine_forget(m, pages[page]));
	inject_and_count(_metadata, m, event);
}

TEST_F(fault, on_each_page)
{
	uint64_t faults;

	MACHINE_LOAD(&self->m, variant->mode, stay);
	set_all_counting(&self->m, variant->mode);
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		forget_each_page(_metadata, &self->m, events[i]);
	faults = REGS->out_exits_fault;
	inject_and_count(_metadata, &self->m, EVENT_NMI);
	EXPECT_EQ(faults, REGS->out_exits_fault);
	EXPECT_LE(5 * ARRAY_SIZE(events), faults);
}

TEST_F(fault, on_all_pages)
{
	MACHINE_LOAD(&self->m, variant->mode, stay);
	set_all_counting(&self->m, variant->mode);
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		forget_all_pages(_metadata, &self->m, events[i]);
}

TEST_F(fault, of_software_interrupts)
{
	SKIP_LOST(&self->m);
	MACHINE_LOAD(&self->m, variant->mode, stay);
	set_all_counting(&self->m, variant->mode);
	for (size_t i = 0; i < ARRAY_SIZE(software); i++) {
		forget_each_page(_metadata, &self->m, software[i]);
		forget_all_pages(_metadata, &self->m, software[i]);
	}
}

/* From CPL 3, the stack pointer is read from the TSS. */
TEST(fault_on_tss)
{
	static const uint64_t hardware[] = { EVENT_INTR(VECTOR_INT), EVENT_NMI,
					     EVENT_EXCEPTION(VECTOR_UD) };
	struct machine m;
	struct svm_vmcb_save *save;

	ASSERT_EQ(0, machine_create(&m));
	MACHINE_LOAD(&m, MODE_PROTECTED, stay);
	tables_set(&m, MODE_PROTECTED);
	ASSERT_EQ(0, tables_enter_user(&m));
	save = &m.vcpu.vmcb->save;
	for (size_t i = 0; i < ARRAY_SIZE(hardware); i++) {
		struct svm_vmcb_save user = *save;

		ASSERT_EQ(0, machine_forget(&m, TABLES_TSS));
		inject(&m, hardware[i]);
		ASSERT_EXIT(VMEXIT_HLT, &m);
		EXPECT_EQ(HANDLER(hardware[i] & SVM_EVENT_VECTOR_MASK),
			  save->rip);
		EXPECT_EQ(0, save->cpl);
		/* EIP, CS, EFLAGS, ESP, SS */
		EXPECT_EQ(TABLES_TSS_STACK - 5 * 4, save->rsp);
		EXPECT_EQ(SELECTOR_USER_CODE,
			  frame_read(&m, MODE_PROTECTED, false).cs);
		*save = user;
	}
	EXPECT_LE(ARRAY_SIZE(hardware), m.vcpu.regs->out_exits_fault);
	machine_destroy(&m);
}

/* ---- all disturbances at once -------------------------------------------- */

MODE_FIXTURE(storm)

#define INJECTIONS 500
#define SECONDS 15 /* limit, for slow machines */
#define RAISED 200000
#define LOOPS 10000
#define PROBES 4000

/* Runs that did not end with the guest's HLT */
struct interrupted {
	unsigned long runs;
	unsigned long deliveries; /* with an event still to be delivered */
};

/* Run until the guest halts, however often that is interrupted. */
static int run_to_halt(struct machine *m, struct interrupted *interrupted)
{
	const struct svm_vmcb_control *control = &m->vcpu.vmcb->control;
	int err;

	while ((err = machine_run(m)) == -EINTR) {
		interrupted->runs++;
		if (control->eventinj & SVM_EVENT_VALID)
			interrupted->deliveries++;
	}
	if (err || control->exitcode == VMEXIT_HLT)
		return err;
	printf("# exit %#llx, info %#llx %#llx, EXITINTINFO %#llx, RIP %#llx\n",
	       control->exitcode, control->exitinfo1, control->exitinfo2,
	       control->exitintinfo, m->vcpu.vmcb->save.rip);
	return -EIO;
}

static int forget_all(struct machine *m)
{
	int err = 0;

	for (size_t page = 0; !err && page < ARRAY_SIZE(pages); page++)
		err = machine_forget(m, pages[page]);
	return err;
}

/* Kick a vCPU, and make its pages fault again, until stopped. */
struct disturber {
	struct machine *m;
	bool takes_pages;
	useconds_t pause;
	pthread_t thread;
	volatile bool over;
	int err;
};

static void *disturb(void *argument)
{
	struct disturber *d = argument;

	for (size_t i = 0; !d->over && !d->err; i++) {
		d->err = call(d->m->vcpu.fd, SVMRUN_KICK, NULL);
		if (!d->err && d->takes_pages)
			d->err = machine_forget(d->m,
						pages[i % ARRAY_SIZE(pages)]);
		usleep(d->pause);
	}
	return NULL;
}

static void on_signal(int signal)
{
}

/*
 * Also send a signal per millisecond to the calling thread. Where everything takes
 * longer, disturb less often, or the guest would make little progress in between.
 */
static int disturber_start(struct disturber *d, struct machine *m,
			   bool takes_pages, useconds_t pause)
{
	const struct sigaction action = { .sa_handler = on_signal };
	const struct timeval interval = { 0, 1000 * patience() };
	const struct itimerval often = { interval, interval };

	*d = (struct disturber){
		.m = m,
		.takes_pages = takes_pages,
		.pause = pause * patience(),
	};
	if (sigaction(SIGALRM, &action, NULL) ||
	    setitimer(ITIMER_REAL, &often, NULL))
		return -errno;
	return -pthread_create(&d->thread, NULL, disturb, d);
}

static int disturber_stop(struct disturber *d)
{
	const struct itimerval never = {};

	d->over = true;
	pthread_join(d->thread, NULL);
	setitimer(ITIMER_REAL, &never, NULL);
	return d->err;
}

static void show(const struct interrupted *interrupted, struct machine *m)
{
	printf("# %lu runs and %lu deliveries interrupted, %lu faults\n",
	       interrupted->runs, interrupted->deliveries,
	       (unsigned long)m->vcpu.regs->out_exits_fault);
}

static void inject_all(struct __test_metadata *_metadata, struct machine *m,
		       const uint64_t *list, size_t size)
{
	unsigned int want[VECTORS] = {}, seed = 1;
	struct interrupted interrupted = {};
	time_t end = time(NULL) + SECONDS;
	unsigned int most = INJECTIONS / patience(), i = 0;
	struct disturber disturber;

	ASSERT_EQ(0, disturber_start(&disturber, m, true, 1000));
	for (; (i < most && time(NULL) < end) || !interrupted.deliveries; i++) {
		uint64_t event = list[rand_r(&seed) % size];
		uint8_t vector = event & SVM_EVENT_VECTOR_MASK;

		want[vector]++;
		ASSERT_EQ(0, forget_all(m));
		inject(m, event);
		ASSERT_EQ(0, run_to_halt(m, &interrupted));
		ASSERT_EQ(want[vector], *counter(m, vector));
	}
	EXPECT_EQ(0, disturber_stop(&disturber));
	printf("# %d injections\n", i);
	show(&interrupted, m);
}

TEST_F(storm, injected)
{
	MACHINE_LOAD(&self->m, variant->mode, stay);
	set_all_counting(&self->m, variant->mode);
	inject_all(_metadata, &self->m, events, ARRAY_SIZE(events));
}

TEST_F(storm, software_interrupts_injected)
{
	SKIP_LOST(&self->m);
	MACHINE_LOAD(&self->m, variant->mode, stay);
	set_all_counting(&self->m, variant->mode);
	inject_all(_metadata, &self->m, software, ARRAY_SIZE(software));
}

/*
 * Return whether the processor itself delivers an interrupt twice, in a run in
 * which the module had nothing to handle.
 */
static bool delivers_twice(struct machine *m)
{
	const struct svmrun_registers *regs = m->vcpu.regs;
	unsigned int *count = counter(m, VECTOR_INT), before;
	struct disturber disturber;
	bool twice = false;

	disturber_start(&disturber, m, false, 1000);
	for (int i = 0; i < PROBES && !twice; i++) {
		uint64_t exits = regs->out_exits_interrupt +
				 regs->out_exits_fault;

		before = *count;
		inject(m, EVENT_INTR(VECTOR_INT));
		twice = !machine_run(m) && *count > before + 1 &&
			exits == regs->out_exits_interrupt +
					 regs->out_exits_fault;
	}
	disturber_stop(&disturber);
	*count = 0;
	return twice;
}

TEST_F(storm, interrupts_injected)
{
	static const uint64_t interrupts[] = { EVENT_INTR(VECTOR_INT),
					       EVENT_INTR(0xff) };

	MACHINE_LOAD(&self->m, variant->mode, stay);
	set_all_counting(&self->m, variant->mode);
	if (delivers_twice(&self->m))
		SKIP(return, "the processor delivers some interrupts twice");
	inject_all(_metadata, &self->m, interrupts, ARRAY_SIZE(interrupts));
}

/* Return how many loops the guest has completed. */
static unsigned int raise_all(struct __test_metadata *_metadata,
			      struct machine *m)
{
	struct interrupted interrupted = {};
	struct disturber disturber;
	unsigned int raised = 0;

	ASSERT_EQ(0, disturber_start(&disturber, m, true, 200));
	while (raised < RAISED / patience() || !interrupted.runs) {
		m->vcpu.vmcb->save.rip = MACHINE_CODE;
		m->vcpu.regs->rcx = LOOPS;
		ASSERT_EQ(0, run_to_halt(m, &interrupted));
		EXPECT_EQ(0, m->vcpu.regs->rcx);
		raised += LOOPS;
	}
	EXPECT_EQ(0, disturber_stop(&disturber));
	show(&interrupted, m);
	return raised;
}

TEST_F(storm, raised_by_instructions)
{
	unsigned int raised;

	MACHINE_LOAD(&self->m, variant->mode, interrupts);
	set_all_counting(&self->m, variant->mode);
	raised = raise_all(_metadata, &self->m);
	EXPECT_EQ(raised, *counter(&self->m, VECTOR_INT));
	EXPECT_EQ(raised, *counter(&self->m, VECTOR_BP));
}

TEST_F(storm, raised_by_faults)
{
	unsigned int raised;

	if (variant->mode == MODE_REAL)
		SKIP(return, "the handler does not support real mode");
	MACHINE_LOAD(&self->m, variant->mode, faults);
	set_all_counting(&self->m, variant->mode);
	set_counting(&self->m, variant->mode, VECTOR_UD, 2);
	raised = raise_all(_metadata, &self->m);
	EXPECT_EQ(raised, *counter(&self->m, VECTOR_UD));
}

/* ---- deliveries that never complete -------------------------------------- */

FIXTURE(endless)
{
	struct machine m;
	struct runner runner;
};

struct loop {
	int (*prepare)(struct machine *m);
	uint64_t dr7; /* set by the guest by the time it is stopped */
};

FIXTURE_VARIANT(endless)
{
	struct loop loop;
};

FIXTURE_SETUP(endless)
{
	ASSERT_EQ(0, cpu_pin(0));
}

FIXTURE_TEARDOWN(endless)
{
	struct machine m;

	ASSERT_EQ(0, machine_create(&m));
	EXPECT_EQ(0, breakpoints_disarm(&m, variant->loop.dr7));
	machine_destroy(&m);
}

/* All #DB frames go to the same IST stack, or the guest would run out of stack. */
#define IST_STACK 0x1e000ul

/* A breakpoint on the first instruction of its own handler (CVE-2015-8104) */
GUEST(break_handler, 64,
      "mov $0xc010, %eax\n mov %rax, %dr0\n"
      "mov $0x402, %eax\n mov %rax, %dr7\n"
      "int $1\n hlt");
GUEST(misaligned, 32, "mov 0xa001, %eax\n hlt");

static int prepare_broken_handler(struct machine *m)
{
	uint64_t *gate = machine_at(m, TABLES_IDT + VECTOR_DB * 16);
	const uint64_t stack = IST_STACK;

	MACHINE_LOAD(m, MODE_LONG, break_handler);
	tables_set(m, MODE_LONG);
	*gate |= 1ull << 32; /* IST 1 */
	memcpy(machine_at(m, TABLES_TSS + 0x24), &stack, sizeof(stack));
	return 0;
}

/* A handler at CPL 3, whose stack is misaligned (CVE-2015-5307) */
static int prepare_misaligned_stack(struct machine *m)
{
	struct svm_vmcb_save *save = &m->vcpu.vmcb->save;
	uint64_t *gate = machine_at(m, TABLES_IDT + VECTOR_AC * 8);
	int err;

	MACHINE_LOAD(m, MODE_PROTECTED, misaligned);
	tables_set(m, MODE_PROTECTED);
	err = tables_enter_user(m);
	*gate ^= (SELECTOR_CODE ^ SELECTOR_USER_CODE) << 16;
	save->cr0 |= 1u << 18; /* AM */
	save->rflags |= 1u << 18; /* AC */
	save->rsp--;
	return err;
}

FIXTURE_VARIANT_ADD(endless, db_on_its_handler){
	.loop.prepare = prepare_broken_handler,
	.loop.dr7 = DR7_ALWAYS | DR7_EXECUTE(0),
};

FIXTURE_VARIANT_ADD(endless, ac_on_its_stack){
	.loop.prepare = prepare_misaligned_stack,
	.loop.dr7 = DR7_ALWAYS,
};

static bool is_endless(struct machine *m)
{
	for (int i = 0; i < 100; i++) {
		if (m->vcpu.regs->out_exits_reflected > 1000)
			return true;
		usleep(10000);
	}
	return false;
}

/*
 * Run the guest in a thread. If its delivery completes, stop the thread, return
 * false.
 */
static bool start_endless(struct machine *m, struct runner *runner,
			  int (*prepare)(struct machine *m))
{
	if (machine_create(m) || prepare(m) || runner_start(runner, &m->vcpu))
		return false;
	if (is_endless(m))
		return true;
	runner_kick(runner);
	runner_join(runner);
	return false;
}

#define START_ENDLESS(self)                                                    \
	do {                                                                   \
		if (!start_endless(&(self)->m, &(self)->runner,                \
				   variant->loop.prepare))                     \
			SKIP(return, "the delivery completes here");           \
	} while (0)

TEST_F(endless, kicked)
{
	START_ENDLESS(self);
	EXPECT_EQ(0, runner_kick(&self->runner));
	EXPECT_EQ(-EINTR, runner_join(&self->runner));
}

TEST_F(endless, signalled)
{
	const struct sigaction action = { .sa_handler = on_signal };

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	START_ENDLESS(self);
	EXPECT_EQ(0, pthread_kill(self->runner.thread, SIGUSR1));
	EXPECT_EQ(-EINTR, runner_join(&self->runner));
}

TEST_F(endless, killed)
{
	int pair[2], status;
	bool endless;
	pid_t child;

	ASSERT_EQ(0, pipe(pair));
	child = fork();
	if (!child) {
		endless = start_endless(&self->m, &self->runner,
					variant->loop.prepare);
		if (write(pair[1], &endless, 1) == 1)
			pause();
		_exit(1);
	}
	EXPECT_EQ(1, read(pair[0], &endless, 1));
	EXPECT_EQ(0, kill(child, SIGKILL));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	if (!endless)
		SKIP(return, "the delivery completes here");
	EXPECT_TRUE(WIFSIGNALED(status));
}

TEST_HARNESS_MAIN
