/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The sandbox of svmrun run, resume and fuzz. The process opens all that it needs, and then
 * gives up the rest: files, programs, sockets and other processes. A guest that finds a
 * mistake in the tool, and makes it execute the guest's code, can use only what is left.
 *
 * The process has a filter of system calls, and each thread has another one, which permits
 * only the calls of its own kind (permissions.c).
 */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

enum sandbox_thread {
	SANDBOX_MAIN, /* waits for the terminal, and ends the run */
	SANDBOX_CPU,
	SANDBOX_DISK,
	SANDBOX_OUTPUT,
	SANDBOX_GDB,
	SANDBOX_FUZZ, /* runs the guest's inputs */
	SANDBOX_HELPER, /* creates processes that sleep, for afl-fuzz */
	SANDBOX_THREADS,
};

/**
 * struct sandbox_inputs - files that are read later, or others of the same names
 * @files: their names
 * @count: how many
 */
struct sandbox_inputs {
	char *const *files;
	size_t count;
};

/**
 * struct sandbox_needs - what the process still needs
 * @disks: there are threads of disks
 * @gdb: there is a thread for gdb
 * @nested: the guest has SVM
 * @save: the machine may be saved to a file
 * @fuzz: the threads are those of svmrun fuzz, which first takes a snapshot of the guest
 * @inherited: keep descriptors that the program which started this one has left open
 * @inputs: files that are read later
 * @socket: path of a file that is removed at the end, NULL for none
 * @denied: called in a signal handler when a system call has been denied, before the
 *	process ends; may be NULL
 */
struct sandbox_needs {
	bool disks;
	bool gdb;
	bool nested;
	bool save;
	bool fuzz;
	bool inherited;
	struct sandbox_inputs inputs;
	const char *socket;
	void (*denied)(void);
};

/*
 * Confine the process, which must have only one thread. Return 0, or the exit status after
 * a message.
 */
int sandbox_enter(const struct sandbox_needs *needs);

/*
 * Confine this thread further; nothing happens in a process that is not confined. Return 0
 * or a negative errno.
 */
int sandbox_enter_thread(enum sandbox_thread thread);

/* The same, but return 0, or the exit status after a message. */
int sandbox_confine_thread(enum sandbox_thread thread);

/**
 * struct sandbox_state - for reports
 * @is_on: the process is confined
 * @landlock: the ABI version of Landlock, 0 if the kernel does not offer it
 */
struct sandbox_state {
	bool is_on;
	int landlock;
};

const struct sandbox_state *sandbox_state(void);

#endif /* SANDBOX_H */
