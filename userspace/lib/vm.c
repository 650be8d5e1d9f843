// SPDX-License-Identifier: LGPL-2.1-or-later
/* VMs and their memory: one function per ioctl */
#include <unistd.h>

#include <svmrun.h>

#include "call.h"

int svmrun_vm_create(struct svmrun_vm *vm, int device)
{
	struct svmrun_create_vm create = { .size = sizeof(create) };
	struct svmrun_info info;
	int ret;

	*vm = (struct svmrun_vm){ .fd = -1 };
	ret = svmrun_device_info(device, &info, sizeof(info));
	if (ret < 0)
		return ret;
	if (info.out_api_version != SVMRUN_API_VERSION)
		return -EPROTONOSUPPORT;
	ret = call_ioctl(device, SVMRUN_CREATE_VM, &create);
	if (ret < 0)
		return ret;
	*vm = (struct svmrun_vm){
		.fd = ret,
		.vcpu_size = info.out_vcpu_size,
		.xsave_size = info.out_xsave_size,
	};
	return 0;
}

void svmrun_vm_destroy(struct svmrun_vm *vm)
{
	if (vm->vcpu_size)
		close(vm->fd);
	*vm = (struct svmrun_vm){ .fd = -1 };
}

int svmrun_vm_map(struct svmrun_vm *vm, uint64_t gpa, void *hva, size_t length,
		  uint32_t flags)
{
	struct svmrun_map map = {
		.size = sizeof(map),
		.flags = flags,
		.gpa = gpa,
		.hva = (uintptr_t)hva,
		.length = length,
	};

	return call_ioctl(vm->fd, SVMRUN_MAP, &map);
}

int svmrun_vm_unmap(struct svmrun_vm *vm, uint64_t gpa, size_t length)
{
	struct svmrun_unmap unmap = {
		.size = sizeof(unmap),
		.gpa = gpa,
		.length = length,
	};

	return call_ioctl(vm->fd, SVMRUN_UNMAP, &unmap);
}

int svmrun_vm_protect(struct svmrun_vm *vm, uint64_t gpa, size_t length,
		      uint32_t flags)
{
	struct svmrun_protect protect = {
		.size = sizeof(protect),
		.flags = flags,
		.gpa = gpa,
		.length = length,
	};

	return call_ioctl(vm->fd, SVMRUN_PROTECT, &protect);
}

int svmrun_vm_dirty(struct svmrun_vm *vm, uint64_t gpa, size_t length,
		    uint64_t *bitmap, uint32_t flags)
{
	struct svmrun_dirty dirty = {
		.size = sizeof(dirty),
		.flags = flags,
		.gpa = gpa,
		.length = length,
		.bitmap = (uintptr_t)bitmap,
	};

	return call_ioctl(vm->fd, SVMRUN_DIRTY, &dirty);
}

int svmrun_vm_info(struct svmrun_vm *vm, struct svmrun_vm_info *info,
		   size_t size)
{
	return call_info(vm->fd, SVMRUN_VM_INFO, info, size);
}
