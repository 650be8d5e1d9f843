// SPDX-License-Identifier: LGPL-2.1-or-later
/* The device, and machines */
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "call.h"
#include "clock.h"
#include "machine.h"
#include "vcpu.h"

/* The device, which is opened once per process */
static int device = -1;
/* The number of the next machine */
static _Atomic(nvmm_machid_t) next_machid;

int nvmm_init(void)
{
	int fd;

	if (device >= 0)
		return 0;
	fd = svmrun_device_open(NULL);
	if (fd >= 0)
		device = fd;
	return call_return(fd);
}

int nvmm_root_init(void)
{
	return nvmm_init();
}

int nvmm_capability(struct nvmm_capability *cap)
{
	struct svmrun_info info;
	int ret = svmrun_device_info(device, &info, sizeof(info));

	if (ret)
		return call_return(ret);
	*cap = (struct nvmm_capability){
		.version = NVMM_KERN_VERSION,
		.state_size = sizeof(struct nvmm_x64_state),
		.max_machines = INT_MAX,
		.max_vcpus = info.out_max_vcpus,
		.max_ram = 1ull << info.out_gpa_bits,
		.arch = {
			.vcpu_conf_support = NVMM_CAP_ARCH_VCPU_CONF_CPUID |
					     NVMM_CAP_ARCH_VCPU_CONF_TPR,
			.xcr0_mask = info.out_xcr0,
			.mxcsr_mask = MXCSR_MASK,
			.conf_cpuid_maxops = VCPU_CPUID_LEAVES,
		},
	};
	return 0;
}

static int create_private(struct nvmm_machine_private *machine)
{
	int ret;

	ret = svmrun_device_info(device, &machine->info, sizeof(machine->info));
	if (ret)
		return ret;
	machine->vcpus = calloc(machine->info.out_max_vcpus,
				sizeof(*machine->vcpus));
	if (!machine->vcpus)
		return -ENOMEM;
	ret = memory_init(&machine->memory);
	if (ret)
		goto free_vcpus;
	ret = svmrun_vm_create(&machine->vm, device);
	if (ret)
		goto destroy_memory;
	pthread_mutex_init(&machine->lock, NULL);
	clock_init(machine);
	return 0;

destroy_memory:
	memory_destroy(&machine->memory);
free_vcpus:
	free(machine->vcpus);
	return ret;
}

int nvmm_machine_create(struct nvmm_machine *mach)
{
	struct nvmm_machine_private *machine;
	int ret;

	*mach = (struct nvmm_machine){ 0 };
	machine = calloc(1, sizeof(*machine));
	if (!machine)
		return call_return(-ENOMEM);
	ret = create_private(machine);
	if (ret) {
		free(machine);
		return call_return(ret);
	}
	mach->machid = next_machid++;
	mach->private_data = machine;
	return 0;
}

int nvmm_machine_destroy(struct nvmm_machine *mach)
{
	struct nvmm_machine_private *machine = mach->private_data;

	if (!machine)
		return call_return(-ENOENT);
	if (machine->vcpu_count)
		return call_return(-EBUSY);
	svmrun_vm_destroy(&machine->vm);
	memory_destroy(&machine->memory);
	pthread_mutex_destroy(&machine->lock);
	free(machine->vcpus);
	free(machine);
	mach->private_data = NULL;
	return 0;
}

int nvmm_machine_configure(struct nvmm_machine *mach, uint64_t op, void *conf)
{
	return call_return(-EINVAL);
}
