// SPDX-License-Identifier: GPL-2.0
/*
 * Exceptions and interrupts: intercepted, injected, given back, and interrupted
 * in turn by a fault on the memory that they are delivered through.
 */
#include "machine.h"

#define VECTOR_DB	1
#define VECTOR_BP	3
#define VECTOR_UD	6
#define VECTOR_INT	0x21

#define HLT 0xf4

/* A stack that nobody has touched: the first push to it faults. */
#define FRESH_SEGMENT	0x3000
#define FRESH		0x30000ul
#define FRESH_TOP	0x800

MACHINE_FIXTURE(injection)

#define VMCB (self->m.vcpu.vmcb)
#define REGS (self->m.vcpu.regs)

GUEST(halt, 16, "hlt");
GUEST(undefined, 16, "ud2");
GUEST(single_step, 16,
      "pushf\n mov %sp, %bp\n orw $0x100, (%bp)\n popf\n"
      "nop\n hlt");

/* In real mode vectors are at 0: this one leads to a HLT at MACHINE_DATA. */
static void handler_at_data(struct machine *m, int vector)
{
	*(uint32_t *)machine_at(m, vector * 4) = MACHINE_DATA;
	*(uint8_t *)machine_at(m, MACHINE_DATA) = HLT;
}

TEST_F(injection, triple_fault)
{
	MACHINE_LOAD(&self->m, MODE_PROTECTED, undefined);
	VMCB->save.idtr.limit = 0;
	ASSERT_EXIT(VMEXIT_SHUTDOWN, &self->m);
}

TEST_F(injection, exception_intercepted)
{
	MACHINE_LOAD(&self->m, MODE_REAL, undefined);
	VMCB->control.intercept[2] = SVM_INTERCEPT2_EXCEPTION(VECTOR_UD);
	ASSERT_EXIT(VMEXIT_EXCP(VECTOR_UD), &self->m);
	EXPECT_EQ(MACHINE_CODE, VMCB->save.rip);
}

TEST_F(injection, exception_injected)
{
	MACHINE_LOAD(&self->m, MODE_REAL, halt);
	handler_at_data(&self->m, VECTOR_UD);
	VMCB->control.eventinj = SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION |
				 VECTOR_UD;
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(MACHINE_DATA, VMCB->save.rip);
	EXPECT_EQ(0, VMCB->control.eventinj & SVM_EVENT_VALID);
}

TEST_F(injection, debug_exception_given_back)
{
	MACHINE_LOAD(&self->m, MODE_REAL, single_step);
	handler_at_data(&self->m, VECTOR_DB);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(MACHINE_DATA, VMCB->save.rip);
	EXPECT_LE(1, REGS->out_exits_reflected);
}

TEST_F(injection, debug_exception_intercepted)
{
	MACHINE_LOAD(&self->m, MODE_REAL, single_step);
	VMCB->control.intercept[2] = SVM_INTERCEPT2_EXCEPTION(VECTOR_DB);
	ASSERT_EXIT(VMEXIT_EXCP(VECTOR_DB), &self->m);
	EXPECT_EQ(0, REGS->out_exits_reflected);
}

/* ---- interrupted delivery ------------------------------------------------ */

/* Counts in BX, and looks where it came from. */
GUEST(handler, 16, "inc %bx\n mov %sp, %bp\n mov (%bp), %cx\n iret");
/* Steps over the two bytes that it came from. */
GUEST(handler_of_fault, 16,
      "inc %bx\n mov %sp, %bp\n mov (%bp), %cx\n"
      "addw $2, (%bp)\n iret");

GUEST(software_interrupt, 16, "int $0x21\n hlt");
GUEST(breakpoint, 16, "int3\n nop\n hlt");

static void fresh_stack(struct machine *m, int vector, const char *code,
			const char *code_end)
{
	struct svm_vmcb_save *save = &m->vcpu.vmcb->save;

	*(uint32_t *)machine_at(m, vector * 4) = MACHINE_DATA;
	memcpy(machine_at(m, MACHINE_DATA), code, code_end - code);
	save->ss.selector = FRESH_SEGMENT;
	save->ss.base = FRESH;
	save->rsp = FRESH_TOP;
	m->vcpu.regs->rbx = 0;
}

