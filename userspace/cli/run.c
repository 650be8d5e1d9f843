// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "common/message.h"
#include "common/stats.h"
#include "common/status.h"
#include "common/stop.h"
#include "environment.h"
#include "gdb/gdb.h"
#include "guest/guest.h"
#include "options.h"
#include "vmm/invalid.h"
#include "vmm/machine.h"
#include "vmm/run.h"

#define ALL_RIGHTS (SVMRUN_MAP_READ | SVMRUN_MAP_WRITE | SVMRUN_MAP_EXEC)
#define ROM_RIGHTS (SVMRUN_MAP_READ | SVMRUN_MAP_EXEC)

static void print_stats(const struct machine *machine, struct json *json)
{
	struct svmrun_registers regs = { 0 };
	struct stats stats;

	machine_sum_stats(machine, &stats, &regs);
	if (json)
		stats_print_json(&stats, &regs, json);
	else
		stats_print(&stats, &regs, stderr);
}

static void report_json(const struct machine *machine, bool stats)
{
	const struct outcome *outcome = &machine->outcome;
	struct json json = { .file = stderr };

	json_object_begin(&json, NULL);
	json_string(&json, "type", "result");
	json_number(&json, "status", outcome->status);
	json_string(&json, "outcome", outcome->kind);
	json_hex(&json, "rip", outcome->rip);
	if (*outcome->message)
		json_string(&json, "message", outcome->message);
	invalid_print_json(outcome, &json);
	if (stats)
		print_stats(machine, &json);
	json_object_end(&json);
	putc('\n', stderr);
}

static void report(const struct machine *machine,
		   const struct run_options *options)
{
	const struct outcome *outcome = &machine->outcome;

	if (options->json) {
		report_json(machine, options->stats);
		return;
	}
	if (*outcome->message)
		message_fail(outcome->status, "%s: %s", options->image,
			     outcome->message);
	invalid_print(outcome, stderr);
	if (options->stats)
		print_stats(machine, NULL);
}

static int set_timeout(const struct run_options *options)
{
	int ret = options->timeout ? stop_after(options->timeout) : 0;

	if (!ret)
		return 0;
	return message_fail(STATUS_ENVIRONMENT, "--timeout: no timer: %s",
			    strerror(-ret));
}

static int no_files(int error)
{
	return message_fail(STATUS_ENVIRONMENT,
			    "no event to wait for: %s: see ulimit -n",
			    strerror(error));
}

static int run_with_gdb(struct machine *machine, const char *place)
{
	static struct gdb gdb; /* larger than a stack should hold */
	int ret = gdb_open(&gdb, machine, place);

	if (ret)
		return message_fail(STATUS_ENVIRONMENT,
				    "--gdb %s: cannot wait for gdb there: %s",
				    place, strerror(-ret));
	machine_run(machine);
	gdb_close(&gdb);
	return 0;
}

static int run_on_console(struct machine *machine,
			  const struct run_options *options)
{
	int ret = set_timeout(options);

	if (ret)
		return ret;
	stop_ask_at(machine->console.event);
	if (options->gdb)
		return run_with_gdb(machine, options->gdb);
	machine_run(machine);
	return 0;
}

static int run_machine(struct machine *machine, const struct guest *guest,
		       const struct run_options *options)
{
	int ret = stop_begin();

	if (ret)
		return no_files(-ret);
	ret = console_open(&machine->console, guest->is_pc);
	if (ret) {
		ret = no_files(-ret);
	} else {
		ret = run_on_console(machine, options);
		console_close(&machine->console);
	}
	stop_end();
	if (ret)
		return ret;
	report(machine, options);
	return machine->outcome.status;
}

static int run_cpus(struct machine *machine, struct guest *guest,
		    const struct run_options *options)
{
	int ret = machine_create_cpus(machine);

	if (ret)
		return message_fail(STATUS_ENVIRONMENT,
				    "cannot create a vCPU: %s: see the kernel's log (dmesg)",
				    strerror(-ret));
	ret = guest_begin(guest, machine);
	if (!ret)
		ret = run_machine(machine, guest, options);
	machine_destroy_cpus(machine);
	return ret;
}

static int map_failed(const struct run_options *options, int error)
{
	if (error == ERANGE)
		return message_fail(STATUS_USAGE,
				    "--mem %llu: more than a guest's physical addresses reach; less is wanted",
				    (unsigned long long)options->memory);
	return message_fail(STATUS_ENVIRONMENT,
			    "cannot give the guest its memory: %s: see the kernel's log (dmesg)",
			    strerror(error));
}

static int map(struct machine *machine, const struct guest *guest)
{
	const struct svmrun_memory *memory;
	size_t i, writable = guest->memory_count - guest->rom_count;
	int ret = 0;

	for (i = 0; i < guest->memory_count && !ret; i++) {
		memory = &guest->memories[i];
		ret = svmrun_vm_map(&machine->vm, memory->gpa, memory->base,
				    memory->size,
				    i < writable ? ALL_RIGHTS : ROM_RIGHTS);
		machine->memories[i] = *memory;
	}
	machine->memory_count = guest->memory_count;
	machine->rom_count = guest->rom_count;
	return ret;
}

static int run_vm(struct machine *machine, struct guest *guest,
		  const struct run_options *options)
{
	int ret = map(machine, guest);

	if (ret)
		return map_failed(options, -ret);
	machine_attach_disks(machine);
	return run_cpus(machine, guest, options);
}

static int run_guest(struct machine *machine, struct guest *guest,
		     const struct run_options *options)
{
	int ret, device;

	device = environment_open(&machine->info);
	if (device < 0)
		return -device;
	ret = svmrun_vm_create(&machine->vm, device);
	close(device);
	if (ret < 0)
		return environment_no_vm(-ret);
	machine_init(machine, options);
	machine->open_bus = guest->is_pc;
	ret = run_vm(machine, guest, options);
	svmrun_vm_destroy(&machine->vm);
	return ret;
}

static int run_with_disks(struct guest *guest,
			  const struct run_options *options)
{
	static struct machine machine; /* larger than a stack should hold */
	int ret = machine_open_disks(&machine, options);

	if (ret)
		return ret;
	ret = run_guest(&machine, guest, options);
	machine_close_disks(&machine);
	return ret;
}

/* As the shell and whoever waits expect of a program that a signal ended. */
static int end_by(int status)
{
	int number = status - STATUS_SIGNAL;

	if (number == stop_reason() && number != 0) {
		signal(number, SIG_DFL);
		raise(number);
	}
	return status;
}

int run_main(int argc, char **argv)
{
	struct run_options options;
	struct guest guest;
	int ret;

	ret = options_parse_run(&options, argc, argv);
	if (ret)
		return ret;
	ret = guest_create(&guest, &options);
	if (ret)
		return ret;
	ret = run_with_disks(&guest, &options);
	guest_destroy(&guest);
	return end_by(ret);
}
