/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_SPECULATION_H
#define SVMRUN_SPECULATION_H

#include <linux/types.h>

void speculation_enter(u64 vm);
void speculation_leave(void);

#endif /* SVMRUN_SPECULATION_H */
