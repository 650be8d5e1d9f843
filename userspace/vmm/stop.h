/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stops of all processors while the machine runs: for a reset (--on-reset restart), which a
 * processor's thread requests, or to save the machine. Each of these threads stops at the
 * beginning of its loop, where nothing of an exit remains to be done, and the thread of
 * machine_run() resets or saves the machine. That thread also handles the signals that end
 * a run, so that it ends even if the guest resets the machine again and again. All
 * functions need the machine's lock.
 */
#ifndef STOP_H
#define STOP_H

#include <stdbool.h>
#include <stdint.h>

struct cpu;
struct machine;

/**
 * struct stop - state of a stop
 * @reset: a reset has been requested, and has not been carried out
 * @save: the machine is to be saved, and has not been
 * @stopped: number of processors whose threads wait
 * @count: number of stops that have ended
 * @resets: number of resets since the beginning of the run
 */
struct stop {
	bool reset;
	bool save;
	unsigned int stopped;
	uint64_t count;
	uint64_t resets;
};

/* Request a reset. Return false if --on-reset exit ends the run instead. */
bool stop_for_reset(struct machine *machine);

/* Request that the machine is saved. */
void stop_to_save(struct machine *machine);

/* Return whether a stop has been requested that has not ended. */
bool stop_is_pending(const struct machine *machine);

/* Wait until the pending stop, or the run, has ended. */
void stop_wait(struct cpu *cpu);

/* Return whether a stop is pending, and every processor has stopped for it. */
bool stop_is_complete(const struct machine *machine);

/* The reset has been carried out. */
void stop_reset_done(struct machine *machine);

/* Let the processors continue, if nothing is left to be done. */
void stop_end(struct machine *machine);

#endif /* STOP_H */
