// SPDX-License-Identifier: GPL-2.0
/*
 * VMCB clean bits (APM 15.15.3): a group of fields whose bit is set is not read,
 * any other group is. Clean bits are ignored until a run has loaded the VMCB.
 */
#include "runner.h"

#define EFER_SVME (1ull << 12)

MACHINE_FIXTURE(clean)

GUEST(halt, 64, "1: hlt\n jmp 1b");
GUEST(read_cr2, 64, "1: mov %cr2, %rax\n hlt\n jmp 1b");
GUEST(read_cr3, 64, "1: mov %cr3, %rax\n hlt\n jmp 1b");
GUEST(read_cr8, 64, "1: mov %cr8, %rax\n hlt\n jmp 1b");
GUEST(read_dr7, 64, "1: mov %dr7, %rax\n hlt\n jmp 1b");
GUEST(read_idtr, 64, "1: sidt 0xa000\n movzwl 0xa000, %eax\n hlt\n jmp 1b");
GUEST(read_ds, 64, "1: xor %eax, %eax\n mov %ds, %eax\n hlt\n jmp 1b");
GUEST(read_pat, 64, "1: mov $0x277, %ecx\n rdmsr\n hlt\n jmp 1b");
GUEST(triple_fault, 64, "ud2");
GUEST(cpuid, 64, "1: cpuid\n hlt\n jmp 1b");

/* ---- one group at a time: the guest shows whether a change was read ------ */

FIXTURE(group)
{
	struct machine m;
};

FIXTURE_VARIANT(group)
{
	const char *code;
	const char *code_end;
	uint32_t clean;
	uint32_t offset; /* of 2 bytes, which the guest copies to RAX */
	uint16_t one;
	uint16_t other;
};

FIXTURE_SETUP(group)
{
	ASSERT_EQ(0, machine_create(&self->m));
}

FIXTURE_TEARDOWN(group)
{
	machine_destroy(&self->m);
}

#define GROUP(name, field, guest, value, another)                              \
	FIXTURE_VARIANT_ADD(group, name)                                       \
	{                                                                      \
		.code = guest, .code_end = guest##_end,                        \
		.clean = SVM_CLEAN_##name,                                     \
		.offset = offsetof(struct svm_vmcb, field), .one = (value),    \
		.other = (another),                                            \
	}

GROUP(TPR, control.vintr, read_cr8, 1, 2);
GROUP(NP, save.g_pat, read_pat, 0x0406, 0x0606);
GROUP(CRx, save.cr3, read_cr3, 0x00, 0x18); /* PWT, PCD */
GROUP(DRx, save.dr7, read_dr7, 0x400, 0x500);
GROUP(DT, save.idtr.limit, read_idtr, 0x111, 0x222);
GROUP(SEG, save.ds.selector, read_ds, 0x8, 0x18);
GROUP(CR2, save.cr2, read_cr2, 0x1111, 0x2222);

/* Change the field to @value; return what the guest reads, or -1. */
static int shown(struct machine *m, const FIXTURE_VARIANT(group) * variant,
		 uint16_t value, uint32_t clean)
{
	struct svm_vmcb *vmcb = m->vcpu.vmcb;

	memcpy((char *)vmcb + variant->offset, &value, sizeof(value));
	vmcb->control.clean = clean;
	vmcb->save.rip = MACHINE_CODE;
	if (machine_run(m) || vmcb->control.exitcode != VMEXIT_HLT)
		return -1;
	return vmcb->save.rax & 0xffff;
}

