/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The differences between kernel versions: the only place that tests for them.
 */
#ifndef SVMRUN_COMPAT_H
#define SVMRUN_COMPAT_H

#include <linux/entry-kvm.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/version.h>
#include <asm/cpufeature.h>
#include <asm/nospec-branch.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}
#endif

/*
 * Deal with what is pending before a guest is entered: rescheduling, task work.
 * Up to 6.12 the kernel's function notes a signal in a struct kvm_vcpu, whose it
 * may not be: it gets one that nobody reads.
 */
static inline int guest_work_handle(void)
{
	static struct kvm_run note;
	static struct kvm_vcpu nobody = { .run = &note };

	return xfer_to_guest_mode_handle_work(&nobody);
}

/* Ask for a branch prediction barrier before this CPU is in userspace again. */
static inline void ibpb_before_user(void)
{
#ifdef X86_FEATURE_IBPB_EXIT_TO_USER
	if (cpu_feature_enabled(X86_FEATURE_IBPB_EXIT_TO_USER))
		__this_cpu_write(x86_ibpb_exit_to_user, true);
#endif
}

/*
 * Clear the CPU's buffers, on processors that want it before VMRUN: assembly;
 * selector is a memory operand, for that is what VERW needs to do it.
 */
#ifdef X86_FEATURE_CLEAR_CPU_BUF_VM
#define CLEAR_BUFFERS(selector)                                                \
	ALTERNATIVE("jmp 1f", "", X86_FEATURE_CLEAR_CPU_BUF_VM)                \
	"verw " selector "\n1:\n\t"
#else
#define CLEAR_BUFFERS(selector) ""
#endif

#endif /* SVMRUN_COMPAT_H */
