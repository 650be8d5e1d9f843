// SPDX-License-Identifier: LGPL-2.1-or-later
/* SMBIOS tables; section numbers of DMTF DSP0134 3.0 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <svmrun.h>
#include <svmrun/smbios.h>

#include "writer.h"

#define CPUS_MAX 255 /* their handles have consecutive numbers in one byte */
#define HIGH_GPA 0x100000000ull
#define HIGH_MAX (1ull << 60)
#define ADDRESS_LIMIT 0x100000000ull
#define KIB 1024
#define MIB (KIB * KIB)

#define TEXT(number) TEXT_OF(number)
#define TEXT_OF(number) #number
#define VERSION                                                                \
	TEXT(SVMRUN_VERSION_MAJOR)                                             \
	"." TEXT(SVMRUN_VERSION_MINOR) "." TEXT(SVMRUN_VERSION_PATCH)

/* Linux applies workarounds to machines whose BIOS is older than some years. */
#define RELEASE_DATE "01/01/2026"

/* The types of structures. The handle of one is its type << 8, plus a number. */
enum {
	BIOS = 0,
	SYSTEM = 1,
	CHASSIS = 3,
	PROCESSOR = 4,
	MEMORY_ARRAY = 16,
	MEMORY_DEVICE = 17,
	MAPPED_ADDRESS = 19,
	BOOT_STATUS = 32,
	END = 127,
};

/* Values that mean "other", "unknown" or "not there"; many fields have their own. */
#define OTHER 1
#define UNKNOWN_16 0xffff
#define NO_CACHE 0xffff
#define NO_ERROR_HANDLE 0xfffe

#define BIOS_NO_CHARACTERISTICS (1 << 3)
#define BIOS_ACPI 0x01
#define BIOS_VIRTUAL_MACHINE 0x10
#define BIOS_SEGMENT 0xf000
#define NO_RELEASE 0xff
#define WAKE_UP_POWER_SWITCH 6
#define STATE_SAFE 3
#define SECURITY_NONE 3
#define PROCESSOR_CENTRAL 3
#define PROCESSOR_ENABLED 0x41 /* the socket is populated */
#define PROCESSOR_64_BIT 0x04
#define ARRAY_SYSTEM_MEMORY 3
#define ARRAY_NO_CORRECTION 3
#define ARRAY_EXTENDED 0x80000000 /* the size is in the extended field */
#define DEVICE_DIMM 9
#define DEVICE_RAM 7
#define DEVICE_DETAIL_OTHER 0x02
#define DEVICE_EXTENDED 0x7fff /* the size is in the extended field */
#define DEVICE_KIB 0x8000 /* the size is in KiB, not MiB */
#define MAPPED_EXTENDED                                                        \
	0xffffffff /* the addresses are in the extended fields */

/* Entry points: 5.2.1, 5.2.2 */
struct entry_point {
	char anchor[4];
	uint8_t checksum;
	uint8_t length;
	uint8_t major;
	uint8_t minor;
	uint16_t largest;
	uint8_t revision;
	uint8_t formatted[5];
	char dmi_anchor[5];
	uint8_t dmi_checksum;
	uint16_t table_length;
	uint32_t table;
	uint16_t count;
	uint8_t bcd_revision;
} __attribute__((packed));

struct entry_point_64 {
	char anchor[5];
	uint8_t checksum;
	uint8_t length;
	uint8_t major;
	uint8_t minor;
	uint8_t docrev;
	uint8_t revision;
	uint8_t reserved;
	uint32_t table_maximum;
	uint64_t table;
} __attribute__((packed));

#define ANCHOR_ALIGN 16
#define DMI_ANCHOR offsetof(struct entry_point, dmi_anchor)

_Static_assert(sizeof(struct entry_point) == SVMRUN_SMBIOS_ANCHOR_SIZE,
	       "5.2.1");
_Static_assert(sizeof(struct entry_point_64) == 24, "5.2.2");

/* Structures after their header of type, length and handle. Strings have numbers from 1. */
struct bios {
	uint8_t vendor;
	uint8_t version;
	uint16_t segment;
	uint8_t date;
	uint8_t rom_size; /* in units of 64 KiB, less 1 */
	uint64_t characteristics;
	uint8_t extension[2];
	uint8_t major;
	uint8_t minor;
	uint8_t controller_major;
	uint8_t controller_minor;
} __attribute__((packed));

struct system {
	uint8_t manufacturer;
	uint8_t product;
	uint8_t version;
	uint8_t serial;
	uint8_t uuid[16];
	uint8_t wake_up;
	uint8_t sku;
	uint8_t family;
} __attribute__((packed));

