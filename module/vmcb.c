// SPDX-License-Identifier: GPL-2.0
/*
 * Copy the program's VMCB to the hardware's VMCB before a run, and back afterwards. The
 * program can change its VMCB at any time, so each field is read once, and the value that
 * was read is checked. The hardware's VMCB is never shared: its values have been
 * checked against the policy.
 */
#include "vmcb.h"

#include <linux/kernel.h>
#include <linux/string.h>

#define CONTROL_OFFSET(field) offsetof(struct svm_vmcb, control.field)

static bool refuse_field(struct vmcb_refusal *refusal, u32 offset, u32 reason)
{
	*refusal = (struct vmcb_refusal){ .offset = offset, .reason = reason };
	return false;
}

/* Return whether the policy permits the value. */
static bool check_permitted(u64 value, u64 refused, u64 required, u32 offset,
			    struct vmcb_refusal *refusal)
{
	if (value & refused)
		return refuse_field(refusal, offset,
				    SVMRUN_INVALID_MUST_BE_ZERO);
	if ((value & required) != required)
		return refuse_field(refusal, offset,
				    SVMRUN_INVALID_MUST_BE_SET);
	return true;
}

static __always_inline bool check_zero(const struct svm_vmcb_control *user,
				       u32 clean, struct vmcb_refusal *refusal)
{
	/* clang-format off */
#define AND_ZERO(field, bit)                                                 \
	&& ((clean & (bit)) ||                                             \
	    check_permitted(READ_ONCE(user->field), ~0ull, 0, CONTROL_OFFSET(field), \
		      refusal))
	/* clang-format on */
	return true SVMRUN_POLICY_ZERO(AND_ZERO);
#undef AND_ZERO
}

static __always_inline bool load_control(struct svm_vmcb_control *hw,
					 const struct svm_vmcb_control *user,
					 u32 clean,
					 struct vmcb_refusal *refusal)
{
	u64 value;

	/* clang-format off */
#define AND_LOAD(field, bit, forced, refused, required)                      \
	&& ((clean & (bit)) ||                                             \
	    (value = READ_ONCE(user->field),                                   \
	     check_permitted(value, refused, required, CONTROL_OFFSET(field),        \
		       refusal) &&                                             \
		     (hw->field = value | (forced), true)))
	/* clang-format on */
	return true SVMRUN_POLICY_CONTROL(AND_LOAD);
#undef AND_LOAD
}

/* Refuse a value that needs a feature which the processor does not have. */
static bool check_supported(u64 wanted, u32 feature, u32 features, u32 offset,
			    struct vmcb_refusal *refusal)
{
	if (wanted && !(features & feature))
		return refuse_field(refusal, offset,
				    SVMRUN_INVALID_UNSUPPORTED);
	return true;
}

/* Add the intercepts that this processor needs besides those of the policy. */
static void force_intercepts(struct svm_vmcb_control *hw,
			     const struct vmcb_limits *limits)
{
	for (size_t i = 0; i < ARRAY_SIZE(limits->intercepts); i++)
		hw->intercept[i] |= limits->intercepts[i];
}

static bool check_features(const struct svm_vmcb_control *hw, u32 features,
			   struct vmcb_refusal *refusal)
{
	/* clang-format off */
#define AND_SUPPORTED(field, bits, feature)                                    \
	&& check_supported(hw->field & (bits), feature, features,                    \
		     CONTROL_OFFSET(field), refusal)
	/* clang-format on */
	return true SVMRUN_POLICY_FEATURES(AND_SUPPORTED);
#undef AND_SUPPORTED
}

static bool check_tlb_control(u8 value, u32 features,
			      struct vmcb_refusal *refusal)
{
	switch (value) {
#define CASE(known, feature)                                                   \
	case known:                                                            \
		return check_supported(feature, feature, features,             \
				       CONTROL_OFFSET(tlb_control), refusal);
		SVMRUN_POLICY_TLB_CONTROL(CASE)
#undef CASE
	default:
		return refuse_field(refusal, CONTROL_OFFSET(tlb_control),
				    SVMRUN_INVALID_VALUE);
	}
}

