// SPDX-License-Identifier: GPL-2.0
/*
 * Isolation: two VMs and the host run in turn on one CPU. Each finds its registers
 * and memory as it left them, and never data of the others.
 */
#include <asm/prctl.h>
#include <cpuid.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>

#include "hostile.h"
#include "runner.h"
#include "xsave.h"

#define ROUNDS 50

#define CR4_OSXSAVE (1u << 18)
#define CR4_PKE (1u << 22)

/* Bytes that only one of them uses; below 80h, so that addresses are canonical */
#define SEED_ONE 0x3a
#define SEED_OTHER 0x5c
#define SEED_HOST 0x69

/* ---- all registers of a guest, as an array of words and an XSAVE area ---- */

enum {
	WORD_GPR = 0, /* 16, numbered as in instructions */
	WORD_DR = 16, /* 4 */
	WORD_CR2 = 20,
	WORD_CR8 = 21,
	WORD_MSR = 22, /* 10 */
	WORDS = 32,
};
#define WORD_SFMASK (WORD_MSR + 8)
#define WORD_SYSENTER_CS (WORD_MSR + 9)

/* Addresses from which a guest loads them, and to which it stores them */
#define FILL_WORDS 0xa000ul
#define FILL_XSAVE 0xb000ul
#define DUMP_WORDS 0xd000ul
#define DUMP_XSAVE 0xe000ul
#define XSAVE_MAX 0x2000ul

/* clang-format off */
#define EACH_GPR(op)							\
	op(rcx, 1) op(rdx, 2) op(rbx, 3) op(rsp, 4) op(rbp, 5)		\
	op(rsi, 6) op(rdi, 7) op(r8, 8) op(r9, 9) op(r10, 10)		\
	op(r11, 11) op(r12, 12) op(r13, 13) op(r14, 14) op(r15, 15)
#define EACH_CONTROL(op)						\
	op(dr0, 16) op(dr1, 17) op(dr2, 18) op(dr3, 19)			\
	op(cr2, 20) op(cr8, 21)
#define EACH_MSR(op)							\
	op(0xc0000100, 22) op(0xc0000101, 23) op(0xc0000102, 24)	\
	op(0xc0000081, 25) op(0xc0000082, 26) op(0xc0000083, 27)	\
	op(0x175, 28) op(0x176, 29) op(0xc0000084, 30) op(0x174, 31)

#define LOAD_GPR(reg, i)	"mov 0xa000+8*" #i ", %" #reg "\n"
#define LOAD_CONTROL(reg, i)						\
	"mov 0xa000+8*" #i ", %rax\n mov %rax, %" #reg "\n"
#define LOAD_MSR(msr, i)						\
	"mov $" #msr ", %ecx\n mov 0xa000+8*" #i ", %eax\n"		\
	"mov 0xa004+8*" #i ", %edx\n wrmsr\n"
#define STORE_GPR(reg, i)	"mov %" #reg ", 0xd000+8*" #i "\n"
#define STORE_CONTROL(reg, i)						\
	"mov %" #reg ", %rax\n mov %rax, 0xd000+8*" #i "\n"
#define STORE_MSR(msr, i)						\
	"mov $" #msr ", %ecx\n rdmsr\n mov %eax, 0xd000+8*" #i "\n"	\
	"mov %edx, 0xd004+8*" #i "\n"

/* Load everything and halt; then store everything and halt, repeatedly. */
GUEST_AT(registers, 64,
	 "mov $-1, %eax\n mov $-1, %edx\n xrstor64 0xb000\n"
	 EACH_CONTROL(LOAD_CONTROL)
	 EACH_MSR(LOAD_MSR)
	 EACH_GPR(LOAD_GPR)
	 "mov 0xa000, %rax\n hlt\n",
	 "mov %rax, 0xd000\n"
	 EACH_GPR(STORE_GPR)
	 EACH_CONTROL(STORE_CONTROL)
	 EACH_MSR(STORE_MSR)
	 "mov $-1, %eax\n mov $-1, %edx\n xsave64 0xe000\n"
	 "mov 0xd000, %rax\n mov 0xd008, %rcx\n mov 0xd010, %rdx\n"
	 "hlt\n jmp registers_at");
/* clang-format on */

