// SPDX-License-Identifier: GPL-2.0
/*
 * vmcb_load() and vmcb_publish(): the hardware's VMCB always complies with the field
 * policy (linux/svmrun_policy.h), and the program sees only the fields that #VMEXIT
 * writes. Checked bit by bit, with random VMCBs, and while another thread writes.
 */
#include "suites.h"

#include <pthread.h>

#include "policy.h"
#include "xorshift.h"

static struct svm_vmcb user, hw;
static struct vmcb_request request;
static struct vmcb_refusal refusal;

/* The minimal legal VMCB */
static void setup(void)
{
	memset(&user, 0, sizeof(user));
	memset(&hw, 0, sizeof(hw));
	memset(&request, 0, sizeof(request));
	memset(&refusal, 0, sizeof(refusal));
	user.control.asid = 1;
	user.control.nested_ctl = SVM_NESTED_NP_ENABLE;
	user.save.efer = SVMRUN_POLICY_EFER_REQUIRED;
}

static bool load_within(u32 clean, const struct vmcb_limits *limits)
{
	return vmcb_load(&hw, &user, clean, limits, &request, &refusal);
}

/* Load on a processor that has every known register bit, and only these SVM features. */
static bool load(u32 clean, u32 features)
{
	const struct vmcb_limits limits = policy_limits(features);

	return load_within(clean, &limits);
}

static void refused(u32 offset, u32 reason)
{
	ck_assert_uint_eq(refusal.offset, offset);
	ck_assert_uint_eq(refusal.reason, reason);
}

START_TEST(least_is_taken)
{
	ck_assert(load(0, 0));
	ck_assert_uint_eq(hw.control.intercept[0], SVMRUN_POLICY_FORCED_0);
	ck_assert_uint_eq(hw.control.intercept[2], SVMRUN_POLICY_FORCED_2);
	ck_assert_uint_eq(hw.control.intercept[3], SVMRUN_POLICY_FORCED_3);
	ck_assert_uint_eq(hw.control.intercept[4], SVMRUN_POLICY_FORCED_4);
	ck_assert_uint_eq(hw.control.intercept[5], SVMRUN_POLICY_FORCED_5);
	ck_assert_uint_eq(hw.control.vintr, SVM_VINTR_V_INTR_MASKING);
	ck_assert_uint_eq(hw.control.nested_ctl, SVM_NESTED_NP_ENABLE);
	ck_assert_uint_eq(hw.save.efer, SVMRUN_POLICY_EFER_REQUIRED);
	ck_assert(!request.flush);
	ck_assert_uint_eq(request.exceptions, 0);
}
END_TEST

START_TEST(requests_reach_the_hardware)
{
	user.control.intercept[0] = 0x12345678;
	user.control.intercept[1] = 0x9abcdef0;
	user.control.intercept[2] = SVM_INTERCEPT2_EXCEPTION(14);
	user.control.tsc_offset = 0x1122334455667788ull;
	user.control.interrupt_shadow = 1;
	user.control.eventinj = SVM_EVENT_VALID | SVM_EVENT_TYPE_NMI | 2;
	user.control.vintr = SVM_VINTR_V_IRQ | (0x42ull << 32);
	ck_assert(load(0, 0));
	ck_assert_uint_eq(hw.control.intercept[0],
			  0x12345678 | SVMRUN_POLICY_FORCED_0);
	ck_assert_uint_eq(hw.control.intercept[1], 0x9abcdef0);
	ck_assert_uint_eq(hw.control.intercept[2],
			  SVMRUN_POLICY_FORCED_2 |
				  SVM_INTERCEPT2_EXCEPTION(14));
	ck_assert_uint_eq(request.exceptions, SVM_INTERCEPT2_EXCEPTION(14));
	ck_assert_uint_eq(hw.control.tsc_offset, 0x1122334455667788ull);
	ck_assert_uint_eq(hw.control.interrupt_shadow, 1);
	ck_assert_uint_eq(hw.control.eventinj, user.control.eventinj);
	ck_assert_uint_eq(hw.control.vintr,
			  user.control.vintr | SVM_VINTR_V_INTR_MASKING);
}
END_TEST

