// SPDX-License-Identifier: LGPL-2.1-or-later
/* Exits */
#include <sys/mman.h>

#include "assist.h"
#include "cpuid.h"
#include "events.h"
#include "exits.h"
#include "lib/array_size.h"
#include "lib/x86.h"
#include "msr.h"

#define HLT_LENGTH 1
#define WBINVD_LENGTH 2
#define RDTSCP_LENGTH 3
#define MONITOR_LENGTH 3
#define XSETBV_LENGTH 3

static enum exit_action exit_ud(struct nvmm_vcpu_private *vcpu)
{
	return instruction_fault(vcpu, VECTOR_UD);
}

/* No performance counters exist. */
static enum exit_action exit_rdpmc(struct nvmm_vcpu_private *vcpu)
{
	return instruction_fault(vcpu, VECTOR_GP);
}

/* The host's caches are coherent, and the guest has no others. */
static enum exit_action exit_wbinvd(struct nvmm_vcpu_private *vcpu)
{
	return instruction_complete(vcpu, WBINVD_LENGTH);
}

static enum exit_action exit_memory(struct nvmm_vcpu_private *vcpu)
{
	const struct svm_vmcb_control *control = &vcpu->cpu.vmcb->control;
	int prot = PROT_READ;

	if (control->exitinfo1 & SVM_NPF_FETCH)
		prot = PROT_EXEC;
	else if (control->exitinfo1 & SVM_NPF_WRITE)
		prot = PROT_WRITE;
	vcpu->exit.reason = NVMM_VCPU_EXIT_MEMORY;
	vcpu->exit.u.mem = (struct nvmm_x86_exit_memory){
		.prot = prot,
		.gpa = control->exitinfo2,
	};
	return EXIT_TO_PROGRAM;
}

static enum exit_action exit_io(struct nvmm_vcpu_private *vcpu)
{
	struct svmrun_ioio io;

	svmrun_ioio_decode(&io, vcpu->cpu.vmcb);
	vcpu->exit.u.io = (struct nvmm_x86_exit_io){
		.in = io.in,
		.port = io.port,
		.seg = io.string && !io.in ? io.segment : -1,
		.address_size = io.address_size,
		.operand_size = io.size,
		.rep = io.rep,
		.str = io.string,
		.npc = io.next_rip,
	};
	return instruction_exit(vcpu, NVMM_VCPU_EXIT_IO, io.next_rip);
}

/*
 * The guest can take an interrupt: report it if the program has asked for that. Otherwise a pending
 * interrupt is injected before the next entry.
 */
static enum exit_action exit_vintr(struct nvmm_vcpu_private *vcpu)
{
	if (!vcpu->int_window)
		return EXIT_HANDLED;
	vcpu->int_window = false;
	vcpu->exit.reason = NVMM_VCPU_EXIT_INT_READY;
	return EXIT_TO_PROGRAM;
}

/* The guest is about to execute IRET, after which it can take NMIs. */
static enum exit_action exit_iret(struct nvmm_vcpu_private *vcpu)
{
	vcpu->nmi_window = false;
	vcpu->exit.reason = NVMM_VCPU_EXIT_NMI_READY;
	return EXIT_TO_PROGRAM;
}

/* A halted processor can take an interrupt, so the window is open. */
static enum exit_action exit_hlt(struct nvmm_vcpu_private *vcpu)
{
	instruction_complete(vcpu, HLT_LENGTH);
	if (events_pending(vcpu))
		return EXIT_HANDLED;
	if (vcpu->cpu.vmcb->save.rflags & RFLAGS_IF)
		vcpu->int_window = false;
	vcpu->exit.reason = NVMM_VCPU_EXIT_HALTED;
	return EXIT_TO_PROGRAM;
}

static enum exit_action exit_shutdown(struct nvmm_vcpu_private *vcpu)
{
	vcpu->exit.reason = NVMM_VCPU_EXIT_SHUTDOWN;
	return EXIT_TO_PROGRAM;
}

static enum exit_action exit_monitor(struct nvmm_vcpu_private *vcpu)
{
	uint64_t next = vcpu_next_rip(vcpu, MONITOR_LENGTH);

	vcpu->exit.u.insn.npc = next;
	return instruction_exit(vcpu, NVMM_VCPU_EXIT_MONITOR, next);
}

static enum exit_action exit_mwait(struct nvmm_vcpu_private *vcpu)
{
	uint64_t next = vcpu_next_rip(vcpu, MONITOR_LENGTH);

	vcpu->exit.u.insn.npc = next;
	return instruction_exit(vcpu, NVMM_VCPU_EXIT_MWAIT, next);
}

