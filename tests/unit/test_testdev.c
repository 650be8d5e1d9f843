// SPDX-License-Identifier: GPL-2.0
/* The test device: its register, memory, interrupt lines and requests to remove a page */
#include <svmrun/testdev.h>

#include "suites.h"

#define FIRST_LINE 100

static struct svmrun_testdev testdev;
static unsigned int line, changes, flushes;
static bool level;
static uint64_t flushed;

static void note(void *owner, unsigned int number, bool high)
{
	ck_assert_ptr_eq(owner, &line);
	line = number - FIRST_LINE;
	level = high;
	changes++;
}

static void note_flush(void *owner, uint64_t gpa)
{
	ck_assert_ptr_eq(owner, &flushes);
	flushed = gpa;
	flushes++;
}

static void start(void)
{
	svmrun_testdev_init(&testdev, note_flush, &flushes);
	testdev.irq = (struct svmrun_line){ note, &line, FIRST_LINE };
	changes = 0;
	flushes = 0;
}

START_TEST(register_is_at_two_places)
{
	start();
	for (unsigned int i = 0; i < 4; i++) {
		ck_assert_uint_eq(svmrun_testdev_in(&testdev, 0xe0 + i), 0);
		svmrun_testdev_out(&testdev, 0xe0 + i, 1, 0x10 + i);
		ck_assert_uint_eq(svmrun_testdev_in(&testdev, 0xe8 + i),
				  0x10 + i);
		svmrun_testdev_out(&testdev, 0xe8 + i, 1, 0x20 + i);
		ck_assert_uint_eq(svmrun_testdev_in(&testdev, 0xe0 + i),
				  0x20 + i);
	}
	ck_assert_uint_eq(svmrun_testdev_in(&testdev, 0xe4), 0xff);
	ck_assert_uint_eq(svmrun_testdev_in(&testdev, 0x2000), 0xff);
}

START_TEST(interrupt_lines)
{
	start();
	for (unsigned int i = 0; i < 24; i++) {
		svmrun_testdev_out(&testdev, 0x2000 + i, 1, 0x80);
		ck_assert(line == i && level);
		svmrun_testdev_out(&testdev, 0x2000 + i, 1, 0);
		ck_assert(line == i && !level);
	}
	ck_assert_uint_eq(changes, 48);
	svmrun_testdev_out(&testdev, 0x2018, 1, 1);
	svmrun_testdev_out(&testdev, 0x1fff, 1, 1);
	ck_assert_uint_eq(changes, 48);
}

START_TEST(pages_are_flushed_by_their_whole_address)
{
	start();
	svmrun_testdev_out(&testdev, 0xe4, 4, 0xfedcba98);
	ck_assert_uint_eq(flushes, 1);
	ck_assert_uint_eq(flushed, 0xfedcba98);
	svmrun_testdev_out(&testdev, 0xe4, 1, 0);
	svmrun_testdev_out(&testdev, 0xe4, 2, 0);
	svmrun_testdev_out(&testdev, 0xe5, 4, 0);
	ck_assert_uint_eq(flushes, 1);
}

START_TEST(memory_of_the_device)
{
	start();
	ck_assert_uint_eq(svmrun_testdev_read(&testdev, 0, 8), 0);
	svmrun_testdev_write(&testdev, 0x100, 8, 0x1122334455667788);
	ck_assert_uint_eq(svmrun_testdev_read(&testdev, 0x100, 8),
			  0x1122334455667788);
	ck_assert_uint_eq(svmrun_testdev_read(&testdev, 0x101, 4), 0x44556677);
	svmrun_testdev_write(&testdev, 0x102, 2, 0xffffabcd);
	ck_assert_uint_eq(svmrun_testdev_read(&testdev, 0x100, 8),
			  0x11223344abcd7788);
	svmrun_testdev_write(&testdev, 0xfffe, 4, 0x12345678);
	ck_assert_uint_eq(svmrun_testdev_read(&testdev, 0xfffe, 4), 0xffff5678);
	svmrun_testdev_write(&testdev, UINT64_MAX, 4, 0);
	ck_assert_uint_eq(svmrun_testdev_read(&testdev, UINT64_MAX, 2), 0xffff);
}

START_TEST(reset)
{
	start();
	svmrun_testdev_out(&testdev, 0xe1, 1, 1);
	svmrun_testdev_write(&testdev, 5, 1, 1);
	svmrun_testdev_reset(&testdev);
	ck_assert_uint_eq(svmrun_testdev_in(&testdev, 0xe1), 0);
	ck_assert_uint_eq(svmrun_testdev_read(&testdev, 5, 1), 0);
	svmrun_testdev_out(&testdev, 0x2005, 1, 1);
	ck_assert(line == 5 && level);
}

static const TTest **const tests[] = {
	&register_is_at_two_places,
	&interrupt_lines,
	&pages_are_flushed_by_their_whole_address,
	&memory_of_the_device,
	&reset,
};

Suite *testdev_suite(void)
{
	return suite_of("testdev", tests, ARRAY_SIZE(tests));
}
