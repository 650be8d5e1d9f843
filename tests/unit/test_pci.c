// SPDX-License-Identifier: GPL-2.0
/* The configuration ports of a PCI bus with only a host bridge: 0cf8h, 0cfch */
#include <svmrun/pci.h>

#include "suites.h"

START_TEST(address_reads_as_written)
{
	struct svmrun_pci pci = { 0 };

	svmrun_pci_write(&pci, 0, 4, 0x80fffffc);
	ck_assert_uint_eq(svmrun_pci_read(&pci, 0, 4), 0x80fffffc);
	svmrun_pci_write(&pci, 0, 4, 0xffffffff);
	ck_assert_uint_eq(svmrun_pci_read(&pci, 0, 4), 0x80fffffc);
}

/* Firmware and kernels look for the class of a host bridge. */
START_TEST(host_bridge_answers)
{
	struct svmrun_pci pci = { .address = 0x80000000 };

	ck_assert_uint_eq(svmrun_pci_read(&pci, 4, 4), 0x00081b36);
	ck_assert_uint_eq(svmrun_pci_read(&pci, 6, 2), 0x0008);
	svmrun_pci_write(&pci, 0, 4, 0x80000008);
	ck_assert_uint_eq(svmrun_pci_read(&pci, 6, 2), 0x0600);
	ck_assert_uint_eq(svmrun_pci_read(&pci, 7, 1), 0x06);
	svmrun_pci_write(&pci, 0, 4, 0x80000010);
	ck_assert_uint_eq(svmrun_pci_read(&pci, 4, 4), 0);
	svmrun_pci_write(&pci, 0, 4, 0x00000000);
	ck_assert_uint_eq(svmrun_pci_read(&pci, 4, 4), 0xffffffff);
}

/* Another function, another device */
START_TEST(absent_devices_read_as_ones)
{
	struct svmrun_pci pci = { .address = 0x80000800 };

	ck_assert_uint_eq(svmrun_pci_read(&pci, 4, 4), 0xffffffff);
	ck_assert_uint_eq(svmrun_pci_read(&pci, 6, 2), 0xffff);
	ck_assert_uint_eq(svmrun_pci_read(&pci, 7, 1), 0xff);
}

START_TEST(part_of_the_address_is_another_register)
{
	struct svmrun_pci pci = { .address = 0x80000000 };

	svmrun_pci_write(&pci, 1, 1, 0x0e);
	svmrun_pci_write(&pci, 0, 2, 0x1234);
	ck_assert_uint_eq(pci.address, 0x80000000);
	ck_assert_uint_eq(svmrun_pci_read(&pci, 1, 1), 0xff);
}

static const TTest **const tests[] = {
	&address_reads_as_written,
	&host_bridge_answers,
	&absent_devices_read_as_ones,
	&part_of_the_address_is_another_register,
};

Suite *pci_suite(void)
{
	return suite_of("pci", tests, ARRAY_SIZE(tests));
}
