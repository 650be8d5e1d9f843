// SPDX-License-Identifier: LGPL-2.1-or-later
/* The virtio block device: requests, section numbers of Virtual I/O Device 1.2 */
#include <errno.h>
#include <string.h>

#include <svmrun/block.h>

#define DEVICE_ID 2
#define FEATURE_SEG_MAX (1ull << 2)
#define FEATURE_RO (1ull << 5)
#define FEATURE_FLUSH (1ull << 9)
#define FEATURE_DISCARD (1ull << 13)
#define FEATURE_WRITE_ZEROES (1ull << 14)

/* Configuration: 5.2.4 */
#define CONFIG_CAPACITY 0
#define CONFIG_SEG_MAX 12
#define CONFIG_DISCARD_SECTORS 36
#define CONFIG_DISCARD_SEGMENTS 40
#define CONFIG_DISCARD_ALIGNMENT 44
#define CONFIG_ZEROES_SECTORS 48
#define CONFIG_ZEROES_SEGMENTS 52
#define CONFIG_ZEROES_MAY_UNMAP 56
#define SEG_MAX (SVMRUN_VIRTIO_ENTRIES - 2) /* without header and status */

/* Limits of a request to discard sectors or to fill them with zeros */
#define RANGE_SECTORS (1u << 22)
#define RANGE_ALIGNMENT 8 /* sectors */

/* Requests: 5.2.6 */
#define REQUEST_IN 0
#define REQUEST_OUT 1
#define REQUEST_FLUSH 4
#define REQUEST_GET_ID 8
#define REQUEST_DISCARD 11
#define REQUEST_WRITE_ZEROES 13
#define RANGE_UNMAP 1u

#define STATUS_OK 0
#define STATUS_IOERR 1
#define STATUS_UNSUPP 2
#define STATUS_PENDING 0xff /* internal: the owner carries out the request */

struct request_header {
	uint32_t type;
	uint32_t reserved;
	uint64_t sector;
};

struct request_range {
	uint64_t sector;
	uint32_t sectors;
	uint32_t flags;
};

/* The remaining buffers of a chain, and their total size */
struct buffers {
	struct iovec *first;
	unsigned int count;
	size_t size;
};

/* Consume the first buffer, but at most @most bytes. @part is set to their number. */
static void *next_part(struct buffers *buffers, size_t most, size_t *part)
{
	struct iovec *first = buffers->first;
	void *at = first->iov_base;

	*part = first->iov_len < most ? first->iov_len : most;
	first->iov_base = (char *)at + *part;
	first->iov_len -= *part;
	buffers->size -= *part;
	if (!first->iov_len) {
		buffers->first++;
		buffers->count--;
	}
	return at;
}

static void copy_from_buffers(struct buffers *buffers, void *to, size_t size)
{
	size_t done, part;

	for (done = 0; done < size; done += part) {
		const void *at = next_part(buffers, size - done, &part);

		memcpy((char *)to + done, at, part);
	}
}

static void copy_to_buffers(struct buffers *buffers, const void *from,
			    size_t size)
{
	size_t done, part;

	for (done = 0; done < size; done += part) {
		void *at = next_part(buffers, size - done, &part);

		memcpy(at, (const char *)from + done, part);
	}
}

/* Remove the last byte, which is the status, however the guest divides the buffers. */
static uint8_t *take_status(struct buffers *buffers)
{
	struct iovec *last = &buffers->first[buffers->count - 1];

	last->iov_len--;
	if (!last->iov_len)
		buffers->count--;
	buffers->size--;
	return (uint8_t *)last->iov_base + last->iov_len;
}

static bool is_on_disk(const struct svmrun_block *block, uint64_t sector,
		       size_t size)
{
	return size % SVMRUN_BLOCK_SECTOR == 0 && sector <= block->sectors &&
	       size / SVMRUN_BLOCK_SECTOR <= block->sectors - sector;
}

/* ---- requests without I/O ------------------------------------------------ */