#define FRESH_STACK(m, vector, code) fresh_stack(m, vector, code, code##_end)

/* The handler ran once, from @from, and the guest halted at @halted. */
static void expect_delivered(struct __test_metadata *_metadata,
			     struct machine *m, uint64_t from, uint64_t halted)
{
	ASSERT_EXIT(VMEXIT_HLT, m);
	EXPECT_EQ(1, m->vcpu.regs->rbx);
	EXPECT_EQ(from, m->vcpu.regs->rcx);
	EXPECT_EQ(halted, m->vcpu.vmcb->save.rip);
	EXPECT_EQ(FRESH_TOP, m->vcpu.vmcb->save.rsp);
}

TEST_F(injection, exception_through_fault)
{
	MACHINE_LOAD(&self->m, MODE_REAL, undefined);
	FRESH_STACK(&self->m, VECTOR_UD, handler_of_fault);
	*(uint8_t *)machine_at(&self->m, MACHINE_CODE + 2) = HLT;
	expect_delivered(_metadata, &self->m, MACHINE_CODE, MACHINE_CODE + 2);
}

TEST_F(injection, software_interrupt_through_fault)
{
	MACHINE_LOAD(&self->m, MODE_REAL, software_interrupt);
	FRESH_STACK(&self->m, VECTOR_INT, handler);
	expect_delivered(_metadata, &self->m, MACHINE_CODE + 2,
			 MACHINE_CODE + 2);
}

TEST_F(injection, breakpoint_through_fault)
{
	MACHINE_LOAD(&self->m, MODE_REAL, breakpoint);
	FRESH_STACK(&self->m, VECTOR_BP, handler);
	expect_delivered(_metadata, &self->m, MACHINE_CODE + 1,
			 MACHINE_CODE + 2);
}

TEST_F(injection, injected_interrupt_through_fault)
{
	MACHINE_LOAD(&self->m, MODE_REAL, halt);
	FRESH_STACK(&self->m, VECTOR_INT, handler);
	VMCB->control.eventinj = SVM_EVENT_VALID | SVM_EVENT_TYPE_INTR |
				 VECTOR_INT;
	expect_delivered(_metadata, &self->m, MACHINE_CODE, MACHINE_CODE);
}

/* What the program sees interrupted is left to the program. */
TEST_F(injection, exception_interrupted_by_exit)
{
	MACHINE_LOAD(&self->m, MODE_REAL, undefined);
	FRESH_STACK(&self->m, VECTOR_UD, handler_of_fault);
	ASSERT_EQ(0, machine_unmap(&self->m, FRESH, PAGE));
	ASSERT_EXIT(VMEXIT_NPF, &self->m);
	EXPECT_EQ(FRESH, VMCB->control.exitinfo2 & -PAGE);
	EXPECT_EQ(SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION | VECTOR_UD,
		  (uint32_t)VMCB->control.exitintinfo);
	EXPECT_EQ(MACHINE_CODE, VMCB->save.rip);
}

/* A run that fails can be tried again, and the event is still to come. */
TEST_F(injection, interrupt_survives_failed_run)
{
	void *stack = machine_at(&self->m, FRESH);

	MACHINE_LOAD(&self->m, MODE_REAL, halt);
	FRESH_STACK(&self->m, VECTOR_INT, handler);
	VMCB->control.eventinj = SVM_EVENT_VALID | SVM_EVENT_TYPE_INTR |
				 VECTOR_INT;
	ASSERT_EQ(0, mprotect(stack, PAGE, PROT_NONE));
	ASSERT_EQ(-EFAULT, machine_run(&self->m));
	EXPECT_EQ(VMEXIT_NPF, VMCB->control.exitcode);
	EXPECT_EQ(FRESH, VMCB->control.exitinfo2 & -PAGE);
	ASSERT_EQ(-EFAULT, machine_run(&self->m));
	ASSERT_EQ(0, mprotect(stack, PAGE, PROT_READ | PROT_WRITE));
	expect_delivered(_metadata, &self->m, MACHINE_CODE, MACHINE_CODE);
}

TEST_HARNESS_MAIN
