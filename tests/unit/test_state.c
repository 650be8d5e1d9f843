// SPDX-License-Identifier: GPL-2.0
/*
 * The state of devices as records: every member of each device's struct is saved, derived
 * or configuration; what is saved is loaded again; and what is damaged is refused.
 */
#include <errno.h>
#include <stdlib.h>

#include <svmrun/block.h>
#include <svmrun/pc.h>
#include <svmrun/rng.h>

#include "guest_ram.h"
#include "members.h"
#include "suites.h"

#define NOW 1000000000000ull
#define PC_CPUS 3
#define STATE_SIZE (1u << 20)

static uint8_t bytes[STATE_SIZE];
static uint8_t map[MEMBERS_MAX];
static uint8_t used[MEMBERS_MAX];
static struct svmrun_state state;

static void begin_writing(void)
{
	svmrun_state_init(&state, bytes, sizeof(bytes));
}

static void begin_reading(void)
{
	svmrun_state_init(&state, bytes, state.used);
}

/* ---- records ------------------------------------------------------------- */

static const uint32_t number = 0x12345678;

static void write_number(void)
{
	begin_writing();
	svmrun_state_begin(&state, 7, 3);
	svmrun_state_put(&state, &number, sizeof(number));
	ck_assert_int_eq(svmrun_state_end(&state), 0);
}

START_TEST(a_record_is_read_as_it_was_written)
{
	uint32_t value;

	write_number();
	ck_assert_uint_eq(state.used, SVMRUN_STATE_HEADER + sizeof(number));
	begin_reading();
	ck_assert_int_eq(svmrun_state_open(&state, 7, 3), 0);
	ck_assert_uint_eq(svmrun_state_left(&state), sizeof(value));
	svmrun_state_get(&state, &value, sizeof(value));
	ck_assert_uint_eq(value, number);
	ck_assert_int_eq(svmrun_state_close(&state, true), 0);
}

START_TEST(the_size_is_known_before)
{
	size_t size;

	write_number();
	size = state.used;
	svmrun_state_init(&state, NULL, 0);
	svmrun_state_begin(&state, 7, 3);
	svmrun_state_put(&state, &number, sizeof(number));
	ck_assert_int_eq(svmrun_state_end(&state), 0);
	ck_assert_uint_eq(state.used, size);
}

START_TEST(too_little_room_is_an_error)
{
	svmrun_state_init(&state, bytes, SVMRUN_STATE_HEADER + 3);
	svmrun_state_begin(&state, 7, 3);
	svmrun_state_put(&state, &number, sizeof(number));
	ck_assert_int_eq(svmrun_state_end(&state), -ENOSPC);
	svmrun_state_init(&state, bytes, SVMRUN_STATE_HEADER - 1);
	svmrun_state_begin(&state, 7, 3);
	ck_assert_int_eq(svmrun_state_end(&state), -ENOSPC);
}

START_TEST(another_record_is_refused)
{
	write_number();
	begin_reading();
	ck_assert_int_eq(svmrun_state_open(&state, 8, 3), -EINVAL);
	ck_assert_int_eq(svmrun_state_open(&state, 7, 3), -EINVAL);
}

START_TEST(another_version_is_refused)
{
	write_number();
	begin_reading();
	ck_assert_int_eq(svmrun_state_open(&state, 7, 2), -EOPNOTSUPP);
	ck_assert_ptr_null(svmrun_state_take(&state, 1));
	ck_assert_uint_eq(svmrun_state_left(&state), 0);
}

START_TEST(a_record_that_is_cut_off_is_refused)
{
	size_t size;

	write_number();
	for (size = 0; size < SVMRUN_STATE_HEADER + sizeof(number); size++) {
		svmrun_state_init(&state, bytes, size);
		ck_assert_int_eq(svmrun_state_open(&state, 7, 3), -EINVAL);
	}
}

START_TEST(more_than_the_record_has_is_not_read)
{
	uint8_t value[5] = { 1, 1, 1, 1, 1 };

	write_number();
	begin_reading();
	svmrun_state_open(&state, 7, 3);
	svmrun_state_get(&state, value, sizeof(value));
	ck_assert_uint_eq(value[0], 0);
	ck_assert_int_eq(svmrun_state_close(&state, true), -EINVAL);
}

START_TEST(contents_that_are_not_read_are_refused)
{
	uint16_t value;

	write_number();
	begin_reading();
	svmrun_state_open(&state, 7, 3);
	svmrun_state_get(&state, &value, sizeof(value));
	ck_assert_int_eq(svmrun_state_close(&state, true), -EINVAL);
}

START_TEST(a_record_of_any_version_is_skipped)
{
	write_number();
	svmrun_state_begin(&state, 8, 9);
	svmrun_state_end(&state);
	begin_reading();
	ck_assert_uint_eq(svmrun_state_next(&state), 7);
	ck_assert_int_eq(svmrun_state_skip(&state), 0);
	ck_assert_uint_eq(svmrun_state_next(&state), 8);
	ck_assert_int_eq(svmrun_state_skip(&state), 0);
	ck_assert_uint_eq(svmrun_state_next(&state), 0);
	ck_assert_int_eq(svmrun_state_skip(&state), -EINVAL);
}

