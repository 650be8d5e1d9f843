// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <x86intrin.h>

#include "call.h"
#include "common/clock.h"
#include "common/message.h"
#include "common/status.h"
#include "coverage.h"
#include "debug/exit.h"
#include "input.h"
#include "lib/x86.h"
#include "start.h"
#include "target.h"
#include "vmm/cpu_thread.h"
#include "vmm/machine_state.h"

#define EXCEPTIONS 32
#define IDT_EXCEPTIONS (EXCEPTIONS * 16) /* bytes, in long mode */
#define NMI_BIT (1u << 2) /* the bit of an exception that is none */

/* Exit codes below have a bit in the intercept vectors, in the same order. */
#define INTERCEPT_CODES 0xc0

static struct cpu *target_cpu(struct target *target)
{
	return &target->machine.cpus[0];
}

/* ---- functions for the machine ------------------------------------------- */

static bool hold(struct cpu *cpu)
{
	return false;
}

static bool is_stepping(const struct cpu *cpu)
{
	return false;
}

static void ignore_cpu(struct cpu *cpu)
{
}

static void ignore_machine(struct machine *machine)
{
}

static void ignore_end(const struct machine *machine)
{
}

/* Writes of this program are not in the dirty log. Accessed bits are writes to tables. */
static int touch_page(void *owner, uint64_t gpa, uint32_t access,
		      uint64_t *physical)
{
	struct target *target = target_of(owner);

	*physical = gpa;
	if (target->is_clone &&
	    (access & (SVMRUN_ACCESS_WRITE | SVMRUN_ACCESS_TABLE)))
		svmrun_clone_touch(&target->clone, gpa - gpa % PAGE_SIZE,
				   PAGE_SIZE);
	return 0;
}

static void exit_crash(struct cpu *cpu)
{
	const struct svm_vmcb *vmcb = cpu->vcpu.vmcb;
	uint64_t code = vmcb->control.exitcode;
	const char *name = svmrun_exit_name(code);
	unsigned int vector = code - VMEXIT_EXCP(0);

	cpu_end(cpu, vector < EXCEPTIONS ? verdict_signal(vector) : SIGSEGV,
		VERDICT_EXIT,
		"%s at RIP 0x%llx: EXITINFO1 0x%llx, EXITINFO2 0x%llx",
		name ? name : "unknown exit", vmcb->save.rip,
		vmcb->control.exitinfo1, vmcb->control.exitinfo2);
}

/* Return whether the exit counts as a crash. */
static bool is_crash(const struct target *target, uint64_t code)
{
	size_t i;

	for (i = 0; i < target->hooks.exit_count; i++)
		if (target->exits[i].handle == exit_crash &&
		    code - target->exits[i].code < target->exits[i].count)
			return true;
	return false;
}

static void exit_breakpoint(struct cpu *cpu)
{
	if (breakpoints_hit(cpu))
		return;
	if (is_crash(target_of(cpu), VMEXIT_EXCP(VECTOR_BP)))
		exit_crash(cpu);
	else
		debug_inject_bp(cpu);
}

static void add_exit(struct target *target, uint64_t code, uint64_t count,
		     void (*handle)(struct cpu *cpu))
{
	target->exits[target->hooks.exit_count++] = (struct exit_handler){
		code, count, handle
	};
}

static void register_hooks(struct target *target)
{
	const struct fuzz_options *options = target->options;
	size_t i;

	target->hooks = (struct debug_hooks){
		.hold = hold,
		.is_stepping = is_stepping,
		.step_done = ignore_cpu,
		.enter = ignore_cpu,
		.leave = ignore_cpu,
		.handled = ignore_cpu,
		.reset = ignore_machine,
		.ended = ignore_end,
		.translate = touch_page,
		.exits = target->exits,
	};
	if (options->step_size) {
		target->hooks.enter = coverage_enter;
		target->hooks.leave = coverage_leave;
		target->hooks.handled = coverage_handled;
		add_exit(target, VMEXIT_EXCP(VECTOR_DB), 1, exit_step);
	}
	if (options->end_count || options->break_file) {
		add_exit(target, VMEXIT_EXCP(VECTOR_BP), 1, exit_breakpoint);
		add_exit(target, VMEXIT_SWINT, 1, exit_swint);
	}
	add_exit(target, VMEXIT_VMMCALL, 1, exit_vmmcall);
	for (i = 0; i < options->crash_count; i++)
		add_exit(target, options->crashes[i], 1, exit_crash);
	target->machine.hooks = &target->hooks;
}

