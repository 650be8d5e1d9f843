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
#include "common/signals.h"
#include "gdb/gdb.h"
#include "guest/guest.h"
#include "options.h"
#include "run.h"
#include "sandbox/sandbox.h"
#include "setup.h"
#include "vmm/invalid.h"
#include "vmm/machine.h"
#include "vmm/run.h"

static void print_sandbox(const struct sandbox_state *state, struct json *json)
{
	if (json) {
		json_object_begin(json, "sandbox");
		json_bool(json, "seccomp", state->is_on);
		json_number(json, "landlock", state->landlock);
		json_object_end(json);
	} else if (!state->is_on) {
		fputs("sandbox: off\n", stderr);
	} else if (!state->landlock) {
		fputs("sandbox: seccomp; this kernel has no Landlock\n",
		      stderr);
	} else {
		fprintf(stderr, "sandbox: seccomp, Landlock ABI %d\n",
			state->landlock);
	}
}

static void print_stats(const struct machine *machine, struct json *json)
{
	struct svmrun_registers regs = { 0 };
	struct stats stats;

	machine_sum_stats(machine, &stats, &regs);
	if (json)
		stats_print_json(&stats, &regs, json);
	else
		stats_print(&stats, &regs, stderr);
	print_sandbox(sandbox_state(), json);
}

static void report_outcome_json(const struct machine *machine, bool stats)
{
	const struct outcome *outcome = &machine->outcome;
	struct json json = { .file = stderr };

	json_object_begin(&json, NULL);
	json_string(&json, "type", "result");
	json_number(&json, "status", outcome->status);
	json_string(&json, "outcome", outcome->kind);
	json_hex(&json, "rip", outcome->rip);
	if (outcome->reset_port)
		json_hex(&json, "port", outcome->reset_port);
	if (*outcome->message)
		json_string(&json, "message", outcome->message);
	invalid_print_json(outcome, &json);
	if (stats)
		print_stats(machine, &json);
	json_object_end(&json);
	putc('\n', stderr);
}

static void report_outcome(const struct machine *machine,
			   const struct run_options *options)
{
	const struct outcome *outcome = &machine->outcome;

	if (options->json) {
		report_outcome_json(machine, options->stats);
		return;
	}
	if (*outcome->message)
		message_fail(outcome->status, "%s: %s", options->image,
			     outcome->message);
	invalid_print(outcome, stderr);
	if (options->stats)
		print_stats(machine, NULL);
}

static int eventfd_failed(int error)
{
	return message_fail(STATUS_ENVIRONMENT,
			    "cannot create an eventfd: %s: see ulimit -n",
			    strerror(error));
}

static int catch_signals(void)
{
	int ret = signals_open();

	return ret ? eventfd_failed(-ret) : 0;
}

static int open_console(struct machine *machine, const struct guest *guest)
{
	int ret = console_open(&machine->console, guest->is_pc);

	if (ret)
		return eventfd_failed(-ret);
	signals_report_to(machine->console.event);
	if (machine->options->save)
		signals_save();
	return 0;
}

static int start_timeout(const struct run_options *options)
{
	int ret = options->timeout ? signals_set_timeout(options->timeout) : 0;

	if (!ret)
		return 0;
	return message_fail(STATUS_ENVIRONMENT,
			    "--timeout: cannot create a timer: %s",
			    strerror(-ret));
}

static const struct console *raw_console;

static void restore_terminal(void)
{
	console_restore(raw_console);
}

/* From now on, the process opens no files, and creates no sockets or processes. */
static int enter_sandbox(const struct machine *machine, const struct gdb *gdb)
{
	const struct run_options *options = machine->options;
	const struct sandbox_needs needs = {
		.disks = machine->disk_count,
		.gdb = options->gdb,
		.nested = options->nested,
		.save = options->save,
		.socket = gdb->path,
		.denied = restore_terminal,
	};

	raw_console = &machine->console;
	return options->sandbox == SANDBOX_ON ? sandbox_enter(&needs) : 0;
}

