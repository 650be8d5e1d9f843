// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "machine.h"
#include "status.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define RFLAGS_IF (1ull << 9)

static void halt(struct machine *machine)
{
	const struct svm_vmcb_save *save = &machine->vcpu.vmcb->save;

	if (save->rflags & RFLAGS_IF)
		machine_end(machine, STATUS_UNHANDLED, "unhandled",
			    "VMEXIT_HLT at RIP 0x%llx with interrupts on: this machine has none that could wake it; use CLI before HLT to end",
			    save->rip);
	else
		machine_end(machine, STATUS_HALTED, "halt", "%s", "");
}

/* What is in the VMCB now is undefined (APM 15.14.3), RIP may be too. */
static void shut_down(struct machine *machine)
{
	machine_end(machine, STATUS_SHUTDOWN, "shutdown",
		    "VMEXIT_SHUTDOWN at RIP 0x%llx: triple fault, an exception without a handler in the guest; see where with --trace",
		    machine->vcpu.vmcb->save.rip);
}

static const char *access_kind(uint64_t info)
{
	if (info & SVM_NPF_FETCH)
		return "fetch from";
	return info & SVM_NPF_WRITE ? "write to" : "read of";
}

static void nested_fault(struct machine *machine)
{
	const struct svm_vmcb *vmcb = machine->vcpu.vmcb;

	machine_end(machine, STATUS_UNHANDLED, "unhandled",
		    "VMEXIT_NPF at RIP 0x%llx: %s GPA 0x%llx, where there is no memory; --mem gives more",
		    vmcb->save.rip, access_kind(vmcb->control.exitinfo1),
		    vmcb->control.exitinfo2);
}

static void unhandled(struct machine *machine)
{
	const struct svm_vmcb *vmcb = machine->vcpu.vmcb;
	const char *name = svmrun_exit_name(vmcb->control.exitcode);

	machine_end(machine, STATUS_UNHANDLED, "unhandled",
		    "%s (0x%llx) at RIP 0x%llx: svmrun has no answer to it; EXITINFO1 0x%llx, EXITINFO2 0x%llx",
		    name ? name : "exit without a name", vmcb->control.exitcode,
		    vmcb->save.rip, vmcb->control.exitinfo1,
		    vmcb->control.exitinfo2);
}

static const struct answer {
	uint64_t code;
	void (*give)(struct machine *machine);
} answers[] = {
	{ VMEXIT_IOIO, machine_ioio },
	{ VMEXIT_MSR, machine_msr },
	{ VMEXIT_CPUID, machine_cpuid },
	{ VMEXIT_XSETBV, machine_xsetbv },
	{ VMEXIT_HLT, halt },
	{ VMEXIT_SHUTDOWN, shut_down },
	{ VMEXIT_NPF, nested_fault },
	{ VMEXIT_INVALID, machine_invalid },
};

void machine_exit(struct machine *machine)
{
	uint64_t code = machine->vcpu.vmcb->control.exitcode;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(answers); i++) {
		if (answers[i].code == code) {
			answers[i].give(machine);
			return;
		}
	}
	unhandled(machine);
}
