// SPDX-License-Identifier: LGPL-2.1-or-later
/* The 16550A serial port: FIFO, interrupts, modem lines and registers */
#include <svmrun/uart.h>

#include "lib/array_size.h"

enum {
	REG_DATA, /* or divisor, low */
	REG_IER, /* or divisor, high */
	REG_IIR, /* read; FCR written */
	REG_LCR,
	REG_MCR,
	REG_LSR,
	REG_MSR,
	REG_SCR,
};

#define IER_DATA 0x01
#define IER_THRE 0x02
#define IER_LINE 0x04
#define IER_MODEM 0x08
#define IER_BITS 0x0f

#define IIR_MODEM 0x00
#define IIR_NONE 0x01
#define IIR_THRE 0x02
#define IIR_DATA 0x04
#define IIR_LINE 0x06
#define IIR_TIMEOUT 0x0c
#define IIR_FIFOS 0xc0

#define FCR_ENABLE 0x01
#define FCR_CLEAR_RX 0x02
#define FCR_BITS 0xc9
#define LCR_DLAB 0x80
#define MCR_BITS 0x1f
#define MCR_OUT2 0x08
#define MCR_LOOP 0x10
#define LSR_DATA 0x01
#define LSR_OVERRUN 0x02
#define LSR_EMPTY 0x60 /* holding register and transmitter */
#define MSR_CTS 0x10
#define MSR_DSR 0x20
#define MSR_RI 0x40
#define MSR_DCD 0x80
#define MSR_CONNECTED (MSR_CTS | MSR_DSR | MSR_DCD)
#define MSR_DELTA_RI 0x04
#define MSR_DELTAS 0x0f

static unsigned int trigger_level(const struct svmrun_uart *uart)
{
	static const uint8_t levels[] = { 1, 4, 8, 14 };

	return uart->fcr & FCR_ENABLE ? levels[uart->fcr >> 6] : 1;
}

static bool fifo_timed_out(const struct svmrun_uart *uart)
{
	return (uart->fcr & FCR_ENABLE) && uart->count < trigger_level(uart);
}

/*
 * Return the pending interrupt of the highest priority. With fewer bytes than the FIFO's
 * trigger level, the character time-out is immediate, because no byte may follow.
 */
static uint8_t pending_interrupt(const struct svmrun_uart *uart)
{
	if ((uart->ier & IER_LINE) && uart->overrun)
		return IIR_LINE;
	if ((uart->ier & IER_DATA) && uart->count)
		return fifo_timed_out(uart) ? IIR_TIMEOUT : IIR_DATA;
	if ((uart->ier & IER_THRE) && uart->thre)
		return IIR_THRE;
	if ((uart->ier & IER_MODEM) && (uart->msr & MSR_DELTAS))
		return IIR_MODEM;
	return IIR_NONE;
}