/*
 * The guest runs with an ASID of the module's. The program's must not be 0 (APM 15.5.1);
 * if it changes, the guest gets a new one, since the program expects no translations
 * from before.
 */
static __always_inline bool load_asid(struct vmcb_request *request,
				      const struct svm_vmcb_control *user,
				      struct vmcb_refusal *refusal)
{
	u32 asid = READ_ONCE(user->asid);

	if (!asid)
		return refuse_field(refusal, CONTROL_OFFSET(asid),
				    SVMRUN_INVALID_MUST_BE_SET);
	request->flush = request->asid && asid != request->asid;
	request->asid = asid;
	return true;
}

static __always_inline bool load_tlb(struct vmcb_request *request,
				     const struct svm_vmcb_control *user,
				     u32 clean,
				     const struct vmcb_limits *limits,
				     struct vmcb_refusal *refusal)
{
	u8 value = READ_ONCE(user->tlb_control);

	request->flush = false;
	if (!(clean & SVM_CLEAN_ASID) && !load_asid(request, user, refusal))
		return false;
	if (value == SVM_TLB_CONTROL_NOTHING)
		return true;
	request->flush = true;
	return check_tlb_control(value, limits->features, refusal);
}

/* Copy all groups of fields except those in @clean. */
static __always_inline void copy_state(struct svm_vmcb_save *to,
				       const struct svm_vmcb_save *from,
				       u32 clean)
{
#define COPY(field) to->field = from->field;
#define COPY_GROUP(group, bit)                                                 \
	if (!(clean & (bit))) {                                                \
		SVMRUN_POLICY_STATE_##group(COPY)                              \
	}
	SVMRUN_POLICY_STATE(COPY_GROUP)
#undef COPY_GROUP
#undef COPY
}

static bool check_allowed(u64 value, u64 known, u64 limit, u32 offset,
			  struct vmcb_refusal *refusal)
{
	if (value & ~known)
		return refuse_field(refusal, offset,
				    SVMRUN_INVALID_MUST_BE_ZERO);
	if (value & ~limit)
		return refuse_field(refusal, offset,
				    SVMRUN_INVALID_UNSUPPORTED);
	return true;
}

/* Check the state that the processor does not check itself. */
static bool check_state(const struct svm_vmcb_save *hw,
			const struct vmcb_limits *limits,
			struct vmcb_refusal *refusal)
{
	/* clang-format off */
#define AND_ALLOWED(field, known)                                              \
	&& check_allowed(READ_ONCE(hw->field), known, limits->field,                 \
		   offsetof(struct svm_vmcb, save.field), refusal)
	/* clang-format on */
	return check_permitted(hw->efer, 0, SVMRUN_POLICY_EFER_REQUIRED,
			       offsetof(struct svm_vmcb, save.efer), refusal)
		SVMRUN_POLICY_ALLOWED(AND_ALLOWED);
#undef AND_ALLOWED
}

/* CR4 is read once, because the program may be changing it. */
static void hide_cr4(struct svm_vmcb_save *hw, struct vmcb_request *request,
		     const struct vmcb_limits *limits)
{
	u64 cr4 = READ_ONCE(hw->cr4);

	request->cr4_hidden = limits->cr4_hidden & ~cr4;
	hw->cr4 = cr4 | limits->cr4_hidden;
}

static __always_inline bool load_fields(struct svm_vmcb *hw,
					const struct svm_vmcb *user, u32 clean,
					const struct vmcb_limits *limits,
					struct vmcb_request *request,
					struct vmcb_refusal *refusal)
{
	const bool all = clean == SVM_CLEAN_ALL;

