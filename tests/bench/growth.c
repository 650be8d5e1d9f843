// SPDX-License-Identifier: GPL-2.0
/* Benchmarks: growth of cost with the number of VMs, regions or MiB */
#include <string.h>
#include <sys/mman.h>

#include "work.h"

#define POINTS 8
#define GIB (1ul << 30)

/**
 * struct plot - a line of points
 * @name: one word
 * @x: numbers of objects, terminated by 0
 * @cost: cost of an operation with that many objects
 */
struct plot {
	const char *name;
	unsigned int x[POINTS];
	ticks (*cost)(const struct engine *engine, unsigned int x);
};

/* An OUT exit of a guest with this number of regions of one page */
static ticks exit_with_regions(const struct engine *engine,
			       unsigned int regions)
{
	const char code[] = { 0xe6, 0x80, 0xeb, 0xfc }; /* out; jmp */
	size_t size = 2 * PAGE * regions;
	struct machine *machine = engine->create();
	char *low = memory_create(LOW_SIZE, PAGE, 0);
	char *data = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ticks taken;

	if (data == MAP_FAILED)
		fail("mmap");
	memcpy(low + CODE, code, sizeof(code));
	engine->map(machine, 0, low, LOW_SIZE, false);
	for (size_t at = 0; at < size; at += 2 * PAGE)
		engine->map(machine, DATA + at, data + at, PAGE, false);
	engine->vcpu(machine);
	taken = exits_of(engine, machine, 2);
	engine->destroy(machine);
	munmap(data, size);
	return taken;
}

/* ---- faults, one in each 2 MiB of a large memory ------------------------- */

#define STRIDE (2 * MIB)
#define TABLES 0x2000u

/* Fill in the guest's page tables: identity mapping of the first 512 GiB. */
static void fill_tables(char *low)
{
	uint64_t *top = (uint64_t *)(low + TABLES);
	uint64_t *next = (uint64_t *)(low + TABLES + PAGE);

	top[0] = (TABLES + PAGE) | 3; /* writable, present */
	for (uint64_t i = 0; i < 512; i++)
		next[i] = i * GIB | 0x83; /* large */
}

/* Allocate memory in which only the pages that the guest touches are present. */
static char *sparse_create(size_t size)
{
	char *data = mmap(NULL, size + STRIDE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (data == MAP_FAILED)
		fail("mmap");
	data = (char *)(((uintptr_t)data + STRIDE - 1) & -STRIDE);
	madvise(data, size, MADV_NOHUGEPAGE);
	for (size_t at = 0; at < size; at += STRIDE)
		data[at] = 1;
	return data;
}

static ticks write_from(const struct engine *engine, struct machine *machine,
			uint32_t gpa, unsigned int pages)
{
	ticks begin;

	engine->start(machine, CODE, gpa, pages);
	begin = __rdtsc();
	engine->run(machine);
	return __rdtsc() - begin;
}

/* A fault of a guest with this much memory, in MiB */
static ticks fault_in_memory(const struct engine *engine, unsigned int mib)
{
	/* 1: mov %eax, (%rbx); add $STRIDE, %rbx; dec %ecx; jnz 1b; hlt */
	const char code[] = { 0x89, 0x03, 0x48, 0x81, 0xc3, 0x00, 0x00,
			      0x20, 0x00, 0xff, 0xc9, 0x75, 0xf3, 0xf4 };
	size_t size = mib * MIB, pages = size / STRIDE - 1;
	char *low = memory_create(LOW_SIZE, PAGE, 0);
	char *data = sparse_create(size);
	struct machine *machine;
	ticks first;

	memcpy(low + CODE, code, sizeof(code));
	fill_tables(low);
	machine = machine_begin(engine, low);
	engine->map(machine, DATA, data, size, false);
	engine->long_mode(machine, TABLES);
	write_from(engine, machine, DATA, 1);
	first = write_from(engine, machine, DATA + STRIDE, pages);
	first -= write_from(engine, machine, DATA + STRIDE, pages);
	engine->destroy(machine);
	munmap(data, size);
	return first / pages;
}

static const struct plot plots[] = {
	{ "create", { 1, 3, 10, 30, 100, 300, 1000 }, create_beside },
	{ "exit", { 1, 10, 100, 1000, 10000 }, exit_with_regions },
	{ "fault", { 64, 256, 1024, 2048, 4096, 8192 }, fault_in_memory },
};

static void measure(const struct engine *engine,
		    ticks taken[ARRAY_SIZE(plots)][POINTS])
{
	if (!engine->open())
		fail(engine->name);
	for (size_t i = 0; i < ARRAY_SIZE(plots); i++)
		for (size_t j = 0; plots[i].x[j]; j++)
			taken[i][j] = plots[i].cost(engine, plots[i].x[j]);
	engine->close();
}

void growth(void)
{
	ticks own[ARRAY_SIZE(plots)][POINTS], other[ARRAY_SIZE(plots)][POINTS];

	measure(&svmrun_engine, own);
	measure(&kvm_engine, other);
	for (size_t i = 0; i < ARRAY_SIZE(plots); i++)
		for (size_t j = 0; plots[i].x[j]; j++)
			report_point(plots[i].name, plots[i].x[j], own[i][j],
				     other[i][j]);
}
