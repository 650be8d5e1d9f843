// SPDX-License-Identifier: GPL-2.0
/*
 * libnvmm: VMCB clean bits (APM 15.15). The module does not load a group of fields whose clean
 * bit is set, so what a program sets between two runs takes effect only if it is cleared.
 */
#include "guest.h"
#include "nvmm/vcpu.h"

FIXTURE(clean)
{
	struct guest g;
	struct nvmm_x64_state *s;
	const struct svm_vmcb *vmcb;
};

/* The guest has run once, and has executed HLT. */
FIXTURE_SETUP(clean)
{
	ASSERT_EQ(0, guest_create(&self->g));
	self->s = self->g.vcpu.state;
	self->vmcb = self->g.vcpu.private_data->cpu.vmcb;
	LOAD(&self->g, 0xf4 /* hlt */);
	ASSERT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
}

FIXTURE_TEARDOWN(clean)
{
	guest_destroy(&self->g);
}

/* Return the clean bits that are 0 after a part of the state was set to what it was. */
static uint32_t cleared_by(struct guest *guest, uint64_t flags)
{
	guest_get(guest, flags);
	if (guest_set(guest, flags))
		abort();
	return ~guest->vcpu.private_data->cpu.vmcb->control.clean &
	       SVM_CLEAN_ALL;
}

/* ---- the bits ------------------------------------------------------------- */

TEST_F(clean, all_after_a_run)
{
	EXPECT_EQ(SVM_CLEAN_ALL, self->vmcb->control.clean);
}

TEST_F(clean, none_before_the_first_run)
{
	struct nvmm_vcpu other;

	ASSERT_EQ(0, nvmm_vcpu_create(&self->g.mach, 1, &other));
	EXPECT_EQ(0, other.private_data->cpu.vmcb->control.clean);
	EXPECT_EQ(0, nvmm_vcpu_destroy(&self->g.mach, &other));
}

/* Exits that the program handles most often leave all of them. */
TEST_F(clean, all_after_assists)
{
	ASSERT_EQ(0, guest_set_long(&self->g));
	LOAD(&self->g, 0xe6, 0x80 /* out %al, $0x80 */, 0x8b,
	     0x03 /* mov (%rbx), %eax */, 0xf4);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RBX, UNMAPPED);
	ASSERT_EQ(NVMM_VCPU_EXIT_IO, guest_run(&self->g));
	ASSERT_EQ(0, nvmm_assist_io(&self->g.mach, &self->g.vcpu));
	EXPECT_EQ(SVM_CLEAN_ALL, self->vmcb->control.clean);
	ASSERT_EQ(NVMM_VCPU_EXIT_MEMORY, guest_run(&self->g));
	ASSERT_EQ(0, nvmm_assist_mem(&self->g.mach, &self->g.vcpu));
	EXPECT_EQ(SVM_CLEAN_ALL, self->vmcb->control.clean);
	EXPECT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
	EXPECT_EQ(0, cleared_by(&self->g, NVMM_X64_STATE_GPRS |
						  NVMM_X64_STATE_INTR |
						  NVMM_X64_STATE_FPU));
}

TEST_F(clean, of_each_part)
{
	static const struct {
		uint64_t flag;
		uint32_t cleared;
	} parts[] = {
		{ NVMM_X64_STATE_SEGS, SVM_CLEAN_SEG | SVM_CLEAN_DT },
		{ NVMM_X64_STATE_CRS, SVM_CLEAN_CRx | SVM_CLEAN_CR2 |
					      SVM_CLEAN_TPR | SVM_CLEAN_ASID },
		{ NVMM_X64_STATE_DRS, SVM_CLEAN_DRx },
		{ NVMM_X64_STATE_MSRS,
		  SVM_CLEAN_CRx | SVM_CLEAN_NP | SVM_CLEAN_I | SVM_CLEAN_ASID },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		LOAD(&self->g, 0xf4 /* hlt */);
		ASSERT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
		EXPECT_EQ(parts[i].cleared,
			  cleared_by(&self->g, parts[i].flag));
	}
}

/* ---- their effect --------------------------------------------------------- */

/* Run code after the state was set; the guest ends with HLT. */
#define RUN(flags, ...)                                                        \
	do {                                                                   \
		ASSERT_EQ(0, guest_set(&self->g, flags));                      \
		LOAD(&self->g, __VA_ARGS__, 0xf4 /* hlt */);                   \
		ASSERT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));         \
	} while (0)

