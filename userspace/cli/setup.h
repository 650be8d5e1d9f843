/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The machine's VM, memory and processors, for the subcommands that run a guest. Each
 * function returns 0, or the exit status after a message.
 */
#ifndef SETUP_H
#define SETUP_H

#include "guest/guest.h"
#include "vmm/machine.h"

/* Open the device, and create the VM. */
int setup_vm(struct machine *machine, int *device);

/* Map the guest's memory. */
int setup_memory(struct machine *machine, const struct guest *guest);

/* Create the processors. @device: from setup_vm(); VMs keep open what they need of it */
int setup_cpus(struct machine *machine, int device);

#endif /* SETUP_H */
