// SPDX-License-Identifier: GPL-2.0
/*
 * Compare the cost of work with svmrun and with KVM, with the same guests in the
 * same boot:
 *	bench [--json FILE] [WORK]...
 *	bench [--json FILE] --smp	exits per second of one vCPU and of two
 *	bench [--json FILE] --growth	how cost grows with the number of objects
 * With --icount, the TSC counts instructions and results are repeatable; otherwise
 * it counts time. FILE receives one object per line. The current directory must
 * contain svmrun_merge.ko (tests/module/merge.c).
 */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "work.h"

#define MERGE "/sys/module/svmrun_merge/parameters/"

/**
 * struct work - something to measure
 * @name: one word
 * @text: one line
 * @unit: unit of the result
 * @measure: measure it with this engine; returns NONE if the engine does not support it
 */
struct work {
	const char *name;
	const char *text;
	const char *unit;
	ticks (*measure)(const struct engine *engine);
};

_Noreturn void fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

void *memory_create(size_t size, size_t align, int advice)
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

static int compare_ticks(const void *a, const void *b)
{
	ticks x = *(const ticks *)a, y = *(const ticks *)b;

	return (x > y) - (x < y);
}

ticks median(ticks *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare_ticks);
	return values[count / 2];
}

struct machine *machine_begin(const struct engine *engine, void *low)
{
	struct machine *machine = engine->create();

	engine->map(machine, 0, low, LOW_SIZE, false);
	engine->vcpu(machine);
	return machine;
}

struct machine *machine_create(const struct engine *engine, const char *code,
			       size_t size)
{
	char *low = memory_create(LOW_SIZE, PAGE, 0);

	memcpy(low + CODE, code, size);
	return machine_begin(engine, low);
}

/* ---- merge of VMCBs, which KVM does not have ----------------------------- */

static void merge_load(void)
{
	static bool loaded;
	int fd;

	if (loaded)
		return;
	fd = open("svmrun_merge.ko", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		fail("svmrun_merge.ko");
	close(fd);
	loaded = true;
}

static ticks merge(const struct engine *engine, const char *path)
{
	FILE *file;
	ticks taken;

	if (engine != &svmrun_engine)
		return NONE;
	merge_load();
	file = fopen(path, "r");
	if (!file || fscanf(file, "%llu", &taken) != 1)
		fail(path);
	fclose(file);
	return taken;
}

static ticks merge_clean(const struct engine *engine)
{
	return merge(engine, MERGE "clean");
}

static ticks merge_dirty(const struct engine *engine)
{
	return merge(engine, MERGE "dirty");
}

#define COUNT(work, line)                                                      \
	{                                                                      \
		.name = #work, .text = line, .unit = "instructions",           \
		.measure = work                                                \
	}
#define SIZE(work, line)                                                       \
	{                                                                      \
		.name = #work, .text = line, .unit = "KiB", .measure = work    \
	}

static const struct work works[] = {
	COUNT(null_ioctl, "null ioctl"),
	COUNT(out_exit, "OUT exit to the program and back"),
	COUNT(hlt_exit, "HLT exit to the program and back"),
	COUNT(cpuid_exit, "... of CPUID (KVM: handled in the kernel)"),
	COUNT(host_irq, "host interrupt, beyond one in user mode"),
	COUNT(host_irq_whole, "... including the host's handler"),
	COUNT(create_first_exit, "create a VM of 64 KiB, to its first exit"),
	COUNT(create_first_exit_200, "... beside 200 others"),
	COUNT(create_first_exit_1000, "... beside 1,000 others"),
	COUNT(destroy, "destroy a VM, including idle time"),
	SIZE(kib_per_vm, "kernel memory per VM, KiB"),
	COUNT(fault_4k, "fault on a present page of 4 KiB"),
	COUNT(fault_sparse, "... if only one page in 16 is accessed"),
	COUNT(fault_2m, "fault on a present page of 2 MiB"),
	COUNT(fault_logged, "fault on a page of 4 KiB, with dirty logging"),
	COUNT(protect_4k, "change the permissions of a page"),
	COUNT(protect_caught, "intercept a write, then allow it"),
	COUNT(invalidate_1, "invalidate a page that the guest has accessed"),
	COUNT(invalidate_100, "... at 100 addresses"),
	COUNT(invalidate_most, "... at 65,535 addresses"),
	COUNT(invalidate_few_of_most, "... at 3 of 65,535 addresses"),
	COUNT(reset_page, "run and reset, for each page written"),
	COUNT(reset_one, "run and reset with one page written"),
	COUNT(reset_one_large, "... of 128 MiB, all written before"),
	COUNT(clone_first_insn, "clone to its first instruction and exit"),
	COUNT(nested_cpuid, "a guest's guest: VMRUN to #VMEXIT for CPUID"),
	COUNT(nested_switch, "... with two guests by turns (ASIDs)"),
	COUNT(nested_interrupt, "... to #VMEXIT for an interrupt"),
	COUNT(nested_fault,
	      "... fault on a page that its hypervisor has mapped"),
	COUNT(merge_clean, "merge and publish a VMCB, all groups clean"),
	COUNT(merge_dirty, "merge and publish a VMCB, no group clean"),
};

/* Return whether the work is among the names, or whether there are none. */
static bool is_chosen(const struct work *work, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(*names, work->name))
			return true;
	return false;
}

