/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guests are kept from what QEMU 7.2 does not survive, or does not keep apart from
 * the host, though the manual says that it is legal and the guest's own:
 *
 * - #VMEXIT with EFER.LME set and CR4.PAE and CR0.PG clear (APM 14.6.2) leaves the
 *   host without paging. So where LME is set PAE is too, and the guest cannot
 *   change it. They are loaded together, so their clean bits must agree.
 * - An exception at CPL 3 with a busy TSS in TR, or none, ends QEMU.
 * - MOV to CR8 while a virtual interrupt waits ends QEMU.
 * - A breakpoint that the guest sets stays when the guest has left.
 * - PAT, when the guest writes it, is the host's (APM 15.25.4 has G_PAT for it).
 */
#ifndef MERCY_H
#define MERCY_H

#include <svmrun.h>

/* Before each RUN */
void mercy_grant(struct svmrun_vcpu *vcpu);

/* By offset in the vCPU's pages: bits that nobody may change from then on */
uint8_t mercy_bits(uint32_t offset);

#endif /* MERCY_H */
