/* SPDX-License-Identifier: GPL-2.0 */
/* The machine that a guest of svmrun run has, and how its run ended. */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include <svmrun.h>

#include "serial.h"
#include "stats.h"

/* More than a guest breaks by itself */
#define OUTCOME_RULES 16

/**
 * struct outcome - how a run ended
 * @ended: it has
 * @status: exit status; for a signal 128 and its number
 * @kind: a word for programs
 * @message: a line for people, empty if all is well
 * @broken: after VMEXIT_INVALID, how many rules are broken
 * @rules: the first of them
 */
struct outcome {
	bool ended;
	int status;
	const char *kind;
	char message[256];
	unsigned int broken;
	struct svmrun_broken_rule rules[OUTCOME_RULES];
};

/**
 * struct machine - the machine
 * @info: what the processor and the module offer
 * @vcpu: its processor
 * @serial: its serial port
 * @stats: its exits
 * @outcome: how the run ended
 */
struct machine {
	struct svmrun_info info;
	struct svmrun_vcpu vcpu;
	struct serial serial;
	struct stats stats;
	struct outcome outcome;
};

/* Ends the run. */
void machine_end(struct machine *machine, int status, const char *kind,
		 const char *format, ...) __attribute__((format(printf, 4, 5)));

/*
 * Goes on after an instruction of so many bytes, as far as the processor does
 * not say itself where the next one is.
 */
void machine_skip(struct machine *machine, unsigned int length);

/* The guest's instruction has failed: #GP(0). */
void machine_inject_gp(struct machine *machine);

/* Answers the exit that is in the VMCB: exits.c */
void machine_exit(struct machine *machine);

/* CPUID, RDMSR and WRMSR, XSETBV, IN and OUT, VMEXIT_INVALID: a file each */
void machine_cpuid(struct machine *machine);
void machine_msr(struct machine *machine);
void machine_xsetbv(struct machine *machine);
void machine_ioio(struct machine *machine);
void machine_invalid(struct machine *machine);

#endif /* MACHINE_H */
