// SPDX-License-Identifier: GPL-2.0
/*
 * Guests that spin with interrupts off, one on each CPU, do not delay the host:
 * timers, grace periods and NMIs work, and CPU time is accounted correctly. The
 * environment variable SVMRUN_SPIN sets the number of seconds to spin, at most 100;
 * the kernel's watchdogs report a stall after about twenty.
 */
#include <linux/membarrier.h>
#include <time.h>

#include "child.h"
#include "kcore.h"
#include "module.h"

#define SPIN "SVMRUN_SPIN"
#define SPIN_SECONDS 2
#define ROUNDS 10

/* Limit for what takes either a few ticks or forever */
#define BOUND_MS 20000

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static int64_t now_ms(void)
{
	return now_ns() / 1000000;
}

static int cpu_count(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN);
}

static void child_end(struct child *child)
{
	kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, 0);
}

/* Processes to compare guests with: one endless loop on each CPU */
static void programs_start(pid_t *programs)
{
	for (int cpu = 0; cpu < cpu_count(); cpu++) {
		programs[cpu] = fork();
		if (!programs[cpu] && !cpu_pin(cpu))
			for (;;)
				;
	}
}

static void programs_end(const pid_t *programs)
{
	for (int cpu = 0; cpu < cpu_count(); cpu++) {
		kill(programs[cpu], SIGKILL);
		waitpid(programs[cpu], NULL, 0);
	}
}

FIXTURE(spin)
{
	struct child child;
};

FIXTURE_SETUP(spin)
{
	if (cpu_count() > CHILD_MAX_VCPUS)
		SKIP_SETUP("more than %d CPUs", CHILD_MAX_VCPUS);
	ASSERT_EQ(0, child_start(&self->child, cpu_count()));
}

FIXTURE_TEARDOWN(spin)
{
	child_wait_counting(&self->child);
	child_end(&self->child);
	expect_released(_metadata, self->child.users);
}

/* ---- grace periods ------------------------------------------------------- */

static int wait_grace_period(void)
{
	return syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) ? -errno :
								      0;
}

TEST_F(spin, grace_periods_end)
{
	int64_t begin = now_ms();
	int err = 0;

	for (int i = 0; !err && i < ROUNDS; i++)
		err = wait_grace_period();
	if (err == -EINVAL)
		SKIP(return, "no membarrier() with nohz_full");
	EXPECT_EQ(0, err);
	EXPECT_GT(BOUND_MS, now_ms() - begin);
}

/* Loading and unloading a module both wait for every CPU. */
TEST_F(spin, modules_come_and_go)
{
	int64_t begin;

	if (hoststate_load())
		SKIP(return, "%s cannot be loaded", HOSTSTATE_MODULE);
	begin = now_ms();
	for (int i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, any_module_remove("hoststate"));
		ASSERT_EQ(0, hoststate_load());
	}
	EXPECT_GT(BOUND_MS, now_ms() - begin);
}

/* ---- long runs ----------------------------------------------------------- */

static int spin_seconds(void)
{
	const char *seconds = getenv(SPIN);

	return seconds ? atoi(seconds) : SPIN_SECONDS;
}

TEST_F_TIMEOUT(spin, goes_on, 110)
{
	int64_t end = now_ms() + spin_seconds() * 1000ll;

	while (now_ms() < end) {
		child_wait_counting(&self->child);
		sleep(1);
	}
}

/* ---- timers -------------------------------------------------------------- */

#define TIMERS 500
#define TIMERS_MS 6000 /* stop after this time, with fewer timers */

/* How much later a timer may expire than beside a program */
#define LATER_US 20000

static int compare(const void *a, const void *b)
{
	int64_t first = *(const int64_t *)a, second = *(const int64_t *)b;

	return first < second ? -1 : first > second;
}

static int64_t sleep_1ms(void)
{
	int64_t due = now_ns() + 1000000;
	struct timespec at = {
		.tv_sec = due / 1000000000,
		.tv_nsec = due % 1000000000,
	};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
	return now_ns() - due;
}

