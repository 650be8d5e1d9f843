// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "bus.h"
#include "common/status.h"
#include "machine.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define VECTOR_UD 6

/* RIP stays at the HLT until something ends it. */
static void halt(struct cpu *cpu)
{
	cpu->halted = true;
}

/* What is in the VMCB now is undefined (APM 15.14.3), RIP may be too. */
static void shut_down(struct cpu *cpu)
{
	cpu_end(cpu, STATUS_SHUTDOWN, "shutdown",
		"VMEXIT_SHUTDOWN at RIP 0x%llx: triple fault, an exception without a handler in the guest; see where with --trace",
		cpu->vcpu.vmcb->save.rip);
}

/* The host's caches are coherent, and the guest has no others. */
static void flush_caches(struct cpu *cpu)
{
	cpu_skip(cpu, bus_instruction_length(cpu));
}

/* Of a feature that the guest's CPUID does not show */
static void undefined(struct cpu *cpu)
{
	cpu->vcpu.vmcb->control.eventinj = SVM_EVENT_VALID |
					   SVM_EVENT_TYPE_EXCEPTION | VECTOR_UD;
}

static void unhandled(struct cpu *cpu)
{
	const struct svm_vmcb *vmcb = cpu->vcpu.vmcb;
	const char *name = svmrun_exit_name(vmcb->control.exitcode);

	cpu_end(cpu, STATUS_UNHANDLED, "unhandled",
		"%s (0x%llx) at RIP 0x%llx: svmrun has no answer to it; EXITINFO1 0x%llx, EXITINFO2 0x%llx",
		name ? name : "exit without a name", vmcb->control.exitcode,
		vmcb->save.rip, vmcb->control.exitinfo1,
		vmcb->control.exitinfo2);
}

static const struct answer {
	uint64_t code;
	void (*give)(struct cpu *cpu);
} answers[] = {
	{ VMEXIT_IOIO, cpu_ioio },
	{ VMEXIT_EXCP(1), cpu_debug },
	{ VMEXIT_EXCP(3), cpu_breakpoint },
	{ VMEXIT_SWINT, cpu_software_interrupt },
	{ VMEXIT_NPF, cpu_nested_fault },
	{ VMEXIT_VINTR, cpu_window },
	{ VMEXIT_MSR, cpu_msr },
	{ VMEXIT_HLT, halt },
	{ VMEXIT_CPUID, cpu_cpuid },
	{ VMEXIT_IRET, cpu_iret },
	{ VMEXIT_XSETBV, cpu_xsetbv },
	{ VMEXIT_CR0_SEL_WRITE, cpu_control },
	{ VMEXIT_CR_READ(4), cpu_control },
	{ VMEXIT_CR_WRITE(4), cpu_control },
	{ VMEXIT_WBINVD, flush_caches },
	{ VMEXIT_INVD, flush_caches },
	{ VMEXIT_RDPMC, cpu_inject_gp },
	{ VMEXIT_MONITOR, undefined },
	{ VMEXIT_MWAIT, undefined },
	{ VMEXIT_RDPRU, undefined },
	{ VMEXIT_INVLPGB, undefined },
	{ VMEXIT_TLBSYNC, undefined },
	{ VMEXIT_VMRUN, undefined },
	{ VMEXIT_VMLOAD, undefined },
	{ VMEXIT_VMSAVE, undefined },
	{ VMEXIT_STGI, undefined },
	{ VMEXIT_CLGI, undefined },
	{ VMEXIT_SKINIT, undefined },
	{ VMEXIT_INVLPGA, undefined },
	{ VMEXIT_SHUTDOWN, shut_down },
	{ VMEXIT_INVALID, cpu_invalid },
};

void cpu_exit(struct cpu *cpu)
{
	uint64_t code = cpu->vcpu.vmcb->control.exitcode;
	size_t i;

	if (code >= VMEXIT_DR_READ(0) && code <= VMEXIT_DR_WRITE(15)) {
		cpu_debug_register(cpu);
		return;
	}
	for (i = 0; i < ARRAY_SIZE(answers); i++) {
		if (answers[i].code == code) {
			answers[i].give(cpu);
			return;
		}
	}
	unhandled(cpu);
}
