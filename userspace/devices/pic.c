// SPDX-License-Identifier: LGPL-2.1-or-later
/* The pair of 8259A interrupt controllers of a PC, and the ELCR */
#include <svmrun/pic.h>

#include "lib/array_size.h"

enum { MASTER, SLAVE };

#define CASCADE 2 /* pin of the master to which the slave is connected */
#define SPURIOUS 7
#define PORT_ELCR 0x4d0

#define ICW1 0x10
#define ICW1_ICW4 0x01
#define ICW1_SINGLE 0x02 /* no ICW3; ELCR replaces the LTIM bit */
#define ICW4_AEOI 0x02
#define ICW4_NESTED 0x10 /* special fully nested mode */
#define OCW3 0x08
#define OCW3_POLL 0x04
#define OCW3_READ 0x02
#define OCW3_READ_ISR 0x01
#define OCW3_MASK_SET 0x40
#define OCW3_MASK 0x20
#define OCW2_ROTATE 0x80
#define OCW2_SPECIFIC 0x40
#define OCW2_EOI 0x20
#define POLLED 0x80 /* an interrupt was acknowledged */

static const uint8_t can_be_level[] = { 0xf8, 0xde };

/* Return the pin with a priority; 0, the highest, is that of the pin after @lowest. */
static unsigned int pin_at(const struct svmrun_pic_chip *chip,
			   unsigned int priority)
{
	return (chip->lowest + 1 + priority) & 7;
}

/* Return the priority of the highest-priority pin of a set, or 8. */
static unsigned int highest_priority(const struct svmrun_pic_chip *chip,
				     uint8_t set)
{
	unsigned int priority;

	for (priority = 0; priority < 8; priority++)
		if (set >> pin_at(chip, priority) & 1)
			break;
	return priority;
}

/* Return the highest priority that interrupts in service block, or 8. */
static unsigned int blocked_priority(const struct svmrun_pic_chip *chip)
{
	uint8_t masked = chip->special_mask ? chip->imr : 0;

	return highest_priority(chip, chip->isr & ~masked);
}

/* In special fully nested mode, the slave can interrupt its own interrupt in service. */
static bool is_special_nested(const struct svmrun_pic *pic, unsigned int which,
			      unsigned int pin)
{
	return which == MASTER && pin == CASCADE &&
	       (pic->chips[MASTER].icw4 & ICW4_NESTED);
}

/* Return the pin for which the chip requests an interrupt, or -1. */
static int requested_pin(const struct svmrun_pic *pic, unsigned int which)
{
	const struct svmrun_pic_chip *chip = &pic->chips[which];
	unsigned int wanted = highest_priority(chip, chip->irr & ~chip->imr);
	unsigned int out = blocked_priority(chip), pin = pin_at(chip, wanted);

	if (wanted == 8 || wanted > out)
		return -1;
	if (wanted == out && !is_special_nested(pic, which, pin))
		return -1;
	return pin;
}

static void set_pin(struct svmrun_pic_chip *chip, unsigned int pin, bool level)
{
	uint8_t bit = 1 << pin;
	bool was = chip->levels & bit;

	chip->levels = level ? chip->levels | bit : chip->levels & ~bit;
	if (!level)
		chip->irr &= ~bit;
	else if (!was || (chip->elcr & bit))
		chip->irr |= bit;
}

static void update_output(struct svmrun_pic *pic)
{
	set_pin(&pic->chips[MASTER], CASCADE, requested_pin(pic, SLAVE) >= 0);
	svmrun_line_set(&pic->output, svmrun_pic_pending(pic));
}

bool svmrun_pic_pending(const struct svmrun_pic *pic)
{
	return requested_pin(pic, MASTER) >= 0;
}

int svmrun_pic_vector(const struct svmrun_pic *pic, unsigned int irq)
{
	const struct svmrun_pic_chip *chip = &pic->chips[irq / 8 & 1];
	int pin = irq % 8;

	return chip->imr >> pin & 1 ? -1 : chip->base + pin;
}

void svmrun_pic_init(struct svmrun_pic *pic, struct svmrun_line output)
{
	*pic = (struct svmrun_pic){ .output = output };
	pic->chips[MASTER].lowest = 7;
	pic->chips[SLAVE].lowest = 7;
	pic->chips[MASTER].imr = 0xff; /* until software initializes it */
	pic->chips[SLAVE].imr = 0xff;
}

