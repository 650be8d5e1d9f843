// SPDX-License-Identifier: GPL-2.0
/*
 * The 16550A serial port: FIFOs, interrupts and their priorities, loopback, and the
 * checks by which drivers identify the chip.
 */
#include <string.h>

#include <svmrun/uart.h>

#include "suites.h"
#include "xorshift.h"

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR, FCR = IIR };

#define OUT2 0x08
#define LOOP 0x10
#define DLAB 0x80

static struct svmrun_uart uart;
static bool line;
static unsigned int edges;
static char sent[64];
static size_t sent_count;

static void note_line(void *owner, unsigned int number, bool level)
{
	if (owner != &line || number != 4)
		ck_abort_msg("the line of another device");
	edges += level && !line;
	line = level;
}

static void note_sent(void *owner, uint8_t byte)
{
	if (owner != sent)
		ck_abort_msg("the owner of another device");
	sent[sent_count++ % sizeof(sent)] = byte;
}

static void start(void)
{
	const struct svmrun_line irq = { note_line, &line, 4 };

	line = true;
	svmrun_uart_init(&uart, irq, note_sent, sent);
	edges = 0;
	sent_count = 0;
	memset(sent, 0, sizeof(sent));
}

static void set(unsigned int reg, uint8_t value)
{
	svmrun_uart_write(&uart, reg, value);
}

static uint8_t get(unsigned int reg)
{
	return svmrun_uart_read(&uart, reg);
}

/* Start with the interrupts in @ier enabled. */
static void start_with(uint8_t ier, uint8_t fcr)
{
	start();
	set(FCR, fcr);
	set(MCR, OUT2);
	set(IER, ier);
}

static void receive(const char *bytes)
{
	while (*bytes)
		svmrun_uart_receive(&uart, *bytes++);
}

static void expect(const char *bytes)
{
	while (*bytes)
		ck_assert_uint_eq(get(DATA), (uint8_t)*bytes++);
	ck_assert_uint_eq(get(LSR) & 1, 0);
}

START_TEST(registers_after_reset)
{
	static const uint8_t values[] = {
		0, 0, 0x01, 0, 0, 0x60, 0xb0, 0,
	};

	start();
	ck_assert(!line);
	for (unsigned int reg = 0; reg < ARRAY_SIZE(values); reg++)
		ck_assert_uint_eq(get(reg), values[reg]);
}

START_TEST(registers_keep_implemented_bits)
{
	start();
	for (unsigned int reg = IER; reg <= SCR; reg++)
		set(reg, reg == LCR ? 0x7f : reg == FCR ? 0 : 0xff);
	ck_assert_uint_eq(get(IER), 0x0f);
	ck_assert_uint_eq(get(LCR), 0x7f);
	ck_assert_uint_eq(get(MCR), 0x1f);
	ck_assert_uint_eq(get(LSR), 0x60);
	ck_assert_uint_eq(get(SCR), 0xff);
}

START_TEST(divisor_is_behind_data_and_ier)
{
	start();
	set(IER, 0x05);
	set(LCR, DLAB | 3);
	set(DATA, 0x0c);
	set(IER, 0xff);
	ck_assert_uint_eq(get(DATA), 0x0c);
	ck_assert_uint_eq(get(IER), 0xff);
	set(LCR, 3);
	ck_assert_uint_eq(get(DATA), 0);
	ck_assert_uint_eq(get(IER), 0x05);
	ck_assert_uint_eq(sent_count, 0);
}

START_TEST(sends_at_once)
{
	start();
	for (const char *c = "hello"; *c; c++) {
		ck_assert_uint_eq(get(LSR), 0x60);
		set(DATA, *c);
	}
	ck_assert_str_eq(sent, "hello");
}

START_TEST(empty_transmitter_interrupts)
{
	start_with(0x02, 0);
	ck_assert(line);
	ck_assert_uint_eq(get(IIR), 0x02);
	ck_assert(!line);
	ck_assert_uint_eq(get(IIR), 0x01);
	set(DATA, 'a');
	ck_assert(line);
	set(DATA, 'b');
	ck_assert(line);
	ck_assert_uint_eq(edges, 3);
	ck_assert_uint_eq(get(IIR), 0x02);
	ck_assert_uint_eq(get(IIR), 0x01);
}