START_TEST(a_record_that_is_cut_off_is_not_skipped)
{
	size_t size;

	write_number();
	for (size = 0; size < SVMRUN_STATE_HEADER + sizeof(number); size++) {
		svmrun_state_init(&state, bytes, size);
		ck_assert_uint_eq(svmrun_state_next(&state),
				  size < SVMRUN_STATE_HEADER ? 0 : 7);
		ck_assert_int_eq(svmrun_state_skip(&state), -EINVAL);
		ck_assert_uint_eq(svmrun_state_next(&state), 0);
	}
}

/* ---- devices ------------------------------------------------------------- */

static const struct member uart_list[] = {
	MEMBER(struct svmrun_uart, irq, CONFIG),
	MEMBER(struct svmrun_uart, send, CONFIG),
	MEMBER(struct svmrun_uart, owner, CONFIG),
	MEMBER(struct svmrun_uart, reserved, CONFIG),
	MEMBER(struct svmrun_uart, divisor, SAVED),
	MEMBER(struct svmrun_uart, ier, SAVED),
	MEMBER(struct svmrun_uart, lcr, SAVED),
	MEMBER(struct svmrun_uart, mcr, SAVED),
	MEMBER(struct svmrun_uart, msr, SAVED),
	MEMBER(struct svmrun_uart, scr, SAVED),
	MEMBER(struct svmrun_uart, fifo, SAVED),
	BOOL(struct svmrun_uart, overrun),
	BOOL(struct svmrun_uart, thre),
	VALUES(struct svmrun_uart, fcr, 1, 1),
	VALUES(struct svmrun_uart, first, 0, 16),
	VALUES(struct svmrun_uart, count, 0, 17),
};

static const struct member pic_list[] = {
	MEMBER(struct svmrun_pic, output, CONFIG),
	MEMBER(struct svmrun_pic, reserved, CONFIG),
	EACH(struct svmrun_pic, chips, irr, SAVED),
	EACH(struct svmrun_pic, chips, isr, SAVED),
	EACH(struct svmrun_pic, chips, imr, SAVED),
	EACH(struct svmrun_pic, chips, levels, SAVED),
	EACH(struct svmrun_pic, chips, elcr, SAVED),
	EACH(struct svmrun_pic, chips, base, SAVED),
	EACH(struct svmrun_pic, chips, icw4, SAVED),
	EACH_BOOL(struct svmrun_pic, chips, single),
	EACH_BOOL(struct svmrun_pic, chips, needs_icw4),
	EACH_BOOL(struct svmrun_pic, chips, read_isr),
	EACH_BOOL(struct svmrun_pic, chips, poll),
	EACH_BOOL(struct svmrun_pic, chips, special_mask),
	EACH_BOOL(struct svmrun_pic, chips, rotate_aeoi),
	EACH_VALUES(struct svmrun_pic, chips, lowest, 0, 8),
	EACH_VALUES(struct svmrun_pic, chips, icw, 0, 5),
};

static const struct member pit_list[] = {
	PADDING(struct svmrun_pit, port_b, next),
	PADDING(struct svmrun_pit, requested, missed),
	PADDING(struct svmrun_pit, credit, reserved),
	MEMBER(struct svmrun_pit, irq, CONFIG),
	MEMBER(struct svmrun_pit, reserved, CONFIG),
	EACH(struct svmrun_pit, counters, low, SAVED),
	EACH(struct svmrun_pit, counters, begin, SAVED),
	EACH(struct svmrun_pit, counters, stopped, SAVED),
	EACH(struct svmrun_pit, counters, turn, SAVED),
	EACH(struct svmrun_pit, counters, next, SAVED),
	EACH(struct svmrun_pit, counters, latch, SAVED),
	EACH(struct svmrun_pit, counters, status, SAVED),
	MEMBER(struct svmrun_pit, port_b, SAVED),
	MEMBER(struct svmrun_pit, next, SAVED),
	EACH_BOOL(struct svmrun_pit, counters, bcd),
	EACH_BOOL(struct svmrun_pit, counters, high_written),
	EACH_BOOL(struct svmrun_pit, counters, high_read),
	EACH_BOOL(struct svmrun_pit, counters, loaded),
	EACH_BOOL(struct svmrun_pit, counters, pending),
	EACH_BOOL(struct svmrun_pit, counters, gate),
	EACH_BOOL(struct svmrun_pit, counters, status_latched),
	BOOL(struct svmrun_pit, requested),
	EACH_VALUES(struct svmrun_pit, counters, mode, 0, 6),
	EACH_VALUES(struct svmrun_pit, counters, access, 1, 3),
	EACH_VALUES(struct svmrun_pit, counters, count, 1, 65536),
	EACH_VALUES(struct svmrun_pit, counters, reload, 1, 65536),
	EACH_VALUES(struct svmrun_pit, counters, latched, 0, 3),
	VALUES(struct svmrun_pit, missed, 0, 1001),
	VALUES(struct svmrun_pit, credit, 0, 9),
};