struct chassis {
	uint8_t manufacturer;
	uint8_t type;
	uint8_t version;
	uint8_t serial;
	uint8_t asset_tag;
	uint8_t boot_state;
	uint8_t power_state;
	uint8_t thermal_state;
	uint8_t security;
	uint32_t oem;
	uint8_t height;
	uint8_t power_cords;
	uint8_t element_count;
	uint8_t element_length;
	uint8_t sku;
} __attribute__((packed));

struct processor {
	uint8_t socket;
	uint8_t type;
	uint8_t family;
	uint8_t manufacturer;
	uint64_t id;
	uint8_t version;
	uint8_t voltage;
	uint16_t clock;
	uint16_t speed_maximum;
	uint16_t speed;
	uint8_t status;
	uint8_t upgrade;
	uint16_t caches[3];
	uint8_t serial;
	uint8_t asset_tag;
	uint8_t part;
	uint8_t cores;
	uint8_t cores_enabled;
	uint8_t threads;
	uint16_t characteristics;
	uint16_t family_2;
	uint16_t cores_2;
	uint16_t cores_enabled_2;
	uint16_t threads_2;
} __attribute__((packed));

struct memory_array {
	uint8_t location;
	uint8_t use;
	uint8_t correction;
	uint32_t capacity; /* in KiB */
	uint16_t error_handle;
	uint16_t devices;
	uint64_t capacity_extended; /* in bytes */
} __attribute__((packed));

struct memory_device {
	uint16_t array;
	uint16_t error_handle;
	uint16_t total_width;
	uint16_t data_width;
	uint16_t size;
	uint8_t form_factor;
	uint8_t set;
	uint8_t locator;
	uint8_t bank;
	uint8_t type;
	uint16_t detail;
	uint16_t speed;
	uint8_t manufacturer;
	uint8_t serial;
	uint8_t asset_tag;
	uint8_t part;
	uint8_t attributes;
	uint32_t size_extended; /* in MiB */
	uint16_t speed_configured;
	uint16_t voltages[3];
} __attribute__((packed));

struct mapped_address {
	uint32_t start; /* in KiB */
	uint32_t end;
	uint16_t array;
	uint8_t devices;
	uint64_t start_extended; /* in bytes */
	uint64_t end_extended;
} __attribute__((packed));

struct boot_status {
	uint8_t reserved[6];
	uint8_t status;
} __attribute__((packed));

#define HEADER 4 /* bytes */

_Static_assert(sizeof(struct bios) == 0x18 - HEADER, "7.1");
_Static_assert(sizeof(struct system) == 0x1b - HEADER, "7.2");
_Static_assert(sizeof(struct chassis) == 0x16 - HEADER, "7.4");
_Static_assert(sizeof(struct processor) == 0x30 - HEADER, "7.5");
_Static_assert(sizeof(struct memory_array) == 0x17 - HEADER, "7.17");
_Static_assert(sizeof(struct memory_device) == 0x28 - HEADER, "7.18");
_Static_assert(sizeof(struct mapped_address) == 0x1f - HEADER, "7.20");
_Static_assert(sizeof(struct boot_status) == 0x0b - HEADER, "7.33");

/**
 * struct structures - the structures while they are written
 * @writer: position in the tables
 * @count: number of structures
 * @largest: size of the largest one, with its strings
 */
struct structures {
	struct writer writer;
	uint16_t count;
	uint16_t largest;
};

static uint16_t handle_of(unsigned int type, unsigned int number)
{
	return type << 8 | number;
}

/* Write a structure. @strings: its strings, one after the other; the last one is empty */
static void put_structure(struct structures *structures, unsigned int type,
			  unsigned int number, const void *body, size_t size,
			  const char *strings)
{
	struct writer *writer = &structures->writer;
	size_t start = writer->at;

	writer_put(writer, type, 1);
	writer_put(writer, HEADER + size, 1);
	writer_put(writer, handle_of(type, number), 2);
	writer_put_bytes(writer, body, size);
	if (!*strings)
		writer_put_zeros(writer, 1);
	for (; *strings; strings += strlen(strings) + 1)
		writer_put_bytes(writer, strings, strlen(strings) + 1);
	writer_put_zeros(writer, 1);
	structures->count++;
	if (writer->at - start > structures->largest)
		structures->largest = writer->at - start;
}

