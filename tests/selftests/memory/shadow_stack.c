// SPDX-License-Identifier: GPL-2.0
/*
 * A guest can read, but not write, the program's shadow stack, whatever permissions
 * MAP requests, because ordinary stores do not write to shadow stacks (APM 18).
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
			SKIP(return, "shadow stacks are not available: %s",    \
				   strerror(errno));                           \
	} while (0)

/* Both before and after the page is present */
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
