/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Debugging of the machine: pause, single steps, breakpoints, and access to memory. Call all
 * of it with the machine's lock held.
 */
#ifndef DEBUG_H
#define DEBUG_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cpu;
struct machine;

/* Software breakpoints */
#define DEBUG_BREAKPOINTS 256
/* DR0 to DR3 */
#define DEBUG_REGISTERS 4

/* Action of a processor when the machine resumes */
enum debug_go { DEBUG_STAY, DEBUG_STEP, DEBUG_RUN };

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
	DEBUG_ASKED, /* the debugger requested it */
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
 */
struct debug_breakpoint {
	uint64_t gva;
	uint64_t gpa;
	uint8_t byte;
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
 * struct debug - debugging state of the machine
 * @is_open: a debugger is connected, or expected
 * @paused: all processors are paused
 * @left: signalled when a processor has left its guest
 * @event: an eventfd, signalled when the machine has paused or the run has ended
 * @stop: why it is paused
 * @breakpoints: breakpoints in memory
 * @breakpoint_count: how many
 * @watches: breakpoints in debug registers
 * @watch_count: how many of them are used
 */
struct debug {
	bool is_open;
	bool paused;
	pthread_cond_t left;
	int event;
	struct debug_stop stop;
	struct debug_breakpoint breakpoints[DEBUG_BREAKPOINTS];
	size_t breakpoint_count;
	struct debug_watch watches[DEBUG_REGISTERS];
	unsigned int watch_count;
};

/**
 * struct debug_cpu - debugging state of a processor
 * @go: what it does when the machine resumes
 * @has_trap: TF is set for the debugger while the guest runs
 * @guest_trap: the guest had set TF itself
 * @strayed: TF is in a frame on a stack, because a step raised an exception
 * @returning: the step ends when the handler of that exception returns
 * @pushes: the instruction to step is PUSHF
 * @has_dr6: #DB is intercepted, and DR6 is the debugger's while the guest runs
 * @has_registers: DR0 to DR3 and DR7 are too
 * @rip: RIP at the beginning of the step
 * @dr: the guest's DR0 to DR3 while the guest runs
 * @dr6: the guest's DR6 while the guest runs; the debugger's after the exit
 * @dr7: the guest's DR7 while the guest runs
 * @intercept: the debugger's intercepts while the guest runs
 */
struct debug_cpu {
	enum debug_go go;
	bool has_trap;
	bool guest_trap;
	bool strayed;
	bool returning;
	bool pushes;
	bool has_dr6;
	bool has_registers;
	uint64_t rip;
	uint64_t dr[DEBUG_REGISTERS];
	uint64_t dr6;
	uint64_t dr7;
	uint32_t intercept[4];
};

/* ---- for the debugger ---------------------------------------------------- */

/* Begin with a paused machine. Return 0 or a negative errno. */
int debug_open(struct machine *machine);
void debug_close(struct machine *machine);

/* Pause all processors, and wait until they are. */
void debug_pause(struct machine *machine);

/* Resume the processors, each as its @go says. */
void debug_resume(struct machine *machine);

/* Remove all breakpoints, and resume all processors. */
void debug_release(struct machine *machine);

/*
 * Read and write at a linear address of @cpu. Return how many bytes could be accessed.
 * Breakpoints are not visible in what is read.
 */
size_t debug_read(const struct cpu *cpu, uint64_t gva, void *bytes,
		  size_t size);
size_t debug_write(const struct cpu *cpu, uint64_t gva, const void *bytes,
		   size_t size);

/* Return 0; -EFAULT; -ENOSPC; or -EINVAL if the range cannot be watched. */
int debug_insert(const struct cpu *cpu, enum debug_kind kind, uint64_t address,
		 unsigned int size);
/* It is no error if there is none. */
void debug_remove(struct machine *machine, enum debug_kind kind,
		  uint64_t address, unsigned int size);

/* ---- for the machine ----------------------------------------------------- */

/* Notify the debugger of a pause or of the end of the run. */
void debug_notify(const struct machine *machine);

/* Wait while the processor is paused. Return true if it waited. */
bool debug_holds(struct cpu *cpu);

/* Is the processor stepping? Then interrupts are not injected. */
bool debug_is_stepping(const struct cpu *cpu);

/* End a step that was done without entering the guest. */
void debug_step_done(struct cpu *cpu);

/* Call these just before the guest is entered, and just after it has exited. */
void debug_enter(struct cpu *cpu);
void debug_leave(struct cpu *cpu);

/* Exits: #DB, #BP, INTn, and MOV from and to debug registers */
void cpu_debug(struct cpu *cpu);
void cpu_breakpoint(struct cpu *cpu);
void cpu_software_interrupt(struct cpu *cpu);
void cpu_debug_register(struct cpu *cpu);

/* Call it after each exit that the tool has handled. */
void debug_answered(struct cpu *cpu);

#endif /* DEBUG_H */