TEST_F(clean, segments)
{
	memset(self->g.memory + 0x3000, 0x5a, 1);
	guest_get(&self->g, NVMM_X64_STATE_SEGS);
	self->s->segs[NVMM_X64_SEG_DS].base = 0x3000;
	RUN(NVMM_X64_STATE_SEGS, 0xa0, 0, 0 /* mov 0, %al */);
	EXPECT_EQ(0x5a, guest_gpr(&self->g, NVMM_X64_GPR_RAX) & 0xff);
}

/* The limit of the IDT, in real mode, allows no vector: a triple fault. */
TEST_F(clean, descriptor_tables)
{
	guest_get(&self->g, NVMM_X64_STATE_SEGS);
	self->s->segs[NVMM_X64_SEG_IDT].limit = 0;
	ASSERT_EQ(0, guest_set(&self->g, NVMM_X64_STATE_SEGS));
	LOAD(&self->g, 0x0f, 0x0b /* ud2 */);
	EXPECT_EQ(NVMM_VCPU_EXIT_SHUTDOWN, guest_run(&self->g));
}

/* 64-bit mode: CR0, CR3, CR4, EFER and the segments */
TEST_F(clean, control_registers)
{
	ASSERT_EQ(0, guest_set_long(&self->g));
	LOAD(&self->g, 0x48, 0x8d, 0x05, 0, 0, 0, 0 /* lea (%rip), %rax */,
	     0xf4);
	ASSERT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
	EXPECT_EQ(CODE + 7, guest_gpr(&self->g, NVMM_X64_GPR_RAX));
}

TEST_F(clean, page_tables)
{
	uint64_t *table;

	ASSERT_EQ(0, guest_set_long(&self->g));
	LOAD(&self->g, 0xf4);
	ASSERT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
	/* The second GiB is the first one in the other page tables. */
	memcpy(self->g.memory + 0x40000, self->g.memory + TABLES, 2 * PAGE);
	table = (uint64_t *)(self->g.memory + 0x40000);
	table[0] = (0x40000 + PAGE) | 7;
	table[513] = table[512];
	guest_get(&self->g, NVMM_X64_STATE_CRS);
	self->s->crs[NVMM_X64_CR_CR3] = 0x40000;
	ASSERT_EQ(0, guest_set(&self->g, NVMM_X64_STATE_CRS));
	LOAD(&self->g, 0x8a, 0x03 /* mov (%rbx), %al */, 0xf4);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RBX, (1ul << 30) + CODE);
	ASSERT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
	EXPECT_EQ(0x8a, guest_gpr(&self->g, NVMM_X64_GPR_RAX) & 0xff);
}

TEST_F(clean, cr2)
{
	guest_get(&self->g, NVMM_X64_STATE_CRS)->crs[NVMM_X64_CR_CR2] = 0x123;
	RUN(NVMM_X64_STATE_CRS, 0x0f, 0x20, 0xd0 /* mov %cr2, %eax */);
	EXPECT_EQ(0x123, guest_gpr(&self->g, NVMM_X64_GPR_RAX));
}

TEST_F(clean, task_priority)
{
	ASSERT_EQ(0, guest_set_long(&self->g));
	LOAD(&self->g, 0xf4);
	ASSERT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
	guest_get(&self->g, NVMM_X64_STATE_CRS)->crs[NVMM_X64_CR_CR8] = 7;
	RUN(NVMM_X64_STATE_CRS, 0x44, 0x0f, 0x20, 0xc0 /* mov %cr8, %rax */);
	EXPECT_EQ(7, guest_gpr(&self->g, NVMM_X64_GPR_RAX));
	EXPECT_EQ(7, self->g.vcpu.exit->exitstate.cr8);
}

