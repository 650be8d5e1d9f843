// SPDX-License-Identifier: LGPL-2.1-or-later
/* nvmm_gva_to_gpa(): walk the guest's page tables */
#include "call.h"
#include "lib/array_size.h"
#include "lib/x86.h"
#include "vcpu.h"

static int probe(struct nvmm_vcpu_private *vcpu, const struct view *view,
		 gvaddr_t gva, uint32_t access, gpaddr_t *gpa)
{
	return svmrun_gva_to_gpa(&vcpu->cpu, view->memories, view->count, gva,
				 access | SVMRUN_ACCESS_PROBE |
					 SVMRUN_ACCESS_IMPLICIT,
				 gpa, NULL);
}

/* The rights are found by trying each access. */
static int translate(struct nvmm_vcpu_private *vcpu, const struct view *view,
		     gvaddr_t gva, gpaddr_t *gpa, nvmm_prot_t *prot)
{
	static const struct {
		uint32_t access;
		nvmm_prot_t prot;
	} rights[] = {
		{ SVMRUN_ACCESS_WRITE, NVMM_PROT_WRITE },
		{ SVMRUN_ACCESS_FETCH, NVMM_PROT_EXEC },
		{ SVMRUN_ACCESS_USER, NVMM_PROT_USER },
	};
	gpaddr_t ignored;
	unsigned int i;
	int ret = probe(vcpu, view, gva, 0, gpa);

	if (ret)
		return -EFAULT;
	*prot = NVMM_PROT_READ;
	for (i = 0; i < ARRAY_SIZE(rights); i++)
		if (!probe(vcpu, view, gva, rights[i].access, &ignored))
			*prot |= rights[i].prot;
	return 0;
}

int nvmm_gva_to_gpa(struct nvmm_machine *mach, struct nvmm_vcpu *vcpu,
		    gvaddr_t gva, gpaddr_t *gpa, nvmm_prot_t *prot)
{
	struct nvmm_vcpu_private *private = vcpu->private_data;
	struct memory *memory = &private->machine->memory;
	struct view *view;
	int ret;

	if (gva % PAGE_SIZE)
		return call_return(-EINVAL);
	view = memory_view_get(memory);
	ret = translate(private, view, gva, gpa, prot);
	memory_view_put(memory, view);
	return call_return(ret);
}
