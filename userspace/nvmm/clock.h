/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * KVM's paravirtual clock (model/time_page.h). A guest that has it need not measure the
 * frequency of its TSC, which fails on a busy host.
 */
#ifndef NVMM_CLOCK_H
#define NVMM_CLOCK_H

#include "vcpu.h"

/* Begin the time of a machine. */
void clock_init(struct nvmm_machine_private *machine);

/* Return whether this is an MSR of the clock. */
bool clock_has_msr(uint32_t msr);

/* Accesses to an MSR of clock_has_msr() */
void clock_write_msr(struct nvmm_vcpu_private *vcpu, uint32_t msr,
		     uint64_t value);
uint64_t clock_read_msr(const struct nvmm_vcpu_private *vcpu, uint32_t msr);

/* Call this before each entry into the guest: the thread may have moved to another CPU. */
void clock_enter(struct nvmm_vcpu_private *vcpu);

/* Write the vCPU's page again after the guest has changed its TSC. */
void clock_update(struct nvmm_vcpu_private *vcpu);

/*
 * Forget the page of a vCPU whose TSC the program has set. After a reset the guest uses
 * its memory for something else; a restored guest's page is still right.
 */
void clock_reset(struct nvmm_vcpu_private *vcpu);

#endif /* NVMM_CLOCK_H */
