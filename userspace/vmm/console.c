// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/status.h"
#include "common/stop.h"
#include "machine.h"

#define GATHER (10 * NANOSECONDS / 1000) /* 10 ms */
#define CTRL_A 1

int console_open(struct console *console, bool raw)
{
	struct termios settings;

	*console = (struct console){ .flush_at = SVMRUN_NEVER };
	console->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (console->event < 0)
		return -errno;
	if (!raw || tcgetattr(STDIN_FILENO, &console->settings))
		return 0;
	settings = console->settings;
	cfmakeraw(&settings);
	settings.c_oflag |= OPOST; /* our own messages have plain newlines */
	console->is_raw = !tcsetattr(STDIN_FILENO, TCSANOW, &settings);
	return 0;
}

void console_close(struct console *console)
{
	if (console->is_raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &console->settings);
	close(console->event);
}

void console_notify(const struct console *console)
{
	const uint64_t one = 1;

	/* It can only fail where it is high already. */
	if (write(console->event, &one, sizeof(one)) < 0)
		return;
}

/* ---- output -------------------------------------------------------------- */

/* Whoever reads it may be slow, but must not keep the run from being ended. */
static bool can_write(void)
{
	struct pollfd fds[] = {
		{ .fd = STDOUT_FILENO, .events = POLLOUT },
		{ .fd = stop_fd(), .events = POLLIN },
	};

	while (poll(fds, 2, -1) < 0)
		;
	return fds[0].revents;
}

static int write_some(const char **bytes, size_t *size)
{
	ssize_t done;

	if (!can_write())
		return -ETIME;
	/* No more than a pipe that can be written to has room for */
	done = write(STDOUT_FILENO, *bytes, *size);
	if (done < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	*bytes += done;
	*size -= done;
	return 0;
}

void console_flush(struct machine *machine)
{
	struct console *console = &machine->console;
	const char *bytes = console->output;
	size_t size = console->output_size;
	int ret = 0;

	console->flush_at = SVMRUN_NEVER;
	console->output_size = 0;
	while (size && !ret)
		ret = write_some(&bytes, &size);
	if (ret && ret != -ETIME)
		outcome_end(&machine->outcome, 0, STATUS_ENVIRONMENT,
			    "environment",
			    "standard output: %s; the guest's output goes there",
			    strerror(-ret));
}

void console_send(struct machine *machine, uint8_t byte)
{
	struct console *console = &machine->console;

	console->output[console->output_size++] = byte;
	if (byte == '\n' || console->output_size == CONSOLE_ROOM)
		console_flush(machine);
	else if (console->flush_at == SVMRUN_NEVER)
		console->flush_at = clock_now() + GATHER;
}

/* ---- input --------------------------------------------------------------- */

/*
 * Asking how much there is, rather than reading ahead, leaves alone what the
 * guest never reads.
 */
static bool has_input(void)
{
	int bytes;

	return !ioctl(STDIN_FILENO, FIONREAD, &bytes) && bytes > 0;
}

static void give(struct machine *machine)
{
	struct console *console = &machine->console;
	size_t given = 0;

	while (given < console->input_size &&
	       svmrun_uart_room(&machine->pc.uart))
		svmrun_uart_receive(&machine->pc.uart, console->input[given++]);
	console->input_size -= given;
	memmove(console->input, console->input + given, console->input_size);
}

static void quit(struct machine *machine)
{
	outcome_end(&machine->outcome, 0, STATUS_HALTED, "quit", "%s", "");
}

static uint8_t escaped(struct machine *machine, uint8_t byte)
{
	if (byte == 'x')
		quit(machine);
	if (byte == 's')
		machine->console.asked = true;
	return byte == 'a' || byte == CTRL_A ? CTRL_A : 0;
}

/*
 * Ctrl-A and: x ends the run, s asks how it is, a is Ctrl-A. Gives 0 for what is not
 * the guest's.
 */
static uint8_t unescape(struct machine *machine, uint8_t byte)
{
	struct console *console = &machine->console;

	if (console->escaped) {
		console->escaped = false;
		return escaped(machine, byte);
	}
	console->escaped = byte == CTRL_A;
	return console->escaped ? 0 : byte;
}

static void take(struct machine *machine, const uint8_t *bytes, size_t size)
{
	struct console *console = &machine->console;
	uint8_t byte;
	size_t i;

	for (i = 0; i < size; i++) {
		byte = bytes[i];
		if (console->is_raw && byte) {
			byte = unescape(machine, byte);
			if (!byte)
				continue;
		}
		console->input[console->input_size++] = byte;
	}
}

/* A guest that waits for nothing but input now waits for nothing. */
static void end_input(struct machine *machine)
{
	machine->console.at_end = true;
	if (machine->cpu_count)
		cpu_wake(&machine->cpus[0]);
}

/* Whether a read would not wait: the lock is held, and somebody may have been first. */
static bool can_read(void)
{
	struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&fd, 1, 0) > 0;
}

