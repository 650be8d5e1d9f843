/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tool needs of the machine. Each failure has its own message, with
 * the next step to take.
 */
#ifndef ENVIRONMENT_H
#define ENVIRONMENT_H

#include <svmrun.h>

/* Gives the device's file descriptor, or minus the exit status. */
int environment_open(struct svmrun_info *info);

/* For svmrun_vm_create() that failed: gives the exit status. */
int environment_no_vm(int error);

#endif /* ENVIRONMENT_H */
