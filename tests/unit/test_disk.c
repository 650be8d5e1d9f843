// SPDX-License-Identifier: GPL-2.0
/*
 * The tool's disk: options, reading and writing its file at any offset and with several
 * buffers, errors, and the thread: the end of the run and a reset of the device while
 * requests are in progress.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/status.h"
#include "suites.h"
#include "virtio_guest.h"
#include "backend/disk.h"

#define SECTOR SVMRUN_BLOCK_SECTOR
#define SECTORS 4
#define PIECE (1u << 20)
#define IN 0
#define OUT 1
#define NO_STATUS 0xff

/* Addresses in guest memory of request number 0; the next one is 0x1000 higher */
#define HEADER DATA
#define STATUS (DATA + 0x100)
#define BUFFER (DATA + 0x200)

static char path[32];
static char option[sizeof(path) + 32];
static struct disk disk;
static struct svmrun_memory ram;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct outcome outcome;
static unsigned int wakes;
static uint8_t bytes[SECTORS * SECTOR], got[SECTORS * SECTOR];

/* Create a file in which no two sectors are equal. */
static void setup(void)
{
	int fd;

	strcpy(path, "/tmp/svmrun-disk-XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = i + i / SECTOR;
	ck_assert_int_eq(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	close(fd);
	memset(got, 0, sizeof(got));
}

static void teardown(void)
{
	unlink(path);
}

/* ---- a slow file ---------------------------------------------------------- */

static atomic_bool is_held;
static atomic_uint calls;
static size_t largest;

static void count_call(const struct iovec *buffers, int count)
{
	size_t size = 0;

	for (int i = 0; i < count; i++)
		size += buffers[i].iov_len;
	if (size > largest)
		largest = size;
	calls++;
	while (is_held)
		usleep(1000);
}

/* These functions, fdatasync() and fallocate() replace the C library's in the whole program. */
ssize_t preadv(int fd, const struct iovec *buffers, int count, off_t offset)
{
	count_call(buffers, count);
	return syscall(SYS_preadv, fd, buffers, count, offset, 0);
}

ssize_t pwritev(int fd, const struct iovec *buffers, int count, off_t offset)
{
	count_call(buffers, count);
	return syscall(SYS_pwritev, fd, buffers, count, offset, 0);
}

static void *release_file(void *argument)
{
	usleep(50000);
	is_held = false;
	return NULL;
}

/* Let the file continue in a moment. */
static pthread_t release_soon(void)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, release_file, NULL), 0);
	return thread;
}

/* ---- the disk ------------------------------------------------------------- */

static void note_wake(void *owner)
{
	ck_assert_ptr_eq(owner, &disk);
	wakes++;
}

static void begin(const char *suffix)
{
	const struct disk_machine machine = {
		.lock = &lock,
		.outcome = &outcome,
		.wake = note_wake,
		.owner = &disk,
	};

	strcpy(option, path);
	strcat(option, suffix);
	ck_assert_int_eq(disk_open(&disk, option), 0);
	ck_assert_uint_eq(disk.sectors, SECTORS);
	disk_init(&disk, 3, &machine, &ram, 1);
}

/* Read @size bytes into three buffers. */
static int read_at(uint64_t offset, size_t size)
{
	struct svmrun_block_request request = {
		.operation = SVMRUN_BLOCK_READ,
		.offset = offset,
		.size = size,
		.count = 3,
		.buffers = { { got, 100 },
			     { got + 100, 1 },
			     { got + 101, size - 101 } },
	};

	return disk_execute(&disk, &request);
}

static int write_at(uint64_t offset, size_t size, bool is_stable)
{
	struct svmrun_block_request request = {
		.operation = SVMRUN_BLOCK_WRITE,
		.is_stable = is_stable,
		.offset = offset,
		.size = size,
		.count = 1,
		.buffers = { { got, size } },
	};

	return disk_execute(&disk, &request);
}

static int flush(void)
{
	struct svmrun_block_request request = {
		.operation = SVMRUN_BLOCK_FLUSH,
	};

	return disk_execute(&disk, &request);
}

START_TEST(reads)
{
	begin("");
	ck_assert_int_eq(read_at(SECTOR, 2 * SECTOR), 0);
	ck_assert_mem_eq(got, bytes + SECTOR, 2 * SECTOR);
	disk_close(&disk);
}