/* Return how late 1 ms timers expire, in microseconds (90th percentile). */
static int64_t measure_late(void)
{
	int64_t late[TIMERS], end = now_ms() + TIMERS_MS;
	int count = 0;

	while (count < TIMERS && now_ms() < end)
		late[count++] = sleep_1ms() / 1000;
	qsort(late, count, sizeof(*late), compare);
	return late[count * 9 / 10];
}

TEST(timers_are_no_later_than_beside_a_program)
{
	const struct sched_param highest = { .sched_priority = 50 };
	int last = cpu_count() - 1;
	int64_t beside_program, beside_guest;
	struct child child;
	pid_t programs[CHILD_MAX_VCPUS];

	ASSERT_GE(CHILD_MAX_VCPUS, cpu_count());
	ASSERT_EQ(0, cpu_pin(last));
	programs_start(programs);
	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &highest))
		TH_LOG("no permission for real-time priority");
	beside_program = measure_late();
	programs_end(programs);
	ASSERT_EQ(0, child_start(&child, last + 1));
	beside_guest = measure_late();
	child_end(&child);
	TH_LOG("latency in us: %lld beside a program, %lld beside a guest",
	       (long long)beside_program, (long long)beside_guest);
	EXPECT_GT(2 * beside_program + LATER_US, beside_guest);
}

/* ---- a guest of the test, on the last CPU -------------------------------- */

FIXTURE(other_cpu)
{
	struct machine m;
	struct runner runner;
	int cpu;
};

FIXTURE_SETUP(other_cpu)
{
	self->cpu = cpu_count() - 1;
	if (!self->cpu)
		SKIP_SETUP("only one CPU");
	ASSERT_EQ(0, machine_create(&self->m));
	MACHINE_LOAD(&self->m, MODE_LONG, child_guest);
	self->m.vcpu.regs->rbx = MACHINE_DATA;
	ASSERT_EQ(0, cpu_pin(self->cpu));
	ASSERT_EQ(0, runner_start(&self->runner, &self->m.vcpu));
	ASSERT_EQ(0, cpu_pin(0));
	wait_counting(machine_counter(&self->m));
}

FIXTURE_TEARDOWN(other_cpu)
{
	wait_counting(machine_counter(&self->m));
	EXPECT_EQ(0, runner_kick(&self->runner));
	EXPECT_EQ(-EINTR, runner_join(&self->runner));
	machine_destroy(&self->m);
}

/* SysRq-l prints a backtrace of each CPU, by an NMI to the others. */
TEST_F(other_cpu, nmi_is_the_hosts)
{
	const volatile __u64 *nmis = &self->m.vcpu.regs->out_exits_nmi;
	uint64_t before = *nmis;

	for (int i = 0; i < ROUNDS; i++) {
		if (file_write("/proc/sysrq-trigger", "l"))
			SKIP(return, "SysRq is not available");
		usleep(20 * 1000);
		wait_counting(machine_counter(&self->m));
	}
	EXPECT_LT(before, *nmis);
}

/* Fields of a CPU's line in /proc/stat */
enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, GUEST, TIMES };

static int times_read(int cpu, long *times)
{
	FILE *stat = fopen("/proc/stat", "re");
	char line[256], name[16];
	int found = 0;

	snprintf(name, sizeof(name), "cpu%d ", cpu);
	while (stat && fgets(line, sizeof(line), stat))
		if (!strncmp(line, name, strlen(name)))
			found = sscanf(line + strlen(name),
				       "%ld%ld%ld%ld%ld%ld%ld%ld%ld", &times[0],
				       &times[1], &times[2], &times[3],
				       &times[4], &times[5], &times[6],
				       &times[7], &times[8]);
	if (stat)
		fclose(stat);
	return found == TIMES ? 0 : -EPROTO;
}

/* Most of the time is accounted to the guest, and thus to the program. */
TEST_F(other_cpu, time_is_the_guests)
{
	long before[TIMES], after[TIMES], guest, all = 0;

	ASSERT_EQ(0, times_read(self->cpu, before));
	sleep(2);
	ASSERT_EQ(0, times_read(self->cpu, after));
	for (int i = USER; i <= STEAL; i++)
		all += after[i] - before[i];
	guest = after[GUEST] - before[GUEST];
	TH_LOG("%ld of %ld ticks are accounted to the guest", guest, all);
	EXPECT_LT(all / 2, guest);
	EXPECT_LE(guest, after[USER] - before[USER] + 1); /* rounded */
}

