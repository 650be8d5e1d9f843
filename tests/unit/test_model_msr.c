// SPDX-License-Identifier: GPL-2.0
/*
 * MSRs that guests access without asking CPUID: MTRRs (APM 7.7), machine-check registers
 * (APM 9.3), and those of the processor's model.
 */
#include "suites.h"
#include "model/machine_check.h"
#include "model/model_msr.h"
#include "model/mtrr.h"

#define BITS 40 /* width of addresses */

static struct mtrr mtrr;
static struct machine_check check;
static struct model_msrs msrs;

static uint64_t read_mtrr(uint32_t msr)
{
	uint64_t value;

	ck_assert(mtrr_read(&mtrr, msr, &value));
	return value;
}

static bool set_mtrr(uint32_t msr, uint64_t value)
{
	return mtrr_write(&mtrr, msr, value, BITS, false);
}

START_TEST(mtrrs_are_as_firmware_leaves_them)
{
	mtrr_init(&mtrr, BITS);
	ck_assert_uint_eq(read_mtrr(0xfe), 0x508);
	ck_assert_uint_eq(read_mtrr(0x2ff), 0xc06);
	ck_assert_uint_eq(read_mtrr(0x200), 0xc0000000);
	ck_assert_uint_eq(read_mtrr(0x201), 0xffc0000800);
	ck_assert_uint_eq(read_mtrr(0x203), 0);
	ck_assert_uint_eq(read_mtrr(0x250), 0x0606060606060606);
	ck_assert_uint_eq(read_mtrr(0x259), 0);
	ck_assert_uint_eq(read_mtrr(0x26f), 0x0505050505050505);
}

START_TEST(mtrrs_are_no_other_registers)
{
	static const uint32_t others[] = { 0xff,  0x1ff, 0x210, 0x251,
					   0x25a, 0x267, 0x270, 0x2fe };
	uint64_t value;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		ck_assert(!mtrr_has(others[i]));
		ck_assert(!mtrr_read(&mtrr, others[i], &value));
		ck_assert(!set_mtrr(others[i], 0));
	}
	ck_assert(mtrr_has(0xfe) && !set_mtrr(0xfe, 0x508));
}

START_TEST(mtrrs_refuse_reserved_values)
{
	mtrr_init(&mtrr, BITS);
	ck_assert(set_mtrr(0x2ff, 0x801));
	ck_assert_uint_eq(read_mtrr(0x2ff), 0x801);
	ck_assert(!set_mtrr(0x2ff, 0x1806));
	ck_assert(!set_mtrr(0x2ff, 0x802)); /* a reserved type */
	ck_assert(set_mtrr(0x20e, 0xff00000004));
	ck_assert(!set_mtrr(0x20e, 0xff00000104));
	ck_assert(!set_mtrr(0x20e, 0xff00000007));
	ck_assert(!set_mtrr(0x20e, 1ull << BITS));
	ck_assert(set_mtrr(0x20f, 0xff00000800));
	ck_assert(!set_mtrr(0x20f, 0xff00000801));
	ck_assert_uint_eq(read_mtrr(0x20f), 0xff00000800);
	ck_assert(set_mtrr(0x268, 0x0001040506060606));
	ck_assert(!set_mtrr(0x268, 0x0001040506060602));
	ck_assert(!set_mtrr(0x268, 0x1e1e1e1e1e1e1e1e));
	ck_assert(mtrr_write(&mtrr, 0x268, 0x1e1e1e1e1e1e1e1e, BITS, true));
}

static bool set_check(uint32_t msr, uint64_t value)
{
	return machine_check_write(&check, msr, value, false);
}

START_TEST(machine_check_banks_are_empty)
{
	uint64_t value;
	uint32_t msr;

	ck_assert(machine_check_read(&check, 0x179, &value));
	ck_assert_uint_eq(value, 0x106);
	for (msr = 0x400; msr < 0x418; msr++) {
		ck_assert(machine_check_read(&check, msr, &value));
		ck_assert_uint_eq(value, 0);
		ck_assert(set_check(msr, 0));
	}
	ck_assert(!machine_check_has(0x3ff) && !machine_check_has(0x418));
	ck_assert(!machine_check_read(&check, 0x418, &value));
}

