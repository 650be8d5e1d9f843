// SPDX-License-Identifier: GPL-2.0
/* svmrun_bda_build(): the fields that kernels read. */
#include <errno.h>

#include <svmrun/bda.h>

#include "guest_ram.h"
#include "suites.h"

static uint16_t word_at(const struct svmrun_memory *ram, uint64_t gpa)
{
	uint16_t word;

	memcpy(&word, guest_ram_at(ram, gpa, sizeof(word)), sizeof(word));
	return word;
}

START_TEST(memory_ends_at_the_ebda)
{
	struct svmrun_memory ram = guest_ram();

	ck_assert_int_eq(svmrun_bda_build(&ram), 0);
	ck_assert_uint_eq(word_at(&ram, 0x400), 0x3f8);
	ck_assert_uint_eq(word_at(&ram, 0x402), 0);
	ck_assert_uint_eq(word_at(&ram, 0x40e), 0x9fc0);
	ck_assert_uint_eq(word_at(&ram, 0x410), 0x0202);
	ck_assert_uint_eq(word_at(&ram, 0x413), 639);
	ck_assert_uint_eq(*(uint8_t *)guest_ram_at(&ram, 0x9fc00, 1), 1);
	ck_assert(guest_ram_is_rubbish(&ram, 0, 0x400));
	ck_assert(guest_ram_is_rubbish(&ram, 0x415, 0x9fc00 - 0x415));
	guest_ram_free(&ram);
}

START_TEST(memory_must_have_the_ebda)
{
	struct svmrun_memory ram = guest_ram();

	ram.size = 0x9ffff;
	ck_assert_int_eq(svmrun_bda_build(&ram), -ERANGE);
	ck_assert(guest_ram_is_rubbish(&ram, 0, ram.size));
	guest_ram_free(&ram);
}

static const TTest **const tests[] = {
	&memory_ends_at_the_ebda,
	&memory_must_have_the_ebda,
};

Suite *bda_suite(void)
{
	return suite_of("bda", tests, ARRAY_SIZE(tests));
}
