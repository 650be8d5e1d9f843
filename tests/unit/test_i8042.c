// SPDX-License-Identifier: GPL-2.0
/*
 * The 8042 keyboard controller: status register, commands, interrupts, output port, and
 * the answers for devices that do not exist.
 */
#include <svmrun/i8042.h>

#include "suites.h"
#include "xorshift.h"

#define DATA 0x60
#define COMMAND 0x64

#define OBF 0x01
#define IBF 0x02
#define SYSTEM 0x04
#define WAS_COMMAND 0x08
#define UNLOCKED 0x10
#define AUX 0x20
#define TIMEOUT 0x40
#define PARITY 0x80

#define KEYBOARD_IRQ 1
#define AUX_IRQ 12

static struct svmrun_i8042 i8042;
static bool lines[16];
static unsigned int resets;

static void note(void *owner, unsigned int number, bool level)
{
	if (owner != lines || (number != KEYBOARD_IRQ && number != AUX_IRQ))
		ck_abort_msg("the line of another device");
	lines[number] = level;
}

static void note_reset(void *owner)
{
	if (owner != &resets)
		ck_abort();
	resets++;
}

static void start(void)
{
	const struct svmrun_line keyboard = { note, lines, KEYBOARD_IRQ };
	const struct svmrun_line aux = { note, lines, AUX_IRQ };

	lines[KEYBOARD_IRQ] = true;
	lines[AUX_IRQ] = true;
	resets = 0;
	svmrun_i8042_init(&i8042, keyboard, aux, note_reset, &resets);
}

static uint8_t get(uint16_t port)
{
	return svmrun_i8042_read(&i8042, port);
}

static void set(uint16_t port, uint8_t value)
{
	svmrun_i8042_write(&i8042, port, value);
}

static uint8_t status(void)
{
	return get(COMMAND);
}

/* Send a command, and return its reply. */
static uint8_t reply(uint8_t command)
{
	set(COMMAND, command);
	ck_assert_uint_eq(status() & (OBF | IBF | AUX | TIMEOUT), OBF);
	return get(DATA);
}

/* Send a command with a byte of data. */
static void command(uint8_t command, uint8_t value)
{
	set(COMMAND, command);
	ck_assert_uint_eq(status() & WAS_COMMAND, WAS_COMMAND);
	set(DATA, value);
	ck_assert_uint_eq(status() & WAS_COMMAND, 0);
}

START_TEST(state_after_firmware)
{
	start();
	ck_assert(!lines[KEYBOARD_IRQ]);
	ck_assert(!lines[AUX_IRQ]);
	ck_assert_uint_eq(status(), SYSTEM | UNLOCKED);
	ck_assert_uint_eq(reply(0x20), 0x65);
	ck_assert(svmrun_i8042_a20(&i8042));
}

/* The usual loop of boot sectors: wait until the input buffer is empty. */
START_TEST(input_buffer_is_empty)
{
	start();
	for (unsigned int value = 0; value < 256; value++) {
		set(COMMAND, value);
		ck_assert_uint_eq(status() & IBF, 0);
		set(DATA, value);
		ck_assert_uint_eq(status() & IBF, 0);
	}
}

START_TEST(replies)
{
	static const struct {
		uint8_t command, reply;
	} all[] = {
		{ 0xaa, 0x55 }, { 0xab, 0x00 }, { 0xa9, 0x00 },
		{ 0xc0, 0x80 }, { 0xd0, 0xcf },
	};

	start();
	for (unsigned int i = 0; i < ARRAY_SIZE(all); i++) {
		ck_assert_uint_eq(reply(all[i].command), all[i].reply);
		ck_assert_uint_eq(status() & OBF, 0);
		ck_assert_uint_eq(get(DATA), all[i].reply); /* it stays */
	}
}

START_TEST(command_byte)
{
	start();
	for (unsigned int value = 0; value < 256; value++) {
		command(0x60, value);
		ck_assert_uint_eq(reply(0x20), value);
		ck_assert_uint_eq(status() & SYSTEM, value & 4);
	}
	command(0x60, 0);
	set(COMMAND, 0xad);
	ck_assert_uint_eq(reply(0x20), 0x10);
	set(COMMAND, 0xa7);
	ck_assert_uint_eq(reply(0x20), 0x30);
	set(COMMAND, 0xae);
	ck_assert_uint_eq(reply(0x20), 0x20);
	set(COMMAND, 0xa8);
	ck_assert_uint_eq(reply(0x20), 0);
	ck_assert_uint_eq(reply(0xaa), 0x55);
	ck_assert_uint_eq(status() & SYSTEM, SYSTEM);
}

START_TEST(absent_keyboard_is_a_timeout)
{
	start();
	command(0x60, 0x75);
	set(DATA, 0xed);
	ck_assert_uint_eq(status() & (OBF | AUX | TIMEOUT | PARITY),
			  OBF | TIMEOUT);
	ck_assert(lines[KEYBOARD_IRQ]);
	ck_assert_uint_eq(get(DATA), 0xfe);
	ck_assert_uint_eq(status() & (OBF | TIMEOUT), 0);
	ck_assert(!lines[KEYBOARD_IRQ]);
	ck_assert_uint_eq(reply(0x20), 0x65); /* its interface is enabled */
}

