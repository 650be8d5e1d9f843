// SPDX-License-Identifier: GPL-2.0
/*
 * The run loop: pending work, entering the guest, exits that belong to the host, faults
 * on guest memory; every other exit returns to the program.
 *
 * vcpu_run() is the ioctl; vcpu_enter_guest() stays in the guest while its exits belong
 * to the host; vcpu_enter_irqoff() is one entry and one #VMEXIT.
 */
#include "run.h"

#include <linux/interrupt.h>
#include <linux/preempt.h>
#include <linux/sched/signal.h>
#include <asm/mce.h>
#include <asm/ptrace.h>

#include "compat.h"
#include "debugreg.h"
#include "event.h"
#include "fault.h"
#include "lazy.h"
#include "processor.h"
#include "speculation.h"
#include "trace.h"
#include "vcpu.h"
#include "vm.h"
#include "world.h"

/* Result of one step of the run loop; otherwise a negative errno */
enum {
	RUN_ON = 0, /* enter the guest */
	RUN_WORK, /* do not enter the guest: work is pending */
	RUN_EXIT, /* the guest left: the exit code says why */
	RUN_DONE, /* the exit is the program's */
	RUN_REFUSED, /* the VMCB or the registers are refused */
};

static int refuse_run(struct vcpu *vcpu, u32 offset, u32 reason)
{
	WRITE_ONCE(vcpu->regs->out_invalid_offset, offset);
	WRITE_ONCE(vcpu->regs->out_invalid_reason, reason);
	return RUN_REFUSED;
}

#define REGISTERS_OFFSET(field)                                                \
	(SVMRUN_VCPU_REGISTERS + offsetof(struct svmrun_registers, field))

#define TSC_RATIO_RESERVED (~0ull << 40)

static int load_tsc_ratio(struct vcpu *vcpu)
{
	u64 ratio = READ_ONCE(vcpu->regs->tsc_ratio);

	vcpu->tsc_ratio = ratio ? ratio : PROCESSOR_TSC_RATIO_1;
	if (ratio & TSC_RATIO_RESERVED)
		return refuse_run(vcpu, REGISTERS_OFFSET(tsc_ratio),
				  SVMRUN_INVALID_VALUE);
	if (ratio && !(processor_features() & SVM_FEATURE_TSC_RATIO))
		return refuse_run(vcpu, REGISTERS_OFFSET(tsc_ratio),
				  SVMRUN_INVALID_UNSUPPORTED);
	return RUN_ON;
}

static int load_registers(struct vcpu *vcpu)
{
	u64 xcr0 = READ_ONCE(vcpu->regs->xcr0);

	if (unlikely(xcr0 != vcpu->fpu.xcr0)) {
		if (!fpu_xcr0_valid(xcr0))
			return refuse_run(vcpu, REGISTERS_OFFSET(xcr0),
					  SVMRUN_INVALID_VALUE);
		vcpu->fpu.xcr0 = xcr0;
	}
	return load_tsc_ratio(vcpu);
}

/* Load the MSR permission map. It also depends on LBR virtualization. */
static void load_permission(struct vcpu *vcpu, bool clean)
{
	bool lbr = vcpu->hw->control.virt_ext & SVM_VIRT_LBR_ENABLE;

	if (!clean || lbr != vcpu->lbr)
		vcpu_load_msrpm(vcpu, lbr);
}

/* Collect the intercepts whose exits the module handles; others return to the program. */
static void collect_handled_exits(struct vcpu *vcpu)
{
	static const u32 host[LAZY_VECTORS] = {
		[2] = SVM_INTERCEPT2_EXCEPTION(EXCEPTION_MC),
		[3] = SVM_INTERCEPT3_INTR | SVM_INTERCEPT3_NMI |
		      SVM_INTERCEPT3_SMI | SVM_INTERCEPT3_INIT,
	};

	for (size_t i = 0; i < LAZY_VECTORS; i++)
		vcpu->handled[i] = host[i] | vcpu->lazy.intercepts[i];
	vcpu->handled[2] |= SVMRUN_POLICY_REFLECTED & ~vcpu->request.exceptions;
}

static bool is_programs(const struct vcpu *vcpu, const struct svm_vmcb *hw)
{
	u32 code = hw->control.exitcode;

	return code < LAZY_VECTORS * 32 &&
	       !(vcpu->handled[LAZY_VECTOR(code)] & LAZY_BIT(code));
}

