// SPDX-License-Identifier: GPL-2.0
/*
 * The two 8259A interrupt controllers of a PC: initialization, edges and levels,
 * priorities, all kinds of end of interrupt, special modes and polling.
 */
#include <svmrun/pic.h>

#include "suites.h"
#include "xorshift.h"

#define MASTER 0x20
#define SLAVE 0xa0
#define MASTER_MASK 0x21
#define SLAVE_MASK 0xa1
#define ELCR 0x4d0

#define EOI 0x20
#define SPECIFIC 0x60 /* EOI */
#define READ_IRR 0x0a
#define READ_ISR 0x0b
#define POLL 0x0c

static struct svmrun_pic pic;
static bool output;

static void note(void *owner, unsigned int number, bool level)
{
	if (owner != &pic || number != 3)
		ck_abort_msg("the line of another device");
	output = level;
}

static void set(uint16_t port, uint8_t value)
{
	svmrun_pic_write(&pic, port, value);
}

static uint8_t get(uint16_t port)
{
	return svmrun_pic_read(&pic, port);
}

static void initialize(uint16_t port, uint8_t base, uint8_t icw3, uint8_t icw4)
{
	set(port, 0x11);
	set(port + 1, base);
	set(port + 1, icw3);
	set(port + 1, icw4);
}

static void start_off(void)
{
	const struct svmrun_line line = { note, &pic, 3 };

	output = true;
	svmrun_pic_init(&pic, line);
}

/* Initialize as operating systems do, with the given fourth initialization words. */
static void start_with(uint8_t master4, uint8_t slave4)
{
	start_off();
	initialize(MASTER, 0x20, 0x04, master4);
	initialize(SLAVE, 0x28, 0x02, slave4);
}

static void start(void)
{
	start_with(0x01, 0x01);
}

static void high(unsigned int irq)
{
	svmrun_pic_set(&pic, irq, true);
}

static void low(unsigned int irq)
{
	svmrun_pic_set(&pic, irq, false);
}

static void pulse(unsigned int irq)
{
	low(irq);
	high(irq);
}

static uint8_t isr(uint16_t port)
{
	set(port, READ_ISR);
	return get(port);
}

static uint8_t irr(uint16_t port)
{
	set(port, READ_IRR);
	return get(port);
}

static bool is_idle(void)
{
	ck_assert_int_eq(output, svmrun_pic_pending(&pic));
	return !output;
}

static void expect(unsigned int irq)
{
	ck_assert(!is_idle());
	ck_assert_uint_eq(svmrun_pic_acknowledge(&pic), 0x20 + irq);
}

START_TEST(masks_all_until_it_is_initialized)
{
	start_off();
	ck_assert_uint_eq(get(MASTER_MASK), 0xff);
	ck_assert_uint_eq(get(SLAVE_MASK), 0xff);
	for (unsigned int irq = 0; irq < 16; irq++)
		high(irq);
	ck_assert(is_idle());
	start();
	ck_assert_uint_eq(get(MASTER_MASK), 0);
	ck_assert_uint_eq(get(SLAVE_MASK), 0);
}

START_TEST(every_interrupt)
{
	for (unsigned int irq = 0; irq < 16; irq++) {
		if (irq == 2)
			continue;
		start();
		ck_assert(is_idle());
		high(irq);
		ck_assert_uint_eq(irr(MASTER), irq < 8 ? 1 << irq : 0x04);
		expect(irq);
		ck_assert(is_idle());
		ck_assert_uint_eq(irr(MASTER), 0);
		ck_assert_uint_eq(isr(MASTER), irq < 8 ? 1 << irq : 0x04);
		ck_assert_uint_eq(isr(SLAVE), irq < 8 ? 0 : 1 << (irq - 8));
		set(SLAVE, EOI);
		set(MASTER, EOI);
		ck_assert_uint_eq(isr(MASTER) | isr(SLAVE), 0);
		ck_assert(is_idle());
		pulse(irq);
		expect(irq);
	}
}

