// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/clock.h"
#include "common/message.h"
#include "common/status.h"
#include "common/thread.h"
#include "debug_hooks.h"
#include "lib/memories.h"
#include "lib/x86.h"
#include "guest_svm.h"
#include "machine.h"

/* Time for the disks to carry out the last writes after the end of the run */
#define DISK_END_TIME NANOSECONDS
#define CMOS_SHUTDOWN 0x0f /* where firmware continues after a reset */

static void notify_end(void *owner)
{
	struct machine *machine = owner;
	unsigned int i;

	for (i = 0; i < machine->cpu_count; i++)
		cpu_wake(&machine->cpus[i]);
	console_notify(&machine->console);
	if (machine->hooks)
		machine->hooks->ended(machine);
}

/* Wake processors that wait for output or a disk, and machine_run() if it does. */
static void wake_blocked(void *owner)
{
	struct machine *machine = owner;
	unsigned int i;

	if (stop_is_pending(machine))
		console_notify(&machine->console);
	for (i = 0; i < machine->cpu_count; i++)
		if (machine->cpus[i].blocked)
			cpu_wake(&machine->cpus[i]);
}

/* ---- requests of the devices --------------------------------------------- */

static void pc_wake(void *owner, unsigned int id)
{
	struct machine *machine = owner;

	if (id < machine->cpu_count)
		cpu_wake(&machine->cpus[id]);
}

static void pc_debug(void *owner, uint8_t byte)
{
	struct machine *machine = owner;

	console_send_debug(&machine->console, byte);
}

static void pc_send(void *owner, uint8_t byte)
{
	struct machine *machine = owner;

	console_send(&machine->console, byte);
}

static void pc_end(void *owner, enum svmrun_pc_end why, uint32_t value)
{
	static const char *const kinds[] = {
		[SVMRUN_PC_OFF] = "off",
		[SVMRUN_PC_RESET] = "reset",
		[SVMRUN_PC_EXIT] = "port",
	};
	struct machine *machine = owner;
	int status = why == SVMRUN_PC_EXIT ? (2 * value + 1) & 255 :
					     STATUS_HALTED;

	if (why == SVMRUN_PC_RESET && stop_for_reset(machine))
		return;
	if (why == SVMRUN_PC_RESET && !machine->outcome.ended)
		machine->outcome.reset_port = value;
	outcome_end(&machine->outcome, 0, status, kinds[why], "%s", "");
}

/* Without --save, the guest may not make the tool print messages. */
static void pc_save(void *owner)
{
	struct machine *machine = owner;

	if (machine->save.name)
		stop_to_save(machine);
}

static uint32_t pc_resumed(void *owner)
{
	const struct machine *machine = owner;

	return machine->save.resumed;
}

static uint64_t pc_tsc(void *owner, unsigned int id)
{
	const struct machine *machine = owner;

	return cpu_own_tsc(&machine->cpus[id]);
}

static uint32_t pc_tsc_khz(void *owner)
{
	return clock_tsc_khz();
}

/*
 * Remove a page from the nested page table. That happens when Linux changes the protection
 * of the memory. If that fails, the page remains, which the guest cannot notice.
 */
static void flush_page(void *owner, uint64_t gpa)
{
	const struct machine *machine = owner;
	void *page = memories_at(machine->memories, machine->memory_count,
				 gpa & ~(PAGE_SIZE - 1), PAGE_SIZE);

	if (page && !mprotect(page, PAGE_SIZE, PROT_NONE))
		mprotect(page, PAGE_SIZE, PROT_READ | PROT_WRITE);
}

static void init_testdev(struct machine *machine)
{
	svmrun_testdev_init(&machine->testdev, flush_page, machine);
	svmrun_pc_attach_testdev(&machine->pc, &machine->testdev);
}

