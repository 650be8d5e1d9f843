/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interrupts for the guest (APM 15.20, 15.21), and their order with NMIs (nmi.h). One that
 * the guest can take is injected by EVENTINJ. Otherwise a virtual interrupt is made pending
 * and VINTR intercepted, which exits as soon as the guest can take it.
 */
#ifndef INTERRUPTS_H
#define INTERRUPTS_H

#include "cpu.h"

/* Return whether the processor would take an interrupt. */
bool interrupts_enabled(const struct cpu *cpu);

/* Return whether an interrupt or NMI is pending that ends HLT. */
bool interrupts_pending(const struct cpu *cpu);

/*
 * Inject a pending interrupt or NMI, or intercept the moment when the guest can take it.
 */
void interrupts_inject(struct cpu *cpu);

/* Inject an event again whose delivery the exit interrupted. */
void interrupts_reinject(struct cpu *cpu);

/*
 * CR8 is the upper half of the task priority of the local APIC (APM 16.6.4): set CR8
 * before the guest is entered, and the task priority after the guest may have set CR8.
 */
void interrupts_load_cr8(struct cpu *cpu);
void interrupts_store_cr8(struct cpu *cpu);

/* Stop intercepting that moment. */
void interrupts_close_window(struct cpu *cpu);

/* VMEXIT_VINTR */
void exit_vintr(struct cpu *cpu);

#endif /* INTERRUPTS_H */
