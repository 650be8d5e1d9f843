// SPDX-License-Identifier: GPL-2.0
/*
 * Benchmarks of libnvmm: a guest in 64-bit mode exits 10,000 times in each of several ways,
 * and the program handles each exit with the library:
 *	nvmm [--json FILE]
 * With --icount the TSC counts instructions. The output has those per round trip, from one
 * exit to the next, and the part of them that is the handling of the exit.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <x86intrin.h>

#include <nvmm.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define PAGE 4096ul
#define MEMORY (1ul << 20)
#define CODE 0x1000
#define TABLES 0x10000 /* page tables of 64-bit mode: 3 pages */
#define DEVICE 0x200000 /* no memory */
#define ROUNDS 10000

struct machine {
	struct nvmm_machine mach;
	struct nvmm_vcpu vcpu;
	uint8_t *memory;
};

static void fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void check(int ret, const char *what)
{
	if (ret)
		fail(what);
}

static void access_port(struct nvmm_io *io)
{
	if (io->in)
		memset(io->data, 0, io->size);
}

static void access_memory(struct nvmm_mem *mem)
{
	if (!mem->write)
		memset(mem->data, 0, mem->size);
}

/* The first GiB is mapped 1:1. */
static void set_tables(struct machine *m)
{
	uint64_t *table = (uint64_t *)(m->memory + TABLES);
	unsigned int i;

	table[0] = (TABLES + PAGE) | 7;
	table[512] = (TABLES + 2 * PAGE) | 7;
	for (i = 0; i < 512; i++)
		table[1024 + i] = ((uint64_t)i << 21) | 0x87;
}

static void set_state(struct machine *m)
{
	const uint64_t parts = NVMM_X64_STATE_CRS | NVMM_X64_STATE_MSRS |
			       NVMM_X64_STATE_SEGS | NVMM_X64_STATE_GPRS;
	struct nvmm_x64_state *state = m->vcpu.state;

	check(nvmm_vcpu_getstate(&m->mach, &m->vcpu, parts),
	      "nvmm_vcpu_getstate");
	state->segs[NVMM_X64_SEG_CS].base = 0;
	state->segs[NVMM_X64_SEG_CS].attrib.l = 1;
	state->crs[NVMM_X64_CR_CR0] = 0x80000011;
	state->crs[NVMM_X64_CR_CR3] = TABLES;
	state->crs[NVMM_X64_CR_CR4] = 0x20;
	state->msrs[NVMM_X64_MSR_EFER] = 0x500;
	state->gprs[NVMM_X64_GPR_RBX] = DEVICE;
	state->gprs[NVMM_X64_GPR_RCX] = 0x1b;
	state->gprs[NVMM_X64_GPR_RDX] = 0x80;
	state->gprs[NVMM_X64_GPR_RIP] = CODE;
	check(nvmm_vcpu_setstate(&m->mach, &m->vcpu, parts),
	      "nvmm_vcpu_setstate");
}

static void create(struct machine *m, const uint8_t *code, size_t size)
{
	struct nvmm_assist_callbacks callbacks = { access_port, access_memory };

	m->memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (m->memory == MAP_FAILED)
		fail("mmap");
	memcpy(m->memory + CODE, code, size);
	set_tables(m);
	check(nvmm_machine_create(&m->mach), "nvmm_machine_create");
	check(nvmm_hva_map(&m->mach, (uintptr_t)m->memory, MEMORY),
	      "nvmm_hva_map");
	check(nvmm_gpa_map(&m->mach, (uintptr_t)m->memory, 0, MEMORY,
			   PROT_READ | PROT_WRITE | PROT_EXEC),
	      "nvmm_gpa_map");
	check(nvmm_vcpu_create(&m->mach, 0, &m->vcpu), "nvmm_vcpu_create");
	check(nvmm_vcpu_configure(&m->mach, &m->vcpu, NVMM_VCPU_CONF_CALLBACKS,
				  &callbacks),
	      "nvmm_vcpu_configure");
	set_state(m);
}

