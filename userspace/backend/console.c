// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/message.h"
#include "common/status.h"
#include "common/signals.h"
#include "console.h"

#define FLUSH_DELAY (NANOSECONDS / 100)
#define CTRL_A 1

/* Time for the last output after the user has ended the run; how often to look for that */
#define OUTPUT_END_TIME NANOSECONDS
#define OUTPUT_STEP (NANOSECONDS / 10)

void console_init(struct console *console, struct svmrun_uart *uart,
		  const struct output_machine *machine)
{
	*console = (struct console){
		.uart = uart,
		.outcome = machine->outcome,
		.flush_at = SVMRUN_NEVER,
		.event = -1,
	};
	output_init(&console->output, STDOUT_FILENO, machine);
}

int console_open(struct console *console, bool raw)
{
	struct termios settings;

	console->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (console->event < 0)
		return -errno;
	if (!raw || tcgetattr(STDIN_FILENO, &console->settings))
		return 0;
	settings = console->settings;
	cfmakeraw(&settings);
	settings.c_oflag |=
		OPOST; /* the tool's messages end in a plain newline */
	console->is_raw = !tcsetattr(STDIN_FILENO, TCSANOW, &settings);
	return 0;
}

void console_restore(const struct console *console)
{
	if (console->is_raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &console->settings);
}

void console_close(struct console *console)
{
	if (console->is_raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &console->settings);
	close(console->event);
	console->event = -1;
}

void console_notify(const struct console *console)
{
	const uint64_t one = 1;

	/* A write fails only if the event is signalled already. */
	if (write(console->event, &one, sizeof(one)) < 0)
		return;
}

/* ---- output -------------------------------------------------------------- */

void console_flush(struct console *console)
{
	console->flush_at = SVMRUN_NEVER;
	console->line_size = 0;
	output_flush(&console->output);
}

void console_send(struct console *console, uint8_t byte)
{
	output_add(&console->output, byte);
	console->line_size++;
	if (byte == '\n' || console->line_size == CONSOLE_ROOM)
		console_flush(console);
	else if (console->flush_at == SVMRUN_NEVER)
		console->flush_at = clock_now() + FLUSH_DELAY;
}

void console_end_debug(struct console *console)
{
	size_t i;

	for (i = 0; i < console->debug_size; i++)
		console_send(console, console->debug[i]);
	console->debug_size = 0;
}

void console_send_debug(struct console *console, uint8_t byte)
{
	console->debug[console->debug_size++] = byte;
	if (byte == '\n' || console->debug_size == CONSOLE_ROOM)
		console_end_debug(console);
}

/* Until when to wait for the last output: for ever, unless the user ends the run. */
static uint64_t output_deadline(const struct console *console)
{
	return console->has_quit || signals_received() ?
		       clock_now() + OUTPUT_END_TIME :
		       SVMRUN_NEVER;
}

void console_end_output(struct console *console)
{
	uint64_t until = SVMRUN_NEVER, step;
	bool ended = false;

	pthread_mutex_lock(console->output.machine.lock);
	console_end_debug(console);
	pthread_mutex_unlock(console->output.machine.lock);
	output_end(&console->output);
	/* Signals do not interrupt the wait, so look for them from time to time. */
	while (!ended && clock_now() < until) {
		if (until == SVMRUN_NEVER)
			until = output_deadline(console);
		step = clock_now() + OUTPUT_STEP;
		ended = output_wait(&console->output,
				    step < until ? step : until);
	}
	if (!ended)
		message_warn("standard output: %zu bytes of the guest's output were not written",
			     output_abandon(&console->output));
}

/* ---- input --------------------------------------------------------------- */

/* Asking for the number of bytes leaves input in place that the guest never reads. */
static bool has_input(void)
{
	int bytes;

	return !ioctl(STDIN_FILENO, FIONREAD, &bytes) && bytes > 0;
}

