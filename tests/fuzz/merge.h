/* SPDX-License-Identifier: GPL-2.0 */
/* The scripts of merge.c, which seeds.c writes too. */
#ifndef MERGE_H
#define MERGE_H

/* A byte each, followed by its arguments */
enum merge_step {
	MERGE_SET, /* offset (2), size (1), value (8): the program's VMCB */
	MERGE_WRITE, /* number (1), value (8): what the processor may write */
	MERGE_LOAD,
	MERGE_PUBLISH,
	MERGE_INJECT, /* type (1), vector (1): EVENTINJ of the program's */
	MERGE_NOTE,
	MERGE_CUT_SHORT, /* RIP (1): what was injected is not delivered */
	MERGE_RESUME,
	MERGE_REFLECT, /* vector (1) */
	MERGE_REQUEST, /* word (1), value (8): MSR permission map */
	MERGE_PERMIT, /* LBR virtualization (1) */
	MERGE_VCPU, /* features (4): a new vCPU */
	MERGE_STEPS,
};

#endif /* MERGE_H */
