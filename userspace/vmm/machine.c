// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#include "common/clock.h"
#include "common/status.h"
#include "common/stop.h"
#include "machine.h"
#include "top.h"

static void notify_end(void *owner)
{
	struct machine *machine = owner;
	unsigned int i;

	for (i = 0; i < machine->cpu_count; i++)
		cpu_wake(&machine->cpus[i]);
	console_notify(&machine->console);
	debug_notify(machine);
}

/* ---- what the devices ask for -------------------------------------------- */

static void wake(void *owner, unsigned int id)
{
	struct machine *machine = owner;

	if (id < machine->cpu_count)
		cpu_wake(&machine->cpus[id]);
}

static void send(void *owner, uint8_t byte)
{
	console_send(owner, byte);
}

/* Firmware's debug port is part of what it says on the console. */
static void end(void *owner, enum svmrun_pc_end why, uint32_t value)
{
	static const char *const kinds[] = {
		[SVMRUN_PC_OFF] = "off",
		[SVMRUN_PC_RESET] = "reset",
		[SVMRUN_PC_EXIT] = "port",
	};
	struct machine *machine = owner;
	int status = why == SVMRUN_PC_EXIT ? (2 * value + 1) & 255 :
					     STATUS_HALTED;

	outcome_end(&machine->outcome, 0, status, kinds[why], "%s", "");
}

static uint64_t tsc(void *owner, unsigned int id)
{
	const struct machine *machine = owner;

	return __rdtsc() + machine->cpus[id].vcpu.vmcb->control.tsc_offset;
}

static uint32_t tsc_khz(void *owner)
{
	return clock_tsc_khz();
}

void machine_init(struct machine *machine, const struct run_options *options)
{
	const struct svmrun_pc_owner owner = {
		.wake = wake,
		.send = send,
		.debug = send,
		.end = end,
		.tsc = tsc,
		.tsc_khz = tsc_khz,
		.owner = machine,
	};

	clock_begin();
	pthread_mutex_init(&machine->lock, NULL);
	machine->options = options;
	machine->outcome.notify = notify_end;
	machine->outcome.owner = machine;
	svmrun_pc_init(&machine->pc, options->cpus, &owner, time(NULL),
		       clock_now());
}

/* ---- disks --------------------------------------------------------------- */

int machine_open_disks(struct machine *machine,
		       const struct run_options *options)
{
	size_t i;
	int ret;

	for (i = 0; i < options->disk_count; i++) {
		ret = disk_open(&machine->disks[i], options->disks[i]);
		if (ret) {
			machine_close_disks(machine);
			return ret;
		}
		machine->disk_count++;
	}
	return 0;
}

_Static_assert(OPTIONS_DISKS <= SVMRUN_PC_VIRTIO_MAX, "no room for a disk");

/* What the guest cannot write to is no memory for a device either. */
void machine_attach_disks(struct machine *machine)
{
	size_t i;

	for (i = 0; i < machine->disk_count; i++) {
		struct disk *disk = &machine->disks[i];

		disk_init(disk, i, machine->memories,
			  machine->memory_count - machine->rom_count);
		svmrun_pc_attach(&machine->pc, &disk->block.virtio);
	}
}

void machine_close_disks(struct machine *machine)
{
	while (machine->disk_count)
		disk_close(&machine->disks[--machine->disk_count]);
}

/* ---- processors ---------------------------------------------------------- */

static void init_cpu(struct machine *machine, struct cpu *cpu)
{
	pthread_condattr_t attributes;

	cpu->machine = machine;
	cpu->id = cpu - machine->cpus;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&cpu->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	svmrun_mode_reset(&cpu->vcpu);
}

int machine_create_cpus(struct machine *machine)
{
	unsigned int i, count = machine->options->cpus;
	int ret;

	machine->cpus = calloc(count, sizeof(*machine->cpus));
	if (!machine->cpus)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		ret = svmrun_vcpu_create(&machine->cpus[i].vcpu, &machine->vm);
		if (ret) {
			machine_destroy_cpus(machine);
			return ret;
		}
		init_cpu(machine, &machine->cpus[i]);
		machine->cpu_count++;
	}
	return 0;
}

void machine_destroy_cpus(struct machine *machine)
{
	while (machine->cpu_count) {
		struct cpu *cpu = &machine->cpus[--machine->cpu_count];

		pthread_cond_destroy(&cpu->changed);
		svmrun_vcpu_destroy(&cpu->vcpu);
	}
	free(machine->cpus);
}

/* ---- a run --------------------------------------------------------------- */

static void end_stopped(struct machine *machine, int reason)
{
	__u64 rip = machine->cpus[0].vcpu.vmcb->save.rip;

	if (reason == SIGALRM)
		outcome_end(&machine->outcome, rip, STATUS_TIMEOUT, "timeout",
			    "time-out at RIP 0x%llx; --timeout allows more",
			    rip);
	else
		outcome_end(&machine->outcome, rip, STATUS_SIGNAL + reason,
			    "signal", "ended by signal %d (%s) at RIP 0x%llx",
			    reason, strsignal(reason), rip);
}

static void no_thread(struct machine *machine, int error)
{
	outcome_end(&machine->outcome, 0, STATUS_ENVIRONMENT, "environment",
		    "no thread for a processor: %s", strerror(error));
}

/* Gives how many there are. Signals are for the thread that waits here. */
static unsigned int start(struct machine *machine)
{
	sigset_t all, old;
	unsigned int i;
	int ret = 0;

	sigfillset(&all);
	sigdelset(&all, CPU_SIGNAL);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	for (i = 0; i < machine->cpu_count; i++) {
		ret = pthread_create(&machine->cpus[i].thread, NULL, cpu_thread,
				     &machine->cpus[i]);
		if (ret)
			break;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (ret)
		no_thread(machine, ret);
	return i;
}

void machine_sum_stats(const struct machine *machine, struct stats *stats,
		       struct svmrun_registers *regs)
{
	unsigned int i;

	*stats = machine->times;
	stats->unclaimed = machine->pc.unclaimed;
	stats->unknown_msrs = machine->unknown_msrs;
	for (i = 0; i < machine->cpu_count; i++) {
		stats_add(stats, &machine->cpus[i].stats);
		stats_add_inside(regs, machine->cpus[i].vcpu.regs);
	}
	stats_sort(stats);
}

static uint64_t next_show(const struct machine *machine, const struct top *top)
{
	return machine->options->top ? top_due(top) : SVMRUN_NEVER;
}

/* Whoever asks, sees it once; --top asks each second. */
static void show(struct machine *machine, struct top *top)
{
	bool asked = stop_asked() || machine->console.asked;

	machine->console.asked = false;
	if (asked || next_show(machine, top) <= clock_now())
		top_show(machine, top, !asked);
}

void machine_run(struct machine *machine)
{
	struct top top = { .time = clock_now() };
	unsigned int i, threads;

	stats_begin(&machine->times);
	pthread_mutex_lock(&machine->lock);
	threads = start(machine);
	while (!machine->outcome.ended) {
		console_wait(machine, next_show(machine, &top));
		show(machine, &top);
		if (stop_reason())
			end_stopped(machine, stop_reason());
	}
	pthread_mutex_unlock(&machine->lock);
	for (i = 0; i < threads; i++)
		pthread_join(machine->cpus[i].thread, NULL);
	stats_end(&machine->times);
	console_flush(machine);
}