static void put_bios(struct structures *structures)
{
	const struct bios bios = {
		.vendor = 1,
		.version = 2,
		.date = 3,
		.segment = BIOS_SEGMENT,
		.characteristics = BIOS_NO_CHARACTERISTICS,
		.extension = { BIOS_ACPI, BIOS_VIRTUAL_MACHINE },
		.major = SVMRUN_VERSION_MAJOR,
		.minor = SVMRUN_VERSION_MINOR,
		.controller_major = NO_RELEASE,
		.controller_minor = NO_RELEASE,
	};

	put_structure(structures, BIOS, 0, &bios, sizeof(bios),
		      "svmrun\0" VERSION "\0" RELEASE_DATE "\0");
}

/* The first three fields of a UUID are little-endian (7.2.1). */
static void copy_uuid(uint8_t *to, const uint8_t *uuid)
{
	static const uint8_t order[] = { 3, 2, 1,  0,  5,  4,  7,  6,
					 8, 9, 10, 11, 12, 13, 14, 15 };

	for (size_t i = 0; i < sizeof(order); i++)
		to[i] = uuid[order[i]];
}

static void put_system(struct structures *structures, const uint8_t *uuid)
{
	struct system system = {
		.manufacturer = 1,
		.product = 2,
		.version = 3,
		.wake_up = WAKE_UP_POWER_SWITCH,
	};

	if (uuid)
		copy_uuid(system.uuid, uuid);
	put_structure(structures, SYSTEM, 0, &system, sizeof(system),
		      "svmrun\0PC\0" VERSION "\0");
}

static void put_chassis(struct structures *structures)
{
	const struct chassis chassis = {
		.manufacturer = 1,
		.type = OTHER,
		.boot_state = STATE_SAFE,
		.power_state = STATE_SAFE,
		.thermal_state = STATE_SAFE,
		.security = SECURITY_NONE,
	};

	put_structure(structures, CHASSIS, 0, &chassis, sizeof(chassis),
		      "svmrun\0");
}

static void put_processor(struct structures *structures, unsigned int number)
{
	const struct processor processor = {
		.socket = 1,
		.type = PROCESSOR_CENTRAL,
		.family = OTHER,
		.status = PROCESSOR_ENABLED,
		.upgrade = OTHER,
		.caches = { NO_CACHE, NO_CACHE, NO_CACHE },
		.cores = 1,
		.cores_enabled = 1,
		.threads = 1,
		.characteristics = PROCESSOR_64_BIT,
		.family_2 = OTHER,
		.cores_2 = 1,
		.cores_enabled_2 = 1,
		.threads_2 = 1,
	};
	char strings[16] = "";

	/* The zeros after the name end the list of strings. */
	snprintf(strings, sizeof(strings) - 1, "CPU %u", number);
	put_structure(structures, PROCESSOR, number, &processor,
		      sizeof(processor), strings);
}

static void put_memory_array(struct structures *structures, uint64_t size)
{
	bool extended = size / KIB >= ARRAY_EXTENDED;
	const struct memory_array array = {
		.location = OTHER,
		.use = ARRAY_SYSTEM_MEMORY,
		.correction = ARRAY_NO_CORRECTION,
		.capacity = extended ? ARRAY_EXTENDED : size / KIB,
		.error_handle = NO_ERROR_HANDLE,
		.devices = 1,
		.capacity_extended = extended ? size : 0,
	};

	put_structure(structures, MEMORY_ARRAY, 0, &array, sizeof(array), "");
}

/* Sizes are in MiB, or if there is no other way in KiB. */
static uint16_t device_size(uint64_t size)
{
	if (size % MIB && size / KIB < DEVICE_EXTENDED)
		return DEVICE_KIB | size / KIB;
	return size / MIB < DEVICE_EXTENDED ? size / MIB : DEVICE_EXTENDED;
}

static void put_memory_device(struct structures *structures, uint64_t size)
{
	const struct memory_device device = {
		.array = handle_of(MEMORY_ARRAY, 0),
		.error_handle = NO_ERROR_HANDLE,
		.total_width = UNKNOWN_16,
		.data_width = UNKNOWN_16,
		.size = device_size(size),
		.form_factor = DEVICE_DIMM,
		.locator = 1,
		.type = DEVICE_RAM,
		.detail = DEVICE_DETAIL_OTHER,
		.manufacturer = 2,
		.size_extended = device_size(size) == DEVICE_EXTENDED ?
					 size / MIB :
					 0,
	};

	put_structure(structures, MEMORY_DEVICE, 0, &device, sizeof(device),
		      "DIMM 0\0svmrun\0");
}

