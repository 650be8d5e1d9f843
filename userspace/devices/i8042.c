// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The 8042 keyboard controller: its commands, interrupts and output port (IBM Personal
 * System/2 Hardware Interface Technical Reference, Keyboard and Auxiliary Device
 * Controller)
 */
#include <stddef.h>

#include <svmrun/i8042.h>

#include "lib/array_size.h"

enum {
	READ_COMMAND_BYTE = 0x20,
	WRITE_COMMAND_BYTE = 0x60,
	DISABLE_AUX = 0xa7,
	ENABLE_AUX = 0xa8,
	TEST_AUX = 0xa9,
	SELF_TEST = 0xaa,
	TEST_KEYBOARD = 0xab,
	DISABLE_KEYBOARD = 0xad,
	ENABLE_KEYBOARD = 0xae,
	READ_INPUT_PORT = 0xc0,
	READ_OUTPUT_PORT = 0xd0,
	WRITE_OUTPUT_PORT = 0xd1,
	WRITE_OUTPUT_BUFFER = 0xd2,
	WRITE_AUX_OUTPUT_BUFFER = 0xd3,
	WRITE_AUX = 0xd4,
	DISABLE_A20 = 0xdd,
	ENABLE_A20 = 0xdf,
	PULSE_OUTPUT_PORT = 0xf0, /* to 0xff: a bit that is 0 is pulsed */
};

#define STATUS_OBF 0x01 /* output buffer full */
#define STATUS_SYSTEM 0x04
#define STATUS_COMMAND 0x08 /* the last write was a command */
#define STATUS_UNLOCKED 0x10
#define STATUS_AUX                                                             \
	0x20 /* the output buffer has a byte of the auxiliary device */
#define STATUS_TIMEOUT 0x40
#define STATUS_OF_DATA (STATUS_OBF | STATUS_AUX | STATUS_TIMEOUT)

#define COMMAND_KEYBOARD_IRQ 0x01
#define COMMAND_AUX_IRQ 0x02
#define COMMAND_SYSTEM 0x04
#define COMMAND_KEYBOARD_OFF 0x10
#define COMMAND_AUX_OFF 0x20
#define COMMAND_TRANSLATE 0x40
#define COMMAND_DEFAULT                                                        \
	(COMMAND_KEYBOARD_IRQ | COMMAND_SYSTEM | COMMAND_AUX_OFF |             \
	 COMMAND_TRANSLATE)

#define PORT_NO_RESET 0x01
#define PORT_A20 0x02
#define PORT_KEYBOARD_IRQ 0x10
#define PORT_AUX_IRQ 0x20
#define PORT_IRQS (PORT_KEYBOARD_IRQ | PORT_AUX_IRQ)
#define PORT_DEFAULT                                                           \
	0xcf /* no reset, A20, and lines of the devices that are idle */

#define NO_RESPONSE 0xfe

static const struct {
	uint8_t command;
	uint8_t reply;
} replies[] = {
	{ TEST_AUX, 0x00 },
	{ SELF_TEST, 0x55 },
	{ TEST_KEYBOARD, 0x00 },
	{ READ_INPUT_PORT, 0x80 }, /* the keyboard is not locked */
};

static const struct {
	uint8_t command;
	uint8_t clear;
	uint8_t set;
} changes[] = {
	{ DISABLE_AUX, 0, COMMAND_AUX_OFF },
	{ ENABLE_AUX, COMMAND_AUX_OFF, 0 },
	{ SELF_TEST, 0, COMMAND_SYSTEM },
	{ DISABLE_KEYBOARD, 0, COMMAND_KEYBOARD_OFF },
	{ ENABLE_KEYBOARD, COMMAND_KEYBOARD_OFF, 0 },
};

static bool keyboard_irq_level(const struct svmrun_i8042 *i8042)
{
	return (i8042->status & (STATUS_OBF | STATUS_AUX)) == STATUS_OBF &&
	       (i8042->command_byte & COMMAND_KEYBOARD_IRQ);
}

static bool aux_irq_level(const struct svmrun_i8042 *i8042)
{
	return (i8042->status & STATUS_AUX) &&
	       (i8042->command_byte & COMMAND_AUX_IRQ);
}

static void update_i8042_irqs(const struct svmrun_i8042 *i8042)
{
	svmrun_line_set(&i8042->keyboard_irq, keyboard_irq_level(i8042));
	svmrun_line_set(&i8042->aux_irq, aux_irq_level(i8042));
}

/* Put a byte into the output buffer. It replaces one that has not been read. */
static void put_output(struct svmrun_i8042 *i8042, uint8_t byte, uint8_t status)
{
	i8042->data = byte;
	i8042->status = (i8042->status & ~STATUS_OF_DATA) | STATUS_OBF | status;
	update_i8042_irqs(i8042);
}

static uint8_t take_output(struct svmrun_i8042 *i8042)
{
	i8042->status &= ~STATUS_OF_DATA;
	update_i8042_irqs(i8042);
	return i8042->data;
}

static uint8_t output_port(const struct svmrun_i8042 *i8042)
{
	return i8042->output_port |
	       (keyboard_irq_level(i8042) ? PORT_KEYBOARD_IRQ : 0) |
	       (aux_irq_level(i8042) ? PORT_AUX_IRQ : 0);
}

/* The interrupts' bits follow the output buffer, whatever is written to them. */
static void write_output_port(struct svmrun_i8042 *i8042, uint8_t value)
{
	i8042->output_port = (value & ~PORT_IRQS) | PORT_NO_RESET;
	if (!(value & PORT_NO_RESET))
		i8042->reset(i8042->owner);
}

