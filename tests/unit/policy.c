// SPDX-License-Identifier: GPL-2.0
/*
 * Check calls of vmcb_load() and vmcb_publish() against the tables of the field policy.
 * The checks are fast enough to be repeated ten million times under sanitizers.
 */
#include "policy.h"

#include <linux/kernel.h>
#include <string.h>

/* Fields that #VMEXIT writes: X(field, published bits, bits that stay as they are) */
#define PUBLISHED(X)                                                           \
	X(exitcode, ~0ull, 0)                                                  \
	X(exitinfo1, ~0ull, 0)                                                 \
	X(exitinfo2, ~0ull, 0)                                                 \
	X(exitintinfo, ~0ull, 0)                                               \
	X(eventinj, ~0ull, 0)                                                  \
	X(interrupt_shadow, SVMRUN_POLICY_SHADOW, 0)                           \
	X(vintr, VINTR_SHOWN, ~VINTR_SHOWN)                                    \
	X(nrip, ~0ull, 0)                                                      \
	X(bus_lock_counter, ~0ull, 0)                                          \
	X(insn_len, ~0ull, 0)

/* APM 15.21.1 and 15.21.10 */
#define VINTR_SHOWN                                                            \
	(SVM_VINTR_V_TPR_MASK | SVM_VINTR_V_IRQ | SVM_VINTR_VGIF |             \
	 SVM_VINTR_V_NMI | SVM_VINTR_V_NMI_MASK)

/* Forced and required bits must be set, and refused bits clear. */
static const char *control_broken(const struct svm_vmcb_control *hw)
{
#define CHECK(field, bit, forced, refused, required)                           \
	if ((hw->field & ((forced) | (refused) | (required))) !=               \
	    ((forced) | (required)))                                           \
		return #field;
	SVMRUN_POLICY_CONTROL(CHECK)
#undef CHECK
	return NULL;
}

/* No register may have a bit that is not permitted. */
static const char *state_broken(const struct svm_vmcb_save *hw,
				const struct vmcb_limits *limits)
{
#define CHECK(register, known)                                                 \
	if (hw->register & ~(limits->register & (known)))                      \
		return #register;
	SVMRUN_POLICY_ALLOWED(CHECK)
#undef CHECK
	return hw->efer & SVMRUN_POLICY_EFER_REQUIRED ? NULL : "efer";
}

static const char *intercepts_broken(const struct svm_vmcb_control *hw,
				     const struct vmcb_limits *limits)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(limits->intercepts); i++)
		if (limits->intercepts[i] & ~hw->intercept[i])
			return "intercepts of this processor";
	return NULL;
}

/**
 * policy_limits() - limits of a processor that has every bit that the policy permits
 * @features: CPUID Fn8000_000A EDX
 *
 * Return: the limits, without hidden bits of CR4 or additional forced intercepts.
 */
struct vmcb_limits policy_limits(u32 features)
{
	return (struct vmcb_limits){
		.features = features,
		.cr0 = SVMRUN_POLICY_KNOWN_CR0,
		.cr4 = SVMRUN_POLICY_KNOWN_CR4,
		.efer = SVMRUN_POLICY_KNOWN_EFER,
		.dbgctl = SVMRUN_POLICY_KNOWN_DBGCTL,
	};
}

/**
 * policy_holds() - does the control area comply with the policy?
 * @hw: the hardware's VMCB
 *
 * Return: true if all forced bits are set and all refused bits clear.
 */
bool policy_holds(const struct svm_vmcb *hw)
{
	return !control_broken(&hw->control);
}

/**
 * policy_runs() - may the hardware run this VMCB?
 * @hw: the hardware's VMCB
 * @limits: limits of the processor
 *
 * Return: true if all of it complies with the policy.
 */
bool policy_runs(const struct svm_vmcb *hw, const struct vmcb_limits *limits)
{
	return policy_holds(hw) && !state_broken(&hw->save, limits) &&
	       !intercepts_broken(&hw->control, limits);
}

static const char *zero_broken(const struct svm_vmcb_control *user, u32 clean)
{
#define CHECK(field, bit)                                                      \
	if (!(clean & (bit)) && user->field)                                   \
		return #field;
	SVMRUN_POLICY_ZERO(CHECK)
#undef CHECK
	return NULL;
}

static const char *features_broken(const struct svm_vmcb_control *hw,
				   u32 features)
{
#define CHECK(field, bits, feature)                                            \
	if ((hw->field & (bits)) && !(features & (feature)))                   \
		return #feature;
	SVMRUN_POLICY_FEATURES(CHECK)
#undef CHECK
	return NULL;
}

