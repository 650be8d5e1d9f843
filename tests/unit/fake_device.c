// SPDX-License-Identifier: GPL-2.0
/* Calls on a stand-in for /dev/svmrun. Their arguments have today's size in the kernel. */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/svmrun.h>

#include "fake_device.h"
#include "fake_maps.h"

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

struct svmrun_map fake_maps[FAKE_MAPS];
size_t fake_map_count;
bool fake_maps_are_whole;

static bool overlaps(const struct svmrun_map *map, uint64_t gpa,
		     uint64_t length)
{
	return map->gpa < gpa + length && gpa < map->gpa + map->length;
}

static int fake_error(int error)
{
	errno = error;
	return -1;
}

static int map(const struct svmrun_map *new)
{
	size_t i;

	for (i = 0; i < fake_map_count; i++)
		if (overlaps(&fake_maps[i], new->gpa, new->length))
			return fake_error(EEXIST);
	if (fake_map_count == FAKE_MAPS)
		return fake_error(ENOSPC);
	fake_maps[fake_map_count++] = *new;
	return 0;
}

static bool splits(const struct svmrun_map *map, uint64_t gpa, uint64_t length)
{
	return overlaps(map, gpa, length) &&
	       (map->gpa < gpa || map->gpa + map->length > gpa + length);
}

/* It does not split mappings. */
static int unmap(const struct svmrun_unmap *old)
{
	size_t i, count = 0;

	for (i = 0; i < fake_map_count; i++)
		if (fake_maps_are_whole &&
		    splits(&fake_maps[i], old->gpa, old->length))
			return fake_error(ENOSPC);

	for (i = 0; i < fake_map_count; i++)
		if (!overlaps(&fake_maps[i], old->gpa, old->length))
			fake_maps[count++] = fake_maps[i];
	if (count == fake_map_count)
		return fake_error(ENOENT);
	fake_map_count = count;
	return 0;
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
	case SVMRUN_MAP:
		return map(argument);
	case SVMRUN_UNMAP:
		return unmap(argument);
	default:
		return fake_error(ENOTTY);
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
