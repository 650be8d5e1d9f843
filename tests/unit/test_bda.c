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
	ck_assert(guest_ram_is_rubbish(&ram, 0x415, 0x9fc00 - 0x415));
	guest_ram_free(&ram);
}

/* Return the handler of an interrupt. */
static const uint8_t *handler_of(const struct svmrun_memory *ram,
				 unsigned int vector)
{
	uint64_t segment = word_at(ram, vector * 4 + 2);

	return guest_ram_at(ram, segment * 16 + word_at(ram, vector * 4), 16);
}

START_TEST(bios_calls_fail)
{
	const uint8_t fail[] = { 0x55, 0x89, 0xe5, 0x80, 0x4e,
				 0x06, 0x41, 0x5d, 0xcf };
	struct svmrun_memory ram = guest_ram();
	unsigned int i;

	ck_assert_int_eq(svmrun_bda_build(&ram), 0);
	for (i = 0x10; i <= 0x1a; i++)
		ck_assert_mem_eq(handler_of(&ram, i), fail, sizeof(fail));
	guest_ram_free(&ram);
}

START_TEST(other_interrupts_return)
{
	struct svmrun_memory ram = guest_ram();
	unsigned int i;

	ck_assert_int_eq(svmrun_bda_build(&ram), 0);
	for (i = 0; i < 256; i++)
		if (i < 0x10 || i > 0x1a)
			ck_assert_uint_eq(*handler_of(&ram, i), 0xcf);
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
	&bios_calls_fail,
	&other_interrupts_return,
	&memory_must_have_the_ebda,
};

Suite *bda_suite(void)
{
	return suite_of("bda", tests, ARRAY_SIZE(tests));
}
