/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the machine does for a debugger: it stands still, goes on by single steps,
 * stops at breakpoints, and shows its memory. All with the machine's lock.
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

/* What a processor is to do */
enum debug_go { DEBUG_STAY, DEBUG_STEP, DEBUG_RUN };

/* What a breakpoint is for, as packets Z and z number them */
enum debug_kind {
	DEBUG_SOFTWARE,
	DEBUG_EXECUTE,
	DEBUG_WRITE,
	DEBUG_READ,
	DEBUG_ACCESS,
};

/* Why the machine stands still */
enum debug_reason {
	DEBUG_ASKED, /* because the debugger said so */
	DEBUG_STEPPED, /* a step is done, or an INT3 is not at its address */
	DEBUG_HIT, /* a breakpoint */
};

/**
 * struct debug_stop - why the machine stands still
 * @reason: why
 * @cpu: which processor it was
 * @kind: of the breakpoint, for DEBUG_HIT
 * @address: what is watched
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
 * @gpa: where that is
 * @byte: what is there otherwise
 */
struct debug_breakpoint {
	uint64_t gva;
	uint64_t gpa;
	uint8_t byte;
};

/**
 * struct debug_watch - a breakpoint in a debug register
 * @used: it is one
 * @kind: what it is for
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
 * struct debug - of the machine
 * @is_open: there is a debugger, or it is waited for
 * @paused: all processors stand still
 * @left: signalled when one has left its guest
 * @event: an eventfd: it stands still, or the run has ended
 * @stop: why it stands still
 * @breakpoints: in memory
 * @breakpoint_count: how many
 * @watches: in debug registers
 * @watch_count: how many are used
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
 * struct debug_cpu - of a processor
 * @go: what it is to do
 * @has_trap: TF is ours while the guest runs
 * @guest_trap: it was set anyway
 * @strayed: TF is in a frame on a stack: a step has met an exception
 * @returning: the step is done when that one's handler returns
 * @pushes: the instruction that is stepped is PUSHF
 * @has_dr6: #DB is intercepted, and DR6 is ours while the guest runs
 * @has_registers: so are DR0 to DR3 and DR7
 * @rip: where the step began
 * @dr: the guest's DR0 to DR3, while the guest runs
 * @dr6: the guest's meanwhile; ours once it has left
 * @dr7: the guest's meanwhile
 * @intercept: the intercepts that are ours meanwhile
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

/* The machine will wait for it: 0, or a negative errno. */
int debug_open(struct machine *machine);
void debug_close(struct machine *machine);

/* All processors stand still when it returns. */
void debug_pause(struct machine *machine);

/* They do what each has been told. */
void debug_resume(struct machine *machine);

/* No breakpoints any more, and all run. */
void debug_release(struct machine *machine);

/*
 * Linear addresses, as @cpu translates them. They give how many bytes could be had,
 * and memory as the guest has it, without breakpoints.
 */
size_t debug_read(const struct cpu *cpu, uint64_t gva, void *bytes,
		  size_t size);
size_t debug_write(const struct cpu *cpu, uint64_t gva, const void *bytes,
		   size_t size);

/* 0, or a negative errno: -EFAULT, -ENOSPC, -EINVAL for what cannot be watched. */
int debug_insert(const struct cpu *cpu, enum debug_kind kind, uint64_t address,
		 unsigned int size);
/* What is not there is no mistake. */
void debug_remove(struct machine *machine, enum debug_kind kind,
		  uint64_t address, unsigned int size);

/* ---- for the machine ----------------------------------------------------- */

/* Tells the debugger, of the end of the run too. */
void debug_notify(const struct machine *machine);

/* A processor may not go on: it has waited. */
bool debug_holds(struct cpu *cpu);

/* Interrupts have to wait. */
bool debug_is_stepping(const struct cpu *cpu);

/* A step is done that did not need the guest. */
void debug_step_done(struct cpu *cpu);

/* Just before it enters its guest, and just after it has left */
void debug_enter(struct cpu *cpu);
void debug_leave(struct cpu *cpu);

/* Exits: #DB, #BP, INTn, and MOV from and to debug registers */
void cpu_debug(struct cpu *cpu);
void cpu_breakpoint(struct cpu *cpu);
void cpu_software_interrupt(struct cpu *cpu);
void cpu_debug_register(struct cpu *cpu);

/* After any exit that the tool has answered */
void debug_answered(struct cpu *cpu);

#endif /* DEBUG_H */
