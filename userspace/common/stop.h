/* SPDX-License-Identifier: GPL-2.0 */
/* Time-out and signals: they end the run, or request a report. */
#ifndef STOP_H
#define STOP_H

#include <stdbool.h>

/*
 * Make signals end the run instead of the program. Return 0 or a negative errno.
 */
int stop_begin(void);
void stop_end(void);

/* Return a descriptor that becomes readable when the run is to end. */
int stop_fd(void);

/* Set the time-out. Return 0 or a negative errno. */
int stop_after(double seconds);

/* Return the signal that ends the run, SIGALRM for the time-out, or 0. */
int stop_reason(void);

/* Make SIGUSR1 request a report by writing to an eventfd. */
void stop_ask_at(int fd);

/* Was a report requested since the last call? */
bool stop_asked(void);

#endif /* STOP_H */
