// SPDX-License-Identifier: GPL-2.0
/*
 * A target of svmrun fuzz that makes no calls and is not compiled for coverage: a loop that
 * handles the input in memory. The first byte of the input selects a test, and the result is
 * written to the exit port. The build writes the addresses of functions and variables to
 * silent.symbols.
 */
#include "descriptors.h"
#include "guest.h"

#define INPUT_SIZE 4096
#define EXIT_PORT 0xf4
#define DR7_ALWAYS_1 0x400ul

uint8_t input[INPUT_SIZE] __attribute__((aligned(4096)));
uint64_t input_length;

static uint8_t count;
static volatile uint8_t breakpoints;

static void __attribute__((noreturn)) end(uint64_t result)
{
	out8(EXIT_PORT, result);
	for (;;)
		;
}

static __attribute__((interrupt)) void
on_breakpoint(volatile struct frame *frame)
{
	(void)frame;
	breakpoints++;
}

/* Code that only some inputs reach */
void __attribute__((noipa)) first_part(void)
{
	asm volatile("");
}

void __attribute__((noipa)) second_part(void)
{
	asm volatile("");
}

/* INT3 is the first instruction: the guest's own, at the address of a breakpoint. */
void __attribute__((naked, noipa)) trap(void)
{
	asm("int3; ret");
}

/* 201 instructions up to counted_end */
void __attribute__((naked, noipa)) counted(void)
{
	asm("	mov $100, %ecx\n"
	    "1:	dec %ecx\n"
	    "	jnz 1b\n"
	    "counted_end: ret");
}

/* An input has been handled. Without a reset, there is no other one. */
void __attribute__((noipa)) handled(void)
{
	for (;;)
		asm volatile("pause");
}

static uint64_t sum(const uint8_t *bytes, uint64_t length)
{
	uint64_t total = 0;

	while (length--)
		total += *bytes++;
	return total;
}

static void __attribute__((noreturn)) trap_often(void)
{
	asm volatile("int3");
	trap();
	trap();
	end(breakpoints);
}

static uint64_t loaded_dr7(void)
{
	uint64_t dr7;

	asm volatile("mov %%dr7, %0" : "=r"(dr7));
	return dr7;
}

void __attribute__((noipa)) handle(const uint8_t *bytes, uint64_t length)
{
	switch (*bytes) {
	case 'b':
		trap_often();
	case 'c':
		asm volatile("ud2");
		break;
	case 'd':
		end(loaded_dr7() == DR7_ALWAYS_1);
	case 'l':
		end(length);
	case 'm':
		end(input_length);
	case 'p':
		first_part();
		break;
	case 'q':
		first_part();
		second_part();
		second_part();
		break;
	case 'r':
		end(count++);
	case 's':
		end(sum(bytes + length, INPUT_SIZE - length));
	case 'v':
		asm volatile("vmmcall" : : "a"(0x53564d01), "b"(0), "c"(0));
		break;
	}
}

int main(void)
{
	load_descriptor_tables();
	set_gate(3, on_breakpoint);
	input[0] = 'x';
	input[INPUT_SIZE - 1] = 1;
	/* As a kernel does when it starts */
	asm volatile("mov %0, %%dr7" : : "r"(DR7_ALWAYS_1));
	counted();
	for (;;) {
		handle(input, 1);
		handled();
	}
}
