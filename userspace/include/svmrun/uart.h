/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A serial port: a 16550A with its FIFOs (National Semiconductor PC16550D) */
#ifndef SVMRUN_UART_H
#define SVMRUN_UART_H

#include <svmrun/line.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_UART_FIFO 16

/**
 * struct svmrun_uart - a serial port
 * @irq: its interrupt
 * @send: told each byte that it sends, which takes no time
 * @owner: first argument of @send
 * @divisor: DLL and DLM
 * @ier: interrupt enable
 * @fcr: FIFO control
 * @lcr: line control
 * @mcr: modem control
 * @msr: what has changed of the modem's lines
 * @scr: scratch
 * @overrun: a byte came while there was no room
 * @thre: the interrupt for an empty transmitter is pending
 * @fifo: what was received
 * @first: the first of that
 * @count: how much
 * @reserved: zero
 */
struct svmrun_uart {
	struct svmrun_line irq;
	void (*send)(void *owner, uint8_t byte);
	void *owner;
	uint8_t divisor[2];
	uint8_t ier;
	uint8_t fcr;
	uint8_t lcr;
	uint8_t mcr;
	uint8_t msr;
	uint8_t scr;
	bool overrun;
	bool thre;
	uint8_t fifo[SVMRUN_UART_FIFO];
	unsigned int first;
	unsigned int count;
	uint64_t reserved[8];
};

/**
 * svmrun_uart_init() - a serial port after reset
 * @uart: filled in
 * @irq: its interrupt
 * @send: told each byte that it sends
 * @owner: first argument of @send
 */
void svmrun_uart_init(struct svmrun_uart *uart, struct svmrun_line irq,
		      void (*send)(void *owner, uint8_t byte), void *owner);

/**
 * svmrun_uart_read() - read a register
 * @uart: the serial port
 * @reg: 0 to 7
 *
 * Return: the register.
 */
uint8_t svmrun_uart_read(struct svmrun_uart *uart, unsigned int reg);

/**
 * svmrun_uart_write() - write a register
 * @uart: the serial port
 * @reg: 0 to 7
 * @value: what
 */
void svmrun_uart_write(struct svmrun_uart *uart, unsigned int reg,
		       uint8_t value);

/**
 * svmrun_uart_room() - how many bytes it can receive
 * @uart: the serial port
 *
 * Return: bytes that svmrun_uart_receive() may be given now.
 */
unsigned int svmrun_uart_room(const struct svmrun_uart *uart);

/**
 * svmrun_uart_receive() - a byte comes in
 * @uart: the serial port; one without room loses a byte, and says so
 * @byte: it
 */
void svmrun_uart_receive(struct svmrun_uart *uart, uint8_t byte);

/**
 * svmrun_uart_listens() - would a byte interrupt the guest?
 * @uart: the serial port
 *
 * Return: true if it would; otherwise the guest may look for it, or not.
 */
bool svmrun_uart_listens(const struct svmrun_uart *uart);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_UART_H */
