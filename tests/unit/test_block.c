// SPDX-License-Identifier: GPL-2.0
/*
 * The virtio block device (Virtual I/O Device 1.2, 5.2): requests, their split into
 * descriptors, errors, and malformed requests.
 */
#include <errno.h>

#include <svmrun/block.h>

#include "suites.h"
#include "virtio_guest.h"
#include "xorshift.h"

#define SECTORS 100
#define SECTOR SVMRUN_BLOCK_SECTOR
#define REQUESTS 200000

#define IN 0
#define OUT 1
#define FLUSH 4
#define GET_ID 8
#define DISCARD 11
#define WRITE_ZEROES 13

#define OK 0
#define IOERR 1
#define UNSUPP 2
#define NO_STATUS 0xff

/* Addresses of the parts of a request in guest memory */
#define HEADER DATA
#define STATUS (DATA + 0x100)
#define BUFFER (DATA + 0x1000)

static struct svmrun_memory ram;
static struct svmrun_block block;
static uint8_t disk[SECTORS * SECTOR];
static int error;
static unsigned int flushes, transfers;

/* Copy between disk and guest, and check that only whole sectors are accessed. */
static int transfer(struct iovec *buffers, unsigned int count, uint64_t offset,
		    bool write)
{
	transfers++;
	if (offset % SECTOR)
		ck_abort_msg("no sector begins at %lu", offset);
	for (unsigned int i = 0; i < count; i++) {
		size_t size = buffers[i].iov_len;

		if (offset > sizeof(disk) || size > sizeof(disk) - offset)
			ck_abort_msg("beyond the end of the disk");
		if (write)
			memcpy(disk + offset, buffers[i].iov_base, size);
		else
			memcpy(buffers[i].iov_base, disk + offset, size);
		offset += size;
	}
	if (offset % SECTOR)
		ck_abort_msg("part of a sector");
	return error;
}

static int disk_read(void *owner, struct iovec *to, unsigned int count,
		     uint64_t offset)
{
	ck_assert_ptr_eq(owner, disk);
	return transfer(to, count, offset, false);
}

static int disk_write(void *owner, struct iovec *from, unsigned int count,
		      uint64_t offset)
{
	ck_assert_ptr_eq(owner, disk);
	return transfer(from, count, offset, true);
}

static int disk_flush(void *owner)
{
	ck_assert_ptr_eq(owner, disk);
	flushes++;
	return error;
}

static void start(bool read_only)
{
	const struct svmrun_block_owner owner = {
		.read = disk_read,
		.write = read_only ? NULL : disk_write,
		.flush = disk_flush,
		.owner = disk,
	};

	for (size_t i = 0; i < sizeof(disk); i++)
		disk[i] = i / SECTOR + i;
	error = 0;
	flushes = 0;
	transfers = 0;
	svmrun_block_init(&block, &owner, SECTORS, "a name", &ram, 1);
	virtio_drive(&block.virtio, &ram);
}

/* An owner that keeps what is submitted until the test completes it */
#define IN_FLIGHT 3
static struct svmrun_block_request requests[IN_FLIGHT];
static struct svmrun_block_request *submitted[SVMRUN_VIRTIO_ENTRIES];
static unsigned int submissions;

static void keep_request(void *owner, struct svmrun_block_request *request)
{
	ck_assert_ptr_eq(owner, disk);
	ck_assert(request->in_flight);
	submitted[submissions++ % ARRAY_SIZE(submitted)] = request;
}

static void start_async(bool read_only)
{
	const struct svmrun_block_owner owner = {
		.submit = keep_request,
		.read_only = read_only,
		.has_ranges = true,
		.owner = disk,
	};

	submissions = 0;
	svmrun_block_init(&block, &owner, SECTORS, "a name", &ram, 1);
	svmrun_block_set_requests(&block, requests, IN_FLIGHT);
	virtio_drive(&block.virtio, &ram);
}

static void setup(void)
{
	ram = guest_ram();
	start(false);
}

static void teardown(void)
{
	guest_ram_free(&ram);
}

