// SPDX-License-Identifier: GPL-2.0
/* Benchmarks: memory that is mapped at many guest addresses is invalidated */
#include <stdlib.h>
#include <sys/mman.h>

#include "work.h"

/* Maximum number of regions of a VM besides its low memory */
#define MOST 65535

/* Repeat less often if guests touch many pages. */
static unsigned int rounds(unsigned int touched)
{
	return touched > 1000 ? 3 : 21;
}

/*
 * The program discards a page (MADV_DONTNEED) that is mapped at @aliases guest
 * addresses, of which the guest has written to the first @touched.
 */
static ticks invalidate(const struct engine *engine, unsigned int aliases,
			unsigned int touched)
{
	/* 1: mov %eax, (%ebx); add $4096, %ebx; dec %ecx; jnz 1b; hlt */
	const char code[] = { 0x89, 0x03, 0x81, 0xc3, 0,    0x10,
			      0,    0,	  0x49, 0x75, 0xf5, 0xf4 };
	char *page = memory_create(PAGE, PAGE, MADV_NOHUGEPAGE);
	struct machine *machine = machine_create(engine, code, sizeof(code));
	ticks taken[21];

	for (unsigned int i = 0; i < aliases; i++)
		engine->map(machine, DATA + i * PAGE, page, PAGE, false);
	for (unsigned int i = 0; i < rounds(touched); i++) {
		*page = 0;
		engine->start(machine, CODE, DATA, touched);
		engine->run(machine);
		taken[i] = __rdtsc();
		madvise(page, PAGE, MADV_DONTNEED);
		taken[i] = __rdtsc() - taken[i];
	}
	engine->destroy(machine);
	munmap(page, PAGE);
	return median(taken, rounds(touched));
}

ticks invalidate_1(const struct engine *engine)
{
	return invalidate(engine, 1, 1);
}

ticks invalidate_100(const struct engine *engine)
{
	return invalidate(engine, 100, 100);
}

/* KVM supports fewer slots. */
ticks invalidate_most(const struct engine *engine)
{
	return engine->cuts ? invalidate(engine, MOST, MOST) : NONE;
}

ticks invalidate_few_of_most(const struct engine *engine)
{
	return engine->cuts ? invalidate(engine, MOST, 3) : NONE;
}