START_TEST(writes)
{
	begin("");
	memset(got, 0x5a, SECTOR);
	ck_assert_int_eq(write_at(2 * SECTOR, SECTOR, false), 0);
	ck_assert(disk.written);
	ck_assert_int_eq(flush(), 0);
	ck_assert(!disk.written);
	memset(bytes + 2 * SECTOR, 0x5a, SECTOR);
	ck_assert_int_eq(read_at(0, sizeof(got)), 0);
	ck_assert_mem_eq(got, bytes, sizeof(bytes));
	disk_close(&disk);
}

static bool sync_fails;
static unsigned int syncs;

int fdatasync(int fd)
{
	syncs++;
	if (!sync_fails)
		return syscall(SYS_fdatasync, fd);
	errno = EIO;
	return -1;
}

START_TEST(stable_writes_are_synced)
{
	begin("");
	ck_assert_int_eq(write_at(0, SECTOR, true), 0);
	ck_assert_uint_eq(syncs, 1);
	ck_assert(!disk.written);
	disk_close(&disk);
}

/* After an error, Linux takes the pages for written. */
START_TEST(failed_flush_fails_for_ever)
{
	begin("");
	sync_fails = true;
	ck_assert_int_eq(write_at(0, SECTOR, true), -EIO);
	sync_fails = false;
	ck_assert_int_eq(flush(), -EIO);
	ck_assert_int_eq(write_at(0, SECTOR, true), -EIO);
	ck_assert_int_eq(write_at(0, SECTOR, false), 0);
	ck_assert_int_eq(disk.flush_error, -EIO);
	disk_close(&disk);
}

/* ---- ranges --------------------------------------------------------------- */

static int allocate_error;

int fallocate(int fd, int mode, off_t offset, off_t size)
{
	if (!allocate_error)
		return syscall(SYS_fallocate, fd, mode, offset, size);
	errno = allocate_error;
	return -1;
}

static int change(enum svmrun_block_operation operation, bool may_unmap)
{
	struct svmrun_block_request request = {
		.operation = operation,
		.offset = SECTOR,
		.size = 2 * SECTOR,
		.may_unmap = may_unmap,
	};

	return disk_execute(&disk, &request);
}

static void expect_zeros(void)
{
	memset(bytes + SECTOR, 0, 2 * SECTOR);
	ck_assert_int_eq(pread(disk.fd, got, sizeof(got), 0), sizeof(got));
	ck_assert_mem_eq(got, bytes, sizeof(bytes));
	ck_assert(disk.written);
}

START_TEST(zeros_are_written)
{
	begin("");
	ck_assert_int_eq(change(SVMRUN_BLOCK_WRITE_ZEROES, _i), 0);
	expect_zeros();
	disk_close(&disk);
}

START_TEST(zeros_without_holes)
{
	begin("");
	allocate_error = EOPNOTSUPP;
	ck_assert_int_eq(change(SVMRUN_BLOCK_WRITE_ZEROES, _i), 0);
	expect_zeros();
	disk_close(&disk);
}

START_TEST(discarded_range_is_a_hole)
{
	begin("");
	ck_assert_int_eq(change(SVMRUN_BLOCK_DISCARD, false), 0);
	expect_zeros();
	disk_close(&disk);
}

/* Nothing needs to be done, so that nothing can fail. */
START_TEST(discard_may_do_nothing)
{
	begin("");
	allocate_error = EOPNOTSUPP;
	ck_assert_int_eq(change(SVMRUN_BLOCK_DISCARD, false), 0);
	ck_assert_int_eq(pread(disk.fd, got, sizeof(got), 0), sizeof(got));
	ck_assert_mem_eq(got, bytes, sizeof(bytes));
	allocate_error = EIO;
	ck_assert_int_eq(change(SVMRUN_BLOCK_DISCARD, false), -EIO);
	ck_assert_int_eq(change(SVMRUN_BLOCK_WRITE_ZEROES, false), -EIO);
	disk_close(&disk);
}

START_TEST(only_reads)
{
	begin(",ro");
	ck_assert(disk.read_only);
	ck_assert(disk.block.owner.read_only);
	ck_assert_int_eq(read_at(0, SECTOR), 0);
	disk_close(&disk);
}

static void expect_refusal(const char *suffix)
{
	struct disk other;

	strcpy(option, path);
	strcat(option, suffix);
	ck_assert_int_eq(disk_open(&other, option), STATUS_USAGE);
}

