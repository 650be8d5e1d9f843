// SPDX-License-Identifier: GPL-2.0
/* Firmware images: their size, and the copy of their end below 1 MiB. */
#include <errno.h>

#include <svmrun/firmware.h>

#include "guest_ram.h"
#include "suites.h"

#define KIB 1024ul

START_TEST(sizes_that_end_at_4_gib)
{
	ck_assert_int_eq(svmrun_firmware_check(4 * KIB), 0);
	ck_assert_int_eq(svmrun_firmware_check(192 * KIB), 0);
	ck_assert_int_eq(svmrun_firmware_check(SVMRUN_FIRMWARE_MAX), 0);
	ck_assert_int_eq(svmrun_firmware_check(0), -ENODATA);
	ck_assert_int_eq(svmrun_firmware_check(4 * KIB + 1), -EINVAL);
	ck_assert_int_eq(svmrun_firmware_check(4 * KIB - 1), -EINVAL);
	ck_assert_int_eq(svmrun_firmware_check(SVMRUN_FIRMWARE_MAX + 1),
			 -EFBIG);
	ck_assert_int_eq(svmrun_firmware_check(SIZE_MAX), -EFBIG);
}

static uint8_t *image_of(size_t size)
{
	uint8_t *image = malloc(size);
	size_t i;

	ck_assert_ptr_nonnull(image);
	for (i = 0; i < size; i++)
		image[i] = i / KIB;
	return image;
}

/* The last @copied bytes of the image are copied to the end of the first MiB. */
static void check_copy(size_t size, size_t copied)
{
	struct svmrun_memory ram = guest_ram();
	uint8_t *image = image_of(size);
	uint64_t to = (1 << 20) - copied;

	ck_assert_int_eq(svmrun_firmware_copy(&ram, image, size), 0);
	ck_assert_mem_eq(guest_ram_at(&ram, to, copied), image + size - copied,
			 copied);
	ck_assert(guest_ram_is_rubbish(&ram, 0, to));
	ck_assert(guest_ram_is_rubbish(&ram, 1 << 20, 1 << 20));
	free(image);
	guest_ram_free(&ram);
}

START_TEST(end_is_below_1_mib_too)
{
	check_copy(512 * KIB, 256 * KIB);
	check_copy(260 * KIB, 256 * KIB);
	check_copy(256 * KIB, 256 * KIB);
	check_copy(128 * KIB, 128 * KIB);
	check_copy(64 * KIB, 64 * KIB);
	check_copy(4 * KIB, 4 * KIB);
}

START_TEST(nothing_else_is_copied)
{
	struct svmrun_memory ram = guest_ram();
	struct svmrun_memory small = ram;
	uint8_t *image = image_of(8 * KIB);

	small.size = (1 << 20) - 4096;
	ck_assert_int_eq(svmrun_firmware_copy(&small, image, 8 * KIB), -ERANGE);
	ck_assert_int_eq(svmrun_firmware_copy(&ram, image, 8 * KIB - 1),
			 -EINVAL);
	ck_assert_int_eq(svmrun_firmware_copy(&ram, image, 0), -ENODATA);
	ck_assert(guest_ram_is_rubbish(&ram, 0, ram.size));
	free(image);
	guest_ram_free(&ram);
}

static const TTest **const tests[] = {
	&sizes_that_end_at_4_gib,
	&end_is_below_1_mib_too,
	&nothing_else_is_copied,
};

Suite *firmware_suite(void)
{
	return suite_of("firmware", tests, ARRAY_SIZE(tests));
}
