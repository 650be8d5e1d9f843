/* SPDX-License-Identifier: GPL-2.0 */
/* Features of SVM: CPUID Fn8000_000A EDX (APM volume 3), with the manual's names */
#ifndef FEATURE_H
#define FEATURE_H

#define FEATURE_NRIPS (1u << 3)

/* Return the name of a bit, NULL if it has none. */
const char *feature_name(unsigned int bit);

#endif /* FEATURE_H */
