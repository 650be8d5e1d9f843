// SPDX-License-Identifier: GPL-2.0
/* Benchmarks: exits to the program and back, and interrupts of the host */
#include <stdio.h>

#include "work.h"

ticks null_ioctl(const struct engine *engine)
{
	struct machine *machine = engine->create();
	ticks taken[BATCHES];

	engine->vcpu(machine);
	for (int i = 0; i < BATCHES; i++) {
		taken[i] = __rdtsc();
		for (int j = 0; j < BATCH; j++)
			engine->null(machine);
		taken[i] = __rdtsc() - taken[i];
	}
	engine->destroy(machine);
	return median(taken, BATCHES) / BATCH;
}

ticks exits_of(const struct engine *engine, struct machine *machine,
	       unsigned int length)
{
	ticks taken[BATCHES];

	engine->start(machine, CODE, 0, 0);
	for (int i = 0; i < BATCHES; i++) {
		taken[i] = __rdtsc();
		for (int j = 0; j < BATCH; j++) {
			engine->run(machine);
			engine->step(machine, length);
		}
		taken[i] = __rdtsc() - taken[i];
	}
	return median(taken, BATCHES) / BATCH;
}

static ticks exits(const struct engine *engine, const char *code, size_t size,
		   unsigned int length)
{
	struct machine *machine = machine_create(engine, code, size);
	ticks taken = exits_of(engine, machine, length);

	engine->destroy(machine);
	return taken;
}

ticks out_exit(const struct engine *engine)
{
	const char code[] = { 0xe6, 0x80, 0xeb, 0xfc }; /* out; jmp */

	return exits(engine, code, sizeof(code), 2);
}

ticks hlt_exit(const struct engine *engine)
{
	const char code[] = { 0xf4, 0xeb, 0xfd }; /* hlt; jmp */

	return exits(engine, code, sizeof(code), 1);
}

/*
 * Time a loop over an instruction of two bytes. With svmrun, the program handles
 * each CPUID; KVM handles it itself, with an empty CPUID table, which is fastest.
 */
static ticks cpuid_loop(const struct engine *engine, uint8_t first,
			uint8_t second)
{
	/* mov %ecx, %esi; 1: mov %ebx, %eax; insn; dec %esi; jnz 1b; hlt */
	const char code[] = { 0x89,   0xce, 0x89, 0xd8, first,
			      second, 0x4e, 0x75, 0xf9, 0xf4 };
	struct machine *machine = machine_create(engine, code, sizeof(code));
	ticks taken[BATCHES];

	for (int i = 0; i < BATCHES; i++) {
		engine->start(machine, CODE, 0, BATCH);
		taken[i] = __rdtsc();
		do {
			engine->run(machine);
		} while (engine->cpuid(machine));
		taken[i] = __rdtsc() - taken[i];
	}
	engine->destroy(machine);
	return median(taken, BATCHES);
}

ticks cpuid_exit(const struct engine *engine)
{
	ticks cpuid = cpuid_loop(engine, 0x0f, 0xa2);
	ticks nop = cpuid_loop(engine, 0x66, 0x90);

	return (cpuid - nop) / BATCH;
}

/* ---- interrupts of the host ---------------------------------------------- */

/* Iterations of two instructions, during which five ticks of the host occur */
#define SPINS 10000000u
#define SPELLS 21

static unsigned long long interrupts(void)
{
	FILE *file = fopen("/proc/stat", "r");
	unsigned long long count;

	if (!file)
		fail("/proc/stat");
	while (fscanf(file, "intr %llu", &count) != 1)
		if (fscanf(file, "%*[^\n] ") == EOF)
			fail("/proc/stat");
	fclose(file);
	return count;
}

static ticks spin_guest(const struct engine *engine, struct machine *machine,
			unsigned int spins)
{
	ticks begin;

	engine->start(machine, CODE, 0, spins);
	begin = __rdtsc();
	engine->run(machine);
	return __rdtsc() - begin;
}

static ticks spin_program(unsigned int spins)
{
	ticks begin = __rdtsc();

	asm volatile("1: dec %0; jnz 1b" : "+r"(spins) : : "cc");
	return __rdtsc() - begin;
}

/* Return the ticks per interrupt, without the loop's own instructions. */
static ticks per_interrupt(ticks taken, unsigned long long count)
{
	return (taken - 2ull * SPINS) / count;
}

static ticks in_guest(const struct engine *engine, struct machine *machine)
{
	ticks once = spin_guest(engine, machine, 1);
	unsigned long long count = interrupts();
	ticks taken = spin_guest(engine, machine, SPINS) - once;

	return per_interrupt(taken, interrupts() - count);
}

static ticks in_program(void)
{
	unsigned long long count = interrupts();
	ticks taken = spin_program(SPINS);

	return per_interrupt(taken, interrupts() - count);
}

/*
 * Alternate between the guest's loop and the program's, and use medians, because
 * the host's handler does not always do the same work.
 */
static void spin(const struct engine *engine, ticks *guest, ticks *program)
{
	const char code[] = { 0x49, 0x75, 0xfd,
			      0xf4 }; /* 1: dec; jnz 1b; hlt */
	struct machine *machine = machine_create(engine, code, sizeof(code));
	ticks guests[SPELLS], programs[SPELLS];

	spin_guest(engine, machine, 1);
	for (int i = 0; i < SPELLS; i++) {
		guests[i] = in_guest(engine, machine);
		programs[i] = in_program();
	}
	engine->destroy(machine);
	*guest = median(guests, SPELLS);
	*program = median(programs, SPELLS);
}

/* Cost of an interrupt during a guest's loop, without the host's own handler */
ticks host_irq(const struct engine *engine)
{
	ticks guest, program;

	spin(engine, &guest, &program);
	return guest - program;
}

/* The same with the handler, which is most of it and not part of svmrun */
ticks host_irq_whole(const struct engine *engine)
{
	ticks guest, program;

	spin(engine, &guest, &program);
	return guest;
}
