/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The test device that QEMU calls pc-testdev, which test programs such as kvm-unit-tests
 * use: a register in ports, memory that belongs to a device, interrupt lines, and a port
 * that removes a page of memory from the nested page table.
 */
#ifndef SVMRUN_TESTDEV_H
#define SVMRUN_TESTDEV_H

#include <svmrun/line.h>
#include <svmrun/state.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_TESTDEV_GPA 0xff000000ull
#define SVMRUN_TESTDEV_SIZE 0x10000
#define SVMRUN_TESTDEV_IRQS 24

/**
 * struct svmrun_testdev - the device
 * @irq: its interrupt line 0; the other lines have the numbers that follow
 * @flush: called with an address in a page that the guest requests to be removed from the
 *	nested page table; the next access maps it again, with the same contents
 * @owner: first argument of @flush
 * @value: the register, at ports 0xe0 to 0xe3, and again at 0xe8 to 0xeb
 * @memory: its memory, at SVMRUN_TESTDEV_GPA
 * @reserved: zero
 */
struct svmrun_testdev {
	struct svmrun_line irq;
	void (*flush)(void *owner, uint64_t gpa);
	void *owner;
	uint8_t value[4];
	uint8_t memory[SVMRUN_TESTDEV_SIZE];
	uint64_t reserved[4];
};

/**
 * svmrun_testdev_init() - initialize a device whose interrupt lines are not connected
 * @testdev: filled in
 * @flush: called with an address in a page
 * @owner: first argument of @flush
 */
void svmrun_testdev_init(struct svmrun_testdev *testdev,
			 void (*flush)(void *owner, uint64_t gpa), void *owner);

/**
 * svmrun_testdev_reset() - clear the register and the memory
 * @testdev: the device
 */
void svmrun_testdev_reset(struct svmrun_testdev *testdev);

/**
 * svmrun_testdev_in() - read a port
 * @testdev: the device
 * @port: the port
 *
 * Return: a byte of the register, or all ones if the port cannot be read.
 */
uint8_t svmrun_testdev_in(const struct svmrun_testdev *testdev, uint16_t port);

/**
 * svmrun_testdev_out() - write a port
 * @testdev: the device
 * @port: 0xe0 to 0xe3 or 0xe8 to 0xeb for a byte of the register; 0xe4 for the address
 *	of a page; 0x2000 to 0x2017 for the level of an interrupt line, which is high for
 *	any value but 0; others are ignored
 * @size: bytes: 1, or 4 for the address of a page, which is ignored otherwise
 * @value: the value
 */
void svmrun_testdev_out(struct svmrun_testdev *testdev, uint16_t port,
			unsigned int size, uint32_t value);

/**
 * svmrun_testdev_read() - read its memory
 * @testdev: the device
 * @offset: offset from SVMRUN_TESTDEV_GPA
 * @size: bytes: 1, 2, 4 or 8; those beyond the end read as ones
 *
 * Return: the value.
 */
uint64_t svmrun_testdev_read(const struct svmrun_testdev *testdev,
			     uint64_t offset, unsigned int size);

/**
 * svmrun_testdev_write() - write to its memory
 * @testdev: the device
 * @offset: offset from SVMRUN_TESTDEV_GPA
 * @size: bytes: 1, 2, 4 or 8; those beyond the end are ignored
 * @value: the value
 */
void svmrun_testdev_write(struct svmrun_testdev *testdev, uint64_t offset,
			  unsigned int size, uint64_t value);

/**
 * svmrun_testdev_save() - write the state of a device to a record
 * @testdev: the device
 * @state: the records
 *
 * Return: 0 or a negative errno, see svmrun_state_end().
 */
int svmrun_testdev_save(const struct svmrun_testdev *testdev,
			struct svmrun_state *state);

/**
 * svmrun_testdev_load() - read the state of a device from a record
 * @testdev: the initialized device; after an error, it must be initialized again
 * @state: the records
 *
 * Return: 0 or a negative errno; -EINVAL: this is no such state; -EOPNOTSUPP: it is of
 * another version.
 */
int svmrun_testdev_load(struct svmrun_testdev *testdev,
			struct svmrun_state *state);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_TESTDEV_H */
