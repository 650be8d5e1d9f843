// SPDX-License-Identifier: LGPL-2.1-or-later
/* The device, and the version of the library */
#include <fcntl.h>

#include <svmrun.h>

#include "call.h"

int svmrun_device_open(const char *path)
{
	const char *node = path ? path : SVMRUN_DEVICE;

	return call_result(open(node, O_RDWR | O_CLOEXEC));
}

int svmrun_device_info(int device, struct svmrun_info *info, size_t size)
{
	return call_info(device, SVMRUN_INFO, info, size);
}

unsigned int svmrun_version(void)
{
	return SVMRUN_VERSION;
}