static uint64_t word(uint8_t seed, int i)
{
	return 0x010101010000ull * seed | (0x1100 + i);
}

/* Fill in values that registers can hold; some registers are narrow. */
static void fill_words(uint64_t *words, uint8_t seed)
{
	for (int i = 0; i < WORDS; i++)
		words[i] = word(seed, i);
	words[WORD_CR8] = seed % 16;
	words[WORD_SFMASK] = (uint32_t)words[WORD_SFMASK];
	words[WORD_SYSENTER_CS] = seed;
}

/* ---- extended state, by component (APM 11.5.2) --------------------------- */

#define COMPONENT_PKRU 9
#define COMPONENTS 10 /* later ones hold tiles, which take no pattern */
#define COMPONENT_BNDCSR 4

struct component {
	uint32_t offset, size; /* in the standard format; 0 if not supported */
};

static struct component component(struct machine *m, unsigned int number)
{
	struct component it = { 0, 0 };
	uint32_t ecx, edx;

	if (number == COMPONENT_BNDCSR || !(m->info.out_xcr0 & 1ull << number))
		return it;
	__cpuid_count(0xd, number, it.size, it.offset, ecx, edx);
	return it;
}

/* Fill every supported component with the seed. */
static void fill_xsave(struct machine *m, uint8_t *area, uint8_t seed)
{
	const uint16_t fcw = 0x37f;
	const uint32_t mxcsr = 0x1f80 | (seed & 0x3f), pkru = seed << 8;
	uint64_t xstate_bv = XCR0_X87 | XCR0_SSE;

	memset(area, 0, XSAVE_MAX);
	memcpy(area + XSAVE_FCW, &fcw, sizeof(fcw));
	area[XSAVE_FTW] = 0xff;
	memcpy(area + XSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
	for (int i = 0; i < 8; i++)
		memset(area + XSAVE_ST(i), seed, 10);
	memset(area + XSAVE_XMM(0), seed, 256);
	for (unsigned int i = 2; i < COMPONENTS; i++) {
		struct component it = component(m, i);

		memset(area + it.offset, seed, it.size);
		if (it.size)
			xstate_bv |= 1ull << i;
	}
	if (component(m, COMPONENT_PKRU).size)
		memcpy(area + component(m, COMPONENT_PKRU).offset, &pkru,
		       sizeof(pkru));
	memcpy(area + XSAVE_XSTATE_BV, &xstate_bv, sizeof(xstate_bv));
}

static bool same(const uint8_t *one, const uint8_t *other, uint32_t offset,
		 uint32_t size)
{
	return !memcmp(one + offset, other + offset, size);
}

/* Compare all except the x87 pointers, which not every processor saves. */
static bool same_xsave(struct machine *m, const uint8_t *one,
		       const uint8_t *other)
{
	bool good = same(one, other, XSAVE_FCW, XSAVE_FTW + 1) &&
		    same(one, other, XSAVE_MXCSR, 4) &&
		    same(one, other, XSAVE_XMM(0), 256);

	for (int i = 0; i < 8; i++)
		good = good && same(one, other, XSAVE_ST(i), 10);
	for (unsigned int i = 2; i < COMPONENTS; i++) {
		struct component it = component(m, i);

		if (i == COMPONENT_PKRU && it.size)
			it.size = 4;
		good = good && same(one, other, it.offset, it.size);
	}
	return good;
}

/* Return whether the bytes contain four consecutive bytes of the seed. */
static bool has_seed(const void *bytes, size_t size, uint8_t seed)
{
	const uint8_t four[4] = { seed, seed, seed, seed };

	return memmem(bytes, size, four, sizeof(four));
}

/* ---- the VMs ------------------------------------------------------------- */

FIXTURE(isolation)
{
	struct machine one;
	struct machine other;
	struct host host;
};

FIXTURE_SETUP(isolation)
{
	ASSERT_EQ(0, machine_create(&self->one));
	ASSERT_EQ(0, machine_create(&self->other));
	if (host_watch(&self->host))
		SKIP_SETUP("%s cannot be loaded", HOSTSTATE_MODULE);
	ASSERT_EQ(0, cpu_pin(self->host.witness[0].cpu));
	ASSERT_GE(XSAVE_MAX, self->one.info.out_xsave_size);
}

FIXTURE_TEARDOWN(isolation)
{
	host_expect_well(_metadata, &self->host);
	machine_destroy(&self->one);
	machine_destroy(&self->other);
}

static void load_registers(struct machine *m)
{
	struct svm_vmcb *vmcb = m->vcpu.vmcb;
	const uint64_t usable = (1ull << COMPONENTS) - 1;

	LOAD_HOSTILE(m, MODE_LONG, registers);
	m->vcpu.regs->xcr0 = m->info.out_xcr0 & usable;
	vmcb->save.cr4 |= CR4_OSXSAVE;
	if (m->info.out_xcr0 & XCR0_PKRU)
		vmcb->save.cr4 |= CR4_PKE;
}

static void guest_fill(struct __test_metadata *_metadata, struct machine *m,
		       uint8_t seed)
{
	load_registers(m);
	fill_words(machine_at(m, FILL_WORDS), seed);
	fill_xsave(m, machine_at(m, FILL_XSAVE), seed);
	ASSERT_EXIT(VMEXIT_HLT, m);
}

static void guest_dump(struct __test_metadata *_metadata, struct machine *m)
{
	m->vcpu.vmcb->save.rip++; /* after HLT */
	memset(machine_at(m, DUMP_WORDS), 0, PAGE);
	memset(machine_at(m, DUMP_XSAVE), 0, XSAVE_MAX);
	ASSERT_EXIT(VMEXIT_HLT, m);
}

static void guest_expect_own(struct __test_metadata *_metadata,
			     struct machine *m)
{
	const uint64_t *filled = machine_at(m, FILL_WORDS);
	const uint64_t *found = machine_at(m, DUMP_WORDS);

	guest_dump(_metadata, m);
	for (int i = 0; i < WORDS; i++) {
		ASSERT_EQ(filled[i], found[i])
		{
			TH_LOG("word %d", i);
		}
	}
	ASSERT_TRUE(same_xsave(m, machine_at(m, FILL_XSAVE),
			       machine_at(m, DUMP_XSAVE)));
}

/* ---- the host, whose registers are filled right before RUN --------------- */

#define HOST_WORDS 5

/* Registers that the system call RUN is made with, and those after it */
struct filled_run {
	const void *fill;
	void *after, *saved;
	uint64_t words[HOST_WORDS]; /* RBX, R12 to R15 */
};

static long run_filled(int fd, struct filled_run *run)
{
	long result;

	asm volatile("mov $-1, %%eax\n mov $-1, %%edx\n"
		     "mov 16(%[run]), %%rcx\n xsave64 (%%rcx)\n"
		     "mov (%[run]), %%rcx\n xrstor64 (%%rcx)\n"
		     "mov 24(%[run]), %%rbx\n mov 32(%[run]), %%r12\n"
		     "mov 40(%[run]), %%r13\n mov 48(%[run]), %%r14\n"
		     "mov 56(%[run]), %%r15\n"
		     "mov %[ioctl], %%eax\n xor %%edx, %%edx\n syscall\n"
		     "mov %%rbx, 24(%[run])\n mov %%r12, 32(%[run])\n"
		     "mov %%r13, 40(%[run])\n mov %%r14, 48(%[run])\n"
		     "mov %%r15, 56(%[run])\n mov %%rax, %%r11\n"
		     "mov $-1, %%eax\n mov $-1, %%edx\n"
		     "mov 8(%[run]), %%rcx\n xsave64 (%%rcx)\n"
		     "mov 16(%[run]), %%rcx\n xrstor64 (%%rcx)\n"
		     "mov %%r11, %%rax"
		     : "=&a"(result)
		     : [run] "r"(run), [ioctl] "i"(SYS_ioctl), "D"((long)fd),
		       "S"(SVMRUN_RUN)
		     : "rbx", "rcx", "rdx", "r11", "r12", "r13", "r14", "r15",
		       "cc", "memory");
	return result;
}

static void host_runs_filled(struct __test_metadata *_metadata,
			     struct machine *m)
{
	static uint8_t fill[XSAVE_MAX] __attribute__((aligned(64)));
	static uint8_t after[XSAVE_MAX] __attribute__((aligned(64)));
	static uint8_t saved[XSAVE_MAX] __attribute__((aligned(64)));
	struct filled_run run = { fill, after, saved, {} };

	fill_xsave(m, fill, SEED_HOST);
	memset(after, 0, sizeof(after));
	memset(saved, 0, sizeof(saved));
	for (int i = 0; i < HOST_WORDS; i++)
		run.words[i] = word(SEED_HOST, i);
	m->vcpu.vmcb->save.rip++; /* after HLT */
	ASSERT_EQ(0, run_filled(m->vcpu.fd, &run));
	ASSERT_EQ(VMEXIT_HLT, m->vcpu.vmcb->control.exitcode);
	for (int i = 0; i < HOST_WORDS; i++)
		ASSERT_EQ(word(SEED_HOST, i), run.words[i]);
	ASSERT_TRUE(same_xsave(m, fill, after));
}

TEST_F(isolation, each_has_its_own_registers)
{
	guest_fill(_metadata, &self->one, SEED_ONE);
	guest_fill(_metadata, &self->other, SEED_OTHER);
	for (int i = 0; i < ROUNDS; i++) {
		guest_expect_own(_metadata, &self->one);
		guest_expect_own(_metadata, &self->other);
	}
}

TEST_F(isolation, host_has_its_own_registers)
{
	guest_fill(_metadata, &self->one, SEED_ONE);
	for (int i = 0; i < ROUNDS; i++) {
		host_runs_filled(_metadata, &self->one);
		guest_expect_own(_metadata, &self->one);
	}
}

/* ---- a guest that has not filled its registers --------------------------- */

/* Check what the guest has stored, and the program's pages. */
static void expect_no_seed(struct __test_metadata *_metadata, struct machine *m,
			   uint8_t seed)
{
	EXPECT_FALSE(has_seed(machine_at(m, DUMP_WORDS), PAGE, seed));
	EXPECT_FALSE(has_seed(machine_at(m, DUMP_XSAVE), XSAVE_MAX, seed));
	EXPECT_FALSE(has_seed(m->vcpu.vmcb, m->vcpu.size, seed));
}

/*
 * Run after the other guest, with the host's registers filled. The guest must find
 * what its program has set: 0, except for the stack pointer and the processor's
 * signature in RDX.
 */
static void expect_fresh(struct __test_metadata *_metadata, struct machine *m)
{
	const uint64_t *found = machine_at(m, DUMP_WORDS);
	uint64_t rdx = m->vcpu.regs->rdx;

	m->vcpu.vmcb->save.rip = MACHINE_CODE + (registers_at - registers) - 1;
	host_runs_filled(_metadata, m);
	for (int i = 0; i < WORDS; i++) {
		ASSERT_EQ(i == 2 ? rdx : i == 4 ? MACHINE_STACK : 0, found[i])
		{
			TH_LOG("word %d", i);
		}
	}
	expect_no_seed(_metadata, m, SEED_ONE);
	expect_no_seed(_metadata, m, SEED_OTHER);
	expect_no_seed(_metadata, m, SEED_HOST);
}

/* In the initial state XSTATE_BV is 0, whatever else the area contains. */
TEST_F(isolation, fresh_guest_finds_initial_state)
{
	guest_fill(_metadata, &self->one, SEED_ONE);
	load_registers(&self->other);
	expect_fresh(_metadata, &self->other);
}

TEST_F(isolation, fresh_guest_without_extended_state)
{
	guest_fill(_metadata, &self->one, SEED_ONE);
	load_registers(&self->other);
	self->other.vcpu.regs->xcr0 = XCR0_X87;
	expect_fresh(_metadata, &self->other);
}

/* Another vCPU of the same VM */
TEST_F(isolation, fresh_vcpu_of_the_same_vm)
{
	struct machine second = self->one;

	ASSERT_EQ(0, svmrun_vcpu_create(&second.vcpu, &self->one.vm));
	guest_fill(_metadata, &self->one, SEED_ONE);
	load_registers(&second);
	expect_fresh(_metadata, &second);
	svmrun_vcpu_destroy(&second.vcpu);
}

TEST_F(isolation, shared_pages_are_zeroed_before_use)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct svmrun_vcpu vcpu;

		ASSERT_EQ(0, svmrun_vcpu_create(&vcpu, &self->one.vm));
		ASSERT_FALSE(has_seed(vcpu.vmcb, vcpu.size, SEED_ONE));
		memset(vcpu.vmcb, SEED_ONE, vcpu.size);
		svmrun_vcpu_destroy(&vcpu);
	}
}

