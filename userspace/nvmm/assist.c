// SPDX-License-Identifier: LGPL-2.1-or-later
/* nvmm_assist_io() and nvmm_assist_mem(): the emulator, with the program's devices */
#include <string.h>

#include <svmrun/instruction.h>

#include "assist.h"
#include "call.h"
#include "events.h"

/**
 * struct assist - an assist in progress
 * @mach: first argument
 * @vcpu: second argument
 */
struct assist {
	struct nvmm_machine *mach;
	struct nvmm_vcpu *vcpu;
};

static void access_port(const struct assist *assist, uint16_t port, bool in,
			unsigned int size, uint32_t *value)
{
	struct nvmm_io io = {
		.mach = assist->mach,
		.vcpu = assist->vcpu,
		.port = port,
		.in = in,
		.size = size,
		.data = (uint8_t *)value,
	};

	assist->vcpu->private_data->callbacks.io(&io);
}

static uint32_t port_read(void *owner, uint16_t port, unsigned int size)
{
	uint32_t value = 0;

	access_port(owner, port, true, size, &value);
	return value;
}

static void port_write(void *owner, uint16_t port, unsigned int size,
		       uint32_t value)
{
	access_port(owner, port, false, size, &value);
}

static void access_memory(const struct assist *assist, uint64_t gpa, bool write,
			  unsigned int size, uint64_t *value)
{
	struct nvmm_mem mem = {
		.mach = assist->mach,
		.vcpu = assist->vcpu,
		.gpa = gpa,
		.write = write,
		.size = size,
		.data = (uint8_t *)value,
	};

	if (assist->vcpu->private_data->callbacks.mem)
		assist->vcpu->private_data->callbacks.mem(&mem);
}

/* Without a callback, for string I/O, there is nothing at the address. */
static uint64_t mmio_read(void *owner, uint64_t gpa, unsigned int size)
{
	const struct assist *assist = owner;
	uint64_t value = assist->vcpu->private_data->callbacks.mem ? 0 : ~0ull;

	access_memory(assist, gpa, false, size, &value);
	return value;
}

static void mmio_write(void *owner, uint64_t gpa, unsigned int size,
		       uint64_t value)
{
	access_memory(owner, gpa, true, size, &value);
}

static bool is_stopped(void *owner)
{
	const struct assist *assist = owner;
	const struct svmrun_registers *regs =
		assist->vcpu->private_data->cpu.regs;

	return __atomic_load_n(&regs->immediate_exit, __ATOMIC_RELAXED);
}

/* IN and OUT are executed without the guest's memory. */
static bool needs_memory(const struct nvmm_vcpu_private *vcpu)
{
	const struct svm_vmcb_control *control = &vcpu->cpu.vmcb->control;

	return control->exitcode != VMEXIT_IOIO ||
	       (control->exitinfo1 & SVM_IOIO_STR);
}

static struct svmrun_bus bus_of(const struct view *view)
{
	if (!view)
		return (struct svmrun_bus){ 0 };
	return (struct svmrun_bus){
		.memories = view->memories,
		.memory_count = view->count,
		.rom_count = view->rom_count,
	};
}

static int execute(struct assist *assist)
{
	struct nvmm_vcpu_private *vcpu = assist->vcpu->private_data;
	struct memory *memory = &vcpu->machine->memory;
	struct view *view = needs_memory(vcpu) ? memory_view_get(memory) : NULL;
	struct svmrun_bus bus = bus_of(view);
	uint64_t event = vcpu->cpu.vmcb->control.eventinj;
	int ret;

	bus.mmio_read = mmio_read;
	bus.mmio_write = mmio_write;
	bus.port_read = port_read;
	bus.port_write = port_write;
	bus.stop = is_stopped;
	bus.owner = assist;
	vcpu->cpu.vmcb->control.eventinj = 0;
	ret = svmrun_instruction_execute(&vcpu->cpu, &bus);
	if (event & SVM_EVENT_VALID)
		events_inject(vcpu, event);
	if (view)
		memory_view_put(memory, view);
	return ret == -EINTR ? 0 : ret;
}

int nvmm_assist_io(struct nvmm_machine *mach, struct nvmm_vcpu *vcpu)
{
	struct assist assist = { mach, vcpu };

	if (vcpu->exit->reason != NVMM_VCPU_EXIT_IO ||
	    !vcpu->private_data->callbacks.io)
		return call_return(-EINVAL);
	return call_return(execute(&assist));
}

int nvmm_assist_mem(struct nvmm_machine *mach, struct nvmm_vcpu *vcpu)
{
	struct assist assist = { mach, vcpu };

	if (vcpu->exit->reason != NVMM_VCPU_EXIT_MEMORY ||
	    !vcpu->private_data->callbacks.mem)
		return call_return(-EINVAL);
	return call_return(execute(&assist));
}

int assist_instruction_length(struct nvmm_vcpu_private *vcpu)
{
	struct view *view = memory_view_get(&vcpu->machine->memory);
	const struct svmrun_bus bus = bus_of(view);
	int ret = svmrun_instruction_length(&vcpu->cpu, &bus);

	memory_view_put(&vcpu->machine->memory, view);
	return ret;
}

int assist_control(struct nvmm_vcpu_private *vcpu)
{
	const struct svmrun_processor processor = {
		.cr4 = vcpu->machine->info.out_cr4,
	};
	struct view *view = memory_view_get(&vcpu->machine->memory);
	const struct svmrun_bus bus = bus_of(view);
	int ret = svmrun_instruction_control(&vcpu->cpu, &bus, &processor);

	memory_view_put(&vcpu->machine->memory, view);
	return ret;
}