static void set_intercepts(const struct target *target, struct svm_vmcb *vmcb)
{
	const struct fuzz_options *options = target->options;
	uint64_t code;
	size_t i;

	vmcb->control.intercept[4] |= SVM_INTERCEPT4_VMMCALL;
	for (i = 0; i < options->crash_count; i++) {
		code = options->crashes[i];
		if (code < INTERCEPT_CODES)
			vmcb->control.intercept[code / 32] |= 1u << code % 32;
	}
}

/*
 * A bare-metal guest that cannot handle an exception would shut down. With intercepts, the
 * report says which exception it was, and where.
 */
static void intercept_exceptions(struct target *target, struct svm_vmcb *vmcb)
{
	if (target->machine.open_bus || !(vmcb->save.efer & SVM_EFER_LMA) ||
	    vmcb->save.idtr.limit >= IDT_EXCEPTIONS - 1)
		return;
	vmcb->control.intercept[2] |= ~NMI_BIT;
	add_exit(target, VMEXIT_EXCP(0), EXCEPTIONS, exit_crash);
}

/* ---- creation and destruction -------------------------------------------- */

static int map_areas(const struct target *target, struct svmrun_vm *vm)
{
	int ret = area_map(&target->map, vm, true);

	return ret ? ret : area_map(&target->input, vm, false);
}

static int area_failed(const char *what, int error)
{
	return message_fail(STATUS_ENVIRONMENT,
			    "cannot share %s with the guest: %s", what,
			    strerror(error));
}

static int open_areas(struct target *target)
{
	const struct fuzz_options *options = target->options;
	int ret = area_open(&target->map, AREA_MAP_GPA, options->map_size,
			    "__AFL_SHM_ID");

	if (ret)
		return area_failed("the map of executed code", -ret);
	target->map_size = target->map.memory.size < options->map_size ?
				   target->map.memory.size :
				   options->map_size;
	ret = area_open(&target->input, AREA_INPUT_GPA,
			sizeof(struct test_case) + AREA_INPUT_MAX,
			"__AFL_SHM_FUZZ_ID");
	if (!ret)
		ret = map_areas(target, &target->machine.vm);
	return ret ? area_failed("the input", -ret) : 0;
}

int target_open(struct target *target)
{
	int ret = open_areas(target);

	if (ret)
		return ret;
	ret = input_check(target);
	if (!ret && target->options->break_file)
		ret = addresses_read(&target->counted,
				     target->options->break_file);
	if (ret)
		return ret;
	register_hooks(target);
	/* There is neither input for the guest nor another thread to notify. */
	target->machine.console.at_end = true;
	target->machine.outcome.notify = NULL;
	return 0;
}

static void close_clone(struct target *target)
{
	if (!target->is_clone)
		return;
	target->machine.cpus[0].vcpu = (struct svmrun_vcpu){ 0 };
	target->machine.vm = (struct svmrun_vm){ .fd = -1 };
	svmrun_clone_destroy(&target->clone);
	svmrun_snapshot_destroy(&target->snapshot);
}

void target_close(struct target *target)
{
	if (target->has_thread)
		cpu_thread_end(target_cpu(target));
	close_clone(target);
	breakpoints_free(&target->breakpoints);
	addresses_free(&target->counted);
	free(target->state.bytes);
	area_close(&target->map);
	area_close(&target->input);
	target->machine.hooks = NULL;
}

/* ---- the snapshot -------------------------------------------------------- */

static int keep_state(struct target *target)
{
	struct svmrun_state *state = &target->state;
	struct machine *machine = &target->machine;
	size_t size;

	svmrun_state_init(state, NULL, 0);
	machine_state_keep(machine, state);
	size = state->used;
	svmrun_state_init(state, malloc(size), size);
	if (!state->bytes)
		return -ENOMEM;
	target->clock = clock_now();
	target->tsc = __rdtsc();
	target->deadline = svmrun_pc_deadline(&machine->pc, 0);
	machine_state_keep(machine, state);
	return state->error;
}

