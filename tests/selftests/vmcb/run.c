// SPDX-License-Identifier: GPL-2.0
/* SVMRUN_RUN: exits to the program, and the guest's state after them */
#include "machine.h"

#define UNMAPPED 0x200000ul /* outside the machine's memory */

MACHINE_FIXTURE(run)

#define VMCB (self->m.vcpu.vmcb)
#define REGS (self->m.vcpu.regs)

/* ---- instructions that are intercepted ----------------------------------- */

GUEST(halt, 16, "nop\n hlt");
GUEST(cpuid, 16, "cpuid");
GUEST(vmmcall, 32, "vmmcall");
GUEST(rdmsr, 32, "mov $0x1b, %ecx\n rdmsr");
GUEST(wrmsr, 32, "mov $0x1b, %ecx\n wrmsr");
GUEST(outs, 32,
      "outb %al, $0x80\n outw %ax, $0x81\n outl %eax, $0x82\n"
      "mov $0x1234, %dx\n inb %dx, %al\n inw %dx, %ax\n"
      "inl %dx, %eax");

TEST_F(run, hlt)
{
	MACHINE_LOAD(&self->m, MODE_REAL, halt);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(MACHINE_CODE + 1, VMCB->save.rip);
	EXPECT_EQ(SVMRUN_INVALID_NONE, REGS->out_invalid_reason);
	/* Without a change of RIP the instruction exits again. */
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(MACHINE_CODE + 1, VMCB->save.rip);
}

TEST_F(run, cpuid)
{
	MACHINE_LOAD(&self->m, MODE_REAL, cpuid);
	ASSERT_EXIT(VMEXIT_CPUID, &self->m);
	EXPECT_EQ(MACHINE_CODE, VMCB->save.rip);
}

TEST_F(run, vmmcall)
{
	MACHINE_LOAD(&self->m, MODE_PROTECTED, vmmcall);
	VMCB->control.intercept[4] |= SVM_INTERCEPT4_VMMCALL;
	ASSERT_EXIT(VMEXIT_VMMCALL, &self->m);
	EXPECT_EQ(MACHINE_CODE, VMCB->save.rip);
}

TEST_F(run, msr)
{
	MACHINE_LOAD(&self->m, MODE_PROTECTED, rdmsr);
	ASSERT_EXIT(VMEXIT_MSR, &self->m);
	EXPECT_EQ(0, VMCB->control.exitinfo1);
	EXPECT_EQ(0x1b, REGS->rcx);
	MACHINE_LOAD(&self->m, MODE_PROTECTED, wrmsr);
	ASSERT_EXIT(VMEXIT_MSR, &self->m);
	EXPECT_EQ(1, VMCB->control.exitinfo1);
}

TEST_F(run, ioio)
{
	const struct {
		uint16_t port, flags, length;
	} accesses[] = {
		{ 0x80, SVM_IOIO_SZ8, 2 },
		{ 0x81, SVM_IOIO_SZ16, 3 },
		{ 0x82, SVM_IOIO_SZ32, 2 },
		{ 0x1234, SVM_IOIO_SZ8 | SVM_IOIO_IN, 5 },
		{ 0x1234, SVM_IOIO_SZ16 | SVM_IOIO_IN, 2 },
		{ 0x1234, SVM_IOIO_SZ32 | SVM_IOIO_IN, 1 },
	};
	const uint64_t shape = 0x70 | SVM_IOIO_IN | SVM_IOIO_STR | SVM_IOIO_REP;
	uint64_t next = MACHINE_CODE;

	MACHINE_LOAD(&self->m, MODE_PROTECTED, outs);
	for (size_t i = 0; i < ARRAY_SIZE(accesses); i++) {
		ASSERT_EXIT(VMEXIT_IOIO, &self->m);
		EXPECT_EQ(accesses[i].port, VMCB->control.exitinfo1 >> 16);
		EXPECT_EQ(accesses[i].flags, VMCB->control.exitinfo1 & shape);
		next += accesses[i].length;
		EXPECT_EQ(next, VMCB->control.exitinfo2);
		VMCB->save.rip = VMCB->control.exitinfo2;
	}
}

/* ---- unmapped memory ----------------------------------------------------- */

GUEST(load, 32, "mov (%ebx), %eax");
GUEST(store, 32, "mov %eax, (%ebx)");
GUEST(jump, 32, "jmp *%ebx");

static void unmapped(struct __test_metadata *_metadata, struct machine *m,
		     uint64_t want)
{
	const uint64_t shape = SVM_NPF_PRESENT | SVM_NPF_WRITE |
			       SVM_NPF_RESERVED | SVM_NPF_FETCH |
			       SVM_NPF_FINAL | SVM_NPF_TABLE;
	struct svm_vmcb_control *control = &m->vcpu.vmcb->control;

	m->vcpu.regs->rbx = UNMAPPED + 0x123;
	ASSERT_EXIT(VMEXIT_NPF, m);
	EXPECT_EQ(want, control->exitinfo1 & shape);
	EXPECT_EQ(UNMAPPED + 0x123, control->exitinfo2);
}

