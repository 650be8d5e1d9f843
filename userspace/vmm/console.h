/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The console: the guest's serial port is standard input and output. Output is buffered until
 * the end of a line, until the guest is idle, or for a moment. Input that the guest does not
 * read is left in standard input, except on a terminal. There, Ctrl-A begins a command to
 * the tool.
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
 * @output: buffered output
 * @output_size: bytes of it
 * @flush_at: time to write it, SVMRUN_NEVER if there is none
 * @input: input that the guest has not received yet
 * @input_size: bytes of it
 * @at_end: end of standard input
 * @is_raw: standard input is a terminal in raw mode
 * @is_polled: a thread waits for standard input
 * @asked: Ctrl-A s was typed
 * @escaped: the last character was Ctrl-A
 * @settings: the terminal's settings, to be restored
 * @event: an eventfd that interrupts the wait for input
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

/* Return 0 or a negative errno. @raw: put a terminal into raw mode, for the guest */
int console_open(struct console *console, bool raw);
void console_close(struct console *console);

/* Call these with the machine's lock held. Send a byte of the guest: */
void console_send(struct machine *machine, uint8_t byte);

/* Write the buffered output. An error ends the run. */
void console_flush(struct machine *machine);

/* Read input, because the guest polls for it. */
void console_look(struct machine *machine);

/* Should standard input be read for the guest? */
bool console_wants_more(const struct machine *machine);

/* Can input still cause an interrupt? */
bool console_can_interrupt(const struct machine *machine);

/* Make console_wait() return; any thread may call it. */
void console_notify(const struct console *console);

/*
 * Release the lock and wait until a time for input or console_notify(). Give the input to
 * the guest.
 */
void console_wait(struct machine *machine, uint64_t until);

#endif /* CONSOLE_H */