TEST_F(clean, debug_registers)
{
	guest_get(&self->g, NVMM_X64_STATE_DRS)->drs[NVMM_X64_DR_DR6] =
		0xffff0ff2;
	RUN(NVMM_X64_STATE_DRS, 0x0f, 0x21, 0xf0 /* mov %dr6, %eax */);
	EXPECT_EQ(0xffff0ff2, guest_gpr(&self->g, NVMM_X64_GPR_RAX));
	/* A breakpoint on the instruction */
	guest_get(&self->g, NVMM_X64_STATE_DRS);
	self->s->drs[NVMM_X64_DR_DR0] = CODE;
	self->s->drs[NVMM_X64_DR_DR7] = 0x401;
	RUN(NVMM_X64_STATE_DRS, 0x90);
	EXPECT_EQ(HANDLER + 1 + 1, guest_gpr(&self->g, NVMM_X64_GPR_RIP));
}

/* EFER.SCE: SYSCALL in 64-bit mode is #UD without it; then the time stamp counter */
TEST_F(clean, msrs)
{
	uint64_t tsc;

	ASSERT_EQ(0, guest_set_long(&self->g));
	LOAD(&self->g, 0xf4);
	ASSERT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
	guest_get(&self->g, NVMM_X64_STATE_MSRS);
	self->s->msrs[NVMM_X64_MSR_EFER] |= 1; /* SCE */
	self->s->msrs[NVMM_X64_MSR_LSTAR] = HANDLER + 100;
	self->s->msrs[NVMM_X64_MSR_TSC] = 1ull << 60;
	RUN(NVMM_X64_STATE_MSRS, 0x0f, 0x31 /* rdtsc */, 0x89,
	    0xd3 /* mov %edx, %ebx */, 0x0f, 0x05 /* syscall */);
	EXPECT_EQ(HANDLER + 100 + 1, guest_gpr(&self->g, NVMM_X64_GPR_RIP));
	tsc = self->s->gprs[NVMM_X64_GPR_RBX];
	EXPECT_LE(1u << 28, tsc);
	EXPECT_GT(1u << 29, tsc);
}

/* MSRs that the guest writes itself, and the library handles */
TEST_F(clean, msrs_of_the_guest)
{
	guest_set_gpr(&self->g, NVMM_X64_GPR_RCX, 0x277);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RDX, 0x00010406);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RAX, 0x00070406);
	RUN(0, 0x0f, 0x30 /* wrmsr */);
	EXPECT_EQ(0x0001040600070406, guest_get(&self->g, NVMM_X64_STATE_MSRS)
					      ->msrs[NVMM_X64_MSR_PAT]);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RCX, 0xc0000080);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RDX, 0);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RAX, 0x800);
	RUN(0, 0x0f, 0x30 /* wrmsr */);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RAX, 0);
	RUN(0, 0x0f, 0x32 /* rdmsr */);
	EXPECT_EQ(0x800, guest_gpr(&self->g, NVMM_X64_GPR_RAX));
	EXPECT_EQ(0x800, guest_get(&self->g, NVMM_X64_STATE_MSRS)
				 ->msrs[NVMM_X64_MSR_EFER]);
}

TEST_F(clean, interrupt_window)
{
	guest_get(&self->g, NVMM_X64_STATE_INTR)->intr.int_window_exiting = 1;
	ASSERT_EQ(0, guest_set(&self->g, NVMM_X64_STATE_INTR));
	LOAD(&self->g, 0xfb /* sti */, 0x90, 0x90, 0x90, 0xf4);
	ASSERT_EQ(NVMM_VCPU_EXIT_INT_READY, guest_run(&self->g));
	EXPECT_EQ(CODE + 2, guest_gpr(&self->g, NVMM_X64_GPR_RIP));
	/* It is closed now. */
	EXPECT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
	EXPECT_EQ(CODE + 5, guest_gpr(&self->g, NVMM_X64_GPR_RIP));
}

TEST_F(clean, intercept_of_task_priority)
{
	struct nvmm_vcpu_conf_tpr tpr = { .exit_changed = 1 };

	ASSERT_EQ(0, guest_set_long(&self->g));
	LOAD(&self->g, 0xf4);
	ASSERT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
	ASSERT_EQ(0, nvmm_vcpu_configure(&self->g.mach, &self->g.vcpu,
					 NVMM_VCPU_CONF_TPR, &tpr));
	LOAD(&self->g, 0x44, 0x0f, 0x22, 0xc0 /* mov %rax, %cr8 */, 0xf4);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RAX, 9);
	EXPECT_EQ(NVMM_VCPU_EXIT_TPR_CHANGED, guest_run(&self->g));
}

TEST_HARNESS_MAIN
