// SPDX-License-Identifier: LGPL-2.1-or-later
/* Execute the instruction after an exit, by its kind. */
#include "breakpoint.h"
#include "execution.h"
#include "fetch.h"
#include "memory.h"
#include "string_instruction.h"

/* IN and OUT need no decoding: the exit has all information. */
static int execute_port(struct svmrun_vcpu *vcpu, const struct svmrun_bus *bus,
			const struct svmrun_ioio *io)
{
	uint32_t value = 0;

	if (io->in)
		value = bus->port_read(bus->owner, io->port, io->size);
	else
		bus->port_write(bus->owner, io->port, io->size,
				svmrun_ioio_value(io, vcpu->vmcb));
	svmrun_ioio_complete(io, vcpu->vmcb, value);
	complete_instruction(vcpu->vmcb, vcpu->vmcb->save.rip,
			     breakpoint_io(vcpu, io->port, io->size));
	return 0;
}

static int execute_fetched(struct execution *execution)
{
	int ret = fetch_instruction(execution, 0);

	if (ret)
		return ret == -EILSEQ ? -EOPNOTSUPP : ret;
	if (is_string_instruction(execution))
		return string_execute(execution);
	return memory_execute(execution);
}

static int execute_decoded(struct svmrun_vcpu *vcpu,
			   const struct svmrun_bus *bus,
			   const struct svmrun_ioio *io)
{
	struct execution execution = {
		.vcpu = vcpu,
		.save = &vcpu->vmcb->save,
		.bus = bus,
		.io = *io,
	};

	return execution_finish(&execution, execute_fetched(&execution));
}

int svmrun_instruction_execute(struct svmrun_vcpu *vcpu,
			       const struct svmrun_bus *bus)
{
	struct svmrun_ioio io = { 0 };

	if (vcpu->vmcb->control.exitintinfo & SVM_EVENT_VALID)
		return -EOPNOTSUPP;
	if (!svmrun_ioio_decode(&io, vcpu->vmcb) && !io.string)
		return execute_port(vcpu, bus, &io);
	return execute_decoded(vcpu, bus, &io);
}
