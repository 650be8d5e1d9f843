/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The machine that a guest of svmrun run has: its processors, a thread each
 * (cpu.h), the devices of a PC (svmrun/pc.h) and a console. One lock is for all
 * of it; a processor's thread gives it away while the guest runs or waits.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <svmrun.h>
#include <svmrun/e820.h>
#include <svmrun/pc.h>

#include "console.h"
#include "cpu.h"
#include "debug.h"
#include "disk.h"
#include "options.h"

/* More than a guest breaks by itself */
#define OUTCOME_RULES 16
/* Below the hole for devices, above it, and firmware */
#define MACHINE_MEMORIES 3

/**
 * struct outcome - how a run ended
 * @ended: it has
 * @status: exit status; for a signal 128 and its number
 * @kind: a word for programs
 * @message: a line for people, empty if all is well
 * @rip: where the processor was that ended it
 * @broken: after VMEXIT_INVALID, how many rules are broken
 * @rules: the first of them
 */
struct outcome {
	bool ended;
	int status;
	const char *kind;
	char message[256];
	uint64_t rip;
	unsigned int broken;
	struct svmrun_broken_rule rules[OUTCOME_RULES];
};

/**
 * struct machine - the machine
 * @options: the command line
 * @info: what the processor and the module offer
 * @vm: the VM
 * @memories: its memory
 * @memory_count: how many ranges
 * @rom_count: how many of them, the last, the guest cannot write to
 * @e820: the memory map that firmware can ask for
 * @disks: of the guest
 * @disk_count: how many
 * @open_bus: an address where nothing is reads ones and swallows writes, as a PC
 *	has it; otherwise it ends the run
 * @lock: for all that follows
 * @pc: the devices
 * @console: standard input and output
 * @debug: what is there for a debugger
 * @cpus: the processors
 * @cpu_count: how many
 * @unknown_msrs: accesses to MSRs that the guest does not have
 * @exits: of all of them, for --trace
 * @times: when the run began, and how long it took
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
	bool open_bus;
	pthread_mutex_t lock;
	struct svmrun_pc pc;
	struct console console;
	struct debug debug;
	struct cpu *cpus;
	unsigned int cpu_count;
	uint64_t unknown_msrs;
	uint64_t exits;
	struct stats times;
	struct outcome outcome;
};

/* Gives the machine its devices. */
void machine_init(struct machine *machine, const struct run_options *options);

/*
 * The files of its disks: 0, or the exit status after a message; and what makes
 * devices of them, once it has its memory.
 */
int machine_open_disks(struct machine *machine,
		       const struct run_options *options);
void machine_attach_disks(struct machine *machine);
void machine_close_disks(struct machine *machine);

/* Gives it its processors, once it has a VM: 0, or a negative errno. */
int machine_create_cpus(struct machine *machine);
void machine_destroy_cpus(struct machine *machine);

/* Runs it to its end. */
void machine_run(struct machine *machine);

/* All processors' exits, those that the module dealt with in @regs */
void machine_sum_stats(const struct machine *machine, struct stats *stats,
		       struct svmrun_registers *regs);

/* Ends the run, unless it has ended already; @rip: where, or 0. */
void machine_end(struct machine *machine, uint64_t rip, int status,
		 const char *kind, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

#endif /* MACHINE_H */
