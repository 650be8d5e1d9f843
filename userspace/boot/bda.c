// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <svmrun/bda.h>
#include <svmrun/e820.h>

#define EBDA SVMRUN_E820_LOW_END
#define EBDA_KIB 1 /* also the first byte of the EBDA */
#define KIB 1024
#define PARAGRAPH 16

#define VECTORS 256
#define FIRST_SERVICE 0x10 /* INT 10h to INT 1Ah are calls of the BIOS */
#define LAST_SERVICE 0x1a

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

/* An entry of the interrupt vector table of real mode */
struct vector {
	uint16_t offset;
	uint16_t segment;
};

/*
 * Handlers of all interrupts, in the EBDA. A call of the BIOS returns with CF set, which
 * is an error, and with ZF set, which is "no key" for INT 16h. Other interrupts only
 * return: CF is the interrupted program's.
 */
static const uint8_t handlers[] = {
	0x55, /* push %bp */
	0x89, 0xe5, /* mov %sp, %bp */
	0x80, 0x4e, 0x06, 0x41, /* orb $CF | ZF, 6(%bp): the saved FLAGS */
	0x5d, /* pop %bp */
	0xcf, /* iret */
};

#define HANDLERS_OFFSET 0x10 /* in the EBDA */
#define IRET_OFFSET (HANDLERS_OFFSET + sizeof(handlers) - 1)

static void write_vectors(struct vector *vectors)
{
	unsigned int i;

	for (i = 0; i < VECTORS; i++) {
		bool service = i >= FIRST_SERVICE && i <= LAST_SERVICE;

		vectors[i] = (struct vector){
			.offset = service ? HANDLERS_OFFSET : IRET_OFFSET,
			.segment = EBDA / PARAGRAPH,
		};
	}
}

int svmrun_bda_build(const struct svmrun_memory *low)
{
	const struct bda bda = {
		.serial_ports = { COM1 },
		.ebda_segment = EBDA / PARAGRAPH,
		.equipment = EQUIPMENT_FPU | EQUIPMENT_SERIAL,
		.memory_kib = EBDA / KIB,
	};
	void *at = svmrun_memory_at(low, SVMRUN_BDA_GPA, sizeof(bda));
	void *vectors = svmrun_memory_at(low, 0, SVMRUN_BDA_GPA);
	uint8_t *ebda = svmrun_memory_at(low, EBDA, EBDA_KIB * KIB);

	if (!at || !vectors || !ebda)
		return -ERANGE;
	memcpy(at, &bda, sizeof(bda));
	*ebda = EBDA_KIB;
	memcpy(ebda + HANDLERS_OFFSET, handlers, sizeof(handlers));
	write_vectors(vectors);
	return 0;
}
