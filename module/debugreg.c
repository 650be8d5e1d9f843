// SPDX-License-Identifier: GPL-2.0
/*
 * Switch the debug registers. VMRUN loads DR6 and DR7. #VMEXIT saves them, keeps the guest's
 * DR6, and disables every breakpoint in DR7 (APM 15.6). Neither switches DR0 to DR3: they
 * are switched here if the guest can access them or has a breakpoint.
 *
 * This is done at each entry, with interrupts off, because the interrupt that causes an
 * exit may set a breakpoint of the host on this CPU.
 */
#include "debugreg.h"

#include <linux/percpu.h>
#include <asm/debugreg.h>

/* Reads and writes of DR0 to DR3, in intercept vector 1 */
#define INTERCEPT_ALL_DR 0x000f000fu
/* Writes of DR7, which is DR5 too while CR4.DE is clear (APM 13.1.1.3) */
#define INTERCEPT_DR7 (1u << (16 + 7) | 1u << (16 + 5))
#define DR7_ENABLES 0xffu

static void host_save(struct debugreg_host *host)
{
	get_debugreg(host->dr[0], 0);
	get_debugreg(host->dr[1], 1);
	get_debugreg(host->dr[2], 2);
	get_debugreg(host->dr[3], 3);
}

static void host_restore(const struct debugreg_host *host)
{
	set_debugreg(host->dr[0], 0);
	set_debugreg(host->dr[1], 1);
	set_debugreg(host->dr[2], 2);
	set_debugreg(host->dr[3], 3);
}

/*
 * Return whether the guest can find out the values of DR0 to DR3, by an access or by a
 * breakpoint.
 */
static bool breakpoints_reachable(u32 intercepts, u64 dr7)
{
	return (intercepts & INTERCEPT_ALL_DR) != INTERCEPT_ALL_DR ||
	       (intercepts & INTERCEPT_DR7) != INTERCEPT_DR7 ||
	       (dr7 & DR7_ENABLES);
}

/**
 * debugreg_enter() - load the guest's debug registers; call it with interrupts off
 * @host: gets the host's debug registers
 * @guest: DR0 to DR3 of the guest
 * @intercepts: intercept vector 1: accesses that the guest cannot make itself
 * @dr7: DR7 that the guest begins with
 */
void debugreg_enter(struct debugreg_host *host, const u64 guest[4],
		    u32 intercepts, u64 dr7)
{
	host->dr7 = hw_breakpoint_active() ? __this_cpu_read(cpu_dr7) : 0;
	host->switched = breakpoints_reachable(intercepts, dr7);
	/* A breakpoint of the host must not fire while half of the state is the guest's. */
	if (host->dr7)
		set_debugreg(0ul, 7);
	if (!host->switched)
		return;
	if (host->dr7)
		host_save(host);
	set_debugreg(guest[0], 0);
	set_debugreg(guest[1], 1);
	set_debugreg(guest[2], 2);
	set_debugreg(guest[3], 3);
}

/**
 * debugreg_leave() - undo debugreg_enter(), right after #VMEXIT
 * @host: from debugreg_enter()
 * @guest: DR0 to DR3 of the guest, written if it could change them
 */
void debugreg_leave(struct debugreg_host *host, u64 guest[4])
{
	unsigned long value;

	if (host->switched) {
		get_debugreg(value, 0);
		guest[0] = value;
		get_debugreg(value, 1);
		guest[1] = value;
		get_debugreg(value, 2);
		guest[2] = value;
		get_debugreg(value, 3);
		guest[3] = value;
		if (host->dr7)
			host_restore(host);
	}
	if (host->dr7)
		set_debugreg(host->dr7, 7);
}
