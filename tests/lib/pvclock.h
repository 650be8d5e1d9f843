/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KVM's clock as a guest sees it (Linux, Documentation/virt/kvm/x86/msr.rst), independent of the
 * code under test
 */
#ifndef PVCLOCK_H
#define PVCLOCK_H

#include <stdint.h>

#define PVCLOCK_WALL_CLOCK 0x4b564d00 /* MSRs */
#define PVCLOCK_SYSTEM_TIME 0x4b564d01
#define PVCLOCK_ENABLED 1

struct pvclock_page {
	uint32_t version;
	uint32_t padding;
	uint64_t tsc;
	uint64_t time;
	uint32_t multiplier;
	int8_t shift;
	uint8_t flags;
	uint8_t reserved[2];
};

struct pvclock_wall {
	uint32_t version;
	uint32_t seconds;
	uint32_t nanoseconds;
};

/* Convert ticks as a guest does. */
static inline uint64_t pvclock_nanoseconds(uint64_t ticks, uint32_t multiplier,
					   int8_t shift)
{
	ticks = shift < 0 ? ticks >> -shift : ticks << shift;
	return (__uint128_t)ticks * multiplier >> 32;
}

#endif /* PVCLOCK_H */