/* Sending a byte enables the device's interface, which then waits for an answer. */
static void send_to_device(struct svmrun_i8042 *i8042, uint8_t off,
			   uint8_t status)
{
	i8042->command_byte &= ~off;
	put_output(i8042, NO_RESPONSE, STATUS_TIMEOUT | status);
}

static void write_data(struct svmrun_i8042 *i8042, uint8_t value)
{
	uint8_t command = i8042->awaiting;

	i8042->awaiting = 0;
	switch (command) {
	case WRITE_COMMAND_BYTE:
		i8042->command_byte = value;
		update_i8042_irqs(i8042);
		break;
	case WRITE_OUTPUT_PORT:
		write_output_port(i8042, value);
		break;
	case WRITE_OUTPUT_BUFFER:
		put_output(i8042, value, 0);
		break;
	case WRITE_AUX_OUTPUT_BUFFER:
		put_output(i8042, value, STATUS_AUX);
		break;
	case WRITE_AUX:
		send_to_device(i8042, COMMAND_AUX_OFF, STATUS_AUX);
		break;
	default:
		send_to_device(i8042, COMMAND_KEYBOARD_OFF, 0);
		break;
	}
}

static void change_command_byte(struct svmrun_i8042 *i8042, uint8_t command)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(changes); i++) {
		if (changes[i].command != command)
			continue;
		i8042->command_byte &= ~changes[i].clear;
		i8042->command_byte |= changes[i].set;
	}
}

static void reply_to_command(struct svmrun_i8042 *i8042, uint8_t command)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(replies); i++)
		if (replies[i].command == command)
			put_output(i8042, replies[i].reply, 0);
}

static void write_command(struct svmrun_i8042 *i8042, uint8_t command)
{
	i8042->awaiting = 0;
	switch (command) {
	case WRITE_COMMAND_BYTE:
	case WRITE_OUTPUT_PORT:
	case WRITE_OUTPUT_BUFFER:
	case WRITE_AUX_OUTPUT_BUFFER:
	case WRITE_AUX:
		i8042->awaiting = command;
		break;
	case READ_COMMAND_BYTE:
		put_output(i8042, i8042->command_byte, 0);
		break;
	case READ_OUTPUT_PORT:
		put_output(i8042, output_port(i8042), 0);
		break;
	case DISABLE_A20:
	case ENABLE_A20:
		svmrun_i8042_set_a20(i8042, command == ENABLE_A20);
		break;
	default:
		if (command >= PULSE_OUTPUT_PORT && !(command & PORT_NO_RESET))
			i8042->reset(i8042->owner);
		change_command_byte(i8042, command);
		reply_to_command(i8042, command);
		break;
	}
}

void svmrun_i8042_init(struct svmrun_i8042 *i8042,
		       struct svmrun_line keyboard_irq,
		       struct svmrun_line aux_irq, void (*reset)(void *owner),
		       void *owner)
{
	*i8042 = (struct svmrun_i8042){
		.keyboard_irq = keyboard_irq,
		.aux_irq = aux_irq,
		.reset = reset,
		.owner = owner,
		.command_byte = COMMAND_DEFAULT,
		.output_port = PORT_DEFAULT,
	};
	update_i8042_irqs(i8042);
}

/* The input buffer is always empty, because each write is processed at once. */
uint8_t svmrun_i8042_read(struct svmrun_i8042 *i8042, uint16_t port)
{
	if (port == SVMRUN_I8042_DATA)
		return take_output(i8042);
	return i8042->status | STATUS_UNLOCKED |
	       (i8042->command_byte & COMMAND_SYSTEM ? STATUS_SYSTEM : 0);
}

void svmrun_i8042_write(struct svmrun_i8042 *i8042, uint16_t port,
			uint8_t value)
{
	if (port == SVMRUN_I8042_DATA) {
		i8042->status &= ~STATUS_COMMAND;
		write_data(i8042, value);
	} else {
		i8042->status |= STATUS_COMMAND;
		write_command(i8042, value);
	}
}

bool svmrun_i8042_a20(const struct svmrun_i8042 *i8042)
{
	return i8042->output_port & PORT_A20;
}

void svmrun_i8042_set_a20(struct svmrun_i8042 *i8042, bool enabled)
{
	if (enabled)
		i8042->output_port |= PORT_A20;
	else
		i8042->output_port &= ~PORT_A20;
}

/* ---- state --------------------------------------------------------------- */

#define STATE_VERSION 1

static const struct svmrun_state_member i8042_members[] = {
	SVMRUN_STATE_MEMBER(struct svmrun_i8042, command_byte),
	SVMRUN_STATE_MEMBER(struct svmrun_i8042, output_port),
	SVMRUN_STATE_MEMBER(struct svmrun_i8042, status),
	SVMRUN_STATE_MEMBER(struct svmrun_i8042, data),
	SVMRUN_STATE_MEMBER(struct svmrun_i8042, awaiting),
};

int svmrun_i8042_save(const struct svmrun_i8042 *i8042,
		      struct svmrun_state *state)
{
	svmrun_state_begin(state, SVMRUN_STATE_I8042, STATE_VERSION);
	svmrun_state_put_members(state, i8042, i8042_members,
				 ARRAY_SIZE(i8042_members));
	return svmrun_state_end(state);
}

int svmrun_i8042_load(struct svmrun_i8042 *i8042, struct svmrun_state *state)
{
	svmrun_state_open(state, SVMRUN_STATE_I8042, STATE_VERSION);
	svmrun_state_get_members(state, i8042, i8042_members,
				 ARRAY_SIZE(i8042_members));
	return svmrun_state_close(state, true);
}
