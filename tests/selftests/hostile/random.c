// SPDX-License-Identifier: GPL-2.0
/*
 * Random calls, arguments, memory, VMCBs and guests. Each call must return, and the
 * kernel log must be clean afterwards. The environment variable SVMRUN_SEED
 * determines the sequence.
 */
#include <stdlib.h>
#include <sys/time.h>

#include "machine.h"

#define ROUNDS rounds(20000)
#define FDS 8
#define ARENA (64 * PAGE)

#define CR4_PAE (1ull << 5)
#define EFER_LME (1ull << 8)

enum { DEVICE, VM, VCPU, KINDS };

struct pool {
	int fd[KINDS][FDS];
	struct svmrun_vcpu vcpu[FDS];
	struct svmrun_info info;
	uint8_t *arena;
	unsigned int seed;
	unsigned long good, runs;
};

static unsigned int below(struct pool *pool, unsigned int limit)
{
	return rand_r(&pool->seed) % limit;
}

/* A number with typical mistakes: near limits, or with stray bits */
static uint64_t number(struct pool *pool)
{
	uint64_t value = 1ull << below(pool, 64);

	switch (below(pool, 4)) {
	case 0:
		return below(pool, 64) * PAGE;
	case 1:
		return value - 1;
	case 2:
		return -value;
	default:
		return value + below(pool, 3) * PAGE;
	}
}

static uint64_t arena_address(struct pool *pool)
{
	return (uintptr_t)pool->arena + below(pool, ARENA / PAGE) * PAGE;
}

static int open_one(struct pool *pool, int kind)
{
	if (kind == DEVICE)
		return device_open();
	if (kind == VM)
		return vm_create(pool->fd[DEVICE][below(pool, FDS)]);
	return vcpu_create(pool->fd[VM][below(pool, FDS)]);
}

/* The pages sometimes stay mapped after the vCPU's descriptor is closed. */
static void vcpu_unmap(struct pool *pool, struct svmrun_vcpu *vcpu)
{
	if (vcpu->vmcb)
		munmap(vcpu->vmcb, pool->info.out_vcpu_size);
	vcpu->vmcb = NULL;
}

