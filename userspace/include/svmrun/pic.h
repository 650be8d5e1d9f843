/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pair of interrupt controllers of a PC (Intel 8259A), and EISA's ELCR */
#ifndef SVMRUN_PIC_H
#define SVMRUN_PIC_H

#include <svmrun/line.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct svmrun_pic_chip - one of the two
 * @irr: requested
 * @isr: in service
 * @imr: masked
 * @levels: of its pins
 * @elcr: level-triggered
 * @base: vector of its first interrupt
 * @lowest: the pin with the lowest priority
 * @icw: which initialization word is next, 0 for none
 * @single: the first of them said that there is no third
 * @needs_icw4: the first of them said so
 * @icw4: the fourth
 * @read_isr: OCW3: reads ISR instead of IRR
 * @poll: the next read acknowledges
 * @special_mask: OCW3: what is masked does not keep others out
 * @rotate_aeoi: rotate in automatic EOI mode
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
 * @output: to the processor
 * @chips: the master, and the slave at its pin 2
 * @reserved: zero
 */
struct svmrun_pic {
	struct svmrun_line output;
	struct svmrun_pic_chip chips[2];
	uint64_t reserved[4];
};

/**
 * svmrun_pic_init() - a pair that nobody has initialized
 * @pic: filled in
 * @output: to the processor
 */
void svmrun_pic_init(struct svmrun_pic *pic, struct svmrun_line output);

/**
 * svmrun_pic_set() - level of an interrupt request
 * @pic: the pair; of the type that struct svmrun_line has
 * @irq: 0 to 15
 * @level: high or low
 */
void svmrun_pic_set(void *pic, unsigned int irq, bool level);

/**
 * svmrun_pic_pending() - does it interrupt the processor?
 * @pic: the pair
 *
 * Return: the level of its output.
 */
bool svmrun_pic_pending(const struct svmrun_pic *pic);

/**
 * svmrun_pic_acknowledge() - the processor's INTA cycle
 * @pic: the pair
 *
 * Both of its pulses are one here: a request may be gone before them, but not between,
 * which is what it takes for the slave to be asked for none.
 *
 * Return: the vector: that of interrupt 7, which is not in service then, if there is
 * no request any more.
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
 * @port: as svmrun_pic_read()
 * @value: what
 */
void svmrun_pic_write(struct svmrun_pic *pic, uint16_t port, uint8_t value);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_PIC_H */
