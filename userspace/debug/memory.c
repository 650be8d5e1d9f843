// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "lib/memories.h"
#include "lib/x86.h"
#include "memory.h"
#include "vmm/guest_svm.h"
#include "watch.h"

#define INT3 0xcc

static uint8_t *memory_at_gpa(const struct machine *machine, uint64_t gpa)
{
	return memories_at(machine->memories, machine->memory_count, gpa, 1);
}

bool debug_translate(const struct cpu *cpu, uint64_t gva, uint64_t *gpa)
{
	const struct svmrun_physical physical = {
		.memories = cpu->machine->memories,
		.memory_count = cpu->machine->memory_count,
		.translate = guest_svm_translate,
		.owner = (void *)cpu,
	};
	const uint32_t access[] = { 0, SVMRUN_ACCESS_USER };
	struct svmrun_translation found;
	size_t i;

	for (i = 0; i < 2; i++)
		if (!svmrun_translate(&cpu->vcpu, &physical, gva,
				      access[i] | SVMRUN_ACCESS_PROBE, &found,
				      NULL)) {
			*gpa = found.physical;
			return true;
		}
	return false;
}

/*
 * Find the part of a range that is in its first page. Return its size, 0 if there is no
 * memory.
 */
static size_t find_part(const struct cpu *cpu, uint64_t gva, size_t size,
			uint64_t *gpa, uint8_t **at)
{
	size_t most = PAGE_SIZE - gva % PAGE_SIZE;

	if (!debug_translate(cpu, gva, gpa))
		return 0;
	*at = memory_at_gpa(cpu->machine, *gpa);
	if (!*at)
		return 0;
	return size < most ? size : most;
}

/* Read the bytes that breakpoints have replaced, instead of the breakpoints. */
static void read_part(const struct debug *debug, uint64_t gpa,
		      const uint8_t *from, uint8_t *to, size_t size)
{
	const struct debug_breakpoint *breakpoint;
	size_t i;

	memcpy(to, from, size);
	for (i = 0; i < debug->breakpoint_count; i++) {
		breakpoint = &debug->breakpoints[i];
		if (breakpoint->gpa - gpa < size)
			to[breakpoint->gpa - gpa] = breakpoint->byte;
	}
}

static void write_part(struct debug *debug, uint64_t gpa, uint8_t *to,
		       const uint8_t *from, size_t size)
{
	struct debug_breakpoint *breakpoint;
	size_t i;

	memcpy(to, from, size);
	for (i = 0; i < debug->breakpoint_count; i++) {
		breakpoint = &debug->breakpoints[i];
		if (breakpoint->gpa - gpa >= size)
			continue;
		breakpoint->byte = from[breakpoint->gpa - gpa];
		to[breakpoint->gpa - gpa] = INT3;
	}
}

size_t debug_read(const struct cpu *cpu, uint64_t gva, void *bytes, size_t size)
{
	uint8_t *to = bytes, *at;
	size_t part, done = 0;
	uint64_t gpa;

	while (done < size) {
		part = find_part(cpu, gva + done, size - done, &gpa, &at);
		if (!part)
			break;
		read_part(cpu->machine->debug, gpa, at, to + done, part);
		done += part;
	}
	return done;
}

size_t debug_write(const struct cpu *cpu, uint64_t gva, const void *bytes,
		   size_t size)
{
	const uint8_t *from = bytes;
	size_t part, done = 0;
	uint64_t gpa;
	uint8_t *at;

	while (done < size) {
		part = find_part(cpu, gva + done, size - done, &gpa, &at);
		if (!part)
			break;
		write_part(cpu->machine->debug, gpa, at, from + done, part);
		done += part;
	}
	return done;
}

/* ---- breakpoints --------------------------------------------------------- */

static struct debug_breakpoint *breakpoint_with_gva(struct debug *debug,
						    uint64_t gva)
{
	size_t i;

	for (i = 0; i < debug->breakpoint_count; i++)
		if (debug->breakpoints[i].gva == gva)
			return &debug->breakpoints[i];
	return NULL;
}