static void read_some(struct machine *machine, size_t most)
{
	uint8_t bytes[CONSOLE_ROOM];
	ssize_t got = read(STDIN_FILENO, bytes, most);

	if (got > 0)
		take(machine, bytes, got);
	else if (!got || (errno != EAGAIN && errno != EINTR))
		end_input(machine);
	give(machine);
}

/* One byte, or what has been typed already */
void console_look(struct machine *machine)
{
	struct console *console = &machine->console;

	if (!console->is_raw && !console->input_size &&
	    svmrun_uart_room(&machine->pc.uart) && has_input())
		read_some(machine, 1);
	else
		give(machine);
}

static bool listens(const struct machine *machine)
{
	return svmrun_uart_listens(&machine->pc.uart);
}

bool console_can_interrupt(const struct machine *machine)
{
	const struct console *console = &machine->console;

	return console->is_raw || (!console->at_end && listens(machine));
}

/* How much to read now: all that there is room for, where it is for us too */
static size_t wanted(const struct machine *machine)
{
	const struct console *console = &machine->console;
	size_t room = svmrun_uart_room(&machine->pc.uart);

	if (console->at_end)
		return 0;
	if (console->is_raw)
		return CONSOLE_ROOM - console->input_size;
	return listens(machine) ? room : 0;
}

bool console_wants_more(const struct machine *machine)
{
	return !machine->console.is_polled && wanted(machine);
}

/* A processor that waits for room to write has the lock: it is interrupted. */
static void lock_again(struct machine *machine)
{
	struct timespec until;

	while (stop_reason()) {
		cpu_interrupt_all(machine);
		until = clock_timespec(clock_now() + GATHER);
		if (!pthread_mutex_clocklock(&machine->lock, CLOCK_MONOTONIC,
					     &until))
			return;
	}
	pthread_mutex_lock(&machine->lock);
}

/* In milliseconds, as poll() has it */
static int patience(uint64_t until)
{
	uint64_t now = clock_now();

	if (until == SVMRUN_NEVER)
		return -1;
	return until > now ? (int)((until - now) / 1000000 + 1) : 0;
}

void console_wait(struct machine *machine, uint64_t until)
{
	struct console *console = &machine->console;
	size_t most = wanted(machine);
	struct pollfd fds[] = {
		{ .fd = console->event, .events = POLLIN },
		{ .fd = stop_fd(), .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN },
	};
	uint64_t count;
	int ready;

	console->is_polled = most;
	pthread_mutex_unlock(&machine->lock);
	ready = poll(fds, most ? 3 : 2, patience(until));
	if (ready > 0 && fds[0].revents)
		read(console->event, &count, sizeof(count));
	lock_again(machine);
	if (ready > 0 && most && fds[2].revents && can_read())
		read_some(machine, most);
}
