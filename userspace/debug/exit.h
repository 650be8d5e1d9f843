/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Exits that the debugger intercepts. Each is either its own event, or the guest's, which
 * receives it then as if it had not been intercepted.
 */
#ifndef DEBUG_EXIT_H
#define DEBUG_EXIT_H

struct cpu;

/* #DB, #BP, INTn, and MOV from and to debug registers */
void exit_db(struct cpu *cpu);
void exit_bp(struct cpu *cpu);
void exit_swint(struct cpu *cpu);
void exit_dr(struct cpu *cpu);

/*
 * Inject the #BP of an INT3 that is the guest's own. Some processors report INT3 as
 * VMEXIT_SWINT; exit_swint() hands it to the handler of #BP.
 */
void debug_inject_bp(struct cpu *cpu);

/* Emulate an instruction, which may hit the debugger's breakpoints. */
void exit_watched_ioio(struct cpu *cpu);
void exit_watched_fault(struct cpu *cpu);

#endif /* DEBUG_EXIT_H */
