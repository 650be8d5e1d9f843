// SPDX-License-Identifier: GPL-2.0
/*
 * What work costs svmrun, and KVM, with the same guests in the same boot. Under
 * --icount the TSC counts instructions, the same number each time; without, it
 * is what the clock makes of it. In the current directory: svmrun_merge.ko
 * (tests/module/merge.c).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <x86intrin.h>

#include "engine.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define PAGE 4096ul
#define MIB (1ul << 20)
#define MERGE "/sys/module/svmrun_merge/parameters/"
#define ROUNDS 1000

/* Where things are in a guest's memory */
#define CODE 0x1000u
#define LOW_SIZE (64 * 1024ul)
#define DATA (1u << 30)

typedef unsigned long long ticks;

/**
 * struct work - something to measure
 * @name: a word
 * @text: a line
 * @measure: by this engine
 */
struct work {
	const char *name;
	const char *text;
	ticks (*measure)(const struct engine *engine);
};

_Noreturn void fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

/* Zeroed memory that is there already, at an address of which @align is part */
static void *memory_create(size_t size, size_t align, int advice)
{
	char *memory = mmap(NULL, size + align, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		fail("mmap");
	memory = (char *)(((uintptr_t)memory + align - 1) & -align);
	if (advice)
		madvise(memory, size, advice);
	memset(memory, 0, size);
	return memory;
}

/* A machine with @code in its low memory */
static struct machine *machine_create(const struct engine *engine,
				      const char *code, size_t size)
{
	struct machine *machine = engine->create();
	char *low = memory_create(LOW_SIZE, PAGE, 0);

	memcpy(low + CODE, code, size);
	engine->map(machine, 0, low, LOW_SIZE, false);
	return machine;
}

static ticks null_ioctl(const struct engine *engine)
{
	struct machine *machine = engine->create();
	ticks begin = __rdtsc();

	for (int i = 0; i < ROUNDS; i++)
		engine->null(machine);
	begin = __rdtsc() - begin;
	engine->destroy(machine);
	return begin / ROUNDS;
}

/* From one exit to the next, of a guest that jumps back to where it left */
static ticks exits(const struct engine *engine, const char *code, size_t size,
		   unsigned int length)
{
	struct machine *machine = machine_create(engine, code, size);
	ticks begin = 0;

	engine->start(machine, CODE, 0, 0);
	for (int i = -2; i < ROUNDS; i++) {
		if (i == 0)
			begin = __rdtsc();
		engine->run(machine);
		engine->step(machine, length);
	}
	begin = __rdtsc() - begin;
	engine->destroy(machine);
	return begin / ROUNDS;
}

static ticks out_exit(const struct engine *engine)
{
	const char code[] = { 0xe6, 0x80, 0xeb, 0xfc }; /* out; jmp */

	return exits(engine, code, sizeof(code), 2);
}

static ticks hlt_exit(const struct engine *engine)
{
	const char code[] = { 0xf4, 0xeb, 0xfd }; /* hlt; jmp */

	return exits(engine, code, sizeof(code), 1);
}

/*
 * The guest writes to a word every @size bytes, @pages times, in memory that the
 * program has touched already. The second time it finds it all mapped.
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

static ticks fault_4k(const struct engine *engine)
{
	return faults(engine, 4096, PAGE, MADV_NOHUGEPAGE, false);
}

static ticks fault_sparse(const struct engine *engine)
{
	return faults(engine, 1024, 16 * PAGE, MADV_NOHUGEPAGE, false);
}

static ticks fault_2m(const struct engine *engine)
{
	return faults(engine, 64, 2 * MIB, MADV_HUGEPAGE, false);
}

static ticks fault_logged(const struct engine *engine)
{
	return faults(engine, 4096, PAGE, MADV_NOHUGEPAGE, true);
}

static const struct work works[] = {
	{ "null_ioctl", "null ioctl", null_ioctl },
	{ "out_exit", "OUT exit to the program and back", out_exit },
	{ "hlt_exit", "HLT exit to the program and back", hlt_exit },
	{ "fault_4k", "fault on a page of 4 KiB that is there", fault_4k },
	{ "fault_sparse", "... if only one in sixteen is touched",
	  fault_sparse },
	{ "fault_2m", "fault on a page of 2 MiB that is there", fault_2m },
	{ "fault_logged", "fault on a page of 4 KiB, logged", fault_logged },
};

/* ---- the merge of VMCBs, which KVM has not --------------------------------- */

static void merge_load(void)
{
	int fd = open("svmrun_merge.ko", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		fail("svmrun_merge.ko");
	close(fd);
}

static ticks merge(const char *path)
{
	FILE *file = fopen(path, "r");
	ticks taken;

	if (!file || fscanf(file, "%llu", &taken) != 1)
		fail(path);
	fclose(file);
	return taken;
}

static void print_merge(void)
{
	merge_load();
	printf("%-44s %9llu\n", "merge and publish, all vouched for",
	       merge(MERGE "clean"));
	printf("%-44s %9llu\n", "merge and publish, nothing vouched for",
	       merge(MERGE "dirty"));
}

/* One engine after the other: they do not share a processor. */
static void measure(const struct engine *engine, ticks *taken)
{
	for (size_t i = 0; i < ARRAY_SIZE(works); i++)
		taken[i] = works[i].measure(engine);
}

int main(void)
{
	ticks own[ARRAY_SIZE(works)], other[ARRAY_SIZE(works)];
	bool compare = kvm_engine.available();

	measure(&svmrun_engine, own);
	if (compare)
		measure(&kvm_engine, other);
	printf("%-44s %9s %9s %6s\n", "", "svmrun", "KVM", "ratio");
	for (size_t i = 0; i < ARRAY_SIZE(works); i++) {
		printf("%-44s %9llu", works[i].text, own[i]);
		if (compare)
			printf(" %9llu %6.2f", other[i],
			       (double)own[i] / other[i]);
		printf("\n");
	}
	print_merge();
	return 0;
}
