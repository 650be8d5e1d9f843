// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <string.h>

#include "raw.h"

static int raw_measure(struct raw_kernel *raw,
		       const struct raw_addresses *addresses, size_t image_size)
{
	uint64_t there = image_size - raw->offset;

	raw->size = there;
	if (addresses->load_end)
		raw->size = (uint64_t)addresses->load_end - addresses->load;
	raw->memory = raw->size;
	if (addresses->bss_end)
		raw->memory = (uint64_t)addresses->bss_end - addresses->load;
	if (addresses->load_end && addresses->load_end < addresses->load)
		return -EBADMSG;
	if (addresses->bss_end &&
	    (addresses->bss_end < addresses->load || raw->memory < raw->size))
		return -EBADMSG;
	return raw->size > there || !raw->memory ? -ENODATA : 0;
}

int raw_read(struct raw_kernel *raw, const struct raw_addresses *addresses,
	     uint64_t header, size_t size)
{
	if (addresses->header < addresses->load ||
	    addresses->header - addresses->load > header)
		return -EBADMSG;
	raw->offset = header - (addresses->header - addresses->load);
	raw->address = addresses->load;
	return raw_measure(raw, addresses, size);
}

int raw_occupy(const struct raw_kernel *raw, struct layout *layout,
	       uint32_t entry)
{
	if (!layout_occupy(layout, raw->address, raw->memory))
		return -ERANGE;
	if (entry < raw->address || entry - raw->address >= raw->memory)
		return -ERANGE;
	return 0;
}

void raw_load(const struct raw_kernel *raw, const uint8_t *image, uint8_t *low)
{
	memcpy(low + raw->address, image + raw->offset, raw->size);
	memset(low + raw->address + raw->size, 0, raw->memory - raw->size);
}
