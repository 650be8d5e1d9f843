/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Results of the guest's CPUID (APM volume 3, appendix E) */
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
 * enum hypervisor - interfaces of a hypervisor that the guest finds by CPUID
 * @HYPERVISOR_KVM: those of @HYPERVISOR_SVMRUN, and KVM's clock at 40000100
 * @HYPERVISOR_SVMRUN: the name at 40000000, the frequencies at 40000010
 * @HYPERVISOR_NONE: none
 */
enum hypervisor { HYPERVISOR_KVM, HYPERVISOR_SVMRUN, HYPERVISOR_NONE };

/**
 * struct cpuid_override - a leaf that --cpuid changes
 * @leaf: EAX
 * @subleaf: ECX
 * @given: one bit per register that is changed: EAX, EBX, ECX, EDX from bit 0 on
 * @answer: their values
 */
struct cpuid_override {
	uint32_t leaf;
	uint32_t subleaf;
	unsigned int given;
	struct cpuid answer;
};

/**
 * struct cpuid_guest - state that the results depend on
 * @host: returns the host's result
 * @minimal: only features of every 64-bit processor
 * @hypervisor: interfaces of a hypervisor that the guest finds
 * @tsc_khz: frequency of the TSC; 0 if it is not a clock to rely on
 * @svm: adds SVM to the result of a leaf, with @svm_owner as its first argument; NULL if
 *	the guest has no SVM
 * @svm_owner: see @svm
 * @overrides: leaves that the user changes
 * @override_count: how many
 * @id: the processor's number, which is its APIC ID
 * @cpus: number of processors of the guest
 * @cr4: the guest's CR4
 * @cr4_offered: bits of CR4 that the module allows
 * @efer_offered: bits of EFER that the guest may set
 * @xcr0: the guest's XCR0
 * @xcr0_offered: bits of XCR0 that the module allows
 * @has_apic: its local APIC is enabled in APIC_BASE
 * @gpa_bits: width of guest physical addresses
 */
struct cpuid_guest {
	struct cpuid (*host)(uint32_t leaf, uint32_t subleaf);
	bool minimal;
	enum hypervisor hypervisor;
	uint32_t tsc_khz;
	void (*svm)(const void *owner, uint32_t leaf, struct cpuid *c);
	const void *svm_owner;
	const struct cpuid_override *overrides;
	size_t override_count;
	uint32_t id;
	uint32_t cpus;
	uint64_t cr4;
	uint64_t cr4_offered;
	uint64_t efer_offered;
	uint64_t xcr0;
	uint64_t xcr0_offered;
	bool has_apic;
	uint32_t gpa_bits;
};

struct cpuid cpuid_host(uint32_t leaf, uint32_t subleaf);
struct cpuid cpuid_answer(const struct cpuid_guest *guest, uint32_t leaf,
			  uint32_t subleaf);

#endif /* CPUID_H */