void machine_init(struct machine *machine, const struct run_options *options)
{
	const struct output_machine output = {
		.lock = &machine->lock,
		.outcome = &machine->outcome,
		.wake = wake_blocked,
		.owner = machine,
	};
	const struct svmrun_pc_owner owner = {
		.wake = pc_wake,
		.send = pc_send,
		.debug = pc_debug,
		.end = pc_end,
		.tsc = pc_tsc,
		.tsc_khz = pc_tsc_khz,
		.owner = machine,
		.save = pc_save,
		.resumed = pc_resumed,
	};

	clock_begin();
	pthread_mutex_init(&machine->lock, NULL);
	machine->options = options;
	machine->limit = SVMRUN_NEVER;
	machine->outcome.notify = notify_end;
	machine->outcome.owner = machine;
	svmrun_pc_init(&machine->pc, options->cpus, &owner, time(NULL),
		       clock_now());
	if (options->testdev)
		init_testdev(machine);
	kvmclock_init(machine);
	console_init(&machine->console, &machine->pc.uart, &output);
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

/* Devices cannot access memory that the guest cannot write to. */
void machine_attach_disks(struct machine *machine)
{
	const struct disk_machine disk_machine = {
		.lock = &machine->lock,
		.outcome = &machine->outcome,
		.wake = wake_blocked,
		.owner = machine,
	};
	size_t i;

	for (i = 0; i < machine->disk_count; i++) {
		struct disk *disk = &machine->disks[i];

		disk_init(disk, i, &disk_machine, machine->memories,
			  machine->memory_count - machine->rom_count);
		svmrun_pc_attach(&machine->pc, &disk->block.virtio);
	}
}

int machine_start_disks(struct machine *machine)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < machine->disk_count && !ret; i++)
		ret = disk_start(&machine->disks[i]);
	return ret;
}

static void warn_about_disk(const struct disk *disk, bool ended)
{
	if (!ended)
		message_warn("--disk %s: requests are still in progress; the last writes of the guest may be lost",
			     disk->name);
	else if (disk->flush_error)
		message_warn("--disk %s: cannot flush the writes of the guest: %s",
			     disk->name, strerror(-disk->flush_error));
}

void machine_end_disks(struct machine *machine)
{
	uint64_t until = clock_now() + DISK_END_TIME;
	size_t i;
	bool ended;

	for (i = 0; i < machine->disk_count; i++)
		disk_end(&machine->disks[i]);
	for (i = 0; i < machine->disk_count; i++) {
		ended = disk_wait(&machine->disks[i], until);
		warn_about_disk(&machine->disks[i], ended);
		machine->abandoned |= !ended;
	}
}

unsigned int machine_stale_requests(const struct machine *machine)
{
	unsigned int count = 0;
	size_t i;

	for (i = 0; i < machine->disk_count; i++)
		count += machine->disks[i].block.stale;
	return count;
}

bool machine_blocks_cpu(const struct machine *machine)
{
	return output_is_full(&machine->console.output) ||
	       machine_stale_requests(machine);
}

bool machine_awaits_disk(const struct machine *machine)
{
	size_t i;

	for (i = 0; i < machine->disk_count; i++)
		if (machine->disks[i].block.in_flight)
			return true;
	return false;
}

void machine_close_disks(struct machine *machine)
{
	while (machine->disk_count)
		disk_close(&machine->disks[--machine->disk_count]);
}

bool machine_has_rng(const struct run_options *options)
{
	return options->rng == RNG_ON &&
	       options->disk_count < SVMRUN_PC_VIRTIO_MAX;
}

void machine_attach_rng(struct machine *machine)
{
	if (!machine_has_rng(machine->options))
		return;
	rng_init(&machine->rng, machine->memories,
		 machine->memory_count - machine->rom_count);
	svmrun_pc_attach(&machine->pc, &machine->rng.virtio);
}

/* ---- processors ---------------------------------------------------------- */

/* Set the MSRs as firmware leaves them. */
static void init_msrs(const struct machine *machine, struct cpu *cpu)
{
	size_t i, count = machine->memory_count - machine->rom_count;
	uint64_t end, low = 0, high = 0;

	for (i = 0; i < count; i++) {
		end = machine->memories[i].gpa + machine->memories[i].size;
		if (end <= UINT32_MAX)
			low = end;
		else
			high = end;
	}
	mtrr_init(&cpu->mtrr, machine->info.out_gpa_bits);
	model_msr_init(&cpu->model_msrs, low, high);
}

static void init_cpu(struct machine *machine, struct cpu *cpu)
{
	cpu->machine = machine;
	cpu->id = cpu - machine->cpus;
	init_msrs(machine, cpu);
	thread_init_condition(&cpu->changed);
	svmrun_mode_reset(&cpu->vcpu);
}

