/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * PCI configuration space by ports (mechanism #1 of PCI 3.0, 3.2.2.3). The only function
 * is a host bridge.
 */
#ifndef SVMRUN_PCI_H
#define SVMRUN_PCI_H

#include <stdint.h>

#include <svmrun/state.h>

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
 * Return: the value of CONFIG_ADDRESS, if all of it is read; for CONFIG_DATA, the
 * configuration space of the host bridge; otherwise all ones, because no other function
 * answers.
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

/**
 * svmrun_pci_save() - write the state of a bridge to a record
 * @pci: the bridge
 * @state: the records
 *
 * Return: 0 or a negative errno, see svmrun_state_end().
 */
int svmrun_pci_save(const struct svmrun_pci *pci, struct svmrun_state *state);

/**
 * svmrun_pci_load() - read the state of a bridge from a record
 * @pci: the initialized bridge; after an error, it must be initialized again
 * @state: the records
 *
 * Return: 0 or a negative errno; -EINVAL: this is no such state; -EOPNOTSUPP: it is of
 * another version.
 */
int svmrun_pci_load(struct svmrun_pci *pci, struct svmrun_state *state);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_PCI_H */
