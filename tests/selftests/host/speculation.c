// SPDX-License-Identifier: GPL-2.0
/*
 * Branch predictors that a guest has trained affect neither another guest nor the
 * host. The test processor has none of the features that require mitigations, so a
 * test module sets them while svmrun.ko is loaded and patched.
 */
#include <stdio.h>
#include <stdlib.h>

#include "kcore.h"
#include "machine.h"
#include "module.h"
#include "tracing.h"

#define FEATURES_MODULE "features.ko"
#define BARRIER_SHOWN "/sys/module/features/parameters/ibpb_before_user"
#define WRITE_EVENT TRACING "events/msr/write_msr/"

/* PRED_CMD.IBPB (APM 3.2.9); BP_CFG.BpSpecReduce, on and off */
#define BARRIER "msr == 0x49 && val == 1"
#define REDUCE "msr == 0xc001102e && val & 0x10"
#define SAVE_AREA "msr == 0xc0010117 && val != 0"
#define REDUCE_NO_MORE "msr == 0xc001102e && !(val & 0x10)"

GUEST(halt, 64, "1: hlt\n jmp 1b");

/* @names: module parameters of tests/module/features.c */
static int pretend(const char *names)
{
	return any_module_insert(FEATURES_MODULE, names);
}

/* Each write of an MSR that passes the filter adds a line to the trace. */
static int trace_writes(const char *filter)
{
	int err = file_write(WRITE_EVENT "filter", filter);

	if (!err)
		err = tracing_clear();
	if (!err)
		err = file_write(WRITE_EVENT "enable", "1");
	return err;
}

/* Return the number of writes, and start again. */
static int writes(void)
{
	FILE *trace = fopen(TRACING "trace", "r");
	char line[256];
	int count = 0;

	if (!trace)
		return -errno;
	while (fgets(line, sizeof(line), trace))
		count += line[0] != '#';
	fclose(trace);
	tracing_clear();
	return count;
}

/* Return the line "flags" of /proc/cpuinfo. */
static const char *cpu_flags(void)
{
	FILE *cpuinfo = fopen("/proc/cpuinfo", "r");
	static char line[8192];

	while (cpuinfo && fgets(line, sizeof(line), cpuinfo))
		if (!strncmp(line, "flags", 5))
			break;
	if (cpuinfo)
		fclose(cpuinfo);
	return line;
}

FIXTURE(speculation)
{
	struct machine one;
	struct machine other;
};

FIXTURE_SETUP(speculation)
{
	ASSERT_EQ(0, cpu_pin(0));
	if (!module_can_be_changed() || access(FEATURES_MODULE, R_OK))
		SKIP_SETUP("svmrun.ko cannot be reloaded");
	ASSERT_EQ(0, module_remove());
}

FIXTURE_TEARDOWN(speculation)
{
	file_write(WRITE_EVENT "enable", "0");
	machine_destroy(&self->one);
	machine_destroy(&self->other);
	EXPECT_EQ(0, module_remove());
	EXPECT_EQ(0, any_module_remove("features"));
	EXPECT_EQ(0, module_insert());
}

/* Load svmrun.ko on a processor with these features, and create two machines. */
static int begin(FIXTURE_DATA(speculation) * self, const char *names)
{
	int err = pretend(names);

	if (!err)
		err = module_insert();
	if (!err)
		err = machine_create(&self->one);
	if (!err)
		err = machine_create(&self->other);
	if (!err)
		err = MACHINE_LOAD(&self->one, MODE_LONG, halt);
	if (!err)
		err = MACHINE_LOAD(&self->other, MODE_LONG, halt);
	return err;
}

/* Run the guests of @self in turn, @times each. */
static int take_turns(FIXTURE_DATA(speculation) * self, int times)
{
	while (times--)
		if (machine_run(&self->one) || machine_run(&self->other))
			return -1;
	return 0;
}

