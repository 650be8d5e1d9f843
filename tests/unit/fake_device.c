// SPDX-License-Identifier: GPL-2.0
/* Calls on a stand-in for /dev/svmrun. Their arguments have today's size in the kernel. */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/svmrun.h>

#include "fake_device.h"

_Static_assert(FAKE_API_VERSION == SVMRUN_API_VERSION, "the library checks it");

/* Fill in the caller's struct as far as both sides know it. */
static int answer(void *argument, const void *today, size_t size)
{
	uint32_t size_known;

	memcpy(&size_known, argument, sizeof(size_known));
	memcpy((char *)argument + sizeof(size_known),
	       (const char *)today + sizeof(size_known),
	       (size_known < size ? size_known : size) - sizeof(size_known));
	return 0;
}

static int answer_info(void *argument)
{
	struct svmrun_info info;

	memset(&info, FAKE_BYTE, sizeof(info));
	info.out_api_version = SVMRUN_API_VERSION;
	info.out_vcpu_size = FAKE_VCPU_SIZE;
	info.out_xsave_size = FAKE_XSAVE_SIZE;
	return answer(argument, &info, sizeof(info));
}

static int answer_vm_info(void *argument)
{
	struct svmrun_vm_info info;

	memset(&info, FAKE_BYTE, sizeof(info));
	return answer(argument, &info, sizeof(info));
}

/* A file that has a vCPU's pages */
static int create_vcpu(void)
{
	int fd = memfd_create("vcpu", MFD_CLOEXEC);

	return ftruncate(fd, FAKE_VCPU_SIZE) ? -1 : fd;
}

static int fake_ioctl(unsigned long request, void *argument)
{
	switch (request) {
	case SVMRUN_INFO:
		return answer_info(argument);
	case SVMRUN_CREATE_VM:
		return FAKE_VM;
	case SVMRUN_VM_INFO:
		return answer_vm_info(argument);
	case SVMRUN_CREATE_VCPU:
		return create_vcpu();
	default:
		errno = ENOTTY;
		return -1;
	}
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if (fd == FAKE_DEVICE || fd == FAKE_VM)
		return fake_ioctl(request, argument);
	return syscall(SYS_ioctl, fd, request, argument);
}
