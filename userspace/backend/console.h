/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The console: the guest's serial port is standard input and output. Output is buffered
 * until the end of a line, until the guest is idle, or for a moment. Input that the guest
 * does not read is left in standard input, except on a terminal. There, Ctrl-A begins a
 * command to the tool.
 */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

#include <svmrun/uart.h>

#include "outcome.h"
#include "output.h"

#define CONSOLE_ROOM 256

/**
 * struct console - the console
 * @uart: the guest's serial port
 * @outcome: set when the user quits
 * @output: standard output
 * @line_size: bytes added since the last flush
 * @debug: line of the debug port that is not complete yet
 * @debug_size: bytes of it
 * @flush_at: time to write the output, SVMRUN_NEVER if there is none
 * @input: input that the guest has not received yet
 * @input_size: bytes of it
 * @at_end: end of standard input
 * @is_raw: standard input is a terminal in raw mode
 * @awaited: bytes to read from standard input after console_wait(), 0 for none
 * @report_requested: Ctrl-A s was typed
 * @save_requested: Ctrl-A w was typed
 * @has_quit: Ctrl-A x was typed
 * @escaped: the last character was Ctrl-A
 * @settings: the terminal's settings, to be restored
 * @event: an eventfd that interrupts console_wait()
 */
struct console {
	struct svmrun_uart *uart;
	struct outcome *outcome;
	struct output output;
	size_t line_size;
	char debug[CONSOLE_ROOM];
	size_t debug_size;
	uint64_t flush_at;
	uint8_t input[CONSOLE_ROOM];
	size_t input_size;
	bool at_end;
	bool is_raw;
	size_t awaited;
	bool report_requested;
	bool save_requested;
	bool has_quit;
	bool escaped;
	struct termios settings;
	int event;
};

void console_init(struct console *console, struct svmrun_uart *uart,
		  const struct output_machine *machine);

/* Return 0 or a negative errno. @raw: put a terminal into raw mode, for the guest */
int console_open(struct console *console, bool raw);
void console_close(struct console *console);

/* Restore the terminal's settings. May be called in a signal handler. */
void console_restore(const struct console *console);

/* Make console_wait() return. Any thread may call it, with or without the lock. */
void console_notify(const struct console *console);

/*
 * Wait for input, for console_notify(), for a signal that ends the run, or until a time.
 * Call it without the machine's lock, between the other two, which need the lock.
 */
void console_prepare_wait(struct console *console);
void console_wait(const struct console *console, uint64_t until);
void console_read_input(struct console *console);

/*
 * Write the rest of the output after the run, without the lock. If the user has ended the
 * run, wait for a second at most, and print a message if that is not enough.
 */
void console_end_output(struct console *console);

/* Call the functions below with the machine's lock held. Send a byte of the guest: */
void console_send(struct console *console, uint8_t byte);

/*
 * Send a byte of the debug port. Bytes are added to the output line by line, because
 * firmware prints the same characters to the serial port at the same time.
 */
void console_send_debug(struct console *console, uint8_t byte);

/* End a line of the debug port that the guest has not ended. */
void console_end_debug(struct console *console);

/* Let the buffered output be written. An error ends the run. */
void console_flush(struct console *console);

/* Refill the UART's FIFO if there is input, because the guest polls it. */
void console_refill_uart(struct console *console);

/* Return whether the guest could receive input that no thread waits for. */
bool console_should_wait(const struct console *console);

/* Return whether input can still cause an interrupt. */
bool console_can_interrupt(const struct console *console);

#endif /* CONSOLE_H */
