// SPDX-License-Identifier: LGPL-2.1-or-later
/* The virtio entropy device: requests, section numbers of Virtual I/O Device 1.2 */
#include <string.h>

#include <svmrun/rng.h>

#define DEVICE_ID 4

/* Copy to a list of buffers, as far as they have room. Return the number of bytes. */
static size_t fill_buffers(const struct iovec *buffers, unsigned int count,
			   const uint8_t *from, size_t size)
{
	size_t done = 0, part;

	for (; count && done < size; count--, buffers++, done += part) {
		part = size - done;
		if (part > buffers->iov_len)
			part = buffers->iov_len;
		memcpy(buffers->iov_base, from + done, part);
	}
	return done;
}

/* A request may get fewer bytes than it has room for (5.4.6.2). */
static uint32_t execute_request(const struct svmrun_rng *rng)
{
	const struct svmrun_virtio_chain *chain = &rng->chain;
	size_t size = chain->in_size;
	uint8_t bytes[SVMRUN_RNG_BYTES];

	if (size > sizeof(bytes))
		size = sizeof(bytes);
	if (rng->owner.fill(rng->owner.owner, bytes, size))
		return 0;
	return fill_buffers(chain->in, chain->in_count, bytes, size);
}

/* Buffers that the device would read are not allowed (5.4.6.1). */
static void process_request(struct svmrun_rng *rng)
{
	const struct svmrun_virtio_chain *chain = &rng->chain;

	if (chain->out_count || !chain->in_count) {
		svmrun_virtio_need_reset(&rng->virtio);
		return;
	}
	svmrun_virtio_give(&rng->virtio, 0, chain->head, execute_request(rng));
}

static void rng_notify(void *owner, unsigned int queue)
{
	struct svmrun_rng *rng = owner;
	unsigned int left = SVMRUN_VIRTIO_ENTRIES;

	while (left-- && svmrun_virtio_take(&rng->virtio, queue, &rng->chain))
		process_request(rng);
}

void svmrun_rng_init(struct svmrun_rng *rng,
		     const struct svmrun_rng_owner *owner,
		     const struct svmrun_memory *memories, size_t memory_count)
{
	const struct svmrun_virtio_kind kind = {
		.id = DEVICE_ID,
		.queues = 1,
		.notify = rng_notify,
		.owner = rng,
	};

	svmrun_virtio_init(&rng->virtio, &kind, memories, memory_count);
	rng->owner = *owner;
}

/* ---- state --------------------------------------------------------------- */

#define STATE_VERSION 1

/* The record has no contents: it says to which device the next one belongs. */
int svmrun_rng_save(const struct svmrun_rng *rng, struct svmrun_state *state)
{
	svmrun_state_begin(state, SVMRUN_STATE_RNG, STATE_VERSION);
	svmrun_state_end(state);
	return svmrun_virtio_save(&rng->virtio, state);
}

int svmrun_rng_load(struct svmrun_rng *rng, struct svmrun_state *state)
{
	svmrun_state_open(state, SVMRUN_STATE_RNG, STATE_VERSION);
	svmrun_state_close(state, true);
	return svmrun_virtio_load(&rng->virtio, state);
}
