/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_DEBUGREG_H
#define SVMRUN_DEBUGREG_H

#include <linux/types.h>

/**
 * struct debugreg_host - the host's debug registers while a guest runs
 * @dr: DR0 to DR3
 * @dr7: DR7 if the host has breakpoints set, else 0
 * @lent: the guest has DR0 to DR3
 */
struct debugreg_host {
	unsigned long dr[4];
	unsigned long dr7;
	bool lent;
};

void debugreg_enter(struct debugreg_host *host, const u64 guest[4],
		    u32 intercepts, u64 dr7);
void debugreg_leave(struct debugreg_host *host, u64 guest[4], u64 dr6);

#endif /* SVMRUN_DEBUGREG_H */