/* ---- state that XSAVE and VMRUN leave out -------------------------------- */

/*
 * Part of what FNSTENV stores, from FIP to the selector of FDP; two reserved bytes
 * follow
 */
#define ENVIRONMENT_POINTERS 12
#define ENVIRONMENT_POINTERS_SIZE 14

GUEST(store_environment, 64, "fnstenv 0xa000\n hlt");

/* Return whether XRSTOR leaves the x87 pointers unchanged. */
static bool xrstor_leaves_pointers(void)
{
	static uint8_t area[XSAVE_MAX] __attribute__((aligned(64)));
	static const double value = 1.5;
	uint8_t environment[28];

	area[XSAVE_XSTATE_BV] = XCR0_X87;
	area[XSAVE_FCW] = 0x7f; /* 37Fh, as after FNINIT */
	area[XSAVE_FCW + 1] = 0x03;
	asm volatile("fldl %1\n xrstor64 (%2)\n fnstenv %0\n fninit"
		     : "=m"(environment)
		     : "m"(value), "r"(area), "a"(XCR0_X87), "d"(0)
		     : "memory");
	return environment[ENVIRONMENT_POINTERS] != 0;
}

/* Linux relies on CPUID Fn8000_0008 EBX, RstrFpErrPtrs. */
static bool linux_clears_pointers(void)
{
	FILE *cpuinfo = fopen("/proc/cpuinfo", "r");
	static char line[8192];
	bool clears = false;

	while (cpuinfo && !clears && fgets(line, sizeof(line), cpuinfo))
		clears = !strncmp(line, "bugs", 4) &&
			 strstr(line, " fxsave_leak");
	if (cpuinfo)
		fclose(cpuinfo);
	return clears;
}

