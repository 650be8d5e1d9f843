// SPDX-License-Identifier: GPL-2.0
/*
 * Lazy switching of extended state and of DR0 to DR3: the guest's first use of such state
 * is intercepted; from then on, the state is active and switched on each run. Intercepts
 * and CR0 as the program set them must be preserved throughout.
 */
#include "suites.h"

#include "../../module/event.h"
#include "../../module/lazy.h"

/* Handle an exit as vcpu_run() does. */
static bool activates(struct lazy *lazy, struct svm_vmcb *hw)
{
	if (!lazy_is_exit(lazy, hw->control.exitcode))
		return false;
	lazy_activate(lazy, hw);
	return true;
}

#define CR0_MP (1ull << 1)
#define CR0_TS (1ull << 3)
#define CR0_SET (CR0_MP | CR0_TS)
#define CR0_OTHERS 0x80010031ull /* PG, WP, NE, ET, PE */
#define DR7_ALWAYS 0x400ull

/* Exits on the use of inactive state, and the state that each activates */
struct reach {
	u64 code;
	u32 active;
};

static const struct reach activating[] = {
	{ VMEXIT_CR_READ(0), LAZY_XSTATE },
	{ VMEXIT_CR_WRITE(0), LAZY_XSTATE },
	{ VMEXIT_EXCP(EXCEPTION_NM), LAZY_XSTATE },
	{ VMEXIT_CPUID, LAZY_XSTATE },
	{ VMEXIT_TASK_SWITCH, LAZY_XSTATE },
	{ VMEXIT_DR_READ(0), LAZY_BREAKPOINTS },
	{ VMEXIT_DR_READ(1), LAZY_BREAKPOINTS },
	{ VMEXIT_DR_READ(2), LAZY_BREAKPOINTS },
	{ VMEXIT_DR_READ(3), LAZY_BREAKPOINTS },
	{ VMEXIT_DR_WRITE(0), LAZY_BREAKPOINTS },
	{ VMEXIT_DR_WRITE(1), LAZY_BREAKPOINTS },
	{ VMEXIT_DR_WRITE(2), LAZY_BREAKPOINTS },
	{ VMEXIT_DR_WRITE(3), LAZY_BREAKPOINTS },
	{ VMEXIT_DR_WRITE(5), LAZY_BREAKPOINTS },
	{ VMEXIT_DR_WRITE(7), LAZY_BREAKPOINTS },
};

/* Intercepts that the program requests, the same bits in every vector */
static const u32 requests[] = { 0, ~0u, 0x55555555, 0xaaaaaaaa };

static const u64 cr0s[] = { 0, CR0_MP, CR0_TS, CR0_MP | CR0_TS };

static const u32 actives[] = { 0, LAZY_XSTATE, LAZY_BREAKPOINTS, LAZY_ALL };

static bool is_set(const u32 *vectors, u64 code)
{
	return vectors[code / 32] >> code % 32 & 1;
}

static void set(u32 *vectors, u64 code)
{
	vectors[code / 32] |= 1u << code % 32;
}

/* The hardware's VMCB as vmcb_load() leaves it: @request are the program's intercepts */
static struct svm_vmcb loaded(u32 request, u64 cr0)
{
	struct svm_vmcb hw = {
		.save.cr0 = CR0_OTHERS | cr0,
		.save.dr7 = DR7_ALWAYS,
	};

	memset(hw.control.intercept, request & 0xff,
	       sizeof(hw.control.intercept));
	return hw;
}

/* The hardware's VMCB after the guest has run, with @active */
static struct svm_vmcb begun(struct lazy *lazy, u32 active, u32 request,
			     u64 cr0)
{
	struct svm_vmcb hw = loaded(request, cr0);

	*lazy = (struct lazy){ .active = active };
	lazy_load(lazy, &hw, 0);
	hw.control.clean = SVM_CLEAN_ALL; /* as after #VMEXIT */
	return hw;
}

