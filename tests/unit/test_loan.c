// SPDX-License-Identifier: GPL-2.0
/* State that is withheld until the guest reaches for it, and then lent for good. */
#include "suites.h"

#include "../../module/event.h"
#include "../../module/loan.h"

/* As a run does at each exit */
static bool lends(struct loan *loan, struct svm_vmcb *hw)
{
	if (!loan_is_concerned(loan, hw->control.exitcode))
		return false;
	loan_lend(loan, hw);
	return true;
}

#define CR0_MP (1ull << 1)
#define CR0_TS (1ull << 3)
#define CR0_WITHHOLDS (CR0_MP | CR0_TS)
#define CR0_OTHERS 0x80010031ull /* PG, WP, NE, ET, PE */
#define DR7_ALWAYS 0x400ull

/* What takes a guest out, and what it is lent then */
struct reach {
	u64 code;
	u32 lent;
};

static const struct reach reaches[] = {
	{ VMEXIT_CR_READ(0), LOAN_XSTATE },
	{ VMEXIT_CR_WRITE(0), LOAN_XSTATE },
	{ VMEXIT_EXCP(EXCEPTION_NM), LOAN_XSTATE },
	{ VMEXIT_CPUID, LOAN_XSTATE },
	{ VMEXIT_TASK_SWITCH, LOAN_XSTATE },
	{ VMEXIT_DR_READ(0), LOAN_BREAKPOINTS },
	{ VMEXIT_DR_READ(1), LOAN_BREAKPOINTS },
	{ VMEXIT_DR_READ(2), LOAN_BREAKPOINTS },
	{ VMEXIT_DR_READ(3), LOAN_BREAKPOINTS },
	{ VMEXIT_DR_WRITE(0), LOAN_BREAKPOINTS },
	{ VMEXIT_DR_WRITE(1), LOAN_BREAKPOINTS },
	{ VMEXIT_DR_WRITE(2), LOAN_BREAKPOINTS },
	{ VMEXIT_DR_WRITE(3), LOAN_BREAKPOINTS },
	{ VMEXIT_DR_WRITE(5), LOAN_BREAKPOINTS },
	{ VMEXIT_DR_WRITE(7), LOAN_BREAKPOINTS },
};

/* Programs' wishes for every intercept vector */
static const u32 wishes[] = { 0, ~0u, 0x55555555, 0xaaaaaaaa };

static const u64 cr0s[] = { 0, CR0_MP, CR0_TS, CR0_MP | CR0_TS };

static const u32 lents[] = { 0, LOAN_XSTATE, LOAN_BREAKPOINTS, LOAN_ALL };

static bool is_set(const u32 *vectors, u64 code)
{
	return vectors[code / 32] >> code % 32 & 1;
}

static void set(u32 *vectors, u64 code)
{
	vectors[code / 32] |= 1u << code % 32;
}

/* The hardware's VMCB as vmcb_load() leaves it, of a program that wishes so */
static struct svm_vmcb loaded(u32 wish, u64 cr0)
{
	struct svm_vmcb hw = {
		.save.cr0 = CR0_OTHERS | cr0,
		.save.dr7 = DR7_ALWAYS,
	};

	memset(hw.control.intercept, wish & 0xff, sizeof(hw.control.intercept));
	return hw;
}

/* One whose guest has been in, with @lent */
static struct svm_vmcb begun(struct loan *loan, u32 lent, u32 wish, u64 cr0)
{
	struct svm_vmcb hw = loaded(wish, cr0);

	*loan = (struct loan){ .lent = lent };
	loan_withhold(loan, &hw, 0);
	hw.control.clean = SVM_CLEAN_ALL; /* as after #VMEXIT */
	return hw;
}

/* Intercepts are what the program wishes, and what withholds all but @lent. */
static void check_intercepts(const struct svm_vmcb *hw, u32 wish, u32 lent)
{
	u32 want[6];
	unsigned int i;

	memset(want, wish & 0xff, sizeof(want));
	for (i = 0; i < ARRAY_SIZE(reaches); i++)
		if (!(reaches[i].lent & lent))
			set(want, reaches[i].code);
	for (i = 0; i < ARRAY_SIZE(want); i++)
		ck_assert_uint_eq(hw->control.intercept[i], want[i]);
}

