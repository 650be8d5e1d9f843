/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Exit statuses of the tool. They are even, because a guest that writes v to port 0xf4
 * ends the run with (2v+1)&255, which is odd.
 */
#ifndef STATUS_H
#define STATUS_H

enum status {
	STATUS_HALTED = 0,
	STATUS_USAGE = 2,
	STATUS_ENVIRONMENT = 4,
	STATUS_SHUTDOWN = 6,
	STATUS_UNHANDLED = 8,
	STATUS_TIMEOUT = 124,
	STATUS_SIGNAL = 128, /* plus the number of the signal */
};

/* Lines of --help for the statuses of both subcommands */
#define STATUS_HELP_COMMON                                                     \
	"  2  bad input: an option or the image\n"                             \
	"  4  the environment: no module, no permission, no SVM, or\n"         \
	"     another hypervisor that uses SVM\n"

#endif /* STATUS_H */
