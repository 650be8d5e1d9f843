// SPDX-License-Identifier: LGPL-2.1-or-later
/* Firmware: size of the image, and its copy below 1 MiB */
#include <errno.h>
#include <string.h>

#include <svmrun/e820.h>
#include <svmrun/firmware.h>

#include "lib/x86.h"

int svmrun_firmware_check(size_t size)
{
	if (!size)
		return -ENODATA;
	if (size > SVMRUN_FIRMWARE_MAX)
		return -EFBIG;
	return size % PAGE_SIZE ? -EINVAL : 0;
}

int svmrun_firmware_copy(const struct svmrun_memory *low, const void *image,
			 size_t size)
{
	size_t copied = size < SVMRUN_FIRMWARE_COPY ? size :
						      SVMRUN_FIRMWARE_COPY;
	int ret = svmrun_firmware_check(size);
	uint8_t *to;

	if (ret)
		return ret;
	to = svmrun_memory_at(low, SVMRUN_E820_HIGH - copied, copied);
	if (!to)
		return -ERANGE;
	memcpy(to, (const uint8_t *)image + size - copied, copied);
	return 0;
}
