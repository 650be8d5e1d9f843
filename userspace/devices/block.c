// SPDX-License-Identifier: LGPL-2.1-or-later
/* The virtio block device: requests, section numbers of Virtual I/O Device 1.2 */
#include <string.h>

#include <svmrun/block.h>

#define DEVICE_ID 2
#define FEATURE_SEG_MAX (1ull << 2)
#define FEATURE_RO (1ull << 5)
#define FEATURE_FLUSH (1ull << 9)

/* Configuration: 5.2.4 */
#define CONFIG_CAPACITY 0
#define CONFIG_SEG_MAX 12
#define SEG_MAX (SVMRUN_VIRTIO_ENTRIES - 2) /* without header and status */

/* Requests: 5.2.6 */
#define REQUEST_IN 0
#define REQUEST_OUT 1
#define REQUEST_FLUSH 4
#define REQUEST_GET_ID 8

#define STATUS_OK 0
#define STATUS_IOERR 1
#define STATUS_UNSUPP 2

struct request_header {
	uint32_t type;
	uint32_t reserved;
	uint64_t sector;
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

static uint8_t request_status(int error)
{
	return error ? STATUS_IOERR : STATUS_OK;
}

static uint8_t read_disk(struct svmrun_block *block,
			 const struct request_header *header,
			 struct buffers *in)
{
	const struct svmrun_block_owner *owner = &block->owner;
	int error;

	if (!is_on_disk(block, header->sector, in->size))
		return STATUS_IOERR;
	error = owner->read(owner->owner, in->first, in->count,
			    header->sector * SVMRUN_BLOCK_SECTOR);
	return request_status(error);
}

static uint8_t write_disk(struct svmrun_block *block,
			  const struct request_header *header,
			  struct buffers *out)
{
	const struct svmrun_block_owner *owner = &block->owner;
	int error;

	if (!owner->write || !is_on_disk(block, header->sector, out->size))
		return STATUS_IOERR;
	error = owner->write(owner->owner, out->first, out->count,
			     header->sector * SVMRUN_BLOCK_SECTOR);
	return request_status(error);
}

static uint8_t flush_disk(struct svmrun_block *block)
{
	const struct svmrun_block_owner *owner = &block->owner;

	return request_status(owner->flush ? owner->flush(owner->owner) : 0);
}

static uint8_t read_disk_id(struct svmrun_block *block, struct buffers *in)
{
	if (in->size < sizeof(block->name))
		return STATUS_IOERR;
	copy_to_buffers(in, block->name, sizeof(block->name));
	return STATUS_OK;
}

static uint8_t execute_request(struct svmrun_block *block,
			       const struct request_header *header,
			       struct buffers *out, struct buffers *in)
{
	switch (header->type) {
	case REQUEST_IN:
		return read_disk(block, header, in);
	case REQUEST_OUT:
		return write_disk(block, header, out);
	case REQUEST_FLUSH:
		return flush_disk(block);
	case REQUEST_GET_ID:
		return read_disk_id(block, in);
	default:
		return STATUS_UNSUPP;
	}
}

/*
 * The number of written bytes counts from the first byte on. Because the status is the
 * last byte, it includes all buffers, even if a request has not written to all of them.
 */
static void process_request(struct svmrun_block *block)
{
	struct svmrun_virtio_chain *chain = &block->chain;
	struct buffers out = { chain->out, chain->out_count, chain->out_size };
	struct buffers in = { chain->in, chain->in_count, chain->in_size };
	uint32_t written = chain->in_size;
	struct request_header header;
	uint8_t *status;

	if (out.size < sizeof(header) || !in.size) {
		svmrun_virtio_need_reset(&block->virtio);
		return;
	}
	copy_from_buffers(&out, &header, sizeof(header));
	status = take_status(&in);
	*status = execute_request(block, &header, &out, &in);
	svmrun_virtio_give(&block->virtio, 0, chain->head, written);
}

static void block_notify(void *owner, unsigned int queue)
{
	struct svmrun_block *block = owner;

	while (svmrun_virtio_take(&block->virtio, queue, &block->chain))
		process_request(block);
}

void svmrun_block_init(struct svmrun_block *block,
		       const struct svmrun_block_owner *owner, uint64_t sectors,
		       const char *name, const struct svmrun_memory *memories,
		       size_t memory_count)
{
	const struct svmrun_virtio_kind kind = {
		.id = DEVICE_ID,
		.features = FEATURE_SEG_MAX | FEATURE_FLUSH |
			    (owner->write ? 0 : FEATURE_RO),
		.queues = 1,
		.notify = block_notify,
		.owner = block,
	};
	const uint32_t seg_max = SEG_MAX;

	svmrun_virtio_init(&block->virtio, &kind, memories, memory_count);
	memcpy(block->virtio.config + CONFIG_CAPACITY, &sectors,
	       sizeof(sectors));
	memcpy(block->virtio.config + CONFIG_SEG_MAX, &seg_max,
	       sizeof(seg_max));
	block->owner = *owner;
	block->sectors = sectors;
	memset(block->name, 0, sizeof(block->name));
	memcpy(block->name, name, strnlen(name, sizeof(block->name)));
}
