/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is random about a run: kinds of mutation, each with random numbers of its
 * own, so that leaving one out leaves the others as they are.
 */
#ifndef MUTATION_H
#define MUTATION_H

#include <stdbool.h>

#include <svmrun.h>

enum mutation_kind {
	MUTATION_MODE, /* of the processor, else long mode */
	MUTATION_CODE, /* instructions, else HLT */
	MUTATION_TABLES, /* of the guest's pages */
	MUTATION_CONTROL, /* control area: intercepts, TLB, ASID ... */
	MUTATION_EVENT, /* EVENTINJ, virtual interrupts, interrupt shadow */
	MUTATION_STATE, /* state save area */
	MUTATION_REGISTERS, /* registers page */
	MUTATION_MSRPM, /* MSR permission map */
	MUTATION_XSAVE, /* XSAVE area */
	MUTATION_CLEAN, /* clean bits, which lie */
	MUTATION_MEMORY, /* pages that the guest has not, or not to write */
	MUTATION_RACE, /* a second thread changes all of it meanwhile */
	MUTATION_KINDS,
};

/**
 * struct subject - what is mutated
 * @info: of the device
 * @vm: a VM
 * @memory: its memory, GUEST_SIZE bytes
 * @vcpu: its vCPU
 * @no_mercy: emulators that do not survive it need not (mercy.h)
 * @protected: a page of the memory that is, until mutation_undo()
 * @unmapped: a page that the VM has not, until mutation_undo()
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