static void write_header(uint32_t type, uint64_t sector)
{
	uint8_t *at = guest_ram_at(&ram, HEADER, 16);

	memcpy(at, &type, 4);
	memset(at + 4, 0, 4);
	memcpy(at + 8, &sector, 8);
}

/* Submit the chain that begins with descriptor 0. Return the status of the request. */
static uint8_t submit(void)
{
	uint8_t *status = guest_ram_at(&ram, STATUS, 1);

	*status = NO_STATUS;
	virtio_offer(&ram, 0);
	virtio_set(&block.virtio, REG_QUEUE_NOTIFY, 0);
	return *status;
}

/* Submit a request as drivers do: header, @size bytes of data, status. */
static uint8_t request(uint32_t type, uint64_t sector, uint32_t size)
{
	write_header(type, sector);
	virtio_describe(&ram, 0, HEADER, 16, NEXT, 1);
	virtio_describe(&ram, 1, BUFFER, size, NEXT | (type == OUT ? 0 : WRITE),
			2);
	virtio_describe(&ram, 2, STATUS, 1, WRITE, 0);
	return submit();
}

START_TEST(configuration)
{
	ck_assert_uint_eq(virtio_get(&block.virtio, 0x008), 2);
	ck_assert_uint_eq(svmrun_virtio_read(&block.virtio, REG_CONFIG, 8),
			  SECTORS);
	ck_assert_uint_eq(virtio_get(&block.virtio, REG_CONFIG + 12), 126);
	ck_assert_uint_eq(virtio_get(&block.virtio, REG_DEVICE_FEATURES),
			  1 << 2 | 1 << 9);
	start(true);
	ck_assert_uint_eq(virtio_get(&block.virtio, REG_DEVICE_FEATURES),
			  1 << 2 | 1 << 5 | 1 << 9);
}

START_TEST(reads)
{
	uint32_t head, written;

	ck_assert_uint_eq(request(IN, 3, 2 * SECTOR), OK);
	ck_assert_mem_eq(guest_ram_at(&ram, BUFFER, 2 * SECTOR),
			 disk + 3 * SECTOR, 2 * SECTOR);
	virtio_used_entry(&ram, 0, &head, &written);
	ck_assert_uint_eq(head, 0);
	ck_assert_uint_eq(written, 2 * SECTOR + 1);
	ck_assert_uint_eq(virtio_get(&block.virtio, REG_INTERRUPT_STATUS), 1);
	ck_assert_uint_eq(request(IN, SECTORS - 1, SECTOR), OK);
	ck_assert_mem_eq(guest_ram_at(&ram, BUFFER, SECTOR),
			 disk + sizeof(disk) - SECTOR, SECTOR);
}

START_TEST(writes)
{
	uint8_t before[SECTOR];

	memcpy(before, disk + SECTOR, SECTOR);
	memset(guest_ram_at(&ram, BUFFER, SECTOR), 0x5a, SECTOR);
	ck_assert_uint_eq(request(OUT, 2, SECTOR), OK);
	ck_assert_mem_eq(disk + 2 * SECTOR, guest_ram_at(&ram, BUFFER, SECTOR),
			 SECTOR);
	ck_assert_mem_eq(disk + SECTOR, before, SECTOR);
	ck_assert_uint_eq(disk[3 * SECTOR], 3);
}

/* A driver that has not accepted FLUSH expects that completed writes are persistent. */
START_TEST(writes_are_flushed_without_feature)
{
	ck_assert_uint_eq(request(OUT, 2, SECTOR), OK);
	ck_assert_uint_eq(flushes, 1);
	ck_assert_uint_eq(request(IN, 2, SECTOR), OK);
	ck_assert_uint_eq(flushes, 1);
	block.virtio.features |= 1 << 9;
	ck_assert_uint_eq(request(OUT, 2, SECTOR), OK);
	ck_assert_uint_eq(flushes, 1);
}

