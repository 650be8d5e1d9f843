// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "bus.h"
#include "common/clock.h"
#include "common/status.h"
#include "common/trace.h"
#include "coprocessor.h"
#include "cpu_thread.h"
#include "debug_hooks.h"
#include "guest_svm.h"
#include "interrupts.h"
#include "kvmclock.h"
#include "machine.h"
#include "model/vmcb_msr.h"

/*
 * How long an NMI waits for the delivery of another event. The entry into the guest must
 * take less time.
 */
#define NMI_WAIT (NANOSECONDS / 1000)

/* The processor of this thread, for the timer's signal handler */
static __thread struct cpu *self;

/* If RUN is about to be called, @immediate_exit makes it return at once. */
static void on_timer(int number)
{
	if (self)
		self->vcpu.regs->immediate_exit = 1;
}

void cpu_thread_catch_signal(void)
{
	struct sigaction action = { .sa_handler = on_timer };

	sigemptyset(&action.sa_mask);
	sigaction(CPU_SIGNAL, &action, NULL);
}

static int create_timer(struct cpu *cpu)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = CPU_SIGNAL,
	};

	event._sigev_un._tid = gettid();
	return timer_create(CLOCK_MONOTONIC, &event, &cpu->timer) ? -errno : 0;
}

/*
 * Leave the timer if it expires before the deadline: that costs only an exit. A timer
 * that was set to a time in the past has expired.
 */
static void arm_timer(struct cpu *cpu, uint64_t now, uint64_t deadline)
{
	const struct itimerspec when = { .it_value = clock_timespec(deadline) };

	if (deadline == SVMRUN_NEVER ||
	    (cpu->armed > now && cpu->armed <= deadline))
		return;
	timer_settime(cpu->timer, TIMER_ABSTIME, &when, NULL);
	cpu->armed = deadline;
}

static uint64_t next_deadline(const struct cpu *cpu)
{
	const struct machine *machine = cpu->machine;
	uint64_t next = svmrun_pc_deadline(&machine->pc, cpu->id);

	if (machine->limit < next)
		next = machine->limit;
	if (cpu->nmi.waits && next > clock_now() + NMI_WAIT)
		next = clock_now() + NMI_WAIT;
	return next < machine->console.flush_at ? next :
						  machine->console.flush_at;
}

static void wait_for_change(struct cpu *cpu)
{
	uint64_t until = next_deadline(cpu);
	struct timespec when = clock_timespec(until);

	if (until == SVMRUN_NEVER)
		pthread_cond_wait(&cpu->changed, &cpu->machine->lock);
	else
		pthread_cond_timedwait(&cpu->changed, &cpu->machine->lock,
				       &when);
}

static bool is_idle(const struct cpu *cpu, bool forever)
{
	if (cpu_has_message(cpu))
		return false;
	if (cpu_waits_for_sipi(cpu))
		return true;
	return cpu->halted && !interrupts_pending(cpu) &&
	       (!forever || !interrupts_enabled(cpu));
}

static bool all_idle(const struct machine *machine, bool forever)
{
	unsigned int i;

	for (i = 0; i < machine->cpu_count; i++)
		if (!is_idle(&machine->cpus[i], forever))
			return false;
	return true;
}

static bool has_timers(const struct machine *machine)
{
	unsigned int i;

	for (i = 0; i < machine->cpu_count; i++)
		if (svmrun_pc_deadline(&machine->pc, i) != SVMRUN_NEVER)
			return true;
	return false;
}

/* Return whether a device can send an interrupt later. */
static bool awaits_device(const struct machine *machine)
{
	return has_timers(machine) || machine_awaits_disk(machine) ||
	       console_can_interrupt(&machine->console);
}

/*
 * End the run if all processors have nothing to do, and if either no device can send an
 * interrupt, or all interrupts are disabled and no device's interrupt is an NMI.
 */
static void end_idle_run(struct cpu *cpu)
{
	struct machine *machine = cpu->machine;

	bool awaits = awaits_device(machine);

	if (all_idle(machine, true) &&
	    !(awaits && svmrun_pc_sends_nmi(&machine->pc)))
		cpu_end(cpu, STATUS_HALTED, "halt", "%s", "");
	else if (all_idle(machine, false) && !awaits)
		cpu_end(cpu, STATUS_UNHANDLED, "unhandled",
			"VMEXIT_HLT at RIP 0x%llx with interrupts enabled, but no device can send one; to end the run, use CLI before HLT",
			cpu->vcpu.vmcb->save.rip);
}

