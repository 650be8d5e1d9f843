// SPDX-License-Identifier: LGPL-2.1-or-later
/* PCI configuration mechanism #1, for a bus without devices */
#include <stdbool.h>

#include <svmrun/pci.h>

#define ADDRESS_BITS 0x80fffffc /* enable, bus, device, function, register */

/* Narrower accesses address other devices at the same ports. */
static bool is_address(unsigned int offset, unsigned int size)
{
	return offset == 0 && size == 4;
}

uint32_t svmrun_pci_read(const struct svmrun_pci *pci, unsigned int offset,
			 unsigned int size)
{
	if (is_address(offset, size))
		return pci->address;
	return UINT32_MAX >> (32 - 8 * size);
}

void svmrun_pci_write(struct svmrun_pci *pci, unsigned int offset,
		      unsigned int size, uint32_t value)
{
	if (is_address(offset, size))
		pci->address = value & ADDRESS_BITS;
}