/* The split of a request into descriptors is the guest's choice (2.7.4). */
START_TEST(parts_are_cut_anyhow)
{
	uint32_t size = 2 * SECTOR;

	write_header(IN, 7);
	virtio_describe(&ram, 0, HEADER, 1, NEXT, 1);
	virtio_describe(&ram, 1, HEADER + 1, 15, NEXT, 2);
	virtio_describe(&ram, 2, BUFFER, 100, NEXT | WRITE, 3);
	virtio_describe(&ram, 3, BUFFER + 100, size - 100 + 1, WRITE, 0);
	submit();
	ck_assert_mem_eq(guest_ram_at(&ram, BUFFER, size), disk + 7 * SECTOR,
			 size);
	ck_assert_uint_eq(*(uint8_t *)guest_ram_at(&ram, BUFFER + size, 1), OK);

	write_header(OUT, 9);
	memcpy(guest_ram_at(&ram, BUFFER, 16), guest_ram_at(&ram, HEADER, 16),
	       16);
	memcpy(guest_ram_at(&ram, BUFFER + 16, SECTOR), disk, SECTOR);
	virtio_describe(&ram, 0, BUFFER, 16 + SECTOR, NEXT, 1);
	virtio_describe(&ram, 1, STATUS, 1, WRITE, 0);
	ck_assert_uint_eq(submit(), OK);
	ck_assert_mem_eq(disk + 9 * SECTOR, disk, SECTOR);
}

START_TEST(several_at_once)
{
	write_header(FLUSH, 0);
	virtio_describe(&ram, 0, HEADER, 16, NEXT, 1);
	virtio_describe(&ram, 1, STATUS, 1, WRITE, 0);
	virtio_offer(&ram, 0);
	virtio_offer(&ram, 0);
	ck_assert_uint_eq(submit(), OK);
	ck_assert_uint_eq(flushes, 3);
	ck_assert_uint_eq(virtio_used(&ram), 3);
}

START_TEST(name)
{
	static const char padded[SVMRUN_BLOCK_NAME] = "a name";

	ck_assert_uint_eq(request(GET_ID, 0, SVMRUN_BLOCK_NAME), OK);
	ck_assert_mem_eq(guest_ram_at(&ram, BUFFER, SVMRUN_BLOCK_NAME), padded,
			 SVMRUN_BLOCK_NAME);
	ck_assert_uint_eq(request(GET_ID, 0, SVMRUN_BLOCK_NAME - 1), IOERR);
	svmrun_block_init(&block, &block.owner, 1, "a name longer than twenty",
			  &ram, 1);
	ck_assert_mem_eq(block.name, "a name longer than t", SVMRUN_BLOCK_NAME);
}

