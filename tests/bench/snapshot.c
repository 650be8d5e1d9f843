// SPDX-License-Identifier: GPL-2.0
/* Benchmarks: snapshots of VMs, clones, and resets */
#include <string.h>
#include <sys/mman.h>

#include "work.h"

#define SNAPSHOT_SIZE (16 * MIB)
#define LARGE_SIZE (128 * MIB)
#define DIRTY_PAGES 512
#define CLONES 20

/*
 * Create a snapshot of a guest with @size bytes of memory that writes to ECX pages from EBX
 * on, and halts.
 */
static struct snapshot *snapshot_create(const struct engine *engine,
					size_t size)
{
	/* 1: mov %eax, (%ebx); add $4096, %ebx; dec %ecx; jnz 1b; hlt */
	static const char code[] = { 0x89, 0x03, 0x81, 0xc3, 0x00, 0x10,
				     0x00, 0x00, 0x49, 0x75, 0xf5, 0xf4 };
	char *memory = memory_create(size, PAGE, MADV_NOHUGEPAGE);
	struct machine *machine = engine->create();
	struct snapshot *snapshot;

	memcpy(memory + CODE, code, sizeof(code));
	memset(memory + MIB, 1, size - MIB);
	engine->vcpu(machine);
	snapshot = engine->snapshot(machine, memory, size);
	engine->destroy(machine);
	munmap(memory, size);
	return snapshot;
}

/* Let the guest write to some pages, then reset it. */
static void write_and_reset(const struct engine *engine,
			    struct machine *machine, unsigned int pages)
{
	engine->start(machine, CODE, MIB, pages);
	engine->run(machine);
	engine->reset(machine);
}

/* The guest has written to @before pages once, and then writes to @pages each time. */
static ticks resets(const struct engine *engine, size_t size,
		    unsigned int before, unsigned int pages)
{
	struct snapshot *snapshot = snapshot_create(engine, size);
	struct machine *machine = engine->clone(snapshot);
	ticks begin = 0;

	/* The first copy of a page belongs to the clone, not to a reset. */
	write_and_reset(engine, machine, before);
	for (int i = -2; i < 20; i++) {
		if (i == 0)
			begin = __rdtsc();
		write_and_reset(engine, machine, pages);
	}
	begin = __rdtsc() - begin;
	engine->destroy(machine);
	engine->discard(snapshot);
	return begin / 20;
}

ticks reset_one(const struct engine *engine)
{
	return resets(engine, SNAPSHOT_SIZE, DIRTY_PAGES, 1);
}

ticks reset_one_large(const struct engine *engine)
{
	return resets(engine, LARGE_SIZE, (LARGE_SIZE - MIB) / PAGE, 1);
}

ticks reset_page(const struct engine *engine)
{
	ticks all = resets(engine, SNAPSHOT_SIZE, DIRTY_PAGES, DIRTY_PAGES);

	return (all - reset_one(engine)) / (DIRTY_PAGES - 1);
}

/* Create clones one after the other; the first two are not measured. */
ticks clone_first_insn(const struct engine *engine)
{
	struct snapshot *snapshot = snapshot_create(engine, SNAPSHOT_SIZE);
	struct machine *machines[CLONES + 2];
	ticks begin = 0;

	for (int i = 0; i < CLONES + 2; i++) {
		if (i == 2)
			begin = __rdtsc();
		machines[i] = engine->clone(snapshot);
		engine->start(machines[i], CODE + 11, 0, 0);
		engine->run(machines[i]);
	}
	begin = __rdtsc() - begin;
	for (int i = 0; i < CLONES + 2; i++)
		engine->destroy(machines[i]);
	engine->discard(snapshot);
	return begin / CLONES;
}