/* The intercepts are those of the program and those for state that is not @active. */
static void check_intercepts(const struct svm_vmcb *hw, u32 request, u32 active)
{
	u32 want[6];
	unsigned int i;

	memset(want, request & 0xff, sizeof(want));
	for (i = 0; i < ARRAY_SIZE(activating); i++)
		if (!(activating[i].active & active))
			set(want, activating[i].code);
	for (i = 0; i < ARRAY_SIZE(want); i++)
		ck_assert_uint_eq(hw->control.intercept[i], want[i]);
}

static void check_cr0(const struct lazy *lazy, const struct svm_vmcb *hw,
		      u64 cr0)
{
	u64 set = lazy->active & LAZY_XSTATE ? 0 : CR0_SET;

	ck_assert_uint_eq(hw->save.cr0, CR0_OTHERS | cr0 | set);
	ck_assert_uint_eq(lazy_guest_cr0(lazy, hw), CR0_OTHERS | cr0);
}

static void check_state(const struct lazy *lazy, const struct svm_vmcb *hw,
			u32 request, u64 cr0, u32 active)
{
	ck_assert_uint_eq(lazy->active, active);
	check_intercepts(hw, request, active);
	check_cr0(lazy, hw, cr0);
}

static void check_ignored(struct lazy *lazy, struct svm_vmcb *hw, u64 code)
{
	struct svm_vmcb before;
	struct lazy lazy_before = *lazy;

	hw->control.exitcode = code;
	before = *hw;
	ck_assert(!activates(lazy, hw));
	ck_assert_mem_eq(hw, &before, sizeof(*hw));
	ck_assert_mem_eq(lazy, &lazy_before, sizeof(*lazy));
}

/* ---- lazy_load() --------------------------------------------------------- */

START_TEST(inactive_state_is_intercepted)
{
	struct lazy lazy;
	struct svm_vmcb hw;
	unsigned int w, c, l;

	for (w = 0; w < ARRAY_SIZE(requests); w++)
		for (c = 0; c < ARRAY_SIZE(cr0s); c++)
			for (l = 0; l < ARRAY_SIZE(actives); l++) {
				hw = begun(&lazy, actives[l], requests[w],
					   cr0s[c]);
				check_state(&lazy, &hw, requests[w], cr0s[c],
					    actives[l]);
			}
}
END_TEST

START_TEST(nothing_else_of_the_vmcb_changes)
{
	struct lazy lazy = {};
	struct svm_vmcb hw = loaded(0, 0), before;

	memset(&hw.save, 0x5a, sizeof(hw.save));
	hw.save.cr4 = 0;
	hw.save.dr7 = 0;
	before = hw;
	lazy_load(&lazy, &hw, 0);
	memcpy(hw.control.intercept, before.control.intercept,
	       sizeof(hw.control.intercept));
	hw.save.cr0 = before.save.cr0;
	ck_assert_mem_eq(&hw, &before, sizeof(hw));
}
END_TEST

/*
 * A bit of CR4 or DR7 activates the state @active. The clean bit of the intercepts is
 * cleared then, because the processor may have cached them.
 */
static void check_reached(u64 cr4, u64 dr7, u32 active)
{
	struct lazy lazy;
	struct svm_vmcb hw = begun(&lazy, 0, 0, CR0_MP);

	hw.save.cr0 = CR0_OTHERS | CR0_MP; /* as vmcb_load() sets it */
	hw.save.cr4 = cr4;
	hw.save.dr7 = dr7;
	hw.control.clean = SVM_CLEAN_ALL & ~(SVM_CLEAN_CRx | SVM_CLEAN_DRx);
	lazy_load(&lazy, &hw, hw.control.clean);
	check_state(&lazy, &hw, 0, CR0_MP, active);
	ck_assert_int_eq(!(hw.control.clean & SVM_CLEAN_I), active != 0);
	ck_assert_uint_eq(hw.control.clean | SVM_CLEAN_I,
			  SVM_CLEAN_ALL & ~(SVM_CLEAN_CRx | SVM_CLEAN_DRx));
}

/* OSXSAVE, PKE and CET enable the use of extended state. */
START_TEST(cr4_activates_extended_state)
{
	unsigned int bit;

	for (bit = 0; bit < 64; bit++)
		check_reached(1ull << bit, DR7_ALWAYS,
			      bit == 18 || bit == 22 || bit == 23 ?
				      LAZY_XSTATE :
				      0);
}
END_TEST