START_TEST(no_such_input)
{
	start();
	high(2); /* the slave's input */
	high(16);
	high(UINT32_MAX);
	ck_assert(is_idle());
	ck_assert_uint_eq(irr(MASTER) | irr(SLAVE), 0);
}

START_TEST(base_has_five_bits)
{
	start_off();
	initialize(MASTER, 0x4f, 0x04, 0x01);
	high(1);
	ck_assert_uint_eq(svmrun_pic_acknowledge(&pic), 0x49);
}

/* The byte after the last initialization word is the interrupt mask. */
START_TEST(initialization_has_two_to_four_words)
{
	static const struct {
		uint8_t icw1;
		unsigned int more;
	} all[] = { { 0x10, 2 }, { 0x11, 3 }, { 0x12, 1 }, { 0x13, 2 } };

	start();
	for (unsigned int i = 0; i < ARRAY_SIZE(all); i++) {
		set(SLAVE, all[i].icw1);
		for (unsigned int more = all[i].more; more; more--) {
			set(SLAVE_MASK, 0x71);
			ck_assert_uint_eq(get(SLAVE_MASK), 0);
		}
		set(SLAVE_MASK, 0xa5);
		ck_assert_uint_eq(get(SLAVE_MASK), 0xa5);
	}
}

START_TEST(initialization_forgets)
{
	start_with(0x01, 0x03);
	set(ELCR, 0x20);
	set(MASTER, 0xc2); /* 2 has the lowest priority */
	set(MASTER, 0x68); /* special mask mode */
	set(MASTER_MASK, 0x0f);
	high(4);
	high(5);
	expect(4);
	pulse(4);
	initialize(MASTER, 0x20, 0x04, 0x01);
	ck_assert_uint_eq(isr(MASTER), 0);
	ck_assert_uint_eq(get(MASTER_MASK), 0);
	expect(5); /* initialization forgets edges, but not levels */
	set(MASTER_MASK, 0x20);
	ck_assert_uint_eq(get(ELCR), 0x20);
	pulse(6);
	ck_assert(is_idle());
	pulse(0); /* has the highest priority again */
	expect(0);
}

START_TEST(without_the_fourth_word_its_bits_are_clear)
{
	start_with(0x03, 0x01);
	set(MASTER, 0x10);
	set(MASTER_MASK, 0x20);
	set(MASTER_MASK, 0x04);
	high(1);
	expect(1);
	ck_assert_uint_eq(isr(MASTER), 0x02);
}

START_TEST(an_edge_is_one_request)
{
	start();
	high(3);
	high(3);
	expect(3);
	set(MASTER, EOI);
	high(3);
	ck_assert(is_idle());
	low(3);
	ck_assert(is_idle());
	high(3);
	expect(3);
}

START_TEST(an_edge_in_service_waits_for_its_end)
{
	start();
	high(3);
	expect(3);
	pulse(3);
	ck_assert(is_idle());
	set(MASTER, EOI);
	expect(3);
}

START_TEST(what_is_gone_is_spurious)
{
	start();
	high(3);
	low(3);
	ck_assert(is_idle());
	ck_assert_uint_eq(svmrun_pic_acknowledge(&pic), 0x27);
	ck_assert_uint_eq(isr(MASTER), 0);
	high(12);
	low(12);
	ck_assert(is_idle());
	ck_assert_uint_eq(svmrun_pic_acknowledge(&pic), 0x27);
	ck_assert_uint_eq(isr(MASTER) | isr(SLAVE), 0);
	pulse(7); /* a real interrupt 7 is in service */
	expect(7);
	ck_assert_uint_eq(isr(MASTER), 0x80);
}

START_TEST(a_level_requests_while_it_is_high)
{
	start();
	set(ELCR + 1, 0x02);
	high(9);
	expect(9);
	ck_assert_uint_eq(irr(SLAVE), 0x02);
	set(SLAVE, EOI);
	set(MASTER, EOI);
	expect(9);
	low(9);
	set(SLAVE, EOI);
	set(MASTER, EOI);
	ck_assert(is_idle());
}