START_TEST(enabled_again_it_interrupts_again)
{
	start_with(0x02, 0);
	for (unsigned int i = 0; i < 3; i++) {
		ck_assert_uint_eq(get(IIR), 0x02);
		ck_assert(!line);
		set(IER, 0x02); /* already enabled */
		ck_assert(!line);
		set(IER, 0x00);
		ck_assert(!line);
		set(IER, 0x02);
		ck_assert(line);
	}
}

START_TEST(empty_transmitter_waits_for_its_enable)
{
	start();
	set(MCR, OUT2);
	set(DATA, 'a');
	ck_assert_uint_eq(get(IIR), 0x01);
	set(IER, 0x02);
	ck_assert_uint_eq(get(IIR), 0x02);
}

START_TEST(out2_lets_the_interrupt_through)
{
	start_with(0x02, 0);
	set(MCR, 0);
	ck_assert(!line);
	set(MCR, OUT2);
	ck_assert(line);
	set(MCR, OUT2 | LOOP);
	ck_assert(!line);
	ck_assert_uint_eq(get(IIR), 0x02);
}

START_TEST(receives)
{
	start_with(0x01, 0);
	ck_assert_uint_eq(svmrun_uart_room(&uart), 1);
	receive("a");
	ck_assert(line);
	ck_assert_uint_eq(svmrun_uart_room(&uart), 0);
	ck_assert_uint_eq(get(IIR), 0x04);
	ck_assert(line);
	ck_assert_uint_eq(get(LSR), 0x61);
	ck_assert_uint_eq(get(DATA), 'a');
	ck_assert(!line);
	ck_assert_uint_eq(get(LSR), 0x60);
	ck_assert_uint_eq(get(IIR), 0x01);
}

START_TEST(without_fifo_the_new_byte_replaces)
{
	start_with(0x01, 0);
	receive("abc");
	ck_assert_uint_eq(get(LSR), 0x63);
	ck_assert_uint_eq(get(LSR), 0x61);
	expect("c");
	receive("d");
	expect("d");
}

START_TEST(full_fifo_keeps_the_old_bytes)
{
	start_with(0x01, 0x01);
	receive("0123456789abcdef");
	ck_assert_uint_eq(svmrun_uart_room(&uart), 0);
	ck_assert_uint_eq(get(LSR), 0x61);
	receive("gh");
	ck_assert_uint_eq(get(LSR), 0x63);
	ck_assert_uint_eq(get(LSR), 0x61);
	expect("0123456789abcdef");
}

START_TEST(fifo_goes_round)
{
	start_with(0x01, 0x01);
	for (unsigned int i = 0; i < 10; i++) {
		receive("abcdefghijk");
		ck_assert_uint_eq(svmrun_uart_room(&uart), 5);
		expect("abcdefghijk");
	}
}

START_TEST(below_the_trigger_is_a_time_out)
{
	static const unsigned int levels[] = { 1, 4, 8, 14 };

	for (unsigned int i = 0; i < ARRAY_SIZE(levels); i++) {
		start_with(0x01, i << 6 | 0x01);
		for (unsigned int count = 1; count <= 16; count++) {
			receive("x");
			ck_assert(line);
			ck_assert_uint_eq(get(IIR),
					  count < levels[i] ? 0xcc : 0xc4);
		}
	}
}

START_TEST(fifo_is_cleared)
{
	start_with(0x01, 0x01);
	receive("abc");
	set(FCR, 0x03);
	ck_assert(!line);
	expect("");
	receive("abc");
	set(FCR, 0x05); /* clears only the transmitter's FIFO */
	expect("abc");
	receive("abc");
	set(FCR, 0x00); /* a change of the mode clears the FIFOs */
	expect("");
	ck_assert_uint_eq(get(IIR), 0x01);
	receive("a");
	set(FCR, 0xc2); /* ignored without bit 0 */
	ck_assert_uint_eq(get(IIR), 0x04);
	expect("a");
}

