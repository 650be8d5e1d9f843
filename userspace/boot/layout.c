// SPDX-License-Identifier: LGPL-2.1-or-later
/* Layout of guest memory for loaders */
#include <errno.h>

#include <svmrun/e820.h>
#include <svmrun/smbios.h>

#include "layout.h"

/* The memory that a PC reserves for its BIOS, above the ACPI and SMBIOS tables */
#define SHADOW (SVMRUN_SMBIOS_GPA + SVMRUN_SMBIOS_SIZE)

static struct layout_zone make_zone(uint64_t start, uint64_t end)
{
	return (struct layout_zone){
		.start = start,
		.end = end,
		.first = start,
		.last = start,
	};
}

struct layout layout_of(uint64_t size)
{
	return (struct layout){
		.low = make_zone(PAGE_SIZE, SVMRUN_E820_LOW_END),
		.high = make_zone(SVMRUN_E820_HIGH, size),
	};
}

static bool range_fits(uint64_t address, uint64_t size, uint64_t start,
		       uint64_t end)
{
	return address >= start && address <= end && size <= end - address;
}

static void extend_zone(struct layout_zone *zone, uint64_t address,
			uint64_t size)
{
	bool empty = zone->first == zone->last;

	if (empty || address < zone->first)
		zone->first = address;
	if (empty || address + size > zone->last)
		zone->last = address + size;
}

/*
 * Occupy a range that begins where a PC has shadow memory. Nothing else is placed there.
 * Linkers put the headers of an executable in the page before its code, which begins at
 * 1 MiB.
 */
static bool occupy_shadow(struct layout_zone *high, uint64_t address,
			  uint64_t size)
{
	if (!range_fits(address, size, SHADOW, high->end))
		return false;
	if (address + size > high->start)
		extend_zone(high, high->start, address + size - high->start);
	return true;
}

bool layout_occupy(struct layout *layout, uint64_t address, uint64_t size)
{
	struct layout_zone *zone = address < layout->high.start ? &layout->low :
								  &layout->high;

	if (address >= SHADOW && address < layout->high.start)
		return occupy_shadow(&layout->high, address, size);
	if (!range_fits(address, size, zone->start, zone->end))
		return false;
	extend_zone(zone, address, size);
	return true;
}

/* Return the highest aligned address of @size bytes between @start and @end, or 0. */
static uint64_t highest_address(uint64_t size, uint64_t align, uint64_t start,
				uint64_t end)
{
	uint64_t at;

	if (end < start || size > end - start)
		return 0;
	at = (end - size) & ~(align - 1);
	return at >= start ? at : 0;
}

uint64_t layout_take(struct layout_zone *zone, uint64_t size, uint64_t align)
{
	uint64_t at = (zone->last + align - 1) & ~(align - 1);

	if (!range_fits(at, size, zone->last, zone->end))
		at = highest_address(size, align, zone->start, zone->first);
	if (at)
		extend_zone(zone, at, size);
	return at;
}

uint64_t layout_take_highest(struct layout_zone *zone, uint64_t size,
			     uint64_t limit)
{
	uint64_t end = limit < zone->end ? limit : zone->end;
	uint64_t before = limit < zone->first ? limit : zone->first;
	uint64_t at = highest_address(size, PAGE_SIZE, zone->last, end);

	if (!at)
		at = highest_address(size, PAGE_SIZE, zone->start, before);
	if (at)
		extend_zone(zone, at, size);
	return at;
}

bool layout_is_short(int error)
{
	return error == -ERANGE || error == -EFBIG || error == -E2BIG;
}
