// SPDX-License-Identifier: LGPL-2.1-or-later
#include "breakpoint.h"

#define REGISTERS 4
#define DR7_ENABLES(n) (3ull << 2 * (n)) /* local and global */
#define DR7_CONDITION(dr7, n) ((dr7) >> (16 + 4 * (n)) & 3)
#define DR7_LENGTH(dr7, n) ((dr7) >> (18 + 4 * (n)) & 3)

/* R/W bits; the one of I/O is reserved unless CR4.DE is set. */
enum { CONDITION_WRITE = 1, CONDITION_IO = 2, CONDITION_ACCESS = 3 };

static bool matches(const struct svmrun_vcpu *vcpu, unsigned int number,
		    uint64_t address, unsigned int size)
{
	static const uint8_t sizes[] = { 1, 2, 8, 4 };
	unsigned int length = sizes[DR7_LENGTH(vcpu->vmcb->save.dr7, number)];
	uint64_t first = vcpu->regs->dr[number] & -(uint64_t)length;

	return address < first + length && first < address + size;
}

static uint64_t find_hits(const struct svmrun_vcpu *vcpu,
			  unsigned int conditions, uint64_t address,
			  unsigned int size)
{
	uint64_t dr7 = vcpu->vmcb->save.dr7, hits = 0;
	unsigned int i;

	for (i = 0; i < REGISTERS; i++)
		if ((dr7 & DR7_ENABLES(i)) &&
		    (conditions >> DR7_CONDITION(dr7, i) & 1) &&
		    matches(vcpu, i, address, size))
			hits |= 1u << i;
	return hits;
}

uint64_t breakpoint_data(const struct svmrun_vcpu *vcpu, uint64_t linear,
			 unsigned int size, bool write)
{
	unsigned int conditions = 1 << CONDITION_ACCESS;

	if (write)
		conditions |= 1 << CONDITION_WRITE;
	return find_hits(vcpu, conditions, linear, size);
}

uint64_t breakpoint_io(const struct svmrun_vcpu *vcpu, uint16_t port,
		       unsigned int size)
{
	if (!(vcpu->vmcb->save.cr4 & SVM_CR4_DE))
		return 0;
	return find_hits(vcpu, 1 << CONDITION_IO, port, size);
}