/* A process that is created while the guest runs must not share memory with it. */
static void keep_from_children(const struct svmrun_memory *memories,
			       size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		madvise(memories[i].base, memories[i].size, MADV_DONTFORK);
}

/* Free the memory of the VM before. Its addresses stay in use until the end. */
static void discard_memory(const struct machine *machine)
{
	size_t i;

	for (i = 0; i < machine->memory_count; i++)
		madvise(machine->memories[i].base, machine->memories[i].size,
			MADV_DONTNEED);
	keep_from_children(machine->memories, machine->memory_count);
}

/* Let the machine continue as the clone. */
static void use_clone(struct target *target)
{
	struct machine *machine = &target->machine;
	struct svmrun_clone *clone = &target->clone;
	struct cpu *cpu = target_cpu(target);

	svmrun_vcpu_destroy(&cpu->vcpu);
	svmrun_vm_destroy(&machine->vm);
	discard_memory(machine);
	cpu->vcpu = clone->vcpus[0];
	machine->vm = clone->vm;
	memcpy(machine->memories, clone->memories,
	       clone->memory_count * sizeof(*clone->memories));
	keep_from_children(machine->memories, machine->memory_count);
	/* A child with these pages would keep the VM. */
	madvise(cpu->vcpu.vmcb, cpu->vcpu.size, MADV_DONTFORK);
	target->is_clone = true;
}

static int protect_rom(struct target *target)
{
	const struct machine *machine = &target->machine;
	size_t i = machine->memory_count - machine->rom_count;
	int ret = 0;

	for (; i < machine->memory_count && !ret; i++)
		ret = svmrun_vm_protect(&target->clone.vm,
					machine->memories[i].gpa,
					machine->memories[i].size,
					SVMRUN_MAP_READ | SVMRUN_MAP_EXEC);
	return ret;
}

static int clone_guest(struct target *target)
{
	int ret = svmrun_clone(&target->clone, &target->snapshot,
			       target->device);

	if (ret)
		return ret;
	ret = protect_rom(target);
	if (!ret)
		ret = map_areas(target, &target->clone.vm);
	if (ret)
		svmrun_clone_destroy(&target->clone);
	return ret;
}

/* Set the intercepts before the state is kept: both the snapshot and the records restore them. */
static int take_snapshot(struct target *target)
{
	struct machine *machine = &target->machine;
	struct cpu *cpu = target_cpu(target);
	int ret;

	if (target->options->step_size)
		cpu->vcpu.vmcb->control.intercept[2] |=
			SVM_INTERCEPT2_EXCEPTION(VECTOR_DB);
	intercept_exceptions(target, cpu->vcpu.vmcb);
	input_clear(target);
	ret = keep_state(target);
	if (ret)
		return ret;
	ret = svmrun_snapshot_take(&target->snapshot, machine->memories,
				   machine->memory_count, &cpu->vcpu, 1);
	if (ret)
		return ret;
	ret = clone_guest(target);
	if (ret)
		svmrun_snapshot_destroy(&target->snapshot);
	else
		use_clone(target);
	return ret;
}

static int boot_failed(const struct target *target)
{
	const struct fuzz_options *options = target->options;
	const struct outcome *outcome = &target->machine.outcome;
	char until[64] = "was ready for an input";

	if (options->has_start)
		snprintf(until, sizeof(until), "reached --start 0x%" PRIx64,
			 options->start);
	return message_fail(STATUS_USAGE,
			    "%s: the guest ended before it %s: %s",
			    options->run.image, until,
			    *outcome->message ? outcome->message :
						outcome->kind);
}

/* Run the guest until it is ready or ends. Return 0 or a negative errno. */
static int boot(struct target *target)
{
	if (target->options->has_start)
		return start_reach(target);
	while (!target->is_ready && !target->machine.outcome.ended)
		cpu_run_once(target_cpu(target));
	return 0;
}