/* The end is the last unit of a range, not the one after it. */
static void put_mapped_address(struct structures *structures,
			       unsigned int number, uint64_t start,
			       uint64_t size)
{
	uint64_t end = start + size;
	bool extended = end / KIB - 1 >= MAPPED_EXTENDED;
	const struct mapped_address mapped = {
		.start = extended ? MAPPED_EXTENDED : start / KIB,
		.end = extended ? MAPPED_EXTENDED : end / KIB - 1,
		.array = handle_of(MEMORY_ARRAY, 0),
		.devices = 1,
		.start_extended = extended ? start : 0,
		.end_extended = extended ? end - 1 : 0,
	};

	put_structure(structures, MAPPED_ADDRESS, number, &mapped,
		      sizeof(mapped), "");
}

static void put_memory(struct structures *structures,
		       const struct svmrun_smbios *smbios)
{
	uint64_t size = smbios->low + smbios->high;

	put_memory_array(structures, size);
	put_memory_device(structures, size);
	put_mapped_address(structures, 0, 0, smbios->low);
	if (smbios->high)
		put_mapped_address(structures, 1, HIGH_GPA, smbios->high);
}

static void put_structures(struct structures *structures,
			   const struct svmrun_smbios *smbios)
{
	const struct boot_status no_error = { .status = 0 };

	put_bios(structures);
	put_system(structures, smbios->uuid);
	put_chassis(structures);
	for (unsigned int i = 0; i < smbios->cpus; i++)
		put_processor(structures, i);
	put_memory(structures, smbios);
	put_structure(structures, BOOT_STATUS, 0, &no_error, sizeof(no_error),
		      "");
	put_structure(structures, END, 0, NULL, 0, "");
}

static void put_entry_point(struct writer *writer,
			    const struct structures *structures)
{
	const struct entry_point entry = {
		.anchor = { '_', 'S', 'M', '_' },
		.length = sizeof(entry),
		.major = 2,
		.minor = 8,
		.largest = structures->largest,
		.dmi_anchor = { '_', 'D', 'M', 'I', '_' },
		.table_length = structures->writer.at -
				SVMRUN_SMBIOS_STRUCTURES,
		.table = writer->gpa + SVMRUN_SMBIOS_STRUCTURES,
		.count = structures->count,
		.bcd_revision = 0x28,
	};
	size_t start = writer->at;

	writer_put_bytes(writer, &entry, sizeof(entry));
	writer_put_checksum(writer, start + DMI_ANCHOR,
			    sizeof(entry) - DMI_ANCHOR,
			    start + offsetof(struct entry_point, dmi_checksum));
	writer_put_checksum(writer, start, sizeof(entry),
			    start + offsetof(struct entry_point, checksum));
	writer_align(writer, ANCHOR_ALIGN);
}

static void put_entry_point_64(struct writer *writer,
			       const struct structures *structures)
{
	const struct entry_point_64 entry = {
		.anchor = { '_', 'S', 'M', '3', '_' },
		.length = sizeof(entry),
		.major = 3,
		.revision = 1,
		.table_maximum = structures->writer.at -
				 SVMRUN_SMBIOS_STRUCTURES,
		.table = writer->gpa + SVMRUN_SMBIOS_STRUCTURES,
	};
	size_t start = writer->at;

	writer_put_bytes(writer, &entry, sizeof(entry));
	writer_put_checksum(writer, start, sizeof(entry),
			    start + offsetof(struct entry_point_64, checksum));
}

static bool are_valid(const struct svmrun_smbios *smbios)
{
	return smbios->cpus && smbios->cpus <= CPUS_MAX && smbios->low &&
	       smbios->low % KIB == 0 && smbios->low <= HIGH_GPA &&
	       smbios->high % KIB == 0 && smbios->high < HIGH_MAX &&
	       smbios->gpa % 16 == 0 && smbios->gpa < ADDRESS_LIMIT;
}

int svmrun_smbios_build(const struct svmrun_smbios *smbios, void *buffer,
			size_t size)
{
	struct writer writer = {
		.buffer = buffer,
		.size = size,
		.gpa = smbios->gpa,
	};
	struct structures structures = { .writer = writer };

	if (!are_valid(smbios))
		return -EINVAL;
	writer_put_zeros(&structures.writer, SVMRUN_SMBIOS_STRUCTURES);
	put_structures(&structures, smbios);
	put_entry_point(&writer, &structures);
	put_entry_point_64(&writer, &structures);
	if (writer_address(&structures.writer) > ADDRESS_LIMIT)
		return -EINVAL;
	return structures.writer.at > size ? -ENOSPC :
					     (int)structures.writer.at;
}
