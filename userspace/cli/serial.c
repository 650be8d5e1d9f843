// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "serial.h"
#include "stop.h"

enum {
	REG_DATA, /* or divisor, low */
	REG_IER, /* or divisor, high */
	REG_IIR,
	REG_LCR,
	REG_MCR,
	REG_LSR,
	REG_MSR,
	REG_SCR,
};

#define IIR_NONE		0x01 /* no interrupt is pending */
#define LCR_DLAB		0x80
#define LSR_DATA_READY		0x01
#define LSR_CAN_SEND		0x60
#define MSR_CONNECTED		0xb0 /* carrier, data set ready, clear to send */

/*
 * Asking how much there is, rather than reading ahead, leaves alone what the
 * guest never reads: it is for whoever comes next.
 */
static bool data_ready(void)
{
	int bytes;

	return !ioctl(STDIN_FILENO, FIONREAD, &bytes) && bytes > 0;
}

static uint8_t receive(void)
{
	uint8_t byte = 0;

	if (data_ready() && read(STDIN_FILENO, &byte, 1) != 1)
		byte = 0;
	return byte;
}

static bool divisor_selected(const struct serial *serial, unsigned int reg)
{
	return reg <= REG_IER && (serial->lcr & LCR_DLAB);
}

uint8_t serial_read(struct serial *serial, unsigned int reg)
{
	if (divisor_selected(serial, reg))
		return serial->divisor[reg];
	switch (reg) {
	case REG_DATA:
		return receive();
	case REG_IER:
		return serial->ier;
	case REG_IIR:
		return IIR_NONE;
	case REG_LCR:
		return serial->lcr;
	case REG_MCR:
		return serial->mcr;
	case REG_LSR:
		return LSR_CAN_SEND | (data_ready() ? LSR_DATA_READY : 0);
	case REG_MSR:
		return MSR_CONNECTED;
	default:
		return serial->scr;
	}
}

static void wait_for_room(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };

	poll(&out, 1, -1);
}

/* Whoever reads it may be slow, but must not keep the run from being ended. */
static int send(uint8_t byte)
{
	while (!stop_reason()) {
		if (write(STDOUT_FILENO, &byte, 1) == 1)
			return 0;
		if (errno == EAGAIN)
			wait_for_room();
		else if (errno != EINTR)
			return -errno;
	}
	return 0;
}

int serial_write(struct serial *serial, unsigned int reg, uint8_t value)
{
	if (divisor_selected(serial, reg)) {
		serial->divisor[reg] = value;
		return 0;
	}
	switch (reg) {
	case REG_DATA:
		return send(value);
	case REG_IER:
		serial->ier = value;
		break;
	case REG_LCR:
		serial->lcr = value;
		break;
	case REG_MCR:
		serial->mcr = value;
		break;
	case REG_SCR:
		serial->scr = value;
		break;
	}
	return 0;
}
