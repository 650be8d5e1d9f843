// SPDX-License-Identifier: GPL-2.0
/*
 * Hostile guests: registers with the host's own values, events with the host's
 * vectors, and VMCBs with any one bit flipped
 */
#include <sys/time.h>

#include "hostile.h"
#include "xsave.h"

#define CR0_NE (1ull << 5)
#define CR4_OSXSAVE (1ull << 18)
#define EFER_SCE (1ull << 0)

WATCHED_FIXTURE(hostile_state)

#define VMCB (self->m.vcpu.vmcb)
#define REGS (self->m.vcpu.regs)

/* ---- registers with the host's values ------------------------------------ */

GUEST(set_breakpoints, 64,
      "mov %rbx, %dr0\n mov %rcx, %dr1\n mov %rdx, %dr2\n"
      "mov %rsi, %dr3\n mov %rdi, %dr7\n hlt");

#define DR7_ALL_ON 0x4ffull
#define DR7_GD (1ull << 13)

static void run_with_breakpoints(struct __test_metadata *_metadata,
				 struct machine *m, const uint64_t address[4])
{
	struct svmrun_registers *regs = m->vcpu.regs;

	LOAD_HOSTILE(m, MODE_LONG, set_breakpoints);
	regs->rbx = address[0];
	regs->rcx = address[1];
	regs->rdx = address[2];
	regs->rsi = address[3];
	regs->rdi = DR7_ALL_ON;
	ASSERT_EXIT(VMEXIT_HLT, m);
	EXPECT_EQ(0, memcmp(address, regs->dr, sizeof(regs->dr)));
	EXPECT_EQ(DR7_ALL_ON, m->vcpu.vmcb->save.dr7);
}

static __attribute__((noinline)) void watched(void)
{
	asm volatile("");
}

GUEST(drop_breakpoints, 64,
      "mov $0x700, %eax\n mov %rax, %dr7\n"
      "mov $0x400, %eax\n mov %rax, %dr7\n hlt");

/*
 * #VMEXIT disables all breakpoints (APM 15.6). An emulator may report that in DR7
 * and still stop at them; test that in a child, which then loops in watched().
 */
static bool vmexit_drops_breakpoints(struct __test_metadata *_metadata,
				     struct machine *m)
{
	const uint64_t address[4] = { (uintptr_t)watched };
	int status;
	pid_t child;

