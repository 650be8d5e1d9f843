/* SPDX-License-Identifier: GPL-2.0 */
/* A run, from the options to the exit status */
#ifndef RUN_MACHINE_H
#define RUN_MACHINE_H

#include "vmm/run_options.h"
#include "vmm/saved.h"

/* @saved: the machine that is resumed, NULL for a new one */
int run_machine(const struct run_options *options, struct saved *saved);

#endif /* RUN_MACHINE_H */
