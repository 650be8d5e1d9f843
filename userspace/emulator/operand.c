// SPDX-License-Identifier: LGPL-2.1-or-later
/* Registers, segments and operands of an instruction */
#include "lib/array_size.h"
#include "operand.h"

/* ---- general-purpose registers -------------------------------------------- */

static const struct {
	ZydisRegister first, last;
	struct gpr gpr;
} gprs[] = {
	{ ZYDIS_REGISTER_RAX, ZYDIS_REGISTER_R15, { SVMRUN_RAX, 0, 8 } },
	{ ZYDIS_REGISTER_EAX, ZYDIS_REGISTER_R15D, { SVMRUN_RAX, 0, 4 } },
	{ ZYDIS_REGISTER_AX, ZYDIS_REGISTER_R15W, { SVMRUN_RAX, 0, 2 } },
	{ ZYDIS_REGISTER_AL, ZYDIS_REGISTER_BL, { SVMRUN_RAX, 0, 1 } },
	{ ZYDIS_REGISTER_AH, ZYDIS_REGISTER_BH, { SVMRUN_RAX, 8, 1 } },
	{ ZYDIS_REGISTER_SPL, ZYDIS_REGISTER_R15B, { SVMRUN_RSP, 0, 1 } },
};

bool gpr_lookup(ZydisRegister name, struct gpr *gpr)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(gprs); i++) {
		if (name < gprs[i].first || name > gprs[i].last)
			continue;
		*gpr = gprs[i].gpr;
		gpr->number += name - gprs[i].first;
		return true;
	}
	return false;
}

uint64_t gpr_read(const struct execution *execution, struct gpr gpr)
{
	return svmrun_vcpu_get_gpr(execution->vcpu, gpr.number) >> gpr.shift &
	       size_mask(gpr.size);
}

/* Writes of 32 bits clear the upper half, those of 8 or 16 do not (APM vol. 1, 3.1.2). */
void gpr_write(const struct execution *execution, struct gpr gpr,
	       uint64_t value)
{
	uint64_t mask = size_mask(gpr.size) << gpr.shift, whole = 0;

	if (gpr.size != 4)
		whole = svmrun_vcpu_get_gpr(execution->vcpu, gpr.number);
	svmrun_vcpu_set_gpr(execution->vcpu, gpr.number,
			    (whole & ~mask) | (value << gpr.shift & mask));
}

/* ---- segments ------------------------------------------------------------- */

#define AT(member) offsetof(struct svm_vmcb_save, member)
static const uint16_t segment_offset[] = { AT(es), AT(cs), AT(ss),
					   AT(ds), AT(fs), AT(gs) };

const struct svm_seg *segment_register(const struct execution *execution,
				       unsigned int segment)
{
	return (const void *)((const char *)execution->save +
			      segment_offset[segment]);
}

static int segment_fault(struct execution *execution, unsigned int segment)
{
	return fault_set(&execution->fault,
			 segment == SEGMENT_SS ? VECTOR_SS : VECTOR_GP);
}

static unsigned int linear_bits(const struct svm_vmcb_save *save)
{
	return save->cr4 & SVM_CR4_LA57 ? LINEAR_BITS_5_LEVELS :
					  LINEAR_BITS_4_LEVELS;
}

#define TYPE_CODE (1u << 3)
#define TYPE_EXPAND_DOWN (1u << 2) /* data segment */
#define TYPE_RW (1u << 1) /* writable data, or readable code */

/* Real and virtual-8086 mode do not check segment types (APM 4.7, 4.12). */
static bool violates_type(const struct svm_vmcb_save *save, uint16_t attrib,
			  bool write)
{
	if (!(save->cr0 & SVM_CR0_PE) || (save->rflags & RFLAGS_VM))
		return false;
	if (!(attrib & SVM_SEG_P))
		return true;
	if (write)
		return (attrib & TYPE_CODE) || !(attrib & TYPE_RW);
	return (attrib & TYPE_CODE) && !(attrib & TYPE_RW);
}

static bool violates_limit(const struct svm_seg *seg, uint64_t first,
			   uint64_t last)
{
	if ((seg->attrib & (TYPE_CODE | TYPE_EXPAND_DOWN)) != TYPE_EXPAND_DOWN)
		return last > seg->limit;
	return first <= seg->limit ||
	       last > (seg->attrib & SVM_SEG_DB ? UINT32_MAX : UINT16_MAX);
}

