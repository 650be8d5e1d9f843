// SPDX-License-Identifier: GPL-2.0
/*
 * A program that was built with older headers and runs with the library of today, which
 * must not write behind the program's structs, and must fill in the members that it has.
 */
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "fake_device.h"
#include "older/svmrun.h"
#include "suites.h"

#define PAGE 4096
#define CANARY 0xa5

/* Room for @size bytes at the end of a page; the next one cannot be accessed. */
static void *allocate_guarded(size_t size)
{
	uint8_t *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(pages, MAP_FAILED);
	ck_assert_int_eq(mprotect(pages + PAGE, PAGE, PROT_NONE), 0);
	memset(pages, CANARY, PAGE);
	return pages + PAGE - size;
}

/* Nothing in front of the struct was written either; then free it. */
static void free_guarded(void *at, size_t size)
{
	uint8_t *pages = (uint8_t *)at + size - PAGE;

	for (size_t i = 0; i < PAGE - size; i++)
		ck_assert_uint_eq(pages[i], CANARY);
	munmap(pages, 2 * PAGE);
}

START_TEST(device_info_fills_in_an_older_struct)
{
	struct svmrun_info *info = allocate_guarded(sizeof(*info));

	ck_assert_int_eq(svmrun_device_info(FAKE_DEVICE, info, sizeof(*info)),
			 0);
	ck_assert_uint_eq(info->size, sizeof(*info));
	ck_assert_uint_eq(info->out_api_version, FAKE_API_VERSION);
	ck_assert_uint_eq(info->out_vcpu_size, FAKE_VCPU_SIZE);
	ck_assert_uint_eq(info->out_max_regions, 0x01010101u * FAKE_BYTE);
	free_guarded(info, sizeof(*info));
}

START_TEST(vm_info_fills_in_an_older_struct)
{
	struct svmrun_vm_info *info = allocate_guarded(sizeof(*info));
	struct svmrun_vm *vm = allocate_guarded(sizeof(*vm));

	ck_assert_int_eq(svmrun_vm_create(vm, FAKE_DEVICE), 0);
	ck_assert_int_eq(svmrun_vm_info(vm, info, sizeof(*info)), 0);
	ck_assert_uint_eq(info->size, sizeof(*info));
	ck_assert_uint_eq(info->out_vcpus, 0x01010101u * FAKE_BYTE);
	ck_assert_uint_eq(info->out_regions, 0x01010101u * FAKE_BYTE);
	svmrun_vm_destroy(vm);
	free_guarded(info, sizeof(*info));
	free_guarded(vm, sizeof(*vm));
}

START_TEST(objects_are_no_larger_than_in_an_older_header)
{
	struct svmrun_vcpu *vcpu = allocate_guarded(sizeof(*vcpu));
	struct svmrun_vm *vm = allocate_guarded(sizeof(*vm));

	ck_assert_int_eq(svmrun_vm_create(vm, FAKE_DEVICE), 0);
	ck_assert_int_eq(vm->fd, FAKE_VM);
	ck_assert_uint_eq(vm->vcpu_size, FAKE_VCPU_SIZE);
	ck_assert_int_eq(svmrun_vcpu_create(vcpu, vm), 0);
	ck_assert_uint_eq(vcpu->size, FAKE_VCPU_SIZE);
	ck_assert_uint_eq(vcpu->xsave_size, FAKE_XSAVE_SIZE);
	ck_assert_ptr_nonnull(vcpu->xsave);
	svmrun_vcpu_destroy(vcpu);
	svmrun_vm_destroy(vm);
	free_guarded(vcpu, sizeof(*vcpu));
	free_guarded(vm, sizeof(*vm));
}

/* The library reads no more of the program's struct either. */
START_TEST(processor_is_identified_by_an_older_struct)
{
	struct svmrun_processor *cpu = allocate_guarded(sizeof(*cpu));
	struct svmrun_info *info = allocate_guarded(sizeof(*info));

	ck_assert_int_eq(svmrun_device_info(FAKE_DEVICE, info, sizeof(*info)),
			 0);
	svmrun_processor_identify(cpu, info);
	ck_assert_uint_eq(cpu->svm_features, info->out_svm_features);
	ck_assert_uint_eq(cpu->xcr0, info->out_xcr0);
	free_guarded(info, sizeof(*info));
	free_guarded(cpu, sizeof(*cpu));
}

static const TTest **const tests[] = {
	&device_info_fills_in_an_older_struct,
	&vm_info_fills_in_an_older_struct,
	&objects_are_no_larger_than_in_an_older_header,
	&processor_is_identified_by_an_older_struct,
};

Suite *older_program_suite(void)
{
	return suite_of("older_program", tests, ARRAY_SIZE(tests));
}
