// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * vCPUs for L2, and their memory. With nested paging, the VM of an ASID has the translations
 * that the processor could have cached for it: pages are mapped on L2's nested page faults,
 * and all of them are unmapped when L1 flushes the ASID (APM 15.16). Without nested paging,
 * L2's memory is L1's.
 */
#include <errno.h>
#include <string.h>

#include "lib/array_size.h"
#include "nested.h"

/* Map up to the next multiple of this at a time. */
#define AROUND (16 * PAGE_SIZE)

int nested_create_spaces(struct svmrun_nested *nested, int device)
{
	struct space *space = nested->spaces;
	int ret = svmrun_vcpu_create(&nested->flat.vcpu, nested->config.vm);

	for (; !ret && space < nested->spaces + NESTED_SPACES; space++) {
		ret = svmrun_vm_create(&space->vm, device);
		if (!ret)
			ret = svmrun_vcpu_create(&space->vcpu, &space->vm);
	}
	return ret;
}

void nested_destroy_spaces(struct svmrun_nested *nested)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(nested->spaces); i++) {
		svmrun_vcpu_destroy(&nested->spaces[i].vcpu);
		svmrun_vm_destroy(&nested->spaces[i].vm);
	}
	svmrun_vcpu_destroy(&nested->flat.vcpu);
}

/* L2's physical addresses are those of L1's processor. */
static void flush_space(struct svmrun_nested *nested, struct space *space)
{
	size_t all = 1ull << nested->config.info->out_gpa_bits;

	if (space->regions)
		svmrun_vm_unmap(&space->vm, 0, all);
	space->regions = 0;
	memset(space->cached, 0, sizeof(space->cached));
	space->flush = true;
}

void nested_flush_all(struct svmrun_nested *nested)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(nested->spaces); i++)
		flush_space(nested, &nested->spaces[i]);
	nested->flat.flush = true;
}

void nested_flush_asid(struct svmrun_nested *nested, uint32_t asid)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(nested->spaces); i++)
		if (nested->spaces[i].asid == asid)
			flush_space(nested, &nested->spaces[i]);
	nested->flat.flush = true;
}

static struct space *choose_flat(struct svmrun_nested *nested)
{
	struct space *flat = &nested->flat;

	if (flat->asid != nested->control.asid ||
	    nested->control.tlb_control != SVM_TLB_CONTROL_NOTHING)
		flat->flush = true;
	flat->asid = nested->control.asid;
	return flat;
}

/* Return the space of the ASID, or the one that has not been used for the longest time. */
static struct space *find_space(struct svmrun_nested *nested, uint32_t asid)
{
	struct space *space, *found = nested->spaces;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(nested->spaces); i++) {
		space = &nested->spaces[i];
		if (space->asid == asid)
			return space;
		if (space->used < found->used)
			found = space;
	}
	return found;
}

static bool has_translations_of(const struct space *space,
				const struct svmrun_nested *nested)
{
	const struct svm_vmcb_save *l1 = &nested->config.vcpu->vmcb->save;

	return space->asid == nested->control.asid &&
	       space->n_cr3 == nested->control.n_cr3 && space->cr4 == l1->cr4 &&
	       space->efer == l1->efer;
}

static struct space *choose_nested(struct svmrun_nested *nested)
{
	const struct svm_vmcb_save *l1 = &nested->config.vcpu->vmcb->save;
	struct space *space = find_space(nested, nested->control.asid);

	if (!has_translations_of(space, nested) ||
	    nested->control.tlb_control != SVM_TLB_CONTROL_NOTHING)
		flush_space(nested, space);
	space->asid = nested->control.asid;
	space->n_cr3 = nested->control.n_cr3;
	space->cr4 = l1->cr4;
	space->efer = l1->efer;
	space->used = nested->runs;
	return space;
}

struct space *nested_choose_space(struct svmrun_nested *nested)
{
	if (nested->control.tlb_control == SVM_TLB_CONTROL_FLUSH_ALL)
		nested_flush_all(nested);
	if (!uses_nested_paging(&nested->control))
		return choose_flat(nested);
	return choose_nested(nested);
}

/* Return how much around an address is one page of L1's table and of L1's memory. */
static uint64_t mapping_size(const struct svmrun_nested *nested,
			     const struct svmrun_translation *found)
{
	uint64_t size = found->page_size;

	while (size > PAGE_SIZE &&
	       !nested_memory(nested, found->physical & ~(size - 1), size))
		size >>= 9;
	return size < PAGE_SIZE ? PAGE_SIZE : size;
}

static uint32_t mapping_flags(const struct svmrun_nested *nested,
			      const struct svmrun_translation *found,
			      uint64_t physical, uint64_t size)
{
	uint32_t flags = SVMRUN_MAP_READ;

	if ((found->rights & SVMRUN_RIGHT_WRITE) &&
	    nested_writable_memory(nested, physical, size))
		flags |= SVMRUN_MAP_WRITE;
	if (found->rights & SVMRUN_RIGHT_EXECUTE)
		flags |= SVMRUN_MAP_EXEC;
	return flags;
}

/*
 * Return the size of the pages from @gpa on that one mapping can serve, because L1's table
 * has them in the same order with the same rights. A processor may walk to them
 * speculatively, too, which sets their accessed bits (APM 5.4.2).
 */
static uint64_t neighbours(const struct svmrun_nested *nested, uint64_t gpa,
			   const struct svmrun_translation *found)
{
	uint64_t size = PAGE_SIZE,
		 physical = found->physical & ~(PAGE_SIZE - 1);
	struct svmrun_translation next;

	for (; (gpa + size) % AROUND; size += PAGE_SIZE)
		if (nested_walk(nested, gpa + size, 0, &next, NULL) ||
		    next.physical != physical + size ||
		    next.rights != found->rights ||
		    !nested_memory(nested, physical, size + PAGE_SIZE))
			break;
	return size;
}

static int add_mapping(struct space *space, uint64_t gpa, void *host,
		       uint64_t size, uint32_t flags)
{
	int ret = svmrun_vm_map(&space->vm, gpa, host, size, flags);

	if (!ret)
		space->regions++;
	return ret;
}

/*
 * Map a page. A mapping that exists already is an older translation: without a dirty bit, or
 * one that L1 has replaced without a flush. If there is no room for another mapping, or for
 * the parts that are left of a larger one, drop all of them: L2 faults again.
 */
int nested_map_page(struct svmrun_nested *nested, uint64_t gpa,
		    const struct svmrun_translation *found)
{
	struct space *space = nested->space;
	uint64_t size = mapping_size(nested, found);
	uint64_t physical = found->physical & ~(size - 1);
	uint32_t flags = mapping_flags(nested, found, physical, size);
	void *host = nested_memory(nested, physical, size);
	int ret;

	gpa &= ~(size - 1);
	if (size == PAGE_SIZE &&
	    !add_mapping(space, gpa, host, neighbours(nested, gpa, found),
			 flags))
		return 0;
	ret = add_mapping(space, gpa, host, size, flags);
	if (ret == -EEXIST) {
		svmrun_vm_unmap(&space->vm, gpa, size);
		ret = add_mapping(space, gpa, host, size, flags);
	}
	if (ret) {
		flush_space(nested, space);
		ret = add_mapping(space, gpa, host, size, flags);
	}
	return ret;
}
