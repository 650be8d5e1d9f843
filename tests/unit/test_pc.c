// SPDX-License-Identifier: GPL-2.0
/*
 * The PC as a whole: which device answers at which port and address, interrupt wiring,
 * timers, reset and power off, and virtio devices.
 */
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <svmrun/pc.h>

#include "suites.h"
#include "xorshift.h"

#define CPUS 3
#define START 1000000000ull
#define SECOND 1000000000ull
#define LAPIC 0xfee00000ull
#define IOAPIC 0xfec00000ull
#define VIRTIO 0xd0000000

static struct svmrun_pc pc;
static uint64_t now;
static unsigned int woken[CPUS], sent, debugged, ended, saves;
static uint8_t last_byte;
static enum svmrun_pc_end why;
static uint32_t with, number;

static void wake(void *owner, unsigned int cpu)
{
	if (owner != &pc || cpu >= CPUS)
		ck_abort();
	woken[cpu]++;
}

static void send(void *owner, uint8_t byte)
{
	last_byte = byte;
	sent++;
}

static void debug(void *owner, uint8_t byte)
{
	last_byte = byte;
	debugged++;
}

static void end(void *owner, enum svmrun_pc_end reason, uint32_t value)
{
	why = reason;
	with = value;
	ended++;
}

static uint64_t tsc(void *owner, unsigned int cpu)
{
	return now;
}

static uint32_t tsc_khz(void *owner)
{
	return 1000000;
}

static void save(void *owner)
{
	if (owner != &pc)
		ck_abort();
	saves++;
}

static uint32_t resumed(void *owner)
{
	if (owner != &pc)
		ck_abort();
	return number;
}

static void init(void)
{
	const struct svmrun_pc_owner owner = {
		.wake = wake,
		.send = send,
		.debug = debug,
		.end = end,
		.tsc = tsc,
		.tsc_khz = tsc_khz,
		.owner = &pc,
		.save = save,
		.resumed = resumed,
	};

	now = START;
	svmrun_pc_init(&pc, CPUS, &owner, 0, now);
	memset(woken, 0, sizeof(woken));
	ended = 0;
}

static uint32_t in(uint16_t port, unsigned int size)
{
	return svmrun_pc_port_read(&pc, port, size, now);
}

static void out(uint16_t port, unsigned int size, uint32_t value)
{
	svmrun_pc_port_write(&pc, port, size, value, now);
}