static const struct member rtc_list[] = {
	MEMBER(struct svmrun_rtc, irq, CONFIG),
	MEMBER(struct svmrun_rtc, reserved, CONFIG),
	MEMBER(struct svmrun_rtc, bytes, SAVED),
	MEMBER(struct svmrun_rtc, period, SAVED),
	VALUES(struct svmrun_rtc, index, 0, 128),
	VALUES(struct svmrun_rtc, offset, 1000, 253402300000),
	VALUES(struct svmrun_rtc, fraction, 0, 1000000000),
	VALUES(struct svmrun_rtc, weekdays, 0, 7),
	VALUES(struct svmrun_rtc, second, 0, 1000),
	VALUES(struct svmrun_rtc, missed, 0, 1001),
	VALUES(struct svmrun_rtc, credit, 0, 9),
};

static const struct member pm_list[] = {
	MEMBER(struct svmrun_pm, sci, CONFIG),
	MEMBER(struct svmrun_pm, sleep, CONFIG),
	MEMBER(struct svmrun_pm, owner, CONFIG),
	MEMBER(struct svmrun_pm, reserved, CONFIG),
	MEMBER(struct svmrun_pm, status, SAVED),
	MEMBER(struct svmrun_pm, enable, SAVED),
	MEMBER(struct svmrun_pm, control, SAVED),
	MEMBER(struct svmrun_pm, carry, SAVED),
	VALUES(struct svmrun_pm, begin, 0, NOW),
};

static const struct member pci_list[] = {
	MEMBER(struct svmrun_pci, reserved, CONFIG),
	MEMBER(struct svmrun_pci, address, SAVED),
};

static const struct member ioapic_list[] = {
	MEMBER(struct svmrun_ioapic, apics, CONFIG),
	MEMBER(struct svmrun_ioapic, reserved, CONFIG),
	MEMBER(struct svmrun_ioapic, select, SAVED),
	MEMBER(struct svmrun_ioapic, id, SAVED),
	MEMBER(struct svmrun_ioapic, lines, SAVED),
	MEMBER(struct svmrun_ioapic, entries, SAVED),
};

static const struct member i8042_list[] = {
	MEMBER(struct svmrun_i8042, keyboard_irq, CONFIG),
	MEMBER(struct svmrun_i8042, aux_irq, CONFIG),
	MEMBER(struct svmrun_i8042, reset, CONFIG),
	MEMBER(struct svmrun_i8042, owner, CONFIG),
	MEMBER(struct svmrun_i8042, reserved, CONFIG),
	MEMBER(struct svmrun_i8042, command_byte, SAVED),
	MEMBER(struct svmrun_i8042, output_port, SAVED),
	MEMBER(struct svmrun_i8042, status, SAVED),
	MEMBER(struct svmrun_i8042, data, SAVED),
	MEMBER(struct svmrun_i8042, awaiting, SAVED),
};

static const struct member testdev_list[] = {
	MEMBER(struct svmrun_testdev, irq, CONFIG),
	MEMBER(struct svmrun_testdev, flush, CONFIG),
	MEMBER(struct svmrun_testdev, owner, CONFIG),
	MEMBER(struct svmrun_testdev, reserved, CONFIG),
	MEMBER(struct svmrun_testdev, value, SAVED),
	MEMBER(struct svmrun_testdev, memory, SAVED),
};

static const struct member apics_list[] = {
	MEMBER(struct svmrun_apics, lapics, CONFIG),
	MEMBER(struct svmrun_apics, count, CONFIG),
	MEMBER(struct svmrun_apics, owner, CONFIG),
	MEMBER(struct svmrun_apics, reserved, CONFIG),
	VALUES(struct svmrun_apics, turn, 0, PC_CPUS),
};

static const struct member lapic_list[] = {
	MEMBER(struct svmrun_lapic, apics, CONFIG),
	MEMBER(struct svmrun_lapic, id, CONFIG),
	MEMBER(struct svmrun_lapic, reserved, CONFIG),
	MEMBER(struct svmrun_lapic, base, SAVED),
	MEMBER(struct svmrun_lapic, tpr, SAVED),
	MEMBER(struct svmrun_lapic, ldr, SAVED),
	MEMBER(struct svmrun_lapic, dfr, SAVED),
	MEMBER(struct svmrun_lapic, svr, SAVED),
	MEMBER(struct svmrun_lapic, esr, SAVED),
	MEMBER(struct svmrun_lapic, errors, SAVED),
	MEMBER(struct svmrun_lapic, icr, SAVED),
	MEMBER(struct svmrun_lapic, isr, SAVED),
	MEMBER(struct svmrun_lapic, tmr, SAVED),
	MEMBER(struct svmrun_lapic, irr, SAVED),
	MEMBER(struct svmrun_lapic, divide, SAVED),
	MEMBER(struct svmrun_lapic, zero, SAVED),
	MEMBER(struct svmrun_lapic, lvt[1], SAVED),
	MEMBER(struct svmrun_lapic, lvt[2], SAVED),
	MEMBER(struct svmrun_lapic, lvt[3], SAVED),
	MEMBER(struct svmrun_lapic, lvt[4], SAVED),
	MEMBER(struct svmrun_lapic, lvt[5], SAVED),
	BOOL(struct svmrun_lapic, lint[0]),
	BOOL(struct svmrun_lapic, lint[1]),
	BOOL(struct svmrun_lapic, extint),
	BOOL(struct svmrun_lapic, nmi),
	BOOL(struct svmrun_lapic, init),
	BOOL(struct svmrun_lapic, waits),
	VALUES(struct svmrun_lapic, lvt[0], 0, 1u << 18),
	VALUES(struct svmrun_lapic, initial, 1, 1000),
	VALUES(struct svmrun_lapic, tsc_deadline, 0, 1),
	VALUES(struct svmrun_lapic, sipi, 0, 256),
};

