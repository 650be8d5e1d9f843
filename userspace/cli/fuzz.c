// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "common/message.h"
#include "common/status.h"
#include "fuzz/afl.h"
#include "fuzz/callers.h"
#include "fuzz/target.h"
#include "options.h"
#include "sandbox/sandbox.h"
#include "setup.h"

/* ---- inputs of files ----------------------------------------------------- */

static int read_failed(const char *file, int error)
{
	return message_fail(STATUS_USAGE, "%s: %s", file, strerror(error));
}

static void print_verdict(const char *file, const struct verdict *verdict,
			  const struct target *target)
{
	const struct outcome *outcome = &target->machine.outcome;
	char callers[CALLERS_SIZE];

	switch (verdict->kind) {
	case INPUT_DONE:
		printf("%s: done, status %d\n", file, verdict->number);
		break;
	case INPUT_CRASHED:
		callers_write(&target->machine.cpus[0], callers);
		printf("%s: crash, as SIG%s: %s%s\n", file,
		       sigabbrev_np(verdict->number), outcome->message,
		       callers);
		break;
	case INPUT_TIMED_OUT:
		printf("%s: %s\n", file, outcome->message);
		break;
	case INPUT_FAILED:
		message_fail(verdict->number, "%s: %s", file, outcome->message);
		break;
	}
	fflush(stdout);
}

static int status_of(const struct verdict *verdict)
{
	static const int statuses[] = {
		[INPUT_DONE] = 0,
		[INPUT_CRASHED] = STATUS_CRASH,
		[INPUT_TIMED_OUT] = STATUS_TIMEOUT,
	};

	return verdict->kind == INPUT_FAILED ? verdict->number :
					       statuses[verdict->kind];
}

/* Run the input that has been read, and print the verdict. */
static struct verdict run_input(struct target *target, const char *file)
{
	struct machine *machine = &target->machine;
	struct verdict verdict;

	verdict = target_run(target);
	console_flush(&machine->console);
	pthread_mutex_unlock(&machine->lock);
	print_verdict(file, &verdict, target);
	pthread_mutex_lock(&machine->lock);
	return verdict;
}

static int reset_failed(int error)
{
	return message_fail(STATUS_ENVIRONMENT, "cannot reset the guest: %s",
			    strerror(error));
}

/* A crash outweighs a time-out. */
static int worst(int a, int b)
{
	return a == STATUS_CRASH || !b ? a : b;
}

static int run_file(struct target *target, const char *file, int *status)
{
	struct verdict verdict;
	int ret = area_read_input(&target->input, file);

	if (ret)
		return read_failed(file ? file : "standard input", -ret);
	verdict = run_input(target, file ? file : "standard input");
	*status = worst(*status, status_of(&verdict));
	if (verdict.kind == INPUT_FAILED)
		return verdict.number;
	ret = target_reset(target);
	return ret ? reset_failed(-ret) : 0;
}

static int run_files(struct target *target)
{
	const struct fuzz_options *options = target->options;
	int ret = 0, status = 0;
	size_t i;

	pthread_mutex_lock(&target->machine.lock);
	ret = target_prepare(target);
	if (!ret)
		ret = sandbox_confine_thread(SANDBOX_FUZZ);
	if (!ret && !options->file_count)
		ret = run_file(target, NULL, &status);
	for (i = 0; i < options->file_count && !ret; i++)
		ret = run_file(target, options->files[i], &status);
	pthread_mutex_unlock(&target->machine.lock);
	return ret ? ret : status;
}

/* ---- a single run for AFL++ ---------------------------------------------- */

/* End as the guest would have as a process. */
static int end_as(const struct verdict *verdict)
{
	if (verdict->kind == INPUT_DONE || verdict->kind == INPUT_FAILED)
		return verdict->number;
	signal(verdict->number, SIG_DFL);
	raise(verdict->number);
	return STATUS_SIGNAL + verdict->number;
}

