// SPDX-License-Identifier: GPL-2.0
/*
 * The MSR permission map (APM 15.11) and I/O ports (APM 15.10): an access that both
 * the program and svmrun permit does not exit, every other access does.
 */
#include "machine.h"

#define MSRPM_SIZE (2 * PAGE)

MACHINE_FIXTURE(permissions)

#define VMCB (self->m.vcpu.vmcb)
#define REGS (self->m.vcpu.regs)

/* EBX: the MSR; R8: value to write; R9: value read */
GUEST(read_msr, 64,
      "mov %ebx, %ecx\n rdmsr\n shl $32, %rdx\n or %rdx, %rax\n"
      "mov %rax, %r9\n hlt");
GUEST(write_msr, 64,
      "mov %ebx, %ecx\n mov %r8, %rax\n mov %r8, %rdx\n"
      "shr $32, %rdx\n wrmsr\n hlt");

enum { READ, WRITE };

/* Set or clear the bit of an MSR in the map (APM 15.11). */
static void msrpm_set(struct machine *m, uint32_t msr, int access,
		      bool intercept)
{
	static const uint32_t bases[] = { 0, 0xc0000000, 0xc0010000 };

	for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
		uint32_t bit = (msr - bases[i]) * 2 + access;
		uint8_t *byte = m->vcpu.msrpm + i * 0x800 + bit / 8;

		if (msr - bases[i] >= 0x2000)
			continue;
		*byte &= ~(1u << bit % 8);
		*byte |= intercept << bit % 8;
	}
}

/* Access an MSR; return the exit code. */
static uint64_t access_msr(struct machine *m, uint32_t msr, int access,
			   uint64_t value)
{
	if (access == WRITE)
		MACHINE_LOAD(m, MODE_LONG, write_msr);
	else
		MACHINE_LOAD(m, MODE_LONG, read_msr);
	m->vcpu.regs->rbx = msr;
	m->vcpu.regs->r8 = value;
	return machine_run(m) ? 0 : m->vcpu.vmcb->control.exitcode;
}

/* ---- each MSR that svmrun permits ---------------------------------------- */

FIXTURE(allowed)
{
	struct machine m;
};

FIXTURE_VARIANT(allowed)
{
	uint32_t msr;
	uint32_t offset; /* of the guest's value in the VMCB */
	uint64_t value;
};

FIXTURE_SETUP(allowed)
{
	ASSERT_EQ(0, machine_create(&self->m));
}

FIXTURE_TEARDOWN(allowed)
{
	machine_destroy(&self->m);
}

#define ALLOWED(name, number, field, written)                                  \
	FIXTURE_VARIANT_ADD(allowed, name)                                     \
	{                                                                      \
		.msr = number, .offset = offsetof(struct svm_vmcb, field),     \
		.value = written,                                              \
	}

ALLOWED(sysenter_cs, 0x174, save.sysenter_cs, 0x33);
ALLOWED(sysenter_esp, 0x175, save.sysenter_esp, 0x7fff12345678);
ALLOWED(sysenter_eip, 0x176, save.sysenter_eip, 0x7fff87654321);
ALLOWED(pat, 0x277, save.g_pat, 0x0006040600070406);
ALLOWED(star, 0xc0000081, save.star, 0x0023001012345678);
ALLOWED(lstar, 0xc0000082, save.lstar, 0x7ffffedcba98);
ALLOWED(cstar, 0xc0000083, save.cstar, 0x7ffff89abcde);
ALLOWED(sfmask, 0xc0000084, save.sfmask, 0x47700);
ALLOWED(fs_base, 0xc0000100, save.fs.base, 0x7fff11112222);
ALLOWED(gs_base, 0xc0000101, save.gs.base, 0x7fff33334444);
ALLOWED(kernel_gs_base, 0xc0000102, save.kernel_gs_base, 0x7fff55556666);

#define STATE(m, offset) (*(uint64_t *)((char *)(m)->vcpu.vmcb + (offset)))