/* A guest's kernel isolates its processes from each other on each vCPU. */
TEST_F(speculation, barrier_between_vcpus_of_one_vm)
{
	struct svmrun_vcpu second;

	ASSERT_EQ(0, begin(self, "names=ibpb"));
	ASSERT_EQ(0, svmrun_vcpu_create(&second, &self->one.vm));
	ASSERT_EQ(0, vcpu_begin(&self->one, &second, MODE_LONG));
	ASSERT_EQ(0, machine_run(&self->one));
	ASSERT_EQ(0, trace_writes(BARRIER));
	for (int i = 0; i < 4; i++) {
		EXPECT_EQ(0, call(second.fd, SVMRUN_RUN, NULL));
		EXPECT_EQ(1, writes());
		EXPECT_EQ(0, machine_run(&self->one));
		EXPECT_EQ(1, writes());
	}
	svmrun_vcpu_destroy(&second);
}

TEST_F(speculation, barrier_when_another_vm_follows)
{
	ASSERT_EQ(0, begin(self, "names=ibpb"));
	ASSERT_EQ(0, machine_run(&self->one));
	ASSERT_EQ(0, trace_writes(BARRIER));
	for (int i = 0; i < 8; i++)
		ASSERT_EXIT(VMEXIT_HLT, &self->one);
	EXPECT_EQ(0, writes());
	ASSERT_EQ(0, machine_run(&self->other));
	EXPECT_EQ(1, writes());
	ASSERT_EQ(0, take_turns(self, 4));
	EXPECT_EQ(8, writes());
}

TEST_F(speculation, no_barrier_where_there_is_none)
{
	ASSERT_EQ(0, begin(self, ""));
	if (strstr(cpu_flags(), " ibpb"))
		SKIP(return, "this processor supports IBPB");
	ASSERT_EQ(0, trace_writes(BARRIER));
	ASSERT_EQ(0, take_turns(self, 4));
	EXPECT_EQ(0, writes());
}

static int barrier_before_user(void)
{
	char text[4] = "";
	int fd = open(BARRIER_SHOWN, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (read(fd, text, sizeof(text) - 1) < 1)
		text[0] = '?';
	close(fd);
	return text[0] - '0';
}

TEST_F(speculation, barrier_before_the_program)
{
	ASSERT_EQ(0, begin(self, "names=ibpb_exit_to_user"));
	ASSERT_EQ(0, file_write(BARRIER_SHOWN, "0"));
	ASSERT_EQ(0, barrier_before_user());
	ASSERT_EXIT(VMEXIT_HLT, &self->one);
	EXPECT_EQ(1, barrier_before_user());
}

TEST_F(speculation, reduced_while_there_are_guests)
{
	int cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int err = begin(self, "names=srso_bp_spec_reduce");

	if (err == -EINVAL) {
		ASSERT_EQ(0, begin(self, ""));
		SKIP(return, "this kernel does not support the feature");
	}
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, trace_writes(REDUCE_NO_MORE));
	machine_destroy(&self->one);
	EXPECT_EQ(0, writes());
	machine_destroy(&self->other);
	EXPECT_EQ(cpus, writes());
	ASSERT_EQ(0, trace_writes(REDUCE));
	ASSERT_EQ(0, machine_create(&self->one));
	EXPECT_EQ(cpus, writes());
	ASSERT_EQ(0, machine_create(&self->other));
	EXPECT_EQ(0, writes());
}

/* ---- code that the kernel patches ---------------------------------------- */

#define CODE_SIZE 512

struct code {
	uint64_t address;
	unsigned char bytes[CODE_SIZE];
};

static int code_of(const char *symbol, struct code *code)
{
	code->address = kernel_symbol(symbol);
	if (!code->address)
		return -ENOENT;
	return kernel_read(code->address, code->bytes, CODE_SIZE);
}

/* Return the offset of a CALL of @target in the first @size bytes, or -1. */
static int call_of(const struct code *code, int size, uint64_t target)
{
	for (int i = 0; i + 5 <= size; i++) {
		int32_t relative;

		memcpy(&relative, code->bytes + i + 1, sizeof(relative));
		if (code->bytes[i] == 0xe8 &&
		    code->address + i + 5 + relative == target)
			return i;
	}
	return -1;
}

/* Maximum length of world_untrain() */
#define UNTRAIN_SIZE 320

static const unsigned char *find(const struct code *code, int size,
				 const void *bytes, size_t length)
{
	return memmem(code->bytes, size, bytes, length);
}

