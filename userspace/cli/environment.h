/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The environment of the tool: the processor, the module and its device. Each failure has
 * its own message, with the next step to take.
 */
#ifndef ENVIRONMENT_H
#define ENVIRONMENT_H

#include <svmrun.h>

/* Return the device's file descriptor, or the negative exit status after a message. */
int environment_open(struct svmrun_info *info);

/* Return the condition of the environment as a word: 0 or the error of svmrun_vm_create(). */
const char *environment_word(int error);

/* Explain why svmrun_vm_create() failed. Return the exit status. */
int environment_vm_failed(int error);

#endif /* ENVIRONMENT_H */