/* ---- a CPU without a tick ------------------------------------------------ */

/* Return the number of timer interrupts on a CPU. */
static long ticks_read(int cpu)
{
	FILE *interrupts = fopen("/proc/interrupts", "re");
	char line[1024], *at;
	long ticks = -1;

	while (interrupts && fgets(line, sizeof(line), interrupts)) {
		at = strstr(line, "LOC:");
		for (int i = 0; at && i <= cpu; i++)
			ticks = strtol(i ? at : at + 4, &at, 10);
	}
	if (interrupts)
		fclose(interrupts);
	return ticks;
}

static long ticks_in_a_second(int cpu)
{
	long before = ticks_read(cpu);

	sleep(1);
	return ticks_read(cpu) - before;
}

/* Ticks that may occur even on a CPU without a periodic tick */
#define FEW_TICKS 25

static bool tick_stops_for_program(int cpu)
{
	pid_t programs[CHILD_MAX_VCPUS];
	long ticks;

	programs_start(programs);
	sleep(1);
	ticks = ticks_in_a_second(cpu);
	programs_end(programs);
	return ticks < FEW_TICKS;
}

TEST(tick_stops_for_a_guest)
{
	int cpu = cpu_count() - 1;
	struct child child;

	if (!cpu || !tick_stops_for_program(cpu))
		SKIP(return, "the tick only stops with nohz_full=%d", cpu);
	ASSERT_EQ(0, cpu_pin(0));
	ASSERT_EQ(0, child_start(&child, cpu + 1));
	sleep(1);
	EXPECT_GT(FEW_TICKS, ticks_in_a_second(cpu));
	wait_counting(&child.counters[cpu]);
	child_end(&child);
}

/* ---- the interrupt window ------------------------------------------------ */

#define SECTIONS "/sys/module/svmrun/sections"
#define OPCODE_STI 0xfb
#define OPCODE_CLI 0xfa
#define NEAR 0x100000

struct range {
	uint64_t first, end;
};

/* The kernel, and addresses NEAR the module's code */
static bool is_in_kernel(const struct range *code, uint64_t address)
{
	static struct range kernel;

	if (!kernel.first)
		kernel = (struct range){ kernel_symbol("_text"),
					 kernel_symbol("_end") };
	return (address >= kernel.first && address < kernel.end) ||
	       (address >= code->first - NEAR && address < code->end + NEAR);
}

/*
 * Return whether one of two bytes belongs to an operand: an address or a
 * displacement.
 */
static bool is_operand(const struct range *code, const uint8_t *bytes,
		       uint64_t offset)
{
	for (uint64_t at = offset < 3 ? 0 : offset - 3; at <= offset + 1;
	     at++) {
		int32_t value;

		memcpy(&value, bytes + at, sizeof(value));
		if (is_in_kernel(code, (int64_t)value) ||
		    is_in_kernel(code, code->first + at + 4 + value))
			return true;
	}
	return false;
}

/*
 * A CLI in the interrupt shadow of STI leaves no window for interrupts (APM volume
 * 3, STI).
 */
TEST(no_cli_right_after_sti)
{
	struct range code;
	uint8_t *bytes;
	size_t size;

	if (!module_code(SECTIONS, &code.first, &code.end))
		SKIP(return, "%s cannot be read", SECTIONS);
	size = code.end - code.first;
	bytes = malloc(size);
	ASSERT_NE(NULL, bytes);
	ASSERT_EQ(0, kernel_read(code.first, bytes, size));
	for (uint64_t i = 0; i + 5 <= size; i++) {
		if (bytes[i] != OPCODE_STI || bytes[i + 1] != OPCODE_CLI ||
		    is_operand(&code, bytes, i))
			continue;
		TH_LOG("STI, CLI at %#lx", code.first + i);
		EXPECT_TRUE(false);
	}
	free(bytes);
}

TEST_HARNESS_MAIN