TEST_F(run, unmapped_read)
{
	MACHINE_LOAD(&self->m, MODE_PROTECTED, load);
	unmapped(_metadata, &self->m, SVM_NPF_FINAL);
	EXPECT_EQ(MACHINE_CODE, VMCB->save.rip);
}

TEST_F(run, unmapped_write)
{
	MACHINE_LOAD(&self->m, MODE_PROTECTED, store);
	unmapped(_metadata, &self->m, SVM_NPF_FINAL | SVM_NPF_WRITE);
	EXPECT_EQ(MACHINE_CODE, VMCB->save.rip);
}

TEST_F(run, unmapped_fetch)
{
	MACHINE_LOAD(&self->m, MODE_PROTECTED, jump);
	unmapped(_metadata, &self->m, SVM_NPF_FINAL | SVM_NPF_FETCH);
	EXPECT_EQ(UNMAPPED + 0x123, VMCB->save.rip);
}

TEST_F(run, unmapped_page_table)
{
	MACHINE_LOAD(&self->m, MODE_LONG, halt);
	VMCB->save.cr3 = UNMAPPED;
	ASSERT_EXIT(VMEXIT_NPF, &self->m);
	EXPECT_EQ(SVM_NPF_TABLE,
		  VMCB->control.exitinfo1 & (SVM_NPF_TABLE | SVM_NPF_FINAL));
	EXPECT_EQ(UNMAPPED, VMCB->control.exitinfo2 & -PAGE);
}

/* ---- state --------------------------------------------------------------- */

/* Move each register to the next one, and R15 to RAX. */
GUEST(rotate, 64,
      "xchg %rax, %rcx\n xchg %rax, %rdx\n xchg %rax, %rbx\n"
      "xchg %rax, %rsp\n xchg %rax, %rbp\n xchg %rax, %rsi\n"
      "xchg %rax, %rdi\n xchg %rax, %r8\n xchg %rax, %r9\n"
      "xchg %rax, %r10\n xchg %rax, %r11\n xchg %rax, %r12\n"
      "xchg %rax, %r13\n xchg %rax, %r14\n xchg %rax, %r15\n hlt");

static uint64_t marked(int i)
{
	return 0x0102030405060708ull * (i + 1);
}

TEST_F(run, general_registers)
{
	MACHINE_LOAD(&self->m, MODE_LONG, rotate);
	for (int i = 0; i < 16; i++)
		svmrun_vcpu_set_gpr(&self->m.vcpu, i, marked(i));
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	for (int i = 0; i < 16; i++) {
		EXPECT_EQ(marked((i + 15) % 16),
			  svmrun_vcpu_get_gpr(&self->m.vcpu, i))
		{
			TH_LOG("register %d", i);
		}
	}
}

/* Load CR3 with the address of a copy of the page table's root. */
#define OTHER_ROOT 0x1f000

GUEST(change_state, 64,
      "movl $0xabc, %eax\n mov %rax, %cr2\n"
      "movl $0x1f000, %eax\n mov %rax, %cr3\n"
      "lgdt 1f(%rip)\n lidt 1f(%rip)\n stc\n std\n hlt\n"
      "1: .word 0x7f\n .quad 0x5000");

TEST_F(run, system_registers)
{
	MACHINE_LOAD(&self->m, MODE_LONG, change_state);
	memcpy(machine_at(&self->m, OTHER_ROOT),
	       machine_at(&self->m, MACHINE_TABLES), PAGE);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(0xabc, VMCB->save.cr2);
	EXPECT_EQ(OTHER_ROOT, VMCB->save.cr3);
	EXPECT_EQ(0x5000, VMCB->save.gdtr.base);
	EXPECT_EQ(0x7f, VMCB->save.idtr.limit);
	EXPECT_EQ(0x401, VMCB->save.rflags & 0x401); /* DF, CF */
}

GUEST(change_segments, 16,
      "mov $0x1234, %ax\n mov %ax, %ds\n"
      "mov %ax, %gs\n hlt");

TEST_F(run, segments)
{
	MACHINE_LOAD(&self->m, MODE_REAL, change_segments);
	VMCB->save.kernel_gs_base = 0x0000334455667788;
	VMCB->save.lstar = 0xffff800012345678;
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(0x1234, VMCB->save.ds.selector);
	EXPECT_EQ(0x12340, VMCB->save.ds.base);
	EXPECT_EQ(0x1234, VMCB->save.gs.selector);
	EXPECT_EQ(0x12340, VMCB->save.gs.base);
	EXPECT_EQ(0x0000334455667788, VMCB->save.kernel_gs_base);
	EXPECT_EQ(0xffff800012345678, VMCB->save.lstar);
}

GUEST(count, 32, "mov $100000000, %ecx\n 1: loop 1b\n hlt");

/* Interrupts of the host do not end a RUN; they are counted. */
TEST_F(run, interrupts_are_the_hosts)
{
	MACHINE_LOAD(&self->m, MODE_PROTECTED, count);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(0, REGS->rcx);
	EXPECT_NE(0, REGS->out_exits_interrupt);
	EXPECT_NE(0, REGS->out_exits_fault);
}

TEST_HARNESS_MAIN
