// SPDX-License-Identifier: GPL-2.0
/*
 * Waits for a change of a variable, in a function that others have called, at virtual
 * addresses in the upper half of the address space.
 */
#include "guest.h"

#define NUMBER 0x5ca1ab1e

volatile unsigned int number = NUMBER;

static __attribute__((noinline)) unsigned int wait_for_change(unsigned int from)
{
	while (number == from)
		asm volatile("pause");
	return number;
}

static __attribute__((noinline)) unsigned int begin_waiting(unsigned int from)
{
	serial_puts("waits\n");
	return wait_for_change(from) + 1;
}

int main(void)
{
	return begin_waiting(NUMBER) == NUMBER;
}
