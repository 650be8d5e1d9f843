// SPDX-License-Identifier: LGPL-2.1-or-later
/* The common part of virtio devices; section numbers of Virtual I/O Device 1.2 */
#include <string.h>

#include <svmrun/virtio.h>

#include "lib/array_size.h"
#include "lib/memories.h"

#define MAGIC 0x74726976 /* "virt" */
#define VERSION 2
#define VENDOR 0x554d5653 /* "SVMU" */

/* Registers: 4.2.2 */
#define REG_MAGIC 0x000
#define REG_VERSION 0x004
#define REG_DEVICE_ID 0x008
#define REG_VENDOR_ID 0x00c
#define REG_DEVICE_FEATURES 0x010
#define REG_DEVICE_FEATURES_SEL 0x014
#define REG_DRIVER_FEATURES 0x020
#define REG_DRIVER_FEATURES_SEL 0x024
#define REG_QUEUE_SEL 0x030
#define REG_QUEUE_NUM_MAX 0x034
#define REG_QUEUE_NUM 0x038
#define REG_QUEUE_READY 0x044
#define REG_QUEUE_NOTIFY 0x050
#define REG_INTERRUPT_STATUS 0x060
#define REG_INTERRUPT_ACK 0x064
#define REG_STATUS 0x070
#define REG_QUEUE_DESC 0x080 /* each of the three low, then high */
#define REG_QUEUE_DRIVER 0x090
#define REG_QUEUE_DEVICE 0x0a0
#define REG_SHM_LEN_LOW 0x0b0
#define REG_SHM_BASE_HIGH 0x0bc
#define REG_CONFIG 0x100

/* Device status: 2.1 */
#define STATUS_DRIVER_OK 0x04
#define STATUS_FEATURES_OK 0x08
#define STATUS_NEEDS_RESET 0x40

#define INTERRUPT_USED 1
#define INTERRUPT_CONFIG 2

#define FEATURE_VERSION_1 (1ull << 32)

/* Split virtqueues: 2.7.5 to 2.7.8 */
#define DESCRIPTOR_NEXT 1
#define DESCRIPTOR_WRITE 2
#define DESCRIPTOR_INDIRECT 4
#define AVAILABLE_NO_INTERRUPT 1

struct descriptor {
	uint64_t gpa;
	uint32_t size;
	uint16_t flags;
	uint16_t next;
};

struct available {
	uint16_t flags;
	uint16_t index;
	uint16_t ring[];
};

struct used_entry {
	uint32_t head;
	uint32_t written;
};

struct used {
	uint16_t flags;
	uint16_t index;
	struct used_entry ring[];
};

/* ---- interrupts ---------------------------------------------------------- */

static void raise_interrupt(struct svmrun_virtio *virtio, uint32_t why)
{
	virtio->interrupts |= why;
	svmrun_line_set(&virtio->line, true);
}

static void acknowledge_interrupt(struct svmrun_virtio *virtio, uint32_t what)
{
	virtio->interrupts &= ~what;
	svmrun_line_set(&virtio->line, virtio->interrupts);
}

void svmrun_virtio_need_reset(struct svmrun_virtio *virtio)
{
	bool told = virtio->status & STATUS_DRIVER_OK;

	virtio->status |= STATUS_NEEDS_RESET;
	if (told)
		raise_interrupt(virtio, INTERRUPT_CONFIG);
}

/* ---- queues -------------------------------------------------------------- */

static void *virtio_memory_at(const struct svmrun_virtio *virtio, uint64_t gpa,
			      size_t size)
{
	return memories_at(virtio->memories, virtio->memory_count, gpa, size);
}

static bool is_power_of_2(uint32_t value)
{
	return value && !(value & (value - 1));
}

/* Alignment: 2.7 */
static bool find_rings(const struct svmrun_virtio *virtio,
		       struct svmrun_virtqueue *queue)
{
	uint32_t size = queue->size;

	if (!is_power_of_2(size) || size > SVMRUN_VIRTIO_ENTRIES ||
	    queue->descriptors % 16 || queue->driver % 2 || queue->device % 4)
		return false;
	queue->table = virtio_memory_at(virtio, queue->descriptors,
					size * sizeof(struct descriptor));
	queue->available = virtio_memory_at(virtio, queue->driver,
					    sizeof(struct available) +
						    size * sizeof(uint16_t));
	queue->used = virtio_memory_at(virtio, queue->device,
				       sizeof(struct used) +
					       size * sizeof(struct used_entry));
	return queue->table && queue->available && queue->used;
}

static void abandon_chains(const struct svmrun_virtio *virtio)
{
	if (virtio->kind.reset)
		virtio->kind.reset(virtio->kind.owner);
}