static uint8_t read_disk_id(struct svmrun_block *block, struct buffers *in)
{
	if (in->size < sizeof(block->name))
		return STATUS_IOERR;
	copy_to_buffers(in, block->name, sizeof(block->name));
	return STATUS_OK;
}

static bool is_read_only(const struct svmrun_block_owner *owner)
{
	return owner->submit ? owner->read_only : !owner->write;
}

/* ---- requests for the owner ---------------------------------------------- */

/* A driver that cannot flush expects that completed writes are persistent (5.2.6.2). */
static bool writes_are_stable(const struct svmrun_block *block)
{
	return !(block->virtio.features & FEATURE_FLUSH);
}

static uint8_t prepare_transfer(const struct svmrun_block *block,
				struct svmrun_block_request *request,
				const struct request_header *header,
				const struct buffers *buffers)
{
	if (!is_on_disk(block, header->sector, buffers->size))
		return STATUS_IOERR;
	request->offset = header->sector * SVMRUN_BLOCK_SECTOR;
	request->size = buffers->size;
	request->count = buffers->count;
	memcpy(request->buffers, buffers->first,
	       buffers->count * sizeof(*buffers->first));
	return STATUS_PENDING;
}

static uint8_t prepare_read(const struct svmrun_block *block,
			    struct svmrun_block_request *request,
			    const struct request_header *header,
			    const struct buffers *in)
{
	request->operation = SVMRUN_BLOCK_READ;
	return prepare_transfer(block, request, header, in);
}

static uint8_t prepare_write(const struct svmrun_block *block,
			     struct svmrun_block_request *request,
			     const struct request_header *header,
			     const struct buffers *out)
{
	if (is_read_only(&block->owner))
		return STATUS_IOERR;
	request->operation = SVMRUN_BLOCK_WRITE;
	request->is_stable = writes_are_stable(block);
	return prepare_transfer(block, request, header, out);
}

/* Flags: 5.2.6.2. There is one range per request. */
static uint8_t prepare_range(const struct svmrun_block *block,
			     struct svmrun_block_request *request,
			     struct buffers *out, uint32_t flags)
{
	struct request_range range;

	if (!block->owner.has_ranges)
		return STATUS_UNSUPP;
	if (out->size != sizeof(range) || is_read_only(&block->owner))
		return STATUS_IOERR;
	copy_from_buffers(out, &range, sizeof(range));
	if (range.flags & ~flags)
		return STATUS_UNSUPP;
	request->offset = range.sector * SVMRUN_BLOCK_SECTOR;
	request->size = (uint64_t)range.sectors * SVMRUN_BLOCK_SECTOR;
	request->count = 0;
	request->is_stable = writes_are_stable(block);
	request->may_unmap = range.flags & RANGE_UNMAP;
	if (range.sectors > RANGE_SECTORS ||
	    !is_on_disk(block, range.sector, request->size))
		return STATUS_IOERR;
	return STATUS_PENDING;
}

static uint8_t prepare_discard(const struct svmrun_block *block,
			       struct svmrun_block_request *request,
			       struct buffers *out)
{
	request->operation = SVMRUN_BLOCK_DISCARD;
	return prepare_range(block, request, out, 0);
}

static uint8_t prepare_zeroes(const struct svmrun_block *block,
			      struct svmrun_block_request *request,
			      struct buffers *out)
{
	request->operation = SVMRUN_BLOCK_WRITE_ZEROES;
	return prepare_range(block, request, out, RANGE_UNMAP);
}

static uint8_t prepare_flush(struct svmrun_block_request *request)
{
	request->operation = SVMRUN_BLOCK_FLUSH;
	request->offset = 0;
	request->size = 0;
	request->count = 0;
	return STATUS_PENDING;
}

