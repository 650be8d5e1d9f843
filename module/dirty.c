// SPDX-License-Identifier: GPL-2.0
/*
 * Dirty logging. The processor sets dirty bits in the nested page table (APM 5.4.2,
 * 15.25.5); they are copied to the log of the region when the program reads it, and when
 * pages are unmapped.
 */
#include "dirty.h"

#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "memory.h"
#include "npt.h"
#include "region.h"

static bool range_is_logged(const struct memory *memory, u64 gpa, u64 end)
{
	while (gpa < end) {
		struct region *region = region_find(&memory->regions, gpa);

		if (!region || !region->log)
			return false;
		gpa = region->end;
	}
	return true;
}

/*
 * A write of a guest meanwhile is logged now or next time: after the first flush the
 * processor sets A again, after the second one also D.
 */
static void collect_dirty_bits(struct memory *memory, u64 gpa, u64 end)
{
	memory_step(memory, gpa, end, npt_mark);
	memory_flush(memory);
	memory_step(memory, gpa, end, npt_collect);
	memory_flush(memory);
}

static void fetch_log(struct region *region, u64 begin, u64 end, u64 gpa,
		      u64 *bits, bool clear)
{
	u64 at = begin;

	while ((at = region_next_dirty(region, at, end)) < end) {
		unsigned long index = (at - gpa) >> PAGE_SHIFT;

		bits[index / 64] |= 1ull << index % 64;
		if (clear)
			region_clear_dirty(region, at);
		at += PAGE_SIZE;
	}
}

static void fetch_all(struct memory *memory, u64 gpa, u64 end, u64 *bits,
		      bool clear)
{
	u64 at = gpa;

	while (at < end) {
		struct region *region = region_find(&memory->regions, at);
		u64 stop = min(region->end, end);

		spin_lock(&memory->lock);
		if (region->log->pages.count)
			stop = min(stop, at + MEMORY_STEPS * PAGE_SIZE);
		fetch_log(region, at, stop, gpa, bits, clear);
		spin_unlock(&memory->lock);
		at = stop;
		cond_resched();
	}
}

/**
 * dirty_fetch() - get the pages that the guest may have written
 * @memory: the address space
 * @gpa: a multiple of the page size
 * @length: bytes, a multiple of the page size, not 0; the range is in bounds
 * @bits: one bit per page of the range, all 0; set for pages that may have been written
 * @clear: remove these pages from the log
 *
 * When it returns, earlier writes to pages that are no longer in the log have reached
 * memory.
 *
 * Return: 0; -ENOENT if there is no log of part of the range; -EINTR.
 */
int dirty_fetch(struct memory *memory, u64 gpa, u64 length, u64 *bits,
		bool clear)
{
	int err = 0;

	if (mutex_lock_killable(&memory->mutex))
		return -EINTR;
	if (range_is_logged(memory, gpa, gpa + length)) {
		collect_dirty_bits(memory, gpa, gpa + length);
		fetch_all(memory, gpa, gpa + length, bits, clear);
	} else {
		err = -ENOENT;
	}
	mutex_unlock(&memory->mutex);
	return err;
}

/* Log a page, if the region there has a log. */
static void mark_page(struct memory *memory, u64 gpa)
{
	struct region *region;

	spin_lock(&memory->lock);
	region = region_find(&memory->regions, gpa);
	if (region && region->log)
		region_mark_dirty(region, gpa);
	spin_unlock(&memory->lock);
}

/**
 * dirty_mark() - put pages back into the log
 * @memory: the address space
 * @gpa: as for dirty_fetch()
 * @length: as for dirty_fetch()
 * @bits: from dirty_fetch()
 */
void dirty_mark(struct memory *memory, u64 gpa, u64 length, const u64 *bits)
{
	unsigned long index;

	for (index = 0; index < length >> PAGE_SHIFT; index++) {
		if (bits[index / 64] & 1ull << index % 64)
			mark_page(memory, gpa + ((u64)index << PAGE_SHIFT));
		cond_resched();
	}
}
