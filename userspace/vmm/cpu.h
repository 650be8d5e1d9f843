/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A processor of the guest's machine. What is said of it here is called by its own
 * thread and with the machine's lock, but for cpu_wake(), which is for any thread.
 */
#ifndef CPU_H
#define CPU_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <svmrun.h>

#include "debug.h"
#include "stats.h"

struct machine;

#define RFLAGS_IF (1ull << 9)

/* Bits of EFER that the guest has, where the processor has them */
#define CPU_EFER (SVM_EFER_SCE | SVM_EFER_LME | SVM_EFER_LMA | SVM_EFER_NXE)

/* Its timer's: interrupts a run, or a write */
#define CPU_SIGNAL SIGRTMIN

/**
 * struct cpu - a processor
 * @machine: its machine
 * @id: its number, which is its APIC ID
 * @vcpu: its state
 * @stats: its exits
 * @thread: what runs it
 * @changed: signalled when it has something new to look at
 * @timer: ends a run in time for its next deadline
 * @armed: when that is
 * @in_guest: it is in RUN, or about to be
 * @halted: at a HLT, which it goes on from with the next interrupt
 * @nmi_masked: since an NMI, up to the next IRET
 * @debug: what a debugger has it do
 */
struct cpu {
	struct machine *machine;
	unsigned int id;
	struct svmrun_vcpu vcpu;
	struct stats stats;
	pthread_t thread;
	pthread_cond_t changed;
	timer_t timer;
	uint64_t armed;
	bool in_guest;
	bool halted;
	bool nmi_masked;
	struct debug_cpu debug;
};

/* Its thread, until the run has ended; @argument: the processor */
void *cpu_thread(void *argument);

/* What it does again and again: runs its guest up to an exit, or waits. */
void cpu_turn(struct cpu *cpu);

/* It has something new to look at. */
void cpu_wake(struct cpu *cpu);

/* Interrupts system calls of all, if the run is to be stopped; without the lock. */
void cpu_interrupt_all(struct machine *machine);

/* It waits for another processor to start it. */
bool cpu_waits(const struct cpu *cpu);

/* Ends the run because of what this processor did. */
#define cpu_end(cpu, ...)                                                      \
	machine_end((cpu)->machine, (cpu)->vcpu.vmcb->save.rip, __VA_ARGS__)

/*
 * Goes on after an instruction of so many bytes, as far as the processor does
 * not say itself where the next one is.
 */
void cpu_skip(struct cpu *cpu, unsigned int length);

/* The guest's instruction has failed: #GP(0). */
void cpu_inject_gp(struct cpu *cpu);

/* Gives it an interrupt or an NMI if it can take one, or asks to be told when. */
void cpu_deliver(struct cpu *cpu);

/* There is one that would end its HLT. */
bool cpu_has_event(const struct cpu *cpu);

/* What was being delivered when it left is delivered again. */
void cpu_keep_interrupted(struct cpu *cpu);

/* It can take an interrupt now; it is about to leave its NMI handler. */
void cpu_window(struct cpu *cpu);
void cpu_iret(struct cpu *cpu);

/* Answers the exit that is in the VMCB: exits.c */
void cpu_exit(struct cpu *cpu);

/* CPUID, RDMSR and WRMSR, XSETBV, IN and OUT, VMEXIT_INVALID: one file each */
void cpu_cpuid(struct cpu *cpu);
void cpu_msr(struct cpu *cpu);
void cpu_xsetbv(struct cpu *cpu);
void cpu_ioio(struct cpu *cpu);
void cpu_invalid(struct cpu *cpu);

/* Memory that is not there; CR0 and CR4: bus.c */
void cpu_nested_fault(struct cpu *cpu);
void cpu_control(struct cpu *cpu);

#endif /* CPU_H */
