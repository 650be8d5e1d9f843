// SPDX-License-Identifier: GPL-2.0
#include "bus.h"
#include "common/clock.h"
#include "machine.h"

/* INS and OUTS take registers, segments and memory: the instruction is carried out. */
void cpu_ioio(struct cpu *cpu)
{
	struct svm_vmcb *vmcb = cpu->vcpu.vmcb;
	struct svmrun_ioio io = { 0 };
	uint32_t value = 0;

	if (svmrun_ioio_decode(&io, vmcb) || io.string) {
		bus_execute(cpu);
		return;
	}
	if (io.in)
		value = bus_port_read(cpu, io.port, io.size);
	else
		bus_port_write(cpu, io.port, io.size,
			       svmrun_ioio_value(&io, vmcb));
	if (!cpu->machine->outcome.ended || io.in)
		svmrun_ioio_complete(&io, vmcb, value);
}
