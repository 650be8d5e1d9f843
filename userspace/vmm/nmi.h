/* SPDX-License-Identifier: GPL-2.0 */
/*
 * NMIs of the guest (APM 8.2.3). They are masked from the delivery of one until an IRET has
 * completed. The exit for IRET comes before the instruction, which is therefore executed as
 * a single step: with RFLAGS.TF set and exceptions intercepted. So is an instruction in an
 * interrupt shadow while an NMI is pending.
 */
#ifndef NMI_H
#define NMI_H

#include <stdbool.h>
#include <stdint.h>

struct cpu;

/**
 * struct nmi - NMIs of a processor
 * @masked: until an IRET has completed
 * @at_iret: the instruction at @rip is this IRET
 * @steps: the next entry executes a single step
 * @stepping: TF, DR6 and the intercepts of exceptions are the tool's
 * @guest_tf: the guest has set TF
 * @trapped: the #DB of the exit is due to the step
 * @waits: one is pending, and waits until the event in EVENTINJ has been delivered
 * @rip: RIP at the beginning of the step
 * @dr6: the guest's DR6 while stepping
 * @events: events in DR6 after the step
 * @exceptions: the guest's intercepts of exceptions while stepping
 */
struct nmi {
	bool masked;
	bool at_iret;
	bool steps;
	bool stepping;
	bool guest_tf;
	bool trapped;
	bool waits;
	uint64_t rip;
	uint64_t dr6;
	uint64_t events;
	uint32_t exceptions;
};

/* Forget all of this, as INIT does. */
void nmi_reset(struct cpu *cpu);

/*
 * Begin to look for an NMI before an entry. If the processor is at the IRET of an NMI, the
 * entry is a step, unless an event is delivered first.
 */
void nmi_prepare(struct cpu *cpu);

/* The processor continues with another vCPU: intercept IRET there as well. */
void nmi_switch(struct cpu *cpu);

/* Return whether one is pending that is not masked. */
bool nmi_pending(const struct cpu *cpu);

/* Inject it. */
void nmi_inject(struct cpu *cpu);

/* Make one whose delivery was interrupted pending again. */
void nmi_return(struct cpu *cpu);

/* Call these just before the guest is entered, and just after it has exited. */
void nmi_enter(struct cpu *cpu);
void nmi_leave(struct cpu *cpu);

/*
 * After an exit for #DB: add the guest's events of the step to @events, and remove the
 * tool's. Return false if there was no step.
 */
bool nmi_take_step(struct cpu *cpu, uint64_t *events);

/* VMEXIT_IRET */
void exit_iret(struct cpu *cpu);

#endif /* NMI_H */