static const struct member virtio_list[] = {
	MEMBER(struct svmrun_virtio, kind, CONFIG),
	MEMBER(struct svmrun_virtio, memories, CONFIG),
	MEMBER(struct svmrun_virtio, memory_count, CONFIG),
	MEMBER(struct svmrun_virtio, line, CONFIG),
	MEMBER(struct svmrun_virtio, config, CONFIG),
	MEMBER(struct svmrun_virtio, reserved, CONFIG),
	EACH(struct svmrun_virtio, queues, table, DERIVED),
	EACH(struct svmrun_virtio, queues, available, DERIVED),
	EACH(struct svmrun_virtio, queues, used, DERIVED),
	MEMBER(struct svmrun_virtio, interrupts, SAVED),
	MEMBER(struct svmrun_virtio, offered, SAVED),
	MEMBER(struct svmrun_virtio, accepted, SAVED),
	MEMBER(struct svmrun_virtio, queue, SAVED),
	EACH(struct svmrun_virtio, queues, taken, SAVED),
	EACH(struct svmrun_virtio, queues, given, SAVED),
	EACH_BOOL(struct svmrun_virtio, queues, ready),
	VALUES(struct svmrun_virtio, status, 0, 8),
	VALUES(struct svmrun_virtio, features, 0, 1),
	EACH_VALUES(struct svmrun_virtio, queues, size, 8, 1),
	EACH_VALUES(struct svmrun_virtio, queues, descriptors, 4096, 1),
	EACH_VALUES(struct svmrun_virtio, queues, driver, 8192, 1),
	EACH_VALUES(struct svmrun_virtio, queues, device, 12288, 1),
};

static const struct member block_list[] = {
	PADDING(struct svmrun_block, name, chain),
	PADDING(struct svmrun_block, stale, reserved),
	MEMBER(struct svmrun_block, virtio, CONFIG),
	MEMBER(struct svmrun_block, owner, CONFIG),
	MEMBER(struct svmrun_block, sectors, CONFIG),
	MEMBER(struct svmrun_block, name, CONFIG),
	MEMBER(struct svmrun_block, requests, CONFIG),
	MEMBER(struct svmrun_block, request_count, CONFIG),
	MEMBER(struct svmrun_block, reserved, CONFIG),
	MEMBER(struct svmrun_block, chain, DERIVED),
	MEMBER(struct svmrun_block, in_flight, DERIVED),
	MEMBER(struct svmrun_block, stale, DERIVED),
};

static const struct member rng_list[] = {
	MEMBER(struct svmrun_rng, virtio, CONFIG),
	MEMBER(struct svmrun_rng, owner, CONFIG),
	MEMBER(struct svmrun_rng, reserved, CONFIG),
	MEMBER(struct svmrun_rng, chain, DERIVED),
};

static const struct member fwcfg_list[] = {
	PADDING(struct svmrun_fwcfg, directory, items),
	MEMBER(struct svmrun_fwcfg, reserved, CONFIG),
	MEMBER(struct svmrun_fwcfg, items, DERIVED),
	MEMBER(struct svmrun_fwcfg, used, DERIVED),
	MEMBER(struct svmrun_fwcfg, key, SAVED),
	MEMBER(struct svmrun_fwcfg, offset, SAVED),
	MEMBER(struct svmrun_fwcfg, memory, SAVED),
	MEMBER(struct svmrun_fwcfg, cpus, SAVED),
	MEMBER(struct svmrun_fwcfg, directory, SAVED),
	MEMBER(struct svmrun_fwcfg, files, SAVED),
};

static const struct member pc_list[] = {
	PADDING(struct svmrun_pc, virtio_count, i8042),
	PADDING(struct svmrun_pc, reset_control, testdev),
	MEMBER(struct svmrun_pc, owner, CONFIG),
	MEMBER(struct svmrun_pc, cpus, CONFIG),
	MEMBER(struct svmrun_pc, virtio, CONFIG),
	MEMBER(struct svmrun_pc, virtio_count, CONFIG),
	MEMBER(struct svmrun_pc, testdev, CONFIG),
	MEMBER(struct svmrun_pc, reserved, CONFIG),
	MEMBER(struct svmrun_pc, uart, DERIVED),
	MEMBER(struct svmrun_pc, pic, DERIVED),
	MEMBER(struct svmrun_pc, pit, DERIVED),
	MEMBER(struct svmrun_pc, rtc, DERIVED),
	MEMBER(struct svmrun_pc, pm, DERIVED),
	MEMBER(struct svmrun_pc, fwcfg, DERIVED),
	MEMBER(struct svmrun_pc, pci, DERIVED),
	MEMBER(struct svmrun_pc, apics, DERIVED),
	MEMBER(struct svmrun_pc, lapics, DERIVED),
	MEMBER(struct svmrun_pc, ioapic, DERIVED),
	MEMBER(struct svmrun_pc, i8042, DERIVED),
	MEMBER(struct svmrun_pc, unclaimed, SAVED),
	MEMBER(struct svmrun_pc, reset_control, SAVED),
};

