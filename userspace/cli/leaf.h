/* SPDX-License-Identifier: GPL-2.0 */
/* What the guest's CPUID says (APM volume 3, appendix E). */
#ifndef LEAF_H
#define LEAF_H

#include <stdint.h>

struct cpuid {
	uint32_t eax;
	uint32_t ebx;
	uint32_t ecx;
	uint32_t edx;
};

/**
 * struct cpuid_guest - what the answers depend on
 * @host: gives the host's answer
 * @cr4: of the guest
 * @xcr0: of the guest
 * @xcr0_offered: what it may have
 * @gpa_bits: width of its physical addresses
 */
struct cpuid_guest {
	struct cpuid (*host)(uint32_t leaf, uint32_t subleaf);
	uint64_t cr4;
	uint64_t xcr0;
	uint64_t xcr0_offered;
	uint32_t gpa_bits;
};

struct cpuid cpuid_host(uint32_t leaf, uint32_t subleaf);
struct cpuid cpuid_answer(const struct cpuid_guest *guest, uint32_t leaf,
			  uint32_t subleaf);

#endif /* LEAF_H */