#define TRIES 3

static bool pointers_are_zeros(struct __test_metadata *_metadata,
			       struct machine *m)
{
	static const uint8_t zeros[ENVIRONMENT_POINTERS_SIZE];

	LOAD_HOSTILE(m, MODE_LONG, store_environment);
	*(uint64_t *)xsave_at(m, XSAVE_XSTATE_BV) = XCR0_X87;
	ASSERT_EXIT(VMEXIT_HLT, m);
	return !memcmp(zeros,
		       machine_at(m, MACHINE_DATA + ENVIRONMENT_POINTERS),
		       sizeof(zeros));
}

/*
 * On processors that do not restore the pointers, they must be cleared. If this
 * machine is a VM, its host may switch to another task in between, and leave that
 * task's pointers there for the same reason. So try several times.
 */
TEST_F(isolation, x87_pointers)
{
	static const double value = 1.5;
	bool after_program = false, after_guest = false;

	if (xrstor_leaves_pointers() && !linux_clears_pointers())
		SKIP(return, "XRSTOR leaves the pointers, despite CPUID");
	for (int i = 0; i < TRIES && !after_program; i++) {
		asm volatile("fldl %0\n fstp %%st(0)" : : "m"(value));
		after_program = pointers_are_zeros(_metadata, &self->other);
	}
	EXPECT_TRUE(after_program);
	for (int i = 0; i < TRIES && !after_guest; i++) {
		guest_fill(_metadata, &self->one, SEED_ONE);
		after_guest = pointers_are_zeros(_metadata, &self->other);
	}
	EXPECT_TRUE(after_guest);
}

