// SPDX-License-Identifier: GPL-2.0
#include "bus.h"
#include "common/status.h"
#include "coprocessor.h"
#include "debug_hooks.h"
#include "exits.h"
#include "guest_svm.h"
#include "interrupts.h"
#include "invalid.h"
#include "lib/array_size.h"
#include "machine.h"
#include "msr.h"
#include "processor.h"

#define WBINVD_LENGTH 2

/* RIP stays at the HLT until an event ends it. A single step is such an event. */
static void exit_hlt(struct cpu *cpu)
{
	if (cpu->vcpu.vmcb->save.rflags & RFLAGS_TF)
		bus_complete(cpu, HLT_LENGTH);
	else
		cpu->halted = true;
}

/* The state in the VMCB is undefined now (APM 15.14.3), RIP possibly too. */
static void exit_shutdown(struct cpu *cpu)
{
	if (stop_for_reset(cpu->machine))
		return;
	cpu_end(cpu, STATUS_SHUTDOWN, "shutdown",
		"VMEXIT_SHUTDOWN at RIP 0x%llx: triple fault, because the guest cannot handle an exception; --trace shows where",
		cpu->vcpu.vmcb->save.rip);
}

/* The host's caches are coherent, and the guest has no others. */
static void exit_wbinvd(struct cpu *cpu)
{
	bus_complete(cpu, WBINVD_LENGTH);
}

/* #DB and #AC are always intercepted, other exceptions while an NMI's IRET is executed. */
static void exit_exception(struct cpu *cpu)
{
	uint64_t events = 0;
	bool ours;

	if (cpu->vcpu.vmcb->control.exitcode != VMEXIT_EXCP(1)) {
		cpu_inject_intercepted(cpu);
		return;
	}
	ours = nmi_take_step(cpu, &events);
	if (events || !ours)
		cpu_inject_db(cpu, events);
}

static void exit_cr8_write(struct cpu *cpu)
{
	exit_control_register(cpu);
	interrupts_store_cr8(cpu);
}

static void end_unhandled(struct cpu *cpu)
{
	const struct svm_vmcb *vmcb = cpu->vcpu.vmcb;
	const char *name = svmrun_exit_name(vmcb->control.exitcode);

	if (guest_svm_shutdown(cpu, "svmrun does not handle this exit"))
		return;
	cpu_end(cpu, STATUS_UNHANDLED, "unhandled",
		"%s (0x%llx) at RIP 0x%llx: svmrun does not handle this exit; EXITINFO1 0x%llx, EXITINFO2 0x%llx",
		name ? name : "unknown exit", vmcb->control.exitcode,
		vmcb->save.rip, vmcb->control.exitinfo1,
		vmcb->control.exitinfo2);
}

/* The guest's CPUID does not have the features of instructions that are #UD. */
static const struct exit_handler handlers[] = {
	{ VMEXIT_EXCP(16), 1, exit_coprocessor_error },
	{ VMEXIT_FERR_FREEZE, 1, exit_coprocessor_error },
	{ VMEXIT_EXCP(0), 32, exit_exception },
	{ VMEXIT_IOIO, 1, bus_execute },
	{ VMEXIT_NPF, 1, exit_nested_fault },
	{ VMEXIT_VINTR, 1, exit_vintr },
	{ VMEXIT_MSR, 1, exit_msr },
	{ VMEXIT_HLT, 1, exit_hlt },
	{ VMEXIT_CPUID, 1, exit_cpuid },
	{ VMEXIT_IRET, 1, exit_iret },
	{ VMEXIT_XSETBV, 1, exit_xsetbv },
	{ VMEXIT_CR0_SEL_WRITE, 1, exit_control_register },
	{ VMEXIT_CR_READ(0), 1, exit_control_register },
	{ VMEXIT_CR_READ(4), 1, exit_control_register },
	{ VMEXIT_CR_WRITE(4), 1, exit_control_register },
	{ VMEXIT_CR_WRITE(8), 1, exit_cr8_write },
	{ VMEXIT_WBINVD, 1, exit_wbinvd },
	{ VMEXIT_INVD, 1, exit_wbinvd },
	{ VMEXIT_RDPMC, 1, exit_rdpmc },
	{ VMEXIT_RDTSCP, 1, exit_rdtscp },
	{ VMEXIT_MONITOR, 1, cpu_inject_ud },
	{ VMEXIT_MWAIT, 1, cpu_inject_ud },
	{ VMEXIT_RDPRU, 1, cpu_inject_ud },
	{ VMEXIT_INVLPGB, 1, cpu_inject_ud },
	{ VMEXIT_TLBSYNC, 1, cpu_inject_ud },
	{ VMEXIT_VMRUN, 1, cpu_inject_ud },
	{ VMEXIT_VMLOAD, 1, cpu_inject_ud },
	{ VMEXIT_VMSAVE, 1, cpu_inject_ud },
	{ VMEXIT_STGI, 1, cpu_inject_ud },
	{ VMEXIT_CLGI, 1, cpu_inject_ud },
	{ VMEXIT_SKINIT, 1, cpu_inject_ud },
	{ VMEXIT_INVLPGA, 1, cpu_inject_ud },
	{ VMEXIT_SHUTDOWN, 1, exit_shutdown },
	{ VMEXIT_INVALID, 1, exit_invalid },
};

static bool handle_by(const struct exit_handler *table, size_t count,
		      struct cpu *cpu)
{
	uint64_t code = cpu->vcpu.vmcb->control.exitcode;
	size_t i;

	for (i = 0; i < count; i++) {
		if (code - table[i].code < table[i].count) {
			table[i].handle(cpu);
			return true;
		}
	}
	return false;
}

/*
 * Return whether the exit does not concern a hypervisor that is the guest. The machine has
 * single-stepped an IRET, or CR0.NE was set only while the guest ran.
 */
static bool is_of_machine(const struct cpu *cpu)
{
	const struct svm_vmcb *vmcb = cpu->vcpu.vmcb;

	return cpu->nmi.trapped || (vmcb->control.exitcode == VMEXIT_EXCP(16) &&
				    !(vmcb->save.cr0 & SVM_CR0_NE));
}

/*
 * While the guest's guest runs, I/O and nested page faults are the hypervisor's first. Single
 * steps and breakpoints are the debugger's.
 */
static bool debugger_is_first(const struct cpu *cpu)
{
	uint64_t code = cpu->vcpu.vmcb->control.exitcode;

	return !guest_svm_is_active(cpu) || code == VMEXIT_EXCP(VECTOR_DB) ||
	       code == VMEXIT_EXCP(VECTOR_BP);
}

void exit_handle(struct cpu *cpu)
{
	const struct debug_hooks *hooks = cpu->machine->hooks;

	if (hooks && debugger_is_first(cpu) &&
	    handle_by(hooks->exits, hooks->exit_count, cpu))
		return;
	if (!is_of_machine(cpu) && guest_svm_exit(cpu))
		return;
	if (!handle_by(handlers, ARRAY_SIZE(handlers), cpu))
		end_unhandled(cpu);
}
