// SPDX-License-Identifier: GPL-2.0
/*
 * The virtio entropy device (Virtual I/O Device 1.2, 5.4): requests, their split into
 * descriptors, errors, malformed requests, and a guest that adds requests for ever.
 */
#include <errno.h>

#include <svmrun/rng.h>

#include "suites.h"
#include "virtio_guest.h"
#include "xorshift.h"

#define BUFFER (DATA + 0x1000)
#define MOST SVMRUN_RNG_BYTES
#define REQUESTS 100000

static struct svmrun_memory ram;
static struct svmrun_rng rng;
static int error;
static unsigned int calls;
static bool refill; /* offer another request during each */

/* Bytes that count up are easily recognized. */
static int fill(void *owner, void *buffer, size_t size)
{
	uint8_t *bytes = buffer;

	ck_assert_ptr_eq(owner, &ram);
	ck_assert_uint_gt(size, 0);
	ck_assert_uint_le(size, MOST);
	for (size_t i = 0; i < size; i++)
		bytes[i] = i + 1;
	calls++;
	if (refill)
		virtio_offer(&ram, 0);
	return error;
}

static void setup(void)
{
	const struct svmrun_rng_owner owner = { .fill = fill, .owner = &ram };

	ram = guest_ram();
	error = 0;
	calls = 0;
	refill = false;
	memset(guest_ram_at(&ram, BUFFER, 2 * MOST), 0, 2 * MOST);
	svmrun_rng_init(&rng, &owner, &ram, 1);
	virtio_drive(&rng.virtio, &ram);
}

static void teardown(void)
{
	guest_ram_free(&ram);
}

static void notify(void)
{
	virtio_set(&rng.virtio, REG_QUEUE_NOTIFY, 0);
}

/* Submit the chain that begins with descriptor 0. Return the number of bytes it gets. */
static uint32_t submit(void)
{
	uint16_t used = virtio_used(&ram);
	uint32_t head, written;

	virtio_offer(&ram, 0);
	notify();
	ck_assert_uint_eq((uint16_t)(virtio_used(&ram) - used), 1);
	virtio_used_entry(&ram, used, &head, &written);
	ck_assert_uint_eq(head, 0);
	return written;
}

static bool needs_reset(void)
{
	return virtio_get(&rng.virtio, REG_STATUS) & STATUS_NEEDS_RESET;
}

START_TEST(is_an_entropy_device)
{
	ck_assert_uint_eq(virtio_get(&rng.virtio, 8), 4);
	virtio_set(&rng.virtio, REG_DEVICE_FEATURES_SEL, 0);
	ck_assert_uint_eq(virtio_get(&rng.virtio, REG_DEVICE_FEATURES), 0);
}

START_TEST(request_gets_bytes)
{
	const uint8_t *bytes = guest_ram_at(&ram, BUFFER, 65);

	virtio_describe(&ram, 0, BUFFER, 64, WRITE, 0);
	ck_assert_uint_eq(submit(), 64);
	for (unsigned int i = 0; i < 64; i++)
		ck_assert_uint_eq(bytes[i], i + 1);
	ck_assert_uint_eq(bytes[64], 0);
	ck_assert_uint_eq(virtio_get(&rng.virtio, REG_INTERRUPT_STATUS), 1);
}

START_TEST(large_request_gets_some)
{
	const uint8_t *bytes = guest_ram_at(&ram, BUFFER, MOST + 1);

	virtio_describe(&ram, 0, BUFFER, 0x4000, WRITE, 0);
	ck_assert_uint_eq(submit(), MOST);
	ck_assert_uint_eq(bytes[MOST - 1], (uint8_t)MOST);
	ck_assert_uint_eq(bytes[MOST], 0);
	ck_assert_uint_eq(calls, 1);
}

START_TEST(buffers_are_filled_in_order)
{
	virtio_describe(&ram, 0, BUFFER + 8, 3, NEXT | WRITE, 1);
	virtio_describe(&ram, 1, BUFFER + 4, 0, NEXT | WRITE, 2);
	virtio_describe(&ram, 2, BUFFER, 5, WRITE, 0);
	ck_assert_uint_eq(submit(), 8);
	ck_assert_mem_eq(guest_ram_at(&ram, BUFFER, 11),
			 "\4\5\6\7\10\0\0\0\1\2\3", 11);
}

START_TEST(failure_gives_no_bytes)
{
	error = -EIO;
	virtio_describe(&ram, 0, BUFFER, 64, WRITE, 0);
	ck_assert_uint_eq(submit(), 0);
	ck_assert_uint_eq(*(uint8_t *)guest_ram_at(&ram, BUFFER, 1), 0);
	ck_assert(!needs_reset());
	error = 0;
	ck_assert_uint_eq(submit(), 64);
}

START_TEST(malformed_requests_stop_the_device)
{
	virtio_describe(&ram, 0, BUFFER, 8, NEXT, 1);
	virtio_describe(&ram, 1, BUFFER, 8, WRITE, 0);
	virtio_offer(&ram, 0);
	notify();
	ck_assert(needs_reset());
	virtio_drive(&rng.virtio, &ram);
	virtio_describe(&ram, 0, BUFFER, 0, WRITE, 0);
	virtio_offer(&ram, 0);
	notify();
	ck_assert(needs_reset());
	ck_assert_uint_eq(calls, 0);
	virtio_drive(&rng.virtio, &ram);
	virtio_describe(&ram, 0, BUFFER, 8, WRITE, 0);
	ck_assert_uint_eq(submit(), 8);
}

/* Another processor of a guest can add requests as fast as they are carried out. */
START_TEST(work_of_a_notification_is_bounded)
{
	refill = true;
	virtio_describe(&ram, 0, BUFFER, 8, WRITE, 0);
	virtio_offer(&ram, 0);
	notify();
	ck_assert_uint_eq(calls, SVMRUN_VIRTIO_ENTRIES);
	refill = false;
	notify();
	ck_assert_uint_eq(calls, SVMRUN_VIRTIO_ENTRIES + 1);
	ck_assert(!needs_reset());
}

/* Descriptors of any kind; sanitizers find accesses outside of the guest's memory. */
START_TEST(random_chains_are_harmless)
{
	uint64_t seed = 1;

	for (unsigned int i = 0; i < REQUESTS; i++) {
		for (unsigned int j = 0; j < 3; j++) {
			uint64_t random = xorshift(&seed);

			virtio_describe(&ram, j, BUFFER + (random & 0xff),
					random >> 8 & 0x1ff,
					random >> 20 & (NEXT | WRITE),
					random >> 24 & 3);
		}
		virtio_offer(&ram, 0);
		notify();
		if (needs_reset())
			virtio_drive(&rng.virtio, &ram);
	}
	ck_assert_uint_gt(calls, REQUESTS / 10);
}

Suite *rng_suite(void)
{
	Suite *suite = suite_create("rng");
	TCase *tcase = tcase_create("rng");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, is_an_entropy_device);
	tcase_add_test(tcase, request_gets_bytes);
	tcase_add_test(tcase, large_request_gets_some);
	tcase_add_test(tcase, buffers_are_filled_in_order);
	tcase_add_test(tcase, failure_gives_no_bytes);
	tcase_add_test(tcase, malformed_requests_stop_the_device);
	tcase_add_test(tcase, work_of_a_notification_is_bounded);
	tcase_add_test(tcase, random_chains_are_harmless);
	suite_add_tcase(suite, tcase);
	return suite;
}
