// SPDX-License-Identifier: GPL-2.0
/*
 * Random calls with random arguments on random file descriptors, from two threads
 * at once, while guests run, pages are mapped and unmapped, and a third thread
 * kicks. Every call must return, and the kernel log must be clean afterwards. A
 * script of bytes determines what a thread does. If the kernel reports coverage of
 * the module (KCOV), scripts that reach new code are kept, mutated and run again.
 */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <svmrun.h>

#include "xorshift.h"
#include "coverage.h"
#include "input.h"
#include "kselftest.h"

#define PAGE 4096ul
#define THREADS 2
#define KINDS 3 /* of file descriptors */
#define FDS 4 /* of each kind */
#define ARENA 64ul /* pages */
#define SCRIPT 192 /* bytes */
#define CORPUS 512
#define PROGRESS 5 /* seconds */
#define KICK_PERIOD 300 /* microseconds */

enum kind { DEVICE, VM, VCPU };

/* State that both threads use without synchronization */
struct world {
	int fd[KINDS][FDS];
	uint8_t *pages[FDS]; /* of vCPUs, or MAP_FAILED */
	uint8_t *arena;
	struct svmrun_info info;
	volatile bool over;
};

struct script {
	uint8_t bytes[SCRIPT];
};

struct worker {
	struct world *world;
	struct script script;
	struct coverage coverage;
	pthread_t thread;
	unsigned long calls;
	unsigned long successes;
	unsigned long runs;
};

struct fuzzer {
	struct world world;
	struct worker worker[THREADS];
	struct script corpus[CORPUS];
	unsigned int kept;
	struct covered covered;
	unsigned long seconds;
	uint64_t seed;
	unsigned long rounds;
	time_t begun;
	time_t printed;
};

/* ---- steps of a script --------------------------------------------------- */

static int call(struct worker *worker, int fd, unsigned long request,
		void *argument)
{
	int result = ioctl(fd, request, argument);

	worker->calls++;
	worker->successes += result >= 0;
	return result;
}

static int *any_fd(struct world *world, struct input *input, enum kind kind)
{
	return &world->fd[kind][input_below(input, FDS)];
}

static uint64_t any_page(struct input *input)
{
	return input_below(input, ARENA) * PAGE;
}

static uint64_t any_length(struct input *input)
{
	return (1 + input_below(input, 16)) * PAGE;
}

/* Replace a file descriptor by a new one. */
static void step_create(struct worker *worker, struct input *input)
{
	struct world *world = worker->world;
	struct svmrun_create_vm argument = { .size = sizeof(argument) };
	enum kind kind = input_below(input, KINDS);
	int *at = any_fd(world, input, kind), fd;

	if (kind == DEVICE)
		fd = svmrun_device_open(NULL);
	else if (kind == VM)
		fd = call(worker, *any_fd(world, input, DEVICE),
			  SVMRUN_CREATE_VM, &argument);
	else
		fd = call(worker, *any_fd(world, input, VM), SVMRUN_CREATE_VCPU,
			  &argument);
	fd = __atomic_exchange_n(at, fd, __ATOMIC_RELAXED);
	if (fd >= 0)
		close(fd);
}

/*
 * Guests run code in the arena, without paging: they increment a word and halt, in
 * a loop, and never access control registers.
 */
static void set_up_vcpu(struct world *world, uint8_t *pages, uint64_t rip)
{
	struct svmrun_vcpu vcpu = {
		.vmcb = (void *)pages,
		.regs = (void *)(pages + SVMRUN_VCPU_REGISTERS),
		.msrpm = pages + SVMRUN_VCPU_MSRPM,
		.xsave = pages + SVMRUN_VCPU_XSAVE,
		.size = world->info.out_vcpu_size,
		.xsave_size = world->info.out_xsave_size,
	};

	svmrun_mode_protected(&vcpu, rip, 0);
}