/* On a PC, OUT2 enables the interrupt line. In loopback mode it is not an output. */
static bool interrupt_gate_is_open(const struct svmrun_uart *uart)
{
	return (uart->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;
}

static void update_uart_irq(const struct svmrun_uart *uart)
{
	svmrun_line_set(&uart->irq,
			interrupt_gate_is_open(uart) &&
				pending_interrupt(uart) != IIR_NONE);
}

static uint8_t modem_status(const struct svmrun_uart *uart)
{
	uint8_t mcr = uart->mcr;

	if (!(mcr & MCR_LOOP))
		return MSR_CONNECTED;
	/* In loopback mode RTS is CTS, DTR is DSR, OUT1 is RI, OUT2 is DCD. */
	return (mcr & 2) << 3 | (mcr & 1) << 5 | (mcr & 4) << 4 |
	       (mcr & 8) << 4;
}

void svmrun_uart_init(struct svmrun_uart *uart, struct svmrun_line irq,
		      void (*send)(void *owner, uint8_t byte), void *owner)
{
	*uart = (struct svmrun_uart){ .irq = irq,
				      .send = send,
				      .owner = owner };
	update_uart_irq(uart);
}

static unsigned int fifo_capacity(const struct svmrun_uart *uart)
{
	return uart->fcr & FCR_ENABLE ? SVMRUN_UART_FIFO : 1;
}

unsigned int svmrun_uart_room(const struct svmrun_uart *uart)
{
	return uart->mcr & MCR_LOOP ? 0 : fifo_capacity(uart) - uart->count;
}

/* On overrun the FIFO keeps the old bytes, the single buffer the new one (LSR, bit 1). */
static void receive_byte(struct svmrun_uart *uart, uint8_t byte)
{
	bool fits = uart->count < fifo_capacity(uart);

	if (fits)
		uart->count++;
	else
		uart->overrun = true;
	if (fits || !(uart->fcr & FCR_ENABLE))
		uart->fifo[(uart->first + uart->count - 1) % SVMRUN_UART_FIFO] =
			byte;
	update_uart_irq(uart);
}

void svmrun_uart_receive(struct svmrun_uart *uart, uint8_t byte)
{
	if (!(uart->mcr & MCR_LOOP))
		receive_byte(uart, byte);
}

bool svmrun_uart_listens(const struct svmrun_uart *uart)
{
	return (uart->ier & IER_DATA) && interrupt_gate_is_open(uart);
}

static uint8_t read_rbr(struct svmrun_uart *uart)
{
	uint8_t byte = uart->fifo[uart->first];

	if (!uart->count)
		return 0;
	uart->first = (uart->first + 1) % SVMRUN_UART_FIFO;
	uart->count--;
	update_uart_irq(uart);
	return byte;
}

static uint8_t read_iir(struct svmrun_uart *uart)
{
	uint8_t which = pending_interrupt(uart);

	if (which == IIR_THRE) {
		uart->thre = false;
		update_uart_irq(uart);
	}
	return which | (uart->fcr & FCR_ENABLE ? IIR_FIFOS : 0);
}

static uint8_t read_lsr(struct svmrun_uart *uart)
{
	uint8_t value = LSR_EMPTY | (uart->count ? LSR_DATA : 0) |
			(uart->overrun ? LSR_OVERRUN : 0);

	uart->overrun = false;
	update_uart_irq(uart);
	return value;
}

static uint8_t read_modem_status(struct svmrun_uart *uart)
{
	uint8_t value = modem_status(uart) | (uart->msr & MSR_DELTAS);

	uart->msr = 0;
	update_uart_irq(uart);
	return value;
}

static bool divisor_is_selected(const struct svmrun_uart *uart,
				unsigned int reg)
{
	return reg <= REG_IER && (uart->lcr & LCR_DLAB);
}

uint8_t svmrun_uart_read(struct svmrun_uart *uart, unsigned int reg)
{
	if (divisor_is_selected(uart, reg))
		return uart->divisor[reg];
	switch (reg) {
	case REG_DATA:
		return read_rbr(uart);
	case REG_IER:
		return uart->ier;
	case REG_IIR:
		return read_iir(uart);
	case REG_LCR:
		return uart->lcr;
	case REG_MCR:
		return uart->mcr;
	case REG_LSR:
		return read_lsr(uart);
	case REG_MSR:
		return read_modem_status(uart);
	default:
		return uart->scr;
	}
}

/* The byte is sent immediately, so the transmitter is empty again. */
static void write_thr(struct svmrun_uart *uart, uint8_t byte)
{
	uart->thre = false;
	update_uart_irq(uart);
	if (uart->mcr & MCR_LOOP)
		receive_byte(uart, byte);
	else
		uart->send(uart->owner, byte);
	uart->thre = true;
	update_uart_irq(uart);
}

/* Enabling the interrupt for an empty transmitter raises it. */
static void write_ier(struct svmrun_uart *uart, uint8_t value)
{
	if (value & ~uart->ier & IER_THRE)
		uart->thre = true;
	uart->ier = value & IER_BITS;
	update_uart_irq(uart);
}

/* Other bits can be written only together with FCR bit 0. */
static void write_fcr(struct svmrun_uart *uart, uint8_t value)
{
	if (!(value & FCR_ENABLE))
		value = 0;
	if ((value & FCR_CLEAR_RX) || ((value ^ uart->fcr) & FCR_ENABLE))
		uart->count = 0;
	uart->fcr = value & FCR_BITS;
	update_uart_irq(uart);
}

static void write_mcr(struct svmrun_uart *uart, uint8_t value)
{
	uint8_t old = modem_status(uart), changed;

	uart->mcr = value & MCR_BITS;
	changed = old ^ modem_status(uart);
	uart->msr |= (changed & ~MSR_RI) >> 4;
	if (changed & old & MSR_RI) /* trailing edge */
		uart->msr |= MSR_DELTA_RI;
	update_uart_irq(uart);
}

void svmrun_uart_write(struct svmrun_uart *uart, unsigned int reg,
		       uint8_t value)
{
	if (divisor_is_selected(uart, reg)) {
		uart->divisor[reg] = value;
		return;
	}
	switch (reg) {
	case REG_DATA:
		write_thr(uart, value);
		break;
	case REG_IER:
		write_ier(uart, value);
		break;
	case REG_IIR:
		write_fcr(uart, value);
		break;
	case REG_LCR:
		uart->lcr = value;
		break;
	case REG_MCR:
		write_mcr(uart, value);
		break;
	case REG_SCR:
		uart->scr = value;
		break;
	}
}

/* ---- state --------------------------------------------------------------- */

#define STATE_VERSION 1

static const struct svmrun_state_member uart_members[] = {
	SVMRUN_STATE_MEMBER(struct svmrun_uart, divisor),
	SVMRUN_STATE_MEMBER(struct svmrun_uart, ier),
	SVMRUN_STATE_MEMBER(struct svmrun_uart, fcr),
	SVMRUN_STATE_MEMBER(struct svmrun_uart, lcr),
	SVMRUN_STATE_MEMBER(struct svmrun_uart, mcr),
	SVMRUN_STATE_MEMBER(struct svmrun_uart, msr),
	SVMRUN_STATE_MEMBER(struct svmrun_uart, scr),
	SVMRUN_STATE_BOOL(struct svmrun_uart, overrun),
	SVMRUN_STATE_BOOL(struct svmrun_uart, thre),
	SVMRUN_STATE_MEMBER(struct svmrun_uart, fifo),
	SVMRUN_STATE_MEMBER(struct svmrun_uart, first),
	SVMRUN_STATE_MEMBER(struct svmrun_uart, count),
};

int svmrun_uart_save(const struct svmrun_uart *uart, struct svmrun_state *state)
{
	svmrun_state_begin(state, SVMRUN_STATE_UART, STATE_VERSION);
	svmrun_state_put_members(state, uart, uart_members,
				 ARRAY_SIZE(uart_members));
	return svmrun_state_end(state);
}

static bool uart_state_is_valid(const struct svmrun_uart *uart)
{
	return uart->first < SVMRUN_UART_FIFO &&
	       uart->count <= fifo_capacity(uart);
}

int svmrun_uart_load(struct svmrun_uart *uart, struct svmrun_state *state)
{
	svmrun_state_open(state, SVMRUN_STATE_UART, STATE_VERSION);
	svmrun_state_get_members(state, uart, uart_members,
				 ARRAY_SIZE(uart_members));
	return svmrun_state_close(state, uart_state_is_valid(uart));
}