/* Measure one engine after the other, because they cannot share a processor. */
static void measure(const struct engine *engine, char **names, ticks *taken)
{
	bool available = engine->open();

	for (size_t i = 0; i < ARRAY_SIZE(works); i++) {
		taken[i] = NONE;
		if (available && is_chosen(&works[i], names))
			taken[i] = works[i].measure(engine);
	}
	if (available)
		engine->close();
}

/* ---- output -------------------------------------------------------------- */

static FILE *json;

/* @before: '{' at the beginning of an object, otherwise ',' */
static void put_key(char before, const char *key)
{
	fprintf(json, "%c\"%s\": ", before, key);
}

static void put_word(char before, const char *key, const char *word)
{
	put_key(before, key);
	fprintf(json, "\"%s\"", word);
}

static void put_number(char before, const char *key, double number)
{
	put_key(before, key);
	if (number < 0)
		fprintf(json, "null");
	else
		fprintf(json, "%.10g", number);
}

/* Return the setting that the nested VM was booted with. */
static const char *boot_mitigations(void)
{
	char line[4096] = "";
	FILE *file = fopen("/proc/cmdline", "r");

	if (!file || !fgets(line, sizeof(line), file))
		fail("/proc/cmdline");
	fclose(file);
	return strstr(line, "mitigations=off") ? "off" : "default";
}

static void put_result(const struct result *r)
{
	put_word('{', "work", r->name);
	put_word(',', "mitigations", boot_mitigations());
	put_number(',', "kvm", r->other);
	put_number(',', "svmrun", r->own);
	put_number(',', "ratio", r->ratio);
	put_word(',', "unit", r->unit);
	fprintf(json, "}\n");
}

void report_head(void)
{
	printf("%-46s %9s %9s %6s\n", "", "svmrun", "KVM", "ratio");
}

void report(const struct result *r)
{
	printf("%-46s %9.*f", r->text, r->digits, r->own);
	if (r->other >= 0)
		printf(" %9.*f %6.2f", r->digits, r->other, r->ratio);
	printf("\n");
	if (json)
		put_result(r);
}

static void put_point(const char *plot, unsigned int x, double own,
		      double other)
{
	put_word('{', "plot", plot);
	put_number(',', "x", x);
	put_number(',', "kvm", other);
	put_number(',', "svmrun", own);
	fprintf(json, "}\n");
}

void report_point(const char *plot, unsigned int x, double own, double other)
{
	printf("%-12s %6u %9.0f %9.0f\n", plot, x, own, other);
	if (json)
		put_point(plot, x, own, other);
}

static void report_work(const struct work *work, ticks own, ticks other)
{
	struct result r = {
		.name = work->name,
		.text = work->text,
		.unit = work->unit,
		.own = own,
		.other = -1,
		.ratio = -1,
	};

	if (other != NONE) {
		r.other = other;
		r.ratio = (double)own / other;
	}
	report(&r);
}

static void bench(char **names)
{
	ticks own[ARRAY_SIZE(works)], other[ARRAY_SIZE(works)];

	measure(&svmrun_engine, names, own);
	measure(&kvm_engine, names, other);
	report_head();
	for (size_t i = 0; i < ARRAY_SIZE(works); i++)
		if (own[i] != NONE)
			report_work(&works[i], own[i], other[i]);
}

/* A thousand VMs need two or three descriptors each. */
static void allow_files(void)
{
	const struct rlimit limit = { 8192, 8192 };

	if (setrlimit(RLIMIT_NOFILE, &limit))
		fail("setrlimit");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", required_argument, NULL, 'j' },
		{ "smp", no_argument, NULL, 's' },
		{ "growth", no_argument, NULL, 'g' },
		{ 0 },
	};
	int option, mode = 0;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return 2;
		if (option != 'j')
			mode = option;
		else
			json = fopen(optarg, "w");
		if (option == 'j' && !json)
			fail(optarg);
	}
	allow_files();
	if (mode == 's')
		smp();
	else if (mode == 'g')
		growth();
	else
		bench(argv + optind);
	return json && fclose(json);
}
