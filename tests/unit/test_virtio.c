// SPDX-License-Identifier: GPL-2.0
/*
 * Registers of virtio devices (Virtual I/O Device 1.2, 4.2) and split virtqueues (2.7):
 * what a driver may do and when, and the need for a reset after a malformed queue.
 */
#include <svmrun/virtio.h>

#include "suites.h"
#include "virtio_guest.h"
#include "xorshift.h"

#define OFFERED 0x80000005ull
#define ACCESSES 10000000
#define WRAPS 70000

static struct svmrun_memory ram;
static struct svmrun_virtio virtio;
static struct svmrun_virtio_chain chain;
static unsigned int notified, resets;
static bool line;

static void note(void *owner, unsigned int queue)
{
	if (owner != &virtio || queue > 1)
		ck_abort_msg("the queue of another device");
	notified++;
}

static void note_reset(void *owner)
{
	ck_assert_ptr_eq(owner, &virtio);
	resets++;
}

static void set_line(void *owner, unsigned int number, bool level)
{
	line = level;
}

static void start(void)
{
	const struct svmrun_virtio_kind kind = {
		.id = 42,
		.features = OFFERED,
		.queues = 2,
		.notify = note,
		.owner = &virtio,
		.reset = note_reset,
	};

	svmrun_virtio_init(&virtio, &kind, &ram, 1);
	virtio.line.set = set_line;
	notified = 0;
	resets = 0;
	line = false;
}

static void setup(void)
{
	ram = guest_ram();
	start();
}

static void teardown(void)
{
	guest_ram_free(&ram);
}

static void drive(void)
{
	start();
	virtio_drive(&virtio, &ram);
	ck_assert_uint_eq(virtio_get(&virtio, REG_STATUS), STATUS_LIVE);
	ck_assert_uint_eq(virtio_get(&virtio, REG_QUEUE_READY), 1);
}

static bool needs_reset(void)
{
	return virtio_get(&virtio, REG_STATUS) & STATUS_NEEDS_RESET;
}