START_TEST(options)
{
	begin(",ro,format=raw");
	ck_assert(disk.read_only && disk.is_raw);
	disk_close(&disk);
	begin(",format=raw");
	ck_assert(!disk.read_only && disk.is_raw);
	ck_assert_str_eq(disk.name, path);
	disk_close(&disk);
	expect_refusal(",");
	expect_refusal(",r");
	expect_refusal(",rot");
	expect_refusal(",ro,");
	expect_refusal(",format=qcow2");
	expect_refusal(",,ro");
}

START_TEST(double_comma_is_part_of_the_name)
{
	char other[sizeof(path) + 8];

	strcpy(other, path);
	strcat(other, ",,ro,");
	rename(path, other);
	strcpy(option, path);
	strcat(option, ",,,,ro,,,ro");
	ck_assert_int_eq(disk_open(&disk, option), 0);
	ck_assert_str_eq(disk.name, other);
	ck_assert(disk.read_only);
	disk_close(&disk);
	unlink(other);
}

static void write_file(size_t offset, const char *text)
{
	int fd = open(path, O_WRONLY);

	ck_assert_int_eq(pwrite(fd, text, strlen(text), offset), strlen(text));
	close(fd);
}

START_TEST(other_formats_are_refused)
{
	static const struct {
		size_t offset;
		const char *bytes;
	} table[] = {
		{ 0, "QFI\xfb" },
		{ 0, "KDMV" },
		{ 0, "conectix" },
		{ 0, "vhdxfile" },
		{ 0x40, "\x7f\x10\xda\xbe" },
		{ 0, "# Disk DescriptorFile" },
		{ 0, "WithouFreSpacExt" },
	};

	write_file(table[_i].offset, table[_i].bytes);
	expect_refusal("");
	expect_refusal(",ro");
	strcat(strcpy(option, path), ",format=raw");
	ck_assert_int_eq(disk_open(&disk, option), 0);
	disk_close(&disk);
}

/* ---- locks ---------------------------------------------------------------- */

/* QEMU locks bytes from 100 on for what it does, from 200 on for what others must not do. */
static int qemu_lock(off_t offset)
{
	struct flock range = {
		.l_type = F_RDLCK,
		.l_start = offset,
		.l_len = 1,
	};
	int fd = open(path, O_RDWR);

	ck_assert_int_eq(fcntl(fd, F_OFD_SETLK, &range), 0);
	return fd;
}

/* Return whether QEMU would find no lock on the byte. */
static bool qemu_is_refused(off_t offset)
{
	struct flock range = {
		.l_type = F_WRLCK,
		.l_start = offset,
		.l_len = 1,
	};
	int fd = open(path, O_RDWR);

	ck_assert_int_eq(fcntl(fd, F_OFD_GETLK, &range), 0);
	close(fd);
	return range.l_type != F_UNLCK;
}

START_TEST(second_writer_is_refused)
{
	struct disk other;

	begin("");
	expect_refusal("");
	expect_refusal(",ro");
	disk_close(&disk);
	begin(",ro");
	expect_refusal("");
	strcat(strcpy(option, path), ",ro");
	ck_assert_int_eq(disk_open(&other, option), 0);
	disk_close(&other);
	disk_close(&disk);
}

START_TEST(locks_that_qemu_sees)
{
	begin("");
	ck_assert(qemu_is_refused(100));
	ck_assert(qemu_is_refused(101));
	ck_assert(!qemu_is_refused(103));
	ck_assert(!qemu_is_refused(200));
	ck_assert(qemu_is_refused(201));
	ck_assert(qemu_is_refused(203));
	disk_close(&disk);
	ck_assert(!qemu_is_refused(101));
	begin(",ro");
	ck_assert(qemu_is_refused(100));
	ck_assert(!qemu_is_refused(101));
	ck_assert(qemu_is_refused(201));
	disk_close(&disk);
}

START_TEST(locks_of_qemu)
{
	static const struct {
		off_t offset;
		bool refuses_write, refuses_read;
	} table[] = {
		{ 100, false, false }, { 101, true, true },
		{ 103, true, true },   { 200, true, true },
		{ 201, true, false },  { 203, false, false },
	};
	int fd = qemu_lock(table[_i].offset);
	struct disk other;

	ck_assert_int_eq(disk_open(&other, path),
			 table[_i].refuses_write ? STATUS_USAGE : 0);
	if (!table[_i].refuses_write)
		disk_close(&other);
	strcat(strcpy(option, path), ",ro");
	ck_assert_int_eq(disk_open(&other, option),
			 table[_i].refuses_read ? STATUS_USAGE : 0);
	close(fd);
}

