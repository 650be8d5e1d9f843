/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SVM for the guest, with --nested: svmrun/nested.h, for the processors of the machine.
 * Without it, the functions behave like a processor whose GIF is always 1. They need the
 * machine's lock. Between VMRUN and #VMEXIT, the processor's vCPU is that of the guest's own
 * guest.
 */
#ifndef GUEST_SVM_H
#define GUEST_SVM_H

#include <svmrun/nested.h>

#include "cpu.h"

/* Create it for a processor. Return 0 or a negative errno. */
int guest_svm_create(struct cpu *cpu, int device);
void guest_svm_destroy(struct cpu *cpu);

/*
 * Write the records of the guest's vCPU, and of its SVM; and read them. The time stamp counter
 * continues if @ticks is subtracted from the offset.
 */
void guest_svm_save(const struct cpu *cpu, struct svmrun_state *state);
void guest_svm_load(struct cpu *cpu, struct svmrun_state *state,
		    uint64_t ticks);

/* Return to the guest's own vCPU after RESET# or INIT. */
void guest_svm_reset(struct cpu *cpu);

/* Return whether the guest is between VMRUN and #VMEXIT. */
bool guest_svm_is_active(const struct cpu *cpu);

/* Return whether CR8 is not the priority of the local APIC now. */
bool guest_svm_virtual_tpr(const struct cpu *cpu);

/* Return whether a virtual interrupt is pending that the processor will deliver. */
bool guest_svm_has_interrupt(const struct cpu *cpu);

/* Return the VMCB of the last VMRUN, in the guest's memory; NULL if there is none. */
const struct svm_vmcb *guest_svm_vmcb(const struct cpu *cpu, uint64_t *gpa);

/* Prepare the next run, with an interrupt window if @window is set. */
void guest_svm_enter(struct cpu *cpu, bool window);

/* Handle an exit. Return false if it is the machine's. */
bool guest_svm_exit(struct cpu *cpu);

/* End the run of the guest's guest if the machine could not execute its instruction. */
bool guest_svm_fault(struct cpu *cpu);

/*
 * End the run of the guest's guest, with SHUTDOWN, because the machine does not support its
 * exit. --explain prints @why. Return false if the run of the guest has to end.
 */
bool guest_svm_shutdown(struct cpu *cpu, const char *why);

/* See svmrun_nested_action() and svmrun_nested_event(). */
enum svmrun_nested_action guest_svm_action(const struct cpu *cpu,
					   uint64_t exitcode);
enum svmrun_nested_action guest_svm_event(struct cpu *cpu, uint64_t exitcode);

/* Access an MSR of SVM. Return false if the guest does not have it. */
bool guest_svm_read_msr(const struct cpu *cpu, uint32_t msr, uint64_t *value);
bool guest_svm_write_msr(struct cpu *cpu, uint32_t msr, uint64_t value);
bool guest_svm_has_msr(const struct cpu *cpu, uint32_t msr);

/* EFER.SVME as the guest sees it. Setting it returns false for #GP. */
bool guest_svm_get_svme(const struct cpu *cpu);
bool guest_svm_set_svme(struct cpu *cpu, bool svme);

/* For struct svmrun_bus */
int guest_svm_translate(void *owner, uint64_t gpa, uint32_t access,
			uint64_t *physical);

#endif /* GUEST_SVM_H */