/* ---- each bit of the VMCB alone ------------------------------------------ */

/* For each bit of the VMCB: the reason for refusal if only that bit is flipped, or 0 */
static u8 reasons[8 * sizeof(struct svm_vmcb)];

static void set_reason(size_t offset, u64 bits, u8 reason)
{
	for (; bits; bits &= bits - 1)
		reasons[8 * offset + __builtin_ctzll(bits)] = reason;
}

#define SET_REASON(field, bits, reason)                                        \
	set_reason(offsetof(struct svm_vmcb, field),                           \
		   (bits) & (~0ull >> (64 - 8 * sizeof(user.field))),          \
		   SVMRUN_INVALID_##reason)

/* Fill in @reasons from the policy's tables. A bit in no table is never refused. */
static void set_reasons(void)
{
#define ROW(field, bit, forced, refused, required)                             \
	SET_REASON(control.field, refused, MUST_BE_ZERO);                      \
	SET_REASON(control.field, required, MUST_BE_SET);
	SVMRUN_POLICY_CONTROL(ROW)
#undef ROW
#define ROW(field, bit) SET_REASON(control.field, ~0ull, MUST_BE_ZERO);
	SVMRUN_POLICY_ZERO(ROW)
#undef ROW
	SET_REASON(control.asid, 1, MUST_BE_SET);
	SET_REASON(control.tlb_control, 0xff, VALUE);
#define ROW(value, feature)                                                    \
	if (!((value) & ((value)-1))) /* a single bit */                       \
		SET_REASON(control.tlb_control, value, NONE);
	SVMRUN_POLICY_TLB_CONTROL(ROW)
#undef ROW
#define ROW(register, known) SET_REASON(save.register, ~(known), MUST_BE_ZERO);
	SVMRUN_POLICY_ALLOWED(ROW)
#undef ROW
	SET_REASON(save.efer, SVMRUN_POLICY_EFER_REQUIRED, MUST_BE_SET);
}

static void flip(void *bytes, unsigned int bit)
{
	((u8 *)bytes)[bit / 8] ^= 1 << bit % 8;
}

static unsigned int field_offset(unsigned int bit)
{
#define INSIDE(field)                                                          \
	if (bit / 8 - offsetof(struct svm_vmcb, field) < sizeof(user.field))   \
		return offsetof(struct svm_vmcb, field);
#define ROW(field, ...) INSIDE(control.field)
	SVMRUN_POLICY_CONTROL(ROW)
	SVMRUN_POLICY_ZERO(ROW)
#undef ROW
	INSIDE(control.asid)
	INSIDE(control.tlb_control)
#define ROW(register, known) INSIDE(save.register)
	SVMRUN_POLICY_ALLOWED(ROW)
#undef ROW
#undef INSIDE
	return 0;
}

/* Flip one bit of the program's VMCB; the hardware's contains @byte everywhere before. */
static void check_bit(unsigned int bit, u8 byte)
{
	const struct vmcb_limits limits = policy_limits(~0u);
	struct svm_vmcb before;
	struct policy_load call = {
		.before = &before,
		.user = &user,
		.hw = &hw,
		.request = &request,
		.limits = &limits,
	};
	const char *broken;

	setup();
	flip(&user, bit);
	memset(&hw, byte, sizeof(hw));
	before = hw;
	call.taken = load(0, ~0u);
	ck_assert_msg(call.taken == !reasons[bit], "bit %u of byte %x", bit % 8,
		      bit / 8);
	if (!call.taken)
		refused(field_offset(bit), reasons[bit]);
	broken = policy_load_broken(&call);
	ck_assert_msg(!broken, "bit %u of byte %x: %s", bit % 8, bit / 8,
		      broken);
}

/*
 * Each bit of control and state save area passes, is forced, is refused, or does not
 * reach the hardware's VMCB, exactly as the policy's tables say.
 */
START_TEST(every_bit_as_the_tables_say)
{
	unsigned int bit;

	set_reasons();
	for (bit = 0; bit < ARRAY_SIZE(reasons); bit++) {
		check_bit(bit, 0);
		check_bit(bit, 0xff);
	}
}
END_TEST

/* The same for vmcb_publish(): the program's VMCB contains @byte everywhere before. */
static void check_shown(unsigned int bit, u8 byte)
{
	struct svm_vmcb before;
	const char *broken;

	memset(&before, byte, sizeof(before));
	user = before;
	flip(&hw, bit);
	vmcb_publish(&user, &hw, &request);
	broken = policy_publish_broken(&before, &user, &hw, &request);
	ck_assert_msg(!broken, "bit %u of byte %x: %s", bit % 8, bit / 8,
		      broken);
	flip(&hw, bit);
}

START_TEST(every_bit_is_shown_or_not)
{
	unsigned int bit;

	for (bit = 0; bit < 8 * sizeof(hw); bit++) {
		memset(&hw, 0, sizeof(hw));
		check_shown(bit, 0);
		check_shown(bit, 0xff);
		memset(&hw, 0xff, sizeof(hw));
		check_shown(bit, 0);
		check_shown(bit, 0xff);
	}
}
END_TEST

START_TEST(features_are_asked_of_those_who_have_them)
{
#define CHECK(field, bits, feature)                                            \
	setup();                                                               \
	user.control.field |= bits;                                            \
	ck_assert(!load(0, ~(feature)));                                       \
	refused(offsetof(struct svm_vmcb, control.field),                      \
		SVMRUN_INVALID_UNSUPPORTED);                                   \
	ck_assert(load(0, ~0u));
	SVMRUN_POLICY_FEATURES(CHECK)
#undef CHECK
}
END_TEST

START_TEST(asid_zero_is_the_hosts)
{
	user.control.asid = 0;
	ck_assert(!load(0, 0));
	refused(0x58, SVMRUN_INVALID_MUST_BE_SET);
}
END_TEST

/*
 * A program that changes the ASID expects no translations from before, as on a
 * processor. The ASID is only compared when its clean bit is clear.
 */
START_TEST(another_asid_has_no_translations)
{
	user.control.asid = 5;
	ck_assert(load(0, 0));
	ck_assert(!request.flush);
	ck_assert(load(0, 0));
	ck_assert(!request.flush);
	user.control.asid = 6;
	ck_assert(load(SVM_CLEAN_ASID, 0));
	ck_assert(!request.flush);
	ck_assert(load(~SVM_CLEAN_ASID, 0));
	ck_assert(request.flush);
	ck_assert(load(0, 0));
	ck_assert(!request.flush);
}
END_TEST

/* Values 3 and 7 flush only the guest's translations (APM 15.16.2). */
static bool tlb_control_is_legal(unsigned int value)
{
	return value == 0 || value == 1 || value == 3 || value == 7;
}

START_TEST(tlb_control_has_four_values)
{
	unsigned int value;

	for (value = 0; value < 256; value++) {
		bool legal = tlb_control_is_legal(value);

		setup();
		user.control.tlb_control = value;
		ck_assert_int_eq(load(0, SVM_FEATURE_FLUSH_BY_ASID), legal);
		if (legal)
			ck_assert_int_eq(request.flush, value != 0);
		else
			refused(0x5c, SVMRUN_INVALID_VALUE);
		/* The module decides when the hardware flushes. */
		ck_assert_uint_eq(hw.control.tlb_control, 0);
	}
}
END_TEST

START_TEST(tlb_control_by_asid_needs_the_feature)
{
	unsigned int value;

	for (value = 0; value < 256; value++) {
		setup();
		user.control.tlb_control = value;
		if (!tlb_control_is_legal(value))
			continue;
		ck_assert_int_eq(load(0, ~SVM_FEATURE_FLUSH_BY_ASID),
				 value < 3);
		if (value >= 3)
			refused(0x5c, SVMRUN_INVALID_UNSUPPORTED);
	}
}
END_TEST

/* Set each bit of a register with permitted bits, on processors with and without it. */
static void check_allowed(u64 *register_, size_t offset, u64 known,
			  struct vmcb_limits *limits, u64 *limit)
{
	u64 bit;

	for (bit = 1; bit; bit <<= 1) {
		bool required = offset == 0x4d0 &&
				bit == SVMRUN_POLICY_EFER_REQUIRED;

		setup();
		*register_ |= bit;
		ck_assert_int_eq(load_within(0, limits), !!(known & bit));
		if (!(known & bit))
			refused(offset, SVMRUN_INVALID_MUST_BE_ZERO);
		else
			ck_assert(policy_runs(&hw, limits));
		if (!(known & bit) || required)
			continue;
		*limit &= ~bit;
		ck_assert(!load_within(0, limits));
		refused(offset, SVMRUN_INVALID_UNSUPPORTED);
		/*
		 * A refused load may leave the bit in the hardware's VMCB. The next load
		 * overwrites it: only the clean bits in the argument count.
		 */
		user.control.clean = SVM_CLEAN_ALL;
		*register_ &= ~bit;
		ck_assert(load_within(0, limits));
		*limit |= bit;
	}
}

START_TEST(registers_with_allowed_bits)
{
	struct vmcb_limits limits = policy_limits(~0u);

#define CHECK(register, known)                                                 \
	check_allowed((u64 *)&user.save.register,                              \
		      offsetof(struct svm_vmcb, save.register), known,         \
		      &limits, &limits.register);
	SVMRUN_POLICY_ALLOWED(CHECK)
#undef CHECK
}
END_TEST

/* Repeat the constants of the policy as numbers, to catch a mistake in its tables. */
START_TEST(what_is_known_is_what_the_manual_has)
{
	ck_assert_uint_eq(SVMRUN_POLICY_KNOWN_CR0, 0x8005003f);
	ck_assert_uint_eq(SVMRUN_POLICY_KNOWN_CR4, 0xf71fff);
	ck_assert_uint_eq(SVMRUN_POLICY_KNOWN_EFER, 0x20fd01);
	ck_assert_uint_eq(SVMRUN_POLICY_KNOWN_DBGCTL, 3);
}
END_TEST

static void check_cr4(u64 program, u64 hidden, u64 hardware)
{
	struct vmcb_limits limits = policy_limits(~0u);

	setup();
	limits.cr4_hidden = hidden;
	user.save.cr4 = program;
	ck_assert(load_within(0, &limits));
	ck_assert_uint_eq(hw.save.cr4, hardware);
	vmcb_publish(&user, &hw, &request);
	ck_assert_uint_eq(user.save.cr4, program);
	/* A load with all clean bits set leaves CR4 as it was. */
	user.save.cr4 = 0;
	ck_assert(load_within(SVM_CLEAN_ALL, &limits));
	ck_assert_uint_eq(hw.save.cr4, hardware);
	vmcb_publish(&user, &hw, &request);
	ck_assert_uint_eq(user.save.cr4, program);
}

START_TEST(machine_checks_of_the_host_are_enabled_and_hidden)
{
	check_cr4(SVM_CR4_PAE, SVM_CR4_MCE, SVM_CR4_PAE | SVM_CR4_MCE);
	check_cr4(SVM_CR4_PAE | SVM_CR4_MCE, SVM_CR4_MCE,
		  SVM_CR4_PAE | SVM_CR4_MCE);
	check_cr4(SVM_CR4_PAE, 0, SVM_CR4_PAE);
	check_cr4(SVM_CR4_PAE | SVM_CR4_MCE, 0, SVM_CR4_PAE | SVM_CR4_MCE);
}
END_TEST

START_TEST(processors_may_force_more_intercepts)
{
	struct vmcb_limits limits = policy_limits(~0u);

	limits.intercepts[3] = SVMRUN_POLICY_FORCED_SMT_RSB;
	ck_assert(load_within(0, &limits));
	ck_assert_uint_eq(hw.control.intercept[3],
			  SVMRUN_POLICY_FORCED_3 | SVM_INTERCEPT3_HLT);
	ck_assert(load_within(SVM_CLEAN_ALL, &limits));
	ck_assert(policy_runs(&hw, &limits));
}
END_TEST

START_TEST(efer_without_svme_is_refused)
{
	user.save.efer = 0xd01;
	ck_assert(!load(0, 0));
	refused(0x4d0, SVMRUN_INVALID_MUST_BE_SET);
}
END_TEST

/* Fields that belong to the module are never loaded from the program's VMCB. */
START_TEST(the_modules_fields_are_not_the_programs)
{
	hw.control.n_cr3 = 0x1000;
	hw.control.iopm_base_pa = 0x2000;
	hw.control.msrpm_base_pa = 0x3000;
	hw.control.asid = 5;
	user.control.asid = 77;
	ck_assert(load(0, 0));
	ck_assert_uint_eq(hw.control.n_cr3, 0x1000);
	ck_assert_uint_eq(hw.control.iopm_base_pa, 0x2000);
	ck_assert_uint_eq(hw.control.msrpm_base_pa, 0x3000);
	ck_assert_uint_eq(hw.control.asid, 5);
}
END_TEST

/* Groups whose clean bits are set are not loaded; all others are. */
START_TEST(clean_bits_are_believed)
{
	static const struct {
		u32 clean;
		u32 offset;
	} cases[] = {
		{ SVM_CLEAN_I, offsetof(struct svm_vmcb, control.tsc_offset) },
		{ SVM_CLEAN_CRx, offsetof(struct svm_vmcb, save.cr3) },
		{ SVM_CLEAN_DRx, offsetof(struct svm_vmcb, save.dr7) },
		{ SVM_CLEAN_DT, offsetof(struct svm_vmcb, save.gdtr.base) },
		{ SVM_CLEAN_SEG, offsetof(struct svm_vmcb, save.cs.base) },
		{ SVM_CLEAN_CR2, offsetof(struct svm_vmcb, save.cr2) },
		{ SVM_CLEAN_NP, offsetof(struct svm_vmcb, save.g_pat) },
		{ SVM_CLEAN_LBR, offsetof(struct svm_vmcb, save.br_from) },
		{ SVM_CLEAN_CET, offsetof(struct svm_vmcb, save.ssp) },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 *in = (u64 *)((u8 *)&user + cases[i].offset);
		u64 *out = (u64 *)((u8 *)&hw + cases[i].offset);

		setup();
		ck_assert(load(0, 0));
		*in = 0x1234;
		ck_assert(load(cases[i].clean, 0));
		ck_assert_uint_eq(*out, 0);
		ck_assert(load(~cases[i].clean, 0));
		ck_assert_uint_eq(*out, 0x1234);
	}
}
END_TEST

/*
 * A load clears the hardware's clean bits of the groups that it loads, and no load sets
 * them again: several loads may come before the processor sees the VMCB. This also holds
 * for loads that fail.
 */
START_TEST(clean_bits_reach_the_hardware)
{
	unsigned int bit;

	ck_assert(load(0, 0));
	hw.control.clean = SVM_CLEAN_ALL;
	ck_assert(load(~0u, 0));
	ck_assert_uint_eq(hw.control.clean, SVM_CLEAN_ALL);
	for (bit = 0; bit < 13; bit++) {
		hw.control.clean = SVM_CLEAN_ALL;
		ck_assert(load(~(1u << bit), 0));
		ck_assert(load(~0u, 0));
		ck_assert_uint_eq(hw.control.clean,
				  SVM_CLEAN_ALL & ~(1u << bit));
	}
	user.control.n_cr3 = 1;
	ck_assert(!load(0, 0));
	ck_assert_uint_eq(hw.control.clean, 0);
}
END_TEST

START_TEST(flow_fields_are_never_clean)
{
	ck_assert(load(0, 0));
	user.save.rip = 0x1000;
	user.save.rsp = 0x2000;
	user.save.rax = 0x3000;
	user.save.rflags = 2;
	user.control.eventinj = SVM_EVENT_VALID | 0x30;
	ck_assert(load(~0u, 0));
	ck_assert_uint_eq(hw.save.rip, 0x1000);
	ck_assert_uint_eq(hw.save.rsp, 0x2000);
	ck_assert_uint_eq(hw.save.rax, 0x3000);
	ck_assert_uint_eq(hw.save.rflags, 2);
	ck_assert_uint_eq(hw.control.eventinj, SVM_EVENT_VALID | 0x30);
}
END_TEST

START_TEST(exit_is_published)
{
	hw.control.exitcode = VMEXIT_NPF;
	hw.control.exitinfo1 = 1;
	hw.control.exitinfo2 = 2;
	hw.control.exitintinfo = 3;
	hw.control.nrip = 4;
	hw.control.insn_len = 15;
	hw.control.insn_bytes[14] = 5;
	hw.control.interrupt_shadow = 1;
	hw.control.vintr = SVM_VINTR_V_INTR_MASKING | SVM_VINTR_V_IRQ | 6;
	hw.control.n_cr3 = 0x1000;
	user.control.vintr = 0x42ull << 32;
	vmcb_publish(&user, &hw, &request);
	ck_assert_uint_eq(user.control.exitcode, VMEXIT_NPF);
	ck_assert_uint_eq(user.control.exitinfo1, 1);
	ck_assert_uint_eq(user.control.exitinfo2, 2);
	ck_assert_uint_eq(user.control.exitintinfo, 3);
	ck_assert_uint_eq(user.control.nrip, 4);
	ck_assert_uint_eq(user.control.insn_len, 15);
	ck_assert_uint_eq(user.control.insn_bytes[14], 5);
	ck_assert_uint_eq(user.control.interrupt_shadow, 1);
	/* Bits that #VMEXIT does not write keep the program's values. */
	ck_assert_uint_eq(user.control.vintr,
			  (0x42ull << 32) | SVM_VINTR_V_IRQ | 6);
	/* Fields that belong to the module stay hidden. */
	ck_assert_uint_eq(user.control.n_cr3, 0);
	ck_assert_uint_eq(user.control.intercept[3], 0);
}
END_TEST

START_TEST(refusal_looks_like_vmruns)
{
	user.control.exitinfo1 = 1;
	user.save.rip = 0x1000;
	vmcb_publish_exit(&user, VMEXIT_INVALID);
	ck_assert_uint_eq(user.control.exitcode, VMEXIT_INVALID);
	ck_assert_uint_eq(user.control.exitinfo1, 0);
	ck_assert_uint_eq(user.save.rip, 0x1000);
}
END_TEST

/* ---- random VMCBs -------------------------------------------------------- */

/*
 * A vCPU, its program and its processor. @before: the VMCB that the current call writes,
 * before the call; @loaded: the last load succeeded, so that clean bits count.
 */
struct trial {
	struct svm_vmcb before;
	u64 random;
	struct vmcb_limits limits;
	bool loaded;
	unsigned long taken, refused;
};

/* Fill the program's VMCB with random values that are legal. */
static void set_legal(struct trial *trial)
{
	xorshift_fill(&trial->random, &user, sizeof(user));
#define ZERO(field, ...) user.control.field = 0;
	SVMRUN_POLICY_ZERO(ZERO)
	SVMRUN_POLICY_FEATURES(ZERO)
#undef ZERO
#define KEEP(field, bit, forced, refused, required)                            \
	user.control.field &= ~(refused);                                      \
	user.control.field |= required;
	SVMRUN_POLICY_CONTROL(KEEP)
#undef KEEP
	user.control.tlb_control = SVM_TLB_CONTROL_NOTHING;
	user.control.asid |= 1;
	user.save.efer |= SVMRUN_POLICY_EFER_REQUIRED;
#define KEEP(register, known) user.save.register &= trial->limits.register;
	SVMRUN_POLICY_ALLOWED(KEEP)
#undef KEEP
}

static void flip_control(struct trial *trial)
{
	flip(&user.control, xorshift_below(&trial->random, 8 * 0x128));
}

static void flip_state(struct trial *trial)
{
	flip(&user.save, xorshift_below(&trial->random, 8 * 0x298));
}

static void set_any(struct trial *trial)
{
	u32 word = xorshift_below(&trial->random, sizeof(user) / 8);

	((u64 *)&user)[word] = xorshift(&trial->random);
}

static void set_tlb(struct trial *trial)
{
	user.control.tlb_control = xorshift_below(&trial->random, 9);
}

/* Set random clean bits, or all except one. */
static void set_clean(struct trial *trial)
{
	u32 none = 1u << xorshift_below(&trial->random, 13);

	user.control.clean = xorshift(&trial->random);
	if (xorshift(&trial->random) & 1)
		user.control.clean = SVM_CLEAN_ALL & ~none;
}

static void set_bit_of_feature(struct trial *trial)
{
#define FLIP(field, bits, feature)                                             \
	if (!xorshift_below(&trial->random, 8))                                \
		user.control.field ^= (bits)&xorshift(&trial->random);
	SVMRUN_POLICY_FEATURES(FLIP)
#undef FLIP
}

static void mutate(struct trial *trial)
{
	static void (*const mutations[])(struct trial *) = {
		flip_control, flip_control, flip_state, flip_state,
		set_any,      set_tlb,	    set_clean,	set_bit_of_feature,
	};
	u32 n = 1 + xorshift_below(&trial->random, 3);

	while (n--)
		mutations[xorshift_below(&trial->random, 8)](trial);
}

/* A processor that lacks random features and register bits */
static void set_limits(struct trial *trial)
{
	struct vmcb_limits *limits = &trial->limits;
	u64 *random = &trial->random;

	limits->features = xorshift(random);
	limits->cr4 &= xorshift(random) | SVM_CR4_MCE;
	limits->efer &= xorshift(random) | SVMRUN_POLICY_EFER_REQUIRED;
	if (xorshift(random) & 1)
		limits->cr4_hidden = SVM_CR4_MCE;
	if (xorshift(random) & 1)
		limits->intercepts[3] = SVMRUN_POLICY_FORCED_SMT_RSB;
}

/* Switch to another vCPU on another processor; nothing has been loaded into its @hw. */
static void set_up_trial(struct trial *trial)
{
	xorshift_fill(&trial->random, &hw, sizeof(hw));
	hw.control.clean &= SVM_CLEAN_ALL;
	trial->limits = policy_limits(~0u);
	if (xorshift(&trial->random) & 1)
		set_limits(trial);
	trial->loaded = false;
}

/* Change the hardware's VMCB as a guest and #VMEXIT may. */
static void leave_guest(struct trial *trial)
{
	u64 *random = &trial->random;

	hw.control.clean = SVM_CLEAN_ALL;
	hw.control.exitcode = xorshift(random);
	hw.control.exitinfo1 = xorshift(random);
	hw.control.exitintinfo = xorshift(random);
	hw.control.interrupt_shadow = xorshift(random);
	hw.control.vintr ^= xorshift(random) &
			    (SVM_VINTR_V_TPR_MASK | SVM_VINTR_V_IRQ);
	hw.control.insn_bytes[xorshift(random) % 15] = xorshift(random);
	((u64 *)&hw.save)[xorshift_below(random, 0x298 / 8)] = xorshift(random);
	hw.save.efer |= SVMRUN_POLICY_EFER_REQUIRED;
	/* The guest cannot set any other bits. */
#define KEEP(register, known) hw.save.register &= trial->limits.register;
	SVMRUN_POLICY_ALLOWED(KEEP)
#undef KEEP
	hw.save.cr4 |= trial->limits.cr4_hidden;
}

static const char *try_load(struct trial *trial)
{
	struct policy_load call = {
		.before = &trial->before,
		.user = &user,
		.hw = &hw,
		.asid = request.asid,
		.request = &request,
		.clean = trial->loaded ? user.control.clean & SVM_CLEAN_ALL : 0,
		.limits = &trial->limits,
	};

	trial->before = hw;
	call.taken = load_within(trial->loaded ? user.control.clean : 0,
				 &trial->limits);
	trial->loaded = call.taken;
	if (policy_holds(&trial->before) && !policy_holds(&hw))
		return "within the policy before, not after";
	return policy_load_broken(&call);
}

static const char *try_publish(struct trial *trial)
{
	trial->before = user;
	vmcb_publish(&user, &hw, &request);
	return policy_publish_broken(&trial->before, &user, &hw, &request);
}

static const char *try_vmcb(struct trial *trial)
{
	const char *broken;

	if (!xorshift_below(&trial->random, 64))
		set_up_trial(trial);
	if (!trial->loaded && xorshift_below(&trial->random, 4))
		set_legal(trial);
	mutate(trial);
	broken = try_load(trial);
	if (broken || !trial->loaded) {
		trial->refused++;
		return broken;
	}
	trial->taken++;
	leave_guest(trial);
	return try_publish(trial);
}

/*
 * No forced bit is ever clear and no refused bit ever set, and only the fields in the
 * policy's tables are copied in either direction.
 */
START_TEST(random_vmcbs_keep_the_policy)
{
	struct trial trial = { .random = 11 };
	const char *broken;
	unsigned long i;

	set_up_trial(&trial);
	for (i = 0; i < 10000000; i++) {
		broken = try_vmcb(&trial);
		if (broken)
			ck_abort_msg("VMCB %lu: %s", i, broken);
	}
	/* Both outcomes must be frequent, or the test proves nothing. */
	ck_assert_uint_gt(trial.taken, i / 3);
	ck_assert_uint_gt(trial.refused, i / 10);
}
END_TEST

/* ---- a VMCB that changes while it is read ---------------------------------- */

static void *flip_fields(void *over)
{
	while (!READ_ONCE(*(bool *)over)) {
		user.control.vintr ^= SVM_VINTR_AVIC_ENABLE;
		user.control.nested_ctl ^= ~SVM_NESTED_NP_ENABLE;
		user.control.virt_ext ^= SVM_VIRT_VLS_ENABLE;
		user.control.interrupt_shadow ^= ~0ull;
		user.save.efer ^= ~0ull;
		user.save.cr0 ^= ~0ull;
		user.save.cr4 ^= ~0ull;
		user.save.dbgctl ^= ~0ull;
	}
	return NULL;
}

/* vmcb_load() must check the very values that it loads. */
START_TEST(what_is_checked_is_what_is_taken)
{
	const struct vmcb_limits limits = policy_limits(~0u);
	bool over = false;
	pthread_t thread;
	unsigned int i, taken = 0;

	ck_assert_int_eq(pthread_create(&thread, NULL, flip_fields, &over), 0);
	for (i = 0; i < 1000000 || !taken; i++) {
		if (!load(0, ~0u))
			continue;
		taken++;
		if (!policy_runs(&hw, &limits))
			ck_abort_msg("load %u", i);
	}
	WRITE_ONCE(over, true);
	pthread_join(thread, NULL);
}
END_TEST

Suite *vmcb_suite(void)
{
	Suite *suite = suite_create("vmcb");
	TCase *tests = tcase_create("vmcb");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, least_is_taken);
	tcase_add_test(tests, requests_reach_the_hardware);
	tcase_add_test(tests, every_bit_as_the_tables_say);
	tcase_add_test(tests, every_bit_is_shown_or_not);
	tcase_add_test(tests, features_are_asked_of_those_who_have_them);
	tcase_add_test(tests, asid_zero_is_the_hosts);
	tcase_add_test(tests, another_asid_has_no_translations);
	tcase_add_test(tests, tlb_control_has_four_values);
	tcase_add_test(tests, tlb_control_by_asid_needs_the_feature);
	tcase_add_test(tests, registers_with_allowed_bits);
	tcase_add_test(tests, what_is_known_is_what_the_manual_has);
	tcase_add_test(tests,
		       machine_checks_of_the_host_are_enabled_and_hidden);
	tcase_add_test(tests, processors_may_force_more_intercepts);
	tcase_add_test(tests, efer_without_svme_is_refused);
	tcase_add_test(tests, the_modules_fields_are_not_the_programs);
	tcase_add_test(tests, clean_bits_are_believed);
	tcase_add_test(tests, clean_bits_reach_the_hardware);
	tcase_add_test(tests, flow_fields_are_never_clean);
	tcase_add_test(tests, exit_is_published);
	tcase_add_test(tests, refusal_looks_like_vmruns);
	tcase_add_test(tests, random_vmcbs_keep_the_policy);
	tcase_add_test(tests, what_is_checked_is_what_is_taken);
	suite_add_tcase(suite, tests);
	return suite;
}
