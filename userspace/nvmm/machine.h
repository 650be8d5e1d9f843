/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Machines */
#ifndef NVMM_MACHINE_H
#define NVMM_MACHINE_H

#include <pthread.h>

#include <nvmm.h>
#include <svmrun.h>

#include "memory.h"

struct nvmm_vcpu_private;

/**
 * struct nvmm_machine_private - a machine
 * @vm: the VM
 * @info: features of the processor and the module
 * @lock: guards the members that follow; taken before @memory's lock, if both are
 * @vcpus: vCPUs by their number, as many as the module allows; NULL if there is none
 * @vcpu_count: how many there are
 * @tsc: the last value that a vCPU's TSC was set to
 * @tsc_host: the host's TSC then
 * @tsc_offset: the offset that resulted
 * @clock_start: CLOCK_MONOTONIC when KVM's clock was 0, in nanoseconds; constant
 * @clock_tsc: the host's TSC then; constant
 * @memory: memory of the guest, with its own lock
 */
struct nvmm_machine_private {
	struct svmrun_vm vm;
	struct svmrun_info info;
	pthread_mutex_t lock;
	struct nvmm_vcpu_private **vcpus;
	unsigned int vcpu_count;
	uint64_t tsc;
	uint64_t tsc_host;
	uint64_t tsc_offset;
	uint64_t clock_start;
	uint64_t clock_tsc;
	struct memory memory;
};

#endif /* NVMM_MACHINE_H */
