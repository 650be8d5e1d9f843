// SPDX-License-Identifier: LGPL-2.1-or-later
/* Accesses to memory operands: translation, and memory or devices at the address */
#include <string.h>

#include "access.h"
#include "breakpoint.h"
#include "lib/memories.h"

static void find_fragment_host(const struct svmrun_bus *bus,
			       struct access_fragment *fragment)
{
	size_t ram = bus->memory_count - bus->rom_count;

	fragment->host = memories_at(bus->memories, ram, fragment->gpa,
				     fragment->size);
	if (fragment->host)
		return;
	fragment->host = memories_at(bus->memories + ram, bus->rom_count,
				     fragment->gpa, fragment->size);
	fragment->rom = true;
}

int translate_linear(const struct svmrun_vcpu *vcpu,
		     const struct svmrun_bus *bus, uint64_t linear,
		     uint32_t access, uint64_t *physical, struct fault *fault)
{
	const struct svmrun_physical memory = {
		.memories = bus->memories,
		.memory_count = bus->memory_count,
		.translate = bus->translate,
		.owner = bus->owner,
	};
	struct svmrun_translation translation;
	struct svmrun_page_fault page_fault;
	int ret = svmrun_translate(vcpu, &memory, linear, access, &translation,
				   &page_fault);

	*physical = translation.physical;
	if (ret == -ERANGE)
		return fault_set(fault, VECTOR_GP);
	if (ret == -EFAULT) {
		fault_set(fault, VECTOR_PF);
		fault->error_code = page_fault.error_code;
		fault->address = page_fault.address;
	}
	return ret;
}

static int translate_fragment(struct execution *execution, uint64_t linear,
			      uint32_t flags, struct access_fragment *fragment)
{
	const struct svmrun_bus *bus = execution->bus;
	int ret = translate_linear(execution->vcpu, bus, linear, flags,
				   &fragment->gpa, &execution->fault);

	if (!ret)
		find_fragment_host(bus, fragment);
	return ret;
}

/* Alignment checking (APM 8.2.18) */
static bool violates_alignment(const struct svm_vmcb_save *save,
			       uint64_t linear, unsigned int size)
{
	return save->cpl == 3 && (save->cr0 & SVM_CR0_AM) &&
	       (save->rflags & RFLAGS_AC) && linear % size;
}

int access_translate(struct execution *execution, uint64_t linear,
		     unsigned int size, bool write,
		     struct memory_access *access)
{
	uint32_t flags = write ? SVMRUN_ACCESS_WRITE : 0;
	unsigned int page = PAGE_SIZE - linear % PAGE_SIZE;
	struct access_fragment *fragment = access->fragment;
	int ret;

	if (execution->save->cpl == 3)
		flags |= SVMRUN_ACCESS_USER;
	fragment[0] = (struct access_fragment){ .size = size < page ? size :
								      page };
	fragment[1] = (struct access_fragment){ .size = size -
							fragment[0].size };
	ret = translate_fragment(execution, linear, flags, &fragment[0]);
	if (!ret && fragment[1].size)
		ret = translate_fragment(execution, linear + page, flags,
					 &fragment[1]);
	if (!ret && violates_alignment(execution->save, linear, size))
		return fault_set(&execution->fault, VECTOR_AC);
	if (!ret)
		execution->hits |= breakpoint_data(execution->vcpu, linear,
						   size, write);
	return ret;
}

/* Copy up to 8 bytes with one access, because other vCPUs may observe it. */
static void copy_at_once(void *to, const void *from, unsigned int size)
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

/* Return the largest size of an access that is not larger than @left. */
static unsigned int access_size(unsigned int left)
{
	unsigned int size = 8;

	while (size > left)
		size /= 2;
	return size;
}

static void load_fragment(const struct svmrun_bus *bus,
			  const struct access_fragment *fragment,
			  uint8_t *bytes)
{
	unsigned int done, size;
	uint64_t value;

	if (fragment->host) {
		copy_at_once(bytes, fragment->host, fragment->size);
		return;
	}
	for (done = 0; done < fragment->size; done += size) {
		size = access_size(fragment->size - done);
		value = bus->mmio_read(bus->owner, fragment->gpa + done, size);
		memcpy(bytes + done, &value, size);
	}
}

static void store_fragment(const struct svmrun_bus *bus,
			   const struct access_fragment *fragment,
			   const uint8_t *bytes)
{
	unsigned int done, size;
	uint64_t value = 0;

	if (fragment->host && !fragment->rom) {
		copy_at_once(fragment->host, bytes, fragment->size);
		return;
	}
	for (done = 0; done < fragment->size; done += size, value = 0) {
		size = access_size(fragment->size - done);
		memcpy(&value, bytes + done, size);
		bus->mmio_write(bus->owner, fragment->gpa + done, size, value);
	}
}

void access_load(const struct svmrun_bus *bus,
		 const struct memory_access *access, void *bytes)
{
	load_fragment(bus, &access->fragment[0], bytes);
	if (access->fragment[1].size)
		load_fragment(bus, &access->fragment[1],
			      (uint8_t *)bytes + access->fragment[0].size);
}

void access_store(const struct svmrun_bus *bus,
		  const struct memory_access *access, const void *bytes)
{
	store_fragment(bus, &access->fragment[0], bytes);
	if (access->fragment[1].size)
		store_fragment(bus, &access->fragment[1],
			       (const uint8_t *)bytes +
				       access->fragment[0].size);
}

#define COMPARE_EXCHANGE(type, host, old, value)                               \
	({                                                                     \
		type expected = (type)(old);                                   \
		__atomic_compare_exchange_n((type *)(host), &expected,         \
					    (type)(value), false,              \
					    __ATOMIC_SEQ_CST,                  \
					    __ATOMIC_SEQ_CST);                 \
	})

bool access_compare_exchange(const struct svmrun_bus *bus,
			     const struct memory_access *access, uint64_t old,
			     uint64_t value)
{
	const struct access_fragment *fragment = &access->fragment[0];

	if (!fragment->host || fragment->rom || access->fragment[1].size ||
	    (uintptr_t)fragment->host % fragment->size) {
		access_store(bus, access, &value);
		return true;
	}
	switch (fragment->size) {
	case 1:
		return COMPARE_EXCHANGE(uint8_t, fragment->host, old, value);
	case 2:
		return COMPARE_EXCHANGE(uint16_t, fragment->host, old, value);
	case 4:
		return COMPARE_EXCHANGE(uint32_t, fragment->host, old, value);
	default:
		return COMPARE_EXCHANGE(uint64_t, fragment->host, old, value);
	}
}