	cpu_pin(0);
	child = fork();
	if (!child) {
		struct machine own;

		alarm(2);
		if (machine_create(&own))
			_exit(1);
		run_with_breakpoints(_metadata, &own, address);
		watched();
		_exit(0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	LOAD_HOSTILE(m, MODE_LONG, drop_breakpoints);
	ASSERT_EXIT(VMEXIT_HLT, m);
	return WIFEXITED(status);
}

/* A guest's breakpoint that remains enabled would crash the host. */
TEST_F(hostile_state, sets_breakpoints_in_the_host)
{
	const uint64_t address[4] = {
		host_value(&self->host, "LSTAR"),
		host_value(&self->host, "SYSENTER_EIP"),
		(uintptr_t)getppid,
		(uintptr_t)host_value,
	};

	if (!vmexit_drops_breakpoints(_metadata, &self->m))
		SKIP(return, "#VMEXIT keeps the guest's breakpoints");
	ASSERT_NE(0, address[0]);
	run_with_breakpoints(_metadata, &self->m, address);
	EXPECT_NE(0, getppid());
	EXPECT_EQ(address[0], host_value(&self->host, "LSTAR"));
}

TEST_F(hostile_state, guards_the_debug_registers)
{
	LOAD_HOSTILE(&self->m, MODE_LONG, set_breakpoints);
	VMCB->save.dr7 |= DR7_GD;
	VMCB->control.intercept[2] = SVM_INTERCEPT2_EXCEPTION(1);
	ASSERT_EQ(0, machine_run(&self->m));
	if (VMCB->control.exitcode == VMEXIT_HLT)
		SKIP(return, "the processor does not support DR7.GD");
	LOAD_HOSTILE(&self->m, MODE_LONG, set_breakpoints);
	VMCB->save.dr7 |= DR7_GD;
	ASSERT_EXIT(VMEXIT_SHUTDOWN, &self->m);
	EXPECT_LE(1, REGS->out_exits_reflected);
}

GUEST(load_tables, 64,
      "lgdt 0xa000\n lidt 0xa010\n xor %eax, %eax\n lldt %ax\n"
      "hlt");

struct table_register {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

TEST_F(hostile_state, has_the_hosts_descriptor_tables)
{
	struct table_register *gdtr = machine_at(&self->m, MACHINE_DATA);
	struct table_register *idtr = machine_at(&self->m, MACHINE_DATA + 16);

	LOAD_HOSTILE(&self->m, MODE_LONG, load_tables);
	gdtr->base = host_value(&self->host, "GDTR");
	idtr->base = host_value(&self->host, "IDTR");
	gdtr->limit = 0x1111;
	idtr->limit = 0x2222;
	ASSERT_NE(0, gdtr->base);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(gdtr->base, VMCB->save.gdtr.base);
	EXPECT_EQ(idtr->base, VMCB->save.idtr.base);
	EXPECT_EQ(0x1111, VMCB->save.gdtr.limit);
	EXPECT_EQ(0x2222, VMCB->save.idtr.limit);
}

/* Expect that the guest branches to the address, in its own address space. */
static void expect_page_fault(struct __test_metadata *_metadata,
			      struct machine *m, uint64_t address)
{
	m->vcpu.vmcb->control.intercept[2] = SVM_INTERCEPT2_EXCEPTION(14);
	ASSERT_EXIT(VMEXIT_EXCP(14), m);
	EXPECT_EQ(address, m->vcpu.vmcb->control.exitinfo2);
}

GUEST(system_call, 64, "syscall\n hlt");
GUEST(fast_system_call, 32, "sysenter\n hlt");
GUEST(swap_gs, 64, "swapgs\n mov %gs:0, %rax\n hlt");
GUEST(sysret_and_cli, 64, "mov $0x8008, %ecx\n sysretl\n .skip 16\n hlt");

TEST_F(hostile_state, calls_the_hosts_system_call)
{
	uint64_t entry = host_value(&self->host, "LSTAR");

	LOAD_HOSTILE(&self->m, MODE_LONG, system_call);
	VMCB->save.efer |= EFER_SCE;
	VMCB->save.star = host_value(&self->host, "STAR");
	VMCB->save.lstar = entry;
	expect_page_fault(_metadata, &self->m, entry);
	EXPECT_EQ(entry, VMCB->save.rip);
	EXPECT_EQ(0, VMCB->save.cpl);
}

TEST_F(hostile_state, calls_by_sysenter)
{
	LOAD_HOSTILE(&self->m, MODE_PROTECTED, fast_system_call);
	VMCB->save.sysenter_cs = 0x10;
	VMCB->save.sysenter_eip = 0x81000000;
	ASSERT_EXIT(VMEXIT_NPF, &self->m);
	EXPECT_EQ(0x81000000, VMCB->control.exitinfo2);
}

TEST_F(hostile_state, loads_the_hosts_gs)
{
	uint64_t base = host_value(&self->host, "GS.base");

	if (base >> 47 != 0x1ffff)
		SKIP(return, "the host uses 57-bit addresses");
	LOAD_HOSTILE(&self->m, MODE_LONG, swap_gs);
	VMCB->save.kernel_gs_base = base;
	expect_page_fault(_metadata, &self->m, base);
	EXPECT_EQ(base, VMCB->save.gs.base);
}

GUEST(write_cr8, 64, "mov %rbx, %cr8\n hlt");

/* The host's own TPR would hold off the host's interrupts. */
TEST_F(hostile_state, raises_its_task_priority)
{
	for (uint64_t priority = 0; priority < 16; priority++) {
		LOAD_HOSTILE(&self->m, MODE_LONG, write_cr8);
		REGS->rbx = priority;
		ASSERT_EXIT(VMEXIT_HLT, &self->m);
		EXPECT_EQ(priority, VMCB->control.vintr & SVM_VINTR_V_TPR_MASK);
	}
}

/* ---- control registers --------------------------------------------------- */

GUEST(write_cr0, 64, "mov %rbx, %cr0\n hlt");
GUEST(write_cr4, 64, "mov %rbx, %cr4\n hlt");

GUEST(write_cr0_by_msw, 64, "lmsw %bx\n hlt");

/*
 * The value takes effect for the guest alone, or raises #GP or #PF, for which there
 * is no handler. Emulators accept some values that VMRUN then refuses.
 */
static void expect_harmless(struct __test_metadata *_metadata,
			    struct machine *m)
{
	uint64_t exit;

	ASSERT_EQ(0, machine_run(m));
	exit = m->vcpu.vmcb->control.exitcode;
	ASSERT_TRUE(exit == VMEXIT_HLT || exit == VMEXIT_SHUTDOWN ||
		    exit == VMEXIT_INVALID)
	{
		TH_LOG("value %#llx: exit code %#lx", m->vcpu.regs->rbx, exit);
	}
}

/*
 * A write that changes one bit exits, or raises #GP without a handler, and changes
 * nothing.
 */
static void expect_exit(struct __test_metadata *_metadata, struct machine *m,
			uint64_t code)
{
	const struct svm_vmcb *vmcb = m->vcpu.vmcb;
	uint64_t cr0 = vmcb->save.cr0, cr4 = vmcb->save.cr4, exit;

	ASSERT_EQ(0, machine_run(m));
	exit = vmcb->control.exitcode;
	ASSERT_TRUE(exit == code || exit == VMEXIT_SHUTDOWN)
	{
		TH_LOG("value %#llx: exit code %#lx", m->vcpu.regs->rbx, exit);
	}
	EXPECT_EQ(cr0, vmcb->save.cr0);
	EXPECT_EQ(cr4, vmcb->save.cr4);
}

#define CR0_WRITABLE                                                           \
	(SVM_CR0_PE | SVM_CR0_MP | SVM_CR0_EM | SVM_CR0_TS | SVM_CR0_NE |      \
	 SVM_CR0_WP | SVM_CR0_AM | SVM_CR0_NW | SVM_CR0_CD | SVM_CR0_PG)

TEST_F(hostile_state, changes_every_bit_of_cr0)
{
	for (int bit = 0; bit < 64; bit++) {
		uint64_t before, cr0;

		LOAD_HOSTILE(&self->m, MODE_LONG, write_cr0);
		before = VMCB->save.cr0;
		cr0 = before ^ 1ull << bit;
		REGS->rbx = cr0;
		if (1ull << bit & (SVM_CR0_TS | SVM_CR0_MP)) {
			ASSERT_EXIT(VMEXIT_HLT, &self->m);
			EXPECT_EQ(cr0, VMCB->save.cr0);
		} else if (1ull << bit & CR0_WRITABLE) {
			expect_exit(_metadata, &self->m, VMEXIT_CR0_SEL_WRITE);
		} else {
			/*
			 * ET is read-only, others are reserved (APM 3.1.1): an
			 * exit, #GP, or no change.
			 */
			ASSERT_EQ(0, machine_run(&self->m));
			EXPECT_EQ(before, VMCB->save.cr0);
		}
	}
}

TEST_F(hostile_state, turns_the_caches_off)
{
	LOAD_HOSTILE(&self->m, MODE_LONG, write_cr0);
	REGS->rbx = VMCB->save.cr0 | SVM_CR0_CD | SVM_CR0_NW;
	ASSERT_EXIT(VMEXIT_CR0_SEL_WRITE, &self->m);
	EXPECT_EQ(0, VMCB->save.cr0 & (SVM_CR0_CD | SVM_CR0_NW));
	/* The program cannot set these bits either. */
	VMCB->save.cr0 |= SVM_CR0_CD | SVM_CR0_NW;
	ASSERT_EXIT(VMEXIT_INVALID, &self->m);
	EXPECT_EQ(SVMRUN_INVALID_MUST_BE_ZERO, REGS->out_invalid_reason);
}

TEST_F(hostile_state, leaves_protected_mode_by_its_msw)
{
	LOAD_HOSTILE(&self->m, MODE_LONG, write_cr0_by_msw);
	REGS->rbx = SVM_CR0_PE | SVM_CR0_EM;
	expect_exit(_metadata, &self->m, VMEXIT_CR0_SEL_WRITE);
}

TEST_F(hostile_state, changes_every_bit_of_cr4)
{
	for (int bit = 0; bit < 64; bit++) {
		LOAD_HOSTILE(&self->m, MODE_LONG, write_cr4);
		REGS->rbx = VMCB->save.cr4 ^ 1ull << bit;
		expect_exit(_metadata, &self->m, VMEXIT_CR_WRITE(4));
	}
}

GUEST(write_cr2, 64, "mov %rbx, %cr2\n hlt");

TEST_F(hostile_state, leaves_an_address_of_the_hosts_in_cr2)
{
	LOAD_HOSTILE(&self->m, MODE_LONG, write_cr2);
	REGS->rbx = host_value(&self->host, "GDTR");
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(REGS->rbx, VMCB->save.cr2);
}

/* ---- extended state ------------------------------------------------------ */

GUEST(set_xcr, 64,
      "mov %ebx, %eax\n xor %edx, %edx\n xsetbv\n"
      "xor %ecx, %ecx\n xgetbv\n hlt");

/* Return whether the processor intercepts XSETBV if requested. */
static bool intercepts_xsetbv(struct machine *m)
{
	LOAD_HOSTILE(m, MODE_LONG, set_xcr);
	m->vcpu.vmcb->save.cr4 |= CR4_OSXSAVE;
	m->vcpu.vmcb->control.intercept[4] = SVM_INTERCEPT4_XSETBV;
	m->vcpu.regs->rbx = 1;
	return !machine_run(m) &&
	       m->vcpu.vmcb->control.exitcode == VMEXIT_XSETBV;
}

/*
 * Without the intercept, the guest sets XCR0 to any value that the processor
 * supports, and others raise #GP. After an exit that the module has handled, XCR0
 * has the program's value again.
 */
static void expect_xcr0_set(struct __test_metadata *_metadata,
			    struct machine *m, uint64_t value)
{
	struct svm_vmcb *vmcb = m->vcpu.vmcb;

	if (!(value & 1) || (value & ~m->info.out_xcr0))
		ASSERT_EQ(VMEXIT_SHUTDOWN, vmcb->control.exitcode);
	if (vmcb->control.exitcode == VMEXIT_SHUTDOWN)
		return;
	ASSERT_EQ(VMEXIT_HLT, vmcb->control.exitcode);
	ASSERT_TRUE(vmcb->save.rax == value || vmcb->save.rax == XCR0_X87);
}

TEST_F(hostile_state, sets_xcr0)
{
	bool intercepts = intercepts_xsetbv(&self->m);

	for (uint64_t value = 0; value < 1024; value++) {
		LOAD_HOSTILE(&self->m, MODE_LONG, set_xcr);
		VMCB->save.cr4 |= CR4_OSXSAVE;
		REGS->rbx = value;
		ASSERT_EQ(0, machine_run(&self->m));
		if (!intercepts)
			expect_xcr0_set(_metadata, &self->m, value);
		else
			ASSERT_EQ(VMEXIT_XSETBV, VMCB->control.exitcode);
	}
}

TEST_F(hostile_state, sets_another_xcr)
{
	bool intercepts = intercepts_xsetbv(&self->m);

	LOAD_HOSTILE(&self->m, MODE_LONG, set_xcr);
	VMCB->save.cr4 |= CR4_OSXSAVE;
	REGS->rbx = 1;
	REGS->rcx = 1;
	ASSERT_EQ(0, machine_run(&self->m));
	EXPECT_EQ(intercepts ? VMEXIT_XSETBV : VMEXIT_SHUTDOWN,
		  VMCB->control.exitcode);
}

GUEST(restore_garbage, 64,
      "mov $-1, %eax\n mov %eax, %edx\n xrstor 0xb000\n hlt");
GUEST(load_mxcsr, 64, "movl $-1, 0xa000\n ldmxcsr 0xa000\n hlt");

TEST_F(hostile_state, restores_garbage_as_extended_state)
{
	memset(machine_at(&self->m, 0xb000), 0xff, 2 * PAGE);
	LOAD_HOSTILE(&self->m, MODE_LONG, restore_garbage);
	VMCB->save.cr4 |= CR4_OSXSAVE;
	REGS->xcr0 = self->m.info.out_xcr0;
	ASSERT_EXIT(VMEXIT_SHUTDOWN, &self->m);
}

/* This raises #GP, or an emulator accepts it; the host's MXCSR is unchanged. */
TEST_F(hostile_state, sets_reserved_bits_of_mxcsr)
{
	uint32_t before, after;

	asm volatile("stmxcsr %0" : "=m"(before));
	LOAD_HOSTILE(&self->m, MODE_LONG, load_mxcsr);
	expect_harmless(_metadata, &self->m);
	asm volatile("stmxcsr %0" : "=m"(after));
	EXPECT_EQ(before, after);
}

GUEST(divide_by_zero, 64,
      "fninit\n movw $0x300, 0xa000\n fldcw 0xa000\n"
      "fld1\n fldz\n fdivrp\n fwait\n hlt");

/*
 * Without CR0.NE, an x87 error is reported by an external interrupt, IRQ 13, for
 * which the processor waits (APM 15.14.4).
 */
TEST_F(hostile_state, reports_an_error_as_the_8087_did)
{
	LOAD_HOSTILE(&self->m, MODE_LONG, divide_by_zero);
	VMCB->save.cr0 &= ~CR0_NE;
	ASSERT_EQ(0, machine_run(&self->m));
	if (VMCB->control.exitcode == VMEXIT_HLT)
		SKIP(return, "the processor does not wait for IRQ 13");
	EXPECT_EQ(VMEXIT_FERR_FREEZE, VMCB->control.exitcode);
}

GUEST(set_all_flags, 64, "push $-1\n popf\n nop\n hlt");

/* TF raises #DB, for which there is no handler. */
TEST_F(hostile_state, sets_every_flag)
{
	LOAD_HOSTILE(&self->m, MODE_LONG, set_all_flags);
	ASSERT_EXIT(VMEXIT_SHUTDOWN, &self->m);
	EXPECT_EQ(1, REGS->out_exits_reflected);
}

/* ---- events -------------------------------------------------------------- */

#define HLT 0xf4

GUEST(nothing, 16, "nop\n hlt");
GUEST(enable_interrupts, 16, "sti\n nop\n nop\n hlt");

/* In real mode, vector N leads to the Nth of 256 HLTs. */
static void load_vectors(struct machine *m, const char *code,
			 const char *code_end)
{
	uint32_t *vectors = machine_at(m, 0);

	load_hostile(m, MODE_REAL, code, code_end);
	m->vcpu.vmcb->save.idtr.limit = 0x3ff;
	for (uint32_t i = 0; i < 256; i++)
		vectors[i] = MACHINE_DATA + i;
	memset(machine_at(m, MACHINE_DATA), HLT, 256);
}

#define LOAD_VECTORS(m, guest) load_vectors(m, guest, guest##_end)

/* This includes the vectors of the host's IPIs and timer. */
TEST_F(hostile_state, is_injected_every_interrupt)
{
	for (uint64_t vector = 0; vector < 256; vector++) {
		LOAD_VECTORS(&self->m, nothing);
		VMCB->control.eventinj = SVM_EVENT_VALID | SVM_EVENT_TYPE_INTR |
					 vector;
		ASSERT_EXIT(VMEXIT_HLT, &self->m);
		ASSERT_EQ(MACHINE_DATA + vector, VMCB->save.rip);
	}
}

TEST_F(hostile_state, raises_every_software_interrupt)
{
	for (uint64_t vector = 0; vector < 256; vector++) {
		uint8_t *code = machine_at(&self->m, MACHINE_CODE);

		LOAD_VECTORS(&self->m, nothing);
		code[0] = 0xcd; /* INT */
		code[1] = vector;
		ASSERT_EXIT(VMEXIT_HLT, &self->m);
		ASSERT_EQ(MACHINE_DATA + vector, VMCB->save.rip);
	}
}

TEST_F(hostile_state, has_every_virtual_interrupt_pending)
{
	for (uint64_t vector = 16; vector < 256; vector++) {
		LOAD_VECTORS(&self->m, enable_interrupts);
		VMCB->control.vintr = SVM_VINTR_V_IRQ | SVM_VINTR_V_IGN_TPR |
				      vector << SVM_VINTR_V_INTR_VECTOR_SHIFT |
				      SVM_VINTR_V_INTR_PRIO_MASK;
		ASSERT_EXIT(VMEXIT_HLT, &self->m);
		ASSERT_EQ(MACHINE_DATA + vector, VMCB->save.rip);
	}
}

/* Reserved types are refused, or inject nothing. */
TEST_F(hostile_state, is_injected_every_kind_of_event)
{
	for (uint64_t kind = 0; kind < 16; kind++)
		for (uint64_t vector = 0; vector < 256; vector++) {
			uint64_t exit;

			LOAD_VECTORS(&self->m, nothing);
			VMCB->control.eventinj = SVM_EVENT_VALID | kind << 8 |
						 vector;
			ASSERT_EQ(0, machine_run(&self->m));
			exit = VMCB->control.exitcode;
			ASSERT_TRUE(exit == VMEXIT_HLT ||
				    exit == VMEXIT_SHUTDOWN ||
				    exit == VMEXIT_INVALID)
			{
				TH_LOG("event %#lx: exit code %#lx",
				       kind << 8 | vector, exit);
			}
		}
}

/* ---- one bit flipped ----------------------------------------------------- */

static void on_alarm(int signal)
{
}

/* Send signals, which end a guest that would run forever: RUN returns -EINTR. */
static void set_alarm(int microseconds)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval often = {
		.it_interval.tv_usec = microseconds,
		.it_value.tv_usec = microseconds,
	};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

GUEST(work, 64,
      "push %rax\n pop %rax\n cpuid\n mov %cr0, %rax\n"
      "out %al, $0xf4");

/*
 * RUN; repeat it after a signal, which may have been meant for the previous guest.
 */
static uint64_t exit_in_time(struct __test_metadata *_metadata,
			     struct machine *m)
{
	int result = -EINTR;

	for (int tries = 0; result == -EINTR && tries < 4; tries++)
		result = machine_run(m);
	ASSERT_TRUE(result == 0 || result == -EINTR);
	return m->vcpu.vmcb->control.exitcode;
}

/* The guest would run to its end, except for one bit of its VMCB. */
TEST_F_TIMEOUT(hostile_state, has_a_bit_wrong_in_its_vmcb, 100)
{
	uint32_t ends = 0, refusals = 0;
	uint64_t exit = 0;
	struct svm_vmcb good;

	set_alarm(5000);
	for (uint32_t bit = 0; bit < 8 * sizeof(good); bit += one_in()) {
		if (exit != VMEXIT_IOIO && exit != VMEXIT_INVALID) {
			LOAD_HOSTILE(&self->m, MODE_LONG, work);
			good = *VMCB;
		}
		*VMCB = good;
		((uint8_t *)VMCB)[bit / 8] ^= 1 << bit % 8;
		exit = exit_in_time(_metadata, &self->m);
		ends += exit == VMEXIT_IOIO;
		refusals += exit == VMEXIT_INVALID;
	}
	set_alarm(0);
	TH_LOG("%u completed, %u refused", ends, refusals);
	EXPECT_LT(rounds(25000), ends);
	EXPECT_LT(rounds(1000), refusals);
}

TEST_HARNESS_MAIN