static void set_queue_ready(struct svmrun_virtio *virtio,
			    struct svmrun_virtqueue *queue, bool ready)
{
	if (ready == queue->ready)
		return;
	if (!ready)
		abandon_chains(virtio);
	queue->taken = 0;
	queue->given = 0;
	queue->ready = ready && find_rings(virtio, queue);
	if (ready && !queue->ready)
		svmrun_virtio_need_reset(virtio);
}

/* Read each member once: the guest can write to them at any time. */
static struct descriptor read_descriptor(const struct descriptor *at)
{
	return (struct descriptor){
		.gpa = __atomic_load_n(&at->gpa, __ATOMIC_RELAXED),
		.size = __atomic_load_n(&at->size, __ATOMIC_RELAXED),
		.flags = __atomic_load_n(&at->flags, __ATOMIC_RELAXED),
		.next = __atomic_load_n(&at->next, __ATOMIC_RELAXED),
	};
}

/* Buffers that the device reads come before those that it writes (2.7.4.2). */
static bool add_buffer(const struct svmrun_virtio *virtio,
		       struct svmrun_virtio_chain *chain,
		       const struct descriptor *descriptor)
{
	const struct iovec buffer = {
		.iov_base = virtio_memory_at(virtio, descriptor->gpa,
					     descriptor->size),
		.iov_len = descriptor->size,
	};

	if (!descriptor->size)
		return true;
	if (!buffer.iov_base)
		return false;
	if (descriptor->flags & DESCRIPTOR_WRITE) {
		chain->in[chain->in_count++] = buffer;
		chain->in_size += buffer.iov_len;
		return chain->in_size <= UINT32_MAX;
	}
	chain->out[chain->out_count++] = buffer;
	chain->out_size += buffer.iov_len;
	return !chain->in_count;
}

/* Follow a chain. One that is longer than its queue has a loop. */
static bool follow_chain(const struct svmrun_virtio *virtio,
			 const struct svmrun_virtqueue *queue,
			 struct svmrun_virtio_chain *chain)
{
	const struct descriptor *table = queue->table;
	uint32_t number = chain->head, left;
	struct descriptor descriptor;

	for (left = queue->size; left && number < queue->size; left--) {
		descriptor = read_descriptor(&table[number]);
		if ((descriptor.flags & DESCRIPTOR_INDIRECT) ||
		    !add_buffer(virtio, chain, &descriptor))
			return false;
		if (!(descriptor.flags & DESCRIPTOR_NEXT))
			return true;
		number = descriptor.next;
	}
	return false;
}

static bool driver_is_ready(const struct svmrun_virtio *virtio)
{
	const uint32_t want = STATUS_DRIVER_OK | STATUS_FEATURES_OK;

	return (virtio->status & (want | STATUS_NEEDS_RESET)) == want;
}

bool svmrun_virtio_take(struct svmrun_virtio *virtio, unsigned int number,
			struct svmrun_virtio_chain *chain)
{
	struct svmrun_virtqueue *queue = &virtio->queues[number];
	const struct available *available = queue->available;
	uint16_t waiting;

	if (!queue->ready || !driver_is_ready(virtio))
		return false;
	waiting = __atomic_load_n(&available->index, __ATOMIC_ACQUIRE) -
		  queue->taken;
	if (!waiting)
		return false;
	chain->head =
		__atomic_load_n(&available->ring[queue->taken % queue->size],
				__ATOMIC_RELAXED);
	chain->out_count = 0;
	chain->in_count = 0;
	chain->out_size = 0;
	chain->in_size = 0;
	queue->taken++;
	if (waiting <= queue->size && follow_chain(virtio, queue, chain))
		return true;
	svmrun_virtio_need_reset(virtio);
	return false;
}

/* Store the index before reading the flags; the guest does the reverse (2.7.7.2). */
void svmrun_virtio_give(struct svmrun_virtio *virtio, unsigned int number,
			uint16_t head, uint32_t written)
{
	struct svmrun_virtqueue *queue = &virtio->queues[number];
	const struct used_entry entry = { .head = head, .written = written };
	const struct available *available = queue->available;
	struct used *used = queue->used;

	if (!queue->ready)
		return;
	used->ring[queue->given % queue->size] = entry;
	queue->given++;
	__atomic_store_n(&used->index, queue->given, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!(__atomic_load_n(&available->flags, __ATOMIC_RELAXED) &
	      AVAILABLE_NO_INTERRUPT))
		raise_interrupt(virtio, INTERRUPT_USED);
}

/* ---- registers ----------------------------------------------------------- */

