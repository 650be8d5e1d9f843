/* SPDX-License-Identifier: GPL-2.0 */
/* What comes from outside: a time-out or a signal that ends the run, or asks. */
#ifndef STOP_H
#define STOP_H

#include <stdbool.h>

/*
 * From now on they end the run instead of the program. Gives 0, or a negative
 * errno.
 */
int stop_begin(void);
void stop_end(void);

/* Can be read from once something asked for an end. */
int stop_fd(void);

/* Sets the time-out: 0, or a negative errno. */
int stop_after(double seconds);

/* The signal that asked for an end, SIGALRM for the time-out, or 0. */
int stop_reason(void);

/* SIGUSR1 asks how things are from now on: it writes to an eventfd. */
void stop_ask_at(int fd);

/* It has, since this was last called. */
bool stop_asked(void);

#endif /* STOP_H */