/* Fill the UART's FIFO from the buffer. */
static void fill_uart(struct console *console)
{
	size_t given = 0;

	while (given < console->input_size && svmrun_uart_room(console->uart))
		svmrun_uart_receive(console->uart, console->input[given++]);
	console->input_size -= given;
	memmove(console->input, console->input + given, console->input_size);
}

/* Return the character for the guest, or 0. */
static uint8_t handle_command(struct console *console, uint8_t byte)
{
	if (byte == 'x') {
		console->has_quit = true;
		outcome_end(console->outcome, 0, STATUS_HALTED, "quit", "%s",
			    "");
	}
	if (byte == 's')
		console->report_requested = true;
	if (byte == 'w')
		console->save_requested = true;
	return byte == 'a' || byte == CTRL_A ? CTRL_A : 0;
}

/*
 * Handle Ctrl-A and the command after it: x ends the run, s requests a report, w requests
 * that the machine is saved, a sends Ctrl-A to the guest. Return the character for the
 * guest, or 0.
 */
static uint8_t filter_typed(struct console *console, uint8_t byte)
{
	if (console->escaped) {
		console->escaped = false;
		return handle_command(console, byte);
	}
	console->escaped = byte == CTRL_A;
	return console->escaped ? 0 : byte;
}

static void buffer_input(struct console *console, const uint8_t *bytes,
			 size_t size)
{
	uint8_t byte;
	size_t i;

	for (i = 0; i < size; i++) {
		byte = bytes[i];
		if (console->is_raw && byte) {
			byte = filter_typed(console, byte);
			if (!byte)
				continue;
		}
		console->input[console->input_size++] = byte;
	}
}

/* The thread in console_wait() may have to wake a guest that waits only for input. */
static void end_input(struct console *console)
{
	console->at_end = true;
	console_notify(console);
}

/*
 * A read with the lock held must not block, even if another process has taken the input.
 */
static bool can_read(void)
{
	struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&fd, 1, 0) > 0;
}

static void read_some(struct console *console, size_t most)
{
	uint8_t bytes[CONSOLE_ROOM];
	ssize_t got = read(STDIN_FILENO, bytes, most);

	if (got > 0)
		buffer_input(console, bytes, got);
	else if (!got || (errno != EAGAIN && errno != EINTR))
		end_input(console);
	fill_uart(console);
}

/* Read one byte at most, except from a terminal, whose input is buffered already. */
void console_refill_uart(struct console *console)
{
	if (!console->is_raw && !console->at_end && !console->input_size &&
	    svmrun_uart_room(console->uart) && has_input())
		read_some(console, 1);
	else
		fill_uart(console);
}

bool console_can_interrupt(const struct console *console)
{
	return console->is_raw ||
	       (!console->at_end && svmrun_uart_listens(console->uart));
}

/* Return how many bytes to wait for: what the buffer or the UART has room for. */
static size_t input_room(const struct console *console)
{
	if (console->at_end)
		return 0;
	if (console->is_raw)
		return CONSOLE_ROOM - console->input_size;
	if (!svmrun_uart_listens(console->uart))
		return 0;
	return svmrun_uart_room(console->uart);
}

bool console_should_wait(const struct console *console)
{
	return !console->awaited && input_room(console);
}

/* ---- waiting ------------------------------------------------------------- */

void console_prepare_wait(struct console *console)
{
	console->awaited = input_room(console);
}

static int poll_timeout(uint64_t until)
{
	uint64_t now = clock_now();

	if (until == SVMRUN_NEVER)
		return -1;
	return until > now ? (int)((until - now) / 1000000 + 1) : 0;
}

void console_wait(const struct console *console, uint64_t until)
{
	struct pollfd fds[] = {
		{ .fd = console->event, .events = POLLIN },
		{ .fd = signals_fd(), .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN },
	};
	uint64_t count;

	if (poll(fds, console->awaited ? 3 : 2, poll_timeout(until)) > 0 &&
	    fds[0].revents && read(console->event, &count, sizeof(count)) < 0)
		return;
}

void console_read_input(struct console *console)
{
	if (console->awaited && can_read())
		read_some(console, console->awaited);
}