START_TEST(elcr_has_no_system_interrupts)
{
	start();
	set(ELCR, 0xff);
	set(ELCR + 1, 0xff);
	ck_assert_uint_eq(get(ELCR), 0xf8);
	ck_assert_uint_eq(get(ELCR + 1), 0xde);
}

START_TEST(made_a_level_it_requests)
{
	start();
	high(11);
	expect(11);
	set(SLAVE, EOI);
	set(MASTER, EOI);
	ck_assert(is_idle());
	set(ELCR + 1, 0x08);
	expect(11);
}

START_TEST(masked_interrupt_stays_pending)
{
	start();
	set(MASTER_MASK, 0x10);
	high(4);
	ck_assert(is_idle());
	ck_assert_uint_eq(irr(MASTER), 0x10);
	set(MASTER_MASK, 0x00);
	ck_assert(!is_idle());
	set(MASTER_MASK, 0x10);
	ck_assert(is_idle());
	high(8);
	ck_assert(!is_idle());
	set(MASTER_MASK, 0x04); /* masks all of the slave */
	expect(4);
	ck_assert(is_idle());
	set(MASTER, EOI);
	ck_assert(is_idle());
	set(MASTER_MASK, 0x00);
	expect(8);
}

START_TEST(the_slave_is_between_1_and_3)
{
	static const uint8_t order[] = { 0,  1,	 8, 9, 10, 11, 12, 13,
					 14, 15, 3, 4, 5,  6,  7 };

	start();
	for (unsigned int irq = 0; irq < 16; irq++)
		high(irq);
	for (unsigned int i = 0; i < ARRAY_SIZE(order); i++) {
		expect(order[i]);
		ck_assert(is_idle());
		if (order[i] >= 8)
			set(SLAVE, EOI);
		set(MASTER, EOI);
	}
	ck_assert(is_idle());
}

START_TEST(only_the_more_urgent_interrupts_a_handler)
{
	start();
	high(5);
	expect(5);
	high(6);
	ck_assert(is_idle());
	high(10);
	expect(10);
	high(1);
	expect(1);
	ck_assert_uint_eq(isr(MASTER), 0x26);
	set(MASTER, EOI);
	ck_assert_uint_eq(isr(MASTER), 0x24);
	ck_assert(is_idle());
	set(SLAVE, EOI);
	set(MASTER, EOI);
	set(MASTER, EOI);
	expect(6);
}

START_TEST(specific_end)
{
	start();
	high(5);
	expect(5);
	high(1);
	expect(1);
	set(MASTER, SPECIFIC | 5);
	ck_assert_uint_eq(isr(MASTER), 0x02);
	set(MASTER, SPECIFIC | 5);
	set(MASTER, 0x40 | 1); /* no operation */
	ck_assert_uint_eq(isr(MASTER), 0x02);
	set(MASTER, SPECIFIC | 1);
	ck_assert_uint_eq(isr(MASTER), 0x00);
}

START_TEST(a_slave_in_service_blocks_its_own_interrupts)
{
	start();
	high(12);
	expect(12);
	high(8);
	ck_assert(is_idle()); /* more urgent, but only to the slave */
	set(MASTER, EOI);
	expect(8);
}

START_TEST(special_fully_nested)
{
	start_with(0x11, 0x01);
	high(12);
	expect(12);
	high(13);
	ck_assert(is_idle());
	high(8);
	expect(8);
	ck_assert_uint_eq(isr(SLAVE), 0x11);
	low(13);
	high(3); /* still less urgent than the slave */
	ck_assert(is_idle());
	set(SLAVE, EOI);
	set(SLAVE, EOI);
	ck_assert(is_idle());
	set(MASTER, EOI);
	expect(3);
}

START_TEST(rotation_with_the_end)
{
	start();
	high(4);
	expect(4);
	set(MASTER, 0xa0);
	high(4);
	pulse(4);
	high(0);
	high(5);
	expect(5);
	set(MASTER, 0xe0 | 5);
	ck_assert_uint_eq(isr(MASTER), 0);
	expect(0); /* after 6 and 7, which do not request */
	set(MASTER, EOI);
	expect(4);
}

