// SPDX-License-Identifier: GPL-2.0
/*
 * The tool's disk: options, reading and writing its file at any offset and with several
 * buffers, and errors.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "suites.h"
#include "vmm/disk.h"

#define SECTOR SVMRUN_BLOCK_SECTOR
#define SECTORS 4

static char path[32];
static char option[sizeof(path) + 3];
static struct disk disk;
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

static void begin(const char *suffix)
{
	strcpy(option, path);
	strcat(option, suffix);
	ck_assert_int_eq(disk_open(&disk, option), 0);
	ck_assert_uint_eq(disk.sectors, SECTORS);
	disk_init(&disk, 3, NULL, 0);
}

/* Read @size bytes into three buffers. */
static int read_at(uint64_t offset, size_t size)
{
	struct iovec parts[] = {
		{ got, 100 },
		{ got + 100, 1 },
		{ got + 101, size - 101 },
	};
	const struct svmrun_block_owner *owner = &disk.block.owner;

	return owner->read(owner->owner, parts, 3, offset);
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
	struct iovec part = { got, SECTOR };
	const struct svmrun_block_owner *owner = &disk.block.owner;

	begin("");
	memset(got, 0x5a, SECTOR);
	ck_assert_int_eq(owner->write(owner->owner, &part, 1, 2 * SECTOR), 0);
	ck_assert_int_eq(owner->flush(owner->owner), 0);
	memset(bytes + 2 * SECTOR, 0x5a, SECTOR);
	ck_assert_int_eq(read_at(0, sizeof(got)), 0);
	ck_assert_mem_eq(got, bytes, sizeof(bytes));
	disk_close(&disk);
}

START_TEST(only_reads)
{
	begin(",ro");
	ck_assert(disk.read_only);
	ck_assert(!disk.block.owner.write);
	ck_assert_int_eq(read_at(0, SECTOR), 0);
	disk_close(&disk);
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
	struct iovec part = { got, SECTOR };
	const struct svmrun_block_owner *owner = &disk.block.owner;

	begin("");
	disk_close(&disk);
	ck_assert_int_eq(read_at(0, SECTOR), -EBADF);
	ck_assert_int_eq(owner->write(owner->owner, &part, 1, 0), -EBADF);
	ck_assert_int_eq(owner->flush(owner->owner), -EBADF);
}

START_TEST(name)
{
	begin("");
	ck_assert_str_eq(disk.block.name, "svmrun-3");
	disk_close(&disk);
}

Suite *disk_suite(void)
{
	Suite *suite = suite_create("disk");
	TCase *tcase = tcase_create("disk");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, reads);
	tcase_add_test(tcase, writes);
	tcase_add_test(tcase, only_reads);
	tcase_add_test(tcase, a_file_that_is_cut_off);
	tcase_add_test(tcase, errors);
	tcase_add_test(tcase, name);
	suite_add_tcase(suite, tcase);
	return suite;
}