static int start_gdb(struct gdb *gdb, const char *place)
{
	int ret = place ? gdb_start(gdb) : 0;

	if (!ret)
		return 0;
	return message_fail(STATUS_ENVIRONMENT,
			    "--gdb %s: cannot create a thread: %s", place,
			    strerror(-ret));
}

static int open_gdb(struct gdb *gdb, struct machine *machine, const char *place)
{
	int ret = place ? gdb_open(gdb, machine, place) : 0;

	if (!ret)
		return 0;
	return message_fail(STATUS_ENVIRONMENT,
			    "--gdb %s: cannot listen for gdb: %s%s", place,
			    strerror(-ret),
			    ret == -EADDRINUSE ?
				    "; remove a socket that is left, or use another" :
				    "");
}

/* End by the signal that ended the run, as shells and other parents expect. */
static int raise_signal(int status)
{
	int number = status - STATUS_SIGNAL;

	if (number == signals_received() && number != 0) {
		signal(number, SIG_DFL);
		raise(number);
	}
	return status;
}

static int create_guest(struct guest *guest, const struct run_options *options,
			const struct saved *saved)
{
	return saved ? guest_resume(guest, saved) :
		       guest_create(guest, options);
}

static int open_disks(struct machine *machine,
		      const struct run_options *options,
		      const struct saved *saved)
{
	int ret = machine_open_disks(machine, options);

	return ret || !saved ? ret : saved_check_disks(saved, machine);
}

static int begin_guest(struct guest *guest, struct machine *machine,
		       struct saved *saved)
{
	return saved ? saved_load(saved, machine) : guest_begin(guest, machine);
}

/* Each function called here prints a message if it fails, and returns the exit status. */
int run_machine(const struct run_options *options, struct saved *saved)
{
	static struct machine machine; /* both are too large for the stack */
	static struct gdb gdb;
	struct guest guest;
	int status, device = -1;

	status = create_guest(&guest, options, saved);
	if (status)
		return status;
	machine.options = options;
	status = save_open(&machine, saved);
	if (status)
		goto destroy_guest;
	status = open_disks(&machine, options, saved);
	if (status)
		goto close_disks;
	status = setup_vm(&machine, &device);
	if (status)
		goto close_disks;
	machine_init(&machine, options);
	machine.open_bus = guest.is_pc;
	status = setup_memory(&machine, &guest);
	if (status)
		goto destroy_vm;
	machine_attach_disks(&machine);
	if (guest.is_pc)
		machine_attach_rng(&machine);
	status = setup_cpus(&machine, device);
	close(device);
	device = -1;
	if (status)
		goto destroy_vm;
	status = begin_guest(&guest, &machine, saved);
	if (status)
		goto destroy_cpus;
	status = catch_signals();
	if (status)
		goto destroy_cpus;
	status = open_console(&machine, &guest);
	if (status)
		goto close_signals;
	status = start_timeout(options);
	if (status)
		goto close_console;
	status = open_gdb(&gdb, &machine, options->gdb);
	if (status)
		goto close_console;
	status = enter_sandbox(&machine, &gdb);
	if (status)
		goto close_gdb;
	status = start_gdb(&gdb, options->gdb);
	if (status)
		goto close_gdb;

	machine_run(&machine);
	status = machine.outcome.status;

close_gdb:
	if (options->gdb)
		gdb_close(&gdb);
close_console:
	console_close(&machine.console);
close_signals:
	signals_close();
	if (machine.outcome.ended)
		report_outcome(&machine, options);
	if (machine.abandoned) /* memory and disks are in use until the exit */
		return raise_signal(status);
destroy_cpus:
	machine_destroy_cpus(&machine);
destroy_vm:
	svmrun_vm_destroy(&machine.vm);
close_disks:
	if (device >= 0)
		close(device);
	machine_close_disks(&machine);
	save_close(&machine);
destroy_guest:
	guest_destroy(&guest);
	return raise_signal(status);
}

int run_main(int argc, char **argv)
{
	struct run_options options;
	int status = options_parse_run(&options, argc, argv);

	return status ? status : run_machine(&options, NULL);
}
