/* SPDX-License-Identifier: GPL-2.0 */
/* The command line of svmrun run */
#ifndef RUN_OPTIONS_H
#define RUN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cpuid.h"

#define OPTIONS_CPUS 64
#define OPTIONS_MODULES 16
#define OPTIONS_CPUIDS 16
#define OPTIONS_DISKS 8

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
enum msr_policy { MSR_FAULT, MSR_IGNORE };

/**
 * struct run_options - the command line of svmrun run
 * @image: file name
 * @format: what it is
 * @mode: the processor's mode that it begins in
 * @memory: bytes of guest memory
 * @cpus: how many processors
 * @initrd: file name, NULL for none
 * @append: the kernel's command line, NULL for none
 * @modules: of multiboot: FILE or FILE=COMMAND LINE
 * @module_count: how many
 * @disks: FILE or FILE,ro
 * @disk_count: how many
 * @cpu: whose CPUID the guest sees
 * @cpuid: what it sees instead
 * @cpuid_count: how many leaves
 * @msr: what becomes of MSRs that the guest does not have
 * @load: where a flat image goes, if @has_load
 * @entry: where it begins, if @has_entry
 * @has_load: --load was given
 * @has_entry: --entry was given
 * @timeout: seconds, 0 for none
 * @gdb: where gdb connects to, NULL for nowhere
 * @stats: the table of exits
 * @top: the same, each second
 * @trace: a line an exit
 * @json: all that goes to stderr as JSON
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
	enum cpu_model cpu;
	struct cpuid_override cpuid[OPTIONS_CPUIDS];
	size_t cpuid_count;
	enum msr_policy msr;
	uint64_t load;
	uint64_t entry;
	bool has_load;
	bool has_entry;
	double timeout;
	const char *gdb;
	bool stats;
	bool top;
	bool trace;
	bool json;
};

#endif /* RUN_OPTIONS_H */
