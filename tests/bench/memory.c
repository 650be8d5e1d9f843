// SPDX-License-Identifier: GPL-2.0
/* Benchmarks: faults on guest memory, and changes of permissions */
#include <string.h>
#include <sys/mman.h>

#include "work.h"

/*
 * Let the guest write to a word every @size bytes, @pages times, in memory that the
 * program has touched. The second time everything is mapped.
 */
static ticks faults(const struct engine *engine, unsigned int pages,
		    size_t size, int advice, bool log)
{
	/* 1: mov %eax, (%ebx); add $size, %ebx; dec %ecx; jnz 1b; hlt */
	char code[] = { 0x89, 0x03, 0x81, 0xc3, 0,    0,
			0,    0,    0x49, 0x75, 0xf5, 0xf4 };
	uint32_t stride = size;
	void *data = memory_create(pages * size, size, advice);
	struct machine *machine;
	ticks taken[2];

	memcpy(code + 4, &stride, sizeof(stride));
	machine = machine_create(engine, code, sizeof(code));
	engine->map(machine, DATA, data, pages * size, log);
	engine->start(machine, CODE, DATA, 1);
	engine->run(machine);
	for (int i = 0; i < 2; i++) {
		engine->start(machine, CODE, DATA + stride, pages - 1);
		taken[i] = __rdtsc();
		engine->run(machine);
		taken[i] = __rdtsc() - taken[i];
	}
	engine->destroy(machine);
	munmap(data, pages * size);
	return (taken[0] - taken[1]) / (pages - 1);
}

ticks fault_4k(const struct engine *engine)
{
	return faults(engine, 4096, PAGE, MADV_NOHUGEPAGE, false);
}

ticks fault_sparse(const struct engine *engine)
{
	return faults(engine, 1024, 16 * PAGE, MADV_NOHUGEPAGE, false);
}

ticks fault_2m(const struct engine *engine)
{
	return faults(engine, 64, 2 * MIB, MADV_HUGEPAGE, false);
}

ticks fault_logged(const struct engine *engine)
{
	return faults(engine, 4096, PAGE, MADV_NOHUGEPAGE, true);
}

/* ---- permissions --------------------------------------------------------- */

#define WATCHED_SIZE (16 * PAGE)
#define WATCHED (8 * PAGE) /* the page that the guest writes to */

/*
 * Only svmrun can change permissions of a part of a region. For KVM, give the page
 * its own slot from the beginning, as a program that watches it would.
 */
static void map_watched(const struct engine *engine, struct machine *machine,
			char *data)
{
	const size_t after = WATCHED + PAGE;

	if (engine->cuts) {
		engine->map(machine, DATA, data, WATCHED_SIZE, false);
		return;
	}
	engine->map(machine, DATA, data, WATCHED, false);
	engine->map(machine, DATA + after, data + after, WATCHED_SIZE - after,
		    false);
	engine->map(machine, DATA + WATCHED, data + WATCHED, PAGE, false);
}

/*
 * Catch a write, then permit it, so that the permissions of a page in use change
 * twice. The guest then writes again, so that the page is writable when the
 * permission is revoked.
 */
static void watch(const struct engine *engine, ticks *call, ticks *round)
{
	/* mov %eax, (%ebx); mov %eax, (%ebx); hlt */
	const char code[] = { 0x89, 0x03, 0x89, 0x03, 0xf4 };
	char *data = memory_create(WATCHED_SIZE, PAGE, MADV_NOHUGEPAGE);
	char *page = data + WATCHED;
	struct machine *machine = machine_create(engine, code, sizeof(code));

	map_watched(engine, machine, data);
	engine->start(machine, CODE, DATA + WATCHED, 0);
	engine->run(machine);
	*call = 0;
	*round = 0;
	for (int i = -2; i < ROUNDS; i++) {
		ticks at[5];

		engine->start(machine, CODE, DATA + WATCHED, 0);
		at[0] = __rdtsc();
		engine->protect(machine, DATA + WATCHED, page, false);
		at[1] = __rdtsc();
		engine->run(machine);
		at[2] = __rdtsc();
		engine->protect(machine, DATA + WATCHED, page, true);
		at[3] = __rdtsc();
		engine->run(machine);
		at[4] = __rdtsc();
		if (i < 0)
			continue;
		*call += at[1] - at[0] + at[3] - at[2];
		*round += at[4] - at[0];
	}
	engine->destroy(machine);
	munmap(data, WATCHED_SIZE);
	*call /= 2 * ROUNDS;
	*round /= ROUNDS;
}

/* Only the call */
ticks protect_4k(const struct engine *engine)
{
	ticks call, round;

	watch(engine, &call, &round);
	return call;
}

/* With the exit, and with the faults after it */
ticks protect_caught(const struct engine *engine)
{
	ticks call, round;

	watch(engine, &call, &round);
	return round;
}