static void start_pics(void)
{
	static const struct {
		uint16_t port;
		uint8_t value;
	} words[] = {
		{ 0x20, 0x11 }, { 0x21, 0x20 }, { 0x21, 4 }, { 0x21, 1 },
		{ 0xa0, 0x11 }, { 0xa1, 0x28 }, { 0xa1, 2 }, { 0xa1, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		out(words[i].port, 1, words[i].value);
}

static void mmio_out(unsigned int cpu, uint64_t gpa, uint32_t value)
{
	svmrun_pc_mmio_write(&pc, cpu, gpa, 4, value, now);
}

static void set_entry(unsigned int pin, uint64_t value)
{
	mmio_out(0, IOAPIC, 0x11 + 2 * pin);
	mmio_out(0, IOAPIC + 0x10, value >> 32);
	mmio_out(0, IOAPIC, 0x10 + 2 * pin);
	mmio_out(0, IOAPIC + 0x10, value);
}

static void interrupt_by_keyboard(void)
{
	out(0x60, 1, 0xee);
}

static void interrupt_by_mouse(void)
{
	out(0x64, 1, 0x60);
	out(0x60, 1, 2);
	out(0x64, 1, 0xd3);
	out(0x60, 1, 0);
}

static void interrupt_by_uart(void)
{
	out(0x3fc, 1, 8);
	out(0x3f9, 1, 2);
}

static void interrupt_by_pit(void)
{
	out(0x43, 1, 0x30);
	out(0x40, 1, 0xe8);
	out(0x40, 1, 3);
	now = svmrun_pc_deadline(&pc, 0);
	svmrun_pc_advance(&pc, 0, now);
}

static void interrupt_by_rtc(void)
{
	out(0x70, 1, 0xb);
	out(0x71, 1, 0x42);
	now += SECOND;
	svmrun_pc_advance(&pc, 0, now);
}

static void interrupt_by_pm(void)
{
	out(0x602, 2, 0x100);
	svmrun_pm_press_power(&pc.pm);
}

static const struct {
	unsigned int irq, pin;
	void (*raise)(void);
} wires[] = {
	{ 0, 2, interrupt_by_pit },  { 1, 1, interrupt_by_keyboard },
	{ 4, 4, interrupt_by_uart }, { 8, 8, interrupt_by_rtc },
	{ 9, 9, interrupt_by_pm },   { 12, 12, interrupt_by_mouse },
};

START_TEST(wires_end_at_the_8259s)
{
	for (size_t i = 0; i < ARRAY_SIZE(wires); i++) {
		init();
		start_pics();
		out(0x21, 1, 0xff & ~(1 << wires[i].irq) & ~4);
		out(0xa1, 1, 0xff & ~(1 << wires[i].irq >> 8));
		ck_assert(!svmrun_pc_interrupts(&pc, 0));
		wires[i].raise();
		ck_assert(svmrun_pc_interrupts(&pc, 0));
		ck_assert(!svmrun_pc_interrupts(&pc, 1));
		ck_assert_uint_ge(woken[0], 1);
		ck_assert_uint_eq(svmrun_pc_acknowledge(&pc, 0),
				  0x20 + wires[i].irq);
		ck_assert(!svmrun_pc_interrupts(&pc, 0));
	}
}

START_TEST(wires_end_at_the_ioapic)
{
	for (size_t i = 0; i < ARRAY_SIZE(wires); i++) {
		init();
		for (unsigned int pin = 0; pin < 24; pin++)
			set_entry(pin, 1ull << 56 | (0x40 + pin));
		mmio_out(1, LAPIC + 0xf0, 0x1ff);
		ck_assert(!svmrun_pc_interrupts(&pc, 1));
		wires[i].raise();
		ck_assert(svmrun_pc_interrupts(&pc, 1));
		ck_assert(!svmrun_pc_interrupts(&pc, 0));
		ck_assert_uint_eq(svmrun_pc_acknowledge(&pc, 1),
				  0x40 + wires[i].pin);
		mmio_out(1, LAPIC + 0xb0, 0);
		ck_assert(!svmrun_pc_interrupts(&pc, 1));
	}
}

START_TEST(end_of_interrupt_reaches_the_ioapic)
{
	init();
	mmio_out(1, LAPIC + 0xf0, 0x1ff);
	set_entry(9, 1ull << 56 | 0x8049);
	interrupt_by_pm();
	ck_assert_uint_eq(svmrun_pc_acknowledge(&pc, 1), 0x49);
	mmio_out(1, LAPIC + 0xb0, 0);
	ck_assert(svmrun_pc_interrupts(&pc, 1)); /* the wire is still high */
}

START_TEST(wide_accesses_are_bytes)
{
	init();
	out(0x3fb, 4, 0x5a081b03); /* LCR, MCR, LSR, MSR */
	ck_assert_uint_eq(in(0x3fb, 2), 0x1b03);
	out(0x3fe, 2, 0xa500);
	ck_assert_uint_eq(in(0x3ff, 1), 0xa5);
	ck_assert_uint_eq(in(0x3ff, 4), 0xe9ffffa5);
	ck_assert_uint_eq(in(0x3f7, 2), 0x00ff);
	start_pics();
	out(0x20, 2, 0x5a0b);
	ck_assert_uint_eq(in(0x20, 2), 0x5a00);
}

START_TEST(wide_devices_are_accessed_once)
{
	init();
	out(0xcf8, 4, 0x80001234);
	ck_assert_uint_eq(in(0xcf8, 4), 0x80001234);
	now += 1000 * SECOND;
	ck_assert_uint_eq(in(0x608, 4), 3579545000u);
	out(0x510, 2, 0);
	ck_assert_uint_eq(in(0x511, 1), 'Q');
	ck_assert_uint_eq(in(0x510, 4), 0xffff45ff); /* Q, then E */
}

START_TEST(absent_devices_are_ones)
{
	init();
	for (unsigned int size = 1; size <= 4; size *= 2) {
		uint64_t before = pc.unclaimed;

		ck_assert_uint_eq(in(0x300, size),
				  0xffffffff >> (32 - 8 * size));
		out(0x300, size, 0);
		ck_assert_uint_eq(pc.unclaimed, before + 2 * size);
	}
	pc.unclaimed = 0;
	ck_assert_uint_eq(in(0x3fe, 4), 0xffff00b0); /* half is unclaimed */
	ck_assert_uint_eq(pc.unclaimed, 2);
	ck_assert_uint_eq(in(0xf4, 1), 0xff); /* write-only */
	ck_assert_uint_eq(in(0xffff, 4), 0xffffffff);
}

START_TEST(ends)
{
	static const struct {
		uint16_t port;
		unsigned int size;
		uint32_t value;
		bool ends;
		enum svmrun_pc_end why;
		uint32_t with;
	} table[] = {
		{ 0xcf9, 1, 6, true, SVMRUN_PC_RESET, 0xcf9 },
		{ 0xcf9, 1, 0x0e, true, SVMRUN_PC_RESET, 0xcf9 },
		{ 0xcf9, 1, 2, false, 0, 0 },
		{ 0xcf9, 1, 0x0a, false, 0, 0 },
		{ 0xcf8, 4, 0x80000600, false, 0, 0 },
		{ 0x92, 1, 3, true, SVMRUN_PC_RESET, 0x92 },
		{ 0x92, 1, 2, false, 0, 0 },
		{ 0x64, 1, 0xfe, true, SVMRUN_PC_RESET, 0x64 },
		{ 0x64, 1, 0xd1, false, 0, 0 },
		{ 0xf4, 1, 0x12, true, SVMRUN_PC_EXIT, 0x12 },
		{ 0xf4, 2, 0x1234, true, SVMRUN_PC_EXIT, 0x1234 },
		{ 0xf4, 4, 0x12345678, true, SVMRUN_PC_EXIT, 0x12345678 },
		{ 0x604, 2, 0x3400, true, SVMRUN_PC_OFF, 5 },
		{ 0x604, 2, 0x1400, false, 0, 0 },
		{ 0x604, 2, 0x2400, false, 0, 0 }, /* S1 is not supported */
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		init();
		out(table[i].port, table[i].size, table[i].value);
		ck_assert_msg(ended == table[i].ends, "%zu", i);
		if (!table[i].ends)
			continue;
		ck_assert_int_eq(why, table[i].why);
		ck_assert_uint_eq(with, table[i].with);
	}
}

START_TEST(small_ports)
{
	init();
	ck_assert_uint_eq(in(0x92, 1), 2);
	ck_assert_uint_eq(in(0x402, 1), 0xe9);
	ck_assert_uint_eq(in(0xe9, 1), 0xe9);
	debugged = 0;
	sent = 0;
	out(0x402, 1, 'd');
	ck_assert_uint_eq(debugged, 1);
	ck_assert_uint_eq(last_byte, 'd');
	out(0xe9, 1, 'b');
	ck_assert_uint_eq(debugged, 2);
	ck_assert_uint_eq(last_byte, 'b');
	out(0x3f8, 1, 's');
	ck_assert_uint_eq(sent, 1);
	ck_assert_uint_eq(last_byte, 's');
}

START_TEST(saving_is_requested_by_each_write)
{
	init();
	saves = 0;
	for (unsigned int size = 1; size <= 4; size *= 2) {
		out(0xf8, size, UINT32_MAX);
		ck_assert_uint_eq(saves, size == 4 ? 3 : size);
	}
	out(0xf4, 4, 0); /* QEMU's isa-debug-exit has 0xf4 to 0xf7 */
	out(0xf9, 4, 0);
	ck_assert_uint_eq(saves, 3);
	ck_assert_uint_eq(in(0xf8, 4), 0);
	ck_assert_uint_eq(saves, 3);
}

START_TEST(number_of_a_resumed_machine_is_read)
{
	init();
	for (number = 0; number <= 255; number += 255)
		for (unsigned int size = 1; size <= 4; size *= 2)
			ck_assert_uint_eq(in(0xf8, size), number);
	number = 256;
	ck_assert_uint_eq(in(0xf8, 1), 255);
	ck_assert_uint_eq(in(0xf8, 2), 256);
	ck_assert_uint_eq(in(0xf8, 4), 256);
	number = 0;
}

START_TEST(saving_needs_an_owner_that_saves)
{
	init();
	saves = 0;
	pc.owner.save = NULL;
	ck_assert_uint_eq(in(0xf8, 4), UINT32_MAX);
	out(0xf8, 1, 0);
	ck_assert_uint_eq(pc.unclaimed, 5);
	ck_assert_uint_eq(saves, 0);
}

/* Linux clears bits of what it reads, writes it, and then sets the bit that resets. */
START_TEST(reset_control_can_be_read)
{
	init();
	ck_assert_uint_eq(in(0xcf9, 1), 0);
	out(0xcf8, 4, 0x80000008);
	out(0xcf9, 1, 0xfb);
	ck_assert_uint_eq(in(0xcf9, 1), 0x0a);
	ck_assert_uint_eq(in(0xcf8, 4), 0x80000008);
	ck_assert_uint_eq(ended, 0);
	out(0xcf9, 1, 0x0e);
	ck_assert_uint_eq(ended, 1);
}

START_TEST(a20_is_one_line)
{
	init();
	out(0x92, 1, 0);
	ck_assert_uint_eq(in(0x92, 1), 0);
	out(0x64, 1, 0xd0);
	ck_assert_uint_eq(in(0x64, 1) & 1, 1);
	ck_assert_uint_eq(in(0x60, 1) & 3, 1);
	out(0x64, 1, 0xdf);
	ck_assert_uint_eq(in(0x92, 1), 2);
	out(0x64, 1, 0xd1);
	out(0x60, 1, 0xdd);
	ck_assert_uint_eq(in(0x92, 1), 0);
	out(0x92, 1, 2);
	out(0x64, 1, 0xd0);
	ck_assert_uint_eq(in(0x60, 1) & 3, 3);
	ck_assert_uint_eq(ended, 0);
}

START_TEST(timers_are_the_first_processors)
{
	init();
	for (unsigned int cpu = 0; cpu < CPUS; cpu++)
		ck_assert(svmrun_pc_deadline(&pc, cpu) == SVMRUN_NEVER);
	out(0x602, 2, 1);
	ck_assert_uint_eq(svmrun_pc_deadline(&pc, 0), pc.pm.carry);
	out(0x70, 1, 0xb);
	out(0x71, 1, 0x12);
	ck_assert_uint_eq(svmrun_pc_deadline(&pc, 0), START + SECOND);
	out(0x43, 1, 0x34);
	out(0x40, 1, 0);
	out(0x40, 1, 0x10);
	ck_assert_uint_eq(svmrun_pc_deadline(&pc, 0),
			  svmrun_pit_deadline(&pc.pit));
	for (unsigned int cpu = 1; cpu < CPUS; cpu++)
		ck_assert(svmrun_pc_deadline(&pc, cpu) == SVMRUN_NEVER);
	svmrun_pc_advance(&pc, 1, START + SECOND / 2);
	ck_assert_uint_lt(svmrun_pc_deadline(&pc, 0), START + SECOND / 2);
	svmrun_pc_advance(&pc, 0, START + SECOND / 2);
	ck_assert_uint_gt(svmrun_pc_deadline(&pc, 0), START + SECOND / 2);
}

/* Start 100 Hz, late by four periods when the guest takes interrupts. */
static void miss_ticks(void)
{
	out(0x43, 1, 0x34);
	out(0x40, 1, 11932 & 0xff);
	out(0x40, 1, 11932 >> 8);
	now += SECOND / 20 + SECOND / 200;
	svmrun_pc_advance(&pc, 0, now);
}

static unsigned int count_ticks(uint8_t vector, void (*end_interrupt)(void))
{
	unsigned int count = 0;

	while (svmrun_pc_interrupts(&pc, 0)) {
		ck_assert_uint_eq(svmrun_pc_acknowledge(&pc, 0), vector);
		ck_assert(!svmrun_pc_interrupts(&pc, 0)); /* until it ends */
		end_interrupt();
		ck_assert_uint_lt(++count, 100);
	}
	return count;
}

static void end_at_pic(void)
{
	out(0x20, 1, 0x20);
}

static void end_at_apic(void)
{
	mmio_out(0, LAPIC + 0xb0, 0);
}

START_TEST(missed_ticks_are_caught_up)
{
	init();
	start_pics();
	out(0x21, 1, 0xfe);
	miss_ticks();
	ck_assert_uint_eq(count_ticks(0x20, end_at_pic), 5);

	init();
	mmio_out(0, LAPIC + 0xf0, 0x1ff);
	set_entry(2, 0x35);
	miss_ticks();
	ck_assert_uint_eq(count_ticks(0x35, end_at_apic), 5);
}

START_TEST(masked_ticks_are_not_missed)
{
	init();
	start_pics();
	out(0x21, 1, 0xff);
	miss_ticks();
	out(0x21, 1, 0xfe);
	ck_assert_uint_eq(count_ticks(0x20, end_at_pic), 1);
}

START_TEST(timer_of_each_processor)
{
	init();
	mmio_out(1, LAPIC + 0xf0, 0x1ff);
	mmio_out(1, LAPIC + 0x320, 0x31);
	mmio_out(1, LAPIC + 0x380, 1000);
	ck_assert(svmrun_pc_deadline(&pc, 0) == SVMRUN_NEVER);
	ck_assert_uint_lt(svmrun_pc_deadline(&pc, 1), SVMRUN_NEVER);
	now = svmrun_pc_deadline(&pc, 1);
	svmrun_pc_advance(&pc, 0, now);
	ck_assert(!svmrun_pc_interrupts(&pc, 1));
	svmrun_pc_advance(&pc, 1, now);
	ck_assert_uint_eq(svmrun_pc_acknowledge(&pc, 1), 0x31);
}

/* Timers run on processor 0, which may be waiting while another processor sets them. */
START_TEST(first_processor_is_woken_for_an_earlier_deadline)
{
	init();
	out(0x70, 1, 0xb);
	out(0x71, 1, 0x02);
	ck_assert_uint_eq(woken[0], 0);
	out(0x71, 1, 0x42);
	ck_assert_uint_eq(woken[0], 1);
	now += SECOND / 1024 + 1;
	svmrun_pc_advance(&pc, 0, now);
	ck_assert(svmrun_pc_deadline(&pc, 0) == SVMRUN_NEVER);
	woken[0] = 0;
	out(0x70, 1, 0xc);
	ck_assert_uint_eq(woken[0], 0);
	in(0x71, 1); /* periodic interrupts continue */
	ck_assert_uint_eq(woken[0], 1);
	out(0x71, 1, 0);
	ck_assert_uint_eq(woken[0], 1);
}

START_TEST(memory_of_apics)
{
	init();
	ck_assert(svmrun_pc_has(&pc, 1, LAPIC));
	ck_assert(svmrun_pc_has(&pc, 1, LAPIC + 0xfff));
	ck_assert(svmrun_pc_has(&pc, 1, IOAPIC));
	ck_assert(svmrun_pc_has(&pc, 1, IOAPIC + 0xfff));
	ck_assert(!svmrun_pc_has(&pc, 1, LAPIC - 1));
	ck_assert(!svmrun_pc_has(&pc, 1, LAPIC + 0x1000));
	ck_assert(!svmrun_pc_has(&pc, 1, IOAPIC - 1));
	ck_assert(!svmrun_pc_has(&pc, 1, IOAPIC + 0x1000));
	ck_assert(!svmrun_pc_has(&pc, 1, IOAPIC + (1ull << 32)));
	for (unsigned int cpu = 0; cpu < CPUS; cpu++)
		ck_assert_uint_eq(svmrun_pc_mmio_read(&pc, cpu, LAPIC + 0x20, 4,
						      now),
				  cpu << 24);
	mmio_out(0, IOAPIC, 1);
	ck_assert_uint_eq(svmrun_pc_mmio_read(&pc, 2, IOAPIC + 0x10, 4, now),
			  0x00170020);
	ck_assert_uint_eq(svmrun_pc_mmio_read(&pc, 0, IOAPIC + 0x1000, 4, now),
			  UINT64_MAX);
}

START_TEST(virtio_devices)
{
	static const struct svmrun_virtio_kind kind = { .id = 7, .queues = 1 };
	static struct svmrun_virtio devices[SVMRUN_PC_VIRTIO_MAX + 1];
	unsigned int i;

	init();
	ck_assert(!svmrun_pc_has(&pc, 0, VIRTIO));
	for (i = 0; i < SVMRUN_PC_VIRTIO_MAX; i++) {
		svmrun_virtio_init(&devices[i], &kind, NULL, 0);
		ck_assert_int_eq(svmrun_pc_attach(&pc, &devices[i]), 0);
		set_entry(16 + i, 1ull << 56 | 1 << 15 | (0x40 + i));
	}
	ck_assert_int_eq(svmrun_pc_attach(&pc, &devices[i]), -ENOSPC);
	ck_assert(!svmrun_pc_has(&pc, 0, VIRTIO - 1));
	ck_assert(svmrun_pc_has(&pc, 0, VIRTIO + 0x7fff));
	ck_assert(!svmrun_pc_has(&pc, 0, VIRTIO + 0x8000));
	ck_assert_uint_eq(svmrun_pc_mmio_read(&pc, 0, VIRTIO + 8, 1, now), 0);
	mmio_out(1, LAPIC + 0xf0, 0x1ff);
	for (i = 0; i < SVMRUN_PC_VIRTIO_MAX; i++) {
		uint64_t gpa = VIRTIO + 0x1000 * i;

		ck_assert_uint_eq(svmrun_pc_mmio_read(&pc, 2, gpa + 8, 4, now),
				  7);
		mmio_out(0, gpa + 0x70, 15);
		svmrun_virtio_need_reset(&devices[i]);
		ck_assert(svmrun_pc_interrupts(&pc, 1));
		ck_assert_uint_eq(svmrun_pc_acknowledge(&pc, 1), 0x40 + i);
		mmio_out(0, gpa + 0x64, 2);
		mmio_out(1, LAPIC + 0xb0, 0);
		ck_assert(!svmrun_pc_interrupts(&pc, 1));
	}
}

static uint32_t cmos(uint8_t index, unsigned int size)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < size; i++) {
		out(0x70, 1, index + i);
		value |= in(0x71, 1) << (8 * i);
	}
	return value;
}

