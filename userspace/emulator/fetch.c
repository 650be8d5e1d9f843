// SPDX-License-Identifier: LGPL-2.1-or-later
/* Fetch and decode the instruction at CS:RIP. */
#include <string.h>

#include "access.h"
#include "fetch.h"
#include "lib/memories.h"

/*
 * State of a fetch. @bytes has @count bytes so far; at most @limit can be fetched before
 * the end of the code segment.
 */
struct fetch {
	const struct svmrun_vcpu *vcpu;
	const struct svmrun_bus *bus;
	uint32_t access;
	uint64_t linear;
	unsigned int limit;
	unsigned int count;
	uint8_t bytes[SVMRUN_INSTRUCTION_MAX];
	struct fault fault;
};

/*
 * An instruction that this thread has decoded before. What Zydis returns depends only on the
 * bytes and the mode, so that an entry is valid for any guest. @instruction.length is 0 if
 * the entry is unused.
 */
struct decoded {
	uint8_t bytes[SVMRUN_INSTRUCTION_MAX];
	ZydisMachineMode mode;
	ZydisDecodedInstruction instruction;
	ZydisDecodedOperand operand[EXECUTION_OPERANDS];
};

/* Guests access devices in few places, and decoding would be a third of an access. */
#define DECODED 16
static __thread struct decoded decoded[DECODED];

static void fetch_begin(struct fetch *fetch, const struct svmrun_vcpu *vcpu,
			const struct svmrun_bus *bus, uint32_t access)
{
	const struct svm_vmcb_save *save = &vcpu->vmcb->save;
	uint32_t rip = save->rip;

	fetch->vcpu = vcpu;
	fetch->bus = bus;
	fetch->access = access | SVMRUN_ACCESS_FETCH;
	fetch->linear = save->rip;
	fetch->limit = SVMRUN_INSTRUCTION_MAX;
	fetch->count = 0;
	fetch->fault = (struct fault){ 0 };
	if (save->cpl == 3)
		fetch->access |= SVMRUN_ACCESS_USER;
	if (is_64_bit(save))
		return;
	fetch->linear = (uint32_t)(save->cs.base + rip);
	if (rip > save->cs.limit)
		fetch->limit = 0;
	else if (save->cs.limit - rip < SVMRUN_INSTRUCTION_MAX)
		fetch->limit = save->cs.limit - rip + 1;
}

/* Fetch bytes up to the end of the page. */
static int fetch_more(struct fetch *fetch)
{
	uint64_t linear = fetch->linear + fetch->count, gpa;
	unsigned int left = fetch->limit - fetch->count;
	unsigned int page = PAGE_SIZE - linear % PAGE_SIZE;
	unsigned int size = left < page ? left : page;
	const void *code;
	int ret;

	if (!size)
		return fault_set(&fetch->fault, VECTOR_GP);
	ret = translate_linear(fetch->vcpu, fetch->bus, linear, fetch->access,
			       &gpa, &fetch->fault);
	if (ret)
		return ret;
	code = memories_at(fetch->bus->memories, fetch->bus->memory_count, gpa,
			   size);
	if (!code)
		return -ENXIO;
	memcpy(fetch->bytes + fetch->count, code, size);
	fetch->count += size;
	return 0;
}

static void decoder_init(ZydisDecoder *decoder,
			 const struct svm_vmcb_save *save)
{
	bool wide = save->cs.attrib & SVM_SEG_DB;

	if (is_64_bit(save))
		ZydisDecoderInit(decoder, ZYDIS_MACHINE_MODE_LONG_64,
				 ZYDIS_STACK_WIDTH_64);
	else if (wide)
		ZydisDecoderInit(decoder, ZYDIS_MACHINE_MODE_LEGACY_32,
				 ZYDIS_STACK_WIDTH_32);
	else
		ZydisDecoderInit(decoder, ZYDIS_MACHINE_MODE_LEGACY_16,
				 ZYDIS_STACK_WIDTH_16);
}

/* Fetch as needed, and decode. @context is NULL if operands are not decoded. */
static int fetch_decode(struct fetch *fetch, const ZydisDecoder *decoder,
			ZydisDecoderContext *context,
			ZydisDecodedInstruction *instruction)
{
	ZyanStatus status = ZYDIS_STATUS_NO_MORE_DATA;
	int ret;

	for (;;) {
		if (fetch->count)
			status = ZydisDecoderDecodeInstruction(decoder, context,
							       fetch->bytes,
							       fetch->count,
							       instruction);
		if (ZYAN_SUCCESS(status))
			return 0;
		if (status != ZYDIS_STATUS_NO_MORE_DATA ||
		    fetch->count == SVMRUN_INSTRUCTION_MAX)
			return -EILSEQ;
		ret = fetch_more(fetch);
		if (ret)
			return ret;
	}
}