#define SECOND (1ull << 40) /* in TSC ticks; longer than a test takes */

GUEST(read_tsc, 64, "rdtsc\n shl $32, %rdx\n or %rdx, %rax\n hlt");

static uint64_t tsc(void)
{
	uint32_t low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static void expect_tsc(struct __test_metadata *_metadata, struct machine *m,
		       uint64_t offset)
{
	uint64_t before = tsc(), after;

	LOAD_HOSTILE(m, MODE_LONG, read_tsc);
	m->vcpu.vmcb->control.tsc_offset = offset;
	ASSERT_EXIT(VMEXIT_HLT, m);
	after = tsc();
	ASSERT_LE(before, after);
	ASSERT_LE(before, m->vcpu.vmcb->save.rax - offset);
	ASSERT_GE(after, m->vcpu.vmcb->save.rax - offset);
}

TEST_F(isolation, each_has_its_own_time)
{
	for (int i = 0; i < ROUNDS; i++) {
		expect_tsc(_metadata, &self->one, SECOND);
		expect_tsc(_metadata, &self->other, -SECOND);
		expect_tsc(_metadata, &self->other, 0);
	}
}

/* ---- the host's segments ------------------------------------------------- */

GUEST(halt, 64, "hlt");

#define USER_DS 0x2b
#define LDT_SELECTOR 0x07 /* entry 0, CPL 3 */
#define LDT_WRITE 0x11

struct segments {
	uint16_t ds, es, fs, gs;
};

static struct segments segments(void)
{
	struct segments now;

	asm volatile("mov %%ds, %0\n mov %%es, %1\n mov %%fs, %2\n mov %%gs, %3"
		     : "=m"(now.ds), "=m"(now.es), "=m"(now.fs), "=m"(now.gs));
	return now;
}

static uint64_t base_of(int code)
{
	uint64_t base = 0;

	return syscall(SYS_arch_prctl, code, &base) ? ~0ull : base;
}

static __thread uint64_t of_this_thread;

TEST_F(isolation, host_has_its_own_segment_bases)
{
	static uint64_t target[2];
	uint64_t fs = base_of(ARCH_GET_FS), found;

	target[1] = word(SEED_HOST, 0);
	of_this_thread = word(SEED_HOST, 1);
	ASSERT_EQ(0, syscall(SYS_arch_prctl, ARCH_SET_GS, target));
	for (int i = 0; i < ROUNDS; i++) {
		guest_fill(_metadata, &self->one, SEED_ONE);
		ASSERT_EQ(fs, base_of(ARCH_GET_FS));
		ASSERT_EQ((uintptr_t)target, base_of(ARCH_GET_GS));
		asm volatile("mov %%gs:8, %0" : "=r"(found));
		ASSERT_EQ(target[1], found);
		ASSERT_EQ(word(SEED_HOST, 1), of_this_thread);
	}
}

/*
 * Run guests with selectors of every kind loaded; return whether they are
 * preserved.
 */
static bool keeps_selectors(void)
{
	static const uint32_t target = 0x12345678;
	const struct segments want = { USER_DS, USER_DS, segments().fs,
				       LDT_SELECTOR };
	struct machine m;

	if (machine_create(&m))
		return false;
	asm volatile("mov %w0, %%ds\n mov %w0, %%es" : : "r"(USER_DS));
	asm volatile("mov %w0, %%gs" : : "r"(LDT_SELECTOR));
	for (int i = 0; i < ROUNDS; i++) {
		struct segments now;
		uint32_t found;

		LOAD_HOSTILE(&m, MODE_LONG, halt);
		if (machine_run(&m))
			return false;
		now = segments();
		asm volatile("mov %%gs:(%1), %0"
			     : "=r"(found)
			     : "r"((uintptr_t)&target));
		if (memcmp(&want, &now, sizeof(want)) || found != target)
			return false;
	}
	return true;
}

/* In a process that has an LDT: #VMEXIT does not restore LDTR, VMLOAD does. */
TEST_F(isolation, host_has_its_own_selectors)
{
	const struct {
		uint32_t entry, base, limit, flags;
	} descriptor = { 0, 0, 0xfffff, 0x51 };
	pid_t child = fork();
	int status;

	if (!child) {
		if (syscall(SYS_modify_ldt, LDT_WRITE, &descriptor,
			    sizeof(descriptor)))
			_exit(2);
		_exit(keeps_selectors() ? 0 : 1);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
		SKIP(return, "this kernel does not support LDTs");
	EXPECT_EQ(0, status);
}

/* ---- breakpoints of the host, set while a guest runs --------------------- */

static volatile uint64_t watched;

static int breakpoint_open(pid_t thread, volatile uint64_t *address)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(attr),
		.bp_type = HW_BREAKPOINT_W,
		.bp_addr = (uintptr_t)address,
		.bp_len = HW_BREAKPOINT_LEN_8,
		.exclude_kernel = 1,
	};

	return syscall(SYS_perf_event_open, &attr, thread, -1, -1, 0);
}

