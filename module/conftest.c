// SPDX-License-Identifier: GPL-2.0
/*
 * Probes of the kernel's headers. conftest.sh compiles this file when the module is
 * built: a function have_NAME() without an error becomes "#define HAVE_NAME" in the
 * generated conftest.h, which compat.h includes. An error in need_NAME() ends the build
 * with the message that this kernel lacks NAME. The compiler reports a missing function
 * once per file, so each probe calls functions of its own.
 */
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/syscore_ops.h>
#ifdef CONFIG_X86_64
#include <asm/fpu/api.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#endif
#if __has_include(<linux/entry-virt.h>)
#include <linux/entry-virt.h>
#elif __has_include(<linux/entry-kvm.h>)
#include <linux/entry-kvm.h>
#endif

static inline void need_config_x86_64(void)
{
#ifndef CONFIG_X86_64
#error the module is for 64-bit processors of AMD
#endif
}

/* It selects xfer_to_guest_mode_handle_work(). */
static inline void need_config_kvm(void)
{
#if !IS_ENABLED(CONFIG_KVM)
#error not selected
#endif
}

/* It selects hmm_range_fault() and notifiers of changes to memory. */
static inline void need_config_hmm_mirror(void)
{
#ifndef CONFIG_HMM_MIRROR
#error not selected
#endif
}

/* Since Linux 5.11 */
static inline void need_kernel_fpu_begin_mask(void)
{
	kernel_fpu_begin_mask(0);
}

/* Since Linux 5.14 */
static inline struct vm_area_struct *need_vma_lookup(struct mm_struct *mm)
{
	return vma_lookup(mm, 0);
}

/* Not __has_include, which sparse does not support */
static inline void have_entry_virt_h(void)
{
#if !__has_include(<linux/entry-virt.h>)
#error no such header
#endif
}

static inline void have_cpuid_api_h(void)
{
#if !__has_include(<asm/cpuid/api.h>)
#error no such header
#endif
}

static inline void have_entry_ibpb(void)
{
	entry_ibpb();
}

static inline u64 have_rdmsrq(u32 msr)
{
	u64 value;

	rdmsrq(msr, value);
	return value;
}

static inline int have_rdmsrq_safe(u32 msr, u64 *value)
{
	return rdmsrq_safe(msr, value);
}

static inline void have_wrmsrq(u32 msr, u64 value)
{
	wrmsrq(msr, value);
}

static inline void have_vm_flags_set(struct vm_area_struct *vma)
{
	vm_flags_set(vma, VM_IO);
}

static inline void have_register_syscore(struct syscore *syscore)
{
	register_syscore(syscore);
}

static inline bool have_pmd_special(pmd_t pmd)
{
	return pmd_special(pmd);
}

static inline bool have_pud_special(pud_t pud)
{
	return pud_special(pud);
}

/* The function took a struct kvm_vcpu once. */
static inline int have_guest_work_without_vcpu(void)
{
	return xfer_to_guest_mode_handle_work();
}
