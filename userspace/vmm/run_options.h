/* SPDX-License-Identifier: GPL-2.0 */
/* The command line of svmrun run, and that of svmrun resume */
#ifndef RUN_OPTIONS_H
#define RUN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/cpuid.h"

#define OPTIONS_CPUS 64
#define OPTIONS_MODULES 16
#define OPTIONS_CPUIDS 16
#define OPTIONS_DISKS 8
#define OPTIONS_CLONES 1024

enum format {
	FORMAT_AUTO,
	FORMAT_FLAT,
	FORMAT_ELF,
	FORMAT_LINUX,
	FORMAT_MULTIBOOT,
	FORMAT_FIRMWARE,
};

enum mode { MODE_AUTO, MODE_REAL, MODE_PROTECTED, MODE_LONG };
enum cpu_model { CPU_HOST, CPU_MINIMAL };
enum rng { RNG_ON, RNG_OFF };
enum msr_policy { MSR_FAULT, MSR_IGNORE };
enum sandbox_policy { SANDBOX_ON, SANDBOX_OFF };
enum reset_policy { ON_RESET_EXIT, ON_RESET_RESTART };
enum save_policy { ON_SAVE_CONTINUE, ON_SAVE_EXIT };
enum clock_policy { CLOCK_STOP, CLOCK_CONTINUE };

/**
 * struct run_options - the command line of svmrun run, or svmrun resume
 * @image: file name
 * @format: its format
 * @mode: mode of the processor at its entry point
 * @memory: bytes of guest memory
 * @cpus: number of processors
 * @initrd: file name, NULL for none
 * @append: the kernel's command line, NULL for none
 * @modules: multiboot modules: FILE or FILE=COMMAND LINE
 * @module_count: how many
 * @disks: FILE[,ro][,format=raw]
 * @disk_count: how many
 * @rng: does a PC give the guest random numbers?
 * @cpu: model for CPUID
 * @hypervisor: interfaces of a hypervisor that the guest finds by CPUID
 * @nested: the guest has SVM
 * @explain: print why a VMRUN of the guest's is refused
 * @cpuid: leaves that the user changes
 * @cpuid_count: how many
 * @msr: result of an access to an MSR that the guest does not have
 * @on_reset: effect of a reset that the guest requests, and of a triple fault
 * @save: file to which the machine is saved, NULL for none
 * @on_save: what happens after it has been saved
 * @clock: svmrun resume: has time passed since the machine was saved?
 * @clones: svmrun resume: number of machines
 * @sandbox: does the process give up what it does not need?
 * @load: load address of a flat image, if @has_load
 * @entry: address of its entry point, if @has_entry
 * @has_load: --load was given
 * @has_entry: --entry was given
 * @timeout: seconds, 0 for none
 * @gdb: port or socket for gdb, NULL for none
 * @testdev: the machine has a test device
 * @stats: print a table of exits at the end
 * @top: print it every second
 * @trace: print one line per exit
 * @json: print JSON to standard error
 */
struct run_options {
	const char *image;
	enum format format;
	enum mode mode;
	uint64_t memory;
	unsigned int cpus;
	const char *initrd;
	const char *append;
	const char *modules[OPTIONS_MODULES];
	size_t module_count;
	const char *disks[OPTIONS_DISKS];
	size_t disk_count;
	enum rng rng;
	enum cpu_model cpu;
	enum hypervisor hypervisor;
	bool nested;
	bool explain;
	struct cpuid_override cpuid[OPTIONS_CPUIDS];
	size_t cpuid_count;
	enum msr_policy msr;
	enum reset_policy on_reset;
	const char *save;
	enum save_policy on_save;
	enum clock_policy clock;
	unsigned int clones;
	enum sandbox_policy sandbox;
	uint64_t load;
	uint64_t entry;
	bool has_load;
	bool has_entry;
	double timeout;
	const char *gdb;
	bool testdev;
	bool stats;
	bool top;
	bool trace;
	bool json;
};

#endif /* RUN_OPTIONS_H */