TEST_F(allowed, accesses_the_guests_register)
{
	struct machine *m = &self->m;

	memset(m->vcpu.msrpm, 0, MSRPM_SIZE);
	ASSERT_EQ(VMEXIT_HLT,
		  access_msr(m, variant->msr, WRITE, variant->value));
	if (variant->msr == 0x277 &&
	    STATE(m, variant->offset) != variant->value)
		SKIP(return, "the processor has no separate G_PAT");
	EXPECT_EQ(variant->value, STATE(m, variant->offset));
	MACHINE_LOAD(m, MODE_LONG, read_msr);
	STATE(m, variant->offset) = variant->value;
	m->vcpu.regs->rbx = variant->msr;
	ASSERT_EXIT(VMEXIT_HLT, m);
	EXPECT_EQ(variant->value, m->vcpu.regs->r9);
}

/* Reads and writes separately */
TEST_F(allowed, exits_if_the_program_intercepts_it)
{
	struct machine *m = &self->m;

	for (int access = READ; access <= WRITE; access++) {
		memset(m->vcpu.msrpm, 0, MSRPM_SIZE);
		msrpm_set(m, variant->msr, access, true);
		EXPECT_EQ(VMEXIT_MSR,
			  access_msr(m, variant->msr, access, variant->value));
		EXPECT_EQ(access, m->vcpu.vmcb->control.exitinfo1);
		EXPECT_EQ(VMEXIT_HLT,
			  access_msr(m, variant->msr, !access, variant->value));
	}
}

TEST_F(allowed, exits_unless_the_program_allows_it)
{
	struct machine *m = &self->m;

	memset(m->vcpu.msrpm, 0xff, MSRPM_SIZE);
	EXPECT_EQ(VMEXIT_MSR, access_msr(m, variant->msr, READ, 0));
	EXPECT_EQ(VMEXIT_MSR, access_msr(m, variant->msr, WRITE, 0));
	msrpm_set(m, variant->msr, READ, false);
	EXPECT_EQ(VMEXIT_HLT, access_msr(m, variant->msr, READ, 0));
	EXPECT_EQ(VMEXIT_MSR, access_msr(m, variant->msr, WRITE, 0));
}

/* ---- other MSRs ---------------------------------------------------------- */

TEST_F(permissions, tsc_can_be_read_only)
{
	struct machine *m = &self->m;

	memset(m->vcpu.msrpm, 0, MSRPM_SIZE);
	EXPECT_EQ(VMEXIT_MSR, access_msr(m, 0x10, WRITE, 0));
	ASSERT_EQ(VMEXIT_HLT, access_msr(m, 0x10, READ, 0));
	if (!REGS->r9)
		SKIP(return, "RDMSR of the TSC returns 0");
	MACHINE_LOAD(m, MODE_LONG, read_msr);
	VMCB->control.tsc_offset = 1ull << 62;
	REGS->rbx = 0x10;
	ASSERT_EXIT(VMEXIT_HLT, m);
	EXPECT_EQ(1, REGS->r9 >> 62);
}

GUEST(read_tsc, 64,
      "rdtsc\n shl $32, %rdx\n or %rdx, %rax\n mov %rax, %r9\n hlt");

/* Return the guest's TSC with this offset, relative to the host's. */
static int64_t guest_tsc(struct machine *m, uint64_t offset)
{
	MACHINE_LOAD(m, MODE_LONG, read_tsc);
	m->vcpu.vmcb->control.tsc_offset = offset;
	if (machine_run(m) || m->vcpu.vmcb->control.exitcode != VMEXIT_HLT)
		return 0;
	return m->vcpu.regs->r9 - __builtin_ia32_rdtsc();
}

TEST_F(permissions, tsc_is_offset)
{
	const int64_t offset = 1ll << 56, near = 1ll << 40;
	int64_t ahead = guest_tsc(&self->m, offset);
	int64_t behind = guest_tsc(&self->m, -offset);

	EXPECT_LT(offset - near, ahead);
	EXPECT_GT(offset, ahead);
	EXPECT_GT(-offset, behind);
	EXPECT_LT(-offset - near, behind);
	EXPECT_GT(0, guest_tsc(&self->m, 0));
}

/*
 * The LBR MSRs are permitted only while LBR virtualization separates them from the
 * host's.
 */
