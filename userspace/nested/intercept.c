// SPDX-License-Identifier: LGPL-2.1-or-later
/* Which exits of L2 L1 intercepts (APM 15.7 to 15.13) */
#include "nested.h"

/* Ports, and bits for each MSR, in the permission maps (APM 15.10.1, 15.11) */
#define MSR_RANGE 0x2000
#define MSR_EXTENDED 0xc0000000
#define MSR_SHARED 0xc0010000

bool nested_intercepts_code(const struct svmrun_nested *nested,
			    uint64_t exitcode)
{
	const uint32_t *intercept = nested->control.intercept;

	return exitcode / 32 < 6 &&
	       (intercept[exitcode / 32] >> (exitcode % 32) & 1);
}

/* The processor ignores the lowest bits of the address (APM 15.10.1). NULL: all ones */
static const uint8_t *permission_map(const struct svmrun_nested *nested,
				     uint64_t gpa, size_t size)
{
	return nested_memory(nested, gpa & ~(PAGE_SIZE - 1), size);
}

const uint8_t *nested_msrpm(const struct svmrun_nested *nested)
{
	return permission_map(nested, nested->control.msrpm_base_pa,
			      MSRPM_SIZE);
}

/* An access to several ports exits if one of their bits is set (APM 15.10.1). */
static bool intercepts_port(const struct svmrun_nested *nested)
{
	uint64_t info = nested->current->vmcb->control.exitinfo1;
	unsigned int size = info >> 4 & 7, port = info >> SVM_IOIO_PORT_SHIFT;
	const uint8_t *iopm = permission_map(nested,
					     nested->control.iopm_base_pa,
					     IOPM_SIZE);
	unsigned int i;

	if (!iopm)
		return true;
	for (i = port & 0xffff; i < (port & 0xffff) + size; i++)
		if (iopm[i / 8] >> (i % 8) & 1)
			return true;
	return false;
}

/* MSRs outside of the three ranges always exit (APM 15.11). */
static bool intercepts_msr(const struct svmrun_nested *nested)
{
	bool write = nested->current->vmcb->control.exitinfo1 & 1;
	uint32_t msr = nested->current->regs->rcx;
	const uint8_t *msrpm = nested_msrpm(nested);
	size_t bit;

	if (!msrpm)
		return true;
	if (msr < MSR_RANGE)
		bit = 0;
	else if (msr - MSR_EXTENDED < MSR_RANGE)
		bit = MSR_RANGE * 2;
	else if (msr - MSR_SHARED < MSR_RANGE)
		bit = MSR_RANGE * 4;
	else
		return true;
	bit += msr % MSR_RANGE * 2 + write;
	return msrpm[bit / 8] >> (bit % 8) & 1;
}

/*
 * The vCPU intercepts more than L1. A write to CR0 that L1 intercepts in general may have
 * exited as a selective one.
 */
bool nested_intercepts(const struct svmrun_nested *nested, uint64_t *exitcode)
{
	switch (*exitcode) {
	case VMEXIT_NPF:
		return false;
	case VMEXIT_INVALID:
		return true;
	case VMEXIT_IOIO:
		return nested_intercepts_code(nested, *exitcode) &&
		       intercepts_port(nested);
	case VMEXIT_MSR:
		return nested_intercepts_code(nested, *exitcode) &&
		       intercepts_msr(nested);
	case VMEXIT_CR0_SEL_WRITE:
		if (nested_intercepts_code(nested, VMEXIT_CR_WRITE(0)))
			*exitcode = VMEXIT_CR_WRITE(0);
		return nested_intercepts_code(nested, *exitcode) ||
		       nested_intercepts_code(nested, VMEXIT_CR0_SEL_WRITE);
	default:
		return nested_intercepts_code(nested, *exitcode);
	}
}
