/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Debugging of the machine: pauses, single steps, breakpoints and access to memory. The
 * machine calls it through the hooks of vmm/debug_hooks.h. All functions except
 * debug_open() and debug_close() need the machine's lock.
 */
#ifndef DEBUG_H
#define DEBUG_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/machine.h"

/* Software breakpoints */
#define DEBUG_BREAKPOINTS 256
/* Bytes of code by which the place of a breakpoint is recognized after a reset */
#define DEBUG_CODE 16
/* DR0 to DR3 */
#define DEBUG_REGISTERS 4

/* Action of a processor when the machine resumes */
enum debug_action { DEBUG_STOP, DEBUG_STEP, DEBUG_CONTINUE };

/* Kinds of breakpoints, numbered as in packets Z and z */
enum debug_kind {
	DEBUG_SOFTWARE,
	DEBUG_EXECUTE,
	DEBUG_WRITE,
	DEBUG_READ,
	DEBUG_ACCESS,
};

/* Why the machine is paused */
enum debug_reason {
	DEBUG_INTERRUPTED, /* the debugger requested it */
	DEBUG_STEPPED, /* a step is done, or an INT3 is not at its address */
	DEBUG_HIT, /* a breakpoint */
};

/**
 * struct debug_stop - why the machine is paused
 * @reason: the reason
 * @cpu: the processor that caused it
 * @kind: kind of the breakpoint, for DEBUG_HIT
 * @address: address that is watched
 */
struct debug_stop {
	enum debug_reason reason;
	unsigned int cpu;
	enum debug_kind kind;
	uint64_t address;
};

/**
 * struct debug_breakpoint - a software breakpoint: INT3 in the guest's memory
 * @gva: its linear address
 * @gpa: its guest physical address
 * @byte: the byte that it replaces
 * @code: the bytes from there on when it was set, as many as are in the page
 * @code_size: number of @code
 */
struct debug_breakpoint {
	uint64_t gva;
	uint64_t gpa;
	uint8_t byte;
	uint8_t code[DEBUG_CODE];
	size_t code_size;
};

/**
 * struct debug_watch - a breakpoint in a debug register
 * @used: the register is used
 * @kind: kind of the breakpoint
 * @address: linear address
 * @size: bytes: 1, 2, 4 or 8
 */
struct debug_watch {
	bool used;
	enum debug_kind kind;
	uint64_t address;
	unsigned int size;
};

/**
 * struct debug_cpu - debugging state of a processor
 * @action: what it does when the machine resumes
 * @is_nested: the guest's guest ran when the processor was about to run last
 * @has_tf: RFLAGS.TF is set for the debugger while the guest runs
 * @guest_tf: the guest had set TF itself
 * @tf_in_frame: TF is in a frame on a stack, because a step raised an exception
 * @returning: the step ends when the handler of that exception returns
 * @is_pushf: the instruction to step is PUSHF
 * @has_dr6: #DB is intercepted, and DR6 is the debugger's while the guest runs
 * @has_registers: DR0 to DR3 and DR7 are too
 * @rip: RIP at the beginning of the step
 * @dr: the guest's DR0 to DR3 while the guest runs
 * @dr6: the guest's DR6 while the guest runs; the debugger's after the exit
 * @dr7: the guest's DR7 while the guest runs
 * @intercept: the debugger's intercepts while the guest runs
 */
struct debug_cpu {
	enum debug_action action;
	bool is_nested;
	bool has_tf;
	bool guest_tf;
	bool tf_in_frame;
	bool returning;
	bool is_pushf;
	bool has_dr6;
	bool has_registers;
	uint64_t rip;
	uint64_t dr[DEBUG_REGISTERS];
	uint64_t dr6;
	uint64_t dr7;
	uint32_t intercept[4];
};

/**
 * struct debug - debugging state of the machine
 * @paused: all processors are paused
 * @left: signalled when a processor has left its guest
 * @event: an eventfd, signalled when the machine has paused or the run has ended
 * @stop: why it is paused
 * @stops_at_svm: pause at each VMRUN and #VMEXIT of the guest
 * @breakpoints: breakpoints in memory
 * @breakpoint_count: how many
 * @watches: breakpoints in debug registers
 * @watch_count: how many of them are used
 * @cpus: the processors
 */
struct debug {
	bool paused;
	pthread_cond_t left;
	int event;
	struct debug_stop stop;
	bool stops_at_svm;
	struct debug_breakpoint breakpoints[DEBUG_BREAKPOINTS];
	size_t breakpoint_count;
	struct debug_watch watches[DEBUG_REGISTERS];
	unsigned int watch_count;
	struct debug_cpu cpus[OPTIONS_CPUS];
};

/*
 * Register with a machine that has processors; it begins paused. Return 0 or a negative
 * errno. Close it after the run.
 */
int debug_open(struct debug *debug, struct machine *machine);
void debug_close(struct machine *machine);

/* Remove all breakpoints, and resume all processors. */
void debug_release(struct machine *machine);

#endif /* DEBUG_H */
