/* SPDX-License-Identifier: GPL-2.0 */
/* A file from which a machine is resumed, see svmrun/saved.h */
#ifndef SAVED_H
#define SAVED_H

#include <svmrun/saved.h>

#include "machine_state.h"

/**
 * struct saved - a file that is open for reading
 * @name: its name, for messages
 * @file: its contents; ->state is the records that have not been read yet
 * @plan: the records that describe the machine to be created
 * @number: number of this machine among those that are resumed from the file, from 1 on
 */
struct saved {
	const char *name;
	struct svmrun_saved file;
	struct machine_plan plan;
	uint32_t number;
};

/*
 * Open a file, check it, and read the machine's options and plan from it. No one can save
 * to it while it is open. Return 0, or the exit status after a message.
 */
int saved_open(struct saved *saved, const char *name,
	       struct run_options *options);
void saved_close(struct saved *saved);

/* As saved_open(), with a descriptor, which saved_close() closes. */
int saved_read(struct saved *saved, int fd, struct run_options *options);

/*
 * Map the file's memory privately: the guest's writes do not change the file, and pages
 * that are only read are shared with all machines that are resumed from it. Return 0, or the
 * exit status after a message.
 */
int saved_map_memory(const struct saved *saved, struct svmrun_memory *memories);

/*
 * Check that the disks, which are open, are as they were. Return 0, or the exit status after a
 * message.
 */
int saved_check_disks(const struct saved *saved, const struct machine *machine);

/* Print the message for an error of the records, and return the exit status. */
int saved_state_failed(const struct saved *saved, int error);

/*
 * Load the state into a machine that has been created from the plan. Return 0, or the exit status
 * after a message.
 */
int saved_load(struct saved *saved, struct machine *machine);

#endif /* SAVED_H */
