/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A run of the machine: the thread that starts the processors' threads, waits for the
 * terminal and for signals, and prints reports.
 */
#ifndef RUN_H
#define RUN_H

#include "machine.h"

/* Run the machine until the run ends. */
void machine_run(struct machine *machine);

#endif /* RUN_H */
