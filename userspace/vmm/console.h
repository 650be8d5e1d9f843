/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Standard input and output, which are the guest's serial port. What it sends is
 * gathered up to the end of a line, or until the guest rests, or for a moment. What
 * it does not read is left alone for whoever comes next, but on a terminal, where
 * Ctrl-A is for us.
 */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

struct machine;

#define CONSOLE_ROOM 256

/**
 * struct console - the console
 * @output: what has not been written yet
 * @output_size: bytes of it
 * @flush_at: when it will be, SVMRUN_NEVER if there is none
 * @input: what has been typed and the guest has not been given yet
 * @input_size: bytes of it
 * @at_end: standard input has no more
 * @is_raw: it is a terminal, whose @settings are kept
 * @is_polled: somebody waits for standard input
 * @asked: Ctrl-A s was typed
 * @escaped: the last character was Ctrl-A
 * @settings: to put back
 * @event: an eventfd that interrupts whoever waits for input
 */
struct console {
	char output[CONSOLE_ROOM];
	size_t output_size;
	uint64_t flush_at;
	uint8_t input[CONSOLE_ROOM];
	size_t input_size;
	bool at_end;
	bool is_raw;
	bool is_polled;
	bool asked;
	bool escaped;
	struct termios settings;
	int event;
};

/* Gives 0, or a negative errno. @raw: a terminal's characters go to the guest */
int console_open(struct console *console, bool raw);
void console_close(struct console *console);

/* All with the machine's lock. Sends a byte of the guest's: */
void console_send(struct machine *machine, uint8_t byte);

/* Writes what was sent; what fails ends the run. */
void console_flush(struct machine *machine);

/* The guest looks whether there is input. */
void console_look(struct machine *machine);

/* There may be input that the guest has begun to wait for. */
bool console_wants_more(const struct machine *machine);

/* Input could still bring the guest an interrupt. */
bool console_can_interrupt(const struct machine *machine);

/* Has console_wait() come back; from any thread */
void console_notify(const struct console *console);

/*
 * Waits without the lock, up to a time, for input that the guest wants, or
 * console_notify(), and gives the guest what there is.
 */
void console_wait(struct machine *machine, uint64_t until);

#endif /* CONSOLE_H */
