// SPDX-License-Identifier: GPL-2.0
/*
 * Coverage-guided: emulate one instruction with random bytes, registers and mode.
 * An independent decoder (Zydis) determines what the instruction may change.
 * Nothing else may have changed, and the instruction has completed, faulted, or
 * stopped within a REP.
 */
#include <errno.h>

#include <Zydis/Zydis.h>

#include "../unit/bus_guest.h"
#include "input.h"

#define RFLAGS_RF (1ull << 16)
#define RFLAGS_TF (1ull << 8)
#define TABLES_END (GUEST_TABLES + SVMRUN_LONG_TABLES_SIZE)
#define GPRS 16

enum { LONG, LONG_USER, PROTECTED, REAL, MODES };

/* Allocated, so that the sanitizer detects accesses beyond the ends */
static uint8_t *memory, *memory_before;
static struct bus_guest guest;
static struct vcpu_pages before;
static struct mode {
	struct vcpu_pages pages;
	uint8_t tables[SVMRUN_LONG_TABLES_SIZE];
} modes[MODES];
static struct svm_vmcb *const vmcb = &guest.pages.vmcb;
static struct svm_vmcb_save *const save = &guest.pages.vmcb.save;

/* Result of the independent decoder */
static ZydisDecodedInstruction instruction;
static ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
static bool decoded;

static void keep(unsigned int mode)
{
	modes[mode].pages = guest.pages;
	memcpy(modes[mode].tables, guest.memory + GUEST_TABLES,
	       SVMRUN_LONG_TABLES_SIZE);
}

/* Set the U/S bit in the same tables, and CPL 3. */
static void keep_user(void)
{
	uint64_t gpa, entry;

	for (gpa = GUEST_TABLES; gpa < TABLES_END; gpa += sizeof(entry)) {
		memcpy(&entry, guest.memory + gpa, sizeof(entry));
		entry |= entry & 1 ? 4 : 0;
		memcpy(guest.memory + gpa, &entry, sizeof(entry));
	}
	save->cpl = 3;
	keep(LONG_USER);
}

static void prepare(void)
{
	if (memory)
		return;
	memory = malloc(GUEST_END);
	memory_before = malloc(GUEST_END);
	holds(memory && memory_before, "no memory");
	guest_long(&guest);
	keep(LONG);
	keep_user();
	guest_protected(&guest);
	keep(PROTECTED);
	guest_real(&guest);
	keep(REAL);
	guest.memories[0].base = memory;
}

static void reset(const struct mode *mode)
{
	guest.pages = mode->pages;
	guest.reads = 0;
	guest.writes = 0;
	guest.ins = 0;
	guest.outs = 0;
	guest.asked = 0;
	memset(memory, 0x90, GUEST_END);
	memcpy(memory + GUEST_TABLES, mode->tables, SVMRUN_LONG_TABLES_SIZE);
}

/* ---- set up a guest from the input --------------------------------------- */

static void take_registers(struct input *input)
{
	static const uint64_t bases[] = {
		0,	    GUEST_DATA,	       GUEST_END - 8,	   GUEST_DEVICE,
		0xfffffff8, 0x7ffffffffff8ull, GUEST_DATA + 0xff8, 0xfff8,
	};
	unsigned int i;

	for (i = 0; i < GPRS; i++) {
		uint8_t which = input_take(input, 1);

		svmrun_vcpu_set_gpr(&guest.vcpu, i,
				    bases[which & 7] + (which >> 3));
	}
}

static void take_state(struct input *input)
{
	uint64_t bits = input_take(input, 4);

	save->rflags = 2 | (bits & 0x40dd5);
	save->cr0 |= bits >> 20 & 1 ? 1 << 18 : 0; /* AM */
	save->cr0 |= bits >> 21 & 1 ? 1 << 3 : 0; /* TS */
	save->cr0 |= bits >> 22 & 1 ? 1 << 16 : 0; /* WP */
	save->cr4 |= bits >> 23 & 1 ? 1 << 21 : 0; /* SMAP */
	save->ds.limit = bits >> 24 & 1 ? 0xfff : save->ds.limit;
	save->ds.attrib ^= bits >> 25 & 0x1f; /* bits above P have no effect */
	save->fs.base += bits >> 28 & 0xf;
	guest.bus.rom_count = bits >> 19 & 1;
}

static void take_exit(struct input *input)
{
	uint32_t info = input_take(input, 2);

	if (!(info & 0x8000)) {
		vmcb->control.exitcode = VMEXIT_NPF;
		vmcb->control.exitinfo1 = 0;
		return;
	}
	vmcb->control.exitcode = VMEXIT_IOIO;
	vmcb->control.exitinfo1 = 0x3f80000 | (info & 0x3fff);
	vmcb->control.exitinfo2 = GUEST_CODE + (info >> 14 & 1) + 1;
}

