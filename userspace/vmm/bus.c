// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <svmrun/instruction.h>

#include "bus.h"
#include "common/clock.h"
#include "common/feature.h"
#include "common/status.h"
#include "debug_hooks.h"
#include "guest_svm.h"
#include "machine.h"

#define UART_FIRST 0x3f8
#define UART_LAST 0x3ff

static struct svmrun_pc *cpu_pc(const struct cpu *cpu)
{
	return &cpu->machine->pc;
}

/* Before the guest reads a register of the UART, refill its FIFO. */
static void refill_uart(struct cpu *cpu, uint16_t port)
{
	if (port >= UART_FIRST && port <= UART_LAST)
		console_refill_uart(&cpu->machine->console);
}

/*
 * After an access to the UART, it may have room or have its interrupt enabled. Then the
 * thread in console_wait() has to wait for input.
 */
static void notify_console(struct cpu *cpu, uint16_t port)
{
	if (port >= UART_FIRST && port <= UART_LAST &&
	    console_should_wait(&cpu->machine->console))
		console_notify(&cpu->machine->console);
}

static uint32_t port_read(void *owner, uint16_t port, unsigned int size)
{
	struct cpu *cpu = owner;
	uint32_t value;

	refill_uart(cpu, port);
	value = svmrun_pc_port_read(cpu_pc(cpu), port, size, clock_now());
	notify_console(cpu, port);
	return value;
}

static void port_write(void *owner, uint16_t port, unsigned int size,
		       uint32_t value)
{
	struct cpu *cpu = owner;
	const struct output *output = &cpu->machine->console.output;
	size_t before = output->size;

	svmrun_pc_port_write(cpu_pc(cpu), port, size, value, clock_now());
	notify_console(cpu, port);
	cpu->blocked |= output->size != before && output_is_full(output);
}

static uint64_t mmio_read(void *owner, uint64_t gpa, unsigned int size)
{
	const struct cpu *cpu = owner;

	return svmrun_pc_mmio_read(cpu_pc(cpu), cpu->id, gpa, size,
				   clock_now());
}

static void mmio_write(void *owner, uint64_t gpa, unsigned int size,
		       uint64_t value)
{
	struct cpu *cpu = owner;
	unsigned int before = machine_stale_requests(cpu->machine);

	svmrun_pc_mmio_write(cpu_pc(cpu), cpu->id, gpa, size, value,
			     clock_now());
	cpu->blocked |= machine_stale_requests(cpu->machine) > before;
}

static bool is_stopped(void *owner)
{
	const struct cpu *cpu = owner;

	return cpu->machine->outcome.ended || stop_is_pending(cpu->machine) ||
	       cpu->blocked || cpu->vcpu.regs->immediate_exit;
}

static void end_not_emulated(struct cpu *cpu, const struct svmrun_bus *bus)
{
	char bytes[3 * SVMRUN_INSTRUCTION_MAX + 1] = "";
	uint8_t code[SVMRUN_INSTRUCTION_MAX];
	const struct svm_vmcb *vmcb = cpu->vcpu.vmcb;
	const char *name = svmrun_exit_name(vmcb->control.exitcode);
	int i, count;

	if (guest_svm_shutdown(cpu, "svmrun does not emulate the instruction"))
		return;
	count = svmrun_instruction_bytes(&cpu->vcpu, bus, code);
	for (i = 0; i < count; i++)
		snprintf(bytes + 3 * i, 4, " %02x", code[i]);
	cpu_end(cpu, STATUS_UNHANDLED, "unhandled",
		"%s at RIP 0x%llx: svmrun does not emulate this instruction:%s",
		name ? name : "exit", vmcb->save.rip, bytes);
}

/* The addresses of the guest's guest differ from those of memory. */
static int (*find_translate(const struct cpu *cpu))(void *, uint64_t, uint32_t,
						    uint64_t *)
{
	const struct debug_hooks *hooks = cpu->machine->hooks;

	if (guest_svm_is_active(cpu))
		return guest_svm_translate;
	return hooks ? hooks->translate : NULL;
}

static struct svmrun_bus cpu_bus(struct cpu *cpu)
{
	return (struct svmrun_bus){
		.memories = cpu->machine->memories,
		.memory_count = cpu->machine->memory_count,
		.rom_count = cpu->machine->rom_count,
		.mmio_read = mmio_read,
		.mmio_write = mmio_write,
		.port_read = port_read,
		.port_write = port_write,
		.stop = is_stopped,
		.owner = cpu,
		.translate = find_translate(cpu),
	};
}

unsigned int bus_instruction_length(struct cpu *cpu)
{
	const struct svm_vmcb *vmcb = cpu->vcpu.vmcb;
	const struct svmrun_bus bus = cpu_bus(cpu);
	int length;

	if (cpu->machine->info.out_svm_features & FEATURE_NRIPS)
		return vmcb->control.nrip - vmcb->save.rip;
	length = svmrun_instruction_length(&cpu->vcpu, &bus);
	return length < 0 ? 0 : length;
}

void bus_complete(struct cpu *cpu, unsigned int length)
{
	unsigned int found = bus_instruction_length(cpu);

	svmrun_instruction_complete(&cpu->vcpu,
				    cpu->vcpu.vmcb->save.rip +
					    (found ? found : length));
}

int bus_instruction_bytes(struct cpu *cpu, uint8_t *bytes)
{
	const struct svmrun_bus bus = cpu_bus(cpu);

	return svmrun_instruction_bytes(&cpu->vcpu, &bus, bytes);
}

void bus_execute(struct cpu *cpu)
{
	const struct svmrun_bus bus = cpu_bus(cpu);
	int ret = svmrun_instruction_execute(&cpu->vcpu, &bus);

	if (ret == -ENXIO && guest_svm_fault(cpu))
		return;
	if (ret < 0 && ret != -EINTR)
		end_not_emulated(cpu, &bus);
}

void exit_control_register(struct cpu *cpu)
{
	const struct svmrun_processor processor = {
		.cr4 = cpu->machine->info.out_cr4,
	};
	const struct svmrun_bus bus = cpu_bus(cpu);

	if (svmrun_instruction_control(&cpu->vcpu, &bus, &processor) &&
	    !guest_svm_fault(cpu))
		end_not_emulated(cpu, &bus);
}

static const char *access_kind(uint64_t info)
{
	if (info & SVM_NPF_FETCH)
		return "fetch from";
	return info & SVM_NPF_WRITE ? "write to" : "read of";
}

/* The address has no memory: emulate the access if it has a device, or on an open bus. */
void exit_nested_fault(struct cpu *cpu)
{
	const struct machine *machine = cpu->machine;
	const struct svm_vmcb_control *control = &cpu->vcpu.vmcb->control;

	if (!(control->exitinfo1 & SVM_NPF_FETCH) &&
	    (machine->open_bus ||
	     svmrun_pc_has(&machine->pc, cpu->id, control->exitinfo2)))
		bus_execute(cpu);
	else if (!guest_svm_shutdown(cpu, "the address has no memory"))
		cpu_end(cpu, STATUS_UNHANDLED, "unhandled",
			"VMEXIT_NPF at RIP 0x%llx: %s GPA 0x%llx, which is outside guest memory",
			cpu->vcpu.vmcb->save.rip,
			access_kind(control->exitinfo1), control->exitinfo2);
}
