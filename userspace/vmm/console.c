// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/status.h"
#include "common/signals.h"
#include "console.h"

#define FLUSH_DELAY (NANOSECONDS / 100)
#define CTRL_A 1

void console_init(struct console *console, struct svmrun_uart *uart,
		  struct outcome *outcome)
{
	*console = (struct console){
		.uart = uart,
		.outcome = outcome,
		.flush_at = SVMRUN_NEVER,
		.event = -1,
	};
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

/* Wait until standard output has room. Return false if a signal ends the run first. */
static bool wait_for_room(void)
{
	struct pollfd fds[] = {
		{ .fd = STDOUT_FILENO, .events = POLLOUT },
		{ .fd = signals_fd(), .events = POLLIN },
	};

	while (poll(fds, 2, -1) < 0)
		;
	return fds[0].revents;
}

static int write_some(const char **bytes, size_t *size)
{
	ssize_t done;

	if (!wait_for_room())
		return -ETIME;
	/* A pipe that poll() reports as writable has room for PIPE_BUF, which is more. */
	done = write(STDOUT_FILENO, *bytes, *size);
	if (done < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	*bytes += done;
	*size -= done;
	return 0;
}

void console_flush(struct console *console)
{
	const char *bytes = console->output;
	size_t size = console->output_size;
	int ret = 0;

	console->flush_at = SVMRUN_NEVER;
	console->output_size = 0;
	while (size && !ret)
		ret = write_some(&bytes, &size);
	if (ret && ret != -ETIME)
		outcome_end(console->outcome, 0, STATUS_ENVIRONMENT,
			    "environment", "standard output: %s",
			    strerror(-ret));
}

void console_send(struct console *console, uint8_t byte)
{
	console->output[console->output_size++] = byte;
	if (byte == '\n' || console->output_size == CONSOLE_ROOM)
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
	if (byte == 'x')
		outcome_end(console->outcome, 0, STATUS_HALTED, "quit", "%s",
			    "");
	if (byte == 's')
		console->report_requested = true;
	return byte == 'a' || byte == CTRL_A ? CTRL_A : 0;
}

/*
 * Handle Ctrl-A and the command after it: x ends the run, s requests a report, a sends
 * Ctrl-A to the guest. Return the character for the guest, or 0.
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
	if (!console->is_raw && !console->input_size &&
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