static void check_cr0(const struct loan *loan, const struct svm_vmcb *hw,
		      u64 cr0)
{
	u64 withholds = loan->lent & LOAN_XSTATE ? 0 : CR0_WITHHOLDS;

	ck_assert_uint_eq(hw->save.cr0, CR0_OTHERS | cr0 | withholds);
	ck_assert_uint_eq(loan_cr0(loan, hw), CR0_OTHERS | cr0);
}

static void check_state(const struct loan *loan, const struct svm_vmcb *hw,
			u32 wish, u64 cr0, u32 lent)
{
	ck_assert_uint_eq(loan->lent, lent);
	check_intercepts(hw, wish, lent);
	check_cr0(loan, hw, cr0);
}

/* An exit that lends nothing, and changes nothing */
static void check_not_lent(struct loan *loan, struct svm_vmcb *hw, u64 code)
{
	struct svm_vmcb before;
	struct loan loan_before = *loan;

	hw->control.exitcode = code;
	before = *hw;
	ck_assert(!lends(loan, hw));
	ck_assert_mem_eq(hw, &before, sizeof(*hw));
	ck_assert_mem_eq(loan, &loan_before, sizeof(*loan));
}

/* ---- before the guest runs ----------------------------------------------- */

START_TEST(what_is_not_lent_is_withheld)
{
	struct loan loan;
	struct svm_vmcb hw;
	unsigned int w, c, l;

	for (w = 0; w < ARRAY_SIZE(wishes); w++)
		for (c = 0; c < ARRAY_SIZE(cr0s); c++)
			for (l = 0; l < ARRAY_SIZE(lents); l++) {
				hw = begun(&loan, lents[l], wishes[w], cr0s[c]);
				check_state(&loan, &hw, wishes[w], cr0s[c],
					    lents[l]);
			}
}
END_TEST

START_TEST(nothing_else_of_the_vmcb_changes)
{
	struct loan loan = {};
	struct svm_vmcb hw = loaded(0, 0), before;

	memset(&hw.save, 0x5a, sizeof(hw.save));
	hw.save.cr4 = 0;
	hw.save.dr7 = 0;
	before = hw;
	loan_withhold(&loan, &hw, 0);
	memcpy(hw.control.intercept, before.control.intercept,
	       sizeof(hw.control.intercept));
	hw.save.cr0 = before.save.cr0;
	ck_assert_mem_eq(&hw, &before, sizeof(hw));
}
END_TEST

/* Its clean bits say so, or the processor may go on with the old ones. */
static void check_reached(u64 cr4, u64 dr7, u32 lent)
{
	struct loan loan;
	struct svm_vmcb hw = begun(&loan, 0, 0, CR0_MP);

	hw.save.cr0 = CR0_OTHERS | CR0_MP; /* loaded again */
	hw.save.cr4 = cr4;
	hw.save.dr7 = dr7;
	hw.control.clean = SVM_CLEAN_ALL & ~(SVM_CLEAN_CRx | SVM_CLEAN_DRx);
	loan_withhold(&loan, &hw, hw.control.clean);
	check_state(&loan, &hw, 0, CR0_MP, lent);
	ck_assert_int_eq(!(hw.control.clean & SVM_CLEAN_I), lent != 0);
	ck_assert_uint_eq(hw.control.clean | SVM_CLEAN_I,
			  SVM_CLEAN_ALL & ~(SVM_CLEAN_CRx | SVM_CLEAN_DRx));
}

/* CR4.OSXSAVE, PKE, CET */
START_TEST(cr4_reaches_for_extended_state)
{
	unsigned int bit;

	for (bit = 0; bit < 64; bit++)
		check_reached(1ull << bit, DR7_ALWAYS,
			      bit == 18 || bit == 22 || bit == 23 ?
				      LOAN_XSTATE :
				      0);
}
END_TEST

