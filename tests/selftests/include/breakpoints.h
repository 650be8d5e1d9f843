/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Breakpoints that a guest or the host sets. Some emulators implement only those
 * that the guest has set by MOV to DR7, and keep them active for whatever runs
 * there next. Tests therefore stay on one CPU, and their guests clear the
 * breakpoints again.
 */
#ifndef BREAKPOINTS_H
#define BREAKPOINTS_H

#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>

#include "machine.h"

#define DR7_ALWAYS 0x400ull
#define DR7_EXECUTE(n) (2ull << 2 * (n))
/* Writes of 4 bytes (APM 13.1.1.4) */
#define DR7_WRITE(n) (DR7_EXECUTE(n) | 0xdull << (16 + 4 * (n)))

/* Guests that have set breakpoints end with this code. */
#define DISARM "mov $0x400, %eax\n mov %rax, %dr7\n hlt"

GUEST(disarm, 64, DISARM);

/*
 * Clear the breakpoints of a guest that could not do so; @dr7 is the value that it
 * set.
 */
static inline int breakpoints_disarm(struct machine *m, uint64_t dr7)
{
	MACHINE_LOAD(m, MODE_LONG, disarm);
	m->vcpu.vmcb->save.dr7 = dr7;
	return machine_run(m);
}

/*
 * Open a breakpoint of the host for the calling thread, of eight bytes; @type is
 * HW_BREAKPOINT_X or HW_BREAKPOINT_W. Return -1 if none is available.
 */
static inline int breakpoint_open(unsigned int type,
				  const volatile void *address)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(attr),
		.bp_type = type,
		.bp_addr = (uintptr_t)address,
		.bp_len = HW_BREAKPOINT_LEN_8, /* sizeof(long), for execution */
		.exclude_kernel = 1,
	};

	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

/* Return the number of hits, or ~0 if it cannot be read. */
static inline uint64_t breakpoint_hits(int breakpoint)
{
	uint64_t count = 0;

	return read(breakpoint, &count, sizeof(count)) == sizeof(count) ?
		       count :
		       ~0ull;
}

#endif /* BREAKPOINTS_H */
