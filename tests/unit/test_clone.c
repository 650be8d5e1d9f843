// SPDX-License-Identifier: GPL-2.0
/*
 * svmrun_clone_touch() and svmrun_reset() as far as they need no module: which pages of a
 * clone the program has been given to write to.
 */
#include <errno.h>
#include <stdint.h>

#include "suites.h"
#include "vcpu_pages.h"

#define PAGE 4096u
#define GPA 0x10000u
#define OTHER_GPA 0x90000u

static _Alignas(4096) uint8_t kept[3 * 64 * PAGE], view[3 * 64 * PAGE];
/* A line of each bitmap, which svmrun_reset() reads whole */
static uint64_t touched[8], logged[8];
static struct vcpu_pages kept_pages, pages;
static struct svmrun_vcpu kept_vcpu, vcpu;
static struct svmrun_memory kept_memories[2], memories[2];

static const struct svmrun_snapshot snapshot = {
	.fd = -1,
	.size = sizeof(view),
	.memories = kept_memories,
	.memory_count = 2,
	.vcpus = &kept_vcpu,
	.vcpu_count = 1,
};

/* A clone with two memories, of 70 and 3 pages */
static struct svmrun_clone clone_without_vm(void)
{
	memories[0] = (struct svmrun_memory){ view, GPA, 70 * PAGE };
	memories[1] = (struct svmrun_memory){ view + 128 * PAGE, OTHER_GPA,
					      3 * PAGE };
	kept_memories[0] = (struct svmrun_memory){ kept, GPA, 70 * PAGE };
	kept_memories[1] = (struct svmrun_memory){ kept + 128 * PAGE, OTHER_GPA,
						   3 * PAGE };
	kept_vcpu = vcpu_pages_fill(&kept_pages);
	vcpu = vcpu_pages_fill(&pages);
	return (struct svmrun_clone){
		.vm.fd = -1,
		.memories = memories,
		.memory_count = 2,
		.vcpus = &vcpu,
		.vcpu_count = 1,
		.snapshot = &snapshot,
		.touched = touched,
		.logged = logged,
	};
}

START_TEST(touch_finds_every_byte)
{
	struct svmrun_clone clone = clone_without_vm();

	ck_assert_ptr_eq(svmrun_clone_touch(&clone, GPA, 1), view);
	ck_assert_ptr_eq(svmrun_clone_touch(&clone, GPA + 70 * PAGE - 1, 1),
			 view + 70 * PAGE - 1);
	ck_assert_ptr_eq(svmrun_clone_touch(&clone, OTHER_GPA + 5, 7),
			 view + 128 * PAGE + 5);
}

START_TEST(touch_refuses_what_is_not_all_there)
{
	struct svmrun_clone clone = clone_without_vm();

	ck_assert_ptr_null(svmrun_clone_touch(&clone, GPA - 1, 2));
	ck_assert_ptr_null(svmrun_clone_touch(&clone, GPA, 70 * PAGE + 1));
	ck_assert_ptr_null(svmrun_clone_touch(&clone, OTHER_GPA, SIZE_MAX));
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(touched[i], 0);
}

START_TEST(touch_marks_each_page)
{
	struct svmrun_clone clone = clone_without_vm();

	svmrun_clone_touch(&clone, GPA + PAGE - 1, 1);
	ck_assert_uint_eq(touched[0], 1);
	svmrun_clone_touch(&clone, GPA + 3 * PAGE - 1, 2);
	ck_assert_uint_eq(touched[0], 0xd);
	svmrun_clone_touch(&clone, GPA + 63 * PAGE, 3 * PAGE);
	ck_assert_uint_eq(touched[0], 0xd | 1ull << 63);
	ck_assert_uint_eq(touched[1], 3);
	svmrun_clone_touch(&clone, OTHER_GPA, 3 * PAGE);
	ck_assert_uint_eq(touched[2], 7);
}

START_TEST(touch_of_no_bytes_marks_none)
{
	struct svmrun_clone clone = clone_without_vm();

	ck_assert_ptr_eq(svmrun_clone_touch(&clone, GPA, 0), view);
	ck_assert_uint_eq(touched[0], 0);
}

/* Without the dirty log, no page is reset, and no page is forgotten. */
START_TEST(failed_reset_changes_nothing)
{
	struct svmrun_clone clone = clone_without_vm();

	touched[0] = 1;
	logged[0] = 2;
	logged[2] = 4;
	view[0] = 5;
	pages.vmcb.save.rip = 5;
	ck_assert_int_eq(svmrun_reset(&clone), -EBADF);
	ck_assert_uint_eq(touched[0], 3);
	ck_assert_uint_eq(touched[2], 4);
	ck_assert_uint_eq(view[0], 5);
	ck_assert_uint_eq(pages.vmcb.save.rip, 5);
}

static const TTest **const tests[] = {
	&touch_finds_every_byte,       &touch_refuses_what_is_not_all_there,
	&touch_marks_each_page,	       &touch_of_no_bytes_marks_none,
	&failed_reset_changes_nothing,
};

Suite *clone_suite(void)
{
	return suite_of("clone", tests, ARRAY_SIZE(tests));
}
