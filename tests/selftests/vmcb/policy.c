// SPDX-License-Identifier: GPL-2.0
/*
 * The policy for fields of the VMCB: values that are refused, and intercepts that
 * are forced.
 */
#include <linux/svmrun_policy.h>

#include "machine.h"

GUEST(halt, 64, "hlt");

MACHINE_FIXTURE(policy)

/* ---- refused: VMEXIT_INVALID, the field and the reason ------------------- */

struct refusal {
	uint32_t offset;
	uint32_t size;
	uint64_t value;
	uint32_t reason;
};

#define REFUSE(field, bad, why)						\
	{								\
		.offset = offsetof(struct svm_vmcb, field),		\
		.size = sizeof(((struct svm_vmcb *)0)->field), .value = (bad), \
		.reason = SVMRUN_INVALID_##why,				\
	}

static void refused(struct __test_metadata *_metadata, struct machine *m,
		    const struct refusal *refusal)
{
	struct svmrun_registers *regs = m->vcpu.regs;

	MACHINE_LOAD(m, MODE_LONG, halt);
	memcpy((char *)m->vcpu.vmcb + refusal->offset, &refusal->value,
	       refusal->size);
	ASSERT_EXIT(VMEXIT_INVALID, m);
	EXPECT_EQ(refusal->offset, regs->out_invalid_offset);
	EXPECT_EQ(refusal->reason, regs->out_invalid_reason);
	EXPECT_EQ(MACHINE_CODE, m->vcpu.vmcb->save.rip);

	/* Correcting this field alone must be sufficient. */
	MACHINE_LOAD(m, MODE_LONG, halt);
	memset((char *)m->vcpu.vmcb + refusal->offset, 0, refusal->size);
	m->vcpu.vmcb->control.asid = 1;
	m->vcpu.vmcb->control.nested_ctl = SVM_NESTED_NP_ENABLE;
	m->vcpu.vmcb->save.efer |= 0x1500;
	ASSERT_EXIT(VMEXIT_HLT, m);
	EXPECT_EQ(SVMRUN_INVALID_NONE, regs->out_invalid_reason);
}

#define TEST_REFUSED(name, field, bad, why)				\
	TEST_F(policy, name)						\
	{								\
		const struct refusal refusal = REFUSE(field, bad, why);	\
                                                                               \
		refused(_metadata, &self->m, &refusal);			\
	}

TEST_REFUSED(iopm_base_pa, control.iopm_base_pa, PAGE, MUST_BE_ZERO)
TEST_REFUSED(msrpm_base_pa, control.msrpm_base_pa, PAGE, MUST_BE_ZERO)
TEST_REFUSED(n_cr3, control.n_cr3, PAGE, MUST_BE_ZERO)
TEST_REFUSED(avic_apic_bar, control.avic_apic_bar, PAGE, MUST_BE_ZERO)
TEST_REFUSED(ghcb_pa, control.ghcb_pa, PAGE, MUST_BE_ZERO)
TEST_REFUSED(avic_backing_page, control.avic_backing_page, PAGE, MUST_BE_ZERO)
TEST_REFUSED(avic_logical_table, control.avic_logical_table, PAGE, MUST_BE_ZERO)
TEST_REFUSED(avic_physical_table, control.avic_physical_table, PAGE,
	     MUST_BE_ZERO)
TEST_REFUSED(vmsa_pa, control.vmsa_pa, PAGE, MUST_BE_ZERO)
TEST_REFUSED(avic, control.vintr, SVM_VINTR_AVIC_ENABLE, MUST_BE_ZERO)
TEST_REFUSED(x2avic, control.vintr, SVM_VINTR_X2AVIC_ENABLE, MUST_BE_ZERO)
TEST_REFUSED(sev, control.nested_ctl, SVM_NESTED_NP_ENABLE | 2, MUST_BE_ZERO)
TEST_REFUSED(sev_es, control.nested_ctl, SVM_NESTED_NP_ENABLE | 4, MUST_BE_ZERO)
TEST_REFUSED(virtual_vmsave, control.virt_ext, SVM_VIRT_VLS_ENABLE,
	     MUST_BE_ZERO)
TEST_REFUSED(cr_write_trap, control.intercept[4],
	     SVM_INTERCEPT4_CR_WRITE_TRAP(0), MUST_BE_ZERO)
TEST_REFUSED(efer_write_trap, control.intercept[4],
	     SVM_INTERCEPT4_EFER_WRITE_TRAP, MUST_BE_ZERO)
TEST_REFUSED(undefined_intercept, control.intercept[5], 1u << 7, MUST_BE_ZERO)
TEST_REFUSED(undefined_intercept_31, control.intercept[5], 1u << 31,
	     MUST_BE_ZERO)
