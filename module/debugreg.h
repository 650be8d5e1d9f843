/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_DEBUGREG_H
#define SVMRUN_DEBUGREG_H

#include <linux/percpu.h>
#include <linux/types.h>
#include <asm/processor.h>
#include <asm/debugreg.h>

/**
 * struct debugreg_host - the host's debug registers while a guest runs
 * @dr: DR0 to DR3
 * @dr7: DR7 if the host has breakpoints set, else 0
 * @switched: DR0 to DR3 are the guest's
 */
struct debugreg_host {
	unsigned long dr[4];
	unsigned long dr7;
	bool switched;
};

void debugreg_enter(struct debugreg_host *host, const u64 guest[4],
		    u32 intercepts, u64 dr7);
void debugreg_leave(struct debugreg_host *host, u64 guest[4]);

/**
 * debugreg_take_dr6() - clear the guest's DR6, which #VMEXIT leaves loaded (APM 15.6)
 * @dr6: its value, from the VMCB
 *
 * The host's #DB handler would otherwise act on the guest's bits.
 */
static inline void debugreg_take_dr6(u64 dr6)
{
	if (dr6 != DR6_RESERVED)
		set_debugreg(DR6_RESERVED, 6);
}

#endif /* SVMRUN_DEBUGREG_H */
