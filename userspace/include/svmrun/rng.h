/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A source of random bytes: the virtio entropy device (Virtual I/O Device 1.2, 5.4).
 * Requests are carried out during the guest's notification.
 */
#ifndef SVMRUN_RNG_H
#define SVMRUN_RNG_H

#include <svmrun/virtio.h>
#include <svmrun/state.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_RNG_BYTES 256 /* that a request gets at most */

/**
 * struct svmrun_rng_owner - the function that provides random bytes
 * @fill: fill a buffer with @size random bytes, at most SVMRUN_RNG_BYTES; return 0, or a
 *	negative errno if there are none: then the guest's request gets none
 * @owner: its first argument
 * @reserved: zero
 */
struct svmrun_rng_owner {
	int (*fill)(void *owner, void *buffer, size_t size);
	void *owner;
	uint64_t reserved[2];
};

/**
 * struct svmrun_rng - an entropy device
 * @virtio: the virtio device, for svmrun_pc_attach()
 * @owner: the function that provides random bytes
 * @chain: the request that is being carried out
 * @reserved: zero
 */
struct svmrun_rng {
	struct svmrun_virtio virtio;
	struct svmrun_rng_owner owner;
	struct svmrun_virtio_chain chain;
	uint64_t reserved[4];
};

/**
 * svmrun_rng_init() - initialize an entropy device
 * @rng: filled in; must not be moved afterwards
 * @owner: the function that provides random bytes; copied
 * @memories: the guest's memory, without what the guest cannot write to; the array must
 *	not change afterwards
 * @memory_count: number of @memories
 *
 * One notification carries out SVMRUN_VIRTIO_ENTRIES requests at most, even if
 * another processor of the guest adds more meanwhile: these need a notification of their
 * own.
 */
void svmrun_rng_init(struct svmrun_rng *rng,
		     const struct svmrun_rng_owner *owner,
		     const struct svmrun_memory *memories, size_t memory_count);

/**
 * svmrun_rng_save() - write the state of an entropy device to records
 * @rng: the device
 * @state: the records
 *
 * Return: 0 or a negative errno, see svmrun_state_end().
 */
int svmrun_rng_save(const struct svmrun_rng *rng, struct svmrun_state *state);

/**
 * svmrun_rng_load() - read the state of an entropy device from records
 * @rng: the initialized device; after an error, it must be initialized again
 * @state: the records
 *
 * Return: 0 or a negative errno; -EINVAL: this is no such state; -EOPNOTSUPP: it is of
 * another version.
 */
int svmrun_rng_load(struct svmrun_rng *rng, struct svmrun_state *state);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_RNG_H */