static const struct debug_breakpoint *
breakpoint_with_gpa(const struct debug *debug, uint64_t gpa)
{
	size_t i;

	for (i = 0; i < debug->breakpoint_count; i++)
		if (debug->breakpoints[i].gpa == gpa)
			return &debug->breakpoints[i];
	return NULL;
}

const struct debug_breakpoint *debug_breakpoint_at(const struct cpu *cpu,
						   uint64_t gva)
{
	uint64_t gpa;

	if (!debug_translate(cpu, gva, &gpa))
		return NULL;
	return breakpoint_with_gpa(cpu->machine->debug, gpa);
}

static int insert_breakpoint(const struct cpu *cpu, uint64_t gva)
{
	struct debug *debug = cpu->machine->debug;
	struct debug_breakpoint breakpoint = { .gva = gva };
	uint8_t *at;

	if (breakpoint_with_gva(debug, gva))
		return 0;
	if (debug->breakpoint_count == DEBUG_BREAKPOINTS)
		return -ENOSPC;
	breakpoint.code_size = find_part(cpu, gva, DEBUG_CODE, &breakpoint.gpa,
					 &at);
	if (!breakpoint.code_size)
		return -EFAULT;
	/* The byte may have a breakpoint already, at another linear address. */
	read_part(debug, breakpoint.gpa, at, breakpoint.code,
		  breakpoint.code_size);
	breakpoint.byte = breakpoint.code[0];
	debug->breakpoints[debug->breakpoint_count++] = breakpoint;
	*at = INT3;
	return 0;
}

static bool has_code(const struct machine *machine,
		     const struct debug_breakpoint *breakpoint)
{
	const uint8_t *at = memory_at_gpa(machine, breakpoint->gpa);

	return at && !memcmp(at, breakpoint->code, breakpoint->code_size);
}

void debug_insert_again(struct machine *machine)
{
	struct debug *debug = machine->debug;
	bool found[DEBUG_BREAKPOINTS];
	size_t i;

	/* Compare all before the first is inserted, because the code may overlap. */
	for (i = 0; i < debug->breakpoint_count; i++)
		found[i] = has_code(machine, &debug->breakpoints[i]);
	for (i = 0; i < debug->breakpoint_count; i++) {
		struct debug_breakpoint *breakpoint = &debug->breakpoints[i];

		if (!found[i])
			continue;
		breakpoint->byte = breakpoint->code[0];
		*memory_at_gpa(machine, breakpoint->gpa) = INT3;
	}
}

/* Restore the byte, unless the guest has overwritten the INT3. */
static void restore_byte(const struct machine *machine,
			 const struct debug_breakpoint *breakpoint)
{
	uint8_t *at = memory_at_gpa(machine, breakpoint->gpa);

	if (at && *at == INT3 &&
	    !breakpoint_with_gpa(machine->debug, breakpoint->gpa))
		*at = breakpoint->byte;
}

static void remove_breakpoint(struct machine *machine, uint64_t gva)
{
	struct debug *debug = machine->debug;
	struct debug_breakpoint *found = breakpoint_with_gva(debug, gva);
	struct debug_breakpoint breakpoint;

	if (!found)
		return;
	breakpoint = *found;
	*found = debug->breakpoints[--debug->breakpoint_count];
	restore_byte(machine, &breakpoint);
}

int debug_insert(const struct cpu *cpu, enum debug_kind kind, uint64_t address,
		 unsigned int size)
{
	if (kind == DEBUG_SOFTWARE)
		return insert_breakpoint(cpu, address);
	return debug_watch(cpu->machine->debug, kind, address, size);
}

void debug_remove(struct machine *machine, enum debug_kind kind,
		  uint64_t address, unsigned int size)
{
	if (kind == DEBUG_SOFTWARE)
		remove_breakpoint(machine, address);
	else
		debug_unwatch(machine->debug, kind, address, size);
}