static const char *tlb_broken(const struct svm_vmcb_control *user, u32 clean,
			      u32 features)
{
	if (!(clean & SVM_CLEAN_ASID) && !user->asid)
		return "asid";
#define CHECK(value, feature)                                                  \
	if (user->tlb_control == (value) &&                                    \
	    (features & (feature)) == (feature))                               \
		return NULL;
	SVMRUN_POLICY_TLB_CONTROL(CHECK)
#undef CHECK
	return "tlb_control";
}

/* Compute all bytes of the hardware's VMCB after a successful load; @hw: before it */
static void expect(struct svm_vmcb *hw, const struct svm_vmcb *user, u32 clean,
		   const struct vmcb_limits *limits)
{
	unsigned int i;

	hw->control.clean &= clean;
#define TAKE(field, bit, forced, refused, required)                            \
	if (!(clean & (bit)))                                                  \
		hw->control.field = user->control.field | (forced);
	SVMRUN_POLICY_CONTROL(TAKE)
#undef TAKE
#define TAKE(field) hw->save.field = user->save.field;
#define TAKE_GROUP(group, bit)                                                 \
	if (!(clean & (bit))) {                                                \
		SVMRUN_POLICY_STATE_##group(TAKE)                              \
	}
	SVMRUN_POLICY_STATE(TAKE_GROUP)
#undef TAKE_GROUP
#undef TAKE
	for (i = 0; i < 6 && !(clean & SVM_CLEAN_I); i++)
		hw->control.intercept[i] |= limits->intercepts[i];
	if (!(clean & SVM_CLEAN_CRx))
		hw->save.cr4 |= limits->cr4_hidden;
}

static const char *request_broken(const struct policy_load *load)
{
	const struct svm_vmcb_control *user = &load->user->control;
	bool flush = user->tlb_control != SVM_TLB_CONTROL_NOTHING;

	if (!(load->clean & SVM_CLEAN_ASID))
		flush |= load->asid && load->asid != user->asid;
	if (!(load->clean & SVM_CLEAN_I) &&
	    load->request->exceptions != user->intercept[2])
		return "requested exceptions";
	if (load->request->flush != flush)
		return "requested flush";
	if (!(load->clean & SVM_CLEAN_CRx) &&
	    load->request->cr4_hidden !=
		    (load->limits->cr4_hidden & ~load->user->save.cr4))
		return "hidden bits of CR4";
	return NULL;
}

static const char *taken_broken(const struct policy_load *load)
{
	const struct svm_vmcb *user = load->user, *hw = load->hw;
	struct svm_vmcb expected = *load->before;
	const char *broken = control_broken(&hw->control);

	if (!broken)
		broken = zero_broken(&user->control, load->clean);
	if (!broken && load->clean != SVM_CLEAN_ALL)
		broken = features_broken(&hw->control, load->limits->features);
	if (!broken)
		broken = tlb_broken(&user->control, load->clean,
				    load->limits->features);
	if (!broken && load->clean != SVM_CLEAN_ALL)
		broken = state_broken(&hw->save, load->limits);
	if (!broken)
		broken = request_broken(load);
	if (broken)
		return broken;
	expect(&expected, user, load->clean, load->limits);
	return memcmp(&expected, hw, sizeof(*hw)) ? "some other byte" : NULL;
}

/* The forced intercepts at @offset of the control area, 0 outside the vectors */
static u32 forced_here(const struct vmcb_limits *limits, size_t offset)
{
	size_t vector = offset / sizeof(u32);

	return vector < ARRAY_SIZE(limits->intercepts) ?
		       limits->intercepts[vector] :
		       0;
}

/* Return whether the field is unchanged, or loaded with a value that the policy permits. */
static bool mixed(u64 before, u64 user, u64 hw, bool clean, u64 forced,
		  u64 refused, u64 required)
{
	if (hw == before)
		return true;
	return !clean && hw == (user | forced) && !(user & refused) &&
	       (user & required) == required;
}

static const char *mixture_broken(const struct policy_load *load)
{
	const struct svm_vmcb *before = load->before, *user = load->user;
	struct svm_vmcb rest = *load->hw;

	if (!(load->clean & SVM_CLEAN_CRx) &&
	    rest.save.cr4 == (user->save.cr4 | load->limits->cr4_hidden))
		rest.save.cr4 = user->save.cr4;
#define CHECK(field, bit, forced, refused, required)                           \
	if (!mixed(before->control.field, user->control.field,                 \
		   load->hw->control.field, load->clean & (bit), forced,       \
		   refused, required) &&                                       \
	    !mixed(before->control.field, user->control.field,                 \
		   load->hw->control.field, load->clean & (bit),               \
		   (forced) | forced_here(load->limits,                        \
					  offsetof(struct svm_vmcb_control,    \
						   field)),                    \
		   refused, required))                                         \
		return #field;                                                 \
	rest.control.field = before->control.field;
	SVMRUN_POLICY_CONTROL(CHECK)
#undef CHECK
#define SAME(a, b) (!memcmp(&(a), &(b), sizeof(a)))
#define CHECK(field)                                                           \
	if (!SAME(rest.save.field, before->save.field) &&                      \
	    !SAME(rest.save.field, user->save.field))                          \
		return #field;                                                 \
	rest.save.field = before->save.field;
#define CHECK_GROUP(group, bit)                                                \
	if (!(load->clean & (bit))) {                                          \
		SVMRUN_POLICY_STATE_##group(CHECK)                             \
	}
	SVMRUN_POLICY_STATE(CHECK_GROUP)
#undef CHECK_GROUP
#undef CHECK
#undef SAME
	rest.control.clean = before->control.clean;
	return memcmp(&rest, before, sizeof(rest)) ? "some other byte" : NULL;
}

