/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events: injection, and the windows in which the guest can take them */
#ifndef NVMM_EVENTS_H
#define NVMM_EVENTS_H

#include "vcpu.h"

/*
 * Inject an event, as EVENTINJ has it (APM 15.20). If another one has to come first, an
 * interrupt or NMI waits; an exception is dropped, because the instruction raises it again.
 */
void events_inject(struct nvmm_vcpu_private *vcpu, uint64_t event);

/* Before a run: inject what waits, or open a window for it. */
void events_enter(struct nvmm_vcpu_private *vcpu);

/* After an exit was handled: inject the event again whose delivery it interrupted. */
void events_reinject(struct nvmm_vcpu_private *vcpu);

/* Return whether the guest would take a pending interrupt if it ran. */
bool events_pending(const struct nvmm_vcpu_private *vcpu);

#endif /* NVMM_EVENTS_H */
