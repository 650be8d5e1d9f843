/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The state of a vCPU, from which it is resumed later or elsewhere: svmrun/state.h */
#ifndef SVMRUN_SAVED_H
#define SVMRUN_SAVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <svmrun.h>
#include <svmrun/state.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * svmrun_vcpu_save() - write the state of a vCPU to a record
 * @vcpu: the vCPU, which is not running, and whose last exit has been completed
 * @state: the records
 *
 * The record has the guest's registers, its extended state, and the controls of the VMCB that
 * a program sets: intercepts, TSC offset, virtual interrupt and event to be injected. The MSR
 * permission map is not part of it.
 */
void svmrun_vcpu_save(const struct svmrun_vcpu *vcpu,
		      struct svmrun_state *state);

/**
 * svmrun_vcpu_load() - read the state of a vCPU from a record
 * @vcpu: the vCPU, which is not running; the rest of its VMCB remains
 * @state: the records
 * @ticks: by how much the host's time stamp counter has advanced while the guest's has not;
 *	subtracted from the TSC offset. 0 if the guest has not been stopped
 *
 * The module checks the state at the next run, as that of any program. XSAVE areas of
 * different sizes have the part in common that the smaller one has.
 *
 * Return: 0 or the first error of @state, see svmrun_state_open().
 */
int svmrun_vcpu_load(struct svmrun_vcpu *vcpu, struct svmrun_state *state,
		     uint64_t ticks);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_SAVED_H */
