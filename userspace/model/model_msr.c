// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stddef.h>
#include <stdio.h>

#include "lib/array_size.h"
#include "model_msr.h"

#define MSR_PATCH_LEVEL 0x0000008b
#define MSR_TOP_MEM 0xc001001a
#define MSR_TOP_MEM2 0xc001001d

#define ANY UINT64_MAX

/* Memory is assigned in units of 8 MiB (APM 7.9.4). */
#define TOP_MEM_UNIT (8ull << 20)
#define TOP_MEM_BITS 0x000fffffff800000ull

#define SYSCFG_BITS (0x1full << 18) /* those of MTRRs and TOP_MEM2 */
#define SYSCFG_VARIABLE (1ull << 20) /* MtrrVarDramEn */
#define SYSCFG_TOP_MEM2 (3ull << 21) /* MtrrTom2En, Tom2ForceMemTypeWB */
#define HWCR_BITS 0xffffffffull
#define HWCR_TSC_FREQUENCY (1ull << 24) /* the TSC counts at the P0 frequency */
#define DE_CFG_LFENCE (1ull << 1) /* LFENCE is serializing */
#define MISC_ENABLE_INITIAL 0x1801ull /* fast strings; no BTS, no PEBS */

/* Revision of the microcode if the host does not show its own */
#define PATCH_LEVEL_DEFAULT 0x01000065

enum writes { DISCARDED, KEPT };

/* A write of other bits than @bits is #GP. */
static const struct model_msr {
	uint32_t first;
	uint32_t last;
	enum writes writes;
	uint64_t bits;
	uint64_t initial;
} model_msrs[] = {
	/* MISC_ENABLE */
	{ 0x000001a0, 0x000001a0, KEPT, ANY, MISC_ENABLE_INITIAL },
	{ MODEL_MSR_SYSCFG, MODEL_MSR_SYSCFG, KEPT, SYSCFG_BITS,
	  SYSCFG_VARIABLE },
	{ MODEL_MSR_HWCR, MODEL_MSR_HWCR, KEPT, HWCR_BITS, HWCR_TSC_FREQUENCY },
	/* IORR_BASE and IORR_MASK */
	{ 0xc0010016, 0xc0010019, KEPT, ANY, 0 },
	{ MSR_TOP_MEM, MSR_TOP_MEM, KEPT, TOP_MEM_BITS, 0 },
	{ MSR_TOP_MEM2, MSR_TOP_MEM2, KEPT, TOP_MEM_BITS, 0 },
	/* NB_CFG */
	{ 0xc001001f, 0xc001001f, KEPT, ANY, 0 },
	/* LS_CFG, IC_CFG, DC_CFG, BU_CFG; FP_CFG; DE_CFG; BU_CFG2 to LS_CFG2 */
	{ 0xc0011020, 0xc0011023, KEPT, ANY, 0 },
	{ 0xc0011028, 0xc0011028, KEPT, ANY, 0 },
	{ 0xc0011029, 0xc0011029, KEPT, ANY, DE_CFG_LFENCE },
	{ 0xc001102a, 0xc001102d, KEPT, ANY, 0 },
	/* PATCH_LEVEL, PATCH_LOADER */
	{ MSR_PATCH_LEVEL, MSR_PATCH_LEVEL, DISCARDED, ANY, 0 },
	{ 0xc0010020, 0xc0010020, DISCARDED, ANY, 0 },
	/* DEBUGCTL; LastBranchFromIP to LastExceptionToIP */
	{ 0x000001d9, 0x000001d9, DISCARDED, ANY, 0 },
	{ 0x000001db, 0x000001de, DISCARDED, ANY, 0 },
	/* PERF_CTL and PERF_CTR, of family 6 and of family 15h */
	{ 0xc0010000, 0xc0010007, DISCARDED, ANY, 0 },
	{ 0xc0010200, 0xc001020b, DISCARDED, ANY, 0 },
	/* INT_PENDING_MSG; MMIO_CFG_BASE; SMM_BASE, SMM_ADDR, SMM_MASK */
	{ 0xc0010055, 0xc0010055, DISCARDED, ANY, 0 },
	{ 0xc0010058, 0xc0010058, DISCARDED, ANY, 0 },
	{ 0xc0010111, 0xc0010113, DISCARDED, ANY, 0 },
};

/* Find an MSR, and the place of its value if writes are kept. */
static const struct model_msr *find_model_msr(uint32_t msr, size_t *place)
{
	const struct model_msr *found;
	size_t i;

	*place = 0;
	for (i = 0; i < ARRAY_SIZE(model_msrs); i++) {
		found = &model_msrs[i];
		if (msr >= found->first && msr <= found->last) {
			*place += msr - found->first;
			return found;
		}
		if (found->writes == KEPT)
			*place += found->last - found->first + 1;
	}
	return NULL;
}

/* Linux shows the revision in each processor's paragraph of /proc/cpuinfo. */
static uint64_t read_patch_level(void)
{
	unsigned int level = PATCH_LEVEL_DEFAULT;
	FILE *file = fopen("/proc/cpuinfo", "r");
	char line[256];

	if (!file)
		return level;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "microcode : %x", &level) == 1)
			break;
	fclose(file);
	return level;
}

/* Read the file once, before the run: a reset must not depend on it. */
static uint64_t host_patch_level(void)
{
	static uint64_t level;
	static bool is_read;

	if (!is_read)
		level = read_patch_level();
	is_read = true;
	return level;
}

static void set_kept(struct model_msrs *msrs, uint32_t msr, uint64_t value)
{
	size_t place;

	if (find_model_msr(msr, &place))
		msrs->kept[place] = value;
}

static uint64_t round_up(uint64_t end)
{
	return (end + TOP_MEM_UNIT - 1) & ~(TOP_MEM_UNIT - 1);
}

void model_msr_init(struct model_msrs *msrs, uint64_t low, uint64_t high)
{
	const struct model_msr *msr;
	uint32_t i;

	*msrs = (struct model_msrs){ .patch_level = host_patch_level() };
	for (msr = model_msrs; msr < model_msrs + ARRAY_SIZE(model_msrs); msr++)
		for (i = msr->first; msr->writes == KEPT && i <= msr->last; i++)
			set_kept(msrs, i, msr->initial);
	set_kept(msrs, MSR_TOP_MEM, round_up(low));
	if (!high)
		return;
	set_kept(msrs, MSR_TOP_MEM2, round_up(high));
	set_kept(msrs, MODEL_MSR_SYSCFG, SYSCFG_VARIABLE | SYSCFG_TOP_MEM2);
}

bool model_msr_has(uint32_t msr)
{
	size_t place;

	return find_model_msr(msr, &place);
}

bool model_msr_read(const struct model_msrs *msrs, uint32_t msr,
		    uint64_t *value)
{
	const struct model_msr *found;
	size_t place;

	found = find_model_msr(msr, &place);
	if (!found)
		return false;
	if (msr == MSR_PATCH_LEVEL)
		*value = msrs->patch_level;
	else
		*value = found->writes == KEPT ? msrs->kept[place] :
						 found->initial;
	return true;
}

bool model_msr_write(struct model_msrs *msrs, uint32_t msr, uint64_t value)
{
	const struct model_msr *found;
	size_t place;

	found = find_model_msr(msr, &place);
	if (!found || (value & ~found->bits))
		return false;
	if (found->writes == KEPT)
		msrs->kept[place] = value;
	return true;
}
