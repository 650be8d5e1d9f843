/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Keep guests from states that crash QEMU 7.2, or in which it does not separate
 * them from the host, although the manual permits them:
 *
 * - #VMEXIT with EFER.LME set and CR4.PAE and CR0.PG clear (APM 14.6.2) leaves the
 *   host without paging. So if LME is set, PAE is set too, and the guest cannot
 *   change it. Both are loaded together, so their clean bits must agree.
 * - An exception at CPL 3 with a busy TSS in TR, or with none, crashes QEMU.
 * - MOV to CR8 while a virtual interrupt is pending crashes QEMU.
 * - A breakpoint that the guest sets stays active after #VMEXIT.
 * - A guest's write to PAT changes the host's PAT (G_PAT, APM 15.25.4, is ignored).
 */
#ifndef MERCY_H
#define MERCY_H

#include <svmrun.h>

/* Call before each RUN. */
void mercy_grant(struct svmrun_vcpu *vcpu);

/*
 * Return the bits at an offset in the vCPU's pages that must not change afterwards.
 */
uint8_t mercy_bits(uint32_t offset);

#endif /* MERCY_H */
