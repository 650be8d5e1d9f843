/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Setup for hostile guests: the program intercepts only HLT, and its MSR permission
 * map is all zeros, so that whatever stops the guest is enforced by the module.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include "host.h"

/**
 * GUEST_AT() - a guest in two parts; NAME_at is the beginning of the second
 * @name: as for GUEST()
 * @bits: as for GUEST()
 * @first: assembly
 * @second: assembly
 */
#define GUEST_AT(name, bits, first, second)                                    \
	GUEST(name, bits, first "\n" #name "_at: " second);                    \
	extern const char name##_at[] asm(#name "_at")

static inline void intercept_nothing(struct svmrun_vcpu *vcpu)
{
	struct svm_vmcb_control *control = &vcpu->vmcb->control;

	memset(control->intercept, 0, sizeof(control->intercept));
	control->intercept[3] = SVM_INTERCEPT3_HLT;
	memset(vcpu->msrpm, 0, 2 * PAGE);
}

static inline void load_hostile(struct machine *m, enum machine_mode mode,
				const char *code, const char *code_end)
{
	machine_load(m, mode, code, code_end);
	intercept_nothing(&m->vcpu);
	m->vcpu.vmcb->save.idtr.limit = 0; /* any exception ends in SHUTDOWN */
}

#define LOAD_HOSTILE(m, mode, guest) load_hostile(m, mode, guest, guest##_end)

/*
 * RUN from the beginning of the code. Return the exit code, or 0 if the call
 * failed.
 */
static inline uint64_t exit_at_code(struct machine *m)
{
	m->vcpu.vmcb->save.rip = MACHINE_CODE;
	return machine_run(m) ? 0 : m->vcpu.vmcb->control.exitcode;
}

#endif /* HOSTILE_H */
