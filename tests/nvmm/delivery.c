// SPDX-License-Identifier: GPL-2.0
/*
 * libnvmm: events whose delivery an exit MEMORY interrupts (APM 15.7.2), because the interrupt
 * vector table or the stack is in memory that is not mapped. The program maps it, and runs the
 * guest again: the event is delivered then, once. In real mode this pushes 6 bytes.
 */
#include "guest.h"

#define VECTORS 0 /* page of the interrupt vector table */
#define STACK_PAGE (STACK - PAGE)
#define FRAME 6

FIXTURE(delivery)
{
	struct guest g;
};

FIXTURE_SETUP(delivery)
{
	ASSERT_EQ(0, guest_create(&self->g));
	LOAD(&self->g, 0xf4 /* hlt */);
}

FIXTURE_TEARDOWN(delivery)
{
	guest_destroy(&self->g);
}

static int unmap(struct guest *guest, gpaddr_t gpa)
{
	return nvmm_gpa_unmap(&guest->mach, (uintptr_t)guest->memory + gpa, gpa,
			      PAGE);
}

static int map(struct guest *guest, gpaddr_t gpa)
{
	return nvmm_gpa_map(&guest->mach, (uintptr_t)guest->memory + gpa, gpa,
			    PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
}

/* Run until an exit MEMORY in the page, and map it. */
static bool exits_in(struct guest *guest, gpaddr_t page)
{
	return guest_run(guest) == NVMM_VCPU_EXIT_MEMORY &&
	       guest->vcpu.exit->u.mem.gpa - page < PAGE && !map(guest, page);
}

/* Run to the HLT of a vector's handler, which interrupts @frames others and the guest. */
static bool is_handled(struct guest *guest, uint8_t vector, unsigned int frames)
{
	return guest_run(guest) == NVMM_VCPU_EXIT_HALTED &&
	       guest_gpr(guest, NVMM_X64_GPR_RIP) == HANDLER + vector + 1 &&
	       guest_gpr(guest, NVMM_X64_GPR_RSP) == STACK - frames * FRAME;
}

/* Return whether the guest continues after the HLT of the handler, without another event. */
static bool is_done(struct guest *guest, uint8_t vector, unsigned int frames)
{
	return !guest->vcpu.exit->exitstate.evt_pending &&
	       is_handled(guest, vector + 1, frames);
}

static const struct {
	unsigned int type;
	uint8_t vector;
} events[] = {
	{ NVMM_VCPU_EVENT_INTR, 0x30 },
	{ NVMM_VCPU_EVENT_INTR, 2 }, /* NMI */
	{ NVMM_VCPU_EVENT_EXCP, 6 },
};

TEST_F(delivery, vectors_are_mapped)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(events); i++) {
		LOAD(&self->g, 0xf4);
		ASSERT_EQ(0, unmap(&self->g, VECTORS));
		ASSERT_EQ(0, guest_inject(&self->g, events[i].type,
					  events[i].vector, 0));
		EXPECT_TRUE(exits_in(&self->g, VECTORS));
		EXPECT_TRUE(is_handled(&self->g, events[i].vector, 1));
		EXPECT_TRUE(is_done(&self->g, events[i].vector, 1));
	}
}

TEST_F(delivery, stack_is_mapped)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(events); i++) {
		LOAD(&self->g, 0xf4);
		ASSERT_EQ(0, unmap(&self->g, STACK_PAGE));
		ASSERT_EQ(0, guest_inject(&self->g, events[i].type,
					  events[i].vector, 0));
		EXPECT_TRUE(exits_in(&self->g, STACK_PAGE));
		EXPECT_EQ(PROT_WRITE, self->g.vcpu.exit->u.mem.prot);
		EXPECT_TRUE(is_handled(&self->g, events[i].vector, 1));
		EXPECT_TRUE(is_done(&self->g, events[i].vector, 1));
	}
}