/*
 * The processor has nothing to do. Before the run ends, wait until the output is written,
 * because an error of standard output is the outcome then.
 */
static void idle_cpu(struct cpu *cpu)
{
	struct machine *machine = cpu->machine;

	console_flush(&machine->console);
	cpu->blocked = !output_is_empty(&machine->console.output);
	if (!cpu->blocked)
		end_idle_run(cpu);
	if (!machine->outcome.ended)
		wait_for_change(cpu);
	cpu->blocked = false;
}

/* RUN fails if there is no memory for the guest, or if SVM is not available any more. */
static void end_run_failed(struct cpu *cpu, int error)
{
	const struct svm_vmcb *vmcb = cpu->vcpu.vmcb;
	__u64 rip = vmcb->save.rip;

	cpu->machine->outcome.error = error;
	if (vmcb->control.exitcode == VMEXIT_NPF)
		cpu_end(cpu, STATUS_UNHANDLED, "unhandled",
			"VMEXIT_NPF at RIP 0x%llx: no host memory for GPA 0x%llx: %s; end other programs or use a smaller --mem",
			rip, vmcb->control.exitinfo2, strerror(error));
	else
		cpu_end(cpu, STATUS_UNHANDLED, "unhandled",
			"RUN failed at RIP 0x%llx: %s; see the kernel's log (dmesg)",
			rip, strerror(error));
}

static void handle_exit(struct cpu *cpu)
{
	struct machine *machine = cpu->machine;
	uint64_t rip = cpu->vcpu.vmcb->save.rip;

	cpu->vcpu.vmcb->control.eventinj = 0;
	machine->exits++;
	stats_count(&cpu->stats, cpu->vcpu.vmcb->control.exitcode);
	if (machine->options->trace)
		trace_exit(stderr, machine->options->json, machine->exits,
			   &cpu->vcpu);
	exit_handle(cpu);
	if (machine->hooks)
		machine->hooks->handled(cpu);
	if (!machine->outcome.ended)
		interrupts_reinject(cpu);
	else if (!machine->outcome.rip)
		machine->outcome.rip = rip;
}

/*
 * From now on, each change of a field clears the clean bit of its group (APM 15.15), except
 * for those by a debugger, and by SVM for the guest.
 */
static void set_clean_bits(struct cpu *cpu)
{
	if (!cpu->machine->hooks && !cpu->svm)
		cpu->vcpu.vmcb->control.clean = SVM_CLEAN_ALL;
}

static void enter_guest(struct cpu *cpu)
{
	const struct debug_hooks *hooks = cpu->machine->hooks;
	int ret;

	interrupts_load_cr8(cpu);
	coprocessor_enter(cpu);
	nmi_enter(cpu);
	if (hooks)
		hooks->enter(cpu);
	kvmclock_enter(cpu);
	guest_svm_enter(cpu, cpu->window);
	cpu->in_guest = true;
	pthread_mutex_unlock(&cpu->machine->lock);
	ret = svmrun_vcpu_run(&cpu->vcpu);
	pthread_mutex_lock(&cpu->machine->lock);
	cpu->in_guest = false;
	if (!ret)
		set_clean_bits(cpu);
	if (hooks)
		hooks->leave(cpu);
	nmi_leave(cpu);
	coprocessor_leave(cpu);
	interrupts_store_cr8(cpu);
	if (cpu->machine->outcome.ended || ret == -EINTR)
		return;
	if (ret < 0)
		end_run_failed(cpu, -ret);
	else
		handle_exit(cpu);
}

/* A hypervisor may intercept INIT, or hold it with GIF (APM 15.13.4, 15.17). */
static bool init_is_due(struct cpu *cpu)
{
	return guest_svm_event(cpu, VMEXIT_INIT) == SVMRUN_NESTED_DELIVER;
}

/* Take INIT and SIPI that other processors have sent (APM 15.27.8, 16.5). */
static void take_init_sipi(struct cpu *cpu)
{
	struct svmrun_lapic *lapic = &cpu->machine->pc.lapics[cpu->id];
	int vector;

	if (lapic->init && !init_is_due(cpu))
		return;
	if (svmrun_lapic_take_init(lapic)) {
		guest_svm_reset(cpu);
		svmrun_mode_init(&cpu->vcpu);
		cpu->halted = false;
		cpu->frozen = false;
		nmi_reset(cpu);
		cpu->deferred = 0;
	}
	vector = svmrun_lapic_take_sipi(lapic);
	if (vector >= 0) {
		cpu->vcpu.vmcb->save.cs.selector = vector << 8;
		cpu->vcpu.vmcb->save.cs.base = (uint64_t)vector << 12;
		cpu->vcpu.vmcb->control.clean &= ~SVM_CLEAN_SEG;
		cpu->vcpu.vmcb->save.rip = 0;
	}
}