void svmrun_pic_set(void *owner, unsigned int irq, bool level)
{
	struct svmrun_pic *pic = owner;

	if (irq > 15 || irq == CASCADE)
		return;
	set_pin(&pic->chips[irq / 8], irq % 8, level);
	update_output(pic);
}

/* Return the acknowledged pin, or that of a spurious interrupt if none is requested. */
static unsigned int acknowledge_chip(struct svmrun_pic *pic, unsigned int which)
{
	struct svmrun_pic_chip *chip = &pic->chips[which];
	int pin = requested_pin(pic, which);

	if (pin < 0)
		return SPURIOUS;
	if (!(chip->elcr >> pin & 1))
		chip->irr &= ~(1 << pin);
	if (!(chip->icw4 & ICW4_AEOI))
		chip->isr |= 1 << pin;
	else if (chip->rotate_aeoi)
		chip->lowest = pin;
	return pin;
}

uint8_t svmrun_pic_acknowledge(struct svmrun_pic *pic)
{
	unsigned int which = MASTER;
	bool cascade = requested_pin(pic, MASTER) == CASCADE;
	unsigned int pin = acknowledge_chip(pic, MASTER);

	if (cascade) {
		which = SLAVE;
		pin = acknowledge_chip(pic, SLAVE);
		/* The next request of the slave must be a new edge. */
		set_pin(&pic->chips[MASTER], CASCADE, false);
	}
	update_output(pic);
	return pic->chips[which].base + pin;
}

static void write_icw1(struct svmrun_pic_chip *chip, uint8_t value)
{
	*chip = (struct svmrun_pic_chip){
		.levels = chip->levels,
		.elcr = chip->elcr,
		.irr = chip->levels & chip->elcr,
		.base = chip->base,
		.lowest = 7,
		.icw = 2,
		.single = value & ICW1_SINGLE,
		.needs_icw4 = value & ICW1_ICW4,
	};
}

/* Return the number of the next word. ICW3, the wiring of the pair, is ignored. */
static uint8_t next_icw(const struct svmrun_pic_chip *chip)
{
	if (chip->icw == 2 && !chip->single)
		return 3;
	return chip->icw < 4 && chip->needs_icw4 ? 4 : 0;
}

static void write_icw(struct svmrun_pic_chip *chip, uint8_t value)
{
	if (chip->icw == 2)
		chip->base = value & 0xf8;
	else if (chip->icw == 4)
		chip->icw4 = value;
	chip->icw = next_icw(chip);
}

static void end_of_interrupt(struct svmrun_pic *pic, unsigned int which,
			     uint8_t value)
{
	struct svmrun_pic_chip *chip = &pic->chips[which];
	uint8_t set = chip->special_mask ? chip->isr & ~chip->imr : chip->isr;
	unsigned int priority = highest_priority(chip, set), pin = value & 7;

	if (!(value & OCW2_SPECIFIC)) {
		if (priority == 8)
			return;
		pin = pin_at(chip, priority);
	}
	chip->isr &= ~(1 << pin);
	if (value & OCW2_ROTATE)
		chip->lowest = pin;
}

static void write_ocw2(struct svmrun_pic *pic, unsigned int which,
		       uint8_t value)
{
	struct svmrun_pic_chip *chip = &pic->chips[which];

	if (value & OCW2_EOI)
		end_of_interrupt(pic, which, value);
	else if ((value & OCW2_ROTATE) && (value & OCW2_SPECIFIC))
		chip->lowest = value & 7;
	else if (!(value & OCW2_SPECIFIC))
		chip->rotate_aeoi = value & OCW2_ROTATE;
}

static void write_ocw3(struct svmrun_pic_chip *chip, uint8_t value)
{
	chip->poll = value & OCW3_POLL;
	if (value & OCW3_READ)
		chip->read_isr = value & OCW3_READ_ISR;
	if (value & OCW3_MASK_SET)
		chip->special_mask = value & OCW3_MASK;
}

static void write_chip_command(struct svmrun_pic *pic, unsigned int which,
			       uint8_t value)
{
	struct svmrun_pic_chip *chip = &pic->chips[which];

	if (value & ICW1)
		write_icw1(chip, value);
	else if (value & OCW3)
		write_ocw3(chip, value);
	else
		write_ocw2(pic, which, value);
}

