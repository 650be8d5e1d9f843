// SPDX-License-Identifier: GPL-2.0
/*
 * The program's VMCB -> the hardware's VMCB -> the program's VMCB. The program
 * can change its VMCB at any time: what is checked is read once. The hardware's
 * VMCB is never shared, so what stands there has passed the policy.
 */
#include "vmcb.h"

#define CONTROL_OFFSET(field) offsetof(struct svm_vmcb, control.field)

static bool refuse(struct vmcb_refusal *refusal, u32 offset, u32 reason)
{
	*refusal = (struct vmcb_refusal){ .offset = offset, .reason = reason };
	return false;
}

/**
 * vmcb_forced_intercepts() - intercepts that every guest runs with
 * @forced: filled in, by intercept vector
 */
void vmcb_forced_intercepts(u32 forced[6])
{
	static const u32 bits[6] = {
		0, 0, VMCB_FORCED_2, VMCB_FORCED_3, VMCB_FORCED_4, VMCB_FORCED_5
	};

	memcpy(forced, bits, sizeof(bits));
}

/* Is what the program says within the policy? */
static bool permitted(u64 value, u64 refused, u64 required, u32 offset,
		      struct vmcb_refusal *refusal)
{
	if (value & refused)
		return refuse(refusal, offset, SVMRUN_INVALID_MUST_BE_ZERO);
	if ((value & required) != required)
		return refuse(refusal, offset, SVMRUN_INVALID_MUST_BE_SET);
	return true;
}

static bool check_zero(const struct svm_vmcb_control *user,
		       struct vmcb_refusal *refusal)
{
	/* clang-format off */
#define AND_ZERO(field)                                                        \
	&& permitted(READ_ONCE(user->field), ~0ull, 0, CONTROL_OFFSET(field),  \
		     refusal)
	/* clang-format on */
	return true VMCB_ZERO_FIELDS(AND_ZERO);
#undef AND_ZERO
}

/* What the processor cannot do must not be asked of it. */
static bool supported(u64 wanted, u32 feature, u32 features, u32 offset,
		      struct vmcb_refusal *refusal)
{
	if (wanted && !(features & feature))
		return refuse(refusal, offset, SVMRUN_INVALID_UNSUPPORTED);
	return true;
}

static bool check_features(const struct svm_vmcb_control *hw, u32 features,
			   struct vmcb_refusal *refusal)
{
	/* clang-format off */
#define AND_SUPPORTED(field, bits, feature)                                    \
	&& supported(hw->field & (bits), feature, features,                    \
		     CONTROL_OFFSET(field), refusal)
	/* clang-format on */
	return true VMCB_FEATURE_FIELDS(AND_SUPPORTED);
#undef AND_SUPPORTED
}

static bool load_fields(struct svm_vmcb_control *hw,
			const struct svm_vmcb_control *user, u32 vouched,
			struct vmcb_refusal *refusal)
{
	u64 value;

	/* clang-format off */
#define AND_LOAD(field, clean, forced, refused, required)                      \
	&& ((vouched & (clean)) ||                                             \
	    (value = READ_ONCE(user->field),                                   \
	     permitted(value, refused, required, CONTROL_OFFSET(field),        \
		       refusal) &&                                             \
		     (hw->field = value | (forced), true)))
	/* clang-format on */
	return true VMCB_CONTROL_FIELDS(AND_LOAD);
#undef AND_LOAD
}

/* The ASID in use is the module's own; APM 15.5.1 only forbids the host's. */
static bool load_tlb(struct vmcb_wish *wish,
		     const struct svm_vmcb_control *user, u32 vouched,
		     struct vmcb_refusal *refusal)
{
	u8 control = READ_ONCE(user->tlb_control);

