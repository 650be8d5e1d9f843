// SPDX-License-Identifier: GPL-2.0
/*
 * QEMU's firmware configuration device: items, files and their directory, and accesses to
 * its two ports.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <svmrun/fwcfg.h>

#include "suites.h"
#include "xorshift.h"

enum { SELECT, DATA };

#define SIGNATURE 0x00
#define ID 0x01
#define MEMORY 0x03
#define CPUS 0x05
#define MAX_CPUS 0x0f
#define DIRECTORY 0x19
#define FILES 0x20

static struct svmrun_fwcfg fwcfg;

static void start(void)
{
	memset(&fwcfg, 0xff, sizeof(fwcfg));
	svmrun_fwcfg_init(&fwcfg);
}

static void choose(uint16_t key)
{
	svmrun_fwcfg_write(&fwcfg, SELECT, 2, key);
}

static uint8_t next(void)
{
	return svmrun_fwcfg_read(&fwcfg, DATA, 1);
}

static void next_are(const void *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ck_assert_uint_eq(next(), ((const uint8_t *)bytes)[i]);
}

static void end_is_here(void)
{
	for (unsigned int i = 0; i < 100; i++)
		ck_assert_uint_eq(next(), 0);
}

/* An item consists of these bytes; zeros follow. */
static void expect(uint16_t key, const void *bytes, size_t count)
{
	choose(key);
	next_are(bytes, count);
	end_is_here();
}

START_TEST(signature_and_id)
{
	start();
	next_are("QEMU", 4); /* the signature is selected at reset */
	expect(SIGNATURE, "QEMU", 4);
	expect(ID, "\1\0\0\0", 4);
}

START_TEST(selecting_begins_anew)
{
	start();
	choose(SIGNATURE);
	next_are("QE", 2);
	choose(SIGNATURE);
	next_are("QEMU", 4);
}

START_TEST(processors_and_memory)
{
	start();
	svmrun_fwcfg_set_cpus(&fwcfg, 0x0103);
	svmrun_fwcfg_set_memory(&fwcfg, 0x123456789abcdef0);
	expect(CPUS, "\x03\x01", 2);
	expect(MAX_CPUS, "\x03\x01", 2);
	expect(MEMORY, "\xf0\xde\xbc\x9a\x78\x56\x34\x12", 8);
}

START_TEST(items)
{
	start();
	ck_assert_int_eq(svmrun_fwcfg_add(&fwcfg, 0x0002, "uuid", 4), 0);
	ck_assert_int_eq(svmrun_fwcfg_add(&fwcfg, 0x8001, "arch", 4), 0);
	expect(0x0002, "uuid", 4);
	expect(0x8001, "arch", 4);
	expect(0x0001, "\1", 1);
	expect(0x4002, "uuid", 4); /* the bit for writing is ignored */
	expect(0x0004, "", 0);
	expect(0xffff, "", 0);
}

START_TEST(keys_that_cannot_be_added)
{
	static const uint16_t taken[] = {
		SIGNATURE, ID, MEMORY, CPUS, MAX_CPUS, DIRECTORY, 0x0002, 0x8001
	};
	static const uint16_t invalid[] = { FILES, FILES + 7, 0x4002, 0xc002 };

	start();
	ck_assert_int_eq(svmrun_fwcfg_add(&fwcfg, 0x0002, "", 0), 0);
	ck_assert_int_eq(svmrun_fwcfg_add(&fwcfg, 0x8001, NULL, 0), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(taken); i++)
		ck_assert_int_eq(svmrun_fwcfg_add(&fwcfg, taken[i], "x", 1),
				 -EEXIST);
	for (unsigned int i = 0; i < ARRAY_SIZE(invalid); i++)
		ck_assert_int_eq(svmrun_fwcfg_add(&fwcfg, invalid[i], "x", 1),
				 -EINVAL);
	ck_assert_int_eq(svmrun_fwcfg_add(&fwcfg, FILES + 8, "x", 1), 0);
}

START_TEST(no_room_for_items)
{
	start();
	for (unsigned int i = 0; i < SVMRUN_FWCFG_ITEMS; i++)
		ck_assert_int_eq(svmrun_fwcfg_add(&fwcfg, 0x100 + i, "x", 1),
				 0);
	ck_assert_int_eq(svmrun_fwcfg_add(&fwcfg, 0x200, "x", 1), -ENOSPC);
	ck_assert_int_eq(svmrun_fwcfg_add_file(&fwcfg, "f", "x", 1), -ENOSPC);
	expect(DIRECTORY, "\0\0\0\0", 4);
	expect(FILES, "", 0);
}

START_TEST(no_files)
{
	start();
	expect(DIRECTORY, "\0\0\0\0", 4);
}

/* The directory is big-endian, unlike everything else. */
START_TEST(files)
{
	static const char big[0x0304];
	char name[SVMRUN_FWCFG_NAME] = "etc/e820";

	start();
	ck_assert_int_eq(svmrun_fwcfg_add(&fwcfg, 0x0002, "uuid", 4), 0);
	ck_assert_int_eq(svmrun_fwcfg_add_file(&fwcfg, name, "e820!", 5), 0);
	ck_assert_int_eq(svmrun_fwcfg_add_file(&fwcfg, "big", big, sizeof(big)),
			 0);
	expect(FILES, "e820!", 5);
	choose(DIRECTORY);
	next_are("\0\0\0\2", 4);
	next_are("\0\0\0\5\0\x20\0\0", 8);
	next_are(name, sizeof(name));
	memset(name, 0, sizeof(name));
	strcpy(name, "big");
	next_are("\0\0\3\4\0\x21\0\0", 8);
	next_are(name, sizeof(name));
	end_is_here();
}

