// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>

#include <svmrun/saved.h>

#include "common/message.h"
#include "common/status.h"
#include "lib/vcpu.h"
#include "vcpus.h"

/* More than the area of any processor; parts that were not saved are zeros. */
#define XSAVE_SIZE 0x4000u
#define VCPU_SIZE (SVMRUN_VCPU_XSAVE + XSAVE_SIZE)

static int allocate_vcpus(struct vcpus *vcpus, unsigned int count)
{
	size_t i;

	*vcpus = (struct vcpus){
		.list = calloc(count, sizeof(*vcpus->list)),
		.pages = calloc(count, VCPU_SIZE),
		.count = count,
	};
	if (!vcpus->list || !vcpus->pages)
		return message_fail(STATUS_ENVIRONMENT,
				    "no memory for %u processors", count);
	for (i = 0; i < count; i++) {
		vcpu_set_pages(&vcpus->list[i],
			       (uint8_t *)vcpus->pages + i * VCPU_SIZE);
		vcpus->list[i].fd = -1;
		vcpus->list[i].size = VCPU_SIZE;
		vcpus->list[i].xsave_size = XSAVE_SIZE;
	}
	return 0;
}

/*
 * Other records are not needed, and may be of versions that only resuming needs. The guest's
 * own guest has a vCPU as well, which is the second one of a processor.
 */
static int read_vcpu(struct svmrun_vcpu *vcpu, struct svmrun_state *state)
{
	uint32_t id = svmrun_state_next(state);

	while (id && id != STATE_CPU) {
		svmrun_state_skip(state);
		id = svmrun_state_next(state);
	}
	svmrun_state_skip(state);
	return svmrun_vcpu_load(vcpu, state, 0);
}

int vcpus_read(struct vcpus *vcpus, struct saved *saved, unsigned int count)
{
	size_t i;
	int ret = allocate_vcpus(vcpus, count), error = 0;

	if (ret)
		return ret;
	for (i = 0; i < count && !error; i++)
		error = read_vcpu(&vcpus->list[i], &saved->file.state);
	return error ? saved_state_failed(saved, error) : 0;
}

void vcpus_free(struct vcpus *vcpus)
{
	free(vcpus->list);
	free(vcpus->pages);
}

const struct svmrun_vcpu *vcpus_find_paging(const struct vcpus *vcpus)
{
	size_t i;

	for (i = 0; i < vcpus->count; i++)
		if (vcpus->list[i].vmcb->save.cr0 & SVM_CR0_PG)
			return &vcpus->list[i];
	return &vcpus->list[0];
}