START_TEST(registers_after_reset)
{
	static const struct {
		unsigned int offset;
		uint32_t value;
	} table[] = {
		{ 0x000, 0x74726976 },
		{ 0x004, 2 },
		{ 0x008, 42 },
		{ 0x00c, 0x554d5653 },
		{ 0x010, OFFERED },
		{ 0x014, 0 },
		{ REG_QUEUE_NUM_MAX, SVMRUN_VIRTIO_ENTRIES },
		{ REG_QUEUE_READY, 0 },
		{ REG_INTERRUPT_STATUS, 0 },
		{ REG_STATUS, 0 },
		{ 0x0b0, UINT32_MAX },
		{ 0x0bc, UINT32_MAX },
		{ 0x0c0, 0 },
		{ 0x0fc, 0 },
		{ REG_CONFIG, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		ck_assert_msg(virtio_get(&virtio, table[i].offset) ==
				      table[i].value,
			      "offset 0x%x", table[i].offset);
	virtio_set(&virtio, REG_DEVICE_FEATURES_SEL, 1);
	ck_assert_uint_eq(virtio_get(&virtio, REG_DEVICE_FEATURES), 1);
	virtio_set(&virtio, REG_DEVICE_FEATURES_SEL, 2);
	ck_assert_uint_eq(virtio_get(&virtio, REG_DEVICE_FEATURES), 0);
	virtio_set(&virtio, REG_QUEUE_SEL, 2);
	ck_assert_uint_eq(virtio_get(&virtio, REG_QUEUE_NUM_MAX), 0);
	ck_assert_uint_eq(virtio_get(&virtio, REG_QUEUE_READY), 0);
}

START_TEST(registers_are_words)
{
	static const unsigned int sizes[] = { 1, 2, 8 };

	drive();
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		ck_assert_uint_eq(svmrun_virtio_read(&virtio, 0, sizes[i]), 0);
		svmrun_virtio_write(&virtio, REG_STATUS, sizes[i], 0);
	}
	for (unsigned int i = 1; i < 4; i++) {
		ck_assert_uint_eq(virtio_get(&virtio, REG_STATUS + i), 0);
		virtio_set(&virtio, REG_STATUS + i, 0);
	}
	ck_assert_uint_eq(virtio_get(&virtio, REG_STATUS), STATUS_LIVE);
}

START_TEST(configuration_is_bytes)
{
	static const unsigned int end = REG_CONFIG + SVMRUN_VIRTIO_CONFIG;

	for (unsigned int i = 0; i < SVMRUN_VIRTIO_CONFIG; i++)
		virtio.config[i] = i + 1;
	ck_assert_uint_eq(svmrun_virtio_read(&virtio, REG_CONFIG, 8),
			  0x0807060504030201);
	ck_assert_uint_eq(svmrun_virtio_read(&virtio, REG_CONFIG + 3, 2),
			  0x0504);
	ck_assert_uint_eq(svmrun_virtio_read(&virtio, end - 1, 1), 64);
	ck_assert_uint_eq(svmrun_virtio_read(&virtio, end - 4, 4), 0x403f3e3d);
	ck_assert_uint_eq(svmrun_virtio_read(&virtio, end - 1, 2), 0);
	ck_assert_uint_eq(svmrun_virtio_read(&virtio, end, 1), 0);
	ck_assert_uint_eq(svmrun_virtio_read(&virtio, 0xff8, 8), 0);
	svmrun_virtio_write(&virtio, REG_CONFIG, 4, UINT32_MAX);
	ck_assert_uint_eq(svmrun_virtio_read(&virtio, REG_CONFIG, 4),
			  0x04030201);
}

START_TEST(features)
{
	static const struct {
		uint64_t accepted;
		bool ok;
	} table[] = {
		{ 1ull << 32, true },	   { 1ull << 32 | OFFERED, true },
		{ OFFERED, false }, /* as a legacy driver: without VIRTIO_F_VERSION_1 */
		{ 1ull << 32 | 2, false }, { 3ull << 32, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		start();
		virtio_accept(&virtio, table[i].accepted);
		ck_assert_uint_eq(!(virtio_get(&virtio, REG_STATUS) &
				    STATUS_FEATURES_OK),
				  !table[i].ok);
	}
	/* Accepted features cannot be changed until reset. */
	virtio_accept(&virtio, 0);
	virtio_accept(&virtio, 1ull << 32);
	virtio_accept(&virtio, 2);
	ck_assert(virtio.features == 1ull << 32);
	virtio_set(&virtio, REG_STATUS, 0);
	virtio_set(&virtio, REG_DRIVER_FEATURES_SEL, 2);
	virtio_set(&virtio, REG_DRIVER_FEATURES, UINT32_MAX);
	ck_assert(virtio.features == 0);
}

START_TEST(queues_that_cannot_be)
{
	static const struct {
		uint32_t size;
		uint64_t table, available, used;
	} bad[] = {
		{ 0, TABLE, AVAILABLE, USED },
		{ 3, TABLE, AVAILABLE, USED },
		{ 256, TABLE, AVAILABLE, USED },
		{ 8, TABLE + 8, AVAILABLE, USED },
		{ 8, TABLE, AVAILABLE + 1, USED },
		{ 8, TABLE, AVAILABLE, USED + 2 },
		{ 8, GUEST_RAM_SIZE - 112, AVAILABLE, USED },
		{ 8, TABLE, GUEST_RAM_SIZE - 18, USED },
		{ 8, TABLE, AVAILABLE, GUEST_RAM_SIZE - 64 },
		{ 8, 1ull << 32, AVAILABLE, USED },
		{ 8, -16ull, AVAILABLE, USED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		start();
		virtio_accept(&virtio, 1ull << 32);
		virtio_set_rings(&virtio, bad[i].size, bad[i].table,
				 bad[i].available, bad[i].used);
		virtio_set(&virtio, REG_QUEUE_READY, 1);
		ck_assert_msg(needs_reset(), "number %zu", i);
		ck_assert_uint_eq(virtio_get(&virtio, REG_QUEUE_READY), 0);
		ck_assert(!line); /* no interrupts before DRIVER_OK */
	}
}

START_TEST(queues_that_just_fit)
{
	start();
	virtio_accept(&virtio, 1ull << 32);
	virtio_set_rings(&virtio, 8, GUEST_RAM_SIZE - 128, GUEST_RAM_SIZE - 20,
			 GUEST_RAM_SIZE - 68);
	virtio_set(&virtio, REG_QUEUE_READY, 1);
	ck_assert_uint_eq(virtio_get(&virtio, REG_QUEUE_READY), 1);
	ck_assert(!needs_reset());
}

START_TEST(ready_queue_cannot_be_changed)
{
	drive();
	virtio_set_rings(&virtio, 4, 0, 0, 0);
	ck_assert_uint_eq(virtio.queues[0].size, QUEUE_SIZE);
	ck_assert_uint_eq(virtio.queues[0].descriptors, TABLE);
	ck_assert_uint_eq(virtio.queues[0].driver, AVAILABLE);
	ck_assert_uint_eq(virtio.queues[0].device, USED);
	virtio_set(&virtio, REG_QUEUE_READY, 0);
	ck_assert_uint_eq(virtio_get(&virtio, REG_QUEUE_READY), 0);
	virtio_set(&virtio, REG_QUEUE_NUM, 4);
	ck_assert_uint_eq(virtio.queues[0].size, 4);
	virtio_set(&virtio, 0x03c, 2); /* not a register */
	ck_assert_uint_eq(virtio.queues[0].size, 4);
	virtio_set(&virtio, REG_QUEUE_SEL, 2);
	virtio_set(&virtio, REG_QUEUE_NUM, 2); /* no such queue */
	virtio_set(&virtio, REG_QUEUE_READY, 1);
	ck_assert(!needs_reset());
}

START_TEST(chains)
{
	uint32_t head, written;

	drive();
	virtio_describe(&ram, 5, DATA, 10, NEXT, 2);
	virtio_describe(&ram, 2, DATA + 100, 0, NEXT, 3); /* no bytes */
	virtio_describe(&ram, 3, DATA + 200, 20, NEXT | WRITE, 0);
	virtio_describe(&ram, 0, GUEST_RAM_SIZE - 30, 30, WRITE, 7);
	ck_assert(!svmrun_virtio_take(&virtio, 0, &chain));
	virtio_offer(&ram, 5);
	ck_assert(svmrun_virtio_take(&virtio, 0, &chain));
	ck_assert(!svmrun_virtio_take(&virtio, 0,
				      &(struct svmrun_virtio_chain){ 0 }));
	ck_assert_uint_eq(chain.head, 5);
	ck_assert_uint_eq(chain.out_count, 1);
	ck_assert_uint_eq(chain.in_count, 2);
	ck_assert_uint_eq(chain.out_size, 10);
	ck_assert_uint_eq(chain.in_size, 50);
	ck_assert_ptr_eq(chain.out[0].iov_base, guest_ram_at(&ram, DATA, 10));
	ck_assert_uint_eq(chain.in[0].iov_len, 20);
	ck_assert_ptr_eq(chain.in[1].iov_base,
			 guest_ram_at(&ram, GUEST_RAM_SIZE - 30, 30));
	ck_assert_uint_eq(virtio_used(&ram), 0);
	ck_assert(!line);
	svmrun_virtio_give(&virtio, 0, chain.head, 33);
	ck_assert_uint_eq(virtio_used(&ram), 1);
	virtio_used_entry(&ram, 0, &head, &written);
	ck_assert_uint_eq(head, 5);
	ck_assert_uint_eq(written, 33);
	ck_assert(line);
}

START_TEST(rings_go_round)
{
	uint32_t head, written;

	drive();
	for (unsigned int i = 0; i < QUEUE_SIZE; i++)
		virtio_describe(&ram, i, DATA + i, 1, 0, 0);
	for (unsigned int i = 0; i < WRAPS; i++) {
		virtio_offer(&ram, i % QUEUE_SIZE);
		ck_assert(svmrun_virtio_take(&virtio, 0, &chain));
		svmrun_virtio_give(&virtio, 0, chain.head, i);
		virtio_used_entry(&ram, i, &head, &written);
		ck_assert_uint_eq(head, i % QUEUE_SIZE);
		ck_assert_uint_eq(written, i);
		ck_assert_uint_eq(virtio_used(&ram), (uint16_t)(i + 1));
	}
}

START_TEST(interrupts)
{
	uint16_t *available;

	drive();
	available = guest_ram_at(&ram, AVAILABLE, 2);
	svmrun_virtio_give(&virtio, 0, 0, 0);
	ck_assert(line);
	ck_assert_uint_eq(virtio_get(&virtio, REG_INTERRUPT_STATUS), 1);
	virtio_set(&virtio, REG_INTERRUPT_ACK, 2);
	ck_assert(line);
	virtio_set(&virtio, REG_INTERRUPT_ACK, 1);
	ck_assert(!line);
	ck_assert_uint_eq(virtio_get(&virtio, REG_INTERRUPT_STATUS), 0);
	*available = 1; /* VIRTQ_AVAIL_F_NO_INTERRUPT */
	svmrun_virtio_give(&virtio, 0, 0, 0);
	ck_assert(!line);
	ck_assert_uint_eq(virtio_used(&ram), 2);
}

START_TEST(notified_only_when_requested)
{
	drive();
	virtio_set(&virtio, REG_QUEUE_NOTIFY, 0);
	ck_assert_uint_eq(notified, 1);
	virtio_set(&virtio, REG_QUEUE_NOTIFY, 1); /* not ready */
	virtio_set(&virtio, REG_QUEUE_NOTIFY, 2); /* no such queue */
	virtio_set(&virtio, REG_STATUS, STATUS_LIVE & ~4);
	virtio_set(&virtio, REG_QUEUE_NOTIFY, 0);
	virtio_set(&virtio, REG_STATUS, STATUS_LIVE & ~STATUS_FEATURES_OK);
	virtio_set(&virtio, REG_QUEUE_NOTIFY, 0);
	virtio_offer(&ram, 0);
	ck_assert(!svmrun_virtio_take(&virtio, 0, &chain));
	ck_assert_uint_eq(notified, 1);
}

static void chain_of(unsigned int how)
{
	static const struct {
		uint64_t gpa;
		uint32_t size;
		uint16_t flags, next;
	} first[] = {
		{ DATA, 1, NEXT, 0 }, /* loop */
		{ DATA, 1, NEXT, QUEUE_SIZE }, /* outside the table */
		{ DATA, 1, NEXT, UINT16_MAX }, { DATA, 16, INDIRECT, 0 },
		{ DATA, 1, NEXT | WRITE, 1 }, /* descriptor 1 is readable */
		{ GUEST_RAM_SIZE, 1, 0, 0 },   { GUEST_RAM_SIZE - 1, 2, 0, 0 },
		{ UINT64_MAX, 2, WRITE, 0 },   { 0, UINT32_MAX, WRITE, 0 },
	};

	ck_assert_uint_lt(how, ARRAY_SIZE(first) + 2);
	drive();
	for (unsigned int i = 0; i <= QUEUE_SIZE; i++) /* and one beyond it */
		virtio_describe(&ram, i, DATA, 1, 0, 0);
	if (how < ARRAY_SIZE(first))
		virtio_describe(&ram, 0, first[how].gpa, first[how].size,
				first[how].flags, first[how].next);
	virtio_offer(&ram, how == ARRAY_SIZE(first) ? QUEUE_SIZE : 0);
	if (how == ARRAY_SIZE(first) + 1) /* more chains than fit */
		*(uint16_t *)guest_ram_at(&ram, AVAILABLE + 2, 2) = QUEUE_SIZE +
								    1;
}

START_TEST(broken_rings)
{
	for (unsigned int how = 0; how < 11; how++) {
		chain_of(how);
		ck_assert_msg(!svmrun_virtio_take(&virtio, 0, &chain),
			      "number %u", how);
		ck_assert_msg(needs_reset(), "number %u", how);
		ck_assert(line);
		ck_assert_uint_eq(virtio_get(&virtio, REG_INTERRUPT_STATUS), 2);
		virtio_set(&virtio, REG_QUEUE_NOTIFY, 0);
		ck_assert_uint_eq(notified, 0);
		/* The device works again only after a reset. */
		virtio_set(&virtio, REG_STATUS, STATUS_LIVE);
		ck_assert(needs_reset());
		virtio_set(&virtio, REG_STATUS, 0);
		ck_assert(!needs_reset());
		ck_assert(!line);
	}
}

START_TEST(chains_of_more_than_lengths_can_say)
{
	const struct svmrun_memory vast = { .base = ram.base,
					    .size = 1ull << 40 };

	for (unsigned int excess = 0; excess < 2; excess++) {
		drive();
		virtio.memories = &vast; /* never accessed */
		virtio_describe(&ram, 0, DATA, 1u << 31, NEXT | WRITE, 1);
		virtio_describe(&ram, 1, DATA, (1u << 31) - 1, NEXT | WRITE, 2);
		virtio_describe(&ram, 2, DATA, excess, WRITE, 0);
		virtio_offer(&ram, 0);
		ck_assert_uint_eq(svmrun_virtio_take(&virtio, 0, &chain),
				  !excess);
	}
}

START_TEST(reset)
{
	drive();
	svmrun_virtio_give(&virtio, 0, 0, 0);
	virtio_set(&virtio, REG_STATUS, 0);
	ck_assert(!line);
	ck_assert_uint_eq(virtio_get(&virtio, REG_INTERRUPT_STATUS), 0);
	ck_assert_uint_eq(virtio_get(&virtio, REG_QUEUE_READY), 0);
	ck_assert_uint_eq(virtio.queues[0].size, 0);
	ck_assert_uint_eq(virtio.features, 0);
	svmrun_virtio_give(&virtio, 0, 0, 0); /* ignored after the reset */
	ck_assert(!line);
	ck_assert_uint_eq(virtio_used(&ram), 1);
}

/* Write random descriptors, most of them valid, and make chains available. */
static void scribble(uint64_t *state)
{
	uint64_t bits = xorshift(state);
	unsigned int number = bits % QUEUE_SIZE, next = number + 1;

	if (bits >> 32 & 63)
		virtio_describe(&ram, number, xorshift(state) % GUEST_RAM_SIZE,
				bits >> 8 & 0xfff,
				(next < QUEUE_SIZE) | (bits >> 20 & WRITE),
				next);
	else
		virtio_describe(&ram, number, xorshift(state), xorshift(state),
				bits >> 8, bits >> 40);
	virtio_offer(&ram, bits >> 60);
}

/* Access both ends of each buffer. Return the number of buffers. */
static unsigned int serve(void)
{
	volatile uint8_t *bytes, seen = 0;
	unsigned int i, count = 0;

	while (svmrun_virtio_take(&virtio, 0, &chain)) {
		for (i = 0; i < chain.out_count; i++, count++) {
			bytes = chain.out[i].iov_base;
			seen += bytes[0] + bytes[chain.out[i].iov_len - 1];
		}
		for (i = 0; i < chain.in_count; i++, count++) {
			bytes = chain.in[i].iov_base;
			bytes[0] = seen;
			bytes[chain.in[i].iov_len - 1] = seen;
		}
		svmrun_virtio_give(&virtio, 0, chain.head, chain.in_size);
	}
	return count;
}

/* Chains that were taken before are stale after a reset, and after that of their queue. */
START_TEST(reset_calls_the_device)
{
	drive();
	ck_assert_uint_eq(resets, 1);
	virtio_set(&virtio, REG_QUEUE_READY, 1);
	ck_assert_uint_eq(resets, 1);
	virtio_set(&virtio, REG_QUEUE_READY, 0);
	ck_assert_uint_eq(resets, 2);
	virtio_set(&virtio, REG_QUEUE_READY, 0);
	virtio_set(&virtio, REG_STATUS, STATUS_LIVE);
	ck_assert_uint_eq(resets, 2);
	virtio_set(&virtio, REG_STATUS, 0);
	ck_assert_uint_eq(resets, 3);
}

START_TEST(ten_million_accesses)
{
	static const unsigned int sizes[] = { 1, 2, 4, 4, 4, 4, 4, 8 };
	uint64_t state = xorshift_seed(1), buffers = 0;

	for (unsigned int i = 0; i < ACCESSES; i += 2) {
		uint64_t bits = xorshift(&state);
		unsigned int size = sizes[bits & 7];
		unsigned int offset = (bits >> 8) % 0x140 & ~(size - 1);

		if (i % 64 == 0)
			virtio_drive(&virtio, &ram);
		if (i % 8 == 0)
			scribble(&state);
		if (bits >> 40 & 1)
			svmrun_virtio_read(&virtio, offset, size);
		else
			svmrun_virtio_write(&virtio, offset, size,
					    state >> (bits >> 48 & 63));
		buffers += serve();
		if (line != !!virtio_get(&virtio, REG_INTERRUPT_STATUS))
			ck_abort_msg("the line differs from the status");
	}
	ck_assert_uint_gt(buffers, ACCESSES / 500);
}

Suite *virtio_suite(void)
{
	Suite *suite = suite_create("virtio");
	TCase *tcase = tcase_create("virtio");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, registers_after_reset);
	tcase_add_test(tcase, registers_are_words);
	tcase_add_test(tcase, configuration_is_bytes);
	tcase_add_test(tcase, features);
	tcase_add_test(tcase, queues_that_cannot_be);
	tcase_add_test(tcase, queues_that_just_fit);
	tcase_add_test(tcase, ready_queue_cannot_be_changed);
	tcase_add_test(tcase, chains);
	tcase_add_test(tcase, rings_go_round);
	tcase_add_test(tcase, interrupts);
	tcase_add_test(tcase, notified_only_when_requested);
	tcase_add_test(tcase, broken_rings);
	tcase_add_test(tcase, chains_of_more_than_lengths_can_say);
	tcase_add_test(tcase, reset);
	tcase_add_test(tcase, reset_calls_the_device);
	tcase_add_test(tcase, ten_million_accesses);
	suite_add_tcase(suite, tcase);
	return suite;
}