static void take_code(struct input *input)
{
	static const uint64_t places[] = { GUEST_CODE, GUEST_CODE + 0xffe,
					   GUEST_END - 3, GUEST_END - 15 };
	uint8_t how = input_take(input, 1);
	uint8_t *code;

	save->rip = places[how & 3];
	code = memory + save->rip;
	vmcb->control.insn_len = how >> 4;
	guest.stop_after = 1 + (how >> 2 & 3) * 16;
	while (input->left && code < memory + GUEST_END)
		*code++ = input_take(input, 1);
	memset(vmcb->control.insn_bytes, 0x90, 15);
	if (save->rip + 15 <= GUEST_END)
		memcpy(vmcb->control.insn_bytes, memory + save->rip, 15);
	else
		vmcb->control.insn_len = 0;
}

static void decode(unsigned int mode)
{
	static const ZydisMachineMode machines[] = {
		[LONG] = ZYDIS_MACHINE_MODE_LONG_64,
		[LONG_USER] = ZYDIS_MACHINE_MODE_LONG_64,
		[PROTECTED] = ZYDIS_MACHINE_MODE_LEGACY_32,
		[REAL] = ZYDIS_MACHINE_MODE_LEGACY_16,
	};
	static const ZydisStackWidth widths[] = {
		[LONG] = ZYDIS_STACK_WIDTH_64,
		[LONG_USER] = ZYDIS_STACK_WIDTH_64,
		[PROTECTED] = ZYDIS_STACK_WIDTH_32,
		[REAL] = ZYDIS_STACK_WIDTH_16,
	};
	ZydisDecoder decoder;
	size_t room = GUEST_END - save->rip;

	ZydisDecoderInit(&decoder, machines[mode], widths[mode]);
	decoded = ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder,
						      memory + save->rip,
						      room < 15 ? room : 15,
						      &instruction, operands));
}

/* ---- permitted changes --------------------------------------------------- */

static bool is_repeated(void)
{
	unsigned int i;

	for (i = 0; i < instruction.raw.prefix_count; i++)
		if ((instruction.raw.prefixes[i].value & 0xfe) == 0xf2)
			return true;
	return false;
}

static bool is_port_access(void)
{
	uint64_t info = vmcb->control.exitinfo1;

	return vmcb->control.exitcode == VMEXIT_IOIO &&
	       !(info & SVM_IOIO_STR) && (info & 0x70);
}

static bool is_string(void)
{
	return instruction.meta.category == ZYDIS_CATEGORY_STRINGOP ||
	       instruction.meta.category == ZYDIS_CATEGORY_IOSTRINGOP;
}

