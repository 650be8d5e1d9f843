// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stddef.h>

#include "mtrr.h"

#define MSR_CAP 0x000000fe
#define MSR_VARIABLE 0x00000200
#define MSR_DEFAULT_TYPE 0x000002ff

#define CAP_FIXED (1ull << 8)
#define CAP_WRITE_COMBINING (1ull << 10)

#define TYPE_UNCACHED 0x00
#define TYPE_COMBINED 0x01
#define TYPE_THROUGH 0x04
#define TYPE_PROTECTED 0x05
#define TYPE_BACK 0x06
#define TYPE_EXTENSION 0x18 /* RdMem, WrMem */

#define TYPES_8(type) (0x0101010101010101ull * (type))

#define DEFAULT_TYPE_BITS 0x00000cffull
#define DEFAULT_ENABLE (1ull << 11)
#define DEFAULT_FIXED_ENABLE (1ull << 10)
#define MASK_VALID (1ull << 11)
#define BASE_TYPE_BITS 0xffull
#define PAGE_BITS 12

/* Addresses of devices end at 4 GiB. */
#define DEVICES 0xc0000000ull
#define DEVICES_SIZE 0x40000000ull

static const uint32_t fixed_msrs[MTRR_FIXED] = {
	0x250, /* 0, 64 KiB per range */
	0x258, 0x259, /* 0x80000 and 0xa0000, 16 KiB */
	0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f, /* 4 KiB */
};

#define FIXED_VIDEO 2 /* index of 0xa0000 */
#define FIXED_ROM 3 /* index of 0xc0000 */

void mtrr_init(struct mtrr *mtrr, unsigned int address_bits)
{
	uint64_t addresses = (1ull << address_bits) - 1;
	unsigned int i;

	*mtrr = (struct mtrr){
		.default_type = DEFAULT_ENABLE | DEFAULT_FIXED_ENABLE |
				TYPE_BACK,
		.variable = { DEVICES | TYPE_UNCACHED,
			      (addresses & ~(DEVICES_SIZE - 1)) | MASK_VALID },
	};
	for (i = 0; i < MTRR_FIXED; i++)
		mtrr->fixed[i] = TYPES_8(i < FIXED_ROM ? TYPE_BACK :
							 TYPE_PROTECTED);
	mtrr->fixed[FIXED_VIDEO] = TYPES_8(TYPE_UNCACHED);
}

static size_t fixed_index(uint32_t msr)
{
	size_t i = 0;

	while (i < MTRR_FIXED && fixed_msrs[i] != msr)
		i++;
	return i;
}

static bool is_variable(uint32_t msr)
{
	return msr - MSR_VARIABLE < 2 * MTRR_VARIABLE;
}

bool mtrr_has(uint32_t msr)
{
	return msr == MSR_CAP || msr == MSR_DEFAULT_TYPE || is_variable(msr) ||
	       fixed_index(msr) < MTRR_FIXED;
}

bool mtrr_read(const struct mtrr *mtrr, uint32_t msr, uint64_t *value)
{
	size_t fixed = fixed_index(msr);

	if (msr == MSR_CAP)
		*value = MTRR_VARIABLE | CAP_FIXED | CAP_WRITE_COMBINING;
	else if (msr == MSR_DEFAULT_TYPE)
		*value = mtrr->default_type;
	else if (is_variable(msr))
		*value = mtrr->variable[msr - MSR_VARIABLE];
	else if (fixed < MTRR_FIXED)
		*value = mtrr->fixed[fixed];
	else
		return false;
	return true;
}

static bool is_type(uint64_t type)
{
	return type == TYPE_UNCACHED || type == TYPE_COMBINED ||
	       type == TYPE_THROUGH || type == TYPE_PROTECTED ||
	       type == TYPE_BACK;
}

static bool are_types(uint64_t value, bool extended)
{
	unsigned int i, type;

	for (i = 0; i < 8; i++) {
		type = (value >> (8 * i)) & 0xff;
		if (extended)
			type &= ~TYPE_EXTENSION;
		if (!is_type(type))
			return false;
	}
	return true;
}

static bool write_variable(struct mtrr *mtrr, unsigned int index,
			   uint64_t value, unsigned int address_bits)
{
	uint64_t address = value >> PAGE_BITS << PAGE_BITS;
	uint64_t low = value - address;
	bool is_mask = index & 1;

	if (address >> address_bits ||
	    (is_mask ? low & ~MASK_VALID : !is_type(low)))
		return false;
	mtrr->variable[index] = value;
	return true;
}

static bool write_default_type(struct mtrr *mtrr, uint64_t value)
{
	if ((value & ~DEFAULT_TYPE_BITS) || !is_type(value & BASE_TYPE_BITS))
		return false;
	mtrr->default_type = value;
	return true;
}

bool mtrr_write(struct mtrr *mtrr, uint32_t msr, uint64_t value,
		unsigned int address_bits, bool extended)
{
	size_t fixed = fixed_index(msr);

	if (msr == MSR_DEFAULT_TYPE)
		return write_default_type(mtrr, value);
	if (is_variable(msr))
		return write_variable(mtrr, msr - MSR_VARIABLE, value,
				      address_bits);
	if (fixed == MTRR_FIXED || !are_types(value, extended))
		return false;
	mtrr->fixed[fixed] = value;
	return true;
}
