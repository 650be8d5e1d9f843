// SPDX-License-Identifier: GPL-2.0
/*
 * Coverage-guided: VMCBs between program and processor, with the module's files
 * vmcb, event and permission. The input is a script of writes by the program and
 * the processor, and of calls of the module. The properties of each call must hold,
 * whatever happened before.
 */
#include "merge.h"

#include "../unit/policy.h"
#include "../../module/event.h"
#include "input.h"

#include <linux/kernel.h>

#define MSRPM_WORDS (PERMISSION_MSRPM_SIZE / 8)

#define KIND (SVM_EVENT_VALID | SVM_EVENT_TYPE_MASK | SVM_EVENT_VECTOR_MASK)
#define EXCEPTION(vector)                                                      \
	(SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION | (vector))
#define RFLAGS_RF (1ull << 16)
#define DR7_GD (1ull << 13)

struct life {
	struct svm_vmcb user, hw;
	u64 requested[MSRPM_WORDS], msrpm[MSRPM_WORDS];
	struct vmcb_request request;
	struct event_injection injected;
	u32 features;
	bool loaded;
};

struct span {
	u16 offset;
	u16 size;
};

#define SPAN(field)                                                            \
	{ offsetof(struct svm_vmcb, field),                                    \
	  sizeof(((struct svm_vmcb *)0)->field) },
#define SPAN_STATE(field) SPAN(save.field)
#define SPAN_GROUP(group, bit) SVMRUN_POLICY_STATE_##group(SPAN_STATE)

/* Fields that #VMEXIT writes (APM 15.6) */
/* clang-format off */
static const struct span written[] = {
	SVMRUN_POLICY_STATE(SPAN_GROUP)
	SPAN(control.exitcode) SPAN(control.exitinfo1) SPAN(control.exitinfo2)
	SPAN(control.exitintinfo) SPAN(control.eventinj)
	SPAN(control.interrupt_shadow) SPAN(control.vintr) SPAN(control.nrip)
	SPAN(control.insn_len) SPAN(control.insn_bytes)
};
/* clang-format on */

/*
 * Return the bits of virtual interrupt control that #VMEXIT writes (APM 15.21.1).
 */
static u64 vintr_written(u32 features)
{
	u64 bits = SVM_VINTR_V_TPR_MASK | SVM_VINTR_V_IRQ;

	if (features & SVM_FEATURE_VGIF)
		bits |= SVM_VINTR_VGIF;
	if (features & SVM_FEATURE_VNMI)
		bits |= SVM_VINTR_V_NMI | SVM_VINTR_V_NMI_MASK;
	return bits;
}

static struct vmcb_limits limits_of(const struct life *life)
{
	struct vmcb_limits limits = policy_limits(life->features);

	if (life->features & 1)
		limits.cr4_hidden = SVM_CR4_MCE;
	return limits;
}

static void set(struct life *life, struct input *input)
{
	u32 offset = input_take(input, 2) % sizeof(life->user);
	u32 size = 1 + input_below(input, 8);
	u64 value = input_take(input, 8);

	if (size > sizeof(life->user) - offset)
		size = sizeof(life->user) - offset;
	memcpy((u8 *)&life->user + offset, &value, size);
}

static void write_back(struct life *life, struct input *input)
{
	u32 i = input_below(input, ARRAY_SIZE(written));
	u64 value = input_take(input, 8), vintr = life->hw.control.vintr;
	u64 bits = vintr_written(life->features);
	u32 size = written[i].size < 8 ? written[i].size : 8;

	memcpy((u8 *)&life->hw + written[i].offset, &value, size);
	life->hw.control.vintr = (vintr & ~bits) |
				 (life->hw.control.vintr & bits);
	life->hw.save.efer |= SVMRUN_POLICY_EFER_REQUIRED;
	/* A guest cannot set other bits. */
#define KEEP(register, known) life->hw.save.register &= (known);
	SVMRUN_POLICY_ALLOWED(KEEP)
#undef KEEP
	life->hw.control.clean = SVM_CLEAN_ALL;
}

static void load(struct life *life, struct input *input)
{
	const struct vmcb_limits limits = limits_of(life);
	struct svm_vmcb before = life->hw;
	struct policy_load call = {
		.before = &before,
		.user = &life->user,
		.hw = &life->hw,
		.asid = life->request.asid,
		.request = &life->request,
		.clean = life->loaded ? life->user.control.clean : 0,
		.limits = &limits,
	};
	struct vmcb_refusal refusal = { .reason = SVMRUN_INVALID_NONE };
	const char *broken;

	call.taken = vmcb_load(&life->hw, &life->user, call.clean, &limits,
			       &life->request, &refusal);
	call.clean &= SVM_CLEAN_ALL;
	life->loaded = call.taken;
	broken = policy_load_broken(&call);
	holds(!broken, broken);
	holds(!policy_holds(&before) || policy_holds(&life->hw), "policy");
	holds(call.taken == (refusal.reason == SVMRUN_INVALID_NONE), "reason");
}

static void publish(struct life *life, struct input *input)
{
	struct svm_vmcb before = life->user;
	const char *broken;

	vmcb_publish(&life->user, &life->hw, &life->request);
	broken = policy_publish_broken(&before, &life->user, &life->hw,
				       &life->request);
	holds(!broken, broken);
}

static void inject(struct life *life, struct input *input)
{
	u64 type = input_below(input, 8) << 8;

	life->user.control.eventinj = SVM_EVENT_VALID | type |
				      input_take(input, 1);
}

static void note(struct life *life, struct input *input)
{
	event_note(&life->injected, &life->hw);
	/* After its injection the event is no longer pending (APM 15.20). */
	life->hw.control.eventinj &= ~SVM_EVENT_VALID;
}