START_TEST(memory_in_cmos)
{
	static const struct {
		uint64_t low, high;
		uint32_t extended, from_16m, from_4g;
	} table[] = {
		{ 1 << 20, 0, 0, 0, 0 },
		{ 16 << 20, 0, 15 << 10, 0, 0 },
		{ 256 << 20, 0, 0xffff, 240 << 4, 0 },
		{ 3ull << 30, 1ull << 30, 0xffff, 0xbf00, 0x4000 },
		{ 3ull << 30, 5ull << 30, 0xffff, 0xbf00, 0x14000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		init();
		svmrun_pc_memory(&pc, table[i].low, table[i].high);
		ck_assert_uint_eq(cmos(0x15, 2), 640);
		ck_assert_uint_eq(cmos(0x17, 2), table[i].extended);
		ck_assert_uint_eq(cmos(0x30, 2), table[i].extended);
		ck_assert_uint_eq(cmos(0x34, 2), table[i].from_16m);
		ck_assert_uint_eq(cmos(0x5b, 3), table[i].from_4g);
	}
}

static uint16_t random_port(uint64_t random)
{
	static const uint16_t bases[] = { 0x3f8, 0x20,	0xa0,  0x4d0,
					  0x40,	 0x60,	0x70,  0x600,
					  0xcf8, 0x510, 0x402, 0xf0,
					  0x608, 0x90,	0x300, 0xfffc };

	return bases[random & 15] + (random >> 4 & 7);
}

static void random_memory(uint64_t random)
{
	unsigned int cpu = (random >> 8 & 0xff) % CPUS;
	uint64_t gpa = (random & 1 << 5 ? LAPIC : IOAPIC) +
		       (random >> 16 & (random & 1 << 6 ? 0xfff : 0x3f0));

	if (!svmrun_pc_has(&pc, cpu, gpa))
		ck_abort();
	if (random & 1 << 7)
		svmrun_pc_mmio_write(&pc, cpu, gpa, 4, random >> 32, now);
	else
		svmrun_pc_mmio_read(&pc, cpu, gpa, 4, now);
}

static void random_time(uint64_t random)
{
	unsigned int cpu = (random >> 8 & 0xff) % CPUS;

	now += random >> 16 & 0xffff;
	svmrun_pc_advance(&pc, cpu, now);
	if (svmrun_pc_deadline(&pc, cpu) <= now)
		ck_abort();
	if (svmrun_pc_interrupts(&pc, cpu))
		svmrun_pc_acknowledge(&pc, cpu);
}

START_TEST(anything_is_harmless)
{
	static const unsigned int sizes[] = { 1, 2, 4, 1 };
	uint64_t state = xorshift_seed(7);

	init();
	for (unsigned int i = 0; i < 10000000; i++) {
		uint64_t random = xorshift(&state);
		unsigned int size = sizes[random >> 62];

		switch (random >> 59 & 7) {
		case 0:
			random_memory(random);
			break;
		case 1:
		case 2:
			random_time(random);
			break;
		case 3:
		case 4:
			if (in(random_port(random), size) >> (8 * size - 1) >>
			    1)
				ck_abort();
			break;
		default:
			out(random_port(random), size, random >> 16);
			break;
		}
	}
	ck_assert_uint_gt(ended, 1000);
	ck_assert_uint_gt(woken[0], 1000);
}

/* Change a register of each device. */
static void use_devices(void)
{
	interrupt_by_pit();
	interrupt_by_uart();
	interrupt_by_rtc();
	interrupt_by_pm();
	interrupt_by_mouse();
	out(0x92, 1, 0);
	out(0x64, 1, 0xd1);
	out(0x61, 1, 1);
	out(0xcf8, 4, 0x80000004);
	out(0xcf9, 1, 2);
	out(0x510, 2, 1);
	mmio_out(1, LAPIC + 0xf0, 0x1ff);
	mmio_out(0, LAPIC + 0x300, 0xc4600); /* start the others */
	set_entry(4, 1ull << 56 | 0x44);
}

START_TEST(reset)
{
	init();
	use_devices();
	svmrun_pc_reset(&pc, now);
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		ck_assert(!svmrun_pc_interrupts(&pc, cpu));
		ck_assert(svmrun_pc_deadline(&pc, cpu) == SVMRUN_NEVER);
		ck_assert(svmrun_lapic_waits_for_sipi(&pc.lapics[cpu]) ==
			  (cpu != 0));
	}
	ck_assert_uint_eq(in(0x3f9, 1), 0);
	ck_assert_uint_eq(in(0x604, 2), 1);
	ck_assert_uint_eq(in(0x602, 2), 0);
	ck_assert_uint_eq(in(0x92, 1), 2);
	ck_assert_uint_eq(in(0x61, 1) & 0x0f, 0);
	ck_assert_uint_eq(in(0xcf8, 4), 0);
	ck_assert_uint_eq(in(0xcf9, 1), 0);
	ck_assert_uint_eq(in(0x511, 1), 'Q');
	mmio_out(0, IOAPIC, 0x18);
	ck_assert_uint_eq(svmrun_pc_mmio_read(&pc, 0, IOAPIC + 0x10, 4, now),
			  0x10000);
	out(0x60, 1, 0);
	ck_assert_uint_eq(in(0x64, 1) & 0x21, 1); /* not for the mouse */
	ck_assert_uint_eq(ended, 0);
}

