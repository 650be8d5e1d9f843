// SPDX-License-Identifier: GPL-2.0
#include <cpuid.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "common/message.h"
#include "common/status.h"
#include "environment.h"
#include "lib/x86.h"

static bool processor_has_svm(void)
{
	unsigned int eax, ebx, ecx, edx;

	return __get_cpuid(CPUID_EXTENDED_FEATURES, &eax, &ebx, &ecx, &edx) &&
	       (ecx & CPUID_ECX_SVM);
}

static int device_open_failed(int error)
{
	if (!processor_has_svm())
		return message_fail(STATUS_ENVIRONMENT,
				    "this processor has no SVM: use an AMD processor with SVM, or a virtual machine that has it enabled");
	switch (error) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return message_fail(STATUS_ENVIRONMENT,
				    "%s: no such device: load the module as root: modprobe svmrun",
				    SVMRUN_DEVICE);
	case EACCES:
	case EPERM:
		return message_fail(STATUS_ENVIRONMENT,
				    "%s: no permission: run as root, or as a member of the device's group (ls -l %s)",
				    SVMRUN_DEVICE, SVMRUN_DEVICE);
	default:
		return message_fail(STATUS_ENVIRONMENT,
				    "%s: %s: see the kernel's log (dmesg)",
				    SVMRUN_DEVICE, strerror(error));
	}
}

static int device_info_failed(int error)
{
	if (error == ENOTTY)
		return message_fail(STATUS_ENVIRONMENT,
				    "%s: not the device of svmrun: remove it and load the module as root: modprobe svmrun",
				    SVMRUN_DEVICE);
	return message_fail(STATUS_ENVIRONMENT,
			    "%s: cannot read the features: %s: see the kernel's log (dmesg)",
			    SVMRUN_DEVICE, strerror(error));
}

static int check_version(const struct svmrun_info *info)
{
	if (info->out_api_version == SVMRUN_API_VERSION)
		return 0;
	return message_fail(STATUS_ENVIRONMENT,
			    "%s: the module's API version is %u, the tool's is %u: install both from the same release",
			    SVMRUN_DEVICE, info->out_api_version,
			    SVMRUN_API_VERSION);
}

int environment_open(struct svmrun_info *info)
{
	int status, ret, device = svmrun_device_open(NULL);

	if (device < 0)
		return -device_open_failed(-device);
	ret = svmrun_device_info(device, info, sizeof(*info));
	status = ret < 0 ? device_info_failed(-ret) : check_version(info);
	if (status) {
		close(device);
		return -status;
	}
	return device;
}

int environment_vm_failed(int error)
{
	switch (error) {
	case EBUSY:
		return message_fail(STATUS_ENVIRONMENT,
				    "another hypervisor uses SVM: end its virtual machines, or unload it as root: modprobe -r kvm_amd");
	case ENODEV:
		return message_fail(STATUS_ENVIRONMENT,
				    "SVM cannot be enabled on every processor: enable SVM (AMD-V) in the firmware's settings");
	default:
		return message_fail(STATUS_ENVIRONMENT,
				    "cannot create a VM: %s: see the kernel's log (dmesg)",
				    strerror(error));
	}
}