/*
 * Either a call of the kernel's barrier, or a write of the MSR that is not skipped
 */
static bool has_barrier(const struct code *code)
{
	static const unsigned char write[] = { 0xb9, 0x49, 0,	 0,   0,
					       0xb8, 1,	   0,	 0,   0,
					       0x31, 0xd2, 0x0f, 0x30 };
	const unsigned char *at = find(code, UNTRAIN_SIZE, write,
				       sizeof(write));

	if (at)
		return at[-2] != 0xeb;
	return call_of(code, UNTRAIN_SIZE, kernel_symbol("entry_ibpb")) >= 0;
}

/* 32 calls over an INT3, then the stack pointer is restored */
static bool is_filled(const unsigned char *code)
{
	static const unsigned char call[] = { 0xe8, 1, 0, 0, 0, 0xcc };
	static const unsigned char add[] = { 0x48, 0x81, 0xc4, 0, 1, 0, 0 };

	for (int i = 0; i < 32; i++)
		if (memcmp(code + i * sizeof(call), call, sizeof(call)))
			return false;
	return !memcmp(code + 32 * sizeof(call), add, sizeof(add));
}

#define ENDBR_SIZE 4
#define JUMP_SIZE 5

TEST_F(speculation, return_stack_is_filled)
{
	const unsigned char *begins;
	struct code code;

	ASSERT_EQ(0, begin(self, "names=rsb_vmexit"));
	ASSERT_EQ(0, code_of("world_untrain", &code));
	begins = code.bytes;
	if (!is_filled(begins + JUMP_SIZE))
		begins += ENDBR_SIZE;
	EXPECT_TRUE(is_filled(begins + JUMP_SIZE));
	/* The code must not be skipped by a jump. */
	EXPECT_NE(0xe9, begins[0]);
	EXPECT_NE(0xeb, begins[0]);
	ASSERT_EQ(0, take_turns(self, 2));
	EXPECT_EQ(VMEXIT_HLT, self->other.vcpu.vmcb->control.exitcode);
}

TEST_F(speculation, returns_are_untrained)
{
	uint64_t untrain = kernel_symbol("entry_untrain_ret");
	int err = begin(self, "names=unret,ibpb_on_vmexit");
	struct code code;

	if (err == -EOPNOTSUPP) {
		ASSERT_EQ(0, begin(self, ""));
		SKIP(return, "the processor refuses to write PRED_CMD");
	}
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, code_of("world_untrain", &code));
	EXPECT_LE(0, call_of(&code, UNTRAIN_SIZE, untrain));
	EXPECT_TRUE(has_barrier(&code));
	ASSERT_EQ(0, take_turns(self, 2));
	EXPECT_EQ(VMEXIT_HLT, self->other.vcpu.vmcb->control.exitcode);
}

TEST_F(speculation, no_barrier_at_every_exit_for_nothing)
{
	struct code code;

	ASSERT_EQ(0, begin(self, ""));
	ASSERT_EQ(0, code_of("world_untrain", &code));
	EXPECT_FALSE(has_barrier(&code));
}

static int vmrun_in(const struct code *code)
{
	static const unsigned char vmrun[] = { 0x0f, 0x01, 0xd8 };
	const unsigned char *at = find(code, CODE_SIZE, vmrun, sizeof(vmrun));

	return at ? at - code->bytes : -1;
}

/* CALL, JMP or RET; but not the operand of MOV, which may have the same value */
static bool is_branch(const unsigned char *at)
{
	bool operand = at[-2] == 0x48 && (at[-1] == 0x89 || at[-1] == 0x8b);

	return !operand && (*at == 0xc3 || *at == 0xe8 || *at == 0xe9);
}

/*
 * Untrain before any branch that the guest may have trained, but with the host's
 * GS.
 */