START_TEST(enabled_breakpoints_activate_their_registers)
{
	unsigned int bit;

	for (bit = 0; bit < 64; bit++)
		check_reached(0, 1ull << bit, bit < 8 ? LAZY_BREAKPOINTS : 0);
}
END_TEST

/*
 * A group whose clean bit is set keeps what the last lazy_load() added for inactive
 * state; this must not be mistaken for the program's values.
 */
START_TEST(groups_that_were_not_loaded)
{
	static const u32 groups[] = { SVM_CLEAN_I, SVM_CLEAN_CRx,
				      SVM_CLEAN_I | SVM_CLEAN_CRx };
	struct lazy lazy;
	struct svm_vmcb hw, fresh;
	unsigned int g, w, c;

	for (g = 0; g < ARRAY_SIZE(groups); g++)
		for (w = 0; w < ARRAY_SIZE(requests); w++)
			for (c = 0; c < ARRAY_SIZE(cr0s); c++) {
				hw = begun(&lazy, 0, requests[w], cr0s[c]);
				fresh = loaded(requests[w], cr0s[c]);
				if (!(groups[g] & SVM_CLEAN_I))
					memcpy(hw.control.intercept,
					       fresh.control.intercept,
					       sizeof(fresh.control.intercept));
				if (!(groups[g] & SVM_CLEAN_CRx))
					hw.save.cr0 = fresh.save.cr0;
				lazy_load(&lazy, &hw, groups[g]);
				check_state(&lazy, &hw, requests[w], cr0s[c],
					    0);
				ck_assert_uint_eq(hw.control.clean,
						  SVM_CLEAN_ALL);
			}
}
END_TEST

START_TEST(new_requests)
{
	struct lazy lazy;
	struct svm_vmcb hw = begun(&lazy, 0, 0xaaaaaaaa, CR0_TS);

	hw = loaded(0x55555555, CR0_MP);
	lazy_load(&lazy, &hw, 0);
	check_state(&lazy, &hw, 0x55555555, CR0_MP, 0);
	/* Only one of the two groups is loaded. */
	hw.save.cr0 = CR0_OTHERS | CR0_TS;
	lazy_load(&lazy, &hw, SVM_CLEAN_ALL & ~SVM_CLEAN_CRx);
	check_state(&lazy, &hw, 0x55555555, CR0_TS, 0);
	memset(hw.control.intercept, 0xaa, sizeof(hw.control.intercept));
	lazy_load(&lazy, &hw, SVM_CLEAN_ALL & ~SVM_CLEAN_I);
	check_state(&lazy, &hw, 0xaaaaaaaa, CR0_TS, 0);
}
END_TEST

/* ---- lazy_activate() ----------------------------------------------------- */

/* Activate the state of @reach; @active was active before. */
static void check_activation(const struct reach *reach, u32 active, u32 request,
			     u64 cr0)
{
	struct lazy lazy;
	struct svm_vmcb hw = begun(&lazy, active, request, cr0);

	hw.control.exitcode = reach->code;
	ck_assert(activates(&lazy, &hw));
	check_state(&lazy, &hw, request, cr0, active | reach->active);
	ck_assert_uint_eq(hw.control.clean,
			  SVM_CLEAN_ALL & ~(SVM_CLEAN_I | SVM_CLEAN_CRx |
					    SVM_CLEAN_DRx));
	/* The same exit activates nothing a second time. */
	check_ignored(&lazy, &hw, reach->code);
}

static void check_reach(const struct reach *reach, u32 active, u32 request,
			u64 cr0)
{
	struct lazy lazy;
	struct svm_vmcb hw = begun(&lazy, active, request, cr0);
	u32 requested[6];

	memset(requested, request & 0xff, sizeof(requested));
	/*
	 * Exits that the program requests are the program's. #NM activates the state even
	 * so: the module may have caused it. If not, the guest raises it again.
	 */
	if (active & reach->active ||
	    (is_set(requested, reach->code) &&
	     reach->code != VMEXIT_EXCP(EXCEPTION_NM)))
		check_ignored(&lazy, &hw, reach->code);
	else
		check_activation(reach, active, request, cr0);
}

