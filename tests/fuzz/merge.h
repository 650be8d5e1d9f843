/* SPDX-License-Identifier: GPL-2.0 */
/* Script format of merge.c; seeds.c writes such scripts */
#ifndef MERGE_H
#define MERGE_H

/* One byte each, followed by its arguments */
enum merge_step {
	MERGE_SET, /* offset (2), size (1), value (8): write to the program's VMCB */
	MERGE_WRITE, /* number (1), value (8): write by the processor */
	MERGE_LOAD,
	MERGE_PUBLISH,
	MERGE_INJECT, /* type (1), vector (1): set the program's EVENTINJ */
	MERGE_NOTE,
	MERGE_CUT_SHORT, /* RIP (1): the injected event is not delivered */
	MERGE_RESUME,
	MERGE_REFLECT, /* vector (1) */
	MERGE_REQUEST, /* word (1), value (8): set the MSR permission map */
	MERGE_PERMIT, /* LBR virtualization (1) */
	MERGE_VCPU, /* features (4): create a vCPU */
	MERGE_STEPS,
};

#endif /* MERGE_H */
