/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_PROCESSOR_H
#define SVMRUN_PROCESSOR_H

#include <linux/types.h>

/* Guests' TSC ticks as the host's does (APM 15.30.5) */
#define PROCESSOR_TSC_RATIO_1 (1ull << 32)

struct asid_pool;
struct svmrun_info;

int processor_init(void);
void processor_exit(void);

int processor_get(void);
void processor_put(void);

bool processor_enabled(void);
void processor_set_tsc_ratio(u64 ratio);
struct asid_pool *processor_asids(void);
u32 processor_features(void);
u32 processor_gpa_bits(void);
u32 processor_npt_levels(void);
u32 processor_npt_page_levels(void);
void processor_info(struct svmrun_info *info);

#endif /* SVMRUN_PROCESSOR_H */