static int snapshot_failed(int error)
{
	return message_fail(STATUS_ENVIRONMENT,
			    "cannot take a snapshot of the guest: %s",
			    strerror(error));
}

int target_prepare(struct target *target)
{
	struct machine *machine = &target->machine;
	struct cpu *cpu = target_cpu(target);
	int ret, status;

	cpu_thread_catch_signal();
	ret = cpu_thread_begin(cpu);
	if (ret)
		return message_fail(STATUS_ENVIRONMENT,
				    "cannot create a timer: %s",
				    strerror(-ret));
	target->has_thread = true;
	set_intercepts(target, cpu->vcpu.vmcb);
	ret = boot(target);
	if (ret)
		return snapshot_failed(-ret);
	if (machine->outcome.ended)
		return boot_failed(target);
	status = breakpoints_insert(target);
	if (status)
		return status;
	ret = take_snapshot(target);
	return ret ? snapshot_failed(-ret) : 0;
}

/* ---- runs ---------------------------------------------------------------- */

/* The processor's timer stays armed for the same moment, which the clock now calls otherwise. */
static void rewind_clock(struct target *target)
{
	struct cpu *cpu = target_cpu(target);
	uint64_t offset = clock_offset;

	clock_continue(target->clock);
	if (cpu->armed)
		cpu->armed += clock_offset - offset;
}

/* Let time continue from the moment of the snapshot. */
static int rewind_time(struct target *target)
{
	struct svmrun_state *state = &target->state;
	struct svm_vmcb *vmcb = target_cpu(target)->vcpu.vmcb;
	const struct svm_vmcb *kept = target->snapshot.vcpus[0].vmcb;

	if (target->is_stale) {
		svmrun_state_init(state, state->bytes, state->size);
		target->is_stale = false;
		return machine_state_rewind(&target->machine, state);
	}
	rewind_clock(target);
	vmcb->control.tsc_offset = kept->control.tsc_offset -
				   (__rdtsc() - target->tsc);
	return 0;
}

static void begin_run(struct target *target)
{
	struct machine *machine = &target->machine;
	double timeout = target->options->run.timeout;

	machine->outcome.ended = false;
	machine->outcome.error = 0;
	machine->outcome.broken = 0;
	machine->limit = SVMRUN_NEVER;
	if (timeout)
		machine->limit = clock_now() +
				 (uint64_t)(timeout * NANOSECONDS);
	target->run++;
	target->calls = 0;
	target->steps = 0;
	target->step_before = 0;
	target->is_counted = false;
	target->exits_before = machine->exits;
}

static void end_late(struct target *target)
{
	struct cpu *cpu = target_cpu(target);

	if (target->killed)
		cpu_end(cpu, 0, VERDICT_KILLED, "%s", "");
	else if (clock_now() >= target->machine.limit)
		cpu_end(cpu, 0, VERDICT_TIMEOUT, "time-out at RIP 0x%llx",
			cpu->vcpu.vmcb->save.rip);
}

struct verdict target_run(struct target *target)
{
	struct machine *machine = &target->machine;
	int ret = rewind_time(target);

	begin_run(target);
	if (ret)
		outcome_end(&machine->outcome, 0, STATUS_ENVIRONMENT,
			    "environment", "cannot reset the devices: %s",
			    strerror(-ret));
	input_give(target);
	while (!machine->outcome.ended) {
		cpu_run_once(target_cpu(target));
		if (!machine->outcome.ended)
			end_late(target);
	}
	return verdict_find(&machine->outcome);
}

int target_reset(struct target *target)
{
	const struct machine *machine = &target->machine;

	/* A device changes only when the guest accesses it, or at its deadline. */
	target->is_stale = machine->exits - target->exits_before !=
				   target->calls ||
			   svmrun_pc_deadline(&machine->pc, 0) !=
				   target->deadline;
	return svmrun_reset(&target->clone);
}

void target_kill(struct target *target)
{
	target->killed = true;
	pthread_mutex_lock(&target->machine.lock);
	cpu_wake(target_cpu(target));
	pthread_mutex_unlock(&target->machine.lock);
}
