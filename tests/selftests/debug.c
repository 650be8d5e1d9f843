// SPDX-License-Identifier: GPL-2.0
/* Debug registers: the guest's own, and the host's as if there were no guest. */
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>

#include "machine.h"

#define DR6_RESERVED 0xffff0ff0ull

/* Adds 1 to each of DR0 to DR3, and has all of them watch its own data. */
GUEST(step, 64,
      "mov %dr0, %rax\n inc %rax\n mov %rax, %dr0\n"
      "mov %dr1, %rax\n inc %rax\n mov %rax, %dr1\n"
      "mov %dr2, %rax\n inc %rax\n mov %rax, %dr2\n"
      "mov %dr3, %rax\n inc %rax\n mov %rax, %dr3\n"
      "hlt");

/* Leaves DR7 with four breakpoints on, and bits of every kind in DR6. */
GUEST(litter, 64,
      "mov $0xffff4fff, %eax\n mov %rax, %dr6\n"
      "mov $0x7ff, %eax\n mov %rax, %dr7\n hlt");

static volatile long watched;

static int breakpoint_open(volatile long *address)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(attr),
		.bp_type = HW_BREAKPOINT_W,
		.bp_addr = (uintptr_t)address,
		.bp_len = HW_BREAKPOINT_LEN_8,
		.exclude_kernel = 1,
	};

	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static uint64_t hits(int breakpoint)
{
	uint64_t count = 0;

	return read(breakpoint, &count, sizeof(count)) == sizeof(count) ?
		       count :
		       ~0ull;
}

MACHINE_FIXTURE(debug)

TEST_F(debug, guest_has_its_own)
{
	struct svmrun_vcpu *vcpu = &self->m.vcpu;

	MACHINE_LOAD(&self->m, MODE_LONG, step);
	for (uint64_t i = 0; i < 4; i++)
		vcpu->regs->dr[i] = 0x1000 * (i + 1);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	for (uint64_t i = 0; i < 4; i++)
		EXPECT_EQ(0x1000 * (i + 1) + 1, vcpu->regs->dr[i]);
}

TEST_F(debug, intercepted_stay_as_they_are)
{
	struct svmrun_vcpu *vcpu = &self->m.vcpu;

	MACHINE_LOAD(&self->m, MODE_LONG, step);
	vcpu->regs->dr[0] = 0x1234;
	vcpu->vmcb->control.intercept[1] = 0x000f000f;
	ASSERT_EXIT(VMEXIT_DR_READ(0), &self->m);
	EXPECT_EQ(0x1234, vcpu->regs->dr[0]);
}

/* The host's breakpoint fires before and after, and not because of the guest. */
TEST_F(debug, hosts_breakpoints_survive)
{
	int breakpoint = breakpoint_open(&watched);

	if (breakpoint < 0)
		SKIP(return, "this kernel gives no hardware breakpoint");
	watched++;
	ASSERT_EQ(1, hits(breakpoint));
	for (uint64_t i = 0; i < 10; i++) {
		MACHINE_LOAD(&self->m, MODE_LONG, step);
		ASSERT_EXIT(VMEXIT_HLT, &self->m);
		MACHINE_LOAD(&self->m, MODE_LONG, litter);
		ASSERT_EXIT(VMEXIT_HLT, &self->m);
		EXPECT_EQ(i + 1, hits(breakpoint));
		watched++;
		EXPECT_EQ(i + 2, hits(breakpoint));
	}
	close(breakpoint);
}

/* What the guest left in DR6 is nobody's single step here. */
TEST_F(debug, guests_dr6_is_not_the_hosts)
{
	int breakpoint = breakpoint_open(&watched);

	if (breakpoint < 0)
		SKIP(return, "this kernel gives no hardware breakpoint");
	MACHINE_LOAD(&self->m, MODE_LONG, litter);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_NE(DR6_RESERVED, self->m.vcpu.vmcb->save.dr6);
	/* SIGTRAP would end the test here. */
	watched++;
	EXPECT_EQ(1, hits(breakpoint));
	close(breakpoint);
}

TEST_HARNESS_MAIN