static int run_once(struct target *target)
{
	const struct fuzz_options *options = target->options;
	const char *file = options->file_count ? options->files[0] : NULL;
	struct verdict verdict;
	int ret = area_read_input(&target->input, file);

	if (ret)
		return read_failed(file ? file : "standard input", -ret);
	pthread_mutex_lock(&target->machine.lock);
	ret = target_prepare(target);
	if (!ret)
		ret = sandbox_confine_thread(SANDBOX_FUZZ);
	if (!ret) {
		memset(target->map.memory.base, 0, target->map.memory.size);
		verdict = target_run(target);
	}
	pthread_mutex_unlock(&target->machine.lock);
	return ret ? ret : end_as(&verdict);
}

/* ---- the subcommand ------------------------------------------------------ */

static int open_console(struct machine *machine)
{
	int ret = console_open(&machine->console, false);

	return ret ? message_fail(STATUS_ENVIRONMENT,
				  "cannot create an eventfd: %s",
				  strerror(-ret)) :
		     0;
}

static int start_output(struct machine *machine)
{
	int ret = output_start(&machine->console.output);

	return ret ? message_fail(STATUS_ENVIRONMENT,
				  "cannot create a thread: %s",
				  strerror(-ret)) :
		     0;
}

/* Who gives the inputs */
enum parent {
	PARENT_USER, /* as files, or as standard input */
	PARENT_AFL, /* one after the other */
	PARENT_AFL_ONCE, /* a single one, to a process of its own */
};

static enum parent find_parent(void)
{
	if (afl_is_parent())
		return PARENT_AFL;
	return afl_runs_once() ? PARENT_AFL_ONCE : PARENT_USER;
}

/*
 * From now on, the process opens only the files of inputs, and creates no sockets and, besides
 * the helper for afl-fuzz, no processes. Inputs of a shell's <(COMMAND) are descriptors that
 * are open already.
 */
static int enter_sandbox(const struct target *target, enum parent parent)
{
	const struct fuzz_options *options = target->options;
	struct sandbox_needs needs = {
		.fuzz = true,
		.inherited = parent == PARENT_USER,
	};

	if (!target->input.is_shared)
		needs.inputs = (struct sandbox_inputs){
			.files = options->files,
			.count = options->file_count,
		};
	return options->run.sandbox == SANDBOX_ON ? sandbox_enter(&needs) : 0;
}

/* Give standard output a buffer: to choose the size itself, stdio would call fstat(). */
static void set_buffer(void)
{
	static char buffer[BUFSIZ];

	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
}

static int run_inputs(struct target *target, enum parent parent)
{
	const struct fuzz_options *options = target->options;
	const char *file = options->file_count ? options->files[0] : NULL;

	set_buffer();
	if (parent == PARENT_AFL)
		return afl_serve(target, file);
	return parent == PARENT_AFL_ONCE ? run_once(target) : run_files(target);
}

static int run_target(struct target *target, struct guest *guest)
{
	struct machine *machine = &target->machine;
	enum parent parent = find_parent();
	int status;

	status = setup_vm(machine, &target->device);
	if (status)
		return status;
	machine_init(machine, &target->options->run);
	machine->open_bus = guest->is_pc;
	status = setup_memory(machine, guest);
	if (status)
		goto destroy_vm;
	status = setup_cpus(machine, target->device);
	if (status)
		goto destroy_vm;
	status = guest_begin(guest, machine);
	if (status)
		goto destroy_cpus;
	status = open_console(machine);
	if (status)
		goto destroy_cpus;
	status = target_open(target);
	if (status)
		goto close_target;
	status = enter_sandbox(target, parent);
	if (status)
		goto close_target;
	status = start_output(machine);
	if (status)
		goto close_target;

	status = run_inputs(target, parent);

	console_end_output(&machine->console);
close_target:
	target_close(target);
	console_close(&machine->console);
destroy_cpus:
	machine_destroy_cpus(machine);
destroy_vm:
	svmrun_vm_destroy(&machine->vm);
	close(target->device);
	return status;
}

int fuzz_main(int argc, char **argv)
{
	static struct target target; /* too large for the stack */
	static struct fuzz_options options;
	struct guest guest;
	int status = options_parse_fuzz(&options, argc, argv);

	if (status)
		return status;
	target.options = &options;
	status = guest_create(&guest, &options.run);
	if (status)
		return status;
	status = run_target(&target, &guest);
	guest_destroy(&guest);
	return status;
}