TEST_F(group, is_read_if_its_clean_bit_is_clear)
{
	ASSERT_EQ(0, machine_load(&self->m, MODE_LONG, variant->code,
				  variant->code_end));
	memset(self->m.vcpu.msrpm, 0, 0x2000);
	if (variant->clean == SVM_CLEAN_NP &&
	    variant->one != shown(&self->m, variant, variant->one, 0))
		SKIP(return, "the processor does not load G_PAT");
	EXPECT_EQ(variant->one, shown(&self->m, variant, variant->one, 0));
	EXPECT_EQ(variant->one,
		  shown(&self->m, variant, variant->other, variant->clean));
	EXPECT_EQ(variant->one, shown(&self->m, variant, variant->other, ~0u));
	EXPECT_EQ(variant->other,
		  shown(&self->m, variant, variant->other, ~variant->clean));
	EXPECT_EQ(variant->one, shown(&self->m, variant, variant->one, 0));
}

/* ---- groups that show by exit codes -------------------------------------- */

static uint64_t exit_of(struct machine *m, uint32_t clean)
{
	m->vcpu.vmcb->control.clean = clean;
	m->vcpu.vmcb->save.rip = MACHINE_CODE;
	return machine_run(m) ? 0 : m->vcpu.vmcb->control.exitcode;
}

TEST_F(clean, intercepts)
{
	struct svm_vmcb_control *control = &self->m.vcpu.vmcb->control;

	MACHINE_LOAD(&self->m, MODE_LONG, cpuid);
	control->intercept[3] &= ~SVM_INTERCEPT3_CPUID;
	ASSERT_EQ(VMEXIT_HLT, exit_of(&self->m, 0));
	control->intercept[3] |= SVM_INTERCEPT3_CPUID;
	EXPECT_EQ(VMEXIT_HLT, exit_of(&self->m, SVM_CLEAN_I));
	EXPECT_EQ(VMEXIT_CPUID, exit_of(&self->m, ~SVM_CLEAN_I));
}

TEST_F(clean, permission_map)
{
	MACHINE_LOAD(&self->m, MODE_LONG, read_pat);
	memset(self->m.vcpu.msrpm, 0, 0x2000);
	ASSERT_EQ(VMEXIT_HLT, exit_of(&self->m, 0));
	memset(self->m.vcpu.msrpm, 0xff, 0x2000);
	EXPECT_EQ(VMEXIT_HLT, exit_of(&self->m, SVM_CLEAN_IOPM));
	EXPECT_EQ(VMEXIT_MSR, exit_of(&self->m, ~SVM_CLEAN_IOPM));
}

/* Fields that belong to no group are always read. */
TEST_F(clean, flow)
{
	struct svm_vmcb *vmcb = self->m.vcpu.vmcb;

	MACHINE_LOAD(&self->m, MODE_LONG, halt);
	ASSERT_EQ(VMEXIT_HLT, exit_of(&self->m, 0));
	vmcb->save.rax = 0x1234;
	vmcb->save.kernel_gs_base = 0x5678;
	ASSERT_EQ(VMEXIT_HLT, exit_of(&self->m, ~0u));
	EXPECT_EQ(0x1234, vmcb->save.rax);
	EXPECT_EQ(0x5678, vmcb->save.kernel_gs_base);
}

/* ---- states that no run has loaded --------------------------------------- */

TEST_F(clean, first_run_ignores_clean_bits)
{
	MACHINE_LOAD(&self->m, MODE_LONG, halt);
	EXPECT_EQ(VMEXIT_HLT, exit_of(&self->m, ~0u));
}

TEST_F(clean, refused_run_ignores_clean_bits)
{
	struct svm_vmcb *vmcb = self->m.vcpu.vmcb;

	MACHINE_LOAD(&self->m, MODE_LONG, read_cr2);
	ASSERT_EQ(VMEXIT_HLT, exit_of(&self->m, 0));
	vmcb->save.cr2 = 0x1234;
	vmcb->control.nested_ctl = 0;
	ASSERT_EQ(VMEXIT_INVALID, exit_of(&self->m, 0));
	vmcb->control.nested_ctl = SVM_NESTED_NP_ENABLE;
	ASSERT_EQ(VMEXIT_HLT, exit_of(&self->m, ~0u));
	EXPECT_EQ(0x1234, vmcb->save.rax);
}

