// SPDX-License-Identifier: GPL-2.0
/*
 * The program's extended state and the host's breakpoints are preserved, for guests
 * whose lazy state (lazy.c) is active and for guests whose is not.
 */
#include <pthread.h>
#include <sys/syscall.h>

#include "breakpoints.h"
#include "runner.h"
#include "tables.h"
#include "tracing.h"
#include "xsave.h"

#define VECTOR_DB 1
#define INTERCEPT2_DB SVM_INTERCEPT2_EXCEPTION(VECTOR_DB)
#define INTERCEPT2_MF SVM_INTERCEPT2_EXCEPTION(16)
#define CR0_MP (1ull << 1)

#define VMCB (self->m.vcpu.vmcb)
#define REGS (self->m.vcpu.regs)

MACHINE_FIXTURE(lazy_host)

/* Long enough that interrupts of the host occur meanwhile */
GUEST(work, 64, "mov $20000, %ecx\n 1: loop 1b\n hlt");
GUEST(work_with_x87, 64,
      "mov $20000, %ecx\n 1: loop 1b\n fninit\n fldpi\n"
      "pcmpeqb %xmm0, %xmm0\n movdqa %xmm0, %xmm7\n movdqa %xmm0, %xmm15\n"
      "hlt");
/* This activates extended state without using it. */
GUEST(work_with_cr0, 64,
      "mov %cr0, %rax\n mov $20000, %ecx\n 1: loop 1b\n hlt");

static void set_area(struct machine *m)
{
	*(uint32_t *)xsave_at(m, XSAVE_MXCSR) = 0x1f80;
	m->vcpu.regs->xcr0 = XCR0_X87 | XCR0_SSE;
}

/* ---- registers ----------------------------------------------------------- */

struct state {
	uint64_t xmm0[2], xmm7[2], xmm15[2];
	uint64_t x87;
};

static struct state state_of(uint64_t seed)
{
	return (struct state){
		.xmm0 = { seed, ~seed },
		.xmm7 = { seed * 3, seed * 5 },
		.xmm15 = { seed * 7, seed * 11 },
		.x87 = seed * 13,
	};
}

/* Make a system call, with nothing else between loading and storing the state. */
static long call_between(long number, long a, long b, long c,
			 const struct state *before, struct state *after)
{
	asm volatile("movups (%[before]), %%xmm0\n"
		     "movups 16(%[before]), %%xmm7\n"
		     "movups 32(%[before]), %%xmm15\n"
		     "fildll 48(%[before])\n"
		     "syscall\n"
		     "movups %%xmm0, (%[after])\n"
		     "movups %%xmm7, 16(%[after])\n"
		     "movups %%xmm15, 32(%[after])\n"
		     "fistpll 48(%[after])\n"
		     : "+a"(number)
		     : "D"(a), "S"(b),
		       "d"(c), [before] "r"(before), [after] "r"(after)
		     : "rcx", "r11", "memory", "xmm0", "xmm7", "xmm15");
	return number;
}

static bool survives(long number, long a, long b, uint64_t seed)
{
	struct state before = state_of(seed), after = {};
	long result = call_between(number, a, b, 0, &before, &after);
	bool same = !memcmp(&before, &after, sizeof(before));

	/* RUN may be interrupted, and must preserve the state nevertheless. */
	if (result == -EINTR)
		result = 0;
	if (result || !same)
		fprintf(stderr, "# system call %ld: %ld, state %s\n", number,
			result, same ? "kept" : "lost");
	return !result && same;
}

static bool survives_run(struct machine *m, uint64_t seed)
{
	m->vcpu.vmcb->save.rip = MACHINE_CODE;
	do {
		if (!survives(SYS_ioctl, m->vcpu.fd, SVMRUN_RUN, seed))
			return false;
	} while (m->vcpu.vmcb->control.exitcode == VMEXIT_INTR);
	if (m->vcpu.vmcb->control.exitcode != VMEXIT_HLT)
		fprintf(stderr, "# exit code %#llx\n",
			m->vcpu.vmcb->control.exitcode);
	return m->vcpu.vmcb->control.exitcode == VMEXIT_HLT;
}

FIXTURE(state)
{
	struct machine m;
	pthread_t main;
	volatile bool stop;
	volatile bool spoilt; /* the state was lost, or a call failed */
	volatile uint64_t rounds;
};

FIXTURE_VARIANT(state)
{
	const char *code, *end;
};

#define STATE(name, guest)                                                     \
	FIXTURE_VARIANT_ADD(state, name)                                       \
	{                                                                      \
		.code = guest, .end = guest##_end,                             \
	}

STATE(inactive, work);
STATE(active, work_with_x87);
STATE(active_unused, work_with_cr0);

