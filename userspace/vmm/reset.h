/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Resets of the machine while it runs (--on-reset restart). A processor's thread requests
 * one. Each of these threads then stops at the beginning of its loop, where nothing of an
 * exit remains to be done, and the thread of machine_run() resets the machine. That thread
 * also handles the signals that end a run, so that it ends even if the guest resets the
 * machine again and again. All functions need the machine's lock.
 */
#ifndef RESET_H
#define RESET_H

#include <stdbool.h>
#include <stdint.h>

struct cpu;
struct machine;

/**
 * struct reset - state of a reset
 * @pending: a reset has been requested, and has not been carried out
 * @stopped: number of processors whose threads wait for it
 * @count: number of resets since the beginning of the run
 */
struct reset {
	bool pending;
	unsigned int stopped;
	uint64_t count;
};

/* Request a reset. Return false if --on-reset exit ends the run instead. */
bool reset_request(struct machine *machine);

/* Wait until the pending reset has been carried out, or the run has ended. */
void reset_wait(struct cpu *cpu);

/* Is a reset pending, and has every processor stopped for it? */
bool reset_is_due(const struct machine *machine);

/* Let the processors continue after the reset. */
void reset_done(struct machine *machine);

#endif /* RESET_H */
