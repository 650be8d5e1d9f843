// SPDX-License-Identifier: GPL-2.0
/* Benchmarks: create and destroy VMs, alone and beside many others */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "work.h"

#define CROWD 1000
#define CREATIONS 21
#define SPARE 2
#define SETTLE 500000 /* in us */

/* VMs that exist, each with its own memory and after its first exit */
struct crowd {
	unsigned int count;
	char *memory;
	struct machine *machines[CROWD + SPARE];
};

/*
 * Allocate a guest's low memory for each, with the page that the guest touches
 * present.
 */
static void crowd_prepare(struct crowd *crowd, unsigned int count)
{
	const char code[] = { 0xe6, 0x80, 0xeb, 0xfc }; /* out; jmp */
	size_t size = count * LOW_SIZE;

	crowd->count = count;
	crowd->memory = mmap(NULL, size + 1, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (crowd->memory == MAP_FAILED)
		fail("mmap");
	madvise(crowd->memory, size, MADV_NOHUGEPAGE);
	for (unsigned int i = 0; i < count; i++)
		memcpy(crowd->memory + i * LOW_SIZE + CODE, code, sizeof(code));
}

static void crowd_free(struct crowd *crowd)
{
	munmap(crowd->memory, crowd->count * LOW_SIZE + 1);
}

static struct machine *to_first_exit(const struct engine *engine, char *low)
{
	struct machine *machine = machine_begin(engine, low);

	engine->start(machine, CODE, 0, 0);
	engine->run(machine);
	return machine;
}

static void crowd_create(const struct engine *engine, struct crowd *crowd)
{
	for (unsigned int i = 0; i < crowd->count; i++)
		crowd->machines[i] = to_first_exit(engine,
						   crowd->memory +
							   i * LOW_SIZE);
}

static void crowd_destroy(const struct engine *engine, struct crowd *crowd)
{
	for (unsigned int i = 0; i < crowd->count; i++)
		engine->destroy(crowd->machines[i]);
}

/* Like crowd_create(); @taken: ticks of each creation */
static void crowd_measure(const struct engine *engine, struct crowd *crowd,
			  ticks *taken)
{
	for (unsigned int i = 0; i < crowd->count; i++) {
		taken[i] = __rdtsc();
		crowd->machines[i] = to_first_exit(engine,
						   crowd->memory +
							   i * LOW_SIZE);
		taken[i] = __rdtsc() - taken[i];
	}
}

/*
 * Create and destroy the VMs once before, so that the kernel has free memory
 * cached, however many others exist. Then wait until memory that is freed late is
 * free.
 */
static void crowd_rehearse(const struct engine *engine, struct crowd *crowd)
{
	crowd_create(engine, crowd);
	crowd_destroy(engine, crowd);
	usleep(SETTLE);
}

/*
 * Create VMs beside @others, one after another, then destroy them. Two more VMs
 * always exist: SVM stays enabled, and KVM does not pay the 12 million instructions
 * of its first VM.
 */
static void create_and_destroy(const struct engine *engine, unsigned int others,
			       ticks *created, ticks *destroyed)
{
	struct crowd crowd, measured;
	ticks taken[CREATIONS];

	crowd_prepare(&crowd, others + SPARE);
	crowd_prepare(&measured, CREATIONS);
	crowd_create(engine, &crowd);
	crowd_rehearse(engine, &measured);
	crowd_measure(engine, &measured, taken);
	*created = median(taken, CREATIONS);
	*destroyed = __rdtsc();
	crowd_destroy(engine, &measured);
	*destroyed = (__rdtsc() - *destroyed) / CREATIONS;
	crowd_destroy(engine, &crowd);
	crowd_free(&measured);
	crowd_free(&crowd);
}

ticks create_beside(const struct engine *engine, unsigned int others)
{
	ticks created, destroyed;

	create_and_destroy(engine, others, &created, &destroyed);
	return created;
}

ticks create_first_exit(const struct engine *engine)
{
	return create_beside(engine, 0);
}

ticks create_first_exit_200(const struct engine *engine)
{
	return create_beside(engine, 200);
}

ticks create_first_exit_1000(const struct engine *engine)
{
	return create_beside(engine, 1000);
}

/* Until the call returns, including time that it sleeps */
ticks destroy(const struct engine *engine)
{
	ticks created, destroyed;

	create_and_destroy(engine, 0, &created, &destroyed);
	return destroyed;
}

/*
 * Return free memory, including the per-CPU lists, which MemFree does not contain
 * and which can hold more than a thousand VMs need.
 */
static long free_kib(void)
{
	FILE *file = fopen("/proc/zoneinfo", "r");
	long pages, sum = 0;
	char line[256];

	if (!file)
		fail("/proc/zoneinfo");
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, " pages free %ld", &pages) == 1 ||
		    sscanf(line, " count: %ld", &pages) == 1)
			sum += pages;
	fclose(file);
	return sum * (PAGE / 1024);
}

/*
 * Measure the kernel's memory for a thousand VMs. The guests' memory is allocated
 * before; the program's own memory for a VM, some hundred bytes, is included.
 */
ticks kib_per_vm(const struct engine *engine)
{
	struct crowd crowd;
	long before;

	crowd_prepare(&crowd, CROWD);
	usleep(SETTLE); /* wait until memory that is freed late is free */
	before = free_kib();
	crowd_create(engine, &crowd);
	before -= free_kib();
	crowd_destroy(engine, &crowd);
	crowd_free(&crowd);
	return (before + CROWD / 2) / CROWD;
}