static void write_chip_data(struct svmrun_pic_chip *chip, uint8_t value)
{
	if (chip->icw)
		write_icw(chip, value);
	else
		chip->imr = value;
}

/* A pin that becomes level-triggered requests an interrupt while it is high. */
static void write_elcr(struct svmrun_pic *pic, unsigned int which,
		       uint8_t value)
{
	struct svmrun_pic_chip *chip = &pic->chips[which];

	chip->elcr = value & can_be_level[which];
	chip->irr |= chip->levels & chip->elcr;
}

static unsigned int chip_at(uint16_t port)
{
	return port & 0x80 ? SLAVE : MASTER;
}

void svmrun_pic_write(struct svmrun_pic *pic, uint16_t port, uint8_t value)
{
	if ((port & ~1) == PORT_ELCR)
		write_elcr(pic, port & 1, value);
	else if (port & 1)
		write_chip_data(&pic->chips[chip_at(port)], value);
	else
		write_chip_command(pic, chip_at(port), value);
	update_output(pic);
}

static uint8_t poll_chip(struct svmrun_pic *pic, unsigned int which)
{
	bool any = requested_pin(pic, which) >= 0;
	unsigned int pin = acknowledge_chip(pic, which);

	pic->chips[which].poll = false;
	update_output(pic);
	return any ? POLLED | pin : 0;
}

uint8_t svmrun_pic_read(struct svmrun_pic *pic, uint16_t port)
{
	const struct svmrun_pic_chip *chip = &pic->chips[chip_at(port)];

	if ((port & ~1) == PORT_ELCR)
		return pic->chips[port & 1].elcr;
	if (chip->poll)
		return poll_chip(pic, chip_at(port));
	if (port & 1)
		return chip->imr;
	return chip->read_isr ? chip->isr : chip->irr;
}

/* ---- state --------------------------------------------------------------- */

#define STATE_VERSION 1

static const struct svmrun_state_member pic_members[] = {
	SVMRUN_STATE_EACH(struct svmrun_pic, chips, irr),
	SVMRUN_STATE_EACH(struct svmrun_pic, chips, isr),
	SVMRUN_STATE_EACH(struct svmrun_pic, chips, imr),
	SVMRUN_STATE_EACH(struct svmrun_pic, chips, levels),
	SVMRUN_STATE_EACH(struct svmrun_pic, chips, elcr),
	SVMRUN_STATE_EACH(struct svmrun_pic, chips, base),
	SVMRUN_STATE_EACH(struct svmrun_pic, chips, lowest),
	SVMRUN_STATE_EACH(struct svmrun_pic, chips, icw),
	SVMRUN_STATE_EACH_BOOL(struct svmrun_pic, chips, single),
	SVMRUN_STATE_EACH_BOOL(struct svmrun_pic, chips, needs_icw4),
	SVMRUN_STATE_EACH(struct svmrun_pic, chips, icw4),
	SVMRUN_STATE_EACH_BOOL(struct svmrun_pic, chips, read_isr),
	SVMRUN_STATE_EACH_BOOL(struct svmrun_pic, chips, poll),
	SVMRUN_STATE_EACH_BOOL(struct svmrun_pic, chips, special_mask),
	SVMRUN_STATE_EACH_BOOL(struct svmrun_pic, chips, rotate_aeoi),
};

int svmrun_pic_save(const struct svmrun_pic *pic, struct svmrun_state *state)
{
	svmrun_state_begin(state, SVMRUN_STATE_PIC, STATE_VERSION);
	svmrun_state_put_members(state, pic, pic_members,
				 ARRAY_SIZE(pic_members));
	return svmrun_state_end(state);
}

static bool chip_state_is_valid(const struct svmrun_pic_chip *chip)
{
	return chip->lowest < 8 && chip->icw <= 4;
}

int svmrun_pic_load(struct svmrun_pic *pic, struct svmrun_state *state)
{
	bool valid;

	svmrun_state_open(state, SVMRUN_STATE_PIC, STATE_VERSION);
	svmrun_state_get_members(state, pic, pic_members,
				 ARRAY_SIZE(pic_members));
	valid = chip_state_is_valid(&pic->chips[MASTER]) &&
		chip_state_is_valid(&pic->chips[SLAVE]);
	return svmrun_state_close(state, valid);
}
