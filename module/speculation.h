/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_SPECULATION_H
#define SVMRUN_SPECULATION_H

#include <linux/percpu.h>
#include <linux/types.h>

#include "compat.h"

/* The VM whose guest was the last on this CPU, 0 for none */
DECLARE_PER_CPU(u64, speculation_last_vm);

void speculation_barrier(void);

/**
 * speculation_enter() - before a guest, with interrupts off
 * @vm: its VM's number, which no other VM has had
 */
static inline void speculation_enter(u64 vm)
{
	if (__this_cpu_read(speculation_last_vm) == vm)
		return;
	__this_cpu_write(speculation_last_vm, vm);
	speculation_barrier();
}

/**
 * speculation_leave() - after a guest, with interrupts off
 *
 * The kernel puts a barrier before it goes back to userspace, on processors
 * that want one there.
 */
static inline void speculation_leave(void)
{
	ibpb_before_user();
}

#endif /* SVMRUN_SPECULATION_H */