static bool debugger_holds(struct cpu *cpu)
{
	const struct debug_hooks *hooks = cpu->machine->hooks;

	return hooks && hooks->hold(cpu);
}

static bool debugger_steps(const struct cpu *cpu)
{
	const struct debug_hooks *hooks = cpu->machine->hooks;

	return hooks && hooks->is_stepping(cpu);
}

static void debugger_step_done(struct cpu *cpu)
{
	if (cpu->machine->hooks)
		cpu->machine->hooks->step_done(cpu);
}

static void end_halt(struct cpu *cpu)
{
	cpu->halted = false;
	if (!cpu->frozen)
		bus_complete(cpu, HLT_LENGTH);
	cpu->frozen = false;
}

/* Return true after waiting, if the processor must wait for a device. */
static bool wait_for_device(struct cpu *cpu)
{
	cpu->blocked = cpu->blocked && machine_blocks_cpu(cpu->machine);
	if (cpu->blocked)
		wait_for_change(cpu);
	return cpu->blocked;
}

/* Return true if an event has ended the run of the guest's guest. */
static bool inject_or_switch(struct cpu *cpu)
{
	bool nested = guest_svm_is_active(cpu);

	interrupts_inject(cpu);
	return guest_svm_is_active(cpu) != nested;
}

void cpu_run_once(struct cpu *cpu)
{
	struct machine *machine = cpu->machine;
	uint64_t now;

	if (debugger_holds(cpu))
		return;
	cpu->vcpu.regs->immediate_exit = 0;
	/* After @immediate_exit was cleared: later events set it again. */
	now = clock_now();
	svmrun_pc_advance(&machine->pc, cpu->id, now);
	if (machine->console.flush_at <= now)
		console_flush(&machine->console);
	if (wait_for_device(cpu))
		return;
	take_init_sipi(cpu);
	if (cpu_waits_for_sipi(cpu) ||
	    (cpu->halted && !interrupts_pending(cpu))) {
		if (debugger_steps(cpu))
			debugger_step_done(cpu);
		else
			idle_cpu(cpu);
		return;
	}
	if (cpu->halted) {
		end_halt(cpu);
		debugger_step_done(cpu);
		return;
	}
	if (debugger_steps(cpu))
		interrupts_close_window(cpu);
	else if (inject_or_switch(cpu))
		return;
	arm_timer(cpu, now, next_deadline(cpu));
	enter_guest(cpu);
}

/* Set what the tool adds to the state that the guest's loader has set. */
static void prepare_cpu(struct cpu *cpu)
{
	cpu_set_intercepts(cpu);
	vmcb_msr_permit(&cpu->vcpu);
}

static void stop_cpu(struct cpu *cpu)
{
	const struct stop *stop = &cpu->machine->stop;
	uint64_t resets = stop->resets;

	stop_wait(cpu);
	if (stop->resets != resets)
		prepare_cpu(cpu);
}

int cpu_thread_begin(struct cpu *cpu)
{
	self = cpu;
	prepare_cpu(cpu);
	return create_timer(cpu);
}

void cpu_thread_end(struct cpu *cpu)
{
	timer_delete(cpu->timer);
	self = NULL;
}

void *cpu_thread(void *argument)
{
	struct cpu *cpu = argument;
	struct machine *machine = cpu->machine;
	int ret;

	pthread_mutex_lock(&machine->lock);
	ret = cpu_thread_begin(cpu);
	if (ret)
		cpu_end(cpu, STATUS_ENVIRONMENT, "environment",
			"cannot create a timer: %s", strerror(-ret));
	outcome_confine(&machine->outcome, SANDBOX_CPU);
	while (!machine->outcome.ended)
		if (stop_is_pending(machine))
			stop_cpu(cpu);
		else
			cpu_run_once(cpu);
	if (!ret)
		cpu_thread_end(cpu);
	pthread_mutex_unlock(&machine->lock);
	return NULL;
}
