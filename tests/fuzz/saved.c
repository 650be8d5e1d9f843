// SPDX-License-Identifier: GPL-2.0
/*
 * Coverage-guided: the records of a saved machine, with a header that belongs to them, up to
 * the machine that is ready to be resumed. Whatever is refused prints exactly one message;
 * whatever is loaded can be saved again. Machines with --nested have a stand-in for the device.
 */
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../unit/fake_device.h"
#include "../unit/fake_maps.h"
#include "../unit/vcpu_pages.h"
#include "common/message.h"
#include "common/status.h"
#include "guest/guest.h"
#include "input.h"
#include "lib/x86.h"
#include "saved/header.h"
#include "vmm/guest_svm.h"
#include "vmm/saved.h"

#define MEMORY_SIZE (1ul << 20)
#define RECORDS_MAX (1u << 20)
#define NESTED_CPUS 2 /* each has several vCPUs, which are files */

/* Guest physical addresses of a hypervisor */
#define CODE 0x1000
#define VMCB12 0x10000
#define IOPM 0x20000
#define MSRPM 0x24000
#define TABLES 0x30000
#define STACK 0x9000

static unsigned int messages;

/* In place of the tool's, which write to standard error */

void message_use_json(bool json)
{
}

int message_fail(int status, const char *format, ...)
{
	char text[4096 + 512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	holds(*text, "a message is empty");
	messages++;
	return status;
}

void message_warn(const char *format, ...)
{
	holds(false, "a warning without a run");
}

int message_fail_reason(int status, const char *reason, const char *format, ...)
{
	holds(false, "a message about the environment without a run");
	return status;
}

void message_write(int status, const char *text)
{
	holds(false, "a message about the sandbox without a run");
}

static struct machine machine;
static struct cpu cpus[OPTIONS_CPUS];
static struct vcpu_pages pages[OPTIONS_CPUS];

static void create_cpus(const struct run_options *options)
{
	unsigned int i;

	machine.cpus = cpus;
	machine.cpu_count = options->cpus;
	for (i = 0; i < options->cpus; i++) {
		cpus[i] = (struct cpu){ .machine = &machine, .id = i };
		cpus[i].vcpu = vcpu_pages_fill(&pages[i]);
		if (options->nested)
			cpus[i].vcpu.xsave_size = 0; /* the stand-in's differs */
		svmrun_mode_reset(&cpus[i].vcpu);
		holds(!guest_svm_create(&cpus[i], FAKE_DEVICE),
		      "the guest's SVM cannot be created");
	}
}

static void destroy_machine(void)
{
	unsigned int i;

	for (i = 0; i < machine.cpu_count; i++)
		guest_svm_destroy(&cpus[i]);
	svmrun_vm_destroy(&machine.vm);
}

static const struct svmrun_info info = {
	.out_xcr0 = UINT64_MAX,
	.out_gpa_bits = 52,
	.out_svm_features = SVM_FEATURE_NP | SVM_FEATURE_NRIP_SAVE,
	.out_cr0 = 0xe005003f & ~(SVM_CR0_CD | SVM_CR0_NW),
	.out_cr4 = SVM_CR4_PAE | SVM_CR4_PGE | SVM_CR4_OSFXSR |
		   SVM_CR4_OSXMMEXCPT,
	.out_dbgctl = SVM_DBGCTL_LBR | SVM_DBGCTL_BTF,
	.out_efer = SVM_EFER_SCE | SVM_EFER_LME | SVM_EFER_LMA | SVM_EFER_NXE |
		    SVM_EFER_SVME,
};

static void create_machine(const struct guest *guest,
			   const struct run_options *options)
{
	machine = (struct machine){ .rom_count = guest->rom_count };
	machine_init(&machine, options);
	machine.info = info;
	fake_map_count = 0;
	holds(!svmrun_vm_create(&machine.vm, FAKE_DEVICE),
	      "the VM cannot be created");
	machine.open_bus = guest->is_pc;
	machine.memory_count = guest->memory_count;
	memcpy(machine.memories, guest->memories, sizeof(machine.memories));
	if (guest->is_pc)
		machine_attach_rng(&machine);
	create_cpus(options);
}

/* Use and save the devices, whose state is valid because it could be loaded. */
static void use_machine(const struct run_options *options)
{
	static uint8_t bytes[RECORDS_MAX];
	struct svmrun_state state;
	unsigned int i;

	svmrun_state_init(&state, bytes, sizeof(bytes));
	holds(machine_state_save(&machine, "/", &state) <= 0,
	      "the error is not negative");
	for (i = 0; i < options->cpus; i++) {
		svmrun_pc_advance(&machine.pc, i,
				  svmrun_pc_deadline(&machine.pc, i));
		guest_svm_enter(&cpus[i], false);
		guest_svm_reset(&cpus[i]);
	}
}

static int load(struct saved *saved, const struct run_options *options)
{
	struct guest guest;
	int status;

	/* Disks would be files of this machine. */
	if (options->disk_count)
		return 0;
	if (options->nested && options->cpus > NESTED_CPUS)
		return 0;
	status = guest_resume(&guest, saved);
	if (status)
		return status;
	create_machine(&guest, options);
	status = saved_load(saved, &machine);
	if (!status)
		use_machine(options);
	destroy_machine();
	guest_destroy(&guest);
	return status;
}

/* The guest executes VMRUN. */
static void start_l2(struct cpu *cpu)
{
	struct svmrun_memory *ram = &machine.memories[0];
	struct svm_vmcb *vmcb12 = svmrun_memory_at(ram, VMCB12, PAGE_SIZE);
	struct svm_vmcb *vmcb = cpu->vcpu.vmcb;

	holds(!svmrun_mode_long(&cpu->vcpu, ram, TABLES, CODE, STACK),
	      "no room for page tables");
	holds(!svmrun_nested_set_svme(cpu->svm, true), "EFER.SVME");
	vmcb12->save = vmcb->save;
	vmcb12->control.asid = 1;
	vmcb12->control.iopm_base_pa = IOPM;
	vmcb12->control.msrpm_base_pa = MSRPM;
	vmcb12->control.intercept[4] = SVM_INTERCEPT4_VMRUN;
	vmcb->save.rax = VMCB12;
	vmcb->control.exitcode = VMEXIT_VMRUN;
	vmcb->control.nrip = vmcb->save.rip + 3;
	holds(guest_svm_exit(cpu) && guest_svm_is_active(cpu),
	      "VMRUN is refused");
}

/*
 * Return the size of the records of a machine that nothing is wrong with. With @nested, the first
 * processor runs a guest of the guest.
 */
static size_t make_records(uint8_t *bytes, bool nested)
{
	static _Alignas(PAGE_SIZE) uint8_t ram[MEMORY_SIZE];
	const struct run_options options = {
		.memory = MEMORY_SIZE,
		.cpus = NESTED_CPUS,
		.cpuid_count = 1,
		.nested = nested,
	};
	const struct guest guest = {
		.memories = { { .base = ram, .size = MEMORY_SIZE } },
		.memory_count = 1,
		.is_pc = true,
	};
	struct svmrun_state state;

	create_machine(&guest, &options);
	if (nested)
		start_l2(&cpus[0]);
	svmrun_state_init(&state, bytes, RECORDS_MAX);
	holds(!machine_state_save(&machine, "/", &state), "cannot be saved");
	destroy_machine();
	return state.used;
}

/* Change bytes of valid records: three bytes are the place, and the fourth is the value. */
static size_t change_records(uint8_t *bytes, struct input *input, bool nested)
{
	static uint8_t valid[2][RECORDS_MAX];
	static size_t size[2];

	if (!size[nested])
		size[nested] = make_records(valid[nested], nested);
	memcpy(bytes, valid[nested], size[nested]);
	while (input->left) {
		size_t place = input_take(input, 3) % size[nested];

		bytes[place] = input_take(input, 1);
	}
	return size[nested];
}

#define RECORDS 1u
#define NESTED 2u

/* Return whether the records are valid ones without a change. */
static bool is_unchanged(const uint8_t *bytes, size_t size)
{
	return !size || (size == 1 && !(*bytes & RECORDS));
}

/* Behind the first byte, the input is the records, or changes of valid ones. */
static size_t take_records(uint8_t *bytes, struct input *input)
{
	unsigned int kind = input_take(input, 1);

	if (!(kind & RECORDS))
		return change_records(bytes, input, kind & NESTED);
	memcpy(bytes, input->bytes, input->left);
	return input->left;
}

static int write_file(const uint8_t *bytes, size_t size)
{
	struct saved_header header = {
		.magic = SAVED_MAGIC,
		.version = SVMRUN_SAVED_VERSION,
		.records = PAGE_SIZE,
		.records_size = size,
		.memory = PAGE_SIZE + RECORDS_MAX,
		.end = PAGE_SIZE + RECORDS_MAX + MEMORY_SIZE,
	};
	int fd = memfd_create("saved", MFD_CLOEXEC);

	header.crc = saved_header_crc(&header, bytes);
	holds(fd >= 0 && !ftruncate(fd, header.end), "there is no file");
	holds(pwrite(fd, &header, sizeof(header), 0) == sizeof(header),
	      "the header cannot be written");
	holds(pwrite(fd, bytes, size, PAGE_SIZE) == (ssize_t)size,
	      "the records cannot be written");
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct saved saved = { .name = "saved" };
	static uint8_t records[RECORDS_MAX];
	struct run_options options = { 0 };
	struct input input = { bytes, size };
	size_t used;
	int status;

	if (size > RECORDS_MAX)
		return 0;
	used = take_records(records, &input);
	messages = 0;
	status = saved_read(&saved, write_file(records, used), &options);
	if (!status) {
		status = load(&saved, &options);
		saved_close(&saved);
	}
	holds(messages == !!status, "not one message per failure");
	holds(!status || !is_unchanged(bytes, size),
	      "valid records are refused");
	return 0;
}
