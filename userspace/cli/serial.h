/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's first serial port: as much of a 16550 as polled input and output
 * need. What it sends goes to standard output, what it receives comes from
 * standard input. It is always ready to send and never interrupts.
 */
#ifndef SERIAL_H
#define SERIAL_H

#include <stdint.h>

#define SERIAL_PORT	0x3f8
#define SERIAL_PORTS	8

/**
 * struct serial - the registers that keep what is written
 * @divisor: DLL and DLM
 * @ier: interrupt enable
 * @lcr: line control
 * @mcr: modem control
 * @scr: scratch
 */
struct serial {
	uint8_t divisor[2];
	uint8_t ier;
	uint8_t lcr;
	uint8_t mcr;
	uint8_t scr;
};

uint8_t serial_read(struct serial *serial, unsigned int reg);

/* Gives 0, or a negative errno if standard output takes no more. */
int serial_write(struct serial *serial, unsigned int reg, uint8_t value);

#endif /* SERIAL_H */
