// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sys/random.h>

#include <svmrun/pc.h>

#include "rng.h"

_Static_assert(SVMRUN_RNG_BYTES <= 256,
	       "getrandom() is neither interrupted nor partial up to 256 bytes");

int rng_fill(void *buffer, size_t size)
{
	return getrandom(buffer, size, 0) < 0 ? -errno : 0;
}

static int fill_for_guest(void *owner, void *buffer, size_t size)
{
	return rng_fill(buffer, size);
}

void rng_init(struct svmrun_rng *rng, const struct svmrun_memory *memories,
	      size_t memory_count)
{
	const struct svmrun_rng_owner owner = { .fill = fill_for_guest };

	svmrun_rng_init(rng, &owner, memories, memory_count);
}