FIXTURE_SETUP(state)
{
	self->main = pthread_self();
	ASSERT_EQ(0, machine_create(&self->m));
	machine_load(&self->m, MODE_LONG, variant->code, variant->end);
	set_area(&self->m);
}

FIXTURE_TEARDOWN(state)
{
	machine_destroy(&self->m);
}

TEST_F(state, survives)
{
	for (uint64_t seed = 1; seed <= 200; seed++)
		ASSERT_TRUE(survives_run(&self->m, seed));
}

/*
 * A neighbour on the same CPU uses the same registers, so each switch exchanges
 * them.
 */
static void *neighbour_main(void *argument)
{
	FIXTURE_DATA(state) *self = argument;

	while (!self->stop) {
		if (!survives(SYS_sched_yield, 0, 0, --self->rounds))
			self->spoilt = true;
	}
	return NULL;
}

TEST_F(state, survives_beside_another)
{
	pthread_t thread;

	ASSERT_EQ(0, cpu_pin(0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, neighbour_main, self));
	for (uint64_t seed = 1; seed <= 200; seed++) {
		ASSERT_TRUE(survives_run(&self->m, seed));
		ASSERT_TRUE(survives(SYS_sched_yield, 0, 0, seed));
	}
	self->stop = true;
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_FALSE(self->spoilt);
	EXPECT_NE(0, self->rounds);
}

/* Move the test from CPU to CPU, at any point of its runs. */
static void *pusher_main(void *argument)
{
	FIXTURE_DATA(state) *self = argument;
	int cpus = sysconf(_SC_NPROCESSORS_ONLN);

	while (!self->stop && !self->spoilt) {
		self->spoilt = pin(self->main, self->rounds++ % cpus);
		if (!survives(SYS_sched_yield, 0, 0, self->rounds))
			self->spoilt = true;
	}
	return NULL;
}

TEST_F(state, survives_moving)
{
	pthread_t thread;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "only one CPU");
	ASSERT_EQ(0, pthread_create(&thread, NULL, pusher_main, self));
	for (uint64_t seed = 1; seed <= 200 || self->rounds < 20; seed++)
		ASSERT_TRUE(survives_run(&self->m, seed));
	self->stop = true;
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_FALSE(self->spoilt);
}

/* Several guests in turn, of which one has active state */
TEST_F(state, survives_by_turns)
{
	struct machine other = self->m;
	int fd;

	ASSERT_EQ(0, svmrun_vcpu_create(&other.vcpu, &self->m.vm));
	fd = other.vcpu.fd;
	memcpy(machine_at(&other, MACHINE_DATA), work_with_x87,
	       work_with_x87_end - work_with_x87);
	ASSERT_EQ(0, vcpu_begin(&other, &other.vcpu, MODE_LONG));
	set_area(&other);
	for (uint64_t seed = 1; seed <= 50; seed++) {
		ASSERT_TRUE(survives_run(&self->m, seed));
		other.vcpu.vmcb->save.rip = MACHINE_DATA;
		ASSERT_TRUE(survives(SYS_ioctl, fd, SVMRUN_RUN, ~seed));
		ASSERT_EQ(VMEXIT_HLT, other.vcpu.vmcb->control.exitcode);
	}
	svmrun_vcpu_destroy(&other.vcpu);
}

/* ---- no information for guests ------------------------------------------- */

GUEST(wait_for_x87, 64, "fwait\n hlt");
GUEST(wait_for_x87_real, 16, "fwait\n hlt");

/* RUN with a pending x87 exception of the program, which must remain pending */
static long run_with_exception(int fd)
{
	static const uint16_t unmasked = 0x37b; /* except ZE */
	uint16_t status;
	long result = SYS_ioctl;

	asm volatile("fninit\n fldcw %[unmasked]\n fld1\n fldz\n fdivrp\n"
		     "syscall\n"
		     "fnstsw %[status]\n fnclex\n fninit\n"
		     : "+a"(result), [status] "=m"(status)
		     : "D"((long)fd), "S"(SVMRUN_RUN),
		       "d"(0l), [unmasked] "m"(unmasked)
		     : "rcx", "r11", "memory");
	return status & 0x80 ? result : -EPROTO;
}

TEST_F(lazy_host, pending_exception_stays)
{
	for (int i = 0; i < 4; i++) {
		svmrun_vcpu_destroy(&self->m.vcpu);
		ASSERT_EQ(0, svmrun_vcpu_create(&self->m.vcpu, &self->m.vm));
		if (i < 2)
			MACHINE_LOAD(&self->m, MODE_LONG, wait_for_x87);
		else
			MACHINE_LOAD(&self->m, MODE_REAL, wait_for_x87_real);
		VMCB->save.cr0 &= ~CR0_MP;
		VMCB->save.cr0 |= i & 1 ? CR0_MP : 0;
		VMCB->control.intercept[2] |= INTERCEPT2_MF;
		ASSERT_EQ(0, run_with_exception(self->m.vcpu.fd));
		EXPECT_EQ(VMEXIT_HLT, VMCB->control.exitcode);
	}
}

