/* SPDX-License-Identifier: GPL-2.0 */
/*
 * x87 errors while CR0.NE is clear (APM 3.1.1, 8.2.17): as in a PC/AT, they are interrupt
 * 13, and the processor waits for it at the next x87 instruction. Not all processors
 * intercept this state (VMEXIT_FERR_FREEZE), so the guest runs with NE set meanwhile, and
 * #MF and reads of CR0 are intercepted.
 */
#ifndef COPROCESSOR_H
#define COPROCESSOR_H

struct cpu;

/* Call these just before the guest is entered, and just after it has exited. */
void coprocessor_enter(struct cpu *cpu);
void coprocessor_leave(struct cpu *cpu);

/* #MF and VMEXIT_FERR_FREEZE */
void exit_coprocessor_error(struct cpu *cpu);

#endif /* COPROCESSOR_H */
