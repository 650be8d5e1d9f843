// SPDX-License-Identifier: GPL-2.0
/*
 * Switch extended state (APM 11.5): x87, SSE, AVX and later components. VMRUN does not
 * switch any of it. The kernel saves the program's state, and restores it when the task
 * returns to user mode. Supervisor components (XSS: the program's shadow stack) are not
 * available to guests, and in their initial state while a guest runs.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "fpu.h"

#include <linux/bits.h>
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/printk.h>
#include <asm/asm.h>
#include <asm/cpufeature.h>
#include <asm/fpu/api.h>
#include <asm/fpu/xcr.h>
#include <asm/pkru.h>
#include <asm/processor.h>

#include "compat.h"

#define CPUID_XSTATE 0xd
#define XCR0_X87 BIT_ULL(0)
#define XCR0_SSE BIT_ULL(1)
#define XCR0_AVX BIT_ULL(2)
#define XCR0_BNDREGS_BNDCSR (BIT_ULL(3) | BIT_ULL(4))
#define XCR0_AVX512 (BIT_ULL(5) | BIT_ULL(6) | BIT_ULL(7))
#define XCR0_AMX (BIT_ULL(17) | BIT_ULL(18))

static u64 host_xcr0;
static u64 host_xss;

/* For XRSTORS: every component in its initial state (APM volume 4, XRSTORS) */
static struct {
	u8 legacy[512];
	u64 xstate_bv;
	u64 xcomp_bv;
	u8 reserved[48];
} initial __aligned(64) = { .xcomp_bv = BIT_ULL(63) };

static u32 area_size;

/**
 * fpu_init() - find the host's extended state components
 *
 * Return: 0, or -ENODEV if the host has no XSAVE.
 */
int fpu_init(void)
{
	u32 eax, ecx, edx;

	if (!boot_cpu_has(X86_FEATURE_OSXSAVE)) {
		pr_err("this kernel does not use XSAVE: boot it without noxsave\n");
		return -ENODEV;
	}
	host_xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
	cpuid_count(CPUID_XSTATE, 0, &eax, &area_size, &ecx, &edx);
	if (boot_cpu_has(X86_FEATURE_XSAVES))
		rdmsrq(MSR_IA32_XSS, host_xss);
	return 0;
}

/**
 * fpu_area_size() - size of a guest's XSAVE area
 *
 * Return: bytes that XSAVE writes with everything in fpu_xcr0().
 */
u32 fpu_area_size(void)
{
	return area_size;
}

/**
 * fpu_xcr0() - get the extended state components that a guest may use
 *
 * Return: the host's XCR0.
 */
u64 fpu_xcr0(void)
{
	return host_xcr0;
}

/* Return whether all bits of @group are set, or none. */
static bool all_or_none(u64 xcr0, u64 group)
{
	return !(xcr0 & group) || (xcr0 & group) == group;
}

/**
 * fpu_xcr0_valid() - would XSETBV accept the value on this host (APM 11.5.2)?
 * @xcr0: the value
 *
 * Return: true if it would.
 */
bool fpu_xcr0_valid(u64 xcr0)
{
	if ((xcr0 & ~host_xcr0) || !(xcr0 & XCR0_X87))
		return false;
	if ((xcr0 & XCR0_AVX) && !(xcr0 & XCR0_SSE))
		return false;
	if ((xcr0 & XCR0_AVX512) && !(xcr0 & XCR0_AVX))
		return false;
	return all_or_none(xcr0, XCR0_BNDREGS_BNDCSR) &&
	       all_or_none(xcr0, XCR0_AVX512) && all_or_none(xcr0, XCR0_AMX);
}

/* The program can write to the area, so XRSTOR may fault (APM 11.5.9). */
static int xstate_restore(const void *area, u64 mask)
{
	int err = 0;

	/* clang-format off */
	asm volatile("1: xrstor64 (%[area])\n"
		     "2:\n"
		     _ASM_EXTABLE_TYPE_REG(1b, 2b, EX_TYPE_EFAULT_REG, %[err])
		     : [err] "+r"(err)
		     : [area] "r"(area), "a"((u32)mask), "d"((u32)(mask >> 32))
		     : "memory");
	/* clang-format on */
	return err;
}

/*
 * Some processors restore the x87 pointers only if an exception is pending. The guest could
 * then read the addresses of the last instruction and operand of another task.
 */
static void clear_pointers(void)
{
	if (static_cpu_has_bug(X86_BUG_FXSAVE_LEAK))
		asm volatile("fninit");
}

static void xstate_save(void *area, u64 mask)
{
	asm volatile("xsave64 (%0)"
		     :
		     : "r"(area), "a"((u32)mask), "d"((u32)(mask >> 32))
		     : "memory");
}

/* The kernel has saved the program's supervisor state with the rest. */
static void supervisor_leave_host(void)
{
	int err = 0;

	if (!host_xss)
		return;
	/* clang-format off */
	asm volatile("1: xrstors64 %[initial]\n"
		     "2:\n"
		     _ASM_EXTABLE_TYPE_REG(1b, 2b, EX_TYPE_EFAULT_REG, %[err])
		     : [err] "+r"(err)
		     : [initial] "m"(initial), "a"((u32)host_xss),
		       "d"((u32)(host_xss >> 32)));
	/* clang-format on */
	WARN_ON_ONCE(err);
	wrmsrq(MSR_IA32_XSS, 0);
}

static void supervisor_back_to_host(void)
{
	if (host_xss)
		wrmsrq(MSR_IA32_XSS, host_xss);
}

static void switch_xcr0(u64 from, u64 to)
{
	if (from != to)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, to);
}

/**
 * fpu_enter() - load the guest's extended state
 * @guest: the guest's extended state
 *
 * Preemption is disabled until fpu_leave(), and the host must not use extended state
 * meanwhile. PKRU is the guest's too: nothing accesses the program's pages meanwhile.
 *
 * Return: 0, or -EFAULT if XRSTOR of the area faults.
 */
int fpu_enter(struct guest_fpu *guest)
{
	kernel_fpu_begin_mask(0);
	guest->host_pkru = read_pkru();
	clear_pointers();
	if (xstate_restore(guest->area, host_xcr0)) {
		write_pkru(guest->host_pkru);
		kernel_fpu_end();
		return -EFAULT;
	}
	supervisor_leave_host();
	switch_xcr0(host_xcr0, guest->xcr0);
	return 0;
}

/**
 * fpu_leave() - save the guest's extended state, and undo fpu_enter()
 * @guest: the guest's extended state
 */
void fpu_leave(struct guest_fpu *guest)
{
	/* Restore the host's XCR0 whatever was loaded: compare with the register. */
	switch_xcr0(xgetbv(XCR_XFEATURE_ENABLED_MASK), host_xcr0);
	supervisor_back_to_host();
	xstate_save(guest->area, host_xcr0);
	write_pkru(guest->host_pkru);
	kernel_fpu_end();
}
