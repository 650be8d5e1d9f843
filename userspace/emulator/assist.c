// SPDX-License-Identifier: LGPL-2.1-or-later
/* Decode assists: EXITINFO1 as a processor that has them saves it (APM 15.8) */
#include <svmrun/instruction.h>

#include "execution.h"
#include "fetch.h"
#include "operand.h"
#include "string_instruction.h"

/* In exit codes of accesses to CRn and DRn */
#define CODE_WRITE 0x10u
#define CODE_NUMBER_MASK 0xfu

static bool is_register(const struct execution *execution, unsigned int i,
			ZydisRegisterClass class, int number)
{
	ZydisRegister reg = execution->operand[i].reg.value;

	return execution->operand[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
	       ZydisRegisterGetClass(reg) == class &&
	       ZydisRegisterGetId(reg) == number;
}

/*
 * Return EXITINFO1 of the exit @code for MOV to or from CRn or DRn. It is 0 for LMSW, SMSW and
 * CLTS, and if the guest has replaced the instruction since the exit.
 */
static uint64_t assist_mov(const struct execution *execution,
			   ZydisRegisterClass class, uint64_t code,
			   uint64_t bits)
{
	unsigned int i = code & CODE_WRITE ? 0 : 1;
	struct gpr gpr;

	if (execution->instruction.mnemonic != ZYDIS_MNEMONIC_MOV ||
	    !is_register(execution, i, class, code & CODE_NUMBER_MASK) ||
	    !gpr_lookup(execution->operand[1 - i].reg.value, &gpr))
		return 0;
	return gpr.number | bits;
}

static uint64_t assist_int(const struct execution *execution)
{
	if (execution->instruction.mnemonic != ZYDIS_MNEMONIC_INT)
		return 0;
	return execution->operand[0].imm.value.u & 0xff;
}

/* Neither limits nor canonical addresses are checked (APM volume 3, INVLPG). */
static uint64_t assist_invlpg(const struct execution *execution)
{
	unsigned int segment = execution->operand[0].mem.segment -
			       ZYDIS_REGISTER_ES;
	uint64_t address;

	if (execution->instruction.mnemonic != ZYDIS_MNEMONIC_INVLPG)
		return 0;
	address = operand_address(execution, 0);
	if (is_64_bit(execution->save) && segment < SEGMENT_FS)
		return address;
	address += segment_register(execution, segment)->base;
	return is_64_bit(execution->save) ? address : (uint32_t)address;
}

static uint64_t assist_invlpga(const struct execution *execution)
{
	if (execution->instruction.mnemonic != ZYDIS_MNEMONIC_INVLPGA)
		return 0;
	return execution->save->rax &
	       size_mask(execution->instruction.address_width / 8);
}

/* The segment of OUTS (APM 15.10.2); that of INS is always ES, which is 0. */
static uint64_t assist_ioio(const struct execution *execution)
{
	uint64_t info = execution->vcpu->vmcb->control.exitinfo1;
	uint64_t segment;

	if ((info & SVM_IOIO_IN) || !(info & SVM_IOIO_STR))
		return info;
	segment = string_source_segment(execution);
	return (info & ~SVM_IOIO_SEG_MASK) | segment << SVM_IOIO_SEG_SHIFT;
}

static uint64_t assist(const struct execution *execution)
{
	uint64_t code = execution->vcpu->vmcb->control.exitcode;

	switch (code) {
	case VMEXIT_IOIO:
		return assist_ioio(execution);
	case VMEXIT_SWINT:
		return assist_int(execution);
	case VMEXIT_INVLPG:
		return assist_invlpg(execution);
	case VMEXIT_INVLPGA:
		return assist_invlpga(execution);
	case VMEXIT_CR0_SEL_WRITE:
		return assist_mov(execution, ZYDIS_REGCLASS_CONTROL,
				  VMEXIT_CR_WRITE(0), SVMRUN_ASSIST_MOV_CR);
	case VMEXIT_CR_READ(0)... VMEXIT_CR_WRITE(15):
		return assist_mov(execution, ZYDIS_REGCLASS_CONTROL, code,
				  SVMRUN_ASSIST_MOV_CR);
	case VMEXIT_DR_READ(0)... VMEXIT_DR_WRITE(15):
		return assist_mov(execution, ZYDIS_REGCLASS_DEBUG, code, 0);
	default:
		return 0;
	}
}

int svmrun_instruction_assist(const struct svmrun_vcpu *vcpu,
			      const struct svmrun_bus *bus, uint64_t *info)
{
	struct svmrun_vcpu copy = *vcpu;
	struct execution execution = {
		.vcpu = &copy,
		.save = &copy.vmcb->save,
		.bus = bus,
	};
	int ret = fetch_instruction(&execution, SVMRUN_ACCESS_PROBE);

	*info = ret ? 0 : assist(&execution);
	return ret;
}
