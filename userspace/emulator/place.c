// SPDX-License-Identifier: LGPL-2.1-or-later
/* Memory operands: which pages they lie in, and what is there */
#include <string.h>

#include "execution.h"

#define PAGE 4096u

static void find_host(const struct svmrun_bus *bus, struct piece *piece)
{
	size_t i;

	for (i = 0; i < bus->memory_count && !piece->host; i++) {
		piece->host = svmrun_memory_at(&bus->memories[i], piece->gpa,
					       piece->size);
		piece->rom = i >= bus->memory_count - bus->rom_count;
	}
}

static int find_piece(struct execution *execution, uint64_t linear,
		      uint32_t access, struct piece *piece)
{
	const struct svmrun_bus *bus = execution->bus;
	struct svmrun_page_fault fault;
	int ret;

	ret = svmrun_gva_to_gpa(execution->vcpu, bus->memories,
				bus->memory_count, linear, access, &piece->gpa,
				&fault);
	if (ret == -ERANGE)
		return fault_set(&execution->fault, VECTOR_GP);
	if (ret == -EFAULT) {
		fault_set(&execution->fault, VECTOR_PF);
		execution->fault.error_code = fault.error_code;
		execution->fault.address = fault.address;
	}
	if (!ret)
		find_host(bus, piece);
	return ret;
}

/* APM 8.2.18 */
static bool alignment_refuses(const struct svm_vmcb_save *save, uint64_t linear,
			      unsigned int size)
{
	return save->cpl == 3 && (save->cr0 & SVM_CR0_AM) &&
	       (save->rflags & RFLAGS_AC) && linear % size;
}

int place_find(struct execution *execution, uint64_t linear, unsigned int size,
	       bool write, struct place *place)
{
	uint32_t access = write ? SVMRUN_ACCESS_WRITE : 0;
	unsigned int page = PAGE - linear % PAGE;
	struct piece *piece = place->piece;
	int ret;

	if (execution->save->cpl == 3)
		access |= SVMRUN_ACCESS_USER;
	piece[0] = (struct piece){ .size = size < page ? size : page };
	piece[1] = (struct piece){ .size = size - piece[0].size };
	ret = find_piece(execution, linear, access, &piece[0]);
	if (!ret && piece[1].size)
		ret = find_piece(execution, linear + page, access, &piece[1]);
	if (!ret && alignment_refuses(execution->save, linear, size))
		return fault_set(&execution->fault, VECTOR_AC);
	return ret;
}

/* What the processor moves at once is moved at once: other vCPUs look on. */
static void copy(void *to, const void *from, unsigned int size)
{
	switch (size) {
	case 1:
		memcpy(to, from, 1);
		break;
	case 2:
		memcpy(to, from, 2);
		break;
	case 4:
		memcpy(to, from, 4);
		break;
	case 8:
		memcpy(to, from, 8);
		break;
	default:
		memcpy(to, from, size);
	}
}

/* The largest access that does not go beyond @left bytes */
static unsigned int access_size(unsigned int left)
{
	unsigned int size = 8;

	while (size > left)
		size /= 2;
	return size;
}

static void piece_load(const struct svmrun_bus *bus, const struct piece *piece,
		       uint8_t *bytes)
{
	unsigned int done, size;
	uint64_t value;

	if (piece->host) {
		copy(bytes, piece->host, piece->size);
		return;
	}
	for (done = 0; done < piece->size; done += size) {
		size = access_size(piece->size - done);
		value = bus->mmio_read(bus->owner, piece->gpa + done, size);
		memcpy(bytes + done, &value, size);
	}
}

static void piece_store(const struct svmrun_bus *bus, const struct piece *piece,
			const uint8_t *bytes)
{
	unsigned int done, size;
	uint64_t value = 0;

	if (piece->host && !piece->rom) {
		copy(piece->host, bytes, piece->size);
		return;
	}
	for (done = 0; done < piece->size; done += size, value = 0) {
		size = access_size(piece->size - done);
		memcpy(&value, bytes + done, size);
		bus->mmio_write(bus->owner, piece->gpa + done, size, value);
	}
}

void place_load(const struct svmrun_bus *bus, const struct place *place,
		void *bytes)
{
	piece_load(bus, &place->piece[0], bytes);
	if (place->piece[1].size)
		piece_load(bus, &place->piece[1],
			   (uint8_t *)bytes + place->piece[0].size);
}

void place_store(const struct svmrun_bus *bus, const struct place *place,
		 const void *bytes)
{
	piece_store(bus, &place->piece[0], bytes);
	if (place->piece[1].size)
		piece_store(bus, &place->piece[1],
			    (const uint8_t *)bytes + place->piece[0].size);
}

#define EXCHANGE(type, host, old, value)                                       \
	({                                                                     \
		type expected = (type)(old);                                   \
		__atomic_compare_exchange_n((type *)(host), &expected,         \
					    (type)(value), false,              \
					    __ATOMIC_SEQ_CST,                  \
					    __ATOMIC_SEQ_CST);                 \
	})

bool place_exchange(const struct svmrun_bus *bus, const struct place *place,
		    uint64_t old, uint64_t value)
{
	const struct piece *piece = &place->piece[0];

	if (!piece->host || piece->rom || place->piece[1].size ||
	    (uintptr_t)piece->host % piece->size) {
		place_store(bus, place, &value);
		return true;
	}
	switch (piece->size) {
	case 1:
		return EXCHANGE(uint8_t, piece->host, old, value);
	case 2:
		return EXCHANGE(uint16_t, piece->host, old, value);
	case 4:
		return EXCHANGE(uint32_t, piece->host, old, value);
	default:
		return EXCHANGE(uint64_t, piece->host, old, value);
	}
}
