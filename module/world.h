/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_WORLD_H
#define SVMRUN_WORLD_H

#include <linux/types.h>

int world_init(void);
void world_exit(void);

void world_switch(u64 vmcb_pa, u64 state_pa, bool stay);

#endif /* SVMRUN_WORLD_H */
