/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between kernels. Other files are written for the newest kernel. Because
 * distributions backport, this file tests for features and not for versions: conftest.h
 * defines HAVE_NAME for each function of conftest.c that compiles.
 */
#ifndef SVMRUN_COMPAT_H
#define SVMRUN_COMPAT_H

#include <asm/cpufeatures.h>
#include <asm/nospec-branch.h>

#include "conftest.h"

#ifdef __ASSEMBLER__

#include <asm/msr-index.h>

/*
 * UNTRAIN_AFTER_GUEST - protect the host against a guest's training of return predictors
 *
 * It changes RAX, RCX and RDX. No RET may be executed between #VMEXIT and it.
 */
/* clang-format off */
#ifndef HAVE_ENTRY_IBPB
/* The kernel exports its barrier to KVM only, so this writes the MSR itself. */
.macro UNTRAIN_AFTER_GUEST
	CALL_UNTRAIN_RET
	ALTERNATIVE "jmp .Lno_barrier_\@", "", X86_FEATURE_IBPB_ON_VMEXIT
	movl $MSR_IA32_PRED_CMD, %ecx
	movl $PRED_CMD_IBPB, %eax
	xorl %edx, %edx
	wrmsr
	FILL_RETURN_BUFFER %rax, RSB_CLEAR_LOOPS, X86_BUG_IBPB_NO_RET
.Lno_barrier_\@:
.endm
#elif defined(UNTRAIN_RET_VM)
#define UNTRAIN_AFTER_GUEST UNTRAIN_RET_VM
#else
.macro UNTRAIN_AFTER_GUEST
	UNTRAIN_RET
	ALTERNATIVE "", "call entry_ibpb", X86_FEATURE_IBPB_ON_VMEXIT
.endm
#endif
/* clang-format on */

#else /* C */

#include <linux/cpu.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/syscore_ops.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>

#ifdef HAVE_ENTRY_VIRT_H
#include <linux/entry-virt.h>
#else
#include <linux/entry-kvm.h>
#endif

#ifdef HAVE_CPUID_API_H
#include <asm/cpuid/api.h>
#endif

#ifndef HAVE_RDMSRQ
#define rdmsrq(msr, value) rdmsrl(msr, value)
#endif

#ifndef HAVE_RDMSRQ_SAFE
#define rdmsrq_safe(msr, value) rdmsrl_safe(msr, value)
#endif

#ifndef HAVE_WRMSRQ
#define wrmsrq(msr, value) wrmsrl(msr, value)
#endif

#ifndef HAVE_VM_FLAGS_SET
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}
#endif

/*
 * SYSCORE() - argument of register_syscore(): the functions to call, with
 * SYSCORE_PARAMETERS, when the machine is suspended and when it resumes
 */
#ifdef HAVE_REGISTER_SYSCORE
#define SYSCORE_PARAMETERS void *unused
#define SYSCORE(name, suspend_, resume_)                                       \
	static const struct syscore_ops name##_ops = {                         \
		.suspend = suspend_,                                           \
		.resume = resume_,                                             \
	};                                                                     \
	static struct syscore name = { .ops = &name##_ops }
#else
#define SYSCORE_PARAMETERS void
#define SYSCORE(name, suspend_, resume_)                                       \
	static struct syscore_ops name = {                                     \
		.suspend = suspend_,                                           \
		.resume = resume_,                                             \
	}
#define register_syscore(syscore) register_syscore_ops(syscore)
#define unregister_syscore(syscore) unregister_syscore_ops(syscore)
#endif

/* In kernels without these, every large page is memory. */
#ifndef HAVE_PMD_SPECIAL
static inline bool pmd_special(pmd_t pmd)
{
	return false;
}
#endif

#ifndef HAVE_PUD_SPECIAL
static inline bool pud_special(pud_t pud)
{
	return false;
}
#endif

#ifndef VM_SHADOW_STACK
#define VM_SHADOW_STACK VM_NONE
#endif

/*
 * Handle pending work before a guest is entered: rescheduling, task work. In older kernels
 * the function records a signal in a struct kvm_vcpu: pass one that is not used
 * otherwise.
 */
static inline int guest_work_handle(void)
{
#ifdef HAVE_GUEST_WORK_WITHOUT_VCPU
	return xfer_to_guest_mode_handle_work();
#else
	static struct kvm_run note;
	static struct kvm_vcpu nobody = { .run = &note };

	return xfer_to_guest_mode_handle_work(&nobody);
#endif
}

/* Return whether this kernel can be a host of SNP guests. */
static inline bool is_snp_host(void)
{
#ifdef X86_FEATURE_SEV_SNP
	return boot_cpu_has(X86_FEATURE_SEV_SNP);
#else
	return false;
#endif
}

/* Request a branch prediction barrier before this CPU returns to user mode. */
static inline void ibpb_before_user(void)
{
#ifdef X86_FEATURE_IBPB_EXIT_TO_USER
	if (cpu_feature_enabled(X86_FEATURE_IBPB_EXIT_TO_USER))
		__this_cpu_write(x86_ibpb_exit_to_user, true);
#endif
}

/*
 * Restrict speculation on this CPU while there are guests, if the processor has such a
 * bit. It protects the host against their training of return predictors (SRSO).
 */
static inline void bp_spec_reduce(bool reduce)
{
#ifdef X86_FEATURE_SRSO_BP_SPEC_REDUCE
	const u64 bit = BIT_ULL(MSR_ZEN4_BP_CFG_BP_SPEC_REDUCE_BIT);
	u64 config;

	if (!cpu_feature_enabled(X86_FEATURE_SRSO_BP_SPEC_REDUCE))
		return;
	rdmsrq(MSR_ZEN4_BP_CFG, config);
	wrmsrq(MSR_ZEN4_BP_CFG, reduce ? config | bit : config & ~bit);
#endif
}

/* Return whether one thread of a core can poison the return predictor of the other (SMT_RSB). */
static inline bool smt_rsb_is_possible(void)
{
#ifdef X86_BUG_SMT_RSB
	return boot_cpu_has_bug(X86_BUG_SMT_RSB) && cpu_smt_possible();
#else
	return false;
#endif
}

/*
 * Assembly that clears CPU buffers, on processors that need it before VMRUN. The operand
 * @selector must be in memory, because only that form of VERW clears buffers.
 */
#ifdef X86_FEATURE_CLEAR_CPU_BUF_VM
#define CLEAR_BUFFERS(selector)                                                \
	ALTERNATIVE("jmp 1f", "", X86_FEATURE_CLEAR_CPU_BUF_VM)                \
	"verw " selector "\n1:\n\t"
#else
#define CLEAR_BUFFERS(selector) ""
#endif

#endif
#endif /* SVMRUN_COMPAT_H */
