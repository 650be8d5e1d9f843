/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PERMISSIONS_H
#define PERMISSIONS_H

#include <stddef.h>

#include <seccomp.h>

#define PERMISSION_ARGUMENTS 2

/**
 * struct permission - a permitted system call
 * @number: its number
 * @threads: kinds of threads that may make it, as bits
 * @count: how many arguments are compared
 * @arguments: the conditions, all of which must hold
 */
struct permission {
	int number;
	unsigned int threads;
	unsigned int count;
	struct scmp_arg_cmp arguments[PERMISSION_ARGUMENTS];
};

/*
 * Bits of @threads beside those of enum sandbox_thread: the process, until each thread has
 * its own filter; the main thread, if it removes gdb's socket; processors whose guest
 * has SVM; the main thread, if it saves the machine; the thread of svmrun fuzz, if it reads
 * inputs from files; and that process, until it has taken the snapshot.
 */
#define PERMISSION_START 0x100
#define PERMISSION_SOCKET 0x200
#define PERMISSION_NESTED 0x400
#define PERMISSION_SAVE 0x800
#define PERMISSION_INPUTS 0x1000
#define PERMISSION_SNAPSHOT 0x2000

/* Stands for the process ID in a condition */
#define PERMISSION_OWN_ID 0

extern const struct permission permissions[];
extern const size_t permission_count;

#endif /* PERMISSIONS_H */