START_TEST(rotation_without_an_end)
{
	start();
	set(MASTER, 0xa0); /* rotates nothing, as nothing is in service */
	high(0);
	high(6);
	expect(0);
	set(MASTER, EOI);
	pulse(0);
	set(MASTER, 0xc0 | 5);
	expect(6);
	ck_assert(is_idle());
	set(MASTER, 0xc0 | 7);
	expect(0); /* more urgent than 6 again */
	ck_assert_uint_eq(isr(MASTER), 0x41);
}

START_TEST(automatic_end)
{
	start_with(0x03, 0x01);
	high(5);
	high(6);
	expect(5);
	ck_assert_uint_eq(isr(MASTER), 0);
	expect(6);
	ck_assert(is_idle());
}

START_TEST(automatic_end_of_the_slave)
{
	start_with(0x03, 0x03);
	high(9);
	high(10);
	high(15);
	expect(9);
	expect(10);
	expect(15);
	ck_assert(is_idle());
	ck_assert_uint_eq(isr(MASTER) | isr(SLAVE), 0);
}

START_TEST(rotation_in_automatic_mode)
{
	start_with(0x03, 0x01);
	set(MASTER, 0x80);
	high(3);
	high(4);
	expect(3);
	pulse(3);
	expect(4);
	expect(3);
	set(MASTER, 0x00);
	pulse(4);
	expect(4);
	pulse(3); /* still the lowest: 4 did not rotate */
	pulse(4);
	expect(4);
	expect(3);
}

START_TEST(special_mask)
{
	start();
	high(3);
	expect(3);
	high(6);
	ck_assert(is_idle());
	set(MASTER_MASK, 0x08);
	ck_assert(is_idle());
	set(MASTER, 0x68);
	expect(6);
	pulse(3);
	ck_assert(is_idle());
	ck_assert_uint_eq(isr(MASTER), 0x48);
	set(MASTER, EOI); /* ends nothing that is masked */
	ck_assert_uint_eq(isr(MASTER), 0x08);
	pulse(6);
	set(MASTER, 0x48);
	ck_assert(is_idle());
	set(MASTER, EOI);
	ck_assert_uint_eq(isr(MASTER), 0x00);
	expect(6);
}

START_TEST(which_register_is_read)
{
	start();
	high(3);
	expect(3);
	high(4);
	ck_assert_uint_eq(get(MASTER), 0x10); /* IRR after initialization */
	set(MASTER, READ_ISR);
	ck_assert_uint_eq(get(MASTER), 0x08);
	set(MASTER, 0x09);
	set(MASTER, EOI | 0x40 | 7);
	ck_assert_uint_eq(get(MASTER), 0x08); /* ISR is still selected */
	set(MASTER, READ_IRR);
	ck_assert_uint_eq(get(MASTER), 0x10);
	ck_assert_uint_eq(get(SLAVE), 0x00);
	ck_assert_uint_eq(get(MASTER_MASK), 0x00);
}

START_TEST(poll)
{
	start();
	set(MASTER, POLL);
	ck_assert_uint_eq(get(MASTER) & 0x80, 0);
	high(6);
	set(MASTER, POLL);
	ck_assert_uint_eq(get(MASTER), 0x86);
	ck_assert(is_idle());
	ck_assert_uint_eq(get(MASTER), 0x00); /* once */
	ck_assert_uint_eq(isr(MASTER), 0x40);
	high(1);
	set(MASTER, POLL);
	ck_assert_uint_eq(get(MASTER_MASK), 0x81); /* either port is polled */
	ck_assert_uint_eq(get(MASTER_MASK), 0x00);
}

START_TEST(poll_of_the_slave)
{
	start();
	high(12);
	set(SLAVE, POLL);
	ck_assert_uint_eq(get(SLAVE), 0x84);
	ck_assert(is_idle());
	ck_assert_uint_eq(irr(MASTER), 0);
	ck_assert_uint_eq(isr(SLAVE), 0x10);
	ck_assert_uint_eq(isr(MASTER), 0);
}

