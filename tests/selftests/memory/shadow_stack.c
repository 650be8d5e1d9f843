// SPDX-License-Identifier: GPL-2.0
/*
 * A program's shadow stack is memory that its guest can read, and cannot write to,
 * whatever MAP says: stores do not write to it (APM 18).
 */
#include <sys/syscall.h>

#include "pages.h"

#ifndef __NR_map_shadow_stack
#define __NR_map_shadow_stack 453
#endif

#define GPA GIB_1

MACHINE_FIXTURE(shadow_stack);

static void *stack_new(void)
{
	return (void *)syscall(__NR_map_shadow_stack, 0, PAGE, 0);
}

#define SKIP_WITHOUT(stack)                                                    \
	do {                                                                   \
		if ((stack) == MAP_FAILED)                                     \
			SKIP(return, "no shadow stacks: %s", strerror(errno)); \
	} while (0)

/* With it present as Linux fills it, and not */
TEST_F(shadow_stack, not_written)
{
	void *stack = stack_new();

	SKIP_WITHOUT(stack);
	ASSERT_EQ(0, machine_map(&self->m, GPA, stack, PAGE, MAP_ALL));
	EXPECT_NPF(-EFAULT, &self->m, ACCESS_WRITE, GPA);
	EXPECT_READ(0, &self->m, GPA);
	EXPECT_NPF(-EFAULT, &self->m, ACCESS_WRITE, GPA);
	EXPECT_EQ(0, *(volatile uint32_t *)stack);
}

TEST_HARNESS_MAIN
