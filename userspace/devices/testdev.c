// SPDX-License-Identifier: LGPL-2.1-or-later
/* The test device: a register, memory, interrupt lines, and the removal of pages */
#include <string.h>

#include <svmrun/testdev.h>

#include "lib/array_size.h"

#define PORT_REGISTER 0xe0
#define PORT_FLUSH 0xe4
#define PORT_REGISTER_2 0xe8 /* the same register */
#define PORT_IRQ 0x2000
#define REGISTER_SIZE 4

static bool is_register(uint16_t port)
{
	return (uint16_t)(port - PORT_REGISTER) < REGISTER_SIZE ||
	       (uint16_t)(port - PORT_REGISTER_2) < REGISTER_SIZE;
}

void svmrun_testdev_init(struct svmrun_testdev *testdev,
			 void (*flush)(void *owner, uint64_t gpa), void *owner)
{
	*testdev = (struct svmrun_testdev){ .flush = flush, .owner = owner };
}

void svmrun_testdev_reset(struct svmrun_testdev *testdev)
{
	memset(testdev->value, 0, sizeof(testdev->value));
	memset(testdev->memory, 0, sizeof(testdev->memory));
}

uint8_t svmrun_testdev_in(const struct svmrun_testdev *testdev, uint16_t port)
{
	return is_register(port) ? testdev->value[port % REGISTER_SIZE] :
				   UINT8_MAX;
}

static void set_testdev_irq(const struct svmrun_testdev *testdev,
			    unsigned int number, bool level)
{
	struct svmrun_line line = testdev->irq;

	line.number += number;
	svmrun_line_set(&line, level);
}

void svmrun_testdev_out(struct svmrun_testdev *testdev, uint16_t port,
			unsigned int size, uint32_t value)
{
	if (is_register(port))
		testdev->value[port % REGISTER_SIZE] = value;
	else if (port == PORT_FLUSH && size == sizeof(value))
		testdev->flush(testdev->owner, value);
	else if ((uint16_t)(port - PORT_IRQ) < SVMRUN_TESTDEV_IRQS)
		set_testdev_irq(testdev, port - PORT_IRQ, value & 0xff);
}

static bool has_byte(uint64_t offset, unsigned int number)
{
	return offset < SVMRUN_TESTDEV_SIZE &&
	       number < SVMRUN_TESTDEV_SIZE - offset;
}

uint64_t svmrun_testdev_read(const struct svmrun_testdev *testdev,
			     uint64_t offset, unsigned int size)
{
	uint64_t value = 0;
	unsigned int i;

	for (i = 0; i < size; i++)
		value |= (uint64_t)(has_byte(offset, i) ?
					    testdev->memory[offset + i] :
					    UINT8_MAX)
			 << (8 * i);
	return value;
}

void svmrun_testdev_write(struct svmrun_testdev *testdev, uint64_t offset,
			  unsigned int size, uint64_t value)
{
	unsigned int i;

	for (i = 0; i < size; i++)
		if (has_byte(offset, i))
			testdev->memory[offset + i] = value >> (8 * i);
}

/* ---- state --------------------------------------------------------------- */

#define STATE_VERSION 1

static const struct svmrun_state_member testdev_members[] = {
	SVMRUN_STATE_MEMBER(struct svmrun_testdev, value),
	SVMRUN_STATE_MEMBER(struct svmrun_testdev, memory),
};

int svmrun_testdev_save(const struct svmrun_testdev *testdev,
			struct svmrun_state *state)
{
	svmrun_state_begin(state, SVMRUN_STATE_TESTDEV, STATE_VERSION);
	svmrun_state_put_members(state, testdev, testdev_members,
				 ARRAY_SIZE(testdev_members));
	return svmrun_state_end(state);
}

int svmrun_testdev_load(struct svmrun_testdev *testdev,
			struct svmrun_state *state)
{
	svmrun_state_open(state, SVMRUN_STATE_TESTDEV, STATE_VERSION);
	svmrun_state_get_members(state, testdev, testdev_members,
				 ARRAY_SIZE(testdev_members));
	return svmrun_state_close(state, true);
}
