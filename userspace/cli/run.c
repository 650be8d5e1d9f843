// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "environment.h"
#include "guest.h"
#include "invalid.h"
#include "machine.h"
#include "message.h"
#include "options.h"
#include "status.h"
#include "stop.h"
#include "trace.h"

#define ALL_RIGHTS (SVMRUN_MAP_READ | SVMRUN_MAP_WRITE | SVMRUN_MAP_EXEC)

static void end_stopped(struct machine *machine, int reason)
{
	__u64 rip = machine->vcpu.vmcb->save.rip;

	if (reason == SIGALRM)
		machine_end(machine, STATUS_TIMEOUT, "timeout",
			    "time-out at RIP 0x%llx; --timeout allows more",
			    rip);
	else
		machine_end(machine, STATUS_SIGNAL + reason, "signal",
			    "ended by signal %d (%s) at RIP 0x%llx", reason,
			    strsignal(reason), rip);
}

/* RUN that fails has no memory for the guest, or no processor. */
static void end_failed(struct machine *machine, int error)
{
	const struct svm_vmcb *vmcb = machine->vcpu.vmcb;
	__u64 rip = vmcb->save.rip;

	if (vmcb->control.exitcode == VMEXIT_NPF)
		machine_end(machine, STATUS_UNHANDLED, "unhandled",
			    "VMEXIT_NPF at RIP 0x%llx: cannot have the memory at GPA 0x%llx: %s; end other programs or give less --mem",
			    rip, vmcb->control.exitinfo2, strerror(error));
	else
		machine_end(machine, STATUS_UNHANDLED, "unhandled",
			    "RUN at RIP 0x%llx: %s; see the kernel's log (dmesg)",
			    rip, strerror(error));
}

static void step(struct machine *machine, const struct run_options *options,
		 uint64_t *exits)
{
	int ret = svmrun_vcpu_run(&machine->vcpu);

	if (ret == -EINTR)
		return;
	if (ret < 0) {
		end_failed(machine, -ret);
		return;
	}
	++*exits;
	stats_count(&machine->stats, machine->vcpu.vmcb->control.exitcode);
	if (options->trace)
		trace_exit(stderr, options->json, *exits, &machine->vcpu);
	machine_exit(machine);
}

static void run(struct machine *machine, const struct run_options *options)
{
	uint64_t exits = 0;

	stats_begin(&machine->stats);
	while (!machine->outcome.ended) {
		if (stop_reason())
			end_stopped(machine, stop_reason());
		else
			step(machine, options, &exits);
	}
	stats_end(&machine->stats);
	stats_sort(&machine->stats);
}

static void report_json(const struct machine *machine, bool stats)
{
	const struct outcome *outcome = &machine->outcome;
	struct json json = { .file = stderr };

	json_object_begin(&json, NULL);
	json_string(&json, "type", "result");
	json_number(&json, "status", outcome->status);
	json_string(&json, "outcome", outcome->kind);
	json_hex(&json, "rip", machine->vcpu.vmcb->save.rip);
	if (*outcome->message)
		json_string(&json, "message", outcome->message);
	invalid_print_json(outcome, &json);
	if (stats)
		stats_print_json(&machine->stats, machine->vcpu.regs, &json);
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
		stats_print(&machine->stats, machine->vcpu.regs, stderr);
}

static int set_timeout(const struct run_options *options)
{
	int ret = options->timeout ? stop_after(options->timeout) : 0;

	if (!ret)
		return 0;
	return message_fail(STATUS_ENVIRONMENT, "--timeout: no timer: %s",
			    strerror(-ret));
}

static int run_vcpu(struct machine *machine, struct guest *guest,
		    const struct run_options *options)
{
	int ret;

	ret = guest_begin(guest, &machine->vcpu);
	if (ret)
		return ret;
	stop_begin(&machine->vcpu);
	ret = set_timeout(options);
	if (!ret) {
		run(machine, options);
		report(machine, options);
		ret = machine->outcome.status;
	}
	stop_end();
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

static int run_vm(struct machine *machine, struct svmrun_vm *vm,
		  struct guest *guest, const struct run_options *options)
{
	int ret;

	ret = svmrun_vm_map(vm, guest->memory.gpa, guest->memory.base,
			    guest->memory.size, ALL_RIGHTS);
	if (ret < 0)
		return map_failed(options, -ret);
	ret = svmrun_vcpu_create(&machine->vcpu, vm);
	if (ret < 0)
		return message_fail(STATUS_ENVIRONMENT,
				    "cannot create a vCPU: %s: see the kernel's log (dmesg)",
				    strerror(-ret));
	ret = run_vcpu(machine, guest, options);
	svmrun_vcpu_destroy(&machine->vcpu);
	return ret;
}

static int run_guest(struct guest *guest, const struct run_options *options)
{
	struct machine machine = { 0 };
	struct svmrun_vm vm;
	int ret, device;

	device = environment_open(&machine.info);
	if (device < 0)
		return -device;
	ret = svmrun_vm_create(&vm, device);
	close(device);
	if (ret < 0)
		return environment_no_vm(-ret);
	ret = run_vm(&machine, &vm, guest, options);
	svmrun_vm_destroy(&vm);
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
	ret = run_guest(&guest, &options);
	guest_destroy(&guest);
	return end_by(ret);
}