/* ---- debug registers ----------------------------------------------------- */

#define WATCHED                                                                \
	0x30000ul /* a function, at the same address in the guest and in the program */

FIXTURE(lazy_debug)
{
	struct machine m;
	uint8_t *function;
	int breakpoint;
};

#define RETURN 0xc3 /* ret */

FIXTURE_SETUP(lazy_debug)
{
	ASSERT_EQ(0, cpu_pin(0));
	ASSERT_EQ(0, machine_create(&self->m));
	self->function = mmap((void *)WATCHED, PAGE,
			      PROT_READ | PROT_WRITE | PROT_EXEC,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
			      -1, 0);
	ASSERT_EQ((void *)WATCHED, self->function);
	*self->function = RETURN;
	*(uint8_t *)machine_at(&self->m, WATCHED) = RETURN;
	/*
	 * Use an execution breakpoint: some emulators, which keep breakpoints that
	 * VMRUN should have replaced, afterwards treat every breakpoint as one.
	 */
	self->breakpoint = breakpoint_open(HW_BREAKPOINT_X, self->function);
	if (self->breakpoint < 0)
		SKIP_SETUP("no hardware breakpoint is available");
}

FIXTURE_TEARDOWN(lazy_debug)
{
	breakpoints_disarm(&self->m, VMCB->save.dr7);
	close(self->breakpoint);
	machine_destroy(&self->m);
}

GUEST(read_dr, 64,
      "mov %dr0, %rax\n mov %dr1, %rbx\n mov %dr2, %rcx\n mov %dr3, %rdx\n"
      "hlt");
GUEST(write_dr, 64,
      "mov %rax, %dr0\n mov %rax, %dr1\n mov %rax, %dr2\n mov %rax, %dr3\n"
      "hlt");

static void expect_hit(struct __test_metadata *_metadata,
		       FIXTURE_DATA(lazy_debug) * self)
{
	uint64_t before = breakpoint_hits(self->breakpoint);

	((void (*)(void))self->function)();
	EXPECT_EQ(before + 1, breakpoint_hits(self->breakpoint));
}

/*
 * The guest runs at another address, because some emulators leave breakpoints
 * enabled.
 */
TEST_F(lazy_debug, inactive_guest_leaves_the_hosts)
{
	MACHINE_LOAD(&self->m, MODE_LONG, work);
	for (int i = 0; i < 4; i++)
		REGS->dr[i] = ~0ull << i;
	for (int i = 0; i < 10; i++) {
		expect_hit(_metadata, self);
		VMCB->save.rip = MACHINE_CODE;
		ASSERT_EXIT(VMEXIT_HLT, &self->m);
		expect_hit(_metadata, self);
	}
	/* The registers were neither checked nor written. */
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(~0ull << i, REGS->dr[i]);
	EXPECT_EQ(20, breakpoint_hits(self->breakpoint));
}

TEST_F(lazy_debug, active_guest_has_its_own)
{
	MACHINE_LOAD(&self->m, MODE_LONG, read_dr);
	for (int i = 0; i < 4; i++)
		REGS->dr[i] = 0x1000 + i;
	expect_hit(_metadata, self);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	expect_hit(_metadata, self);
	EXPECT_EQ(0x1000, VMCB->save.rax);
	EXPECT_EQ(0x1001, REGS->rbx);
	EXPECT_EQ(0x1002, REGS->rcx);
	EXPECT_EQ(0x1003, REGS->rdx);
	/* Changes by the guest and by the program in between */
	memcpy(machine_at(&self->m, MACHINE_DATA), write_dr,
	       write_dr_end - write_dr);
	for (uint64_t value = 1; value < 5; value++) {
		VMCB->save.rip = MACHINE_DATA;
		VMCB->save.rax = value;
		ASSERT_EXIT(VMEXIT_HLT, &self->m);
		for (int i = 0; i < 4; i++)
			EXPECT_EQ(value, REGS->dr[i]);
		REGS->dr[2] = 0x2000 + value;
		VMCB->save.rip = MACHINE_CODE;
		ASSERT_EXIT(VMEXIT_HLT, &self->m);
		EXPECT_EQ(value, VMCB->save.rax);
		EXPECT_EQ(0x2000 + value, REGS->rcx);
		expect_hit(_metadata, self);
	}
}

/* DR5 is an alias of DR7 (APM 13.1.1.3) */
#define DR5_FROM_RDI ".byte 0x0f, 0x23, 0xef\n"
#define DR5_FROM_RSI ".byte 0x0f, 0x23, 0xee\n"