START_TEST(bytes_are_not_copied)
{
	char bytes[] = "before";

	start();
	ck_assert_int_eq(svmrun_fwcfg_add_file(&fwcfg, "f", bytes, 6), 0);
	strcpy(bytes, "after!");
	expect(FILES, "after!", 6);
}

START_TEST(files_that_cannot_be_added)
{
	char name[SVMRUN_FWCFG_NAME + 1];

	start();
	memset(name, 'n', sizeof(name));
	name[SVMRUN_FWCFG_NAME] = '\0';
	ck_assert_int_eq(svmrun_fwcfg_add_file(&fwcfg, name, "x", 1),
			 -ENAMETOOLONG);
	name[SVMRUN_FWCFG_NAME - 1] = '\0';
	ck_assert_int_eq(svmrun_fwcfg_add_file(&fwcfg, name, "x", 1), 0);
	ck_assert_int_eq(svmrun_fwcfg_add_file(&fwcfg, name, "y", 1), -EEXIST);
	ck_assert_int_eq(svmrun_fwcfg_add_file(&fwcfg, "f", "x", 1ull << 32),
			 -EFBIG);
	for (unsigned int i = 1; i < SVMRUN_FWCFG_FILES; i++) {
		snprintf(name, sizeof(name), "%u", i);
		ck_assert_int_eq(svmrun_fwcfg_add_file(&fwcfg, name, "x", 1),
				 0);
	}
	ck_assert_int_eq(svmrun_fwcfg_add_file(&fwcfg, "f", "x", 1), -ENOSPC);
	expect(FILES + SVMRUN_FWCFG_FILES - 1, "x", 1);
	expect(FILES + SVMRUN_FWCFG_FILES, "", 0);
}

START_TEST(accesses_that_are_none)
{
	start();
	choose(SIGNATURE);
	svmrun_fwcfg_write(&fwcfg, SELECT, 1, ID);
	svmrun_fwcfg_write(&fwcfg, SELECT, 4, ID);
	svmrun_fwcfg_write(&fwcfg, DATA, 2, ID);
	svmrun_fwcfg_write(&fwcfg, DATA, 1, 'x');
	ck_assert_uint_eq(svmrun_fwcfg_read(&fwcfg, SELECT, 1), 0xff);
	ck_assert_uint_eq(svmrun_fwcfg_read(&fwcfg, SELECT, 2), 0xffff);
	next_are("Q", 1);
	ck_assert_uint_eq(svmrun_fwcfg_read(&fwcfg, DATA, 2), 0xff00 | 'E');
	ck_assert_uint_eq(svmrun_fwcfg_read(&fwcfg, DATA, 4), 0xffffff00 | 'M');
	next_are("U", 1);
}

static uint32_t do_anything(uint64_t random)
{
	static const unsigned int sizes[] = { 1, 2, 2, 4 };
	unsigned int offset = random >> 8 & 1, size = sizes[random & 3];
	uint16_t key = random >> 32 & (random & 0x10 ? 0x3f : 0xffff);

	if (random & 0x1e0)
		return svmrun_fwcfg_read(&fwcfg, DATA, size);
	if (random & 0x10)
		choose(key);
	else
		svmrun_fwcfg_write(&fwcfg, offset, size, key);
	return svmrun_fwcfg_read(&fwcfg, SELECT, size);
}

/* Reading a file returns a byte of the file, or 0 after its end. */
START_TEST(ten_million_accesses)
{
	static const uint8_t bytes[] = { 0xa5, 0xa5, 0xa5, 0xa5, 0xa5 };
	uint64_t state = xorshift_seed(1);
	unsigned int seen = 0;

	start();
	for (unsigned int i = 0; i < SVMRUN_FWCFG_FILES; i++) {
		char name[2] = { 'a' + i, 0 };

		svmrun_fwcfg_add_file(&fwcfg, name, bytes, sizeof(bytes));
	}
	for (unsigned int i = 0; i < 10000000; i++) {
		unsigned int file = fwcfg.key - FILES;
		uint8_t value;

		do_anything(xorshift(&state));
		if (file >= SVMRUN_FWCFG_FILES || fwcfg.key != FILES + file)
			continue;
		value = next();
		if (value && value != bytes[0])
			ck_abort_msg("%#x is not in the file", value);
		seen += value != 0;
	}
	ck_assert_uint_gt(seen, 50000);
}

static const TTest **const tests[] = {
	&signature_and_id,
	&selecting_begins_anew,
	&processors_and_memory,
	&items,
	&keys_that_cannot_be_added,
	&no_room_for_items,
	&no_files,
	&files,
	&bytes_are_not_copied,
	&files_that_cannot_be_added,
	&accesses_that_are_none,
	&ten_million_accesses,
};

Suite *fwcfg_suite(void)
{
	return suite_of("fwcfg", tests, ARRAY_SIZE(tests));
}