int machine_create_cpus(struct machine *machine, int device)
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
		ret = guest_svm_create(&machine->cpus[i], device);
		if (ret) {
			machine_destroy_cpus(machine);
			return ret;
		}
	}
	return 0;
}

void machine_destroy_cpus(struct machine *machine)
{
	while (machine->cpu_count) {
		struct cpu *cpu = &machine->cpus[--machine->cpu_count];

		pthread_cond_destroy(&cpu->changed);
		guest_svm_destroy(cpu);
		svmrun_vcpu_destroy(&cpu->vcpu);
	}
	free(machine->cpus);
}

/* ---- reset --------------------------------------------------------------- */

/* Discard the pages of RAM, which reads as zeros then. */
static int clear_memory(const struct machine *machine)
{
	size_t i, count = machine->memory_count - machine->rom_count;

	for (i = 0; i < count; i++)
		if (madvise(machine->memories[i].base,
			    machine->memories[i].size, MADV_DONTNEED))
			return -errno;
	return 0;
}

/* Firmware continues a program only if memory has been preserved. */
static void reset_devices(struct machine *machine)
{
	console_end_debug(&machine->console);
	svmrun_pc_reset(&machine->pc, clock_now());
	svmrun_rtc_set_cmos(&machine->pc.rtc, CMOS_SHUTDOWN, 0);
	machine->kvmclock.wall_clock = 0;
}

/* The statistics, the thread and its timer are the tool's, and are kept. */
static void reset_cpu(struct machine *machine, struct cpu *cpu)
{
	init_msrs(machine, cpu);
	cpu->check = (struct machine_check){ 0 };
	cpu->halted = false;
	cpu->frozen = false;
	cpu->blocked = false;
	cpu->deferred = 0;
	cpu->kvmclock = 0;
	cpu->tsc_aux = 0;
	guest_svm_reset(cpu);
	svmrun_mode_reset(&cpu->vcpu);
	nmi_reset(cpu);
}

/* Set up the processors. They have new ASIDs, which have no translations. */
static int restart_guest(struct machine *machine)
{
	uint32_t asids[OPTIONS_CPUS];
	unsigned int i;
	int status;

	for (i = 0; i < machine->cpu_count; i++) {
		asids[i] = machine->cpus[i].vcpu.vmcb->control.asid;
		reset_cpu(machine, &machine->cpus[i]);
	}
	status = machine->restart(machine->guest, machine);
	for (i = 0; i < machine->cpu_count; i++)
		machine->cpus[i].vcpu.vmcb->control.asid =
			asids[i] == UINT32_MAX ? 1 : asids[i] + 1;
	return status;
}

/* Return whether the disks access neither their files nor memory any more. */
static bool reset_disks(struct machine *machine)
{
	bool idle = true;
	size_t i;

	for (i = 0; i < machine->disk_count; i++)
		idle = disk_reset(&machine->disks[i]) && idle;
	return idle;
}

void machine_reset(struct machine *machine)
{
	int ret, status;

	/* Otherwise wake_blocked() lets the caller try again. */
	if (!reset_disks(machine))
		return;
	reset_devices(machine);
	ret = clear_memory(machine);
	if (ret)
		outcome_end(&machine->outcome, 0, STATUS_ENVIRONMENT,
			    "environment", "reset: cannot clear memory: %s",
			    strerror(-ret));
	status = restart_guest(machine);
	if (status)
		outcome_end(&machine->outcome, 0, status, "environment",
			    "reset: cannot load the guest again");
	if (machine->hooks)
		machine->hooks->reset(machine);
	stop_reset_done(machine);
}

void machine_sum_stats(const struct machine *machine, struct stats *stats,
		       struct svmrun_registers *regs)
{
	unsigned int i;

	*stats = machine->times;
	stats->unclaimed = machine->pc.unclaimed;
	stats->unknown_msrs = machine->unknown_msrs;
	stats->resets = machine->stop.resets;
	for (i = 0; i < machine->cpu_count; i++) {
		stats_add(stats, &machine->cpus[i].stats);
		stats_add_kernel(regs, machine->cpus[i].vcpu.regs);
	}
	stats_sort(stats);
}
