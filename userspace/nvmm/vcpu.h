/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vCPUs */
#ifndef NVMM_VCPU_H
#define NVMM_VCPU_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <nvmm.h>
#include <svmrun.h>

#include "machine.h"
#include "model/model_msr.h"

#define VCPU_CPUID_LEAVES 32 /* that a program can change */
#define VECTOR_NMI 2
#define MXCSR_MASK 0xffffu
/* Bits of EFER that a guest can use if the processor has them */
#define GUEST_EFER (SVM_EFER_SCE | SVM_EFER_LME | SVM_EFER_LMA | SVM_EFER_NXE)

/**
 * struct nvmm_vcpu_private - a vCPU
 * @cpu: the vCPU of libsvmrun
 * @machine: its machine
 * @id: its number, which is its APIC ID
 * @state: see struct nvmm_vcpu
 * @event: see struct nvmm_vcpu
 * @exit: see struct nvmm_vcpu
 * @callbacks: devices of the program
 * @cpuid: changes of CPUID
 * @cpuid_count: how many
 * @exit_tpr: exit when CR8 changes
 * @int_window: the program has requested an interrupt window
 * @nmi_window: an exit at the next IRET is requested
 * @waiting: interrupts that could not be injected yet, one bit per vector
 * @nmi_waiting: the same for an NMI
 * @next_rip: RIP after the instruction that the program has to execute; valid if
 *	@has_next
 * @has_next: see @next_rip
 * @tsc_read: value of the TSC that the program has read last
 * @tsc_aux: MSR TSC_AUX
 * @msrs: MSRs of the processor's model
 * @wall_clock: MSR of KVM's clock
 * @system_time: the same
 * @clock_cpu: the host's CPU when the page of @system_time was written
 * @in_run: the thread that is in nvmm_vcpu_run() is @thread
 * @thread: see @in_run
 *
 * Only @in_run, @thread and @cpu.regs->immediate_exit are accessed by other threads and
 * by signal handlers.
 */
struct nvmm_vcpu_private {
	struct svmrun_vcpu cpu;
	struct nvmm_machine_private *machine;
	uint32_t id;
	struct nvmm_vcpu_state state;
	struct nvmm_vcpu_event event;
	struct nvmm_vcpu_exit exit;
	struct nvmm_assist_callbacks callbacks;
	struct nvmm_vcpu_conf_cpuid cpuid[VCPU_CPUID_LEAVES];
	unsigned int cpuid_count;
	bool exit_tpr;
	bool int_window;
	bool nmi_window;
	uint64_t waiting[4];
	bool nmi_waiting;
	uint64_t next_rip;
	bool has_next;
	uint64_t tsc_read;
	uint64_t tsc_aux;
	struct model_msrs msrs;
	uint64_t wall_clock;
	uint64_t system_time;
	int clock_cpu;
	atomic_bool in_run;
	pthread_t thread;
};

/* Linear addresses that the processor supports: significant bits */
unsigned int vcpu_address_width(const struct nvmm_vcpu_private *vcpu);

/* Return RIP of the next instruction. @length is that of the usual encoding. */
uint64_t vcpu_next_rip(struct nvmm_vcpu_private *vcpu, unsigned int length);

/* The guest's TSC, and set it. */
uint64_t vcpu_tsc(const struct nvmm_vcpu_private *vcpu);
void vcpu_set_tsc(struct nvmm_vcpu_private *vcpu, uint64_t value);

/* Return whether XCR0 may have this value. */
bool vcpu_is_xcr0(const struct nvmm_vcpu_private *vcpu, uint64_t value);

/* Take a request of another thread or a signal handler to exit. Return whether there was one. */
bool vcpu_take_stop(struct nvmm_vcpu_private *vcpu);

#endif /* NVMM_VCPU_H */