START_TEST(what_is_refused)
{
	static const struct {
		uint32_t type;
		uint64_t sector;
		uint32_t size;
		uint8_t status;
	} table[] = {
		{ IN, SECTORS, SECTOR, IOERR },
		{ IN, SECTORS - 1, 2 * SECTOR, IOERR },
		{ IN, UINT64_MAX, SECTOR, IOERR },
		{ IN, UINT64_MAX / SECTOR + 1, SECTOR, IOERR },
		{ IN, 0, SECTOR - 1, IOERR },
		{ IN, 0, (SECTORS + 1) * SECTOR, IOERR },
		{ OUT, SECTORS, SECTOR, IOERR },
		{ OUT, UINT64_MAX, SECTOR, IOERR },
		{ OUT, 0, 1, IOERR },
		{ 2, 0, SECTOR, UNSUPP },
		{ 11, 0, SECTOR, UNSUPP }, /* DISCARD is not offered */
		{ UINT32_MAX, 0, SECTOR, UNSUPP },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		ck_assert_msg(request(table[i].type, table[i].sector,
				      table[i].size) == table[i].status,
			      "number %zu", i);
	ck_assert_uint_eq(transfers, 0);
	ck_assert_uint_eq(virtio_used(&ram), ARRAY_SIZE(table));
	start(true);
	ck_assert_uint_eq(request(OUT, 0, SECTOR), IOERR);
	ck_assert_uint_eq(transfers, 0);
	ck_assert_uint_eq(request(IN, 0, SECTOR), OK);
}

START_TEST(errors_are_reported)
{
	error = -EIO;
	ck_assert_uint_eq(request(IN, 0, SECTOR), IOERR);
	ck_assert_uint_eq(request(OUT, 0, SECTOR), IOERR);
	ck_assert_uint_eq(request(FLUSH, 0, 0), IOERR);
	ck_assert_uint_eq(transfers, 2);
	ck_assert_uint_eq(flushes, 1);
	block.owner.flush = NULL;
	ck_assert_uint_eq(request(FLUSH, 0, 0), OK);
}

static void must_be_reset(void)
{
	ck_assert_uint_eq(submit(), NO_STATUS);
	ck_assert(virtio_get(&block.virtio, REG_STATUS) & STATUS_NEEDS_RESET);
	ck_assert_uint_eq(virtio_used(&ram), 0);
	ck_assert_uint_eq(transfers, 0);
}

START_TEST(requests_that_are_none)
{
	write_header(IN, 0);
	virtio_describe(&ram, 0, HEADER, 15, NEXT, 1);
	virtio_describe(&ram, 1, STATUS, 1, WRITE, 0);
	must_be_reset();

	start(false);
	virtio_describe(&ram, 0, HEADER, 16, 0, 0);
	must_be_reset();

	start(false);
	virtio_describe(&ram, 0, STATUS, 1, WRITE, 0);
	must_be_reset();
}

/* ---- an owner that does not wait ------------------------------------------ */

static uint8_t status_at(unsigned int number)
{
	return *(uint8_t *)guest_ram_at(&ram, STATUS + number, 1);
}

/* Offer request @number, which has its own descriptors and status. */
static void offer_read(unsigned int number, uint64_t sector)
{
	uint8_t *header = guest_ram_at(&ram, HEADER + 16 * (number % 2), 16);
	uint16_t first = 3 * (number % 2);

	memset(header, 0, 16);
	memcpy(header + 8, &sector, 8);
	*(uint8_t *)guest_ram_at(&ram, STATUS + number, 1) = NO_STATUS;
	virtio_describe(&ram, first, HEADER + 16 * (number % 2), 16, NEXT,
			first + 1);
	virtio_describe(&ram, first + 1, BUFFER + SECTOR * number, SECTOR,
			NEXT | WRITE, first + 2);
	virtio_describe(&ram, first + 2, STATUS + number, 1, WRITE, 0);
	virtio_offer(&ram, first);
}

static void notify(void)
{
	virtio_set(&block.virtio, REG_QUEUE_NOTIFY, 0);
}

START_TEST(requests_complete_in_any_order)
{
	uint32_t head, written;

	start_async(false);
	offer_read(0, 5);
	offer_read(1, 6);
	notify();
	ck_assert_uint_eq(submissions, 2);
	ck_assert_uint_eq(block.in_flight, 2);
	ck_assert_uint_eq(virtio_used(&ram), 0);
	ck_assert_uint_eq(submitted[1]->operation, SVMRUN_BLOCK_READ);
	ck_assert_uint_eq(submitted[1]->offset, 6 * SECTOR);
	ck_assert_uint_eq(submitted[1]->size, SECTOR);
	ck_assert_uint_eq(submitted[1]->count, 1);
	ck_assert_ptr_eq(submitted[1]->buffers[0].iov_base,
			 guest_ram_at(&ram, BUFFER + SECTOR, SECTOR));
	svmrun_block_complete(&block, submitted[1], 0);
	ck_assert_uint_eq(status_at(1), OK);
	ck_assert_uint_eq(status_at(0), NO_STATUS);
	ck_assert_uint_eq(virtio_get(&block.virtio, REG_INTERRUPT_STATUS), 1);
	virtio_used_entry(&ram, 0, &head, &written);
	ck_assert_uint_eq(head, 3);
	ck_assert_uint_eq(written, SECTOR + 1);
	svmrun_block_complete(&block, submitted[0], -EIO);
	ck_assert_uint_eq(status_at(0), IOERR);
	ck_assert_uint_eq(virtio_used(&ram), 2);
	ck_assert_uint_eq(block.in_flight, 0);
}

START_TEST(writes_are_stable_without_feature)
{
	start_async(false);
	request(OUT, 0, SECTOR);
	ck_assert_uint_eq(submitted[0]->operation, SVMRUN_BLOCK_WRITE);
	ck_assert(submitted[0]->is_stable);
	block.virtio.features |= 1 << 9;
	request(OUT, 0, SECTOR);
	ck_assert(!submitted[1]->is_stable);
}

/* ---- ranges --------------------------------------------------------------- */

/* Submit a request with a range of sectors, in a buffer of @size bytes. */
static uint8_t range_request(uint32_t type, uint64_t sector, uint32_t sectors,
			     uint32_t flags, uint32_t size)
{
	uint8_t *range = guest_ram_at(&ram, BUFFER, 32);

	write_header(type, 0);
	memcpy(range, &sector, 8);
	memcpy(range + 8, &sectors, 4);
	memcpy(range + 12, &flags, 4);
	virtio_describe(&ram, 0, HEADER, 16, NEXT, 1);
	virtio_describe(&ram, 1, BUFFER, size, NEXT, 2);
	virtio_describe(&ram, 2, STATUS, 1, WRITE, 0);
	return submit();
}

START_TEST(range_limits_are_in_config)
{
	start_async(false);
	ck_assert_uint_eq(virtio_get(&block.virtio, REG_DEVICE_FEATURES) >> 13,
			  3);
	ck_assert_uint_eq(virtio_get(&block.virtio, REG_CONFIG + 36), 1 << 22);
	ck_assert_uint_eq(virtio_get(&block.virtio, REG_CONFIG + 40), 1);
	ck_assert_uint_eq(virtio_get(&block.virtio, REG_CONFIG + 44), 8);
	ck_assert_uint_eq(virtio_get(&block.virtio, REG_CONFIG + 48), 1 << 22);
	ck_assert_uint_eq(virtio_get(&block.virtio, REG_CONFIG + 52), 1);
	ck_assert_uint_eq(virtio_get(&block.virtio, REG_CONFIG + 56), 1);
	start_async(true);
	ck_assert_uint_eq(virtio_get(&block.virtio, REG_DEVICE_FEATURES) >> 13,
			  0);
	ck_assert_uint_eq(virtio_get(&block.virtio, REG_CONFIG + 36), 0);
}

START_TEST(ranges_are_submitted)
{
	start_async(false);
	range_request(DISCARD, 3, 4, 0, 16);
	ck_assert_uint_eq(submissions, 1);
	ck_assert_uint_eq(submitted[0]->operation, SVMRUN_BLOCK_DISCARD);
	ck_assert_uint_eq(submitted[0]->offset, 3 * SECTOR);
	ck_assert_uint_eq(submitted[0]->size, 4 * SECTOR);
	ck_assert_uint_eq(submitted[0]->count, 0);
	ck_assert(submitted[0]->is_stable);
	block.virtio.features |= 1 << 9;
	range_request(WRITE_ZEROES, 0, SECTORS, 1, 16);
	ck_assert_uint_eq(submitted[1]->operation, SVMRUN_BLOCK_WRITE_ZEROES);
	ck_assert_uint_eq(submitted[1]->size, SECTORS * SECTOR);
	ck_assert(submitted[1]->may_unmap);
	ck_assert(!submitted[1]->is_stable);
	range_request(WRITE_ZEROES, 0, 1, 0, 16);
	ck_assert(!submitted[2]->may_unmap);
}

START_TEST(invalid_ranges_fail)
{
	static const struct {
		uint32_t type;
		uint64_t sector;
		uint32_t sectors;
		uint32_t flags;
		uint32_t size;
		uint8_t status;
	} table[] = {
		{ DISCARD, 0, 1, 1, 16, UNSUPP },
		{ DISCARD, 0, 1, 2, 16, UNSUPP },
		{ WRITE_ZEROES, 0, 1, 2, 16, UNSUPP },
		{ WRITE_ZEROES, 0, SECTORS + 1, 0, 16, IOERR },
		{ WRITE_ZEROES, SECTORS, 1, 0, 16, IOERR },
		{ WRITE_ZEROES, UINT64_MAX, 1, 0, 16, IOERR },
		{ WRITE_ZEROES, UINT64_MAX / SECTOR + 1, 1, 0, 16, IOERR },
		{ WRITE_ZEROES, 0, UINT32_MAX, 0, 16, IOERR },
		{ DISCARD, 0, 1, 0, 0, IOERR },
		{ DISCARD, 0, 1, 0, 15, IOERR },
		{ DISCARD, 0, 1, 0, 32, IOERR },
	};

	start_async(false);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		ck_assert_msg(range_request(table[i].type, table[i].sector,
					    table[i].sectors, table[i].flags,
					    table[i].size) == table[i].status,
			      "number %zu", i);
	ck_assert_uint_eq(submissions, 0);
	start_async(true);
	ck_assert_uint_eq(range_request(DISCARD, 0, 1, 0, 16), IOERR);
	ck_assert_uint_eq(range_request(WRITE_ZEROES, 0, 1, 0, 16), IOERR);
	ck_assert_uint_eq(submissions, 0);
}

START_TEST(invalid_requests_are_not_submitted)
{
	start_async(true);
	ck_assert_uint_eq(virtio_get(&block.virtio, REG_DEVICE_FEATURES) >> 5 &
				  1,
			  1);
	ck_assert_uint_eq(request(OUT, 0, SECTOR), IOERR);
	ck_assert_uint_eq(request(IN, SECTORS, SECTOR), IOERR);
	ck_assert_uint_eq(request(3, 0, SECTOR), UNSUPP);
	ck_assert_uint_eq(request(GET_ID, 0, SVMRUN_BLOCK_NAME), OK);
	ck_assert_uint_eq(submissions, 0);
}

/* The device takes only as many requests as there are, and the next as one ends. */
START_TEST(requests_in_flight_are_limited)
{
	start_async(false);
	for (unsigned int i = 0; i < IN_FLIGHT + 2; i++)
		offer_read(0, 1);
	notify();
	notify();
	ck_assert_uint_eq(submissions, IN_FLIGHT);
	svmrun_block_complete(&block, submitted[1], 0);
	ck_assert_uint_eq(submissions, IN_FLIGHT + 1);
	ck_assert_uint_eq(block.in_flight, IN_FLIGHT);
	ck_assert_uint_eq(virtio_used(&ram), 1);
	for (unsigned int i = 2; i < IN_FLIGHT + 2; i++)
		svmrun_block_complete(&block, submitted[i], 0);
	svmrun_block_complete(&block, submitted[0], 0);
	ck_assert_uint_eq(submissions, IN_FLIGHT + 2);
	ck_assert_uint_eq(virtio_used(&ram), IN_FLIGHT + 2);
}

/* A request of before a reset must not write to the queue that is set up afterwards. */
START_TEST(request_before_reset_leaves_no_trace)
{
	start_async(false);
	offer_read(0, 1);
	notify();
	ck_assert(!svmrun_block_is_resetting(&block));
	virtio_drive(&block.virtio, &ram);
	ck_assert(svmrun_block_is_resetting(&block));
	offer_read(1, 2);
	notify();
	ck_assert_uint_eq(submissions, 2);
	svmrun_block_complete(&block, submitted[0], 0);
	ck_assert(!svmrun_block_is_resetting(&block));
	ck_assert_uint_eq(status_at(0), NO_STATUS);
	ck_assert_uint_eq(virtio_used(&ram), 0);
	ck_assert_uint_eq(virtio_get(&block.virtio, REG_INTERRUPT_STATUS), 0);
	svmrun_block_complete(&block, submitted[1], 0);
	ck_assert_uint_eq(status_at(1), OK);
	ck_assert_uint_eq(virtio_used(&ram), 1);
}

/* Requests of before a reset hold back the next ones, but do not lose them. */
START_TEST(request_after_reset_waits_for_older_ones)
{
	start_async(false);
	for (unsigned int i = 0; i < IN_FLIGHT; i++)
		offer_read(0, 1);
	notify();
	virtio_drive(&block.virtio, &ram);
	offer_read(1, 2);
	notify();
	ck_assert_uint_eq(submissions, IN_FLIGHT);
	for (unsigned int i = 0; i < IN_FLIGHT; i++)
		svmrun_block_complete(&block, submitted[i], 0);
	ck_assert_uint_eq(submissions, IN_FLIGHT + 1);
	svmrun_block_complete(&block, submitted[IN_FLIGHT], 0);
	ck_assert_uint_eq(virtio_used(&ram), 1);
}

START_TEST(request_before_queue_reset_leaves_no_trace)
{
	start_async(false);
	offer_read(0, 1);
	notify();
	virtio_set(&block.virtio, REG_QUEUE_READY, 0);
	ck_assert(svmrun_block_is_resetting(&block));
	virtio_set(&block.virtio, REG_QUEUE_READY, 1);
	svmrun_block_complete(&block, submitted[0], 0);
	ck_assert_uint_eq(status_at(0), NO_STATUS);
	ck_assert_uint_eq(virtio_used(&ram), 0);
}

/* ---- malicious guests ----------------------------------------------------- */

static int refill(void *owner, struct iovec *to, unsigned int count,
		  uint64_t offset)
{
	if (transfers++ > 2 * SVMRUN_VIRTIO_ENTRIES)
		ck_abort_msg("the notification does not end");
	offer_read(0, 0);
	return 0;
}

START_TEST(refilled_queue_ends_the_notification)
{
	block.owner.read = refill;
	offer_read(0, 0);
	notify();
	ck_assert_uint_le(transfers, SVMRUN_VIRTIO_ENTRIES);
	ck_assert_uint_eq(virtio_used(&ram), transfers);
}

/* Submit random requests; transfer() checks what reaches the disk. */
START_TEST(many_requests)
{
	static const uint32_t types[] = { IN, OUT, IN, OUT, FLUSH, GET_ID, 3 };
	uint64_t state = xorshift_seed(1);

	for (unsigned int i = 0; i < REQUESTS; i++) {
		uint64_t bits = xorshift(&state);
		uint32_t type = types[bits % ARRAY_SIZE(types)];
		uint64_t sector = bits >> 60 ?
					  xorshift(&state) % (SECTORS + 4) :
					  xorshift(&state);
		uint32_t first = (bits >> 16) % (4 * SECTOR);
		uint32_t second = bits >> 59 & 1 ? -first % SECTOR :
						   (bits >> 32) % (4 * SECTOR);
		uint16_t kind = type == OUT ? 0 : WRITE;

		write_header(type, sector);
		virtio_describe(&ram, 0, HEADER, 16, NEXT, 1);
		virtio_describe(&ram, 1, BUFFER, first, NEXT | kind, 2);
		virtio_describe(&ram, 2, BUFFER + 4 * SECTOR, second,
				NEXT | kind, 3);
		virtio_describe(&ram, 3, STATUS, 1, WRITE, 0);
		if (submit() > UNSUPP)
			ck_abort_msg("no status");
	}
	ck_assert_uint_gt(transfers, REQUESTS / 4);
	ck_assert_uint_gt(flushes, REQUESTS / 10);
}

Suite *block_suite(void)
{
	Suite *suite = suite_create("block");
	TCase *tcase = tcase_create("block");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, configuration);
	tcase_add_test(tcase, reads);
	tcase_add_test(tcase, writes);
	tcase_add_test(tcase, writes_are_flushed_without_feature);
	tcase_add_test(tcase, parts_are_cut_anyhow);
	tcase_add_test(tcase, several_at_once);
	tcase_add_test(tcase, name);
	tcase_add_test(tcase, what_is_refused);
	tcase_add_test(tcase, errors_are_reported);
	tcase_add_test(tcase, requests_that_are_none);
	tcase_add_test(tcase, requests_complete_in_any_order);
	tcase_add_test(tcase, writes_are_stable_without_feature);
	tcase_add_test(tcase, range_limits_are_in_config);
	tcase_add_test(tcase, ranges_are_submitted);
	tcase_add_test(tcase, invalid_ranges_fail);
	tcase_add_test(tcase, invalid_requests_are_not_submitted);
	tcase_add_test(tcase, requests_in_flight_are_limited);
	tcase_add_test(tcase, request_before_reset_leaves_no_trace);
	tcase_add_test(tcase, request_after_reset_waits_for_older_ones);
	tcase_add_test(tcase, request_before_queue_reset_leaves_no_trace);
	tcase_add_test(tcase, refilled_queue_ends_the_notification);
	tcase_add_test(tcase, many_requests);
	suite_add_tcase(suite, tcase);
	return suite;
}
