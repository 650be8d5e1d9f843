/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_WORLD_H
#define SVMRUN_WORLD_H

#include <linux/types.h>

/* What world_switch() is to do besides */
#define WORLD_SAVE (1u << 0) /* keep the host's state: it may have changed */
#define WORLD_STAY                                                             \
	(1u << 1) /* tell RCU that it can do without this CPU meanwhile */

struct svmrun_registers;

int world_init(void);
void world_exit(void);

void world_switch(u64 vmcb_pa, struct svmrun_registers *registers, u64 state_pa,
		  unsigned int flags);

#endif /* SVMRUN_WORLD_H */