/* Return the status of a request that is complete, or STATUS_PENDING. */
static uint8_t prepare_request(struct svmrun_block *block,
			       struct svmrun_block_request *request,
			       const struct request_header *header,
			       struct buffers *out, struct buffers *in)
{
	switch (header->type) {
	case REQUEST_IN:
		return prepare_read(block, request, header, in);
	case REQUEST_OUT:
		return prepare_write(block, request, header, out);
	case REQUEST_FLUSH:
		return prepare_flush(request);
	case REQUEST_GET_ID:
		return read_disk_id(block, in);
	case REQUEST_DISCARD:
		return prepare_discard(block, request, out);
	case REQUEST_WRITE_ZEROES:
		return prepare_zeroes(block, request, out);
	default:
		return STATUS_UNSUPP;
	}
}

static int flush_disk(const struct svmrun_block_owner *owner)
{
	return owner->flush ? owner->flush(owner->owner) : 0;
}

static int write_disk(const struct svmrun_block_owner *owner,
		      struct svmrun_block_request *request)
{
	int error = owner->write(owner->owner, request->buffers, request->count,
				 request->offset);

	return error || !request->is_stable ? error : flush_disk(owner);
}

static int execute_request(const struct svmrun_block_owner *owner,
			   struct svmrun_block_request *request)
{
	switch (request->operation) {
	case SVMRUN_BLOCK_READ:
		return owner->read(owner->owner, request->buffers,
				   request->count, request->offset);
	case SVMRUN_BLOCK_WRITE:
		return write_disk(owner, request);
	default:
		return flush_disk(owner);
	}
}

static void give_request(struct svmrun_block *block,
			 const struct svmrun_block_request *request,
			 uint8_t status)
{
	*request->status = status;
	svmrun_virtio_give(&block->virtio, 0, request->head, request->written);
}

static void begin_request(struct svmrun_block *block,
			  struct svmrun_block_request *request)
{
	const struct svmrun_block_owner *owner = &block->owner;
	int error;

	if (owner->submit) {
		request->in_flight = true;
		request->stale = false;
		block->in_flight++;
		owner->submit(owner->owner, request);
		return;
	}
	error = execute_request(owner, request);
	give_request(block, request, error ? STATUS_IOERR : STATUS_OK);
}

/* ---- the queue ----------------------------------------------------------- */

/*
 * The number of written bytes counts from the first byte on. Because the status is the
 * last byte, it includes all buffers, even if a request has not written to all of them.
 */
static void process_chain(struct svmrun_block *block,
			  struct svmrun_block_request *request)
{
	struct svmrun_virtio_chain *chain = &block->chain;
	struct buffers out = { chain->out, chain->out_count, chain->out_size };
	struct buffers in = { chain->in, chain->in_count, chain->in_size };
	struct request_header header;
	uint8_t status;

	if (out.size < sizeof(header) || !in.size) {
		svmrun_virtio_need_reset(&block->virtio);
		return;
	}
	request->head = chain->head;
	request->written = chain->in_size;
	copy_from_buffers(&out, &header, sizeof(header));
	request->status = take_status(&in);
	status = prepare_request(block, request, &header, &out, &in);
	if (status == STATUS_PENDING)
		begin_request(block, request);
	else
		give_request(block, request, status);
}

static struct svmrun_block_request *
free_request(const struct svmrun_block *block)
{
	unsigned int i;

	for (i = 0; i < block->request_count; i++)
		if (!block->requests[i].in_flight)
			return &block->requests[i];
	return NULL;
}

/*
 * Take no more chains than the queue has entries, because a guest can refill the queue
 * without end. A driver notifies the device of chains that it adds later. If there is no
 * free request, the next completion continues.
 */
static void take_chains(struct svmrun_block *block)
{
	struct svmrun_block_request local, *request = &local;
	unsigned int left;

	for (left = SVMRUN_VIRTIO_ENTRIES; left; left--) {
		if (block->owner.submit)
			request = free_request(block);
		if (!request ||
		    !svmrun_virtio_take(&block->virtio, 0, &block->chain))
			return;
		process_chain(block, request);
	}
}

static void block_notify(void *owner, unsigned int queue)
{
	take_chains(owner);
}

static void block_reset(void *owner)
{
	struct svmrun_block *block = owner;
	unsigned int i;

	for (i = 0; i < block->request_count; i++)
		block->requests[i].stale = block->requests[i].in_flight;
	block->stale = block->in_flight;
}