/* 64-bit mode has no limits, and only the bases of FS and GS (APM 4.5.3). */
static int segment_linear_64(struct execution *execution, unsigned int segment,
			     uint64_t offset, unsigned int size,
			     uint64_t *linear)
{
	unsigned int bits = linear_bits(execution->save);

	if (segment >= SEGMENT_FS)
		offset += segment_register(execution, segment)->base;
	if (!is_canonical(offset, bits) ||
	    !is_canonical(offset + size - 1, bits))
		return segment_fault(execution, segment);
	*linear = offset;
	return 0;
}

int segment_linear(struct execution *execution, unsigned int segment,
		   uint64_t offset, unsigned int size, bool write,
		   uint64_t *linear)
{
	const struct svm_seg *seg = segment_register(execution, segment);

	if (is_64_bit(execution->save))
		return segment_linear_64(execution, segment, offset, size,
					 linear);
	if (violates_type(execution->save, seg->attrib, write) ||
	    violates_limit(seg, offset, offset + size - 1))
		return segment_fault(execution, segment);
	*linear = (uint32_t)(seg->base + offset);
	return 0;
}

/* ---- operands ------------------------------------------------------------- */

unsigned int operand_size(const struct execution *execution, unsigned int i)
{
	return execution->operand[i].size / 8;
}

bool operand_is_memory(const struct execution *execution, unsigned int i)
{
	return i < execution->instruction.operand_count_visible &&
	       execution->operand[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
	       execution->operand[i].mem.type == ZYDIS_MEMOP_TYPE_MEM;
}

static uint64_t address_part(const struct execution *execution,
			     ZydisRegister name)
{
	const struct svm_vmcb_save *save = execution->save;
	struct gpr gpr;

	if (gpr_lookup(name, &gpr))
		return gpr_read(execution, gpr);
	if (name == ZYDIS_REGISTER_RIP || name == ZYDIS_REGISTER_EIP)
		return save->rip + execution->instruction.length;
	return 0;
}

static uint64_t truncate_address(const struct execution *execution,
				 uint64_t address)
{
	return address & size_mask(execution->instruction.address_width / 8);
}

uint64_t operand_address(const struct execution *execution, unsigned int i)
{
	const ZydisDecodedOperandMem *mem = &execution->operand[i].mem;

	return truncate_address(execution,
				address_part(execution, mem->base) +
					address_part(execution, mem->index) *
						mem->scale +
					(uint64_t)mem->disp.value);
}

int operand_linear(struct execution *execution, unsigned int i, int64_t offset,
		   bool write, uint64_t *linear)
{
	uint64_t address = operand_address(execution, i) + (uint64_t)offset;

	return segment_linear(execution,
			      execution->operand[i].mem.segment -
				      ZYDIS_REGISTER_ES,
			      truncate_address(execution, address),
			      operand_size(execution, i), write, linear);
}

int operand_translate(struct execution *execution, unsigned int i, bool write,
		      struct memory_access *access)
{
	uint64_t linear;
	int ret;

	ret = operand_linear(execution, i, 0, write, &linear);
	if (ret)
		return ret;
	return access_translate(execution, linear, operand_size(execution, i),
				write, access);
}

static uint64_t register_read(const struct execution *execution,
			      ZydisRegister name)
{
	struct gpr gpr;

	if (gpr_lookup(name, &gpr))
		return gpr_read(execution, gpr);
	return segment_register(execution, name - ZYDIS_REGISTER_ES)->selector;
}

int operand_read(struct execution *execution, unsigned int i, uint64_t *value)
{
	const ZydisDecodedOperand *operand = &execution->operand[i];
	struct memory_access access;
	int ret;

	if (operand->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
		*value = operand->imm.value.u;
		return 0;
	}
	if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER) {
		*value = register_read(execution, operand->reg.value);
		return 0;
	}
	ret = operand_translate(execution, i, false, &access);
	if (!ret)
		*value = access_read(execution->bus, &access);
	return ret;
}

int operand_write(struct execution *execution, unsigned int i, uint64_t value)
{
	struct memory_access access;
	struct gpr gpr;
	int ret;

	if (execution->operand[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
	    gpr_lookup(execution->operand[i].reg.value, &gpr)) {
		gpr_write(execution, gpr, value);
		return 0;
	}
	ret = operand_translate(execution, i, true, &access);
	if (!ret)
		access_store(execution->bus, &access, &value);
	return ret;
}