/* Reading the file ends early, in the middle of a buffer. */
START_TEST(a_file_that_is_cut_off)
{
	begin("");
	ck_assert_int_eq(truncate(path, SECTOR + 256), 0);
	ck_assert_int_eq(read_at(0, 2 * SECTOR), -EIO);
	ck_assert_mem_eq(got, bytes, SECTOR + 256);
	ck_assert_int_eq(read_at(2 * SECTOR, SECTOR), -EIO);
	ck_assert_int_eq(read_at(0, SECTOR), 0);
	disk_close(&disk);
}

START_TEST(errors)
{
	begin("");
	disk_close(&disk);
	ck_assert_int_eq(read_at(0, SECTOR), -EBADF);
	ck_assert_int_eq(write_at(0, SECTOR, false), -EBADF);
	ck_assert_int_eq(flush(), -EBADF);
}

START_TEST(name)
{
	begin("");
	ck_assert_str_eq(disk.block.name, "svmrun-3");
	disk_close(&disk);
}

/* The end of the run is noticed between two pieces. */
START_TEST(large_requests_are_divided)
{
	size_t size = 2 * PIECE + SECTOR;
	uint8_t *large = calloc(1, size);
	struct svmrun_block_request request = {
		.operation = SVMRUN_BLOCK_WRITE,
		.size = size,
		.count = 2,
	};

	begin("");
	request.buffers[0] = (struct iovec){ large, PIECE / 2 };
	request.buffers[1] = (struct iovec){ large + PIECE / 2,
					     size - PIECE / 2 };
	calls = 0;
	ck_assert_int_eq(disk_execute(&disk, &request), 0);
	ck_assert_uint_eq(calls, 3);
	ck_assert_uint_eq(largest, PIECE);
	disk.abandoned = true;
	ck_assert_int_eq(write_at(0, SECTOR, false), -ECANCELED);
	ck_assert_int_eq(read_at(0, SECTOR), 0);
	disk.ending = true;
	ck_assert_int_eq(read_at(0, SECTOR), -ECANCELED);
	disk_close(&disk);
	free(large);
}

/* ---- the thread ----------------------------------------------------------- */

static void begin_thread(void)
{
	ram = guest_ram();
	begin("");
	virtio_drive(&disk.block.virtio, &ram);
	ck_assert_int_eq(disk_start(&disk), 0);
}

static void end_thread(void)
{
	disk_close(&disk);
	guest_ram_free(&ram);
}

static uint8_t *status_at(unsigned int number)
{
	return guest_ram_at(&ram, STATUS + 0x1000 * number, 1);
}

/* Submit request 0 or 1 of one sector. */
static void submit(unsigned int number, uint32_t type, uint64_t sector)
{
	uint64_t at = 0x1000 * number;
	uint8_t *header = guest_ram_at(&ram, HEADER + at, 16);
	uint16_t first = 3 * number;

	memset(header, 0, 16);
	memcpy(header, &type, 4);
	memcpy(header + 8, &sector, 8);
	*status_at(number) = NO_STATUS;
	virtio_describe(&ram, first, HEADER + at, 16, NEXT, first + 1);
	virtio_describe(&ram, first + 1, BUFFER + at, SECTOR,
			NEXT | (type == OUT ? 0 : WRITE), first + 2);
	virtio_describe(&ram, first + 2, STATUS + at, 1, WRITE, 0);
	pthread_mutex_lock(&lock);
	virtio_offer(&ram, first);
	virtio_set(&disk.block.virtio, REG_QUEUE_NOTIFY, 0);
	pthread_mutex_unlock(&lock);
}

static void wait_until_idle(void)
{
	pthread_mutex_lock(&lock);
	while (disk.block.in_flight)
		pthread_cond_wait(&disk.completed, &lock);
	pthread_mutex_unlock(&lock);
}

static void wait_for_call(void)
{
	while (!calls)
		usleep(1000);
}

static void hold_file(void)
{
	calls = 0;
	is_held = true;
}

START_TEST(thread_completes_requests)
{
	begin_thread();
	submit(0, IN, 1);
	submit(1, IN, SECTORS);
	wait_until_idle();
	ck_assert_uint_eq(*status_at(0), 0);
	ck_assert_uint_eq(*status_at(1), 1);
	ck_assert_mem_eq(guest_ram_at(&ram, BUFFER, SECTOR), bytes + SECTOR,
			 SECTOR);
	disk_end(&disk);
	ck_assert(disk_wait(&disk, clock_now() + 60 * NANOSECONDS));
	end_thread();
}