TEST_F(clean, illegal_state_ignores_clean_bits)
{
	struct svm_vmcb *vmcb = self->m.vcpu.vmcb;
	uint64_t dr7;

	MACHINE_LOAD(&self->m, MODE_LONG, halt);
	ASSERT_EQ(VMEXIT_HLT, exit_of(&self->m, 0));
	dr7 = vmcb->save.dr7;
	vmcb->save.dr7 = dr7 | 1ull << 32;
	ASSERT_EQ(VMEXIT_INVALID, exit_of(&self->m, 0));
	vmcb->save.dr7 = dr7;
	EXPECT_EQ(VMEXIT_HLT, exit_of(&self->m, ~0u));
}

TEST_F(clean, run_that_did_not_begin_ignores_clean_bits)
{
	struct svm_vmcb *vmcb = self->m.vcpu.vmcb;

	MACHINE_LOAD(&self->m, MODE_LONG, read_cr2);
	ASSERT_EQ(VMEXIT_HLT, exit_of(&self->m, 0));
	vmcb->save.cr2 = 0x1234;
	self->m.vcpu.regs->immediate_exit = 1;
	ASSERT_EQ(-EINTR, machine_run(&self->m));
	self->m.vcpu.regs->immediate_exit = 0;
	ASSERT_EQ(VMEXIT_HLT, exit_of(&self->m, ~0u));
	EXPECT_EQ(0x1234, vmcb->save.rax);
}

/* A kick ends the run before the guest is entered, but after the VMCB was read. */
TEST_F(clean, kicked_run_has_read)
{
	struct svm_vmcb *vmcb = self->m.vcpu.vmcb;

	MACHINE_LOAD(&self->m, MODE_LONG, read_cr2);
	ASSERT_EQ(VMEXIT_HLT, exit_of(&self->m, 0));
	vmcb->save.cr2 = 0x1234;
	vmcb->control.clean = 0;
	ASSERT_EQ(0, call(self->m.vcpu.fd, SVMRUN_KICK, NULL));
	ASSERT_EQ(-EINTR, machine_run(&self->m));
	ASSERT_EQ(VMEXIT_HLT, exit_of(&self->m, ~0u));
	EXPECT_EQ(0x1234, vmcb->save.rax);
}

/*
 * Clean bits say that a CPU may use its cached state; another CPU has cached none.
 */
TEST_F(clean, clean_on_every_cpu)
{
	struct svm_vmcb *vmcb = self->m.vcpu.vmcb;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (cpus < 2)
		SKIP(return, "only one CPU");
	MACHINE_LOAD(&self->m, MODE_LONG, read_cr2);
	vmcb->save.cr2 = 0x4321;
	for (int i = 0; i < 200; i++) {
		ASSERT_EQ(0, cpu_pin(i % cpus));
		vmcb->save.rax = 0;
		ASSERT_EQ(VMEXIT_HLT, exit_of(&self->m, i ? ~0u : 0));
		ASSERT_EQ(0x4321, vmcb->save.rax);
	}
}

/*
 * After SHUTDOWN the state is undefined (APM 15.14.3), so all of it is checked
 * again.
 */
TEST_F(clean, clean_bits_are_ignored_after_a_shutdown)
{
	struct svm_vmcb *vmcb = self->m.vcpu.vmcb;

	MACHINE_LOAD(&self->m, MODE_LONG, triple_fault);
	vmcb->save.idtr.limit = 0;
	ASSERT_EXIT(VMEXIT_SHUTDOWN, &self->m);
	vmcb->save.efer &= ~EFER_SVME;
	vmcb->control.clean = SVM_CLEAN_ALL;
	ASSERT_EXIT(VMEXIT_INVALID, &self->m);
	EXPECT_EQ(offsetof(struct svm_vmcb, save.efer),
		  self->m.vcpu.regs->out_invalid_offset);
}

TEST_HARNESS_MAIN
