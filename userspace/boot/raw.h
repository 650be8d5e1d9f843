/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Multiboot kernels whose header contains the addresses that they are loaded at */
#ifndef RAW_H
#define RAW_H

#include <stddef.h>
#include <stdint.h>

#include "layout.h"

/* Multiboot 0.6.96, 3.1.3; Multiboot 2, 3.1.5. 0 for an end: the image's, and no BSS */
struct raw_addresses {
	uint32_t header;
	uint32_t load;
	uint32_t load_end;
	uint32_t bss_end;
};

/**
 * struct raw_kernel - a kernel with addresses in its Multiboot header
 * @offset: in the image
 * @size: bytes of the image
 * @address: guest physical
 * @memory: bytes there; those that the image does not have are zeros
 */
struct raw_kernel {
	uint64_t offset;
	uint64_t size;
	uint64_t address;
	uint64_t memory;
};

/*
 * Find what is loaded of an image of @size bytes whose header is at the offset @header.
 * -EBADMSG: the addresses contradict each other, -ENODATA: the image is cut off, or there
 * is nothing to load.
 */
int raw_read(struct raw_kernel *raw, const struct raw_addresses *addresses,
	     uint64_t header, size_t size);

/* Occupy its memory. -ERANGE: there is no such memory, or the entry point is not in it. */
int raw_occupy(const struct raw_kernel *raw, struct layout *layout,
	       uint32_t entry);

/* Load it into the memory from address 0 on. */
void raw_load(const struct raw_kernel *raw, const uint8_t *image, uint8_t *low);

#endif /* RAW_H */
