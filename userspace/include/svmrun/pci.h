/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PCI configuration mechanism #1 (PCI 3.0, 3.2.2.3), for a bus without devices */
#ifndef SVMRUN_PCI_H
#define SVMRUN_PCI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_PCI_PORT	 0xcf8
#define SVMRUN_PCI_PORTS 8

/**
 * struct svmrun_pci - the host bridge's two registers
 * @address: CONFIG_ADDRESS
 * @reserved: zero
 */
struct svmrun_pci {
	uint32_t address;
	uint64_t reserved[2];
};

/**
 * svmrun_pci_read() - read a register
 * @pci: the bridge, initialized with zeros
 * @offset: offset of the port from SVMRUN_PCI_PORT
 * @size: bytes: 1, 2 or 4
 *
 * Return: CONFIG_ADDRESS if all four bytes of it are read; otherwise all ones, because
 * there is no device.
 */
uint32_t svmrun_pci_read(const struct svmrun_pci *pci, unsigned int offset,
			 unsigned int size);

/**
 * svmrun_pci_write() - write a register
 * @pci: the bridge
 * @offset: offset of the port from SVMRUN_PCI_PORT
 * @size: bytes: 1, 2 or 4
 * @value: the value
 */
void svmrun_pci_write(struct svmrun_pci *pci, unsigned int offset,
		      unsigned int size, uint32_t value);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_PCI_H */
