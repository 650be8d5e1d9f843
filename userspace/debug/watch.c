// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "lib/x86.h"
#include "watch.h"

#define DR7_GLOBAL(n) (2ull << 2 * (n))
#define DR7_CONDITION(n, bits) ((uint64_t)(bits) << (16 + 4 * (n)))

/* R/W bits; the processor has none for reads only */
static const uint8_t conditions[] = {
	[DEBUG_EXECUTE] = 0,
	[DEBUG_WRITE] = 1,
	[DEBUG_READ] = 3,
	[DEBUG_ACCESS] = 3,
};

static uint64_t length_bits(unsigned int size)
{
	return size == 8 ? 2 : size - 1;
}

static bool can_watch(const struct debug_watch *watch)
{
	unsigned int size = watch->size;

	return (size == 1 || size == 2 || size == 4 || size == 8) &&
	       !(watch->address & (size - 1));
}

static bool same_watch(const struct debug_watch *one,
		       const struct debug_watch *other)
{
	return one->used == other->used && one->kind == other->kind &&
	       one->address == other->address && one->size == other->size;
}

/* A breakpoint on execution has length 1: the instruction's first byte. */
static struct debug_watch watch_of(enum debug_kind kind, uint64_t address,
				   unsigned int size)
{
	return (struct debug_watch){
		.used = true,
		.kind = kind,
		.address = address,
		.size = kind == DEBUG_EXECUTE ? 1 : size,
	};
}

static struct debug_watch *find_watch(struct debug *debug,
				      const struct debug_watch *wanted)
{
	unsigned int i;

	for (i = 0; i < DEBUG_REGISTERS; i++)
		if (same_watch(&debug->watches[i], wanted))
			return &debug->watches[i];
	return NULL;
}

static struct debug_watch *find_free_watch(struct debug *debug)
{
	unsigned int i;

	for (i = 0; i < DEBUG_REGISTERS; i++)
		if (!debug->watches[i].used)
			return &debug->watches[i];
	return NULL;
}

int debug_watch(struct debug *debug, enum debug_kind kind, uint64_t address,
		unsigned int size)
{
	const struct debug_watch wanted = watch_of(kind, address, size);
	struct debug_watch *watch;

	if (!can_watch(&wanted))
		return -EINVAL;
	if (find_watch(debug, &wanted))
		return 0;
	watch = find_free_watch(debug);
	if (!watch)
		return -ENOSPC;
	*watch = wanted;
	debug->watch_count++;
	return 0;
}

void debug_unwatch(struct debug *debug, enum debug_kind kind, uint64_t address,
		   unsigned int size)
{
	const struct debug_watch wanted = watch_of(kind, address, size);
	struct debug_watch *watch = find_watch(debug, &wanted);

	if (!watch)
		return;
	*watch = (struct debug_watch){ 0 };
	debug->watch_count--;
}

void debug_watch_registers(const struct debug *debug, struct debug_cpu *cpu)
{
	const struct debug_watch *watch;
	unsigned int i;

	cpu->dr7 = DR7_RESET;
	for (i = 0; i < DEBUG_REGISTERS; i++) {
		watch = &debug->watches[i];
		cpu->dr[i] = watch->address;
		if (watch->used)
			cpu->dr7 |=
				DR7_GLOBAL(i) |
				DR7_CONDITION(i,
					      length_bits(watch->size) << 2 |
						      conditions[watch->kind]);
	}
}
