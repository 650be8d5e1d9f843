/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_LAZY_H
#define SVMRUN_LAZY_H

#include <linux/svmrun.h>
#include <linux/types.h>

/* State that is switched lazily */
#define LAZY_XSTATE (1u << 0) /* extended state (fpu) */
#define LAZY_BREAKPOINTS (1u << 1) /* DR0 to DR3 (debugreg) */
#define LAZY_ALL (LAZY_XSTATE | LAZY_BREAKPOINTS)

/* Exit codes begin with the intercepts, in their order: vectors 0 to 4 matter. */
#define LAZY_VECTORS 5
#define LAZY_VECTOR(exitcode) ((exitcode) / 32)
#define LAZY_BIT(exitcode) (1u << (exitcode) % 32)

/**
 * struct lazy - which state of a guest is switched, and how its use is intercepted
 * @active: LAZY_*: state that is switched on each run; bits are only added
 * @requested: the program's intercepts, and those that the module always sets
 * @intercepts: intercepts for inactive state whose exits the module handles
 * @hidden: bits of CR0 that are set for inactive state, and clear for the guest
 */
struct lazy {
	u32 active;
	u32 requested[LAZY_VECTORS];
	u32 intercepts[LAZY_VECTORS];
	u64 hidden;
};

void lazy_load(struct lazy *lazy, struct svm_vmcb *hw, u32 clean);
void lazy_activate(struct lazy *lazy, struct svm_vmcb *hw);

/**
 * lazy_is_exit() - did the guest use inactive state?
 * @lazy: the guest's lazily switched state
 * @exitcode: why it exited
 *
 * Return: true if lazy_activate() is due.
 */
static inline bool lazy_is_exit(const struct lazy *lazy, u32 exitcode)
{
	u32 vector = LAZY_VECTOR(exitcode);

	return vector < LAZY_VECTORS &&
	       lazy->intercepts[vector] & LAZY_BIT(exitcode);
}

/**
 * lazy_guest_cr0() - CR0 as the guest set it
 * @lazy: the guest's lazily switched state
 * @hw: the hardware's VMCB
 *
 * Return: the value, without the bits that are set for inactive state: while there
 * are any, the guest's accesses to CR0 exit.
 */
static inline u64 lazy_guest_cr0(const struct lazy *lazy,
				 const struct svm_vmcb *hw)
{
	return hw->save.cr0 & ~lazy->hidden;
}

#endif /* SVMRUN_LAZY_H */
