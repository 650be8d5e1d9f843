// SPDX-License-Identifier: LGPL-2.1-or-later
/* One instruction from its exit to its end: completed, interrupted or a fault */
#include "execution.h"

#define DR6_BS (1ull << 14)
#define DR7_GD (1ull << 13)

static void inject(struct svm_vmcb *vmcb, const struct fault *fault)
{
	uint64_t event = SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION |
			 fault->vector;

	if (fault->has_error_code && (vmcb->save.cr0 & SVM_CR0_PE))
		event |= SVM_EVENT_ERROR_CODE_VALID |
			 (uint64_t)fault->error_code
				 << SVM_EVENT_ERROR_CODE_SHIFT;
	vmcb->control.eventinj = event;
	if (fault->vector != VECTOR_PF)
		return;
	vmcb->save.cr2 = fault->address;
	vmcb->control.clean &= ~SVM_CLEAN_CR2;
}

/* APM 13.1.4; what the processor would do before the handler begins (13.1.1.4) */
static void trap_step(struct svm_vmcb *vmcb)
{
	const struct fault trap = { .vector = VECTOR_DB };

	vmcb->save.dr6 |= DR6_BS;
	vmcb->save.dr7 &= ~DR7_GD;
	vmcb->control.clean &= ~SVM_CLEAN_DRx;
	inject(vmcb, &trap);
}

static void end_shadow(struct svm_vmcb *vmcb)
{
	vmcb->control.interrupt_shadow &= ~SVM_SHADOW_INTERRUPT_SHADOW;
}

static void complete(struct svm_vmcb *vmcb, uint64_t next)
{
	struct svm_vmcb_save *save = &vmcb->save;

	save->rip = is_64_bit(save) ? next : (uint32_t)next;
	save->rflags &= ~RFLAGS_RF;
	end_shadow(vmcb);
	if (save->rflags & RFLAGS_TF)
		trap_step(vmcb);
}

/* Not at its beginning any more: RF, since its breakpoint has been seen */
static void resume(struct svm_vmcb *vmcb)
{
	vmcb->save.rflags |= RFLAGS_RF;
	end_shadow(vmcb);
	if (vmcb->save.rflags & RFLAGS_TF)
		trap_step(vmcb);
}

/* RF is what the processor pushes for a fault (APM 8.4). */
static void fail(struct svm_vmcb *vmcb, const struct fault *fault)
{
	vmcb->save.rflags |= RFLAGS_RF;
	end_shadow(vmcb);
	inject(vmcb, fault);
}

/* IN and OUT need no decoding: the exit says it all. */
static int port_execute(struct svmrun_vcpu *vcpu, const struct svmrun_bus *bus,
			const struct svmrun_ioio *io)
{
	uint32_t value = 0;

	if (io->in)
		value = bus->port_read(bus->owner, io->port, io->size);
	else
		bus->port_write(bus->owner, io->port, io->size,
				svmrun_ioio_value(io, vcpu->vmcb));
	svmrun_ioio_complete(io, vcpu->vmcb, value);
	complete(vcpu->vmcb, vcpu->vmcb->save.rip);
	return 0;
}

static int execute(struct execution *execution)
{
	int ret = fetch_instruction(execution);

	if (ret)
		return ret == -EILSEQ ? -EOPNOTSUPP : ret;
	if (string_is(execution))
		return string_execute(execution);
	return memory_execute(execution);
}

int execution_finish(struct execution *execution, int ret)
{
	struct svm_vmcb *vmcb = execution->vcpu->vmcb;

	switch (ret) {
	case EXECUTION_DONE:
		complete(vmcb, vmcb->save.rip + execution->instruction.length);
		return 0;
	case EXECUTION_RESUME:
		resume(vmcb);
		return 0;
	case -EINTR:
		resume(vmcb);
		return ret;
	case -EFAULT:
		fail(vmcb, &execution->fault);
		return 0;
	case -EAGAIN: /* the guest finds out itself what is there now */
		return 0;
	default:
		return ret;
	}
}

int svmrun_instruction_execute(struct svmrun_vcpu *vcpu,
			       const struct svmrun_bus *bus)
{
	struct execution execution = {
		.vcpu = vcpu,
		.save = &vcpu->vmcb->save,
		.bus = bus,
	};

	if (vcpu->vmcb->control.exitintinfo & SVM_EVENT_VALID)
		return -EOPNOTSUPP;
	if (!svmrun_ioio_decode(&execution.io, vcpu->vmcb) &&
	    !execution.io.string)
		return port_execute(vcpu, bus, &execution.io);
	return execution_finish(&execution, execute(&execution));
}