/**
 * policy_load_broken() - did vmcb_load() follow the policy?
 * @load: the call; groups whose clean bits are set must have been loaded successfully
 *
 * After a successful load, each byte must be as the tables say. A refused load may stop
 * half-way: each field must be unchanged or have a value that the policy permits.
 *
 * Return: NULL if it did, otherwise the field or feature that is wrong.
 */
const char *policy_load_broken(const struct policy_load *load)
{
	if (load->hw->control.clean !=
	    (load->before->control.clean & load->clean))
		return "clean";
	return load->taken ? taken_broken(load) : mixture_broken(load);
}

/**
 * policy_publish_broken() - did vmcb_publish() show exactly the fields that it should?
 * @before: the program's VMCB before the call
 * @user: the program's VMCB after the call
 * @hw: the hardware's VMCB
 * @request: from vmcb_load()
 *
 * Return: NULL if it did, otherwise the field that is wrong.
 */
const char *policy_publish_broken(const struct svm_vmcb *before,
				  const struct svm_vmcb *user,
				  const struct svm_vmcb *hw,
				  const struct vmcb_request *request)
{
	struct svm_vmcb expected = *before;
	/* Without LBR virtualization these registers contain host state (APM 15.23). */
	u32 hidden = hw->control.virt_ext & SVM_VIRT_LBR_ENABLE ? 0 :
								  SVM_CLEAN_LBR;

#define SHOW(field, shown, kept)                                               \
	expected.control.field = (before->control.field & (kept)) |            \
				 (hw->control.field & (shown));                \
	if (user->control.field != expected.control.field)                     \
		return #field;
	PUBLISHED(SHOW)
#undef SHOW
	memcpy(expected.control.insn_bytes, hw->control.insn_bytes,
	       sizeof(hw->control.insn_bytes));
#define SHOW(field) expected.save.field = hw->save.field;
#define SHOW_GROUP(group, bit)                                                 \
	if (!(hidden & (bit))) {                                             \
		SVMRUN_POLICY_STATE_##group(SHOW)                              \
	}
	SVMRUN_POLICY_STATE(SHOW_GROUP)
#undef SHOW_GROUP
#undef SHOW
	expected.save.cr4 &= ~request->cr4_hidden;
	return memcmp(&expected, user, sizeof(*user)) ? "some other byte" :
							NULL;
}

/**
 * policy_msr_passes() - may a guest access an MSR without an exit?
 * @msr: the MSR
 * @write: the access is a write
 * @lbr: LBR virtualization is enabled
 *
 * Return: true if VMRUN, VMLOAD and VMSAVE, nested paging or LBR virtualization separate
 * the guest's MSR from the host's.
 */
bool policy_msr_passes(u32 msr, bool write, bool lbr)
{
	switch (msr) {
	case 0x1d9:
	case 0x1db ... 0x1de:
		return lbr && !write;
	case 0x10:
		return !write;
	case 0x174 ... 0x176:
	case 0x277:
	case 0xc0000081 ... 0xc0000084:
	case 0xc0000100 ... 0xc0000102:
		return true;
	default:
		return false;
	}
}

/**
 * policy_msrpm() - get the smallest MSR permission map that the policy permits
 * @map: filled in, PERMISSION_MSRPM_SIZE bytes
 * @lbr: LBR virtualization is enabled
 */
void policy_msrpm(u64 *map, bool lbr)
{
	static const u32 ranges[] = { 0, 0xc0000000, 0xc0010000 };
	u8 *bytes = (u8 *)map;
	unsigned int i, bit;

	memset(map, 0xff, PERMISSION_MSRPM_SIZE);
	for (i = 0; i < ARRAY_SIZE(ranges); i++, bytes += 0x800)
		for (bit = 0; bit < 2 * 0x2000; bit++)
			if (policy_msr_passes(ranges[i] + bit / 2, bit % 2,
					      lbr))
				bytes[bit / 8] &= ~(1 << bit % 8);
}
