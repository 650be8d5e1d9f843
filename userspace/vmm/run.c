// SPDX-License-Identifier: GPL-2.0
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "common/clock.h"
#include "common/signals.h"
#include "common/status.h"
#include "common/thread.h"
#include "cpu_thread.h"
#include "run.h"
#include "top.h"

/* How often to interrupt system calls of the processors until the lock is free */
#define INTERRUPT_PERIOD (NANOSECONDS / 100)

static void end_by_signal(struct machine *machine, int number)
{
	__u64 rip = machine->cpus[0].vcpu.vmcb->save.rip;

	if (number == SIGALRM)
		outcome_end(&machine->outcome, rip, STATUS_TIMEOUT, "timeout",
			    "time-out at RIP 0x%llx", rip);
	else
		outcome_end(&machine->outcome, rip, STATUS_SIGNAL + number,
			    "signal", "ended by signal %d (%s) at RIP 0x%llx",
			    number, strsignal(number), rip);
}

/* Start the processors' threads, and return how many. */
static unsigned int start_threads(struct machine *machine)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < machine->cpu_count; i++) {
		ret = thread_start(&machine->cpus[i].thread, CPU_SIGNAL,
				   cpu_thread, &machine->cpus[i]);
		if (ret)
			break;
	}
	if (ret)
		outcome_end(&machine->outcome, 0, STATUS_ENVIRONMENT,
			    "environment",
			    "cannot create a thread for a processor: %s",
			    strerror(-ret));
	return i;
}

/* Start the threads for output and disks. */
static void start_host_threads(struct machine *machine)
{
	int ret = output_start(&machine->console.output);

	if (!ret)
		ret = machine_start_disks(machine);
	if (ret)
		outcome_end(&machine->outcome, 0, STATUS_ENVIRONMENT,
			    "environment",
			    "cannot create a thread for output or a disk: %s",
			    strerror(-ret));
}

static void interrupt_threads(struct machine *machine)
{
	unsigned int i;

	for (i = 0; i < machine->cpu_count; i++)
		pthread_kill(machine->cpus[i].thread, CPU_SIGNAL);
}

/*
 * Take the lock. If a signal ends the run, interrupt the processor that holds the lock: it
 * may be blocked in a write to standard error.
 */
static void lock_machine(struct machine *machine)
{
	struct timespec until;

	while (signals_received()) {
		interrupt_threads(machine);
		until = clock_timespec(clock_now() + INTERRUPT_PERIOD);
		if (!pthread_mutex_clocklock(&machine->lock, CLOCK_MONOTONIC,
					     &until))
			return;
	}
	pthread_mutex_lock(&machine->lock);
}

/*
 * Release the lock and wait for the console. At the end of input, wake processor 0: a
 * guest that waits only for input can receive no interrupt from now on.
 */
static void wait_for_console(struct machine *machine, uint64_t until)
{
	struct console *console = &machine->console;

	console_prepare_wait(console);
	pthread_mutex_unlock(&machine->lock);
	console_wait(console, until);
	lock_machine(machine);
	console_read_input(console);
	if (console->at_end)
		cpu_wake(&machine->cpus[0]);
}

static uint64_t next_report(const struct machine *machine,
			    const struct top *top)
{
	return machine->options->top ? top_due(top) : SVMRUN_NEVER;
}

/* Print a report if SIGUSR1 or Ctrl-A s has requested one, or if --top is due. */
static void print_report(struct machine *machine, struct top *top)
{
	bool requested = signals_report_requested() ||
			 machine->console.report_requested;

	machine->console.report_requested = false;
	if (requested || next_report(machine, top) <= clock_now())
		top_show(machine, top, !requested);
}

/* Save the machine if SIGUSR2 or Ctrl-A w has requested it. */
static void request_save(struct machine *machine)
{
	bool requested = signals_save_requested() ||
			 machine->console.save_requested;

	machine->console.save_requested = false;
	if (requested)
		save_request(machine);
}

/* All processors have stopped. */
static void handle_stop(struct machine *machine)
{
	if (machine->stop.reset)
		machine_reset(machine);
	if (!machine->stop.reset && machine->stop.save)
		save_machine(machine);
	stop_end(machine);
}

void machine_run(struct machine *machine)
{
	struct top top = { .time = clock_now() };
	unsigned int i, threads;

	stats_begin(&machine->times);
	pthread_mutex_lock(&machine->lock);
	start_host_threads(machine);
	cpu_thread_catch_signal();
	threads = start_threads(machine);
	outcome_confine(&machine->outcome, SANDBOX_MAIN);
	while (!machine->outcome.ended) {
		wait_for_console(machine, next_report(machine, &top));
		print_report(machine, &top);
		request_save(machine);
		if (signals_received())
			end_by_signal(machine, signals_received());
		else if (stop_is_complete(machine))
			handle_stop(machine);
	}
	pthread_mutex_unlock(&machine->lock);
	for (i = 0; i < threads; i++)
		pthread_join(machine->cpus[i].thread, NULL);
	stats_end(&machine->times);
	machine_end_disks(machine);
	console_end_output(&machine->console);
}
