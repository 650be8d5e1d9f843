// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "common/message.h"
#include "common/status.h"
#include "environment.h"
#include "setup.h"

#define RAM_PERMISSIONS (SVMRUN_MAP_READ | SVMRUN_MAP_WRITE | SVMRUN_MAP_EXEC)
#define ROM_PERMISSIONS (SVMRUN_MAP_READ | SVMRUN_MAP_EXEC)

int setup_vm(struct machine *machine, int *device)
{
	int ret;

	*device = environment_open(&machine->info);
	if (*device < 0)
		return -*device;
	ret = svmrun_vm_create(&machine->vm, *device);
	return ret < 0 ? environment_vm_failed(-ret) : 0;
}

static int map_failed(const struct run_options *options, int error)
{
	if (error == ERANGE)
		return message_fail(STATUS_USAGE,
				    "--mem %llu: exceeds the guest's physical address space",
				    (unsigned long long)options->memory);
	return message_fail(STATUS_ENVIRONMENT,
			    "cannot map guest memory: %s: see the kernel's log (dmesg)",
			    strerror(error));
}

int setup_memory(struct machine *machine, const struct guest *guest)
{
	const struct svmrun_memory *memory;
	size_t i, writable = guest->memory_count - guest->rom_count;
	int ret = 0;

	for (i = 0; i < guest->memory_count && !ret; i++) {
		memory = &guest->memories[i];
		ret = svmrun_vm_map(&machine->vm, memory->gpa, memory->base,
				    memory->size,
				    i < writable ? RAM_PERMISSIONS :
						   ROM_PERMISSIONS);
		machine->memories[i] = *memory;
	}
	machine->memory_count = guest->memory_count;
	machine->rom_count = guest->rom_count;
	return ret ? map_failed(machine->options, -ret) : 0;
}

int setup_cpus(struct machine *machine, int device)
{
	int ret = machine_create_cpus(machine, device);

	if (!ret)
		return 0;
	if (ret == -EOPNOTSUPP)
		return message_fail(STATUS_ENVIRONMENT,
				    "--nested: the processor has no nested paging");
	return message_fail(STATUS_ENVIRONMENT,
			    "cannot create a vCPU: %s: see the kernel's log (dmesg)",
			    strerror(-ret));
}