	if (!(vouched & SVM_CLEAN_ASID) && !READ_ONCE(user->asid))
		return refuse(refusal, CONTROL_OFFSET(asid),
			      SVMRUN_INVALID_MUST_BE_SET);
	switch (control) {
	case SVM_TLB_CONTROL_NOTHING:
	case SVM_TLB_CONTROL_FLUSH_ALL:
	case SVM_TLB_CONTROL_FLUSH_GUEST:
	case SVM_TLB_CONTROL_FLUSH_GUEST_NON_GLOBAL:
		wish->flush = control != SVM_TLB_CONTROL_NOTHING;
		return true;
	default:
		return refuse(refusal, CONTROL_OFFSET(tlb_control),
			      SVMRUN_INVALID_VALUE);
	}
}

static void copy_segments(struct svm_vmcb_save *to,
			  const struct svm_vmcb_save *from)
{
	to->es = from->es;
	to->cs = from->cs;
	to->ss = from->ss;
	to->ds = from->ds;
	to->cpl = from->cpl;
}

/* What VMLOAD and VMSAVE move (APM 15.5.2); no clean bit covers it. */
static void copy_vmload_state(struct svm_vmcb_save *to,
			      const struct svm_vmcb_save *from)
{
	to->fs = from->fs;
	to->gs = from->gs;
	to->ldtr = from->ldtr;
	to->tr = from->tr;
	to->star = from->star;
	to->lstar = from->lstar;
	to->cstar = from->cstar;
	to->sfmask = from->sfmask;
	to->kernel_gs_base = from->kernel_gs_base;
	to->sysenter_cs = from->sysenter_cs;
	to->sysenter_esp = from->sysenter_esp;
	to->sysenter_eip = from->sysenter_eip;
}

static void copy_lbr(struct svm_vmcb_save *to, const struct svm_vmcb_save *from)
{
	to->dbgctl = from->dbgctl;
	to->br_from = from->br_from;
	to->br_to = from->br_to;
	to->last_excp_from = from->last_excp_from;
	to->last_excp_to = from->last_excp_to;
}

static void copy_cet(struct svm_vmcb_save *to, const struct svm_vmcb_save *from)
{
	to->s_cet = from->s_cet;
	to->ssp = from->ssp;
	to->isst_addr = from->isst_addr;
}

/* Control registers but EFER, which is checked. */
static void copy_control_registers(struct svm_vmcb_save *to,
				   const struct svm_vmcb_save *from)
{
	to->cr0 = from->cr0;
	to->cr3 = from->cr3;
	to->cr4 = from->cr4;
}

static void copy_tables(struct svm_vmcb_save *to,
			const struct svm_vmcb_save *from)
{
	to->gdtr = from->gdtr;
	to->idtr = from->idtr;
}

static void copy_debug(struct svm_vmcb_save *to,
		       const struct svm_vmcb_save *from)
{
	to->dr6 = from->dr6;
	to->dr7 = from->dr7;
}

/* What changes at nearly every exit; no clean bit covers it. */
static void copy_flow(struct svm_vmcb_save *to,
		      const struct svm_vmcb_save *from)
{
	to->rflags = from->rflags;
	to->rip = from->rip;
	to->rsp = from->rsp;
	to->rax = from->rax;
}

/* @vouched: the groups to leave out, as clean bits name them. */
static void copy_state(struct svm_vmcb_save *to,
		       const struct svm_vmcb_save *from, u32 vouched)
{
	copy_flow(to, from);
	copy_vmload_state(to, from);
	if (!(vouched & SVM_CLEAN_SEG))
		copy_segments(to, from);
	if (!(vouched & SVM_CLEAN_CRx))
		copy_control_registers(to, from);
	if (!(vouched & SVM_CLEAN_DT))
		copy_tables(to, from);
	if (!(vouched & SVM_CLEAN_DRx))
		copy_debug(to, from);
	if (!(vouched & SVM_CLEAN_CR2))
		to->cr2 = from->cr2;
	if (!(vouched & SVM_CLEAN_NP))
		to->g_pat = from->g_pat;
	if (!(vouched & SVM_CLEAN_LBR))
		copy_lbr(to, from);
	if (!(vouched & SVM_CLEAN_CET))
		copy_cet(to, from);
}