/* The decoder does not report all registers that string instructions write. */
static bool writes_gpr(unsigned int gpr)
{
	ZydisRegister name = ZYDIS_REGISTER_RAX + gpr;
	unsigned int i;

	if (gpr == SVMRUN_RCX && is_repeated())
		return true;
	if ((gpr == SVMRUN_RSI || gpr == SVMRUN_RDI) && is_string())
		return true;
	for (i = 0; i < instruction.operand_count; i++)
		if (operands[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    (operands[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) &&
		    ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64,
						     operands[i].reg.value) ==
			    name)
			return true;
	return false;
}

static void check_gprs(bool may)
{
	struct svmrun_vcpu vcpu = { .vmcb = &before.vmcb,
				    .regs = &before.regs };
	unsigned int i;

	for (i = 0; i < GPRS; i++) {
		uint64_t is = svmrun_vcpu_get_gpr(&guest.vcpu, i);
		uint64_t was = svmrun_vcpu_get_gpr(&vcpu, i);

		holds(is == was || (may && writes_gpr(i)),
		      "a register that it does not write has changed");
	}
}

static void check_rflags(bool may)
{
	uint64_t changed = save->rflags ^ before.vmcb.save.rflags;
	uint64_t allowed = RFLAGS_RF;
	const ZydisAccessedFlags *flags = instruction.cpu_flags;

	if (may && flags)
		allowed |= flags->modified | flags->set_0 | flags->set_1 |
			   flags->undefined;
	holds(!(changed & ~allowed),
	      "a flag that it does not write has changed");
}

static const ZydisDecodedOperand *written_memory(void)
{
	unsigned int i;

	for (i = 0; i < instruction.operand_count; i++)
		if (operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    (operands[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
			return &operands[i];
	return NULL;
}

/* Compute the operand's address as the decoder sees it, if segment bases are 0. */
static uint64_t address_of(const ZydisDecodedOperand *operand)
{
	struct svmrun_vcpu vcpu = { .vmcb = &before.vmcb,
				    .regs = &before.regs };
	ZydisRegisterContext context = { 0 };
	uint64_t address;
	unsigned int i;

	for (i = 0; i < GPRS; i++) {
		uint64_t value = svmrun_vcpu_get_gpr(&vcpu, i);

		context.values[ZYDIS_REGISTER_RAX + i] = value;
		context.values[ZYDIS_REGISTER_EAX + i] = (uint32_t)value;
		context.values[ZYDIS_REGISTER_AX + i] = (uint16_t)value;
	}
	holds(ZYAN_SUCCESS(ZydisCalcAbsoluteAddressEx(&instruction, operand,
						      before.vmcb.save.rip,
						      &context, &address)),
	      "address of the operand");
	return address;
}

/* Bit strings extend before and after their operand. */
static bool has_address(const ZydisDecodedOperand *operand)
{
	bool bits = instruction.mnemonic == ZYDIS_MNEMONIC_BTS ||
		    instruction.mnemonic == ZYDIS_MNEMONIC_BTR ||
		    instruction.mnemonic == ZYDIS_MNEMONIC_BTC;

	return !bits && !is_repeated() &&
	       operand->mem.segment != ZYDIS_REGISTER_FS;
}

/* Check a change between @first and @last, in units of 8 bytes. */
static void check_place(uint64_t first, uint64_t last)
{
	const ZydisDecodedOperand *operand = written_memory();
	uint64_t address;

	if (!has_address(operand))
		return;
	address = address_of(operand);
	holds(first + 8 > address && last < address + operand->size / 8,
	      "memory outside the operand has changed");
}

/* Accessed and dirty bits are not changed by the instruction itself. */
static void check_memory(bool may)
{
	unsigned int first = GUEST_END, last = 0, i;

	if (!memcmp(memory, memory_before, GUEST_TABLES) &&
	    !memcmp(memory + TABLES_END, memory_before + TABLES_END,
		    GUEST_END - TABLES_END))
		return;
	for (i = 0; i < GUEST_END; i += 8) {
		if (i >= GUEST_TABLES && i < TABLES_END)
			continue;
		if (!memcmp(memory + i, memory_before + i, 8))
			continue;
		first = first < i ? first : i;
		last = i;
	}
	if (first == GUEST_END)
		return;
	holds(may && decoded && written_memory(),
	      "memory that it does not write has changed");
	holds(!guest.bus.rom_count, "ROM has changed");
	check_place(first, last);
}

static void check_all(bool may)
{
	check_gprs(may);
	check_rflags(may);
	check_memory(may);
	if (!may)
		holds(!guest.writes && !guest.outs && !guest.ins,
		      "the device was written to");
}

/* ---- results ------------------------------------------------------------- */

/* Neither the VMCB nor the registers have changed. */
static void check_nothing(void)
{
	holds(!memcmp(&guest.pages, &before, sizeof(guest.pages)),
	      "the vCPU has changed");
	check_all(false);
}

static void check_fault(void)
{
	holds(save->rip == before.vmcb.save.rip, "RIP of a fault");
	holds(save->rflags & RFLAGS_RF, "RF of a fault");
	check_all(decoded && is_repeated());
}

static void check_port(void)
{
	holds(save->rip == vmcb->control.exitinfo2, "RIP after I/O");
	holds(guest.ins + guest.outs == 1, "exactly one access");
	holds(save->rax == before.vmcb.save.rax || guest.ins, "RAX");
	check_memory(false);
}

static void check_interrupted(void)
{
	holds(save->rip == before.vmcb.save.rip, "RIP within a REP");
	if (!memcmp(&guest.pages, &before, sizeof(guest.pages)))
		return;
	holds(is_repeated() && (save->rflags & RFLAGS_RF),
	      "interrupted without REP");
	check_all(true);
}

static void check_end(void)
{
	uint64_t event = vmcb->control.eventinj;
	bool trap = (event & SVM_EVENT_VECTOR_MASK) == 1;
	uint64_t next = before.vmcb.save.rip + instruction.length;

	if ((event & SVM_EVENT_VALID) && !trap) {
		check_fault();
		return;
	}
	if (is_port_access()) {
		check_port();
		return;
	}
	holds(decoded, "invalid instruction executed");
	if (save->rip != next) {
		check_interrupted();
		return;
	}
	holds(trap == !!(save->rflags & RFLAGS_TF), "#DB of a single step");
	holds(!(save->rflags & RFLAGS_RF), "RF after completion");
	check_all(true);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { bytes, size };
	unsigned int mode = input_below(&input, MODES);
	int ret;

	prepare();
	reset(&modes[mode]);
	take_registers(&input);
	take_state(&input);
	take_exit(&input);
	take_code(&input);
	decode(mode);
	memcpy(memory_before, memory, GUEST_END);
	before = guest.pages;
	ret = svmrun_instruction_execute(&guest.vcpu, &guest.bus);
	if (!ret)
		check_end();
	else if (ret == -EINTR)
		check_interrupted();
	else if (ret == -EOPNOTSUPP || ret == -ENXIO)
		check_nothing();
	else
		holds(false, "undocumented error");
	return 0;
}