static void cut_short(struct life *life, struct input *input)
{
	life->hw.control.exitintinfo = life->injected.event;
	life->hw.control.nrip = 0;
	life->hw.save.rip += input_take(input, 1);
}

static bool is_software(u64 event)
{
	return (event & SVM_EVENT_TYPE_MASK) == SVM_EVENT_TYPE_SOFT_INTERRUPT ||
	       (event & KIND) == EXCEPTION(EXCEPTION_BP) ||
	       (event & KIND) == EXCEPTION(EXCEPTION_OF);
}

/*
 * APM 15.7.2: an event whose delivery was interrupted is delivered again; for a
 * software event the instruction is repeated instead.
 */
static void resume(struct life *life, struct input *input)
{
	struct svm_vmcb before = life->hw, *hw = &life->hw;
	u64 event = before.control.exitintinfo;
	bool injected = !((event ^ life->injected.event) & KIND) &&
			before.save.rip == life->injected.rip;

	event_resume(hw, &life->injected);
	holds(hw->control.exitintinfo == 0, "EXITINTINFO is cleared");
	if (!(event & SVM_EVENT_VALID))
		holds(hw->control.eventinj == 0, "an event is made up");
	else if (!is_software(event) || injected)
		holds(hw->control.eventinj == event, "an event is lost");
	else
		holds(hw->control.eventinj == 0, "an event is delivered twice");
	if ((event & SVM_EVENT_VALID) && is_software(event) && injected)
		before.control.nrip = life->injected.nrip;
	before.control.exitintinfo = 0;
	before.control.eventinj = hw->control.eventinj;
	holds(!memcmp(&before, hw, sizeof(before)),
	      "other bytes are unchanged");
}

/* Set up what the handler must see: RF in its frame, or DR7.GD clear. */
static void expect_reflected(struct svm_vmcb *hw, u32 vector)
{
	hw->control.exitintinfo = 0;
	hw->control.eventinj = EXCEPTION(vector);
	if (vector == EXCEPTION_AC) {
		hw->control.eventinj |= SVM_EVENT_ERROR_CODE_VALID;
		hw->save.rflags |= RFLAGS_RF;
	} else {
		hw->save.dr7 &= ~DR7_GD;
		hw->control.clean &= ~SVM_CLEAN_DRx;
	}
}

static bool once_only(u64 event)
{
	u64 type = event & SVM_EVENT_TYPE_MASK;

	return (event & SVM_EVENT_VALID) &&
	       (type == SVM_EVENT_TYPE_INTR || type == SVM_EVENT_TYPE_NMI);
}

static void reflect(struct life *life, struct input *input)
{
	u32 vector = input_below(input, 32);
	u32 requested = life->request.exceptions;
	struct svm_vmcb before;
	bool due = (SVM_INTERCEPT2_EXCEPTION(vector) & SVMRUN_POLICY_REFLECTED &
		    ~requested) &&
		   !once_only(life->hw.control.exitintinfo);

	life->hw.control.exitcode = VMEXIT_EXCP(vector);
	before = life->hw;
	holds(event_reflect(&life->hw, requested) == due,
	      "who handles the exit");
	if (due)
		expect_reflected(&before, vector);
	holds(!memcmp(&before, &life->hw, sizeof(before)),
	      "other bytes are unchanged");
}

static void request_msrs(struct life *life, struct input *input)
{
	u32 word = input_take(input, 2) % MSRPM_WORDS;

	life->requested[word] = input_take(input, 8);
}

static void permit(struct life *life, struct input *input)
{
	static u64 forced[2][MSRPM_WORDS];
	bool lbr = input_take(input, 1) & 1;
	u32 word;

	if (!forced[lbr][0])
		policy_msrpm(forced[lbr], lbr);
	permission_load(life->msrpm, life->requested, lbr);
	for (word = 0; word < MSRPM_WORDS; word++)
		holds(life->msrpm[word] ==
			      (forced[lbr][word] | life->requested[word]),
		      "an MSR permission is wrong");
}

static void create(struct life *life, struct input *input)
{
	life->features = input_take(input, 4);
	memset(&life->hw, 0, sizeof(life->hw));
	life->hw.control.iopm_base_pa = 0x1000;
	life->hw.control.msrpm_base_pa = 0x2000;
	life->hw.control.n_cr3 = 0x3000;
	life->hw.control.asid = 5;
	memset(life->msrpm, 0xff, sizeof(life->msrpm));
	life->loaded = false;
}

/* Set the minimal legal VMCB. */
static void set_legal(struct life *life)
{
	memset(&life->user, 0, sizeof(life->user));
	life->user.control.asid = 1;
	life->user.control.nested_ctl = SVM_NESTED_NP_ENABLE;
	life->user.save.efer = SVMRUN_POLICY_EFER_REQUIRED;
	memset(life->requested, 0xff, sizeof(life->requested));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static void (*const steps[MERGE_STEPS])(struct life *,
						struct input *) = {
		[MERGE_SET] = set,	   [MERGE_WRITE] = write_back,
		[MERGE_LOAD] = load,	   [MERGE_PUBLISH] = publish,
		[MERGE_INJECT] = inject,   [MERGE_CUT_SHORT] = cut_short,
		[MERGE_NOTE] = note,	   [MERGE_RESUME] = resume,
		[MERGE_REFLECT] = reflect, [MERGE_REQUEST] = request_msrs,
		[MERGE_PERMIT] = permit,   [MERGE_VCPU] = create,
	};
	struct input input = { bytes, size };
	static struct life life;

	memset(&life, 0, sizeof(life));
	set_legal(&life);
	create(&life, &input);
	while (input.left)
		steps[input_below(&input, MERGE_STEPS)](&life, &input);
	return 0;
}