TEST_F(permissions, last_branch_records)
{
	static const uint32_t msrs[] = { 0x1d9, 0x1db, 0x1dc, 0x1dd, 0x1de };
	struct machine *m = &self->m;

	memset(m->vcpu.msrpm, 0, MSRPM_SIZE);
	for (size_t i = 0; i < ARRAY_SIZE(msrs); i++)
		EXPECT_EQ(VMEXIT_MSR, access_msr(m, msrs[i], READ, 0));
	if (!(m->info.out_svm_features & SVM_FEATURE_LBR_VIRT))
		SKIP(return, "no LBR virtualization; the rest is not tested");
	for (size_t i = 0; i < ARRAY_SIZE(msrs); i++) {
		MACHINE_LOAD(m, MODE_LONG, read_msr);
		VMCB->control.virt_ext = SVM_VIRT_LBR_ENABLE;
		REGS->rbx = msrs[i];
		EXPECT_EQ(0, machine_run(m));
		EXPECT_EQ(VMEXIT_HLT, VMCB->control.exitcode);
	}
	/*
	 * DEBUGCTL cannot be written without the program, which decides on its
	 * bits.
	 */
	MACHINE_LOAD(m, MODE_LONG, write_msr);
	VMCB->control.virt_ext = SVM_VIRT_LBR_ENABLE;
	REGS->rbx = 0x1d9;
	EXPECT_EQ(0, machine_run(m));
	EXPECT_EQ(VMEXIT_MSR, VMCB->control.exitcode);
}

/* Accesses outside the ranges of the map always exit (APM 15.11). */
TEST_F(permissions, outside_of_the_map)
{
	static const uint32_t msrs[] = { 0x2000,     0x40000000, 0xbfffffff,
					 0xc0002000, 0xc0012000, 0xffffffff };

	memset(self->m.vcpu.msrpm, 0, MSRPM_SIZE);
	for (size_t i = 0; i < ARRAY_SIZE(msrs); i++) {
		EXPECT_EQ(VMEXIT_MSR, access_msr(&self->m, msrs[i], READ, 0));
		EXPECT_EQ(VMEXIT_MSR, access_msr(&self->m, msrs[i], WRITE, 0));
	}
}

/* ---- ports --------------------------------------------------------------- */

/* EBX: distance of the ports */
GUEST(every_port, 64,
      "xor %edx, %edx\n 1: out %al, %dx\n add %bx, %dx\n jnc 1b\n hlt");
GUEST(last_ports, 64,
      "mov $0xfffd, %edx\n in (%dx), %eax\n inc %edx\n"
      "in (%dx), %ax\n inc %edx\n in (%dx), %eax\n in (%dx), %al\n hlt");

TEST_F_TIMEOUT(permissions, every_port_exits, 100)
{
	MACHINE_LOAD(&self->m, MODE_LONG, every_port);
	REGS->rbx = one_in();
	for (uint32_t port = 0; port < 0x10000; port += one_in()) {
		ASSERT_EXIT(VMEXIT_IOIO, &self->m);
		ASSERT_EQ(port, VMCB->control.exitinfo1 >> 16);
		VMCB->save.rip = VMCB->control.exitinfo2;
	}
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
}

/* Also accesses that extend beyond the last port (APM 15.10.1) */
TEST_F(permissions, ports_at_the_end_exit)
{
	static const uint16_t ports[] = { 0xfffd, 0xfffe, 0xffff, 0xffff };

	MACHINE_LOAD(&self->m, MODE_LONG, last_ports);
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		ASSERT_EXIT(VMEXIT_IOIO, &self->m);
		EXPECT_EQ(ports[i], VMCB->control.exitinfo1 >> 16);
		VMCB->save.rip = VMCB->control.exitinfo2;
	}
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
}

/*
 * The map is created when the program first touches it, and is used from then on.
 */
TEST_F(permissions, requested_after_a_run)
{
	const uint32_t kernel_gs_base = 0xc0000102;
	struct machine *m = &self->m;

	EXPECT_EQ(VMEXIT_MSR, access_msr(m, kernel_gs_base, READ, 0));
	msrpm_set(m, kernel_gs_base, READ, false);
	EXPECT_EQ(VMEXIT_HLT, access_msr(m, kernel_gs_base, READ, 0));
	EXPECT_EQ(VMEXIT_MSR, access_msr(m, kernel_gs_base, WRITE, 0));
	msrpm_set(m, kernel_gs_base, READ, true);
	EXPECT_EQ(VMEXIT_MSR, access_msr(m, kernel_gs_base, READ, 0));
}

TEST_HARNESS_MAIN