/* Load the VMCB when not all of its clean bits are set. */
static noinline bool load_changes(struct vcpu *vcpu, u32 clean)
{
	if (!vmcb_load(vcpu->hw, vcpu->user, clean, &processor_limits,
		       &vcpu->request, &vcpu->refusal))
		return false;
	lazy_load(&vcpu->lazy, vcpu->hw, clean);
	collect_handled_exits(vcpu);
	load_permission(vcpu, clean & SVM_CLEAN_IOPM);
	vcpu->loaded = true;
	return true;
}

static int refuse_vmcb(struct vcpu *vcpu)
{
	return refuse_run(vcpu, vcpu->refusal.offset, vcpu->refusal.reason);
}

/* Load the fields that the program may have changed since the last run. */
static int load_vmcb(struct vcpu *vcpu)
{
	u32 clean = vcpu->loaded ? READ_ONCE(vcpu->user->control.clean) : 0;

	WRITE_ONCE(vcpu->regs->out_invalid_reason, SVMRUN_INVALID_NONE);
	if ((clean & SVM_CLEAN_ALL) != SVM_CLEAN_ALL) {
		if (!load_changes(vcpu, clean))
			return refuse_vmcb(vcpu);
	} else if (!vmcb_load_clean(vcpu->hw, vcpu->user, &processor_limits,
				    &vcpu->request, &vcpu->refusal)) {
		return refuse_vmcb(vcpu);
	}
	if (vcpu->request.flush)
		asid_drop(&vcpu->asid);
	return load_registers(vcpu);
}

/* Act on immediate_exit, and refuse reserved bytes that are not zero. */
static int load_immediate_exit(struct vcpu *vcpu, u64 word)
{
	if (word & 0xff) {
		/* Changes that this run does not load may be missing from clean bits. */
		vcpu->loaded = false;
		return -EINTR;
	}
	return refuse_run(vcpu, REGISTERS_OFFSET(reserved),
			  SVMRUN_INVALID_MUST_BE_ZERO);
}

/* immediate_exit and the reserved bytes after it: usually all zero */
static u64 immediate_exit_word(const struct vcpu *vcpu)
{
	const u8 *at = &vcpu->regs->immediate_exit;

	BUILD_BUG_ON(REGISTERS_OFFSET(reserved) !=
		     REGISTERS_OFFSET(immediate_exit) + 1);
	BUILD_BUG_ON(sizeof(vcpu->regs->reserved) != 7);
	return READ_ONCE(*(const u64 *)at);
}

/*
 * Since Linux 6.16 the kernel runs no softirqs between fpu_enter() and fpu_leave(), so a
 * softirq raised there is pending work.
 */
static bool is_pending(const struct vcpu *vcpu)
{
	return READ_ONCE(vcpu->kicked) || __xfer_to_guest_mode_work_pending() ||
	       (softirq_count() && local_softirq_pending());
}

/*
 * Handle pending work before entering the guest. A kick is consumed by whatever ends the
 * run, because it is indistinguishable from a signal.
 */
static int handle_work(struct vcpu *vcpu)
{
	int err = -EINTR;

	if (!READ_ONCE(vcpu->kicked) && !signal_pending(current))
		err = guest_work_handle();
	if (err)
		WRITE_ONCE(vcpu->kicked, 0);
	return err;
}

/* Count in the shared page, and in the module's own copy, which the program cannot change. */
static void count_exit(u64 *shown, u64 *own)
{
	(*shown)++;
	(*own)++;
}

/*
 * Return whether the processor has refused the VMCB. Compare 32 bits: some implementations
 * do not write the upper half of the exit code.
 */
static bool is_invalid(const struct svm_vmcb *hw)
{
	return (u32)hw->control.exitcode == (u32)VMEXIT_INVALID;
}

/* Enter the guest once. The CPU is in the VM's running mask. */
static void vcpu_enter_irqoff(struct vcpu *vcpu, unsigned int cpu, bool stay)
{
	struct svm_vmcb *hw = vcpu->hw;
	bool breakpoints = (vcpu->lazy.active & LAZY_BREAKPOINTS) ||
			   hw_breakpoint_active();

	asid_prepare(&vcpu->asid, processor_asids(), cpu,
		     atomic64_read(&vcpu->vm->memory.tlb_generation),
		     &hw->control);
	processor_check_save_area();
	processor_set_tsc_ratio(vcpu->tsc_ratio);
	speculation_enter(vcpu->serial);
	event_note(&vcpu->injected, hw);
	vcpu->counters.entries++;
	trace_enter(vcpu);
	if (breakpoints)
		debugreg_enter(&vcpu->debugreg, vcpu->regs->dr,
			       hw->control.intercept[1], hw->save.dr7);
	world_switch(vcpu->hw_pa, vcpu->user_pa, stay);
	debugreg_take_dr6(hw->save.dr6);
	if (breakpoints)
		debugreg_leave(&vcpu->debugreg, vcpu->regs->dr);
	trace_exit(vcpu);
	speculation_leave();
	if (likely(!is_invalid(hw))) {
		hw->control.clean = SVM_CLEAN_ALL;
		asid_entered(processor_asids(), &hw->control);
	}
}

