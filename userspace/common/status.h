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
	STATUS_CRASH = 10,
	STATUS_TIMEOUT = 124,
	STATUS_SIGNAL = 128, /* plus the number of the signal */
};

/*
 * All statuses, for --help: the subcommands that have it (RUN, INFO, FUZZ, BOTH of the first
 * two, or ALL), the value and its meaning. The check "statuses" of make style compares
 * svmrun(1) with it.
 */
#define STATUS_TABLE(ROW)                                                          \
	ROW(RUN, "0",                                                              \
	    "the guest executed HLT with interrupts disabled, powered off or\n"    \
	    "     requested a reset, see --on-reset; Ctrl-A x was typed; or the\n" \
	    "     machine was saved, see --on-save")                               \
	ROW(INFO, "0", "guests can run")                                           \
	ROW(RUN, "(2v+1)&255", "the guest wrote v to port 0xf4")                   \
	ROW(FUZZ, "0", "no input has crashed the guest")                           \
	ROW(ALL, "2", "bad input: an option or the image")                         \
	ROW(ALL, "4",                                                              \
	    "the environment: no module, no permission, no SVM, or\n"              \
	    "     another hypervisor that uses SVM")                               \
	ROW(RUN, "6", "the guest shut down after a triple fault")                  \
	ROW(RUN, "8", "an exit that svmrun does not handle")                       \
	ROW(FUZZ, "10", "an input has crashed the guest")                          \
	ROW(FUZZ, "124",                                                           \
	    "the time-out of an input expired, and none has crashed\n"             \
	    "     the guest")                                                      \
	ROW(RUN, "124", "the time-out expired")                                    \
	ROW(RUN, "128+N",                                                          \
	    "ended by signal N: SIGHUP, SIGINT or SIGTERM; or SIGSYS, after a\n"   \
	    "     system call that --sandbox does not permit")

#define STATUS_LINE(value, meaning) "  " value "  " meaning "\n"
#define STATUS_NO_LINE(value, meaning)
#define STATUS_RUN_RUN STATUS_LINE
#define STATUS_RUN_INFO STATUS_NO_LINE
#define STATUS_RUN_FUZZ STATUS_NO_LINE
#define STATUS_RUN_BOTH STATUS_LINE
#define STATUS_RUN_ALL STATUS_LINE
#define STATUS_INFO_RUN STATUS_NO_LINE
#define STATUS_INFO_INFO STATUS_LINE
#define STATUS_INFO_FUZZ STATUS_NO_LINE
#define STATUS_INFO_BOTH STATUS_LINE
#define STATUS_INFO_ALL STATUS_LINE
#define STATUS_FUZZ_RUN STATUS_NO_LINE
#define STATUS_FUZZ_INFO STATUS_NO_LINE
#define STATUS_FUZZ_FUZZ STATUS_LINE
#define STATUS_FUZZ_BOTH STATUS_NO_LINE
#define STATUS_FUZZ_ALL STATUS_LINE
#define STATUS_RUN_ROW(command, value, meaning)                                \
	STATUS_RUN_##command(value, meaning)
#define STATUS_INFO_ROW(command, value, meaning)                               \
	STATUS_INFO_##command(value, meaning)
#define STATUS_FUZZ_ROW(command, value, meaning)                               \
	STATUS_FUZZ_##command(value, meaning)

#define STATUS_HELP_RUN "Exit status:\n" STATUS_TABLE(STATUS_RUN_ROW)
#define STATUS_HELP_DUMP                                                       \
	"Exit status:\n" STATUS_LINE("0", "the core is complete")              \
		STATUS_LINE("2", "bad input: an option or the file")           \
			STATUS_LINE("4", "the core cannot be written")
#define STATUS_HELP_FUZZ "Exit status:\n" STATUS_TABLE(STATUS_FUZZ_ROW)
#define STATUS_HELP_INFO "Exit status:\n" STATUS_TABLE(STATUS_INFO_ROW)

#endif /* STATUS_H */