	hw->control.clean &= clean;
	if (!check_zero(&user->control, clean, refusal) ||
	    !load_control(&hw->control, &user->control, clean, refusal) ||
	    !(all || check_features(&hw->control, limits->features, refusal)) ||
	    !load_tlb(request, &user->control, clean, limits, refusal))
		return false;
	if (!(clean & SVM_CLEAN_I)) {
		force_intercepts(&hw->control, limits);
		request->exceptions = READ_ONCE(user->control.intercept[2]);
	}
	copy_state(&hw->save, &user->save, clean);
	if (!(clean & SVM_CLEAN_CRx))
		hide_cr4(&hw->save, request, limits);
	return all || check_state(&hw->save, limits, refusal);
}

/**
 * vmcb_load() - load the program's VMCB, checked against the policy
 * @hw: the hardware's VMCB. Fields that only the module sets are not written; clean bits
 *	of groups that may have changed are cleared
 * @user: the program's VMCB, which the program may be changing
 * @clean: clean bits (APM 15.15.3): groups that have not changed since @hw
 *	was last loaded from @user; 0 the first time
 * @limits: what the processor supports
 * @request: filled in
 * @refusal: filled in if the VMCB is refused
 *
 * After a refusal @hw contains some of the new values, all of them checked; the next
 * call must load every group.
 *
 * Return: true if @hw may be run.
 */
bool vmcb_load(struct svm_vmcb *hw, const struct svm_vmcb *user, u32 clean,
	       const struct vmcb_limits *limits, struct vmcb_request *request,
	       struct vmcb_refusal *refusal)
{
	return load_fields(hw, user, clean & SVM_CLEAN_ALL, limits, request,
			   refusal);
}

/**
 * vmcb_load_clean() - vmcb_load() of a VMCB whose clean bits are all set
 * @hw: as for vmcb_load()
 * @user: as for vmcb_load()
 * @limits: as for vmcb_load()
 * @request: as for vmcb_load()
 * @refusal: as for vmcb_load()
 *
 * A separate function so that the compiler removes almost everything.
 *
 * Return: as vmcb_load().
 */
bool vmcb_load_clean(struct svm_vmcb *hw, const struct svm_vmcb *user,
		     const struct vmcb_limits *limits,
		     struct vmcb_request *request, struct vmcb_refusal *refusal)
{
	return load_fields(hw, user, SVM_CLEAN_ALL, limits, request, refusal);
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
	user->interrupt_shadow = hw->interrupt_shadow & SVMRUN_POLICY_SHADOW;
	user->vintr = (user->vintr & ~VINTR_WRITTEN) |
		      (hw->vintr & VINTR_WRITTEN);
	user->nrip = hw->nrip;
	user->bus_lock_counter = hw->bus_lock_counter;
	user->insn_len = hw->insn_len;
	memcpy(user->insn_bytes, hw->insn_bytes, sizeof(user->insn_bytes));
}

/**
 * vmcb_publish() - copy the state after #VMEXIT to the program's VMCB
 * @user: the program's VMCB
 * @hw: the hardware's VMCB after #VMEXIT (APM 15.6)
 * @request: from vmcb_load()
 */
void vmcb_publish(struct svm_vmcb *user, const struct svm_vmcb *hw,
		  const struct vmcb_request *request)
{
	/* Without LBR virtualization these registers contain host state (APM 15.23). */
	bool lbr = hw->control.virt_ext & SVM_VIRT_LBR_ENABLE;

	publish_exit(&user->control, &hw->control);
	copy_state(&user->save, &hw->save, lbr ? 0 : SVM_CLEAN_LBR);
	user->save.cr4 = hw->save.cr4 & ~request->cr4_hidden;
}

/**
 * vmcb_publish_exit() - write an exit code that the processor has not written
 * @user: the program's VMCB; only the exit is written
 * @exitcode: VMEXIT_INVALID: VMRUN of an illegal VMCB ends so (APM 15.5.1);
 *	VMEXIT_INTR
 */
void vmcb_publish_exit(struct svm_vmcb *user, u64 exitcode)
{
	user->control.exitcode = exitcode;
	user->control.exitinfo1 = 0;
	user->control.exitinfo2 = 0;
	user->control.exitintinfo = 0;
}