START_TEST(enabled_breakpoints_reach_for_their_addresses)
{
	unsigned int bit;

	for (bit = 0; bit < 64; bit++)
		check_reached(0, 1ull << bit, bit < 8 ? LOAN_BREAKPOINTS : 0);
}
END_TEST

/* What withholds something is no wish of the program's. */
START_TEST(groups_that_were_left_out)
{
	static const u32 groups[] = { SVM_CLEAN_I, SVM_CLEAN_CRx,
				      SVM_CLEAN_I | SVM_CLEAN_CRx };
	struct loan loan;
	struct svm_vmcb hw, fresh;
	unsigned int g, w, c;

	for (g = 0; g < ARRAY_SIZE(groups); g++)
		for (w = 0; w < ARRAY_SIZE(wishes); w++)
			for (c = 0; c < ARRAY_SIZE(cr0s); c++) {
				hw = begun(&loan, 0, wishes[w], cr0s[c]);
				fresh = loaded(wishes[w], cr0s[c]);
				if (!(groups[g] & SVM_CLEAN_I))
					memcpy(hw.control.intercept,
					       fresh.control.intercept,
					       sizeof(fresh.control.intercept));
				if (!(groups[g] & SVM_CLEAN_CRx))
					hw.save.cr0 = fresh.save.cr0;
				loan_withhold(&loan, &hw, groups[g]);
				check_state(&loan, &hw, wishes[w], cr0s[c], 0);
				ck_assert_uint_eq(hw.control.clean,
						  SVM_CLEAN_ALL);
			}
}
END_TEST

START_TEST(new_wishes)
{
	struct loan loan;
	struct svm_vmcb hw = begun(&loan, 0, 0xaaaaaaaa, CR0_TS);

	hw = loaded(0x55555555, CR0_MP);
	loan_withhold(&loan, &hw, 0);
	check_state(&loan, &hw, 0x55555555, CR0_MP, 0);
	/* Of one group, while the other is vouched for */
	hw.save.cr0 = CR0_OTHERS | CR0_TS;
	loan_withhold(&loan, &hw, SVM_CLEAN_ALL & ~SVM_CLEAN_CRx);
	check_state(&loan, &hw, 0x55555555, CR0_TS, 0);
	memset(hw.control.intercept, 0xaa, sizeof(hw.control.intercept));
	loan_withhold(&loan, &hw, SVM_CLEAN_ALL & ~SVM_CLEAN_I);
	check_state(&loan, &hw, 0xaaaaaaaa, CR0_TS, 0);
}
END_TEST

/* ---- after it left ------------------------------------------------------- */

/* Lends what @reach is for; the guest has @lent before. */
static void check_lent(const struct reach *reach, u32 lent, u32 wish, u64 cr0)
{
	struct loan loan;
	struct svm_vmcb hw = begun(&loan, lent, wish, cr0);

	hw.control.exitcode = reach->code;
	ck_assert(lends(&loan, &hw));
	check_state(&loan, &hw, wish, cr0, lent | reach->lent);
	ck_assert_uint_eq(hw.control.clean,
			  SVM_CLEAN_ALL & ~(SVM_CLEAN_I | SVM_CLEAN_CRx |
					    SVM_CLEAN_DRx));
	/* Once */
	check_not_lent(&loan, &hw, reach->code);
}

static void check_reach(const struct reach *reach, u32 lent, u32 wish, u64 cr0)
{
	struct loan loan;
	struct svm_vmcb hw = begun(&loan, lent, wish, cr0);
	u32 wished[6];

	memset(wished, wish & 0xff, sizeof(wished));
	/* With what else can #NM be told apart? The guest tries again. */
	if (lent & reach->lent || (is_set(wished, reach->code) &&
				   reach->code != VMEXIT_EXCP(EXCEPTION_NM)))
		check_not_lent(&loan, &hw, reach->code);
	else
		check_lent(reach, lent, wish, cr0);
}