void svmrun_block_complete(struct svmrun_block *block,
			   struct svmrun_block_request *request, int error)
{
	request->in_flight = false;
	block->in_flight--;
	if (request->stale)
		block->stale--;
	else
		give_request(block, request, error ? STATUS_IOERR : STATUS_OK);
	take_chains(block);
}

bool svmrun_block_is_resetting(const struct svmrun_block *block)
{
	return block->stale;
}

/* ---- initialization ------------------------------------------------------ */

void svmrun_block_set_requests(struct svmrun_block *block,
			       struct svmrun_block_request *requests,
			       unsigned int count)
{
	memset(requests, 0, count * sizeof(*requests));
	block->requests = requests;
	block->request_count = count;
}

static uint64_t offered_block_features(const struct svmrun_block_owner *owner)
{
	uint64_t features = FEATURE_SEG_MAX | FEATURE_FLUSH;

	if (is_read_only(owner))
		return features | FEATURE_RO;
	if (owner->submit && owner->has_ranges)
		features |= FEATURE_DISCARD | FEATURE_WRITE_ZEROES;
	return features;
}

static void set_config(struct svmrun_block *block, unsigned int offset,
		       uint32_t value)
{
	memcpy(block->virtio.config + offset, &value, sizeof(value));
}

static void set_range_limits(struct svmrun_block *block)
{
	set_config(block, CONFIG_DISCARD_SECTORS, RANGE_SECTORS);
	set_config(block, CONFIG_DISCARD_SEGMENTS, 1);
	set_config(block, CONFIG_DISCARD_ALIGNMENT, RANGE_ALIGNMENT);
	set_config(block, CONFIG_ZEROES_SECTORS, RANGE_SECTORS);
	set_config(block, CONFIG_ZEROES_SEGMENTS, 1);
	block->virtio.config[CONFIG_ZEROES_MAY_UNMAP] = 1;
}

void svmrun_block_init(struct svmrun_block *block,
		       const struct svmrun_block_owner *owner, uint64_t sectors,
		       const char *name, const struct svmrun_memory *memories,
		       size_t memory_count)
{
	const struct svmrun_virtio_kind kind = {
		.id = DEVICE_ID,
		.features = offered_block_features(owner),
		.queues = 1,
		.notify = block_notify,
		.owner = block,
		.reset = block_reset,
	};

	svmrun_virtio_init(&block->virtio, &kind, memories, memory_count);
	memcpy(block->virtio.config + CONFIG_CAPACITY, &sectors,
	       sizeof(sectors));
	set_config(block, CONFIG_SEG_MAX, SEG_MAX);
	if (kind.features & FEATURE_DISCARD)
		set_range_limits(block);
	block->owner = *owner;
	block->sectors = sectors;
	block->requests = NULL;
	block->request_count = 0;
	block->in_flight = 0;
	block->stale = 0;
	memset(block->name, 0, sizeof(block->name));
	memcpy(block->name, name, strnlen(name, sizeof(block->name)));
}

/* ---- state --------------------------------------------------------------- */

#define STATE_VERSION 1

int svmrun_block_save(const struct svmrun_block *block,
		      struct svmrun_state *state)
{
	svmrun_state_begin(state, SVMRUN_STATE_BLOCK, STATE_VERSION);
	svmrun_state_put(state, &block->sectors, sizeof(block->sectors));
	if (block->in_flight && !state->error)
		state->error = -EBUSY;
	svmrun_state_end(state);
	return svmrun_virtio_save(&block->virtio, state);
}

int svmrun_block_load(struct svmrun_block *block, struct svmrun_state *state)
{
	uint64_t sectors;

	svmrun_state_open(state, SVMRUN_STATE_BLOCK, STATE_VERSION);
	svmrun_state_get(state, &sectors, sizeof(sectors));
	svmrun_state_close(state, sectors == block->sectors);
	return svmrun_virtio_load(&block->virtio, state);
}