/*
 * A guest whose accesses to DR0 to DR3 and DR7 are intercepted: its own DR0 has
 * another address, and the host's must not be active.
 */
GUEST(arm_and_call, 64,
      "mov $0x30000, %ebx\n" DR5_FROM_RDI "call *%rbx\n" DR5_FROM_RSI "hlt");

TEST_F(lazy_debug, dr5_alone_does_not_reach_the_hosts)
{
	MACHINE_LOAD(&self->m, MODE_LONG, arm_and_call);
	VMCB->control.intercept[1] = 0x008f000f;
	VMCB->control.intercept[2] |= INTERCEPT2_DB;
	REGS->dr[0] = MACHINE_DATA;
	REGS->rdi = DR7_ALWAYS | DR7_EXECUTE(0);
	REGS->rsi = DR7_ALWAYS;
	expect_hit(_metadata, self);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	expect_hit(_metadata, self);
}

FIXTURE(lazy_breakpoint)
{
	struct machine m;
};

FIXTURE_SETUP(lazy_breakpoint)
{
	ASSERT_EQ(0, cpu_pin(0));
	ASSERT_EQ(0, machine_create(&self->m));
}

FIXTURE_TEARDOWN(lazy_breakpoint)
{
	breakpoints_disarm(&self->m, VMCB->save.dr7);
	machine_destroy(&self->m);
}

GUEST(arm, 64, "mov %rdi, %dr7\n movl $1, 0xa000\n arm_next: nop\n" DISARM);
GUEST(arm_by_dr5, 64,
      DR5_FROM_RDI "movl $1, 0xa000\n arm_by_dr5_next: nop\n" DISARM);
GUEST_LABEL(arm_next);
GUEST_LABEL(arm_by_dr5_next);

/* The breakpoint is the guest's first use of debug registers. */
static void expect_break(struct __test_metadata *_metadata, struct machine *m,
			 uint64_t next)
{
	m->vcpu.vmcb->control.intercept[2] |= INTERCEPT2_DB;
	m->vcpu.regs->dr[0] = MACHINE_DATA;
	m->vcpu.regs->rdi = DR7_ALWAYS | DR7_WRITE(0);
	ASSERT_EXIT(VMEXIT_EXCP(VECTOR_DB), m);
	EXPECT_EQ(next, m->vcpu.vmcb->save.rip);
	ASSERT_EXIT(VMEXIT_HLT, m);
}

TEST_F(lazy_breakpoint, by_dr7)
{
	MACHINE_LOAD(&self->m, MODE_LONG, arm);
	expect_break(_metadata, &self->m, MACHINE_CODE + (arm_next - arm));
}

TEST_F(lazy_breakpoint, by_dr5)
{
	MACHINE_LOAD(&self->m, MODE_LONG, arm_by_dr5);
	expect_break(_metadata, &self->m,
		     MACHINE_CODE + (arm_by_dr5_next - arm_by_dr5));
}

/* ---- cost ---------------------------------------------------------------- */

#define ACTIVATED TRACING "events/x86_fpu/x86_fpu_regs_activated/enable"
#define RUNS 50

/* Return how often the program's extended state was restored. */
static int count_activated(void)
{
	FILE *trace = fopen(TRACING "trace", "r");
	char line[512], self[32];
	int count = 0;

	if (!trace)
		return -errno;
	snprintf(self, sizeof(self), "-%d ", getpid());
	while (fgets(line, sizeof(line), trace))
		count += strstr(line, ": x86_fpu_regs_activated: ") &&
			 strstr(line, self);
	fclose(trace);
	return count;
}

static int run_traced(struct machine *m)
{
	int err = tracing_clear();

	if (!err)
		err = file_write(ACTIVATED, "1");
	for (int i = 0; !err && i < RUNS; i++) {
		m->vcpu.vmcb->save.rip = MACHINE_CODE;
		err = machine_run(m);
	}
	file_write(ACTIVATED, "0");
	return err ? err : count_activated();
}

/*
 * Without activation the program's state stays in the registers, except at context
 * switches.
 */
TEST_F(lazy_host, inactive_state_is_left_in_place)
{
	if (access(ACTIVATED, W_OK))
		SKIP(return, "this kernel cannot trace extended state");
	MACHINE_LOAD(&self->m, MODE_LONG, work);
	set_area(&self->m);
	EXPECT_GT(RUNS / 2, run_traced(&self->m));
	MACHINE_LOAD(&self->m, MODE_LONG, work_with_cr0);
	EXPECT_LE(RUNS, run_traced(&self->m));
	/* Once activated, it stays so. */
	MACHINE_LOAD(&self->m, MODE_LONG, work);
	EXPECT_LE(RUNS, run_traced(&self->m));
}

TEST_HARNESS_MAIN