/* VMRUN refuses a guest without SVME (APM 15.5.1); no need to go and ask it. */
static bool load_efer(struct svm_vmcb_save *hw,
		      const struct svm_vmcb_save *user, u32 vouched,
		      struct vmcb_refusal *refusal)
{
	u64 efer = READ_ONCE(user->efer);

	if (vouched & SVM_CLEAN_CRx)
		return true;
	if (!(efer & VMCB_EFER_SVME))
		return refuse(refusal, offsetof(struct svm_vmcb, save.efer),
			      SVMRUN_INVALID_MUST_BE_SET);
	hw->efer = efer;
	return true;
}

/**
 * vmcb_load() - take over what the program says, as far as it may say it
 * @hw: the hardware's VMCB; the module's own fields are left as they are
 * @user: the program's VMCB, which it may be changing meanwhile
 * @vouched: clean bits (APM 15.15.3): groups that have not changed since @hw
 *	was last loaded from @user; 0 the first time
 * @features: CPUID Fn8000_000A EDX
 * @wish: filled in
 * @refusal: filled in if the VMCB is refused
 *
 * After a refusal @hw is a mixture, within the policy, that nothing vouches for.
 *
 * Return: true if @hw may be run.
 */
bool vmcb_load(struct svm_vmcb *hw, const struct svm_vmcb *user, u32 vouched,
	       u32 features, struct vmcb_wish *wish,
	       struct vmcb_refusal *refusal)
{
	if (!check_zero(&user->control, refusal) ||
	    !load_fields(&hw->control, &user->control, vouched, refusal) ||
	    !check_features(&hw->control, features, refusal) ||
	    !load_tlb(wish, &user->control, vouched, refusal) ||
	    !load_efer(&hw->save, &user->save, vouched, refusal))
		return false;
	if (!(vouched & SVM_CLEAN_I))
		wish->exceptions = READ_ONCE(user->control.intercept[2]);
	copy_state(&hw->save, &user->save, vouched);
	return true;
}

/* The bits of virtual interrupt control that #VMEXIT writes (APM 15.21.1) */
#define VINTR_WRITTEN                                                          \
	(SVM_VINTR_V_TPR_MASK | SVM_VINTR_V_IRQ | SVM_VINTR_VGIF |             \
	 SVM_VINTR_V_NMI | SVM_VINTR_V_NMI_MASK)

static void publish_exit(struct svm_vmcb_control *user,
			 const struct svm_vmcb_control *hw)
{
	user->exitcode = hw->exitcode;
	user->exitinfo1 = hw->exitinfo1;
	user->exitinfo2 = hw->exitinfo2;
	user->exitintinfo = hw->exitintinfo;
	user->eventinj = hw->eventinj;
	user->interrupt_shadow = hw->interrupt_shadow;
	user->vintr = (user->vintr & ~VINTR_WRITTEN) |
		      (hw->vintr & VINTR_WRITTEN);
	user->nrip = hw->nrip;
	user->insn_len = hw->insn_len;
	memcpy(user->insn_bytes, hw->insn_bytes, sizeof(user->insn_bytes));
}

/**
 * vmcb_publish() - tell the program what #VMEXIT wrote
 * @user: the program's VMCB
 * @hw: the hardware's VMCB after #VMEXIT (APM 15.6)
 */
void vmcb_publish(struct svm_vmcb *user, const struct svm_vmcb *hw)
{
	publish_exit(&user->control, &hw->control);
	copy_state(&user->save, &hw->save, 0);
	user->save.efer = hw->save.efer;
}

/**
 * vmcb_publish_refusal() - as VMRUN of an illegal VMCB ends (APM 15.5.1)
 * @user: the program's VMCB, untouched but for the exit
 */
void vmcb_publish_refusal(struct svm_vmcb *user)
{
	user->control.exitcode = VMEXIT_INVALID;
	user->control.exitinfo1 = 0;
	user->control.exitinfo2 = 0;
	user->control.exitintinfo = 0;
}