START_TEST(reset_keeps_the_clock_and_counts)
{
	init();
	in(0x300, 1);
	out(0x70, 1, 0x50);
	out(0x71, 1, 0xa5);
	out(0x70, 1, 0xb);
	out(0x71, 1, 0x7e);
	svmrun_fwcfg_set_cpus(&pc.fwcfg, CPUS);
	now += 10 * SECOND;
	svmrun_pc_reset(&pc, now);
	ck_assert_uint_eq(pc.unclaimed, 1);
	out(0x70, 1, 0x50);
	ck_assert_uint_eq(in(0x71, 1), 0xa5);
	out(0x70, 1, 0);
	ck_assert_uint_eq(in(0x71, 1), 10);
	out(0x70, 1, 0xb);
	ck_assert_uint_eq(in(0x71, 1), 0x06);
	out(0x70, 1, 0xc);
	ck_assert_uint_eq(in(0x71, 1), 0);
	out(0x510, 2, 5);
	ck_assert_uint_eq(in(0x511, 1), CPUS);
}

START_TEST(reset_of_virtio_devices)
{
	static const struct svmrun_virtio_kind kind = { .id = 7, .queues = 1 };
	static struct svmrun_virtio device;

	init();
	svmrun_virtio_init(&device, &kind, NULL, 0);
	svmrun_pc_attach(&pc, &device);
	mmio_out(0, VIRTIO + 0x70, 3);
	svmrun_virtio_need_reset(&device);
	svmrun_pc_reset(&pc, now);
	ck_assert_uint_eq(svmrun_pc_mmio_read(&pc, 0, VIRTIO + 0x70, 4, now),
			  0);
	mmio_out(0, VIRTIO + 0x70, 1);
	ck_assert_uint_eq(svmrun_pc_mmio_read(&pc, 0, VIRTIO + 0x70, 4, now),
			  1);
}