/*
 * Add this CPU to those that memory_flush() interrupts. Interrupts are off, so such an
 * interrupt becomes pending, and causes an exit as soon as the guest has been entered.
 */
static unsigned int set_running(struct vcpu *vcpu)
{
	unsigned int cpu;

	local_irq_disable();
	cpu = smp_processor_id();
	cpumask_set_cpu(cpu, vcpu->vm->memory.running);
	/*
	 * Pairs with the barrier in memory_flush(): it sees this CPU in the mask, or
	 * this CPU sees the new generation.
	 */
	smp_mb__after_atomic();
	return cpu;
}

static __always_inline void clear_running(struct vcpu *vcpu, unsigned int cpu)
{
	cpumask_clear_cpu(cpu, vcpu->vm->memory.running);
	local_irq_enable();
}

/*
 * Take the interrupt that caused the exit. Preemption stays disabled; rescheduling is
 * pending work and ends the loop.
 *
 * STI inhibits interrupts for one more instruction (APM volume 3, STI), so there must be
 * one between it and CLI. This is the only place that enables interrupts for just a
 * moment.
 */
static void take_interrupt(void)
{
	preempt_disable();
	local_irq_enable();
	asm volatile("nop");
	local_irq_disable();
	preempt_enable();
}

/*
 * An intercepted machine check has not been delivered to the host (APM 15.12): call the
 * host's handler. The bank registers belong to this CPU, and a second #MC would shut it
 * down, so interrupts must still be off and the thread must not have migrated. The
 * handler gets registers of user mode: an error that only affects the guest then sends
 * SIGBUS to the program. With registers of kernel mode it would panic.
 */
static void handle_machine_check(void)
{
	struct pt_regs regs = { .cs = __USER_CS, .flags = X86_EFLAGS_IF };

	if (IS_ENABLED(CONFIG_X86_MCE))
		do_machine_check(&regs);
}

/* Handle an exit that belongs to the host. The guest is entered again afterwards. */
static bool host_exit_irqoff(struct vcpu *vcpu)
{
	struct svmrun_registers *shown = vcpu->regs;
	struct vcpu_counters *own = &vcpu->counters;

	switch (vcpu->hw->control.exitcode) {
	case VMEXIT_INTR:
		take_interrupt();
		count_exit(&shown->out_exits_interrupt, &own->interrupts);
		break;
	case VMEXIT_NMI:
	case VMEXIT_SMI:
	case VMEXIT_INIT:
		/* Held pending until STGI in world_switch(), and handled there. */
		count_exit(&shown->out_exits_nmi, &own->nmis);
		break;
	case VMEXIT_EXCP(EXCEPTION_MC):
		handle_machine_check();
		count_exit(&shown->out_exits_machine_check,
			   &own->machine_checks);
		break;
	default:
		return false;
	}
	event_resume(vcpu->hw, &vcpu->injected);
	return true;
}

/* Return RUN_ON, RUN_WORK, or a negative errno. */
static __always_inline int check_entry(const struct vcpu *vcpu)
{
	/* SVM is disabled by an interrupt when the machine shuts down. */
	if (unlikely(!processor_enabled()))
		return -ENODEV;
	/* Without a tick, only this wakes the threads that run RCU callbacks. */
	xfer_to_guest_mode_prepare();
	return unlikely(is_pending(vcpu)) ? RUN_WORK : RUN_ON;
}

