/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A processor of the guest's machine. The functions are called by its own thread with the
 * machine's lock held, except for cpu_wake(), which any thread may call.
 */
#ifndef CPU_H
#define CPU_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <svmrun.h>

#include "common/stats.h"
#include "lib/x86.h"
#include "model/machine_check.h"
#include "model/model_msr.h"
#include "model/mtrr.h"
#include "nmi.h"

struct debug_cpu;
struct machine;
struct svmrun_nested;

/* Events in DR6 (APM 13.1.1.3) */
#define DR6_EVENTS (DR6_BREAKPOINTS | DR6_BD | DR6_BS | DR6_BT)

/* Bits of EFER that the guest can use if the processor has them */
#define CPU_EFER (SVM_EFER_SCE | SVM_EFER_LME | SVM_EFER_LMA | SVM_EFER_NXE)

/**
 * struct cpu - a processor
 * @machine: its machine
 * @id: its number, which is its APIC ID
 * @vcpu: its state; with --nested, that of the guest's guest while that runs
 * @own: the vCPU of the guest itself
 * @svm: SVM for the guest, NULL without --nested
 * @window: waits for an interrupt window of the guest's guest
 * @stats: its exits
 * @thread: its thread
 * @changed: signalled by cpu_wake()
 * @timer: ends a run at the next deadline
 * @armed: the deadline that @timer is set to
 * @in_guest: in RUN, or about to call it
 * @halted: waits at HLT for an interrupt
 * @frozen: waits, but at an x87 instruction
 * @blocked: waits for standard output or a disk
 * @hides_ne: CR0.NE is set only while the guest runs
 * @nmi: its NMIs
 * @deferred: an interrupt whose delivery was interrupted, or 0
 * @kvmclock: the MSR for its page of KVM's clock
 * @kvmclock_cpu: the CPU of the host on which that page was written
 * @tsc_aux: TSC_AUX
 * @mtrr: memory type range registers
 * @check: machine-check registers
 * @model_msrs: other MSRs
 * @debug: a debugger's state of this processor
 */
struct cpu {
	struct machine *machine;
	unsigned int id;
	struct svmrun_vcpu vcpu;
	struct svmrun_vcpu own;
	struct svmrun_nested *svm;
	bool window;
	struct stats stats;
	pthread_t thread;
	pthread_cond_t changed;
	timer_t timer;
	uint64_t armed;
	bool in_guest;
	bool halted;
	bool frozen;
	bool blocked;
	bool hides_ne;
	struct nmi nmi;
	uint64_t deferred;
	uint64_t kvmclock;
	int kvmclock_cpu;
	uint32_t tsc_aux;
	struct mtrr mtrr;
	struct machine_check check;
	struct model_msrs model_msrs;
	struct debug_cpu *debug;
};

/* Make the processor check for interrupts and other changes, in the guest or waiting. */
void cpu_wake(struct cpu *cpu);

/* Return whether the processor waits for another one to start it. */
bool cpu_waits_for_sipi(const struct cpu *cpu);

/*
 * Return the time stamp counter that the processor would read now; and that of the guest,
 * which its devices and KVM's clock use, also while the guest's guest runs with another
 * offset.
 */
uint64_t cpu_tsc(const struct cpu *cpu);
uint64_t cpu_own_tsc(const struct cpu *cpu);
uint64_t cpu_own_tsc_offset(const struct cpu *cpu);

/* Return whether an INIT or a startup message is pending. */
bool cpu_has_message(const struct cpu *cpu);

/* End the run, with this processor's RIP. */
#define cpu_end(cpu, ...)                                                      \
	outcome_end(&(cpu)->machine->outcome, (cpu)->vcpu.vmcb->save.rip,      \
		    __VA_ARGS__)

/* Set the intercepts that every guest's processor has. The guest has its state already. */
void cpu_set_intercepts(struct cpu *cpu);

/* Inject #GP(0) or #UD for the instruction that exited. */
void cpu_inject_gp(struct cpu *cpu);
void cpu_inject_ud(struct cpu *cpu);

/*
 * Inject an exception that was intercepted, as if it had not been: #DB with these events
 * in DR6, or another one with the error code of the exit.
 */
void cpu_inject_db(struct cpu *cpu, uint64_t events);
void cpu_inject_intercepted(struct cpu *cpu);

#endif /* CPU_H */