static void check_exit(const struct reach *reach, u32 active, u32 request)
{
	unsigned int c;

	for (c = 0; c < ARRAY_SIZE(cr0s); c++)
		check_reach(reach, active, request, cr0s[c]);
}

START_TEST(each_exit)
{
	unsigned int i, w, l;

	for (i = 0; i < ARRAY_SIZE(activating); i++)
		for (w = 0; w < ARRAY_SIZE(requests); w++)
			for (l = 0; l < ARRAY_SIZE(actives); l++)
				check_exit(&activating[i], actives[l],
					   requests[w]);
}
END_TEST

/* The program requests one intercept; all others are the module's. */
static void check_request(u64 requested, u64 code)
{
	bool again = code == VMEXIT_EXCP(EXCEPTION_NM);
	struct svm_vmcb hw = loaded(0, 0);
	struct lazy lazy = {};

	set(hw.control.intercept, requested);
	lazy_load(&lazy, &hw, 0);
	hw.control.exitcode = code;
	ck_assert_int_eq(activates(&lazy, &hw), requested != code || again);
	ck_assert(is_set(hw.control.intercept, requested));
}

START_TEST(each_request)
{
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(activating); i++)
		for (j = 0; j < ARRAY_SIZE(activating); j++)
			check_request(activating[i].code, activating[j].code);
}
END_TEST

/* Once extended state is active, the guest changes CR0 without exits. */
START_TEST(active_state_stays_active)
{
	struct lazy lazy;
	struct svm_vmcb hw = begun(&lazy, 0, 0, CR0_MP);

	hw.control.exitcode = VMEXIT_CPUID;
	ck_assert(activates(&lazy, &hw));
	hw.save.cr0 = CR0_OTHERS | CR0_TS;
	hw.control.exitcode = VMEXIT_DR_READ(1);
	ck_assert(activates(&lazy, &hw));
	check_state(&lazy, &hw, 0, CR0_TS, LAZY_ALL);
	hw = loaded(0, 0);
	lazy_load(&lazy, &hw, 0);
	check_state(&lazy, &hw, 0, 0, LAZY_ALL);
}
END_TEST

/* All bits of CR0 except MP and TS are the hardware's. */
START_TEST(the_rest_of_cr0)
{
	struct lazy lazy;
	struct svm_vmcb hw = begun(&lazy, 0, 0, CR0_TS);

	hw.save.cr0 = ~0ull;
	ck_assert_uint_eq(lazy_guest_cr0(&lazy, &hw), ~CR0_MP);
	hw.save.cr0 = CR0_SET;
	ck_assert_uint_eq(lazy_guest_cr0(&lazy, &hw), CR0_TS);
}
END_TEST

static bool activates_state(u64 code)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(activating); i++)
		if (activating[i].code == code)
			return true;
	return false;
}

START_TEST(other_exits_are_ignored)
{
	/* Some processors write only the lower 32 bits of EXITCODE. */
	static const u64 others[] = { VMEXIT_INVALID, (u32)VMEXIT_INVALID,
				      VMEXIT_BUSY,    (u32)VMEXIT_BUSY,
				      0x80000000,     0x7fffffff };
	struct lazy lazy;
	struct svm_vmcb hw = begun(&lazy, 0, 0, 0);
	unsigned int i;
	u64 code;

	for (code = 0; code < 0x1000; code++)
		if (!activates_state(code))
			check_ignored(&lazy, &hw, code);
	for (i = 0; i < ARRAY_SIZE(others); i++)
		check_ignored(&lazy, &hw, others[i]);
}
END_TEST

Suite *lazy_suite(void)
{
	static const TTest **const tests[] = {
		&inactive_state_is_intercepted,
		&nothing_else_of_the_vmcb_changes,
		&cr4_activates_extended_state,
		&enabled_breakpoints_activate_their_registers,
		&groups_that_were_not_loaded,
		&new_requests,
		&each_exit,
		&each_request,
		&active_state_stays_active,
		&the_rest_of_cr0,
		&other_exits_are_ignored,
	};

	return suite_of("lazy", tests, ARRAY_SIZE(tests));
}