/*
 * With decode assists, the VMCB contains the bytes that the processor has fetched after
 * a nested page fault of a data access (APM 15.8.4).
 */
static void use_decode_assists(struct fetch *fetch)
{
	const struct svm_vmcb_control *control = &fetch->vcpu->vmcb->control;

	if (control->exitcode != VMEXIT_NPF ||
	    (control->exitinfo1 & SVM_NPF_FETCH))
		return;
	fetch->count = control->insn_len & 15; /* the rest is reserved */
	if (fetch->count > fetch->limit)
		fetch->count = fetch->limit;
	memcpy(fetch->bytes, control->insn_bytes, fetch->count);
}

static struct decoded *find_decoded(uint64_t linear)
{
	return &decoded[(linear ^ linear >> 4) % DECODED];
}

static bool is_decoded(const struct decoded *entry, const struct fetch *fetch,
		       ZydisMachineMode mode)
{
	unsigned int length = entry->instruction.length;

	return length && length <= fetch->count && entry->mode == mode &&
	       !memcmp(entry->bytes, fetch->bytes, length);
}

/* Decode an instruction, and remember it. */
static int decode(struct fetch *fetch, const ZydisDecoder *decoder,
		  struct decoded *entry)
{
	ZydisDecodedInstruction instruction;
	ZydisDecoderContext context;
	int ret = fetch_decode(fetch, decoder, &context, &instruction);

	if (ret)
		return ret;
	if (instruction.operand_count_visible > EXECUTION_OPERANDS)
		return -EOPNOTSUPP;
	memcpy(entry->bytes, fetch->bytes, instruction.length);
	entry->mode = decoder->machine_mode;
	entry->instruction = instruction;
	ZydisDecoderDecodeOperands(decoder, &context, &instruction,
				   entry->operand,
				   instruction.operand_count_visible);
	return 0;
}

int fetch_instruction(struct execution *execution, uint32_t access)
{
	struct decoded *entry;
	ZydisDecoder decoder;
	struct fetch fetch;
	int ret = 0;

	fetch_begin(&fetch, execution->vcpu, execution->bus, access);
	use_decode_assists(&fetch);
	decoder_init(&decoder, execution->save);
	entry = find_decoded(fetch.linear);
	if (!fetch.count)
		ret = fetch_more(&fetch);
	if (!ret && !is_decoded(entry, &fetch, decoder.machine_mode))
		ret = decode(&fetch, &decoder, entry);
	if (ret) {
		execution->fault = fetch.fault;
		return ret;
	}
	execution->instruction = entry->instruction;
	memcpy(execution->operand, entry->operand,
	       entry->instruction.operand_count_visible *
		       sizeof(entry->operand[0]));
	return 0;
}

/*
 * Return the length of an instruction without prefixes that programs often skip, 0 for
 * others: HLT, CPUID, RDMSR and its kind, and those of SVM. Decoding takes ten times as long.
 */
static int common_length(const struct fetch *fetch)
{
	const uint8_t *bytes = fetch->bytes;

	if (fetch->count >= 1 && bytes[0] == 0xf4)
		return 1;
	if (fetch->count < 3 || bytes[0] != 0x0f)
		return 0;
	if (bytes[1] == 0xa2 || (bytes[1] >= 0x30 && bytes[1] <= 0x33))
		return 2;
	return bytes[1] == 0x01 && bytes[2] >= 0xc0 ? 3 : 0;
}

int svmrun_instruction_length(const struct svmrun_vcpu *vcpu,
			      const struct svmrun_bus *bus)
{
	ZydisDecodedInstruction instruction;
	ZydisDecoder decoder;
	struct fetch fetch;
	int ret;

	fetch_begin(&fetch, vcpu, bus, SVMRUN_ACCESS_PROBE);
	ret = fetch_more(&fetch);
	if (!ret)
		ret = common_length(&fetch);
	if (ret)
		return ret;
	decoder_init(&decoder, &vcpu->vmcb->save);
	ZydisDecoderEnableMode(&decoder, ZYDIS_DECODER_MODE_MINIMAL, ZYAN_TRUE);
	ret = fetch_decode(&fetch, &decoder, NULL, &instruction);
	return ret ? ret : instruction.length;
}

int svmrun_instruction_bytes(const struct svmrun_vcpu *vcpu,
			     const struct svmrun_bus *bus,
			     uint8_t bytes[SVMRUN_INSTRUCTION_MAX])
{
	struct fetch fetch;
	int ret;

	fetch_begin(&fetch, vcpu, bus, SVMRUN_ACCESS_PROBE);
	do {
		ret = fetch_more(&fetch);
	} while (!ret && fetch.count < fetch.limit);
	memcpy(bytes, fetch.bytes, fetch.count);
	return fetch.count ? (int)fetch.count : ret;
}
