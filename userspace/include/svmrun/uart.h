/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A serial port: a 16550A with its FIFOs (National Semiconductor PC16550D) */
#ifndef SVMRUN_UART_H
#define SVMRUN_UART_H

#include <svmrun/line.h>
#include <svmrun/state.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_UART_FIFO 16

/**
 * struct svmrun_uart - a serial port
 * @irq: its interrupt
 * @send: called with each byte that is sent, which takes no time
 * @owner: first argument of @send
 * @divisor: divisor latches, DLL and DLM
 * @ier: interrupt enable register
 * @fcr: FIFO control register
 * @lcr: line control register
 * @mcr: modem control register
 * @msr: the delta bits of the modem status register
 * @scr: scratch register
 * @overrun: a byte was received when the FIFO was full
 * @thre: the interrupt for an empty transmitter is pending
 * @fifo: received bytes
 * @first: index of the first one
 * @count: number of them
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
 * svmrun_uart_init() - initialize a serial port in its reset state
 * @uart: filled in
 * @irq: its interrupt
 * @send: called with each byte that is sent
 * @owner: first argument of @send
 */
void svmrun_uart_init(struct svmrun_uart *uart, struct svmrun_line irq,
		      void (*send)(void *owner, uint8_t byte), void *owner);

/**
 * svmrun_uart_read() - read a register
 * @uart: the serial port
 * @reg: 0 to 7
 *
 * Return: the value.
 */
uint8_t svmrun_uart_read(struct svmrun_uart *uart, unsigned int reg);

/**
 * svmrun_uart_write() - write a register
 * @uart: the serial port
 * @reg: 0 to 7
 * @value: the value
 */
void svmrun_uart_write(struct svmrun_uart *uart, unsigned int reg,
		       uint8_t value);

/**
 * svmrun_uart_room() - get the number of bytes that the serial port can receive now
 * @uart: the serial port
 *
 * Return: the number of free bytes in its FIFO; 0 in loopback mode.
 */
unsigned int svmrun_uart_room(const struct svmrun_uart *uart);

/**
 * svmrun_uart_receive() - receive a byte
 * @uart: the serial port; if it has no room, a byte is lost, and LSR shows an overrun
 * @byte: the byte
 */
void svmrun_uart_receive(struct svmrun_uart *uart, uint8_t byte);

/**
 * svmrun_uart_listens() - is the interrupt for received bytes enabled?
 * @uart: the serial port
 *
 * Return: true if it is; otherwise the guest may poll, or may not read at all.
 */
bool svmrun_uart_listens(const struct svmrun_uart *uart);

/**
 * svmrun_uart_save() - write the state of a serial port to a record
 * @uart: the serial port
 * @state: the records
 *
 * Return: 0 or a negative errno, see svmrun_state_end().
 */
int svmrun_uart_save(const struct svmrun_uart *uart,
		     struct svmrun_state *state);

/**
 * svmrun_uart_load() - read the state of a serial port from a record
 * @uart: the initialized serial port; after an error, it must be initialized again
 * @state: the records
 *
 * Return: 0 or a negative errno; -EINVAL: this is no such state; -EOPNOTSUPP: it is of
 * another version.
 */
int svmrun_uart_load(struct svmrun_uart *uart, struct svmrun_state *state);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_UART_H */