/* The parts of a PC are saved by their own functions, and have lists of their own. */
#define COVERS(noun)                                                           \
	do {                                                                   \
		members_map(noun##_list, ARRAY_SIZE(noun##_list), map);        \
		MEMBERS_USED(struct svmrun_##noun, used);                      \
		members_cover(#noun, map, used, sizeof(struct svmrun_##noun)); \
	} while (0)

START_TEST(every_member_is_listed)
{
	COVERS(uart);
	COVERS(pic);
	COVERS(pit);
	COVERS(rtc);
	COVERS(pm);
	COVERS(pci);
	COVERS(ioapic);
	COVERS(i8042);
	COVERS(testdev);
	COVERS(apics);
	COVERS(lapic);
	COVERS(virtio);
	COVERS(block);
	COVERS(rng);
	COVERS(fwcfg);
	COVERS(pc);
}

/*
 * Save a device with random contents, load it into one that has only zeros, and compare.
 */
#define RETURNS(noun, ...)                                                     \
	do {                                                                   \
		static struct svmrun_##noun from, to;                          \
		const struct svmrun_##noun zero = { 0 };                       \
		uint64_t seed = 1;                                             \
                                                                               \
		members_map(noun##_list, ARRAY_SIZE(noun##_list), map);        \
		members_fill(noun##_list, ARRAY_SIZE(noun##_list), &from,      \
			     &seed);                                           \
		begin_writing();                                               \
		ck_assert_int_eq(svmrun_##noun##_save(&from, &state), 0);      \
		begin_reading();                                               \
		ck_assert_int_eq(svmrun_##noun##_load(&to, &state,             \
						      ##__VA_ARGS__),          \
				 0);                                           \
		members_compare(map, &from, &to, &zero, sizeof(zero));         \
	} while (0)

START_TEST(what_is_saved_is_loaded)
{
	RETURNS(uart);
	RETURNS(pic);
	RETURNS(pit);
	RETURNS(rtc, NOW);
	RETURNS(pm, NOW);
	RETURNS(pci);
	RETURNS(ioapic);
	RETURNS(i8042);
	RETURNS(testdev);
}

static uint64_t fake_tsc(void *owner, unsigned int cpu)
{
	return 0;
}

static uint32_t fake_khz(void *owner)
{
	return 1000000;
}

static const struct svmrun_apics_owner with_deadlines = {
	.tsc = fake_tsc,
	.tsc_khz = fake_khz,
};

START_TEST(local_apics_return)
{
	static struct svmrun_lapic from[PC_CPUS], to[PC_CPUS], before;
	struct svmrun_apics apics, loaded;
	uint64_t seed = 2;
	unsigned int i;

	svmrun_apics_init(&apics, from, PC_CPUS, &with_deadlines);
	svmrun_apics_init(&loaded, to, PC_CPUS, &with_deadlines);
	apics.turn = 1;
	for (i = 0; i < PC_CPUS; i++)
		members_fill(lapic_list, ARRAY_SIZE(lapic_list), &from[i],
			     &seed);
	begin_writing();
	ck_assert_int_eq(svmrun_apics_save(&apics, &state), 0);
	begin_reading();
	before = to[2];
	ck_assert_int_eq(svmrun_apics_load(&loaded, &state), 0);
	ck_assert_uint_eq(loaded.turn, 1);
	members_map(lapic_list, ARRAY_SIZE(lapic_list), map);
	for (i = 0; i < PC_CPUS; i++) {
		before.id = i;
		members_compare(map, &from[i], &to[i], &before, sizeof(before));
	}
}

/* Return the error of loading the first of two APICs after it was changed. */
static int load_apic_with(uint32_t lvt, uint32_t initial, uint64_t zero,
			  uint64_t tsc_deadline)
{
	static struct svmrun_lapic from[2], to[2];
	struct svmrun_apics apics, loaded;

	svmrun_apics_init(&apics, from, 2, &with_deadlines);
	svmrun_apics_init(&loaded, to, 2, &with_deadlines);
	from[0].lvt[0] = lvt;
	from[0].initial = initial;
	from[0].zero = zero;
	from[0].tsc_deadline = tsc_deadline;
	begin_writing();
	svmrun_apics_save(&apics, &state);
	begin_reading();
	return svmrun_apics_load(&loaded, &state);
}

/* A period of 0 would be a division by 0. */
START_TEST(an_armed_timer_has_a_period_or_a_deadline)
{
	const uint32_t periodic = 1 << 17, deadline = 2 << 17;

	ck_assert_int_eq(load_apic_with(periodic, 1, 5, 0), 0);
	ck_assert_int_eq(load_apic_with(periodic, 0, SVMRUN_NEVER, 0), 0);
	ck_assert_int_eq(load_apic_with(periodic, 0, 5, 0), -EINVAL);
	ck_assert_int_eq(load_apic_with(0, 0, 5, 0), -EINVAL);
	ck_assert_int_eq(load_apic_with(deadline, 0, 5, 9), 0);
	ck_assert_int_eq(load_apic_with(deadline, 1, 5, 0), -EINVAL);
	ck_assert_int_eq(load_apic_with(periodic, 1, 5, 9), -EINVAL);
}

/* ---- values that a device never has -------------------------------------- */

/* Return the error of loading a device into which a member's value was written. */
#define LOADED_WITH(noun, start, member, value, ...)                           \
	({                                                                     \
		struct svmrun_##noun from, to;                                 \
                                                                               \
		memset(&to, 0, sizeof(to));                                    \
		memset(&from, 0, sizeof(from));                                \
		start;                                                         \
		from.member = value;                                           \
		begin_writing();                                               \
		svmrun_##noun##_save(&from, &state);                           \
		begin_reading();                                               \
		svmrun_##noun##_load(&to, &state, ##__VA_ARGS__);              \
	})

#define NO_LINE ((struct svmrun_line){ 0 })
#define REFUSES_UART(member, value)                                            \
	ck_assert_int_eq(LOADED_WITH(uart, (void)0, member, value), -EINVAL)
#define REFUSES_PIC(member, value)                                             \
	ck_assert_int_eq(LOADED_WITH(pic, (void)0, member, value), -EINVAL)
#define REFUSES_PIT(member, value)                                             \
	ck_assert_int_eq(LOADED_WITH(pit, svmrun_pit_init(&from, NO_LINE, 0),  \
				     member, value),                           \
			 -EINVAL)
#define REFUSES_RTC(member, value)                                             \
	ck_assert_int_eq(LOADED_WITH(rtc,                                      \
				     svmrun_rtc_init(&from, NO_LINE, 1000,     \
						     NOW),                     \
				     member, value, NOW),                      \
			 -EINVAL)

START_TEST(values_out_of_range_are_refused)
{
	REFUSES_UART(first, 16);
	REFUSES_UART(count, 2);
	REFUSES_PIC(chips[1].lowest, 8);
	REFUSES_PIC(chips[0].icw, 5);
	REFUSES_PIT(counters[0].count, 0);
	REFUSES_PIT(counters[1].reload, 65537);
	REFUSES_PIT(counters[2].mode, 6);
	REFUSES_PIT(counters[2].access, 0);
	REFUSES_PIT(counters[0].latched, 3);
	REFUSES_PIT(missed, 1001);
	REFUSES_PIT(credit, 9);
	REFUSES_RTC(index, 128);
	REFUSES_RTC(offset, INT64_MAX);
	REFUSES_RTC(offset, -INT64_MAX);
	REFUSES_RTC(second, -1);
	REFUSES_RTC(second, 1001);
	REFUSES_RTC(fraction, 1000000001);
	REFUSES_RTC(weekdays, 7);
	REFUSES_RTC(missed, 1001);
	REFUSES_RTC(credit, 9);
	ck_assert_int_eq(LOADED_WITH(pm, (void)0, begin, NOW + 1, NOW),
			 -EINVAL);
}

/* The compiler may take for granted that a bool is 0 or 1. */
START_TEST(a_bool_that_is_neither_is_refused)
{
	const size_t overrun = SVMRUN_STATE_HEADER + 8;
	struct svmrun_uart uart = { .scr = 1 };

	begin_writing();
	svmrun_uart_save(&uart, &state);
	bytes[overrun] = 2;
	begin_reading();
	ck_assert_int_eq(svmrun_uart_load(&uart, &state), -EINVAL);
}

/* ---- items of fw_cfg ----------------------------------------------------- */

static char read_item(struct svmrun_fwcfg *fwcfg, uint16_t key)
{
	svmrun_fwcfg_write(fwcfg, 0, 2, key);
	return svmrun_fwcfg_read(fwcfg, 1, 1);
}

static void save_items(struct svmrun_fwcfg *from)
{
	svmrun_fwcfg_init(from);
	ck_assert_int_eq(svmrun_fwcfg_add(from, 0x100, "xy", 2), 0);
	ck_assert_int_eq(svmrun_fwcfg_add_file(from, "file", "ab", 2), 0);
	read_item(from, 0x20);
	begin_writing();
	ck_assert_int_eq(svmrun_fwcfg_save(from, &state), 0);
	begin_reading();
}

START_TEST(items_of_fw_cfg_return)
{
	struct svmrun_fwcfg from, to;

	save_items(&from);
	svmrun_fwcfg_init(&to);
	ck_assert_int_eq(svmrun_fwcfg_add(&to, 0x101, "lost", 4), 0);
	ck_assert_int_eq(svmrun_fwcfg_load(&to, &state), 0);
	ck_assert_int_eq(svmrun_fwcfg_read(&to, 1, 1), 'b');
	ck_assert_int_eq(read_item(&to, 0x100), 'x');
	ck_assert_int_eq(read_item(&to, 0x101), 0);
	ck_assert_int_eq(svmrun_fwcfg_add_file(&to, "file", "", 0), -EEXIST);
}

START_TEST(damaged_items_of_fw_cfg_are_refused)
{
	struct svmrun_fwcfg from, to;

	save_items(&from);
	from.items[1].key = from.items[0].key;
	begin_writing();
	svmrun_fwcfg_save(&from, &state);
	begin_reading();
	svmrun_fwcfg_init(&to);
	ck_assert_int_eq(svmrun_fwcfg_load(&to, &state), -EINVAL);
	save_items(&from);
	memset(from.directory.entries[3].name, 'x', SVMRUN_FWCFG_NAME);
	begin_writing();
	svmrun_fwcfg_save(&from, &state);
	begin_reading();
	svmrun_fwcfg_init(&to);
	ck_assert_int_eq(svmrun_fwcfg_load(&to, &state), -EINVAL);
}

/* ---- virtio devices ------------------------------------------------------ */

static void submit_nothing(void *owner, struct svmrun_block_request *request)
{
}

static int fill_nothing(void *owner, void *buffer, size_t size)
{
	return -EIO;
}

static struct svmrun_memory ram;

static void init_block(struct svmrun_block *block, uint64_t sectors)
{
	const struct svmrun_block_owner owner = { .submit = submit_nothing };

	svmrun_block_init(block, &owner, sectors, "disk", &ram, 1);
}

static void init_rng(struct svmrun_rng *rng)
{
	const struct svmrun_rng_owner owner = { .fill = fill_nothing };

	svmrun_rng_init(rng, &owner, &ram, 1);
}

/* Only the first queue of a disk exists. */
static void fill_virtio(struct svmrun_virtio *virtio)
{
	uint64_t seed = 3;

	members_fill(virtio_list, ARRAY_SIZE(virtio_list), virtio, &seed);
	virtio->queues[0].ready = true;
	virtio->queues[1].ready = false;
}

START_TEST(a_disk_returns)
{
	static struct svmrun_block from, to, before;
	const struct svmrun_virtqueue *queue = &to.virtio.queues[0];

	ram = guest_ram();
	init_block(&from, 8);
	fill_virtio(&from.virtio);
	begin_writing();
	ck_assert_int_eq(svmrun_block_save(&from, &state), 0);
	begin_reading();
	init_block(&to, 8);
	before = to;
	ck_assert_int_eq(svmrun_block_load(&to, &state), 0);
	members_map(virtio_list, ARRAY_SIZE(virtio_list), map);
	members_compare(map, &from.virtio, &to.virtio, &before.virtio,
			sizeof(to.virtio));
	ck_assert_ptr_eq(queue->table, (char *)ram.base + 0x1000);
	ck_assert_ptr_eq(queue->available, (char *)ram.base + 0x2000);
	ck_assert_ptr_eq(queue->used, (char *)ram.base + 0x3000);
	guest_ram_free(&ram);
}

START_TEST(another_disk_is_refused)
{
	static struct svmrun_block from, to;
	static struct svmrun_rng rng;

	ram = guest_ram();
	init_block(&from, 8);
	init_block(&to, 9);
	init_rng(&rng);
	begin_writing();
	svmrun_block_save(&from, &state);
	begin_reading();
	ck_assert_int_eq(svmrun_block_load(&to, &state), -EINVAL);
	begin_reading();
	ck_assert_int_eq(svmrun_rng_load(&rng, &state), -EINVAL);
	guest_ram_free(&ram);
}

START_TEST(a_disk_with_requests_is_busy)
{
	static struct svmrun_block block;

	init_block(&block, 8);
	block.in_flight = 1;
	begin_writing();
	ck_assert_int_eq(svmrun_block_save(&block, &state), -EBUSY);
}

/* Return the error of loading an entropy device that was changed. */
static int load_rng_with(unsigned int queue, uint64_t device, uint64_t features)
{
	static struct svmrun_rng from, to;

	init_rng(&from);
	fill_virtio(&from.virtio);
	from.virtio.status = 0x0b;
	from.virtio.features = features;
	from.virtio.queues[queue].ready = true;
	from.virtio.queues[queue].device = device;
	begin_writing();
	svmrun_rng_save(&from, &state);
	begin_reading();
	init_rng(&to);
	return svmrun_rng_load(&to, &state);
}

START_TEST(queues_are_in_memory)
{
	ram = guest_ram();
	ck_assert_int_eq(load_rng_with(0, 0x3000, 1ull << 32), 0);
	ck_assert_int_eq(load_rng_with(0, GUEST_RAM_SIZE, 0), -EINVAL);
	ck_assert_int_eq(load_rng_with(0, UINT64_MAX - 3, 0), -EINVAL);
	ck_assert_int_eq(load_rng_with(1, 0x3000, 0), -EINVAL);
	ck_assert_int_eq(load_rng_with(0, 0x3000, 1), -EINVAL);
	guest_ram_free(&ram);
}

/* ---- a PC ---------------------------------------------------------------- */

static void ignore_wake(void *owner, unsigned int cpu)
{
}

static void init_pc(struct svmrun_pc *pc, unsigned int cpus)
{
	const struct svmrun_pc_owner owner = {
		.wake = ignore_wake,
		.tsc = fake_tsc,
		.tsc_khz = fake_khz,
	};

	svmrun_pc_init(pc, cpus, &owner, 1000, NOW);
}

static void write_port(struct svmrun_pc *pc, uint16_t port, uint8_t value)
{
	svmrun_pc_port_write(pc, port, 1, value, NOW);
}

/* Use a register of each device. */
static void use_pc(struct svmrun_pc *pc)
{
	write_port(pc, 0x3ff, 1);
	write_port(pc, 0x21, 2);
	write_port(pc, 0x61, 3);
	write_port(pc, 0x70, 4);
	write_port(pc, 0x601, 1);
	write_port(pc, 0xcf9, 2);
	write_port(pc, 0x92, 0);
	svmrun_pc_port_write(pc, 0xcf8, 4, 0x80000008, NOW);
	svmrun_pc_port_write(pc, 0x510, 2, 5, NOW);
	svmrun_pc_mmio_write(pc, 2, SVMRUN_LAPIC_GPA + 0x80, 4, 0x20, NOW);
	svmrun_pc_mmio_write(pc, 0, SVMRUN_IOAPIC_GPA, 4, 0x10, NOW);
}

START_TEST(a_pc_returns)
{
	static struct svmrun_pc from, to;
	static uint8_t again[STATE_SIZE];
	size_t size;

	init_pc(&from, PC_CPUS);
	use_pc(&from);
	begin_writing();
	ck_assert_int_eq(svmrun_pc_save(&from, &state), 0);
	size = state.used;
	begin_reading();
	init_pc(&to, PC_CPUS);
	ck_assert_int_eq(svmrun_pc_load(&to, &state, NOW), 0);
	ck_assert_uint_eq(state.used, size);
	svmrun_state_init(&state, again, sizeof(again));
	ck_assert_int_eq(svmrun_pc_save(&to, &state), 0);
	ck_assert_mem_eq(again, bytes, size);
	ck_assert_uint_eq(svmrun_lapic_tpr(&to.lapics[2]), 0x20);
}

START_TEST(a_pc_of_other_parts_is_refused)
{
	static struct svmrun_testdev testdev;
	static struct svmrun_pc from, to;

	init_pc(&from, 1);
	begin_writing();
	ck_assert_int_eq(svmrun_pc_save(&from, &state), 0);
	begin_reading();
	init_pc(&to, 2);
	ck_assert_int_eq(svmrun_pc_load(&to, &state, NOW), -EINVAL);
	init_pc(&to, 1);
	svmrun_pc_attach_testdev(&to, &testdev);
	begin_reading();
	ck_assert_int_eq(svmrun_pc_load(&to, &state, NOW), -EINVAL);
}

/* Whatever is cut off, or a byte that is changed, is an error or another valid state. */
START_TEST(a_damaged_pc_is_loaded_or_refused)
{
	static struct svmrun_pc from, to;
	uint64_t seed = 4;
	size_t size, i;

	init_pc(&from, 1);
	begin_writing();
	ck_assert_int_eq(svmrun_pc_save(&from, &state), 0);
	size = state.used;
	for (i = 0; i < size; i++) {
		init_pc(&to, 1);
		svmrun_state_init(&state, bytes, i);
		ck_assert_int_eq(svmrun_pc_load(&to, &state, NOW), -EINVAL);
	}
	for (i = 0; i < size; i++) {
		uint8_t old = bytes[i];

		bytes[i] = xorshift(&seed);
		init_pc(&to, 1);
		svmrun_state_init(&state, bytes, size);
		if (!svmrun_pc_load(&to, &state, NOW))
			svmrun_pc_advance(&to, 0, 2 * NOW);
		bytes[i] = old;
	}
}

static const TTest **const tests[] = {
	&a_record_is_read_as_it_was_written,
	&the_size_is_known_before,
	&too_little_room_is_an_error,
	&another_record_is_refused,
	&another_version_is_refused,
	&a_record_that_is_cut_off_is_refused,
	&more_than_the_record_has_is_not_read,
	&contents_that_are_not_read_are_refused,
	&a_record_of_any_version_is_skipped,
	&a_record_that_is_cut_off_is_not_skipped,
	&every_member_is_listed,
	&what_is_saved_is_loaded,
	&local_apics_return,
	&an_armed_timer_has_a_period_or_a_deadline,
	&values_out_of_range_are_refused,
	&a_bool_that_is_neither_is_refused,
	&items_of_fw_cfg_return,
	&damaged_items_of_fw_cfg_are_refused,
	&a_disk_returns,
	&another_disk_is_refused,
	&a_disk_with_requests_is_busy,
	&queues_are_in_memory,
	&a_pc_returns,
	&a_pc_of_other_parts_is_refused,
	&a_damaged_pc_is_loaded_or_refused,
};

Suite *state_suite(void)
{
	return suite_of("state", tests, ARRAY_SIZE(tests));
}