TEST_F(speculation, untraining_comes_right_after_vmrun)
{
	static const unsigned char vmload[] = { 0x0f, 0x01, 0xda };
	uint64_t untrain;
	int vmrun, end;
	struct code code;

	ASSERT_EQ(0, begin(self, ""));
	untrain = kernel_symbol("world_untrain");
	ASSERT_EQ(0, code_of("world_switch", &code));
	vmrun = vmrun_in(&code);
	ASSERT_LT(0, vmrun);
	end = call_of(&code, CODE_SIZE, untrain);
	ASSERT_LT(vmrun, end);
	for (int i = vmrun; i < end; i++)
		EXPECT_FALSE(is_branch(&code.bytes[i]));
	EXPECT_NE(NULL, memmem(code.bytes + vmrun, end - vmrun, vmload,
			       sizeof(vmload)));
}

/* VERW right before VMRUN, without a jump over it */
static bool clears_buffers(const struct code *code)
{
	static const unsigned char verw[] = { 0x0f, 0x00, 0x2d };
	const unsigned char *at = code->bytes + vmrun_in(code);

	return at >= code->bytes + 9 && !memcmp(at - 7, verw, 3) &&
	       at[-9] != 0xeb;
}

TEST_F(speculation, buffers_are_cleared)
{
	struct code code;

	ASSERT_EQ(0, begin(self, "names=clear_cpu_buf_vm"));
	ASSERT_EQ(0, code_of("world_switch", &code));
	EXPECT_TRUE(clears_buffers(&code));
	ASSERT_EQ(0, take_turns(self, 2));
	EXPECT_EQ(VMEXIT_HLT, self->other.vcpu.vmcb->control.exitcode);
}

TEST_F(speculation, buffers_are_left_where_that_is_safe)
{
	struct code code;

	ASSERT_EQ(0, begin(self, ""));
	ASSERT_EQ(0, code_of("world_switch", &code));
	EXPECT_FALSE(clears_buffers(&code));
}

/* Offset of CLGI, after which VMRUN follows */
static int clgi_in(const struct code *code)
{
	static const unsigned char clgi[] = { 0x0f, 0x01, 0xdd };
	const unsigned char *at = find(code, CODE_SIZE, clgi, sizeof(clgi));

	return at ? at - code->bytes : -1;
}

/* Return whether the code contains a DIV of a 32-bit register. */
static bool has_division(const unsigned char *code, int size)
{
	for (int i = 0; i + 1 < size; i++)
		if (code[i] == 0xf7 && (code[i + 1] & 0xf8) == 0xf0)
			return true;
	return false;
}

TEST_F(speculation, quotient_is_not_left_for_the_guest)
{
	int clgi, vmrun;
	struct code code;

	ASSERT_EQ(0, begin(self, "names=div0"));
	ASSERT_EQ(0, code_of("world_switch", &code));
	clgi = clgi_in(&code);
	vmrun = vmrun_in(&code);
	ASSERT_LE(0, clgi);
	EXPECT_TRUE(has_division(code.bytes + clgi, vmrun - clgi));
	ASSERT_EQ(0, take_turns(self, 2));
}

/* ---- other contents of the same code ------------------------------------- */

/* No emulator implements DEBUGCTL, so only check that it is read before VMRUN. */
TEST_F(speculation, debugctl_is_read_where_it_cannot_change)
{
	static const unsigned char read[] = { 0xb9, 0xd9, 1, 0, 0, 0x0f, 0x32 };
	int clgi, vmrun;
	struct code code;

	ASSERT_EQ(0, begin(self, ""));
	ASSERT_EQ(0, code_of("world_switch", &code));
	clgi = clgi_in(&code);
	vmrun = vmrun_in(&code);
	ASSERT_LE(0, clgi);
	EXPECT_NE(NULL,
		  memmem(code.bytes + clgi, vmrun - clgi, read, sizeof(read)));
}

/* Another driver may have cleared VM_HSAVE_PA in an interrupt. */
TEST_F(speculation, save_area_is_written_at_each_entry_on_snp_hosts)
{
	if (begin(self, "names=sev_snp") == -EINVAL) {
		ASSERT_EQ(0, begin(self, ""));
		SKIP(return, "this kernel does not support the feature");
	}
	ASSERT_EQ(0, trace_writes(SAVE_AREA));
	ASSERT_EQ(0, take_turns(self, 4));
	EXPECT_LE(8, writes());
}

TEST_HARNESS_MAIN