/* Count as long as DR0 contains what the guest has loaded. */
GUEST(look_at_dr0, 64,
      "mov $0x3a3a, %ebx\n mov %rbx, %dr0\n"
      "1: lock incl 0xa000\n mov %dr0, %rax\n cmp %rbx, %rax\n"
      "je 1b\n hlt");

struct watching {
	struct machine *m;
	volatile pid_t thread;
	int result;
};

static void *run_and_touch(void *argument)
{
	struct watching *watching = argument;

	watching->thread = gettid();
	watching->result = machine_run(watching->m);
	watched++;
	return NULL;
}

TEST_F(isolation, breakpoint_of_the_hosts_comes_while_a_guest_runs)
{
	struct watching watching = { .m = &self->one };
	uint64_t hits = 0;
	pthread_t thread;
	int breakpoint;

	LOAD_HOSTILE(&self->one, MODE_LONG, look_at_dr0);
	ASSERT_EQ(0, pthread_create(&thread, NULL, run_and_touch, &watching));
	machine_wait_counting(&self->one);
	breakpoint = breakpoint_open(watching.thread, &watched);
	if (breakpoint >= 0)
		host_wait_ticks(&self->host, 10);
	EXPECT_EQ(0, call(self->one.vcpu.fd, SVMRUN_KICK, NULL));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	if (breakpoint < 0)
		SKIP(return, "no hardware breakpoint is available");
	EXPECT_EQ(-EINTR, watching.result);
	EXPECT_EQ(0x3a3a, self->one.vcpu.regs->dr[0]);
	ASSERT_EQ(sizeof(hits), read(breakpoint, &hits, sizeof(hits)));
	EXPECT_EQ(1, hits);
}