static void destroy(struct machine *m)
{
	check(nvmm_vcpu_destroy(&m->mach, &m->vcpu), "nvmm_vcpu_destroy");
	check(nvmm_machine_destroy(&m->mach), "nvmm_machine_destroy");
	munmap(m->memory, MEMORY);
}

/* A CPUID or RDMSR that the program handles: set registers, and skip the instruction. */
static int handle_instruction(struct machine *m, uint64_t next)
{
	const uint64_t parts = NVMM_X64_STATE_GPRS;
	int ret = nvmm_vcpu_getstate(&m->mach, &m->vcpu, parts);

	m->vcpu.state->gprs[NVMM_X64_GPR_RAX] = 0;
	m->vcpu.state->gprs[NVMM_X64_GPR_RIP] = next;
	return ret ? ret : nvmm_vcpu_setstate(&m->mach, &m->vcpu, parts);
}

static int handle(struct machine *m)
{
	struct nvmm_vcpu_exit *exit = m->vcpu.exit;

	switch (exit->reason) {
	case NVMM_VCPU_EXIT_IO:
		return nvmm_assist_io(&m->mach, &m->vcpu);
	case NVMM_VCPU_EXIT_MEMORY:
		return nvmm_assist_mem(&m->mach, &m->vcpu);
	case NVMM_VCPU_EXIT_RDMSR:
		return handle_instruction(m, exit->u.rdmsr.npc);
	default:
		return 0;
	}
}

static void run(struct machine *m, uint64_t reason)
{
	do {
		check(nvmm_vcpu_run(&m->mach, &m->vcpu), "nvmm_vcpu_run");
	} while (m->vcpu.exit->reason == NVMM_VCPU_EXIT_NONE);
	if (m->vcpu.exit->reason != reason)
		fail("unexpected exit");
}

static const struct work {
	const char *name;
	uint64_t reason;
	uint8_t code[8]; /* a loop */
} works[] = {
	{ "out", NVMM_VCPU_EXIT_IO, { 0xe6, 0x80, 0xeb, 0xfc } },
	{ "in", NVMM_VCPU_EXIT_IO, { 0xec, 0xeb, 0xfd } },
	{ "hlt", NVMM_VCPU_EXIT_HALTED, { 0xf4, 0xeb, 0xfd } },
	{ "rdmsr", NVMM_VCPU_EXIT_RDMSR, { 0x0f, 0x32, 0xeb, 0xfc } },
	{ "read", NVMM_VCPU_EXIT_MEMORY, { 0x8b, 0x03, 0xeb, 0xfc } },
	{ "write", NVMM_VCPU_EXIT_MEMORY, { 0x89, 0x03, 0xeb, 0xfc } },
};

static void measure(const struct work *work, FILE *json)
{
	unsigned long long begin, middle, handling = 0, all;
	struct machine m = { 0 };
	unsigned int i;

	create(&m, work->code, sizeof(work->code));
	run(&m, work->reason);
	begin = __rdtsc();
	for (i = 0; i < ROUNDS; i++) {
		middle = __rdtsc();
		check(handle(&m), "the exit");
		handling += __rdtsc() - middle;
		run(&m, work->reason);
	}
	all = __rdtsc() - begin;
	printf("nvmm %-27s %15llu instructions, %llu of them to handle it\n",
	       work->name, all / ROUNDS, handling / ROUNDS);
	if (json)
		fprintf(json,
			"{\"work\":\"nvmm\",\"exit\":\"%s\",\"instructions\":%llu,\"handling\":%llu}\n",
			work->name, all / ROUNDS, handling / ROUNDS);
	destroy(&m);
}

int main(int argc, char **argv)
{
	FILE *json = NULL;
	size_t i;

	if (argc == 3 && !strcmp(argv[1], "--json"))
		json = fopen(argv[2], "ae");
	check(nvmm_init(), "nvmm_init");
	for (i = 0; i < ARRAY_SIZE(works); i++)
		measure(&works[i], json);
	return EXIT_SUCCESS;
}
