/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pair of interrupt controllers of a PC (Intel 8259A), and EISA's ELCR */
#ifndef SVMRUN_PIC_H
#define SVMRUN_PIC_H

#include <svmrun/line.h>
#include <svmrun/state.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct svmrun_pic_chip - one 8259A
 * @irr: interrupt request register
 * @isr: in-service register
 * @imr: interrupt mask register
 * @levels: levels of its pins
 * @elcr: edge/level control register: a set bit is a level-triggered pin
 * @base: vector of its first interrupt
 * @lowest: the pin with the lowest priority
 * @icw: number of the initialization command word that is written next, or 0
 * @single: ICW1: there is no ICW3
 * @needs_icw4: ICW1: there is an ICW4
 * @icw4: ICW4
 * @read_isr: OCW3: reads of the command port return ISR instead of IRR
 * @poll: OCW3: the next read is a poll command, which acknowledges an interrupt
 * @special_mask: OCW3: special mask mode, in which masked interrupts in service do not
 *	block others
 * @rotate_aeoi: OCW2: rotate priorities in automatic EOI mode
 *
 * It never grows.
 */
struct svmrun_pic_chip {
	uint8_t irr;
	uint8_t isr;
	uint8_t imr;
	uint8_t levels;
	uint8_t elcr;
	uint8_t base;
	uint8_t lowest;
	uint8_t icw;
	bool single;
	bool needs_icw4;
	uint8_t icw4;
	bool read_isr;
	bool poll;
	bool special_mask;
	bool rotate_aeoi;
};

/**
 * struct svmrun_pic - the pair
 * @output: the interrupt line to the processor
 * @chips: the master, and the slave, which is connected to the master's pin 2
 * @reserved: zero
 */
struct svmrun_pic {
	struct svmrun_line output;
	struct svmrun_pic_chip chips[2];
	uint64_t reserved[4];
};

/**
 * svmrun_pic_init() - initialize a pair that no software has programmed yet
 * @pic: filled in; all interrupts are masked
 * @output: the interrupt line to the processor
 */
void svmrun_pic_init(struct svmrun_pic *pic, struct svmrun_line output);

/**
 * svmrun_pic_set() - drive an interrupt request line
 * @pic: a struct svmrun_pic; the type is that of svmrun_line.set
 * @irq: 0 to 15, except for 2, to which the slave is connected; others are ignored
 * @level: high (true) or low
 */
void svmrun_pic_set(void *pic, unsigned int irq, bool level);

/**
 * svmrun_pic_vector() - get the vector of an interrupt request
 * @pic: the pair
 * @irq: 0 to 15
 *
 * Return: the vector, or -1 if the interrupt is masked.
 */
int svmrun_pic_vector(const struct svmrun_pic *pic, unsigned int irq);

/**
 * svmrun_pic_pending() - does the pair interrupt the processor?
 * @pic: the pair
 *
 * Return: the level of its output.
 */
bool svmrun_pic_pending(const struct svmrun_pic *pic);

/**
 * svmrun_pic_acknowledge() - carry out the processor's INTA cycle
 * @pic: the pair
 *
 * Both INTA pulses are one step here. A request can disappear before them, but not
 * between them, so the slave never has a spurious interrupt.
 *
 * Return: the vector. If there is no request any more, it is that of interrupt 7 of the
 * master, which is not in service then (a spurious interrupt).
 */
uint8_t svmrun_pic_acknowledge(struct svmrun_pic *pic);

/**
 * svmrun_pic_read() - read a register
 * @pic: the pair
 * @port: 0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1
 *
 * Return: the register.
 */
uint8_t svmrun_pic_read(struct svmrun_pic *pic, uint16_t port);

/**
 * svmrun_pic_write() - write a register
 * @pic: the pair
 * @port: as for svmrun_pic_read()
 * @value: the value
 */
void svmrun_pic_write(struct svmrun_pic *pic, uint16_t port, uint8_t value);

/**
 * svmrun_pic_save() - write the state of a pair to a record
 * @pic: the pair
 * @state: the records
 *
 * Return: 0 or a negative errno, see svmrun_state_end().
 */
int svmrun_pic_save(const struct svmrun_pic *pic, struct svmrun_state *state);

/**
 * svmrun_pic_load() - read the state of a pair from a record
 * @pic: the initialized pair; after an error, it must be initialized again
 * @state: the records
 *
 * Return: 0 or a negative errno; -EINVAL: this is no such state; -EOPNOTSUPP: it is of
 * another version.
 */
int svmrun_pic_load(struct svmrun_pic *pic, struct svmrun_state *state);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_PIC_H */
