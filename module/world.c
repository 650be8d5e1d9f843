// SPDX-License-Identifier: GPL-2.0
/*
 * Between the host's world and the guest's, on one CPU. VMRUN and #VMEXIT switch
 * most of a processor's state (APM 15.5.1); the rest (APM 15.5.2) is switched
 * here: the host's is kept in a VMCB a CPU.
 */
#include "world.h"

#include <linux/linkage.h>
#include <linux/percpu.h>
#include <linux/topology.h>

#include "compat.h"
#include "page.h"
#include "svm_intrin.h"

/* The host's VMCB: VMSAVE and VMLOAD use nothing else of it. */
static DEFINE_PER_CPU(void *, host_vmcb);
static DEFINE_PER_CPU(u64, host_vmcb_pa);

/* untrain.S */
asmlinkage void world_untrain(void);

/**
 * world_init() - allocate what each CPU keeps of the host's world
 *
 * Return: 0 or -ENOMEM.
 */
int world_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		void *page = pages_alloc(cpu_to_node(cpu), 0, GFP_KERNEL);

		if (!page) {
			world_exit();
			return -ENOMEM;
		}
		per_cpu(host_vmcb, cpu) = page;
		per_cpu(host_vmcb_pa, cpu) = pages_pa(page);
	}
	return 0;
}

/**
 * world_exit() - the mirror of world_init()
 */
void world_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		pages_free(per_cpu(host_vmcb, cpu), 0);
		per_cpu(host_vmcb, cpu) = NULL;
	}
}

/* As guest_state_enter_irqoff(), but for what it tells RCU each time. */
static __always_inline void leave_host(bool stay)
{
	instrumentation_begin();
	trace_hardirqs_on_prepare();
	lockdep_hardirqs_on_prepare();
	instrumentation_end();
	if (!context_tracking_guest_enter() && stay) {
		instrumentation_begin();
		rcu_note_context_switch(false);
		instrumentation_end();
	}
	lockdep_hardirqs_on(CALLER_ADDR0);
}

/**
 * world_switch() - run a guest until #VMEXIT
 * @vmcb_pa: physical address of its VMCB
 * @registers: what of its registers the VMCB does not have
 * @state_pa: physical address of the VMCB that has what VMRUN leaves out
 * @flags: WORLD_*. RCU has to hear of a guest that stays: that was interrupted, as
 *	the tick does sooner or later. The program's own time tells RCU of others.
 *
 * With interrupts off, and SVM enabled on this CPU; they are off again
 * afterwards. GIF is clear between the worlds, so that nothing of the host's
 * runs with state of the guest's. Interrupts are on for the guest: with
 * V_INTR_MASKING they are the host's, and end its run (APM 15.21.1).
 */
noinstr void world_switch(u64 vmcb_pa, struct svmrun_registers *registers,
			  u64 state_pa, unsigned int flags)
{
	u64 host_pa = raw_cpu_read(host_vmcb_pa);

	leave_host(flags & WORLD_STAY);
	if (flags & WORLD_SAVE)
		__svm_vmsave(host_pa);
	__svm_clgi();
	asm volatile("sti" : : : "memory");
	__svm_vmload(state_pa);
	svm_vmrun(vmcb_pa, registers);
	__svm_vmsave(state_pa);
	__svm_vmload(host_pa);
	/* No RET before this; and not earlier, as it may use per-CPU data. */
	world_untrain();
	asm volatile("cli" : : : "memory");
	__svm_stgi();
	guest_state_exit_irqoff();
}