static enum exit_action exit_xsetbv(struct nvmm_vcpu_private *vcpu)
{
	const struct svm_vmcb_save *save = &vcpu->cpu.vmcb->save;
	struct svmrun_registers *regs = vcpu->cpu.regs;
	uint64_t value = regs->rdx << 32 | (uint32_t)save->rax;

	if (save->cpl || (uint32_t)regs->rcx || !vcpu_is_xcr0(vcpu, value))
		return instruction_fault(vcpu, VECTOR_GP);
	regs->xcr0 = value;
	return instruction_complete(vcpu, XSETBV_LENGTH);
}

/* The upper half of RCX is cleared (APM volume 3, RDTSCP). */
static enum exit_action exit_rdtscp(struct nvmm_vcpu_private *vcpu)
{
	uint64_t tsc = vcpu_tsc(vcpu);

	vcpu->cpu.vmcb->save.rax = (uint32_t)tsc;
	vcpu->cpu.regs->rdx = tsc >> 32;
	vcpu->cpu.regs->rcx = (uint32_t)vcpu->tsc_aux;
	return instruction_complete(vcpu, RDTSCP_LENGTH);
}

/* Report an exit that the interface does not have, or that says that the state is not legal. */
static enum exit_action exit_invalid(struct nvmm_vcpu_private *vcpu)
{
	vcpu->exit.reason = NVMM_VCPU_EXIT_INVALID;
	vcpu->exit.u.inv.hwcode = vcpu->cpu.vmcb->control.exitcode;
	return EXIT_TO_PROGRAM;
}

static enum exit_action exit_control_register(struct nvmm_vcpu_private *vcpu)
{
	return assist_control(vcpu) ? exit_invalid(vcpu) : EXIT_HANDLED;
}

/* MOV to CR8 */
static enum exit_action exit_cr8(struct nvmm_vcpu_private *vcpu)
{
	const struct svm_vmcb_control *control = &vcpu->cpu.vmcb->control;
	uint64_t old = control->vintr & SVM_VINTR_V_TPR_MASK;

	if (assist_control(vcpu))
		return exit_invalid(vcpu);
	if (!vcpu->exit_tpr || (control->vintr & SVM_VINTR_V_TPR_MASK) == old)
		return EXIT_HANDLED;
	vcpu->exit.reason = NVMM_VCPU_EXIT_TPR_CHANGED;
	return EXIT_TO_PROGRAM;
}

static const struct exit_handler {
	uint64_t code;
	enum exit_action (*handle)(struct nvmm_vcpu_private *vcpu);
} handlers[] = {
	{ VMEXIT_NPF, exit_memory },
	{ VMEXIT_IOIO, exit_io },
	{ VMEXIT_VINTR, exit_vintr },
	{ VMEXIT_MSR, msr_exit },
	{ VMEXIT_HLT, exit_hlt },
	{ VMEXIT_CPUID, cpuid_exit },
	{ VMEXIT_IRET, exit_iret },
	{ VMEXIT_XSETBV, exit_xsetbv },
	{ VMEXIT_CR0_SEL_WRITE, exit_control_register },
	{ VMEXIT_CR_READ(4), exit_control_register },
	{ VMEXIT_CR_WRITE(4), exit_control_register },
	{ VMEXIT_CR_WRITE(8), exit_cr8 },
	{ VMEXIT_WBINVD, exit_wbinvd },
	{ VMEXIT_INVD, exit_wbinvd },
	{ VMEXIT_RDPMC, exit_rdpmc },
	{ VMEXIT_RDTSCP, exit_rdtscp },
	{ VMEXIT_MONITOR, exit_monitor },
	{ VMEXIT_MWAIT, exit_mwait },
	{ VMEXIT_RDPRU, exit_ud },
	{ VMEXIT_INVLPGB, exit_ud },
	{ VMEXIT_TLBSYNC, exit_ud },
	{ VMEXIT_VMRUN, exit_ud },
	{ VMEXIT_VMLOAD, exit_ud },
	{ VMEXIT_VMSAVE, exit_ud },
	{ VMEXIT_STGI, exit_ud },
	{ VMEXIT_CLGI, exit_ud },
	{ VMEXIT_SKINIT, exit_ud },
	{ VMEXIT_INVLPGA, exit_ud },
	{ VMEXIT_SHUTDOWN, exit_shutdown },
};

enum exit_action exits_handle(struct nvmm_vcpu_private *vcpu)
{
	uint64_t code = vcpu->cpu.vmcb->control.exitcode;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(handlers); i++)
		if (handlers[i].code == code)
			return handlers[i].handle(vcpu);
	return exit_invalid(vcpu);
}
