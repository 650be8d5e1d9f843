/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory type range registers (APM 7.7). The nested page table determines how the guest's
 * memory is cached, so their values have no effect.
 */
#ifndef MTRR_H
#define MTRR_H

#include <stdbool.h>
#include <stdint.h>

#define MTRR_VARIABLE 8
#define MTRR_FIXED 11

/**
 * struct mtrr - the registers of one processor
 * @variable: base and mask of each range
 * @fixed: types of the memory below 1 MiB
 * @default_type: MTRRdefType
 */
struct mtrr {
	uint64_t variable[2 * MTRR_VARIABLE];
	uint64_t fixed[MTRR_FIXED];
	uint64_t default_type;
};

/*
 * Set the values that firmware leaves: only device addresses are uncached.
 * @address_bits: width of physical addresses
 */
void mtrr_init(struct mtrr *mtrr, unsigned int address_bits);

/* Return whether the MSR belongs to the MTRRs. */
bool mtrr_has(uint32_t msr);

/*
 * Read and write a register. Return false if the access raises #GP.
 * @address_bits: as for mtrr_init()
 * @extended: SYSCFG.MtrrFixDramModEn: RdMem and WrMem can be written (APM 7.9.1)
 */
bool mtrr_read(const struct mtrr *mtrr, uint32_t msr, uint64_t *value);
bool mtrr_write(struct mtrr *mtrr, uint32_t msr, uint64_t value,
		unsigned int address_bits, bool extended);

#endif /* MTRR_H */