/* Return the selected queue, or NULL. */
static struct svmrun_virtqueue *selected_queue(struct svmrun_virtio *virtio)
{
	return virtio->queue < virtio->kind.queues ?
		       &virtio->queues[virtio->queue] :
		       NULL;
}

static uint64_t offered_features(const struct svmrun_virtio *virtio)
{
	return virtio->kind.features | FEATURE_VERSION_1;
}

static uint32_t feature_half(uint64_t value, uint32_t which)
{
	return which < 2 ? value >> (32 * which) : 0;
}

static void set_half(uint64_t *value, uint32_t which, uint32_t bits)
{
	uint64_t keep = which ? UINT32_MAX : UINT64_MAX << 32;

	if (which < 2)
		*value = (*value & keep) | (uint64_t)bits << (32 * which);
}

static uint64_t read_config(const struct svmrun_virtio *virtio,
			    unsigned int offset, unsigned int size)
{
	uint64_t value = 0;

	if (offset <= SVMRUN_VIRTIO_CONFIG - size)
		memcpy(&value, virtio->config + offset, size);
	return value;
}

static uint32_t read_mmio_register(const struct svmrun_virtio *virtio,
				   unsigned int offset)
{
	bool is_there = virtio->queue < virtio->kind.queues;

	switch (offset) {
	case REG_MAGIC:
		return MAGIC;
	case REG_VERSION:
		return VERSION;
	case REG_DEVICE_ID:
		return virtio->kind.id;
	case REG_VENDOR_ID:
		return VENDOR;
	case REG_DEVICE_FEATURES:
		return feature_half(offered_features(virtio), virtio->offered);
	case REG_QUEUE_NUM_MAX:
		return is_there ? SVMRUN_VIRTIO_ENTRIES : 0;
	case REG_QUEUE_READY:
		return is_there && virtio->queues[virtio->queue].ready;
	case REG_INTERRUPT_STATUS:
		return virtio->interrupts;
	case REG_STATUS:
		return virtio->status;
	case REG_SHM_LEN_LOW ... REG_SHM_BASE_HIGH:
		return UINT32_MAX; /* no shared memory */
	default:
		return 0;
	}
}

uint64_t svmrun_virtio_read(const struct svmrun_virtio *virtio,
			    unsigned int offset, unsigned int size)
{
	if (offset >= REG_CONFIG)
		return read_config(virtio, offset - REG_CONFIG, size);
	return size == 4 ? read_mmio_register(virtio, offset) : 0;
}

void svmrun_virtio_reset(struct svmrun_virtio *virtio)
{
	virtio->status = 0;
	virtio->offered = 0;
	virtio->accepted = 0;
	virtio->features = 0;
	virtio->queue = 0;
	memset(virtio->queues, 0, sizeof(virtio->queues));
	acknowledge_interrupt(virtio, UINT32_MAX);
	abandon_chains(virtio);
}

/* The device refuses features by clearing FEATURES_OK (3.1.1). */
static void write_status(struct svmrun_virtio *virtio, uint32_t value)
{
	if (!value) {
		svmrun_virtio_reset(virtio);
		return;
	}
	if ((virtio->features & ~offered_features(virtio)) ||
	    !(virtio->features & FEATURE_VERSION_1))
		value &= ~STATUS_FEATURES_OK;
	virtio->status = value | (virtio->status & STATUS_NEEDS_RESET);
}

static void write_features(struct svmrun_virtio *virtio, uint32_t value)
{
	if (!(virtio->status & STATUS_FEATURES_OK))
		set_half(&virtio->features, virtio->accepted, value);
}

static void notify_queue(struct svmrun_virtio *virtio, uint32_t queue)
{
	if (queue < virtio->kind.queues && virtio->queues[queue].ready &&
	    driver_is_ready(virtio))
		virtio->kind.notify(virtio->kind.owner, queue);
}

/* Size and addresses of a queue cannot change while it is ready. */
static void write_queue(struct svmrun_virtio *virtio, unsigned int offset,
			uint32_t value)
{
	struct svmrun_virtqueue *queue = selected_queue(virtio);

	if (!queue)
		return;
	if (offset == REG_QUEUE_READY)
		set_queue_ready(virtio, queue, value & 1);
	if (queue->ready)
		return;
	if (offset == REG_QUEUE_NUM)
		queue->size = value;
	switch (offset & ~4u) {
	case REG_QUEUE_DESC:
		set_half(&queue->descriptors, !!(offset & 4), value);
		break;
	case REG_QUEUE_DRIVER:
		set_half(&queue->driver, !!(offset & 4), value);
		break;
	case REG_QUEUE_DEVICE:
		set_half(&queue->device, !!(offset & 4), value);
		break;
	}
}

