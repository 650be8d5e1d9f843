// SPDX-License-Identifier: GPL-2.0
/*
 * RUN writes only the guest's state to the shared pages. However a run ends, they
 * contain no host state: neither a kernel address nor the host's value of a
 * register.
 */
#include <linux/svmrun_policy.h>

#include <sys/time.h>

#include "hostile.h"

#define UNMAPPED 0x200000ul
#define KERNEL 0xffff800000000000ull

WATCHED_FIXTURE(publish)

struct guest {
	const char *code;
	const char *code_end;
	void (*prepare)(struct machine *m); /* may be NULL */
	int result;
	uint64_t exit;
};

FIXTURE_VARIANT(publish)
{
	struct guest guest;
};

#define PUBLISH(name, prepare_, result_, exit_, text)                          \
	GUEST(name##_code, 64, text);                                          \
	FIXTURE_VARIANT_ADD(publish, name)                                     \
	{                                                                      \
		.guest = {                                                     \
			.code = name##_code,                                   \
			.code_end = name##_code_end,                           \
			.prepare = prepare_,                                   \
			.result = result_,                                     \
			.exit = exit_,                                         \
		}                                                              \
	}

/* ---- exits --------------------------------------------------------------- */

static void no_memory(struct machine *m)
{
	mprotect(machine_at(m, MACHINE_DATA), PAGE, PROT_NONE);
}

static void intercept_undefined(struct machine *m)
{
	m->vcpu.vmcb->control.intercept[2] = SVM_INTERCEPT2_EXCEPTION(6);
}

static void intercept_all(struct machine *m)
{
	memset(m->vcpu.vmcb->control.intercept, 0xff, 16);
	m->vcpu.vmcb->control.intercept[4] = SVMRUN_POLICY_INTERCEPTS_4;
}

static void kick(struct machine *m)
{
	call(m->vcpu.fd, SVMRUN_KICK, NULL);
}

static void on_alarm(int signal)
{
}

static void ring(struct machine *m)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval soon = { .it_value.tv_usec = 20000 };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
}

PUBLISH(halt, NULL, 0, VMEXIT_HLT, "hlt");
PUBLISH(port, NULL, 0, VMEXIT_IOIO, "out %al, $0x80");
PUBLISH(msr, NULL, 0, VMEXIT_MSR, "xor %ecx, %ecx\n rdmsr");
PUBLISH(shutdown, NULL, 0, VMEXIT_SHUTDOWN, "ud2");
PUBLISH(exception, intercept_undefined, 0, VMEXIT_EXCP(6), "ud2");
PUBLISH(instruction, intercept_all, 0, VMEXIT_CPUID, "cpuid");
PUBLISH(nothing_mapped, NULL, 0, VMEXIT_NPF, "mov 0x200000, %rax");
PUBLISH(no_memory_there, no_memory, -EFAULT, VMEXIT_NPF, "mov 0xa000, %rax");
PUBLISH(signal_while_it_runs, ring, -EINTR, VMEXIT_INTR, "1: jmp 1b");
PUBLISH(kick_before_it_runs, kick, -EINTR, 0, "hlt");

/* ---- refusals ------------------------------------------------------------ */

static void no_nested_paging(struct machine *m)
{
	m->vcpu.vmcb->control.nested_ctl = 0;
}

static void illegal_dr7(struct machine *m)
{
	m->vcpu.vmcb->save.dr7 |= 1ull << 32;
}

PUBLISH(refused_by_the_module, no_nested_paging, 0, VMEXIT_INVALID, "hlt");
PUBLISH(refused_by_the_processor, illegal_dr7, 0, VMEXIT_INVALID, "hlt");

/* ---- host state ---------------------------------------------------------- */

/*
 * Return whether the value is a kernel address or the host's value of a register.
 */
static bool is_hosts(const struct host *host, uint64_t value)
{
	static const char *const items[] = {
		"CR0", "CR4",  "EFER", "STAR",	       "LSTAR",	  "CSTAR",
		"PAT", "GDTR", "IDTR", "SYSENTER_EIP", "GS.base", "SFMASK",
	};

	if (value >= KERNEL && value != VMEXIT_INVALID)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(items); i++)
		if (value && value == host_value(host, items[i]))
			return true;
	return false;
}

static void expect_nothing_of_the_hosts(struct __test_metadata *_metadata,
					const struct host *host,
					const uint64_t *before,
					const uint64_t *after, size_t size)
{
	for (size_t i = 0; i < size / 8; i++) {
		if (before[i] == after[i])
			continue;
		EXPECT_FALSE(is_hosts(host, after[i]))
		{
			TH_LOG("%#lx at %#zx", after[i], 8 * i);
		}
	}
}

static void *copy_of(const void *bytes, size_t size)
{
	void *copy = malloc(size);

	return copy ? memcpy(copy, bytes, size) : NULL;
}

TEST_F(publish, nothing_of_the_hosts)
{
	const struct guest *guest = &variant->guest;
	struct svmrun_vcpu *vcpu = &self->m.vcpu;
	uint64_t *before;

	load_hostile(&self->m, MODE_LONG, guest->code, guest->code_end);
	if (guest->prepare)
		guest->prepare(&self->m);
	before = copy_of(vcpu->vmcb, vcpu->size);
	ASSERT_NE(NULL, before);
	ASSERT_EQ(guest->result, machine_run(&self->m));
	if (guest->exit)
		ASSERT_EQ(guest->exit, vcpu->vmcb->control.exitcode);
	expect_nothing_of_the_hosts(_metadata, &self->host, before,
				    (uint64_t *)vcpu->vmcb, vcpu->size);
	free(before);
}

/* At MACHINE_DATA: a 64-bit code segment with D set, and the operand of LGDT */
static const uint64_t illegal_gdt[] = { 0, 0x00ef9b000000ffff };
static const struct __attribute__((packed)) {
	uint16_t limit;
	uint64_t base;
} illegal_gdtr = { sizeof(illegal_gdt) - 1, MACHINE_DATA };

GUEST(become_illegal, 64,
      "lgdt 0xa010\n pushq $8\n lea 1f(%rip), %rax\n push %rax\n lretq\n"
      "1: jmp 1b");

WATCHED_FIXTURE(illegal)

/*
 * A far return to a segment that VMRUN refuses (APM 15.5.1) raises #GP. An emulator
 * may accept it, and refuse the guest when it is entered again after an interrupt
 * of the host.
 */
TEST_F(illegal, refused_after_it_ran)
{
	struct svm_vmcb *vmcb = self->m.vcpu.vmcb;
	uint64_t *before;

	LOAD_HOSTILE(&self->m, MODE_LONG, become_illegal);
	memcpy(machine_at(&self->m, MACHINE_DATA), illegal_gdt,
	       sizeof(illegal_gdt));
	memcpy(machine_at(&self->m, MACHINE_DATA + 16), &illegal_gdtr,
	       sizeof(illegal_gdtr));
	before = copy_of(vmcb, self->m.vcpu.size);
	ASSERT_NE(NULL, before);
	ASSERT_EQ(0, machine_run(&self->m));
	if (vmcb->control.exitcode == VMEXIT_SHUTDOWN)
		SKIP(return, "a far return refuses the segment too");
	ASSERT_EQ(VMEXIT_INVALID, vmcb->control.exitcode);
	EXPECT_EQ(SVMRUN_INVALID_PROCESSOR,
		  self->m.vcpu.regs->out_invalid_reason);
	expect_nothing_of_the_hosts(_metadata, &self->host, before,
				    (uint64_t *)vmcb, self->m.vcpu.size);
	free(before);
}

TEST_HARNESS_MAIN
