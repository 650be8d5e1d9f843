/* SPDX-License-Identifier: GPL-2.0 */
/* Random numbers for the guest: --rng on or off */
#ifndef RNG_H
#define RNG_H

#include <stddef.h>

#include <svmrun/rng.h>

/* Initialise the device. @memories: the guest's memory, which it writes */
void rng_init(struct svmrun_rng *rng, const struct svmrun_memory *memories,
	      size_t memory_count);

/* Fill a buffer of up to SVMRUN_RNG_BYTES with random bytes. Return 0 or a negative errno. */
int rng_fill(void *buffer, size_t size);

#endif /* RNG_H */
