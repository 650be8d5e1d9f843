/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keyboard controller of a PC (Intel 8042), to which no keyboard and no mouse are
 * connected. Commands take no time. A byte that is sent to a device is answered as the
 * controller does when the device does not respond: with 0xfe and the time-out bit of
 * the status register.
 *
 * The gate of address line 20 can be read as it was set, but has no effect: memory is
 * addressed as if the gate were open.
 */
#ifndef SVMRUN_I8042_H
#define SVMRUN_I8042_H

#include <svmrun/line.h>
#include <svmrun/state.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_I8042_DATA 0x60
#define SVMRUN_I8042_COMMAND 0x64 /* the status register, when it is read */

/**
 * struct svmrun_i8042 - the controller
 * @keyboard_irq: interrupt of a full output buffer
 * @aux_irq: the same for bytes of the auxiliary device, the mouse
 * @reset: called when the guest pulls the reset line low
 * @owner: first argument of @reset
 * @command_byte: the command byte
 * @output_port: the output port without the bits of the interrupts
 * @status: bits of the status register that depend on @data and on the last write
 * @data: the output buffer
 * @awaiting: the command that waits for a byte of data, or 0
 * @reserved: zero
 */
struct svmrun_i8042 {
	struct svmrun_line keyboard_irq;
	struct svmrun_line aux_irq;
	void (*reset)(void *owner);
	void *owner;
	uint8_t command_byte;
	uint8_t output_port;
	uint8_t status;
	uint8_t data;
	uint8_t awaiting;
	uint8_t reserved[11];
};

/**
 * svmrun_i8042_init() - initialize a controller as firmware leaves it
 * @i8042: filled in
 * @keyboard_irq: interrupt of a full output buffer
 * @aux_irq: the same for bytes of the auxiliary device
 * @reset: called when the guest pulls the reset line low
 * @owner: first argument of @reset
 *
 * The self-test has passed, the interrupt of the keyboard is enabled, the auxiliary
 * device is disabled, and address line 20 is enabled.
 */
void svmrun_i8042_init(struct svmrun_i8042 *i8042,
		       struct svmrun_line keyboard_irq,
		       struct svmrun_line aux_irq, void (*reset)(void *owner),
		       void *owner);

/**
 * svmrun_i8042_read() - read a port
 * @i8042: the controller
 * @port: SVMRUN_I8042_DATA or SVMRUN_I8042_COMMAND
 *
 * Return: the value.
 */
uint8_t svmrun_i8042_read(struct svmrun_i8042 *i8042, uint16_t port);

/**
 * svmrun_i8042_write() - write a port
 * @i8042: the controller
 * @port: as for svmrun_i8042_read()
 * @value: the value
 */
void svmrun_i8042_write(struct svmrun_i8042 *i8042, uint16_t port,
			uint8_t value);

/**
 * svmrun_i8042_a20() - is address line 20 enabled?
 * @i8042: the controller
 *
 * Return: true if it is.
 */
bool svmrun_i8042_a20(const struct svmrun_i8042 *i8042);

/**
 * svmrun_i8042_set_a20() - enable or disable address line 20
 * @i8042: the controller
 * @enabled: true to enable it
 */
void svmrun_i8042_set_a20(struct svmrun_i8042 *i8042, bool enabled);

/**
 * svmrun_i8042_save() - write the state of a controller to a record
 * @i8042: the controller
 * @state: the records
 *
 * Return: 0 or a negative errno, see svmrun_state_end().
 */
int svmrun_i8042_save(const struct svmrun_i8042 *i8042,
		      struct svmrun_state *state);

/**
 * svmrun_i8042_load() - read the state of a controller from a record
 * @i8042: the initialized controller; after an error, it must be initialized again
 * @state: the records
 *
 * Return: 0 or a negative errno; -EINVAL: this is no such state; -EOPNOTSUPP: it is of
 * another version.
 */
int svmrun_i8042_load(struct svmrun_i8042 *i8042, struct svmrun_state *state);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_I8042_H */
