// SPDX-License-Identifier: LGPL-2.1-or-later
/* PCI configuration mechanism #1, for a bus without devices */
#include <stdbool.h>

#include <svmrun/pci.h>

#include "lib/array_size.h"

#define ADDRESS_ENABLE 0x80000000
#define ADDRESS_REGISTER 0xfc
#define ADDRESS_BITS 0x80fffffc /* enable, bus, device, function, register */

#define DATA_OFFSET 4 /* CONFIG_DATA */

/*
 * Function 0 of device 0 on bus 0 is a host bridge without registers of its own; some
 * kernels use this mechanism only if they find one. Its IDs are those of a generic bridge,
 * for which no firmware has code.
 */
#define BRIDGE_IDS 0x00081b36 /* device, vendor */
#define BRIDGE_CLASS 0x06000000 /* host bridge, no interface, revision 0 */
#define REGISTER_IDS 0x00
#define REGISTER_CLASS 0x08
#define REGISTERS 0x100

/* Return 4 bytes of configuration space. No function answers at other addresses. */
static uint32_t read_config(uint32_t address)
{
	if (!(address & ADDRESS_ENABLE) ||
	    (address & ~ADDRESS_ENABLE) >= REGISTERS)
		return UINT32_MAX;
	switch (address & ADDRESS_REGISTER) {
	case REGISTER_IDS:
		return BRIDGE_IDS;
	case REGISTER_CLASS:
		return BRIDGE_CLASS;
	default:
		return 0;
	}
}

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
	if (offset < DATA_OFFSET)
		return UINT32_MAX >> (32 - 8 * size);
	return read_config(pci->address) >> (8 * (offset - DATA_OFFSET)) &
	       UINT32_MAX >> (32 - 8 * size);
}

void svmrun_pci_write(struct svmrun_pci *pci, unsigned int offset,
		      unsigned int size, uint32_t value)
{
	if (is_address(offset, size))
		pci->address = value & ADDRESS_BITS;
}

/* ---- state --------------------------------------------------------------- */

#define STATE_VERSION 1

static const struct svmrun_state_member pci_members[] = {
	SVMRUN_STATE_MEMBER(struct svmrun_pci, address),
};

int svmrun_pci_save(const struct svmrun_pci *pci, struct svmrun_state *state)
{
	svmrun_state_begin(state, SVMRUN_STATE_PCI, STATE_VERSION);
	svmrun_state_put_members(state, pci, pci_members,
				 ARRAY_SIZE(pci_members));
	return svmrun_state_end(state);
}

int svmrun_pci_load(struct svmrun_pci *pci, struct svmrun_state *state)
{
	svmrun_state_open(state, SVMRUN_STATE_PCI, STATE_VERSION);
	svmrun_state_get_members(state, pci, pci_members,
				 ARRAY_SIZE(pci_members));
	return svmrun_state_close(state, true);
}