START_TEST(absent_mouse_is_a_timeout)
{
	start();
	command(0x60, 0x77);
	command(0xd4, 0xff);
	ck_assert_uint_eq(status() & (OBF | AUX | TIMEOUT),
			  OBF | AUX | TIMEOUT);
	ck_assert(lines[AUX_IRQ]);
	ck_assert(!lines[KEYBOARD_IRQ]);
	ck_assert_uint_eq(get(DATA), 0xfe);
	ck_assert_uint_eq(status() & (OBF | AUX | TIMEOUT), 0);
	ck_assert(!lines[AUX_IRQ]);
	ck_assert_uint_eq(reply(0x20), 0x57);
}

/* With D2 and D3, Linux detects the ports and tests their interrupts. */
START_TEST(loops)
{
	start();
	command(0x60, 0x03);
	command(0xd3, 0x5a);
	ck_assert_uint_eq(status() & (OBF | AUX | TIMEOUT), OBF | AUX);
	ck_assert(lines[AUX_IRQ] && !lines[KEYBOARD_IRQ]);
	ck_assert_uint_eq(reply(0xd0) & 0x30, 0x20);
	command(0xd3, 0xa5);
	ck_assert_uint_eq(get(DATA), 0xa5);
	command(0xd2, 0x5a);
	ck_assert_uint_eq(status() & (OBF | AUX | TIMEOUT), OBF);
	ck_assert(lines[KEYBOARD_IRQ] && !lines[AUX_IRQ]);
	ck_assert_uint_eq(get(DATA), 0x5a);
}

START_TEST(interrupts_are_enabled_separately)
{
	start();
	command(0x60, 0);
	command(0xd2, 1);
	ck_assert(!lines[KEYBOARD_IRQ]);
	command(0x60, 2);
	ck_assert(!lines[KEYBOARD_IRQ]);
	command(0x60, 1); /* a byte is in the buffer still */
	ck_assert(lines[KEYBOARD_IRQ]);
	command(0xd3, 1);
	ck_assert(!lines[KEYBOARD_IRQ] && !lines[AUX_IRQ]);
	command(0x60, 3);
	ck_assert(lines[AUX_IRQ]);
}

START_TEST(a20)
{
	start();
	command(0xd1, 0xdd);
	ck_assert(!svmrun_i8042_a20(&i8042));
	ck_assert_uint_eq(reply(0xd0) & 0x02, 0);
	command(0xd1, 0xdf);
	ck_assert(svmrun_i8042_a20(&i8042));
	set(COMMAND, 0xdd);
	ck_assert(!svmrun_i8042_a20(&i8042));
	set(COMMAND, 0xdf);
	ck_assert(svmrun_i8042_a20(&i8042));
	svmrun_i8042_set_a20(&i8042, false);
	ck_assert_uint_eq(reply(0xd0) & 0x02, 0);
	svmrun_i8042_set_a20(&i8042, true);
	ck_assert_uint_eq(reply(0xd0) & 0x02, 2);
	ck_assert_uint_eq(resets, 0);
}

START_TEST(reset_line)
{
	start();
	for (unsigned int value = 0xf0; value < 0x100; value++) {
		resets = 0;
		set(COMMAND, value);
		ck_assert_uint_eq(resets, !(value & 1));
	}
	for (unsigned int value = 0; value < 256; value++) {
		resets = 0;
		command(0xd1, value);
		ck_assert_uint_eq(resets, !(value & 1));
		ck_assert_uint_eq(reply(0xd0) & 0xce, value & 0xce);
		ck_assert_uint_eq(reply(0xd0) & 0x01, 1);
	}
}

/* The byte after a command belongs to it, except if another command follows. */
START_TEST(a_command_cancels_the_one_before)
{
	start();
	set(COMMAND, 0xd1);
	ck_assert_uint_eq(reply(0xab), 0);
	set(DATA, 0);
	ck_assert_uint_eq(resets, 0);
	ck_assert_uint_eq(get(DATA), 0xfe);
}

START_TEST(million_accesses)
{
	uint64_t state = xorshift_seed(2);

	start();
	for (unsigned int i = 0; i < 1000000; i++) {
		uint64_t random = xorshift(&state);
		uint16_t port = random & 1 ? DATA : COMMAND;

		if (random & 2)
			get(port);
		else
			set(port, random >> 8);
		ck_assert_uint_eq(status() & (IBF | PARITY | UNLOCKED),
				  UNLOCKED);
		ck_assert(!(lines[KEYBOARD_IRQ] && lines[AUX_IRQ]));
		if (lines[KEYBOARD_IRQ] || lines[AUX_IRQ])
			ck_assert_uint_eq(status() & OBF, OBF);
	}
}

static const TTest **const tests[] = {
	&state_after_firmware,
	&input_buffer_is_empty,
	&replies,
	&command_byte,
	&absent_keyboard_is_a_timeout,
	&absent_mouse_is_a_timeout,
	&loops,
	&interrupts_are_enabled_separately,
	&a20,
	&reset_line,
	&a_command_cancels_the_one_before,
	&million_accesses,
};

Suite *i8042_suite(void)
{
	return suite_of("i8042", tests, ARRAY_SIZE(tests));
}
