/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The features of the processor that a guest has found by CPUID. A machine can be resumed
 * only where all of them exist.
 */
#ifndef HOST_FEATURES_H
#define HOST_FEATURES_H

#include <stdint.h>

#define HOST_FEATURES 12

struct machine;

/**
 * struct host_features - features that the machine's guest finds
 * @words: registers of CPUID, of which each bit is a feature
 */
struct host_features {
	uint32_t words[HOST_FEATURES];
};

/* Find the features of a machine whose processors exist. */
void host_features_find(const struct machine *machine,
			struct host_features *features);

/* Return the first word with features that @has does not have, or -1. */
int host_features_missing(const struct host_features *wanted,
			  const struct host_features *has);

/* Return the name of a word: the leaf and the register. */
const char *host_features_name(int word);

#endif /* HOST_FEATURES_H */
