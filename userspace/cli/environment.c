// SPDX-License-Identifier: GPL-2.0
#include <cpuid.h>
#include <errno.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/message.h"
#include "common/status.h"
#include "environment.h"
#include "lib/x86.h"

#define CPUID_ECX_HYPERVISOR (1u << 31)
#define MODULE "/sys/module/svmrun"
#define DETAIL_SIZE 256

enum condition {
	NO_SVM,
	NO_NESTED_SVM,
	NO_MODULE,
	NO_DEVICE,
	NO_PERMISSION,
	FOREIGN_DEVICE,
	OTHER_VERSION,
	OTHER_HYPERVISOR,
	SVM_LOCKED,
	OTHER_ERROR,
};

/* Conditions in which guests cannot run: a word for JSON, the problem, the next step */
static const struct {
	const char *word;
	const char *problem;
	const char *hint;
} conditions[] = {
	[NO_SVM] = { "no-svm", "this processor has no SVM",
		     "use a machine with an AMD processor" },
	[NO_NESTED_SVM] = { "no-nested-svm", "this virtual machine has no SVM",
			    "enable nested virtualization for it, on a host with an AMD processor (of Linux: kvm_amd.nested=1, and qemu -cpu host)" },
	[NO_MODULE] = { "no-module", SVMRUN_DEVICE ": no such device",
			"load the module as root: modprobe svmrun; if that fails, the kernel's log (dmesg) says why, for example that the firmware has locked SVM" },
	[NO_DEVICE] = { "no-device", SVMRUN_DEVICE ": no such device",
			"the module is loaded: in a container, pass the device to it; otherwise start udev" },
	[NO_PERMISSION] = { "no-permission", SVMRUN_DEVICE ": no permission",
			    "run as root" },
	[FOREIGN_DEVICE] = { "foreign-device",
			     SVMRUN_DEVICE ": not the device of svmrun",
			     "remove it and load the module as root: modprobe svmrun" },
	[OTHER_VERSION] = { "other-version",
			    SVMRUN_DEVICE
			    ": the module has another API version",
			    "install module and tool from the same release" },
	[OTHER_HYPERVISOR] = { "other-hypervisor",
			       "another hypervisor uses SVM",
			       "end its virtual machines, or unload it as root: modprobe -r kvm_amd; to keep both, load KVM with kvm.enable_virt_at_load=0" },
	[SVM_LOCKED] = { "svm-locked",
			 "SVM cannot be enabled on every processor",
			 "enable SVM (AMD-V) in the firmware's settings" },
	[OTHER_ERROR] = { "error", SVMRUN_DEVICE,
			  "see the kernel's log (dmesg)" },
};

/* Print the condition. @detail follows the problem, or the hint of NO_PERMISSION. */
static int environment_failed(enum condition condition, const char *detail)
{
	bool after = condition == NO_PERMISSION;

	return message_fail_reason(STATUS_ENVIRONMENT,
				   conditions[condition].word, "%s%s: %s%s",
				   conditions[condition].problem,
				   after ? "" : detail,
				   conditions[condition].hint,
				   after ? detail : "");
}

static int other_failed(int error)
{
	char detail[DETAIL_SIZE];

	snprintf(detail, sizeof(detail), ": %s", strerror(error));
	return environment_failed(OTHER_ERROR, detail);
}

static bool processor_has_svm(void)
{
	unsigned int eax, ebx, ecx, edx;

	return __get_cpuid(CPUID_EXTENDED_FEATURES, &eax, &ebx, &ecx, &edx) &&
	       (ecx & CPUID_ECX_SVM);
}

static bool is_virtual_machine(void)
{
	unsigned int eax, ebx, ecx, edx;

	return __get_cpuid(CPUID_FEATURES, &eax, &ebx, &ecx, &edx) &&
	       (ecx & CPUID_ECX_HYPERVISOR);
}

/* Name the device's group, if its members may use the device. */
static int permission_failed(void)
{
	const mode_t access = 0060; /* of the group: read and write */
	const struct group *group;
	char detail[DETAIL_SIZE];
	struct stat device;

	if (stat(SVMRUN_DEVICE, &device) || (device.st_mode & access) != access)
		return environment_failed(NO_PERMISSION,
					  ", or give a group access, by the udev rule of make install");
	group = getgrgid(device.st_gid);
	if (!group)
		return environment_failed(NO_PERMISSION, "");
	snprintf(detail, sizeof(detail),
		 ", or join the group %s as root (usermod -a -G %s USER) and log in again",
		 group->gr_name, group->gr_name);
	return environment_failed(NO_PERMISSION, detail);
}

static int device_open_failed(int error)
{
	if (!processor_has_svm())
		return environment_failed(is_virtual_machine() ? NO_NESTED_SVM :
								 NO_SVM,
					  "");
	switch (error) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return environment_failed(access(MODULE, F_OK) ? NO_MODULE :
								 NO_DEVICE,
					  "");
	case EACCES:
	case EPERM:
		return permission_failed();
	default:
		return other_failed(error);
	}
}

static int device_info_failed(int error)
{
	return error == ENOTTY ? environment_failed(FOREIGN_DEVICE, "") :
				 other_failed(error);
}

static int check_version(const struct svmrun_info *info)
{
	char detail[DETAIL_SIZE];

	if (info->out_api_version == SVMRUN_API_VERSION)
		return 0;
	snprintf(detail, sizeof(detail), ", %u, than the tool, %u",
		 info->out_api_version, SVMRUN_API_VERSION);
	return environment_failed(OTHER_VERSION, detail);
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

static enum condition vm_condition(int error)
{
	switch (error) {
	case EBUSY:
		return OTHER_HYPERVISOR;
	case ENODEV:
		return SVM_LOCKED;
	default:
		return OTHER_ERROR;
	}
}

const char *environment_word(int error)
{
	return error ? conditions[vm_condition(error)].word : "ready";
}

int environment_vm_failed(int error)
{
	enum condition condition = vm_condition(error);

	if (condition != OTHER_ERROR)
		return environment_failed(condition, "");
	return message_fail_reason(STATUS_ENVIRONMENT,
				   conditions[condition].word,
				   "cannot create a VM: %s: %s",
				   strerror(error), conditions[condition].hint);
}