TEST_REFUSED(bus_lock_trap, save.dbgctl, SVM_DBGCTL_BLCKDB, MUST_BE_ZERO)
TEST_REFUSED(asid_zero, control.asid, 0, MUST_BE_SET)
TEST_REFUSED(no_nested_paging, control.nested_ctl, 0, MUST_BE_SET)
TEST_REFUSED(no_svme, save.efer, 0x500, MUST_BE_SET)
TEST_REFUSED(tlb_control_2, control.tlb_control, 2, VALUE)
TEST_REFUSED(tlb_control_ff, control.tlb_control, 0xff, VALUE)

/* A rule that the processor checks: the upper half of DR7 */
TEST_F(policy, processor_refuses)
{
	MACHINE_LOAD(&self->m, MODE_LONG, halt);
	self->m.vcpu.vmcb->save.dr7 |= 1ull << 32;
	ASSERT_EXIT(VMEXIT_INVALID, &self->m);
	EXPECT_EQ(SVMRUN_INVALID_PROCESSOR,
		  self->m.vcpu.regs->out_invalid_reason);
}

TEST_F(policy, reserved_registers)
{
	struct svmrun_registers *regs = self->m.vcpu.regs;

	MACHINE_LOAD(&self->m, MODE_LONG, halt);
	regs->reserved[6] = 1;
	ASSERT_EXIT(VMEXIT_INVALID, &self->m);
	EXPECT_EQ(SVMRUN_VCPU_REGISTERS +
			  offsetof(struct svmrun_registers, reserved),
		  regs->out_invalid_offset);
	EXPECT_EQ(SVMRUN_INVALID_MUST_BE_ZERO, regs->out_invalid_reason);
	regs->reserved[6] = 0;
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
}

static bool refused_as_unsupported(struct machine *m, uint32_t offset)
{
	return !machine_run(m) &&
	       m->vcpu.vmcb->control.exitcode == VMEXIT_INVALID &&
	       m->vcpu.regs->out_invalid_offset == offset &&
	       m->vcpu.regs->out_invalid_reason == SVMRUN_INVALID_UNSUPPORTED;
}