static void do_anything(uint64_t random)
{
	static const uint16_t ports[] = { MASTER,     MASTER_MASK, SLAVE,
					  SLAVE_MASK, ELCR,	   ELCR + 1 };
	uint16_t port = ports[(random >> 8 & 0xff) % ARRAY_SIZE(ports)];
	uint8_t value = random >> 16;

	if ((random & 7) < 3)
		svmrun_pic_set(&pic, value & 0x1f, random >> 24 & 1);
	else if ((random & 7) < 5)
		svmrun_pic_acknowledge(&pic);
	else if ((random & 7) < 6)
		svmrun_pic_read(&pic, port);
	else if (!(value & 0x10) || !(random >> 24 & 0xf) || (port & 1))
		svmrun_pic_write(&pic, port, value);
}

/* Check what must hold for a chip after any access. */
static void check_chip(const struct svmrun_pic_chip *chip)
{
	if (chip->irr & ~chip->levels)
		ck_abort_msg("a request of a wire that is low");
	if (chip->levels & chip->elcr & ~chip->irr)
		ck_abort_msg("a level that does not request");
	if ((chip->base & 7) || chip->lowest > 7)
		ck_abort_msg("base %u, lowest %u", chip->base, chip->lowest);
}

/* Acknowledge on a copy: the vector is that of a pending interrupt, or spurious. */
static void check(void)
{
	bool pending = svmrun_pic_pending(&pic);
	struct svmrun_pic copy = pic;
	uint8_t vector;

	if (output != pending)
		ck_abort_msg("the output is not what is pending");
	check_chip(&pic.chips[0]);
	check_chip(&pic.chips[1]);
	copy.output.set = NULL;
	vector = svmrun_pic_acknowledge(&copy);
	if (!pending && vector != pic.chips[0].base + 7)
		ck_abort_msg("spurious vector %u", vector);
	if (pending && vector < pic.chips[0].base && vector < pic.chips[1].base)
		ck_abort_msg("vector %u", vector);
	for (unsigned int i = 0; i < 2; i++)
		if (pic.chips[i].isr & ~copy.chips[i].isr)
			ck_abort_msg("an acknowledgment ends another");
	if (pending && !(pic.chips[0].icw4 & 2) && !copy.chips[0].isr)
		ck_abort_msg("acknowledged and not in service");
}

START_TEST(ten_million_accesses)
{
	uint64_t state = xorshift_seed(1);
	unsigned int outputs = 0;

	start();
	for (unsigned int i = 0; i < 10000000; i++) {
		do_anything(xorshift(&state));
		outputs += output;
		if (!(i % 4))
			check();
		if (!(i % 65536))
			start();
	}
	ck_assert_uint_gt(outputs, 100000);
	ck_assert_uint_lt(outputs, 9900000);
}

static const TTest **const tests[] = {
	&masks_all_until_it_is_initialized,
	&every_interrupt,
	&no_such_input,
	&base_has_five_bits,
	&initialization_has_two_to_four_words,
	&initialization_forgets,
	&without_the_fourth_word_its_bits_are_clear,
	&an_edge_is_one_request,
	&an_edge_in_service_waits_for_its_end,
	&what_is_gone_is_spurious,
	&a_level_requests_while_it_is_high,
	&elcr_has_no_system_interrupts,
	&made_a_level_it_requests,
	&masked_interrupt_stays_pending,
	&the_slave_is_between_1_and_3,
	&only_the_more_urgent_interrupts_a_handler,
	&specific_end,
	&a_slave_in_service_blocks_its_own_interrupts,
	&special_fully_nested,
	&rotation_with_the_end,
	&rotation_without_an_end,
	&automatic_end,
	&automatic_end_of_the_slave,
	&rotation_in_automatic_mode,
	&special_mask,
	&which_register_is_read,
	&poll,
	&poll_of_the_slave,
	&ten_million_accesses,
};

Suite *pic_suite(void)
{
	return suite_of("pic", tests, ARRAY_SIZE(tests));
}