/* Run the guest until an exit does not belong to the host, or work is pending. */
static int vcpu_enter_guest(struct vcpu *vcpu, bool *entered)
{
	const u32 *active = &vcpu->lazy.active;
	bool again = false;
	unsigned int cpu;
	int step;

	if (unlikely(*active & LAZY_XSTATE) && fpu_enter(&vcpu->fpu))
		return refuse_run(vcpu, SVMRUN_VCPU_XSAVE,
				  SVMRUN_INVALID_VALUE);
	cpu = set_running(vcpu);
	do {
		step = check_entry(vcpu);
		if (unlikely(step != RUN_ON))
			break;
		guest_timing_enter_irqoff();
		vcpu_enter_irqoff(vcpu, cpu, again);
		if (likely(is_programs(vcpu, vcpu->hw)))
			step = RUN_DONE;
		else if (!host_exit_irqoff(vcpu))
			step = RUN_EXIT;
		/* The time of an interrupt that caused the exit is accounted to the guest. */
		guest_timing_exit_irqoff();
		*entered = true;
		again = true;
	} while (step == RUN_ON);
	clear_running(vcpu, cpu);
	if (unlikely(*active & LAZY_XSTATE))
		fpu_leave(&vcpu->fpu);

	if (step == RUN_EXIT && is_invalid(vcpu->hw)) {
		/*
		 * Publish no state, even if the guest ran before: after VMEXIT_INVALID
		 * the VMCB may contain host state.
		 */
		*entered = false;
		return refuse_run(vcpu, 0, SVMRUN_INVALID_PROCESSOR);
	}
	return step;
}

/* Resume an interrupted event also on failure, so that the run can be repeated. */
static int handle_nested_page_fault(struct vcpu *vcpu)
{
	const struct svm_vmcb_control *control = &vcpu->hw->control;
	int ret = fault_handle(&vcpu->vm->memory, &vcpu->fault,
			       control->exitinfo2, control->exitinfo1);

	trace_fault(vcpu, ret);
	if (ret > 0)
		return RUN_DONE;
	event_resume(vcpu->hw, &vcpu->injected);
	if (ret)
		return ret;
	count_exit(&vcpu->regs->out_exits_fault, &vcpu->counters.faults);
	return RUN_ON;
}

static int handle_exception(struct vcpu *vcpu)
{
	if (!event_reflect(vcpu->hw, vcpu->request.exceptions))
		return RUN_DONE;
	count_exit(&vcpu->regs->out_exits_reflected, &vcpu->counters.reflected);
	return RUN_ON;
}

static int handle_exit(struct vcpu *vcpu)
{
	u32 code = vcpu->hw->control.exitcode;

	if (code == VMEXIT_NPF)
		return handle_nested_page_fault(vcpu);
	if (lazy_is_exit(&vcpu->lazy, code)) {
		lazy_activate(&vcpu->lazy, vcpu->hw);
		collect_handled_exits(vcpu);
		event_resume(vcpu->hw, &vcpu->injected);
		return RUN_ON;
	}
	if (code >= VMEXIT_EXCP(0) && code <= VMEXIT_EXCP(31))
		return handle_exception(vcpu);
	return RUN_DONE;
}

/* Write the guest's state and the exit to the program's VMCB. */
static void finish_run(struct vcpu *vcpu, int step, bool entered)
{
	if (entered) {
		vmcb_publish(vcpu->user, vcpu->hw, &vcpu->request);
		vcpu->user->save.cr0 = lazy_guest_cr0(&vcpu->lazy, vcpu->hw);
	}
	if (step == -EINTR || step == -ENODEV)
		vmcb_publish_exit(vcpu->user, VMEXIT_INTR);
	if (step == RUN_REFUSED)
		vmcb_publish_exit(vcpu->user, VMEXIT_INVALID);
	/* The state after a shutdown is undefined (APM 15.14.3): load all of it again. */
	if (step == RUN_REFUSED ||
	    vcpu->hw->control.exitcode == VMEXIT_SHUTDOWN)
		vcpu->loaded = false;
}

/**
 * vcpu_run() - SVMRUN_RUN
 * @vcpu: the vCPU, which the caller has attached; of the current process
 *
 * Return: 0 or a negative errno, as the uAPI documents.
 */
int vcpu_run(struct vcpu *vcpu)
{
	u64 word = immediate_exit_word(vcpu);
	bool entered = false;
	int step;

	vcpu->counters.runs++;
	step = unlikely(word) ? load_immediate_exit(vcpu, word) :
				load_vmcb(vcpu);
	while (step == RUN_ON) {
		step = vcpu_enter_guest(vcpu, &entered);
		if (step == RUN_EXIT)
			step = handle_exit(vcpu);
		else if (step == RUN_WORK)
			step = handle_work(vcpu);
	}
	finish_run(vcpu, step, entered);
	return min(step, 0);
}