/* Each row of the table: requests are granted if the processor has the feature. */
TEST_F(policy, features)
{
	struct svm_vmcb_control *control = &self->m.vcpu.vmcb->control;
	uint32_t has = self->m.info.out_svm_features;

#define CHECK(field, bits, feature)                                            \
	MACHINE_LOAD(&self->m, MODE_LONG, halt);                               \
	control->field |= (bits);                                              \
	EXPECT_EQ(!(has & (feature)),                                          \
		  refused_as_unsupported(&self->m, offsetof(struct svm_vmcb,   \
							    control.field)))   \
	{                                                                      \
		TH_LOG(#field " for " #feature);                               \
	}                                                                      \
	control->field &= ~(uint64_t)(bits);
	SVMRUN_POLICY_FEATURES(CHECK)
#undef CHECK
	MACHINE_LOAD(&self->m, MODE_LONG, halt);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
}

/*
 * A guest that runs whatever bits of these registers are set. An emulator does not
 * return to the host with EFER.LME set and CR4.PAE clear, which is legal, so PAE is
 * set.
 */
static void load_tolerant(struct machine *m)
{
	MACHINE_LOAD(m, MODE_PROTECTED, halt);
	m->vcpu.vmcb->save.cr0 |= SVM_CR0_WP; /* required for CET */
	m->vcpu.vmcb->save.cr4 |= SVM_CR4_PAE;
}

static uint32_t reason_for(uint64_t known, uint64_t has, uint64_t bit)
{
	if (!(known & bit))
		return SVMRUN_INVALID_MUST_BE_ZERO;
	return has & bit ? SVMRUN_INVALID_NONE : SVMRUN_INVALID_UNSUPPORTED;
}

/* The processor may have its own rule for the bit. */
static bool refused_for(struct machine *m, uint32_t offset, uint32_t reason)
{
	const struct svmrun_registers *regs = m->vcpu.regs;

	if (machine_run(m))
		return false;
	if (reason == SVMRUN_INVALID_NONE)
		return regs->out_invalid_reason == SVMRUN_INVALID_NONE ||
		       regs->out_invalid_reason == SVMRUN_INVALID_PROCESSOR;
	return m->vcpu.vmcb->control.exitcode == VMEXIT_INVALID &&
	       regs->out_invalid_offset == offset &&
	       regs->out_invalid_reason == reason;
}

/* Each bit of each register for which the policy is an allow list */
TEST_F(policy, bits_of_registers)
{
	const struct svmrun_info *info = &self->m.info;
	struct svm_vmcb_save *save = &self->m.vcpu.vmcb->save;

#define CHECK(register, known)                                                 \
	for (int bit = 0; bit < 64; bit++) {                                   \
		load_tolerant(&self->m);                                       \
		save->register |= 1ull << bit;                                 \
		EXPECT_TRUE(                                                   \
			refused_for(&self->m,                                  \
				    offsetof(struct svm_vmcb, save.register),  \
				    reason_for(known, info->out_##register,    \
					       1ull << bit)))                  \
		{                                                              \
			TH_LOG(#register ", bit %d", bit);                     \
		}                                                              \
	}
	SVMRUN_POLICY_ALLOWED(CHECK)
#undef CHECK
	load_tolerant(&self->m);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
}

/* Guests run with each of the bits that every processor supports. */
TEST_F(policy, common_bits_of_cr4_run)
{
	static const uint64_t bits[] = {
		SVM_CR4_TSD, SVM_CR4_DE,     SVM_CR4_PSE,
		SVM_CR4_PAE, SVM_CR4_MCE,    SVM_CR4_PGE,
		SVM_CR4_PCE, SVM_CR4_OSFXSR, SVM_CR4_OSXMMEXCPT,
	};

	for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
		EXPECT_EQ(bits[i], self->m.info.out_cr4 & bits[i]);
		load_tolerant(&self->m);
		self->m.vcpu.vmcb->save.cr4 |= bits[i];
		ASSERT_EXIT(VMEXIT_HLT, &self->m);
		EXPECT_EQ(bits[i], self->m.vcpu.vmcb->save.cr4 & bits[i]);
	}
}

TEST_F(policy, tlb_control_of_the_manual)
{
	struct svm_vmcb_control *control = &self->m.vcpu.vmcb->control;
	uint32_t has = self->m.info.out_svm_features;
	bool refused;

#define CHECK(value, feature)                                                  \
	MACHINE_LOAD(&self->m, MODE_LONG, halt);                               \
	control->tlb_control = (value);                                        \
	refused = refused_as_unsupported(&self->m,                             \
					 offsetof(struct svm_vmcb,             \
						  control.tlb_control));       \
	EXPECT_EQ((has & (feature)) != (feature), refused);                    \
	EXPECT_EQ(refused ? VMEXIT_INVALID : VMEXIT_HLT, control->exitcode);
	SVMRUN_POLICY_TLB_CONTROL(CHECK)
#undef CHECK
}

TEST_F(policy, tsc_ratio)
{
	struct svmrun_registers *regs = self->m.vcpu.regs;
	uint32_t offset = SVMRUN_VCPU_REGISTERS +
			  offsetof(struct svmrun_registers, tsc_ratio);

	MACHINE_LOAD(&self->m, MODE_LONG, halt);
	regs->tsc_ratio = 1ull << 40;
	ASSERT_EXIT(VMEXIT_INVALID, &self->m);
	EXPECT_EQ(offset, regs->out_invalid_offset);
	EXPECT_EQ(SVMRUN_INVALID_VALUE, regs->out_invalid_reason);
	regs->tsc_ratio = 1ull << 31;
	if (self->m.info.out_svm_features & SVM_FEATURE_TSC_RATIO)
		ASSERT_EXIT(VMEXIT_HLT, &self->m);
	else
		EXPECT_TRUE(refused_as_unsupported(&self->m, offset));
}

/* ---- forced: intercepted although the VMCB does not request it ----------- */

FIXTURE(forced)
{
	struct machine m;
};

FIXTURE_VARIANT(forced)
{
	const char *code;
	const char *code_end;
	uint64_t exit;
	bool (*has)(void); /* NULL: supported by every processor with SVM */
};

FIXTURE_SETUP(forced)
{
	ASSERT_EQ(0, machine_create(&self->m));
}

FIXTURE_TEARDOWN(forced)
{
	machine_destroy(&self->m);
}

static uint32_t cpuid(uint32_t leaf, int reg)
{
	uint32_t r[4] = { leaf, 0, 0, 0 };

	asm volatile("cpuid" : "+a"(r[0]), "=b"(r[1]), "+c"(r[2]), "=d"(r[3]));
	return r[reg];
}

static bool has_monitor(void)
{
	return cpuid(1, 2) & 1u << 3;
}

static bool has_xsave(void)
{
	return cpuid(1, 2) & 1u << 26;
}

static bool has_rdpru(void)
{
	return cpuid(0x80000008, 1) & 1u << 4;
}

static bool has_invlpgb(void)
{
	return cpuid(0x80000008, 1) & 1u << 3;
}

static bool has_skinit(void)
{
	return cpuid(0x80000001, 2) & 1u << 12;
}

#define FORCED(name, text, code_, has_)					\
	GUEST(name##_code, 64, text);					\
	FIXTURE_VARIANT_ADD(forced, name)                                      \
	{                                                                      \
		.code = name##_code, .code_end = name##_code_end,              \
		.exit = code_, .has = has_,                                    \
	}

FORCED(cr4_read, "mov %cr4, %rax\n hlt", VMEXIT_CR_READ(4), NULL);
FORCED(cr4_write, "mov $0x620, %eax\n mov %rax, %cr4\n hlt", VMEXIT_CR_WRITE(4),
       NULL);
FORCED(cr0_cd, "mov %cr0, %rax\n bts $30, %rax\n mov %rax, %cr0\n hlt",
       VMEXIT_CR0_SEL_WRITE, NULL);
FORCED(cr0_wp, "mov %cr0, %rax\n btc $16, %rax\n mov %rax, %cr0\n hlt",
       VMEXIT_CR0_SEL_WRITE, NULL);
FORCED(vmrun, "vmrun %rax", VMEXIT_VMRUN, NULL);
FORCED(vmload, "vmload %rax", VMEXIT_VMLOAD, NULL);
FORCED(vmsave, "vmsave %rax", VMEXIT_VMSAVE, NULL);
FORCED(stgi, "stgi", VMEXIT_STGI, NULL);
FORCED(clgi, "clgi", VMEXIT_CLGI, NULL);
FORCED(invlpga, "invlpga %rax, %ecx", VMEXIT_INVLPGA, NULL);
FORCED(invd, "invd", VMEXIT_INVD, NULL);
FORCED(wbinvd, "wbinvd", VMEXIT_WBINVD, NULL);
FORCED(rdpmc, "rdpmc", VMEXIT_RDPMC, NULL);
FORCED(in, "in $0x64, %al", VMEXIT_IOIO, NULL);
FORCED(rdmsr_efer, "mov $0xc0000080, %ecx\n rdmsr", VMEXIT_MSR, NULL);
FORCED(shutdown, "ud2", VMEXIT_SHUTDOWN, NULL);
FORCED(monitor, "monitor", VMEXIT_MONITOR, has_monitor);
FORCED(mwait, "mwait", VMEXIT_MWAIT, has_monitor);
FORCED(xsetbv,
       "xor %ecx, %ecx\n"
       "xgetbv\n xsetbv\n hlt",
       VMEXIT_XSETBV, has_xsave);
FORCED(skinit, "skinit", VMEXIT_SKINIT, has_skinit);
FORCED(rdpru, ".byte 0x0f, 0x01, 0xfd", VMEXIT_RDPRU, has_rdpru);
FORCED(invlpgb, ".byte 0x0f, 0x01, 0xfe", VMEXIT_INVLPGB, has_invlpgb);
FORCED(tlbsync, ".byte 0x0f, 0x01, 0xff", VMEXIT_TLBSYNC, has_invlpgb);

/* Run the instruction with these bits in intercept vectors 0 and 3 to 5. */
static int forced_run(struct machine *m, const char *code, const char *code_end,
		      uint32_t intercepts)
{
	struct svm_vmcb_control *control = &m->vcpu.vmcb->control;

	machine_load(m, MODE_LONG, code, code_end);
	memset(control->intercept, 0, sizeof(control->intercept));
	control->intercept[3] = intercepts | SVM_INTERCEPT3_HLT;
	control->intercept[0] = intercepts & SVMRUN_POLICY_FORCED_0;
	control->intercept[4] = intercepts & SVMRUN_POLICY_INTERCEPTS_4;
	control->intercept[5] = intercepts & SVMRUN_POLICY_INTERCEPTS_5;
	memset(m->vcpu.msrpm, 0xff, 2 * PAGE);
	m->vcpu.vmcb->save.cr4 |= 1u << 18; /* OSXSAVE */
	m->vcpu.vmcb->save.idtr.limit = 0;
	return machine_run(m);
}

TEST_F(forced, exits)
{
	struct svm_vmcb_control *control = &self->m.vcpu.vmcb->control;

	if (variant->has && !variant->has())
		SKIP(return, "the processor does not support the instruction");
	ASSERT_EQ(0, forced_run(&self->m, variant->code, variant->code_end, 0));
	if (control->exitcode == variant->exit)
		return;
	/* The module is at fault if the exit occurs when requested. */
	ASSERT_EQ(0,
		  forced_run(&self->m, variant->code, variant->code_end, ~0u));
	if (control->exitcode != variant->exit)
		SKIP(return, "not intercepted when requested either");
	ASSERT_TRUE(false) TH_LOG("not intercepted unless requested");
}

TEST_HARNESS_MAIN
