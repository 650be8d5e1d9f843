/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * MSRs that AMD processors have without a feature bit in CPUID, so that guests access them
 * without asking: configuration, memory map, performance counters. Their values have no
 * effect, and performance counters do not count.
 */
#ifndef MODEL_MSR_H
#define MODEL_MSR_H

#include <stdbool.h>
#include <stdint.h>

#define MODEL_MSR_KEPT 32

#define MODEL_MSR_SYSCFG 0xc0010010
#define SYSCFG_FIXED_EXTENSION (1ull << 19) /* MtrrFixDramModEn */
#define MODEL_MSR_HWCR 0xc0010015
#define HWCR_STATUS_WRITABLE (1ull << 18) /* McStatusWrEn */

/**
 * struct model_msrs - the registers of one processor
 * @patch_level: PATCH_LEVEL, the revision of the microcode
 * @kept: values that the guest can write
 */
struct model_msrs {
	uint64_t patch_level;
	uint64_t kept[MODEL_MSR_KEPT];
};

/*
 * Set the values that firmware leaves.
 * @low: end of memory below 4 GiB
 * @high: end of memory above, or 0
 */
void model_msr_init(struct model_msrs *msrs, uint64_t low, uint64_t high);

/* Return whether the processor has the MSR. */
bool model_msr_has(uint32_t msr);

/* Read and write an MSR. Return false if the access raises #GP. */
bool model_msr_read(const struct model_msrs *msrs, uint32_t msr,
		    uint64_t *value);
bool model_msr_write(struct model_msrs *msrs, uint32_t msr, uint64_t value);

#endif /* MODEL_MSR_H */
