// SPDX-License-Identifier: GPL-2.0
/*
 * The rules for objects, descriptors and sizes at the beginning of svmrun.h: a negative
 * errno may be passed as a descriptor, and zeroed or failed objects can be destroyed.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <svmrun.h>

#include "suites.h"

#define CANARY 0xa5

START_TEST(version_is_the_headers)
{
	ck_assert_uint_eq(svmrun_version(), SVMRUN_VERSION);
	ck_assert_uint_eq(SVMRUN_VERSION_NUMBER(1, 2, 3), 0x010203);
}

START_TEST(descriptor_that_is_an_error_is_returned)
{
	struct svmrun_vm_info vm_info;
	struct svmrun_info info;
	struct svmrun_vm vm;

	ck_assert_int_eq(svmrun_device_info(-ENOENT, &info, sizeof(info)),
			 -ENOENT);
	ck_assert_int_eq(svmrun_vm_create(&vm,
					  svmrun_device_open("/nonexistent")),
			 -ENOENT);
	ck_assert_int_eq(svmrun_vm_create(&vm, -1), -EBADF);
	ck_assert_int_eq(svmrun_vm_info(&vm, &vm_info, sizeof(vm_info)),
			 -EBADF);
}

START_TEST(info_is_no_larger_than_its_size)
{
	struct {
		struct svmrun_info info;
		uint8_t canary[8];
	} mine;
	uint8_t *bytes = (uint8_t *)&mine;

	for (size_t size = 0; size <= sizeof(mine.info); size++) {
		memset(&mine, CANARY, sizeof(mine));
		ck_assert_int_eq(svmrun_device_info(-ENOENT, &mine.info, size),
				 size < sizeof(mine.info.size) ? -EINVAL :
								 -ENOENT);
		for (size_t i = size; i < sizeof(mine); i++)
			ck_assert_uint_eq(bytes[i], CANARY);
		if (size >= sizeof(mine.info.size))
			ck_assert_uint_eq(mine.info.size, size);
		for (size_t i = sizeof(mine.info.size); i < size; i++)
			ck_assert_uint_eq(bytes[i], 0);
	}
}

/* Destroying a zeroed object must not close descriptor 0. */
static bool zero_is_open(void)
{
	return fcntl(0, F_GETFD) != -1;
}

START_TEST(zeros_can_be_destroyed)
{
	struct svmrun_snapshot snapshot = { 0 };
	struct svmrun_memory memory = { 0 };
	struct svmrun_clone clone = { 0 };
	struct svmrun_vcpu vcpu = { 0 };
	struct svmrun_vm vm = { 0 };

	if (!zero_is_open())
		ck_assert_int_eq(open("/dev/null", O_RDONLY), 0);
	svmrun_snapshot_destroy(&snapshot);
	svmrun_memory_destroy(&memory);
	svmrun_clone_destroy(&clone);
	svmrun_vcpu_destroy(&vcpu);
	svmrun_vm_destroy(&vm);
	ck_assert(zero_is_open());
}

START_TEST(failed_objects_can_be_destroyed)
{
	struct svmrun_snapshot snapshot;
	struct svmrun_memory memory;
	struct svmrun_clone clone;
	struct svmrun_vcpu vcpu;
	struct svmrun_vm vm;

	if (!zero_is_open())
		ck_assert_int_eq(open("/dev/null", O_RDONLY), 0);
	memset(&vm, CANARY, sizeof(vm));
	memset(&vcpu, CANARY, sizeof(vcpu));
	memset(&clone, CANARY, sizeof(clone));
	memset(&memory, CANARY, sizeof(memory));
	memset(&snapshot, CANARY, sizeof(snapshot));
	ck_assert_int_eq(svmrun_vm_create(&vm, -ENOENT), -ENOENT);
	ck_assert_int_eq(svmrun_vcpu_create(&vcpu, &vm), -EBADF);
	ck_assert_int_eq(svmrun_memory_create(&memory, &vm, 0, 4096), -EBADF);
	ck_assert_int_eq(svmrun_snapshot_take(&snapshot, &memory, 0, &vcpu, 0),
			 -EINVAL);
	ck_assert_int_eq(svmrun_clone(&clone, &snapshot, -ENOENT), -ENOENT);
	for (int again = 0; again < 2; again++) {
		svmrun_clone_destroy(&clone);
		svmrun_snapshot_destroy(&snapshot);
		svmrun_memory_destroy(&memory);
		svmrun_vcpu_destroy(&vcpu);
		svmrun_vm_destroy(&vm);
	}
	ck_assert(zero_is_open());
}

static const TTest **const tests[] = {
	&version_is_the_headers,
	&descriptor_that_is_an_error_is_returned,
	&info_is_no_larger_than_its_size,
	&zeros_can_be_destroyed,
	&failed_objects_can_be_destroyed,
};

Suite *device_suite(void)
{
	return suite_of("device", tests, ARRAY_SIZE(tests));
}
