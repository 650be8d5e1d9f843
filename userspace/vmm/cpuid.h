/* SPDX-License-Identifier: GPL-2.0 */
/* What the guest's CPUID says (APM volume 3, appendix E). */
#ifndef CPUID_H
#define CPUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cpuid {
	uint32_t eax;
	uint32_t ebx;
	uint32_t ecx;
	uint32_t edx;
};

/**
 * struct cpuid_override - what --cpuid says of a leaf
 * @leaf: EAX
 * @subleaf: ECX
 * @given: a bit a register of the answer, EAX's the lowest
 * @answer: the registers that are given
 */
struct cpuid_override {
	uint32_t leaf;
	uint32_t subleaf;
	unsigned int given;
	struct cpuid answer;
};

/**
 * struct cpuid_guest - what the answers depend on
 * @host: gives the host's answer
 * @minimal: what every 64-bit processor has, and no more
 * @overrides: what the user wants instead
 * @override_count: how many
 * @id: the processor's number, which is its APIC ID
 * @cpus: how many the guest has
 * @cr4: of the guest
 * @cr4_offered: bits that it may have
 * @efer_offered: bits that EFER may have
 * @xcr0: of the guest
 * @xcr0_offered: what it may have
 * @gpa_bits: width of its physical addresses
 */
struct cpuid_guest {
	struct cpuid (*host)(uint32_t leaf, uint32_t subleaf);
	bool minimal;
	const struct cpuid_override *overrides;
	size_t override_count;
	uint32_t id;
	uint32_t cpus;
	uint64_t cr4;
	uint64_t cr4_offered;
	uint64_t efer_offered;
	uint64_t xcr0;
	uint64_t xcr0_offered;
	uint32_t gpa_bits;
};

struct cpuid cpuid_host(uint32_t leaf, uint32_t subleaf);
struct cpuid cpuid_answer(const struct cpuid_guest *guest, uint32_t leaf,
			  uint32_t subleaf);

#endif /* CPUID_H */