START_TEST(test_device)
{
	static struct svmrun_testdev testdev;

	init();
	ck_assert(!svmrun_pc_has(&pc, 0, 0xff000000));
	ck_assert_uint_eq(in(0xe0, 4), 0xffffffff);
	svmrun_testdev_init(&testdev, NULL, NULL);
	svmrun_pc_attach_testdev(&pc, &testdev);
	out(0xe0, 4, 0x12345678);
	ck_assert_uint_eq(in(0xe0, 4), 0x12345678);
	ck_assert_uint_eq(in(0xe9, 2), 0x3456);
	ck_assert(svmrun_pc_has(&pc, 0, 0xff00ffff));
	ck_assert(!svmrun_pc_has(&pc, 0, 0xff010000));
	svmrun_pc_mmio_write(&pc, 0, 0xff000010, 8, 0x0123456789abcdef, now);
	ck_assert_uint_eq(svmrun_pc_mmio_read(&pc, 0, 0xff000010, 8, now),
			  0x0123456789abcdef);
	start_pics();
	out(0x21, 1, 0xdf);
	ck_assert(!svmrun_pc_interrupts(&pc, 0));
	out(0x2005, 1, 1);
	ck_assert(svmrun_pc_interrupts(&pc, 0));
	ck_assert_uint_eq(svmrun_pc_acknowledge(&pc, 0), 0x25);
	out(0x2005, 1, 0);
	mmio_out(1, LAPIC + 0xf0, 0x1ff);
	set_entry(23, 1ull << 56 | 0x57);
	out(0x2017, 1, 1);
	ck_assert_uint_eq(svmrun_pc_acknowledge(&pc, 1), 0x57);
	svmrun_pc_reset(&pc, now);
	ck_assert_uint_eq(in(0xe0, 4), 0);
	ck_assert_uint_eq(svmrun_pc_mmio_read(&pc, 0, 0xff000010, 8, now), 0);
}

static const TTest **const tests[] = {
	&wires_end_at_the_8259s,
	&wires_end_at_the_ioapic,
	&end_of_interrupt_reaches_the_ioapic,
	&wide_accesses_are_bytes,
	&wide_devices_are_accessed_once,
	&absent_devices_are_ones,
	&ends,
	&small_ports,
	&saving_is_requested_by_each_write,
	&number_of_a_resumed_machine_is_read,
	&saving_needs_an_owner_that_saves,
	&reset_control_can_be_read,
	&a20_is_one_line,
	&timers_are_the_first_processors,
	&missed_ticks_are_caught_up,
	&masked_ticks_are_not_missed,
	&timer_of_each_processor,
	&first_processor_is_woken_for_an_earlier_deadline,
	&memory_of_apics,
	&virtio_devices,
	&memory_in_cmos,
	&anything_is_harmless,
	&reset,
	&reset_keeps_the_clock_and_counts,
	&reset_of_virtio_devices,
	&test_device,
};

Suite *pc_suite(void)
{
	return suite_of("pc", tests, ARRAY_SIZE(tests));
}
