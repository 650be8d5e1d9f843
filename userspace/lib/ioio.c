// SPDX-License-Identifier: LGPL-2.1-or-later
/* Decode and complete I/O instructions after VMEXIT_IOIO (APM 15.10.2). */
#include <errno.h>

#include <svmrun.h>

/* Three consecutive flags are one, two and four times @unit. Return 0 if none is set. */
static uint8_t size_from_flags(uint64_t info, uint64_t flag, uint8_t unit)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		if (info & (flag << i))
			return unit << i;
	return 0;
}

int svmrun_ioio_decode(struct svmrun_ioio *io, const struct svm_vmcb *vmcb)
{
	uint64_t info = vmcb->control.exitinfo1;

	if (vmcb->control.exitcode != VMEXIT_IOIO)
		return -EINVAL;
	*io = (struct svmrun_ioio){
		.port = info >> SVM_IOIO_PORT_SHIFT,
		.size = size_from_flags(info, SVM_IOIO_SZ8, 1),
		.in = info & SVM_IOIO_IN,
		.string = info & SVM_IOIO_STR,
		.rep = info & SVM_IOIO_REP,
		.address_size = size_from_flags(info, SVM_IOIO_A16, 2),
		.segment = (info & SVM_IOIO_SEG_MASK) >> SVM_IOIO_SEG_SHIFT,
		.next_rip = vmcb->control.exitinfo2,
	};
	return io->size ? 0 : -EINVAL;
}

static uint64_t operand_mask(const struct svmrun_ioio *io)
{
	return (1ull << (io->size * 8)) - 1;
}

uint32_t svmrun_ioio_value(const struct svmrun_ioio *io,
			   const struct svm_vmcb *vmcb)
{
	return vmcb->save.rax & operand_mask(io);
}

void svmrun_ioio_complete(const struct svmrun_ioio *io, struct svm_vmcb *vmcb,
			  uint32_t value)
{
	/* A write to a 32-bit register clears the upper half of the 64-bit one. */
	uint64_t kept = io->size == 4 ? 0 : ~operand_mask(io);

	if (io->in)
		vmcb->save.rax = (vmcb->save.rax & kept) |
				 (value & operand_mask(io));
	vmcb->save.rip = io->next_rip;
	vmcb->control.interrupt_shadow &= ~SVM_SHADOW_INTERRUPT_SHADOW;
}
