// SPDX-License-Identifier: LGPL-2.1-or-later
#include "machine_check.h"

#define MSR_CAP 0x00000179
#define MSR_STATUS 0x0000017a
#define MSR_CONTROL 0x0000017b
#define MSR_BANKS 0x00000400

#define CAP_CONTROL (1ull << 8) /* MCG_CTL is present */
#define STATUS_BITS 7ull
#define BANK_STATUS 1 /* number of MCi_STATUS in its bank */

static bool is_bank(uint32_t msr)
{
	return msr - MSR_BANKS < MACHINE_CHECK_BANKS * MACHINE_CHECK_REGISTERS;
}

bool machine_check_has(uint32_t msr)
{
	return msr == MSR_CAP || msr == MSR_STATUS || msr == MSR_CONTROL ||
	       is_bank(msr);
}

bool machine_check_read(const struct machine_check *check, uint32_t msr,
			uint64_t *value)
{
	if (msr == MSR_CAP)
		*value = MACHINE_CHECK_BANKS | CAP_CONTROL;
	else if (msr == MSR_STATUS)
		*value = check->status;
	else if (msr == MSR_CONTROL)
		*value = check->control;
	else if (is_bank(msr))
		*value = check->banks[msr - MSR_BANKS];
	else
		return false;
	return true;
}

static bool write_bank(struct machine_check *check, unsigned int index,
		       uint64_t value, bool status_writable)
{
	if (index % MACHINE_CHECK_REGISTERS == BANK_STATUS && value &&
	    !status_writable)
		return false;
	check->banks[index] = value;
	return true;
}

bool machine_check_write(struct machine_check *check, uint32_t msr,
			 uint64_t value, bool status_writable)
{
	if (is_bank(msr))
		return write_bank(check, msr - MSR_BANKS, value,
				  status_writable);
	if (msr == MSR_STATUS && !(value & ~STATUS_BITS))
		check->status = value;
	else if (msr == MSR_CONTROL)
		check->control = value;
	else
		return false;
	return true;
}