/* ---- memory -------------------------------------------------------------- */

#define GPA 0x100000ul

GUEST(read_rbx, 64, "mov (%rbx), %rax\n hlt");

static void *new_pages(int count)
{
	return mmap(NULL, count * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/*
 * The guest cannot access the pages before and after the mapping, which the program
 * owns.
 */
TEST_F(isolation, neighbours_of_a_mapping)
{
	uint8_t *pages = new_pages(3);
	struct svm_vmcb *vmcb = self->one.vcpu.vmcb;

	ASSERT_NE(MAP_FAILED, pages);
	memset(pages, SEED_HOST, 3 * PAGE);
	ASSERT_EQ(0, machine_map(&self->one, GPA, pages + PAGE, PAGE, MAP_ALL));
	LOAD_HOSTILE(&self->one, MODE_LONG, read_rbx);
	self->one.vcpu.regs->rbx = GPA + PAGE - 8;
	ASSERT_EQ(VMEXIT_HLT, exit_at_code(&self->one));
	self->one.vcpu.regs->rbx = GPA + PAGE - 4;
	ASSERT_EQ(VMEXIT_NPF, exit_at_code(&self->one));
	EXPECT_EQ(GPA + PAGE, vmcb->control.exitinfo2);
	self->one.vcpu.regs->rbx = GPA - 4;
	ASSERT_EQ(VMEXIT_NPF, exit_at_code(&self->one));
	EXPECT_EQ(GPA - PAGE, vmcb->control.exitinfo2 & -PAGE);
}

/* More than some processors have ASIDs */
#define VMS 40

/* The same addresses in many VMs, each with its own memory */
TEST_F(isolation, many_vms_with_the_same_addresses)
{
	struct machine vms[VMS];

	for (uint64_t i = 0; i < VMS; i++) {
		ASSERT_EQ(0, machine_create(&vms[i]));
		LOAD_HOSTILE(&vms[i], MODE_LONG, read_rbx);
		vms[i].vcpu.regs->rbx = MACHINE_DATA;
		*machine_counter(&vms[i]) = word(SEED_ONE, i);
	}
	for (int round = 0; round < ROUNDS; round++)
		for (uint64_t i = 0; i < VMS; i++) {
			ASSERT_EQ(VMEXIT_HLT, exit_at_code(&vms[i]));
			ASSERT_EQ(word(SEED_ONE, i),
				  vms[i].vcpu.vmcb->save.rax);
		}
	for (int i = 0; i < VMS; i++)
		machine_destroy(&vms[i]);
}

TEST_HARNESS_MAIN