static void check_exit(const struct reach *reach, u32 lent, u32 wish)
{
	unsigned int c;

	for (c = 0; c < ARRAY_SIZE(cr0s); c++)
		check_reach(reach, lent, wish, cr0s[c]);
}

START_TEST(each_exit)
{
	unsigned int i, w, l;

	for (i = 0; i < ARRAY_SIZE(reaches); i++)
		for (w = 0; w < ARRAY_SIZE(wishes); w++)
			for (l = 0; l < ARRAY_SIZE(lents); l++)
				check_exit(&reaches[i], lents[l], wishes[w]);
}
END_TEST

/* Wished alone, with nothing else of its vector */
static void check_wish(u64 wished, u64 code)
{
	bool again = code == VMEXIT_EXCP(EXCEPTION_NM);
	struct svm_vmcb hw = loaded(0, 0);
	struct loan loan = {};

	set(hw.control.intercept, wished);
	loan_withhold(&loan, &hw, 0);
	hw.control.exitcode = code;
	ck_assert_int_eq(lends(&loan, &hw), wished != code || again);
	ck_assert(is_set(hw.control.intercept, wished));
}

START_TEST(each_wish)
{
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(reaches); i++)
		for (j = 0; j < ARRAY_SIZE(reaches); j++)
			check_wish(reaches[i].code, reaches[j].code);
}
END_TEST

/* The guest has its CR0 now, and may change it. */
START_TEST(lent_for_good)
{
	struct loan loan;
	struct svm_vmcb hw = begun(&loan, 0, 0, CR0_MP);

	hw.control.exitcode = VMEXIT_CPUID;
	ck_assert(lends(&loan, &hw));
	hw.save.cr0 = CR0_OTHERS | CR0_TS;
	hw.control.exitcode = VMEXIT_DR_READ(1);
	ck_assert(lends(&loan, &hw));
	check_state(&loan, &hw, 0, CR0_TS, LOAN_ALL);
	hw = loaded(0, 0);
	loan_withhold(&loan, &hw, 0);
	check_state(&loan, &hw, 0, 0, LOAN_ALL);
}
END_TEST

/* Other bits of CR0 are as the hardware has them. */
START_TEST(the_rest_of_cr0)
{
	struct loan loan;
	struct svm_vmcb hw = begun(&loan, 0, 0, CR0_TS);

	hw.save.cr0 = ~0ull;
	ck_assert_uint_eq(loan_cr0(&loan, &hw), ~CR0_MP);
	hw.save.cr0 = CR0_WITHHOLDS;
	ck_assert_uint_eq(loan_cr0(&loan, &hw), CR0_TS);
}
END_TEST

static bool is_reach(u64 code)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(reaches); i++)
		if (reaches[i].code == code)
			return true;
	return false;
}

START_TEST(other_exits_are_none_of_its)
{
	/* Some implementations write 32 bits of it. */
	static const u64 others[] = { VMEXIT_INVALID, (u32)VMEXIT_INVALID,
				      VMEXIT_BUSY,    (u32)VMEXIT_BUSY,
				      0x80000000,     0x7fffffff };
	struct loan loan;
	struct svm_vmcb hw = begun(&loan, 0, 0, 0);
	unsigned int i;
	u64 code;

	for (code = 0; code < 0x1000; code++)
		if (!is_reach(code))
			check_not_lent(&loan, &hw, code);
	for (i = 0; i < ARRAY_SIZE(others); i++)
		check_not_lent(&loan, &hw, others[i]);
}
END_TEST

Suite *loan_suite(void)
{
	static const TTest **const tests[] = {
		&what_is_not_lent_is_withheld,
		&nothing_else_of_the_vmcb_changes,
		&cr4_reaches_for_extended_state,
		&enabled_breakpoints_reach_for_their_addresses,
		&groups_that_were_left_out,
		&new_wishes,
		&each_exit,
		&each_wish,
		&lent_for_good,
		&the_rest_of_cr0,
		&other_exits_are_none_of_its,
	};

	return suite_of("loan", tests, ARRAY_SIZE(tests));
}