/* While the file does not answer, the lock is free, and no request completes. */
START_TEST(stuck_request_does_not_hold_the_lock)
{
	begin_thread();
	hold_file();
	submit(0, IN, 1);
	wait_for_call();
	pthread_mutex_lock(&lock);
	ck_assert_uint_eq(*status_at(0), NO_STATUS);
	ck_assert_uint_eq(disk.block.in_flight, 1);
	pthread_mutex_unlock(&lock);
	disk_end(&disk);
	ck_assert(!disk_wait(&disk, clock_now() + NANOSECONDS / 100));
	ck_assert(disk.abandoned);
	is_held = false;
	pthread_mutex_lock(&lock);
	while (!disk.ended)
		pthread_cond_wait(&disk.completed, &lock);
	pthread_mutex_unlock(&lock);
	ck_assert_uint_eq(virtio_used(&ram), 0);
	end_thread();
}

/* Writes in the queue are carried out; reads are cancelled. */
START_TEST(queued_writes_are_written_at_the_end)
{
	pthread_t release;

	begin_thread();
	hold_file();
	submit(0, IN, 1);
	wait_for_call();
	memset(guest_ram_at(&ram, BUFFER + 0x1000, SECTOR), 0x5a, SECTOR);
	submit(1, OUT, 2);
	disk_end(&disk);
	release = release_soon();
	ck_assert(disk_wait(&disk, clock_now() + 60 * NANOSECONDS));
	pthread_join(release, NULL);
	ck_assert(!disk.written);
	ck_assert_int_eq(disk.flush_error, 0);
	ck_assert_int_eq(pread(disk.fd, got, SECTOR, 2 * SECTOR), SECTOR);
	ck_assert_uint_eq(got[0], 0x5a);
	ck_assert_uint_eq(got[SECTOR - 1], 0x5a);
	end_thread();
}

START_TEST(reset_waits_for_requests)
{
	begin_thread();
	hold_file();
	submit(0, IN, 1);
	submit(1, IN, 2);
	wait_for_call();
	pthread_mutex_lock(&lock);
	ck_assert(!disk_reset(&disk));
	ck_assert(!disk_reset(&disk));
	ck_assert_uint_eq(wakes, 0);
	is_held = false;
	while (disk.block.in_flight)
		pthread_cond_wait(&disk.completed, &lock);
	ck_assert(disk_reset(&disk));
	ck_assert_uint_eq(wakes, 1);
	pthread_mutex_unlock(&lock);
	ck_assert_uint_eq(virtio_used(&ram), 0);
	ck_assert_uint_eq(*status_at(0), NO_STATUS);
	disk_end(&disk);
	ck_assert(disk_wait(&disk, clock_now() + 60 * NANOSECONDS));
	end_thread();
}

Suite *disk_suite(void)
{
	Suite *suite = suite_create("disk");
	TCase *tcase = tcase_create("disk");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, reads);
	tcase_add_test(tcase, writes);
	tcase_add_test(tcase, stable_writes_are_synced);
	tcase_add_test(tcase, failed_flush_fails_for_ever);
	tcase_add_loop_test(tcase, zeros_are_written, 0, 2);
	tcase_add_loop_test(tcase, zeros_without_holes, 0, 2);
	tcase_add_test(tcase, discarded_range_is_a_hole);
	tcase_add_test(tcase, discard_may_do_nothing);
	tcase_add_test(tcase, only_reads);
	tcase_add_test(tcase, options);
	tcase_add_test(tcase, double_comma_is_part_of_the_name);
	tcase_add_loop_test(tcase, other_formats_are_refused, 0, 7);
	tcase_add_test(tcase, second_writer_is_refused);
	tcase_add_test(tcase, locks_that_qemu_sees);
	tcase_add_loop_test(tcase, locks_of_qemu, 0, 6);
	tcase_add_test(tcase, a_file_that_is_cut_off);
	tcase_add_test(tcase, errors);
	tcase_add_test(tcase, name);
	tcase_add_test(tcase, large_requests_are_divided);
	tcase_add_test(tcase, thread_completes_requests);
	tcase_add_test(tcase, stuck_request_does_not_hold_the_lock);
	tcase_add_test(tcase, queued_writes_are_written_at_the_end);
	tcase_add_test(tcase, reset_waits_for_requests);
	suite_add_tcase(suite, tcase);
	return suite;
}