START_TEST(priorities)
{
	start_with(0x0f, 0x01);
	set(MCR, LOOP | 1); /* modem status changes */
	set(MCR, OUT2);
	receive("0123456789abcdef!");
	ck_assert_uint_eq(get(IIR), 0xc6);
	ck_assert_uint_eq(get(IIR), 0xc6);
	get(LSR);
	ck_assert_uint_eq(get(IIR), 0xc4);
	expect("0123456789abcdef");
	ck_assert_uint_eq(get(IIR), 0xc2);
	ck_assert_uint_eq(get(IIR), 0xc0);
	ck_assert(line);
	get(MSR);
	ck_assert_uint_eq(get(IIR), 0xc1);
	ck_assert(!line);
}

START_TEST(each_interrupt_has_its_enable)
{
	static const uint8_t pending[] = { 0xc4, 0xc2, 0xc6, 0xc0 };

	for (unsigned int bit = 0; bit < ARRAY_SIZE(pending); bit++) {
		start_with(0, 0x01);
		set(MCR, LOOP | 1);
		set(MCR, OUT2);
		receive("0123456789abcdef!");
		ck_assert(!line);
		set(IER, 1 << bit);
		ck_assert(line);
		ck_assert_uint_eq(get(IIR), pending[bit]);
	}
}

/* In loopback, DTR is connected to DSR, RTS to CTS, OUT1 to RI and OUT2 to DCD. */
START_TEST(loopback_of_the_modem)
{
	for (unsigned int mcr = 0; mcr < 16; mcr++) {
		start();
		set(MCR, LOOP | mcr);
		ck_assert_uint_eq(get(MSR) & 0xf0,
				  (mcr & 1) << 5 | (mcr & 2) << 3 |
					  (mcr & 4) << 4 | (mcr & 8) << 4);
	}
}

START_TEST(changes_of_the_modem)
{
	start();
	set(MCR, LOOP);
	ck_assert_uint_eq(get(MSR), 0x0b);
	ck_assert_uint_eq(get(MSR), 0x00);
	set(MCR, LOOP | 1);
	ck_assert_uint_eq(get(MSR), 0x22);
	set(MCR, LOOP | 3);
	set(MCR, LOOP | 1);
	ck_assert_uint_eq(get(MSR), 0x21); /* the change of CTS is remembered */
	set(MCR, LOOP | 5); /* only the end of RI sets its delta bit */
	ck_assert_uint_eq(get(MSR), 0x60);
	set(MCR, LOOP | 1);
	ck_assert_uint_eq(get(MSR), 0x24);
	set(MCR, LOOP | 9);
	ck_assert_uint_eq(get(MSR), 0xa8);
}

START_TEST(loopback_of_data)
{
	start_with(0, 0x01);
	set(MCR, LOOP);
	ck_assert_uint_eq(svmrun_uart_room(&uart), 0);
	receive("x"); /* input is disconnected in loopback */
	for (const char *c = "echo"; *c; c++)
		set(DATA, *c);
	expect("echo");
	ck_assert_uint_eq(sent_count, 0);
	for (unsigned int i = 0; i < 17; i++)
		set(DATA, i);
	ck_assert_uint_eq(get(LSR), 0x63);
	set(MCR, 0);
	ck_assert_uint_eq(svmrun_uart_room(&uart), 0);
	ck_assert_uint_eq(get(DATA), 0);
	ck_assert_uint_eq(svmrun_uart_room(&uart), 1);
}

START_TEST(listens_if_a_byte_would_interrupt)
{
	start();
	ck_assert(!svmrun_uart_listens(&uart));
	set(IER, 0x01);
	ck_assert(!svmrun_uart_listens(&uart));
	set(MCR, OUT2);
	ck_assert(svmrun_uart_listens(&uart));
	set(MCR, OUT2 | LOOP);
	ck_assert(!svmrun_uart_listens(&uart));
	set(MCR, OUT2);
	set(IER, 0x0e);
	ck_assert(!svmrun_uart_listens(&uart));
}