START_TEST(machine_check_status_is_set_only_if_hwcr_permits)
{
	uint64_t value;

	ck_assert(!set_check(0x401, 1));
	ck_assert(machine_check_write(&check, 0x401, 1, true));
	ck_assert(machine_check_read(&check, 0x401, &value));
	ck_assert_uint_eq(value, 1);
	ck_assert(set_check(0x401, 0));
	ck_assert(set_check(0x400, ~0ull) && set_check(0x402, 1));
	ck_assert(set_check(0x17b, ~0ull) && set_check(0x17a, 7));
	ck_assert(!set_check(0x17a, 8) && !set_check(0x179, 0));
}

static uint64_t read_model(uint32_t msr)
{
	uint64_t value;

	ck_assert_msg(model_msr_read(&msrs, msr, &value), "%x", msr);
	return value;
}

START_TEST(model_msrs_have_a_processors_values)
{
	model_msr_init(&msrs, 0x1ff00000, 0);
	ck_assert_uint_ne(read_model(0x8b), 0);
	ck_assert_uint_eq(read_model(0x1a0), 0x1801);
	ck_assert_uint_eq(read_model(0xc0010010), 0x100000);
	ck_assert_uint_eq(read_model(0xc0010015), 0x1000000);
	ck_assert_uint_eq(read_model(0xc001001a), 0x20000000);
	ck_assert_uint_eq(read_model(0xc001001d), 0);
	ck_assert_uint_eq(read_model(0xc001001f), 0);
	ck_assert_uint_eq(read_model(0xc0011020), 0);
	ck_assert_uint_eq(read_model(0xc0011029), 2);
	model_msr_init(&msrs, 0xc0000000, 0x140000000);
	ck_assert_uint_eq(read_model(0xc001001a), 0xc0000000);
	ck_assert_uint_eq(read_model(0xc001001d), 0x140000000);
	ck_assert_uint_eq(read_model(0xc0010010), 0x700000);
}

/* Each has a value of its own. */
START_TEST(model_msrs_keep_what_is_written)
{
	static const uint32_t kept[] = { 0x1a0,	     0xc0010016, 0xc0010017,
					 0xc0010018, 0xc0010019, 0xc001001f,
					 0xc0011020, 0xc0011023, 0xc0011028,
					 0xc0011029, 0xc001102a, 0xc001102d };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kept); i++)
		ck_assert(model_msr_write(&msrs, kept[i], ~(uint64_t)i));
	for (i = 0; i < ARRAY_SIZE(kept); i++)
		ck_assert_uint_eq(read_model(kept[i]), ~(uint64_t)i);
	ck_assert(model_msr_write(&msrs, 0xc0010015, 0x1040000));
	ck_assert(!model_msr_write(&msrs, 0xc0010015, 1ull << 32));
	ck_assert(!model_msr_write(&msrs, 0xc0010010, 1ull << 23));
	ck_assert(!model_msr_write(&msrs, 0xc001001a, 1));
}

START_TEST(model_msrs_without_effect_read_as_before)
{
	static const uint32_t discarded[] = { 0x8b,	  0x1d9,
					      0x1db,	  0xc0010000,
					      0xc0010007, 0xc0010020,
					      0xc0010200, 0xc001020b };
	uint64_t before;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(discarded); i++) {
		before = read_model(discarded[i]);
		ck_assert(model_msr_write(&msrs, discarded[i], 0x1234));
		ck_assert_uint_eq(read_model(discarded[i]), before);
	}
	ck_assert(!model_msr_has(0xc0010117));
	ck_assert(!model_msr_write(&msrs, 0xc0010117, 0));
}

static const TTest **const tests[] = {
	&mtrrs_are_as_firmware_leaves_them,
	&mtrrs_are_no_other_registers,
	&mtrrs_refuse_reserved_values,
	&machine_check_banks_are_empty,
	&machine_check_status_is_set_only_if_hwcr_permits,
	&model_msrs_have_a_processors_values,
	&model_msrs_keep_what_is_written,
	&model_msrs_without_effect_read_as_before,
};

Suite *model_msr_suite(void)
{
	return suite_of("model_msr", tests, ARRAY_SIZE(tests));
}
