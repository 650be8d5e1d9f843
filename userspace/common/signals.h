/* SPDX-License-Identifier: GPL-2.0 */
/* Signals, and the time-out, which is one: they end the run, or request a report or a save. */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <stdbool.h>

/*
 * Make SIGHUP, SIGINT, SIGTERM and the time-out end the run instead of the program.
 * Return 0 or a negative errno.
 */
int signals_open(void);
void signals_close(void);

/* Return a descriptor that becomes readable when the run is to end. */
int signals_fd(void);

/* Set the time-out. Return 0 or a negative errno. */
int signals_set_timeout(double seconds);

/* Return the signal that ends the run, SIGALRM for the time-out, or 0. */
int signals_received(void);

/* Make SIGUSR1 request a report, and write to an eventfd then. */
void signals_report_to(int fd);

/* Return whether a report has been requested since the last call. */
bool signals_report_requested(void);

/* Make SIGUSR2 request that the machine is saved, and write to the same eventfd. */
void signals_save(void);

/* Return whether a save has been requested since the last call. */
bool signals_save_requested(void);

#endif /* SIGNALS_H */