/* The probing by which drivers tell a 16550A from earlier and later chips */
START_TEST(is_known_for_a_16550a)
{
	start();
	set(IER, 0x00);
	ck_assert_uint_eq(get(IER) & 0x0f, 0x00);
	set(IER, 0x0f);
	ck_assert_uint_eq(get(IER) & 0x0f, 0x0f);
	set(IER, 0x00);
	set(MCR, LOOP | 0x0a);
	ck_assert_uint_eq(get(MSR) & 0xf0, 0x90);
	set(MCR, 0x00);
	set(FCR, 0x01);
	ck_assert_uint_eq(get(IIR) >> 6, 3);
	set(LCR, DLAB); /* not a 16650, where EFR replaces IIR */
	ck_assert_uint_ne(get(IIR), 0);
	set(LCR, 0xbf);
	ck_assert_uint_ne(get(IIR), 0);
	set(LCR, 0x00);
	set(FCR, 0x21); /* not a 16750, whose FIFO has 64 bytes */
	ck_assert_uint_eq(get(IIR) >> 5, 6);
	set(IER, 0x40); /* not an XScale UART */
	ck_assert_uint_eq(get(IER), 0x00);
}

static void do_anything(uint64_t random)
{
	unsigned int reg = random >> 8 & 7;
	uint8_t value = random >> 16;

	switch (random & 7) {
	case 0:
	case 1:
		svmrun_uart_receive(&uart, value);
		break;
	case 2:
	case 3:
	case 4:
		svmrun_uart_read(&uart, reg);
		break;
	default: /* mostly without loopback and DLAB */
		if (reg == MCR && (random >> 24 & 3))
			value &= ~LOOP;
		if (reg == LCR && (random >> 24 & 3))
			value &= ~DLAB;
		svmrun_uart_write(&uart, reg, value);
		break;
	}
}

/* Read registers of a copy, because reading changes the state. */
static void check(void)
{
	struct svmrun_uart copy = uart;
	bool through = (uart.mcr & (OUT2 | LOOP)) == OUT2;
	unsigned int room = svmrun_uart_room(&uart), count = 0;

	copy.irq.set = NULL;
	if (line != (through && !(svmrun_uart_read(&copy, IIR) & 1)))
		ck_abort_msg("the line differs from IIR");
	copy.lcr = 0;
	while (svmrun_uart_read(&copy, LSR) & 1) {
		svmrun_uart_read(&copy, DATA);
		count++;
	}
	if (!(uart.mcr & LOOP) &&
	    count + room != (uart.fcr & 1 ? SVMRUN_UART_FIFO : 1))
		ck_abort_msg("%u bytes and room for %u", count, room);
}

START_TEST(ten_million_accesses)
{
	uint64_t state = xorshift_seed(1);

	start();
	for (unsigned int i = 0; i < 10000000; i++) {
		do_anything(xorshift(&state));
		if (!(i % 8))
			check();
	}
	ck_assert_uint_gt(edges, 100000);
	ck_assert_uint_gt(sent_count, 100000);
}

static const TTest **const tests[] = {
	&registers_after_reset,
	&registers_keep_implemented_bits,
	&divisor_is_behind_data_and_ier,
	&sends_at_once,
	&empty_transmitter_interrupts,
	&enabled_again_it_interrupts_again,
	&empty_transmitter_waits_for_its_enable,
	&out2_lets_the_interrupt_through,
	&receives,
	&without_fifo_the_new_byte_replaces,
	&full_fifo_keeps_the_old_bytes,
	&fifo_goes_round,
	&below_the_trigger_is_a_time_out,
	&fifo_is_cleared,
	&priorities,
	&each_interrupt_has_its_enable,
	&loopback_of_the_modem,
	&changes_of_the_modem,
	&loopback_of_data,
	&listens_if_a_byte_would_interrupt,
	&is_known_for_a_16550a,
	&ten_million_accesses,
};

Suite *uart_suite(void)
{
	return suite_of("uart", tests, ARRAY_SIZE(tests));
}
