/* SPDX-License-Identifier: GPL-2.0 */
/* CPUID Fn8000_000A EDX: SVM's features by the manual's names (APM volume 3). */
#ifndef FEATURE_H
#define FEATURE_H

#define FEATURE_NRIPS (1u << 3)

/* Of bit 0 to 31, or NULL. */
const char *feature_name(unsigned int bit);

#endif /* FEATURE_H */
