// SPDX-License-Identifier: GPL-2.0
#include <svmrun_guest.h>

#include "call.h"
#include "lib/array_size.h"
#include "lib/memories.h"
#include "lib/x86.h"
#include "target.h"
#include "vmm/bus.h"

#define VMMCALL_LENGTH 3
#define PRINT_MAX 4096 /* bytes */

static void set_result(struct cpu *cpu, int64_t result)
{
	cpu->vcpu.vmcb->save.rax = result;
}

/* Translate an address of the program or kernel that makes the call. */
static bool translate(const struct cpu *cpu, uint64_t gva, uint32_t access,
		      uint64_t *gpa)
{
	const struct machine *machine = cpu->machine;

	if (cpu->vcpu.vmcb->save.cpl == 3)
		access |= SVMRUN_ACCESS_USER;
	return !svmrun_gva_to_gpa(&cpu->vcpu, machine->memories,
				  machine->memory_count, gva, access, gpa,
				  NULL);
}

/* Return the number of bytes from an address to the end of its page, @most at most. */
static size_t in_page(uint64_t address, size_t most)
{
	size_t left = PAGE_SIZE - address % PAGE_SIZE;

	return left < most ? left : most;
}

static void call_find(struct cpu *cpu)
{
	const struct target *target = target_of(cpu);
	struct svmrun_registers *regs = cpu->vcpu.regs;

	regs->rbx = target->map.memory.gpa;
	regs->rcx = target->map_size;
	regs->rdx = target->input.memory.gpa +
		    offsetof(struct test_case, bytes);
	regs->rsi = area_input_room(&target->input);
	set_result(cpu, 0);
}

/* Find the pages of the buffer now: each run begins with the same page tables. */
static bool find_buffer(struct target *target, const struct cpu *cpu)
{
	uint64_t gva = cpu->vcpu.regs->rbx;
	size_t room = cpu->vcpu.regs->rcx, size, count = 0;
	uint64_t gpa;

	target->buffer_room = 0;
	if (!gva)
		return true;
	if (room > AREA_INPUT_MAX)
		room = AREA_INPUT_MAX;
	target->buffer_offset = gva % PAGE_SIZE;
	for (; room; room -= size, gva += size) {
		if (!translate(cpu, gva, SVMRUN_ACCESS_WRITE, &gpa) ||
		    !memories_at(cpu->machine->memories,
				 cpu->machine->memory_count, gpa, 1))
			return false;
		size = in_page(gva, room);
		target->buffer[count++] = gpa - gpa % PAGE_SIZE;
		target->buffer_room += size;
	}
	return true;
}

static void call_ready(struct cpu *cpu)
{
	struct target *target = target_of(cpu);

	if (target->is_clone)
		cpu_end(cpu, 0, VERDICT_DONE, "%s", "");
	else if (target->options->has_start)
		cpu_end(cpu, 0, VERDICT_CRASH,
			"the guest calls svmrun_guest_ready(), which --start replaces");
	else if (find_buffer(target, cpu))
		target->is_ready = true;
	else
		set_result(cpu, SVMRUN_GUEST_EFAULT);
}

static void call_done(struct cpu *cpu)
{
	cpu_end(cpu, cpu->vcpu.regs->rbx & 0xff, VERDICT_DONE, "%s", "");
}

static void call_crash(struct cpu *cpu)
{
	cpu_end(cpu, 0, VERDICT_CRASH, "the guest reports crash 0x%llx",
		cpu->vcpu.regs->rbx);
}

static void call_print(struct cpu *cpu)
{
	struct machine *machine = cpu->machine;
	uint64_t gva = cpu->vcpu.regs->rbx, gpa;
	size_t left = cpu->vcpu.regs->rcx, size, i;
	const char *text;

	if (left > PRINT_MAX) {
		set_result(cpu, SVMRUN_GUEST_EINVAL);
		return;
	}
	set_result(cpu, 0);
	for (; left; left -= size, gva += size) {
		size = in_page(gva, left);
		text = translate(cpu, gva, SVMRUN_ACCESS_PROBE, &gpa) ?
			       memories_at(machine->memories,
					   machine->memory_count, gpa, size) :
			       NULL;
		if (!text) {
			set_result(cpu, SVMRUN_GUEST_EFAULT);
			return;
		}
		for (i = 0; i < size; i++)
			console_send(&machine->console, text[i]);
	}
	cpu->blocked |= output_is_full(&machine->console.output);
}

static const struct {
	uint32_t number;
	void (*handle)(struct cpu *cpu);
} calls[] = {
	{ SVMRUN_GUEST_FIND, call_find },   { SVMRUN_GUEST_READY, call_ready },
	{ SVMRUN_GUEST_DONE, call_done },   { SVMRUN_GUEST_CRASH, call_crash },
	{ SVMRUN_GUEST_PRINT, call_print },
};

/* Other numbers are not calls: #UD, as without the intercept */
void exit_vmmcall(struct cpu *cpu)
{
	uint64_t number = cpu->vcpu.vmcb->save.rax;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		if (calls[i].number != number)
			continue;
		target_of(cpu)->calls++;
		bus_complete(cpu, VMMCALL_LENGTH);
		calls[i].handle(cpu);
		return;
	}
	cpu_inject_ud(cpu);
}
