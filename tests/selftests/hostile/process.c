// SPDX-License-Identifier: GPL-2.0
/*
 * Processes whose guests never end can be traced, frozen and killed like any other:
 * alone, with their cgroup, or by the OOM killer. All their resources are released.
 */
#include <sys/ptrace.h>

#include "cgroup.h"
#include "child.h"
#include "pages.h"

#define VCPUS 8
#define ROUNDS 5

FIXTURE(process)
{
	struct child child;
};

FIXTURE_SETUP(process)
{
	ASSERT_EQ(0, child_start(&self->child, VCPUS));
}

static void expect_killed(struct __test_metadata *_metadata, pid_t pid)
{
	int status;

	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

FIXTURE_TEARDOWN(process)
{
	kill(self->child.pid, SIGKILL);
	expect_killed(_metadata, self->child.pid);
	expect_released(_metadata, self->child.users);
}

TEST_F(process, is_killed)
{
	EXPECT_EQ(0, kill(self->child.pid, SIGKILL));
}

/* ---- traced -------------------------------------------------------------- */

/* Only the main thread is traced; the other guests continue. */
TEST_F(process, is_attached_and_detached)
{
	volatile uint64_t *counters = self->child.counters;
	pid_t pid = self->child.pid;
	uint64_t before;
	int status;

	for (int i = 0; i < ROUNDS; i++) {
		if (ptrace(PTRACE_ATTACH, pid, 0, 0))
			SKIP(return, "no permission to trace a child");
		ASSERT_EQ(pid, waitpid(pid, &status, __WALL));
		ASSERT_TRUE(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
		before = counters[0];
		for (int other = 1; other < VCPUS; other++)
			wait_counting(&counters[other]);
		EXPECT_EQ(before, counters[0]);
		ASSERT_EQ(0, ptrace(PTRACE_DETACH, pid, 0, 0));
		child_wait_counting(&self->child);
	}
}

/* ---- in a cgroup --------------------------------------------------------- */

FIXTURE(grouped)
{
	struct child child;
};

FIXTURE_SETUP(grouped)
{
	char pid[32];
	int err = group_create();

	if (err)
		SKIP_SETUP("cannot create a cgroup: %s", strerror(-err));
	ASSERT_EQ(0, child_start(&self->child, VCPUS));
	snprintf(pid, sizeof(pid), "%d", self->child.pid);
	ASSERT_EQ(0, file_write(GROUP "/cgroup.procs", pid));
}

FIXTURE_TEARDOWN(grouped)
{
	kill(self->child.pid, SIGKILL);
	expect_killed(_metadata, self->child.pid);
	file_write(GROUP "/cgroup.freeze", "0");
	expect_released(_metadata, self->child.users);
}

static void freeze_group(struct __test_metadata *_metadata)
{
	ASSERT_EQ(0, file_write(GROUP "/cgroup.freeze", "1"));
	for (int i = 0;
	     i < 500 && file_field(GROUP "/cgroup.events", "frozen ") != 1; i++)
		usleep(10 * 1000);
	ASSERT_EQ(1, file_field(GROUP "/cgroup.events", "frozen "));
}

TEST_F(grouped, is_frozen_and_thawed)
{
	for (int i = 0; i < ROUNDS; i++) {
		freeze_group(_metadata);
		EXPECT_FALSE(child_counts(&self->child));
		ASSERT_EQ(0, file_write(GROUP "/cgroup.freeze", "0"));
		child_wait_counting(&self->child);
	}
}

TEST_F(grouped, is_killed_while_it_is_frozen)
{
	freeze_group(_metadata);
	EXPECT_EQ(0, kill(self->child.pid, SIGKILL));
}

TEST_F(grouped, is_killed_with_its_cgroup)
{
	EXPECT_EQ(0, file_write(GROUP "/cgroup.kill", "1"));
}

/* ---- out of memory ------------------------------------------------------- */

#define FIRST GIB_1
#define LENGTH (3 * GIB_1)
#define LIMIT "8388608"

/* Access the range from RBX to RCX in steps of RSI, repeatedly. */
GUEST(sweep_over, 64,
      "2: mov %rbx, %rdi\n"
      "1: xor %eax, %eax\n cmp $4096, %rsi\n jne 3f\n movb $1, (%rdi)\n"
      "3: mov (%rdi), %al\n add %rsi, %rdi\n cmp %rcx, %rdi\n jb 1b\n jmp 2b");

FIXTURE(oom)
{
	long users;
};

FIXTURE_VARIANT(oom)
{
	uint64_t step; /* PAGE: write; otherwise read memory that is not present */
};

/* clang-format off */
FIXTURE_VARIANT_ADD(oom, for_guest_memory) { .step = PAGE };
FIXTURE_VARIANT_ADD(oom, for_page_tables) { .step = MIB_2 };
/* clang-format on */

FIXTURE_SETUP(oom)
{
	int err = group_create();

	if (!err)
		err = file_write(GROUP "/memory.max", LIMIT);
	if (err)
		SKIP_SETUP("cannot create a memory cgroup: %s", strerror(-err));
	/* The file does not exist without swap support. */
	file_write(GROUP "/memory.swap.max", "0");
	self->users = module_users();
}

FIXTURE_TEARDOWN(oom)
{
	EXPECT_EQ(0, file_write(GROUP "/memory.max", "max"));
	expect_released(_metadata, self->users);
}

static void begin_sweep(struct svmrun_vcpu *vcpu, uint64_t first, uint64_t step)
{
	vcpu->regs->rbx = first;
	vcpu->regs->rcx = first + LENGTH / 2;
	vcpu->regs->rsi = step;
}

/* Two guests, each with half of the memory */
static void sweep_in_group(uint64_t step)
{
	void *memory = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct svmrun_vcpu other;
	struct runner runner;
	struct machine m;

	if (group_enter() || memory == MAP_FAILED ||
	    madvise(memory, LENGTH, MADV_NOHUGEPAGE) || machine_create(&m) ||
	    machine_map(&m, FIRST, memory, LENGTH, MAP_ALL) ||
	    svmrun_vcpu_create(&other, &m.vm) ||
	    vcpu_begin(&m, &other, MODE_LONG) ||
	    MACHINE_LOAD(&m, MODE_LONG, sweep_over))
		_exit(1);
	begin_sweep(&m.vcpu, FIRST, step);
	begin_sweep(&other, FIRST + LENGTH / 2, step);
	if (!runner_start(&runner, &other))
		machine_run(&m);
	pause();
}

TEST_F(oom, takes_the_process)
{
	long killed = file_field(GROUP "/memory.events", "oom_kill ");
	pid_t child = fork();

	if (!child)
		sweep_in_group(variant->step);
	expect_killed(_metadata, child);
	EXPECT_EQ(killed + 1, file_field(GROUP "/memory.events", "oom_kill "));
}

TEST_HARNESS_MAIN
