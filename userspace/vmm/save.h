/* SPDX-License-Identifier: GPL-2.0 */
/* Saving the machine to a file while it runs (--save), by the thread of machine_run() */
#ifndef SAVE_H
#define SAVE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct machine;
struct saved;
struct svmrun_saved;

/**
 * struct save - the file for saving
 * @name: its name, NULL for none
 * @fd: the file
 * @folder: the working directory
 * @pagemap: says which pages of this process exist (Documentation/admin-guide/mm/pagemap.rst
 *	of Linux), -1 if Linux does not tell
 * @base: the file from which the machine was resumed, NULL for none
 * @resumed: number of the machine, from 1 on, among those that were resumed from @base; 0 if
 *	it was not resumed, or has been saved since, or could not be
 */
struct save {
	const char *name;
	int fd;
	char folder[PATH_MAX];
	int pagemap;
	const struct svmrun_saved *base;
	uint32_t resumed;
};

/*
 * Open or create the file that the options name, if they name one. It is written to when
 * the machine is saved. Return 0, or the exit status after a message.
 * @saved: the file from which the machine is resumed, NULL for none
 */
int save_open(struct machine *machine, const struct saved *saved);
void save_close(const struct machine *machine);

/* Begin to save, with the machine's lock held, or print why this is not possible. */
void save_request(struct machine *machine);

/*
 * Save the machine, whose processors have stopped, unless requests of disks are in progress:
 * then the save stays pending. Call it with the lock held; it is released meanwhile.
 */
void save_machine(struct machine *machine);

#endif /* SAVE_H */
