// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <svmrun/bda.h>
#include <svmrun/e820.h>

#define EBDA SVMRUN_E820_LOW_END
#define EBDA_KIB 1 /* also the first byte of the EBDA */
#define KIB 1024
#define PARAGRAPH 16

#define COM1 0x3f8
#define EQUIPMENT_FPU 0x0002
#define EQUIPMENT_SERIAL 0x0200 /* one port */

/* The layout of IBM's technical reference for the PC AT, as far as it is used */
struct bda {
	uint16_t serial_ports[4];
	uint16_t parallel_ports[3];
	uint16_t ebda_segment;
	uint16_t equipment;
	uint8_t reserved;
	uint16_t memory_kib;
} __attribute__((packed));

_Static_assert(sizeof(struct bda) == 0x15, "PC AT");

int svmrun_bda_build(const struct svmrun_memory *low)
{
	const struct bda bda = {
		.serial_ports = { COM1 },
		.ebda_segment = EBDA / PARAGRAPH,
		.equipment = EQUIPMENT_FPU | EQUIPMENT_SERIAL,
		.memory_kib = EBDA / KIB,
	};
	void *at = svmrun_memory_at(low, SVMRUN_BDA_GPA, sizeof(bda));
	uint8_t *ebda = svmrun_memory_at(low, EBDA, EBDA_KIB * KIB);

	if (!at || !ebda)
		return -ERANGE;
	memcpy(at, &bda, sizeof(bda));
	*ebda = EBDA_KIB;
	return 0;
}