static void step_show(struct worker *worker, struct input *input)
{
	struct world *world = worker->world;
	unsigned int number = input_below(input, FDS);
	size_t size = world->info.out_vcpu_size;
	uint8_t *old = world->pages[number], *pages;

	pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
		     world->fd[VCPU][number], 0);
	if (pages != MAP_FAILED)
		set_up_vcpu(world, pages, any_page(input));
	world->pages[number] = pages;
	/*
	 * The other thread may still write there, so keep memory mapped at the
	 * address.
	 */
	if (old != MAP_FAILED)
		mmap(old, size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

/*
 * Write to the VMCB's control area, the registers or the permission map, or set
 * RIP.
 */
static void step_write(struct worker *worker, struct input *input)
{
	uint8_t *pages = worker->world->pages[input_below(input, FDS)];
	uint32_t offset = input_take(input, 2);
	struct svm_vmcb *vmcb = (void *)pages;

	if (pages == MAP_FAILED)
		return;
	offset %= SVMRUN_VCPU_XSAVE;
	if (offset >= offsetof(struct svm_vmcb, save) && offset < PAGE)
		vmcb->save.rip = any_page(input);
	else
		pages[offset] = input_take(input, 1);
}

static void step_map(struct worker *worker, struct input *input)
{
	struct world *world = worker->world;
	struct svmrun_map map = {
		.size = sizeof(map),
		.flags = input_take(input, 1) % 16 | SVMRUN_MAP_READ,
		.gpa = any_page(input),
		.hva = (uintptr_t)world->arena + any_page(input),
		.length = any_length(input),
	};

	call(worker, *any_fd(world, input, VM), SVMRUN_MAP, &map);
}

static void step_unmap(struct worker *worker, struct input *input)
{
	struct svmrun_unmap unmap = {
		.size = sizeof(unmap),
		.gpa = any_page(input),
		.length = any_length(input),
	};

	call(worker, *any_fd(worker->world, input, VM), SVMRUN_UNMAP, &unmap);
}

static void step_protect(struct worker *worker, struct input *input)
{
	struct svmrun_protect protect = {
		.size = sizeof(protect),
		.flags = input_take(input, 1) % 8 | SVMRUN_MAP_READ,
		.gpa = any_page(input),
		.length = any_length(input),
	};

	call(worker, *any_fd(worker->world, input, VM), SVMRUN_PROTECT,
	     &protect);
}

static void step_dirty(struct worker *worker, struct input *input)
{
	struct svmrun_dirty dirty = {
		.size = sizeof(dirty),
		.flags = input_take(input, 1) % 2,
		.gpa = any_page(input),
		.length = any_length(input),
		.bitmap = (uintptr_t)worker->world->arena + any_page(input),
	};

	call(worker, *any_fd(worker->world, input, VM), SVMRUN_DIRTY, &dirty);
}

static void step_run(struct worker *worker, struct input *input)
{
	int fd = *any_fd(worker->world, input, VCPU);

	worker->runs += !call(worker, fd, SVMRUN_RUN, NULL);
}

/* Change mappings of the arena, as programs and Linux do. */
static void step_memory(struct worker *worker, struct input *input)
{
	static const int advice[] = { MADV_DONTNEED, MADV_FREE, MADV_HUGEPAGE,
				      MADV_NOHUGEPAGE, MADV_MERGEABLE };
	struct world *world = worker->world;
	uint8_t *at = world->arena + any_page(input);
	size_t length = any_length(input);
	unsigned int what = input_below(input, ARRAY_SIZE(advice) + 3);

	if (length > (size_t)(world->arena + ARENA * PAGE - at))
		length = world->arena + ARENA * PAGE - at;
	if (what < ARRAY_SIZE(advice)) {
		madvise(at, length, advice[what]);
	} else if (what == ARRAY_SIZE(advice)) {
		mprotect(at, length, PROT_READ);
		mprotect(at, length, PROT_READ | PROT_WRITE);
	} else {
		mmap(at, length, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	}
}

/* A call that may not exist, with typical mistakes in its arguments */
static void step_any(struct worker *worker, struct input *input)
{
	struct world *world = worker->world;
	struct {
		uint32_t size, flags;
		uint64_t rest[5];
	} own = { .size = input_take(input, 1),
		  .flags = input_below(input, 8) };
	void *arguments[] = { &own, &own, &own, NULL,
			      world->arena + any_page(input) };
	unsigned int number = input_below(input, 12);
	unsigned long request;
	int fd = *any_fd(world, input, input_below(input, KINDS));

	for (unsigned int i = 0; i < ARRAY_SIZE(own.rest); i++)
		own.rest[i] = input_take(input, 1) << input_below(input, 57);
	request = _IOC(input_below(input, 4), SVMRUN_TYPE, number,
		       input_take(input, 1));
	call(worker, fd, request,
	     arguments[input_below(input, ARRAY_SIZE(arguments))]);
}

static void step_info(struct worker *worker, struct input *input)
{
	struct svmrun_vm_info info = { .size = sizeof(info) };

	call(worker, *any_fd(worker->world, input, VM), SVMRUN_VM_INFO, &info);
}

static void step_fork(struct worker *worker, struct input *input)
{
	int fd = *any_fd(worker->world, input, VCPU);

	/*
	 * The child shares this thread's memory, so it must only make system calls.
	 */
	if (input_below(input, 8) || vfork())
		return;
	ioctl(fd, SVMRUN_RUN, NULL);
	_exit(0);
}

static void *worker_main(void *argument)
{
	static void (*const steps[])(struct worker *, struct input *) = {
		step_create, step_create, step_show,  step_write,  step_map,
		step_map,    step_unmap,  step_run,   step_run,	   step_protect,
		step_dirty,  step_memory, step_any,   step_memory, step_info,
		step_fork,   step_run,	  step_write,
	};
	struct worker *worker = argument;
	struct input input = { worker->script.bytes, SCRIPT };

	coverage_begin(&worker->coverage);
	while (input.left)
		steps[input_below(&input, ARRAY_SIZE(steps))](worker, &input);
	coverage_end(&worker->coverage);
	return NULL;
}

/* Kicks also end guests that do not halt. */
static void *kicker_main(void *argument)
{
	struct world *world = argument;

	while (!world->over) {
		for (unsigned int i = 0; i < FDS; i++)
			ioctl(world->fd[VCPU][i], SVMRUN_KICK, NULL);
		usleep(KICK_PERIOD);
	}
	return NULL;
}

/* ---- rounds -------------------------------------------------------------- */

/* Fill a page of the arena with the code "1: incl address; hlt; jmp 1b". */
static void fill_code(uint8_t *page, uint32_t address)
{
	static const uint8_t code[] = {
		0xff, 0x05, 0, 0, 0, 0, 0xf4, 0xeb, 0xf7
	};

	memcpy(page, code, sizeof(code));
	memcpy(page + 2, &address, sizeof(address));
}

/* Create a VM with memory and a vCPU, so that scripts can begin with any step. */
static void world_create(struct world *world)
{
	struct svmrun_create_vm argument = { .size = sizeof(argument) };
	struct svmrun_map map = {
		.size = sizeof(map),
		.flags = SVMRUN_MAP_READ | SVMRUN_MAP_WRITE | SVMRUN_MAP_EXEC,
		.length = ARENA / 2 * PAGE,
	};

	memset(world->fd, -1, sizeof(world->fd));
	for (unsigned int i = 0; i < FDS; i++)
		world->pages[i] = MAP_FAILED;
	world->arena = mmap(NULL, ARENA * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (unsigned int i = 0; i < ARENA; i++)
		fill_code(world->arena + i * PAGE, i * 7 % ARENA * PAGE + 2048);
	world->fd[DEVICE][0] = svmrun_device_open(NULL);
	svmrun_device_info(world->fd[DEVICE][0], &world->info,
			   sizeof(world->info));
	world->fd[VM][0] = ioctl(world->fd[DEVICE][0], SVMRUN_CREATE_VM,
				 &argument);
	map.hva = (uintptr_t)world->arena;
	ioctl(world->fd[VM][0], SVMRUN_MAP, &map);
	world->fd[VCPU][0] = ioctl(world->fd[VM][0], SVMRUN_CREATE_VCPU,
				   &argument);
	world->pages[0] = mmap(NULL, world->info.out_vcpu_size,
			       PROT_READ | PROT_WRITE, MAP_SHARED,
			       world->fd[VCPU][0], 0);
	if (world->pages[0] == MAP_FAILED)
		ksft_exit_fail_msg("cannot map a vCPU: %s\n", strerror(errno));
	set_up_vcpu(world, world->pages[0], 0);
	world->over = false;
}

static void world_destroy(struct world *world)
{
	for (unsigned int kind = 0; kind < KINDS; kind++)
		for (unsigned int i = 0; i < FDS; i++)
			if (world->fd[kind][i] >= 0)
				close(world->fd[kind][i]);
	for (unsigned int i = 0; i < FDS; i++)
		if (world->pages[i] != MAP_FAILED)
			munmap(world->pages[i], world->info.out_vcpu_size);
	munmap(world->arena, ARENA * PAGE);
}

/* Choose a new script, or a kept one with a few bytes changed. */
static void choose(struct fuzzer *fuzzer, struct script *script)
{
	unsigned int changes = 1 + xorshift(&fuzzer->seed) % 8;

	if (!fuzzer->kept || !(xorshift(&fuzzer->seed) % 8)) {
		for (size_t i = 0; i < SCRIPT; i++)
			script->bytes[i] = xorshift(&fuzzer->seed);
		return;
	}
	*script = fuzzer->corpus[xorshift(&fuzzer->seed) % fuzzer->kept];
	while (changes--) {
		uint8_t *byte = script->bytes +
				xorshift(&fuzzer->seed) % SCRIPT;

		*byte = xorshift(&fuzzer->seed);
	}
}

static void keep(struct fuzzer *fuzzer, const struct script *script)
{
	unsigned int at = fuzzer->kept;

	if (at < CORPUS)
		fuzzer->kept++;
	else
		at = xorshift(&fuzzer->seed) % CORPUS;
	fuzzer->corpus[at] = *script;
}

static void play(struct fuzzer *fuzzer)
{
	pthread_t kicker;

	world_create(&fuzzer->world);
	pthread_create(&kicker, NULL, kicker_main, &fuzzer->world);
	for (unsigned int i = 0; i < THREADS; i++) {
		struct worker *worker = &fuzzer->worker[i];

		choose(fuzzer, &worker->script);
		pthread_create(&worker->thread, NULL, worker_main, worker);
	}
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(fuzzer->worker[i].thread, NULL);
	fuzzer->world.over = true;
	pthread_join(kicker, NULL);
	world_destroy(&fuzzer->world);
	for (unsigned int i = 0; i < THREADS; i++)
		if (coverage_add(&fuzzer->covered, &fuzzer->worker[i].coverage))
			keep(fuzzer, &fuzzer->worker[i].script);
	fuzzer->rounds++;
}

struct sums {
	unsigned long calls, successes, runs;
};

static struct sums sums(const struct fuzzer *fuzzer)
{
	struct sums sums = {};

	for (unsigned int i = 0; i < THREADS; i++) {
		sums.calls += fuzzer->worker[i].calls;
		sums.successes += fuzzer->worker[i].successes;
		sums.runs += fuzzer->worker[i].runs;
	}
	return sums;
}

static void print_progress(struct fuzzer *fuzzer, const char *what)
{
	struct sums now = sums(fuzzer);

	fuzzer->printed = time(NULL);
	ksft_print_msg("%s: %lu scripts, %lu calls, %lu succeeded, %lu runs, %lu edges, %lu s\n",
		       what, THREADS * fuzzer->rounds, now.calls, now.successes,
		       now.runs, fuzzer->covered.edges,
		       (unsigned long)(fuzzer->printed - fuzzer->begun));
}

static void fuzz(struct fuzzer *fuzzer)
{
	for (unsigned int i = 0; i < THREADS; i++) {
		fuzzer->worker[i].world = &fuzzer->world;
		coverage_open(&fuzzer->worker[i].coverage);
	}
	fuzzer->begun = time(NULL);
	fuzzer->printed = fuzzer->begun;
	while (time(NULL) - fuzzer->begun < (time_t)fuzzer->seconds) {
		play(fuzzer);
		if (time(NULL) - fuzzer->printed >= PROGRESS)
			print_progress(fuzzer, "so far");
	}
	print_progress(fuzzer, "total");
}

/* ---- main ---------------------------------------------------------------- */

static void usage(void)
{
	fputs("Usage: calls [OPTION]...\n"
	      "\n"
	      "  --seconds N  duration (default 20)\n"
	      "  --seed N     seed of the scripts (default 1)\n",
	      stderr);
	exit(2);
}

static void parse(struct fuzzer *fuzzer, int argc, char **argv)
{
	static const struct option options[] = {
		{ "seconds", required_argument, NULL, 't' },
		{ "seed", required_argument, NULL, 's' },
		{},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (option) {
		case 't':
			fuzzer->seconds = strtoul(optarg, NULL, 0);
			break;
		case 's':
			fuzzer->seed = xorshift_seed(strtoul(optarg, NULL, 0));
			break;
		default:
			usage();
		}
	if (optind < argc)
		usage();
}

int main(int argc, char **argv)
{
	static struct fuzzer fuzzer = { .seconds = 20, .seed = 1 };
	struct sums end;

	setvbuf(stdout, NULL, _IOLBF, 0);
	parse(&fuzzer, argc, argv);
	ksft_print_header();
	ksft_set_plan(3);
	fuzz(&fuzzer);
	end = sums(&fuzzer);
	/* The test is meaningless if hardly anything succeeds. */
	ksft_test_result(end.successes > end.calls / 8, "calls succeed\n");
	ksft_test_result(end.runs > fuzzer.rounds / 8, "guests run\n");
	if (fuzzer.worker[0].coverage.fd < 0)
		ksft_test_result_skip("the kernel has no KCOV\n");
	else
		ksft_test_result(fuzzer.kept > 10, "coverage guides\n");
	ksft_finished();
}