/* Two exits for one event */
TEST_F(delivery, both_are_mapped)
{
	ASSERT_EQ(0, unmap(&self->g, VECTORS));
	ASSERT_EQ(0, unmap(&self->g, STACK_PAGE));
	ASSERT_EQ(0, guest_inject(&self->g, NVMM_VCPU_EVENT_INTR, 0x30, 0));
	ASSERT_EQ(NVMM_VCPU_EXIT_MEMORY, guest_run(&self->g));
	ASSERT_EQ(0, map(&self->g, self->g.vcpu.exit->u.mem.gpa & -PAGE));
	ASSERT_EQ(NVMM_VCPU_EXIT_MEMORY, guest_run(&self->g));
	ASSERT_EQ(0, map(&self->g, self->g.vcpu.exit->u.mem.gpa & -PAGE));
	EXPECT_TRUE(is_handled(&self->g, 0x30, 1));
	EXPECT_TRUE(is_done(&self->g, 0x30, 1));
}

/* The guest exits again as long as nothing is mapped. */
TEST_F(delivery, nothing_is_mapped)
{
	unsigned int i;

	ASSERT_EQ(0, unmap(&self->g, VECTORS));
	ASSERT_EQ(0, guest_inject(&self->g, NVMM_VCPU_EVENT_INTR, 0x30, 0));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(NVMM_VCPU_EXIT_MEMORY, guest_run(&self->g));
	EXPECT_EQ(STACK, guest_gpr(&self->g, NVMM_X64_GPR_RSP));
	ASSERT_EQ(0, map(&self->g, VECTORS));
	EXPECT_TRUE(is_handled(&self->g, 0x30, 1));
	EXPECT_TRUE(is_done(&self->g, 0x30, 1));
}

/* No instruction caused the exit, so that there is none to emulate; the event is kept. */
TEST_F(delivery, cannot_be_assisted)
{
	ASSERT_EQ(0, unmap(&self->g, VECTORS));
	ASSERT_EQ(0, guest_inject(&self->g, NVMM_VCPU_EVENT_INTR, 0x30, 0));
	ASSERT_EQ(NVMM_VCPU_EXIT_MEMORY, guest_run(&self->g));
	EXPECT_ERROR(EOPNOTSUPP, nvmm_assist_mem(&self->g.mach, &self->g.vcpu));
	EXPECT_EQ(0, self->g.calls);
	ASSERT_EQ(0, map(&self->g, VECTORS));
	EXPECT_TRUE(is_handled(&self->g, 0x30, 1));
	EXPECT_TRUE(is_done(&self->g, 0x30, 1));
}

/* nvmm_vcpu_stop() before the event is delivered */
TEST_F(delivery, is_kept_when_stopped)
{
	ASSERT_EQ(0, unmap(&self->g, VECTORS));
	ASSERT_EQ(0, guest_inject(&self->g, NVMM_VCPU_EVENT_INTR, 0x30, 0));
	ASSERT_TRUE(exits_in(&self->g, VECTORS));
	ASSERT_EQ(0, nvmm_vcpu_stop(&self->g.vcpu));
	ASSERT_EQ(NVMM_VCPU_EXIT_STOPPED, guest_run(&self->g));
	EXPECT_EQ(1, +self->g.vcpu.exit->exitstate.evt_pending);
	EXPECT_TRUE(is_handled(&self->g, 0x30, 1));
	EXPECT_TRUE(is_done(&self->g, 0x30, 1));
}

/* Another interrupt meanwhile: the handler of one of them lets the other one interrupt it. */
TEST_F(delivery, of_two_interrupts)
{
	memcpy(self->g.memory + HANDLER + 0x40, "\xfb\x90\xf4",
	       3); /* sti; nop */
	memcpy(self->g.memory + HANDLER + 0x30, "\xfb\x90\xf4", 3);
	ASSERT_EQ(0, unmap(&self->g, VECTORS));
	ASSERT_EQ(0, guest_inject(&self->g, NVMM_VCPU_EVENT_INTR, 0x30, 0));
	ASSERT_TRUE(exits_in(&self->g, VECTORS));
	ASSERT_EQ(0, guest_inject(&self->g, NVMM_VCPU_EVENT_INTR, 0x40, 0));
	ASSERT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
	EXPECT_EQ(STACK - 2 * FRAME, guest_gpr(&self->g, NVMM_X64_GPR_RSP));
	EXPECT_EQ(0, +self->g.vcpu.exit->exitstate.evt_pending);
}

TEST_HARNESS_MAIN