static void write_mmio_register(struct svmrun_virtio *virtio,
				unsigned int offset, uint32_t value)
{
	switch (offset) {
	case REG_DEVICE_FEATURES_SEL:
		virtio->offered = value;
		break;
	case REG_DRIVER_FEATURES:
		write_features(virtio, value);
		break;
	case REG_DRIVER_FEATURES_SEL:
		virtio->accepted = value;
		break;
	case REG_QUEUE_SEL:
		virtio->queue = value;
		break;
	case REG_QUEUE_NOTIFY:
		notify_queue(virtio, value);
		break;
	case REG_INTERRUPT_ACK:
		acknowledge_interrupt(virtio, value);
		break;
	case REG_STATUS:
		write_status(virtio, value);
		break;
	default:
		write_queue(virtio, offset, value);
	}
}

void svmrun_virtio_write(struct svmrun_virtio *virtio, unsigned int offset,
			 unsigned int size, uint64_t value)
{
	if (size == 4 && offset < REG_CONFIG)
		write_mmio_register(virtio, offset, value);
}

void svmrun_virtio_init(struct svmrun_virtio *virtio,
			const struct svmrun_virtio_kind *kind,
			const struct svmrun_memory *memories,
			size_t memory_count)
{
	*virtio = (struct svmrun_virtio){
		.kind = *kind,
		.memories = memories,
		.memory_count = memory_count,
	};
}

/* ---- state --------------------------------------------------------------- */

#define STATE_VERSION 1

static const struct svmrun_state_member virtio_members[] = {
	SVMRUN_STATE_MEMBER(struct svmrun_virtio, status),
	SVMRUN_STATE_MEMBER(struct svmrun_virtio, interrupts),
	SVMRUN_STATE_MEMBER(struct svmrun_virtio, offered),
	SVMRUN_STATE_MEMBER(struct svmrun_virtio, accepted),
	SVMRUN_STATE_MEMBER(struct svmrun_virtio, features),
	SVMRUN_STATE_MEMBER(struct svmrun_virtio, queue),
	SVMRUN_STATE_EACH(struct svmrun_virtio, queues, size),
	SVMRUN_STATE_EACH_BOOL(struct svmrun_virtio, queues, ready),
	SVMRUN_STATE_EACH(struct svmrun_virtio, queues, descriptors),
	SVMRUN_STATE_EACH(struct svmrun_virtio, queues, driver),
	SVMRUN_STATE_EACH(struct svmrun_virtio, queues, device),
	SVMRUN_STATE_EACH(struct svmrun_virtio, queues, taken),
	SVMRUN_STATE_EACH(struct svmrun_virtio, queues, given),
};

/* The kind is part of the record, because a guest has accepted what it offers. */
int svmrun_virtio_save(const struct svmrun_virtio *virtio,
		       struct svmrun_state *state)
{
	const struct svmrun_virtio_kind *kind = &virtio->kind;

	svmrun_state_begin(state, SVMRUN_STATE_VIRTIO, STATE_VERSION);
	svmrun_state_put(state, &kind->id, sizeof(kind->id));
	svmrun_state_put(state, &kind->features, sizeof(kind->features));
	svmrun_state_put_members(state, virtio, virtio_members,
				 ARRAY_SIZE(virtio_members));
	return svmrun_state_end(state);
}

static bool kind_is_same(const struct svmrun_virtio *virtio,
			 struct svmrun_state *state)
{
	uint64_t features;
	uint32_t id;

	svmrun_state_get(state, &id, sizeof(id));
	svmrun_state_get(state, &features, sizeof(features));
	return id == virtio->kind.id && features == virtio->kind.features;
}

static bool find_saved_rings(struct svmrun_virtio *virtio)
{
	unsigned int i;

	for (i = 0; i < SVMRUN_VIRTIO_QUEUES; i++)
		if (virtio->queues[i].ready &&
		    (i >= virtio->kind.queues ||
		     !find_rings(virtio, &virtio->queues[i])))
			return false;
	return true;
}

static bool saved_features_are_valid(const struct svmrun_virtio *virtio)
{
	return !(virtio->status & STATUS_FEATURES_OK) ||
	       !(virtio->features & ~offered_features(virtio));
}

int svmrun_virtio_load(struct svmrun_virtio *virtio, struct svmrun_state *state)
{
	bool valid;

	svmrun_state_open(state, SVMRUN_STATE_VIRTIO, STATE_VERSION);
	valid = kind_is_same(virtio, state);
	svmrun_state_get_members(state, virtio, virtio_members,
				 ARRAY_SIZE(virtio_members));
	valid = valid && saved_features_are_valid(virtio) &&
		find_saved_rings(virtio);
	return svmrun_state_close(state, valid);
}
