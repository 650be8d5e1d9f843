/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Breakpoints of a guest's own. Some emulators know only those that the guest
 * has set by a MOV to DR7, and keep them for whatever runs there next, so that a
 * test stays on one CPU and has its guests take them away again.
 */
#ifndef BREAKPOINTS_H
#define BREAKPOINTS_H

#include <sched.h>

#include "machine.h"

#define DR7_ALWAYS 0x400ull
#define DR7_EXECUTE(n) (2ull << 2 * (n))
/* Writes of 4 bytes (APM 13.1.1.4) */
#define DR7_WRITE(n) (DR7_EXECUTE(n) | 0xdull << (16 + 4 * (n)))

/* What a guest ends with that has set breakpoints */
#define DISARM "mov $0x400, %eax\n mov %rax, %dr7\n hlt"

GUEST(disarm, 64, DISARM);

/* For the calling thread, and those that it creates */
static inline int cpu_stay(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

/* Takes away what a guest could not: @dr7 is what it has set. */
static inline int breakpoints_disarm(struct machine *m, uint64_t dr7)
{
	MACHINE_LOAD(m, MODE_LONG, disarm);
	m->vcpu.vmcb->save.dr7 = dr7;
	return machine_run(m);
}

#endif /* BREAKPOINTS_H */
