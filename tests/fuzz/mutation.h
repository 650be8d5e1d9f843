/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random changes to a guest before a run. Each kind of mutation has its own random
 * numbers, so that omitting one does not change the others.
 */
#ifndef MUTATION_H
#define MUTATION_H

#include <stdbool.h>

#include <svmrun.h>

enum mutation_kind {
	MUTATION_MODE, /* processor mode; otherwise long mode */
	MUTATION_CODE, /* instructions; otherwise HLT */
	MUTATION_TABLES, /* the guest's page tables */
	MUTATION_CONTROL, /* control area: intercepts, TLB, ASID ... */
	MUTATION_EVENT, /* EVENTINJ, virtual interrupts, interrupt shadow */
	MUTATION_STATE, /* state save area */
	MUTATION_REGISTERS, /* registers page */
	MUTATION_MSRPM, /* MSR permission map */
	MUTATION_XSAVE, /* XSAVE area */
	MUTATION_CLEAN, /* random clean bits */
	MUTATION_MEMORY, /* pages that are unmapped or protected */
	MUTATION_RACE, /* a second thread changes everything during the run */
	MUTATION_KINDS,
};

/**
 * struct subject - the object of mutations
 * @info: information about the device
 * @vm: a VM
 * @memory: its memory, GUEST_SIZE bytes
 * @vcpu: its vCPU
 * @no_mercy: also try states that crash emulators (mercy.h)
 * @protected: a page of the memory without permissions, until mutation_undo()
 * @unmapped: a page of the memory that is not mapped, until mutation_undo()
 */
struct subject {
	struct svmrun_info info;
	struct svmrun_vm vm;
	uint8_t *memory;
	struct svmrun_vcpu vcpu;
	bool no_mercy;
	uint8_t *protected;
	uint8_t *unmapped;
};

extern const char *const mutation_name[MUTATION_KINDS];

void mutate(struct subject *subject, uint32_t kinds, uint64_t seed);
void mutation_undo(struct subject *subject);

#endif /* MUTATION_H */
