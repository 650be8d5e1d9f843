/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The machine of svmrun run: processors, with one thread each (cpu_thread.h), the devices
 * of a PC (svmrun/pc.h) and a console. One lock guards all of it; a processor's thread
 * releases it while the guest runs or waits.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <svmrun.h>
#include <svmrun/e820.h>
#include <svmrun/pc.h>

#include "backend/console.h"
#include "cpu.h"
#include "backend/disk.h"
#include "kvmclock.h"
#include "backend/outcome.h"
#include "backend/rng.h"
#include "run_options.h"
#include "save.h"
#include "stop.h"

struct debug;
struct debug_hooks;

/* Memory below the hole for devices, memory above it, and firmware */
#define MACHINE_MEMORIES 3

/* Reports that --explain prints during a run */
#define MACHINE_REPORTS 1000

/**
 * struct machine - the machine
 * @options: the command line
 * @info: features of the processor and the module
 * @vm: the VM
 * @memories: its memory
 * @memory_count: how many ranges
 * @rom_count: how many of them, the last, the guest cannot write to
 * @e820: the memory map for firmware
 * @disks: the guest's disks
 * @disk_count: how many
 * @abandoned: the thread of a disk has not ended after the run, and may still access the
 *	memory
 * @rng: the entropy device, if machine_has_rng()
 * @open_bus: an address without memory or device reads as ones and ignores writes, as on
 *	a PC; otherwise an access ends the run
 * @restart: loads the guest into memory that is all zeros, and sets up the first
 *	processor. Returns 0, or the exit status after a message.
 * @guest: first argument of @restart
 * @lock: guards all members below
 * @pc: the devices
 * @testdev: the test device, with --testdev
 * @console: standard input and output
 * @hooks: a debugger's functions, NULL without one
 * @debug: its state, for these
 * @cpus: the processors
 * @cpu_count: how many
 * @kvmclock: the reference of KVM's clock
 * @limit: time at which processors leave the guest, SVMRUN_NEVER for none
 * @unknown_msrs: accesses to MSRs that the guest does not have
 * @reports: reports of --explain, and one more if there were others
 * @exits: exits of all processors, for --trace
 * @times: start and duration of the run
 * @stop: a stop of all processors
 * @save: the file to which it is saved
 * @outcome: how the run ended
 */
struct machine {
	const struct run_options *options;
	struct svmrun_info info;
	struct svmrun_vm vm;
	struct svmrun_memory memories[MACHINE_MEMORIES];
	size_t memory_count;
	size_t rom_count;
	struct svmrun_e820_entry e820[SVMRUN_E820_ENTRIES];
	struct disk disks[OPTIONS_DISKS];
	size_t disk_count;
	bool abandoned;
	struct svmrun_rng rng;
	bool open_bus;
	int (*restart)(void *guest, struct machine *machine);
	void *guest;
	pthread_mutex_t lock;
	struct svmrun_pc pc;
	struct svmrun_testdev testdev;
	struct console console;
	const struct debug_hooks *hooks;
	struct debug *debug;
	struct cpu *cpus;
	unsigned int cpu_count;
	struct kvmclock kvmclock;
	uint64_t limit;
	uint64_t unknown_msrs;
	unsigned int reports;
	uint64_t exits;
	struct stats times;
	struct stop stop;
	struct save save;
	struct outcome outcome;
};

/* Initialise the machine and its devices. */
void machine_init(struct machine *machine, const struct run_options *options);

/*
 * Open the files of the disks. Return 0, or the exit status after a message. Once the
 * machine has memory, attach the disks as devices.
 */
int machine_open_disks(struct machine *machine,
		       const struct run_options *options);
void machine_attach_disks(struct machine *machine);
void machine_close_disks(struct machine *machine);

/*
 * Start the threads of the disks: return 0 or a negative errno. After the run, end them:
 * wait a second for the last writes, and print a message if that is not enough.
 */
int machine_start_disks(struct machine *machine);
void machine_end_disks(struct machine *machine);

/* Return whether a request to a disk is in progress, whose end can send an interrupt. */
bool machine_awaits_disk(const struct machine *machine);

/*
 * Return the number of requests from before a reset of their disk. The processor that has
 * reset it must wait for them, because its guest uses the memory for other purposes.
 */
unsigned int machine_stale_requests(const struct machine *machine);

/* Return whether a processor must wait that has just reset a disk, or has just printed. */
bool machine_blocks_cpu(const struct machine *machine);

/*
 * Return whether a PC with these options has an entropy device. It follows the disks, which
 * can take all places of virtio devices. Attach it after the disks.
 */
bool machine_has_rng(const struct run_options *options);
void machine_attach_rng(struct machine *machine);

/* Create the processors of the VM, which @device has created. Return 0 or a negative errno. */
int machine_create_cpus(struct machine *machine, int device);
void machine_destroy_cpus(struct machine *machine);

/*
 * Reset the machine, while the processors' threads wait in stop_wait(): devices and
 * processors are in the state after RESET#, and memory in that at the beginning of the run.
 * While requests of disks are in progress, the reset stays pending; when they have ended,
 * the console is notified.
 */
void machine_reset(struct machine *machine);

/* Sum the exits of all processors; those that the module handled go to @regs. */
void machine_sum_stats(const struct machine *machine, struct stats *stats,
		       struct svmrun_registers *regs);

#endif /* MACHINE_H */
