// SPDX-License-Identifier: GPL-2.0
/*
 * The world switch between host and guest. VMRUN and #VMEXIT switch most of a
 * processor's state (APM 15.5.1). VMLOAD and VMSAVE switch the rest (APM 15.5.2): the
 * host's is kept in one VMCB per CPU.
 */
#include "world.h"

#include <linux/linkage.h>
#include <linux/percpu.h>
#include <linux/topology.h>

#include "compat.h"
#include "page.h"
#include "speculation.h"
#include "svm_intrin.h"

/* Only VMSAVE and VMLOAD use it. */
static DEFINE_PER_CPU(void *, host_vmcb);
static DEFINE_PER_CPU(u64, host_vmcb_pa);

/* untrain.S */
asmlinkage void world_untrain(void);

/* DEBUGCTL has its own bits for the host; VMRUN does not switch it (APM 15.23). */
static __always_inline u64 debugctl_leave_host(void)
{
	u64 debugctl = __rdmsr(MSR_IA32_DEBUGCTLMSR);

	if (unlikely(debugctl))
		native_wrmsr(MSR_IA32_DEBUGCTLMSR, 0, 0);
	return debugctl;
}

static __always_inline void debugctl_back_to_host(u64 debugctl)
{
	if (unlikely(debugctl))
		native_wrmsr(MSR_IA32_DEBUGCTLMSR, (u32)debugctl,
			     debugctl >> 32);
}

/**
 * world_init() - allocate each CPU's VMCB for host state
 *
 * Return: 0 or -ENOMEM.
 */
int world_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		void *page = page_alloc_for_svm(cpu_to_node(cpu), GFP_KERNEL);

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
 * world_exit() - undo world_init()
 */
void world_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		pages_free(per_cpu(host_vmcb, cpu), 0);
		per_cpu(host_vmcb, cpu) = NULL;
	}
}

/* As guest_state_enter_irqoff(), except for the RCU notification each time */
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
 * @vmcb_pa: physical address of its VMCB, as __svm_vmrun() takes it
 * @state_pa: physical address of the VMCB for VMLOAD and VMSAVE
 * @stay: notify RCU that this CPU is in a guest. Necessary for a guest that is entered
 *	again after an interrupt; otherwise RCU is notified when the program runs.
 *
 * Call with interrupts off, and with SVM enabled on this CPU; interrupts are off
 * again afterwards.
 *
 * GIF is clear from before the host's state is saved until it is restored, so no
 * interrupt, NMI or machine check can run with guest state, or change host state that
 * has already been saved (LDTR by modify_ldt(), DEBUGCTL by perf).
 * That is why VMSAVE is repeated at each entry. Interrupts are on for the guest: with
 * V_INTR_MASKING they are the host's and cause #VMEXIT (APM 15.21.1). STI stands far
 * from VMRUN, because an interrupt shadow would be the guest's.
 */
noinstr void world_switch(u64 vmcb_pa, u64 state_pa, bool stay)
{
	u64 host_pa = raw_cpu_read(host_vmcb_pa), debugctl;

	leave_host(stay);
	__svm_clgi();
	speculation_clear_quotient();
	__svm_vmsave(host_pa);
	asm volatile("sti" : : : "memory");
	debugctl = debugctl_leave_host();
	__svm_vmload(state_pa);
	__svm_vmrun(vmcb_pa);
	__svm_vmsave(state_pa);
	__svm_vmload(host_pa);
	/* No RET before this; and not earlier, as it may use per-CPU data. */
	world_untrain();
	debugctl_back_to_host(debugctl);
	asm volatile("cli" : : : "memory");
	__svm_stgi();
	guest_state_exit_irqoff();
}