static void vcpu_map(struct pool *pool, struct svmrun_vcpu *vcpu, int fd)
{
	uint8_t *pages = mmap(NULL, pool->info.out_vcpu_size,
			      PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (pages == MAP_FAILED)
		return;
	vcpu->fd = fd;
	vcpu->vmcb = (void *)pages;
	vcpu->regs = (void *)(pages + SVMRUN_VCPU_REGISTERS);
	vcpu->msrpm = pages + SVMRUN_VCPU_MSRPM;
	vcpu->xsave = pages + SVMRUN_VCPU_XSAVE;
	vcpu->size = pool->info.out_vcpu_size;
	vcpu->xsave_size = pool->info.out_xsave_size;
}

static void replace(struct pool *pool)
{
	int kind = below(pool, KINDS), i = below(pool, FDS);

	if (kind == DEVICE && i == 0)
		return;
	close(pool->fd[kind][i]);
	if (kind == VCPU)
		vcpu_unmap(pool, &pool->vcpu[i]);
	pool->fd[kind][i] = open_one(pool, kind);
	if (kind == VCPU && pool->fd[kind][i] >= 0)
		vcpu_map(pool, &pool->vcpu[i], pool->fd[kind][i]);
}

static void call_any(struct pool *pool)
{
	static const unsigned long requests[] = {
		SVMRUN_INFO,	SVMRUN_CREATE_VM,   SVMRUN_MAP,
		SVMRUN_UNMAP,	SVMRUN_CREATE_VCPU, SVMRUN_KICK,
		SVMRUN_PROTECT, SVMRUN_VM_INFO,
	};
	unsigned long request = requests[below(pool, ARRAY_SIZE(requests))];
	uint64_t argument[16];
	uint32_t *head = (uint32_t *)argument;
	int fd, result;

	for (int i = 0; i < 16; i++)
		argument[i] = below(pool, 3) ? number(pool) : 0;
	head[0] = below(pool, 4) ? _IOC_SIZE(request) : number(pool);
	head[1] = below(pool, 4) ? 0 : number(pool);
	if (!below(pool, 16))
		request ^= 1ul << below(pool, 32);
	fd = pool->fd[below(pool, KINDS)][below(pool, FDS)];
	result = call(fd, request, below(pool, 16) ? argument : NULL);
	if (result > 2) /* an unused file descriptor */
		close(result);
	pool->good += result >= 0;
}

static void map_some(struct pool *pool)
{
	struct svmrun_map map = {
		.size = sizeof(map),
		.flags = SVMRUN_MAP_READ | below(pool, 16),
		.gpa = below(pool, 32) * PAGE,
		.hva = arena_address(pool),
		.length = (1 + below(pool, 16)) * PAGE,
	};
	int fd = pool->fd[VM][below(pool, FDS)];

	pool->good += !call(fd, SVMRUN_MAP, &map);
}

static void change_some(struct pool *pool)
{
	uint64_t gpa = below(pool, 32) * PAGE;
	uint64_t length = (1 + below(pool, 16)) * PAGE;
	struct svmrun_unmap unmap = {
		.size = sizeof(unmap),
		.gpa = gpa,
		.length = length,
	};
	struct svmrun_protect protect = {
		.size = sizeof(protect),
		.flags = SVMRUN_MAP_READ | below(pool, 8),
		.gpa = gpa,
		.length = length,
	};
	struct svmrun_dirty dirty = {
		.size = sizeof(dirty),
		.flags = below(pool, 2),
		.gpa = gpa,
		.length = length,
		.bitmap = arena_address(pool),
	};
	int fd = pool->fd[VM][below(pool, FDS)];

	pool->good += !call(fd, SVMRUN_PROTECT, &protect);
	pool->good += !call(fd, SVMRUN_DIRTY, &dirty);
	if (!below(pool, 2))
		pool->good += !call(fd, SVMRUN_UNMAP, &unmap);
}

static void change_memory(struct pool *pool)
{
	static const int advice[] = { MADV_DONTNEED, MADV_FREE, MADV_PAGEOUT };
	void *at = (void *)arena_address(pool);

	switch (below(pool, 4)) {
	case 0:
		madvise(at, PAGE, advice[below(pool, 3)]);
		break;
	case 1:
		mprotect(at, PAGE, below(pool, 4));
		break;
	case 2: /* PROT_NONE instead of a hole, which another mapping could fill */
		mmap(at, PAGE, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		break;
	default:
		mmap(at, PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		for (int i = 0; i < 64; i++)
			((uint8_t *)at)[below(pool, PAGE)] = below(pool, 256);
	}
}

static void scribble(struct pool *pool, void *page, unsigned int size)
{
	for (unsigned int n = below(pool, 4); n; n--)
		((uint8_t *)page)[below(pool, size)] = number(pool);
}

/*
 * QEMU 7.2 does not return from a guest with EFER.LME set and CR4.PAE and CR0.PG
 * clear, which is legal; the host would be left without paging.
 */
static void spare_emulator(struct svm_vmcb_save *save)
{
	if (!(save->cr4 & CR4_PAE))
		save->efer &= ~EFER_LME;
}

static void run_one(struct pool *pool)
{
	struct svmrun_vcpu *vcpu = &pool->vcpu[below(pool, FDS)];

	if (!vcpu->vmcb)
		return;
	if (below(pool, 4))
		svmrun_mode_real(vcpu, 0, below(pool, 0x10000));
	scribble(pool, vcpu->vmcb, 0x100);
	scribble(pool, &vcpu->vmcb->save, sizeof(vcpu->vmcb->save));
	spare_emulator(&vcpu->vmcb->save);
	if (!below(pool, 8))
		scribble(pool, vcpu->xsave, vcpu->xsave_size);
	if (!below(pool, 8))
		scribble(pool, vcpu->regs, sizeof(*vcpu->regs));
	pool->runs += !call(vcpu->fd, SVMRUN_RUN, NULL);
}

static void on_alarm(int number)
{
}

/* Send signals, which end guests that would run forever; 0 stops that. */
static void set_alarm(suseconds_t every)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval often = { { 0, every }, { 0, every } };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

static int pool_open(struct pool *pool)
{
	const char *seed = getenv("SVMRUN_SEED");

	memset(pool, 0, sizeof(*pool));
	memset(pool->fd, 0xff, sizeof(pool->fd));
	pool->seed = seed ? strtoul(seed, NULL, 0) : 1;
	pool->arena = mmap(NULL, ARENA, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pool->arena == MAP_FAILED)
		return -errno;
	for (int i = 0; i < FDS; i++)
		pool->fd[DEVICE][i] = device_open();
	return svmrun_device_info(pool->fd[DEVICE][0], &pool->info,
				  sizeof(pool->info));
}

FIXTURE(random)
{
	struct pool pool;
};

FIXTURE_SETUP(random)
{
	ASSERT_EQ(0, pool_open(&self->pool));
	set_alarm(2000);
}

FIXTURE_TEARDOWN(random)
{
}

TEST_F_TIMEOUT(random, calls, 240)
{
	static void (*const steps[])(struct pool *) = {
		replace,     call_any, map_some, map_some, change_memory,
		change_some, run_one,  run_one,	 run_one,
	};

	for (int i = 0; i < ROUNDS; i++)
		steps[below(&self->pool, ARRAY_SIZE(steps))](&self->pool);
	/* A signal could truncate the output. */
	set_alarm(0);
	TH_LOG("%lu calls and %lu runs succeeded", self->pool.good,
	       self->pool.runs);
	/* The test is meaningless if hardly any call succeeds. */
	EXPECT_LT(ROUNDS / 40, self->pool.good);
	EXPECT_LT(ROUNDS / 20, self->pool.runs);
}

TEST_HARNESS_MAIN
