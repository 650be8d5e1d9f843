/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Machine-check registers (APM 9.3). Machine checks are handled by the host, so no error is
 * ever logged here.
 */
#ifndef MACHINE_CHECK_H
#define MACHINE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#define MACHINE_CHECK_BANKS 6
#define MACHINE_CHECK_REGISTERS 4 /* of a bank: CTL, STATUS, ADDR, MISC */

/**
 * struct machine_check - the registers of one processor
 * @status: MCG_STATUS
 * @control: MCG_CTL
 * @banks: CTL, STATUS, ADDR and MISC of each bank
 */
struct machine_check {
	uint64_t status;
	uint64_t control;
	uint64_t banks[MACHINE_CHECK_BANKS * MACHINE_CHECK_REGISTERS];
};

/* Return whether the MSR belongs to these registers. */
bool machine_check_has(uint32_t msr);

/*
 * Read and write a register. Return false if the access raises #GP.
 * @status_writable: HWCR.McStatusWrEn: MCi_STATUS can be set (APM 9.3.2.2)
 */
bool machine_check_read(const struct machine_check *check, uint32_t msr,
			uint64_t *value);
bool machine_check_write(struct machine_check *check, uint32_t msr,
			 uint64_t value, bool status_writable);

#endif /* MACHINE_CHECK_H */
