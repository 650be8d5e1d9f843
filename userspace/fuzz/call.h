/* SPDX-License-Identifier: GPL-2.0 */
/* The guest's calls: VMMCALL (svmrun_guest.h) */
#ifndef FUZZ_CALL_H
#define FUZZ_CALL_H

#include "vmm/cpu.h"

/* Handle the exit of a VMMCALL. */
void exit_vmmcall(struct cpu *cpu);

#endif /* FUZZ_CALL_H */
