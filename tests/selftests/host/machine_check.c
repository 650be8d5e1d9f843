// SPDX-License-Identifier: GPL-2.0
/*
 * A machine check in a guest is an error of the program: the program receives
 * SIGBUS, as for an error in its own memory, and the host survives (APM 9.3,
 * 15.12).
 */
#include "host.h"
#include "kcore.h"
#include "module.h"
#include "runner.h"
#include "tracing.h"

#define CHECK_MODULE "machinecheck.ko"
#define ARM "/sys/module/machinecheck/parameters/armed"
/* The bank that the module writes the error to */
#define BANK "/sys/devices/system/machinecheck/machinecheck0/bank1"

GUEST(count, 64, COUNT_LOOP);
GUEST(count_with_sse, 64,
      "mov %cr0, %rax\n and $~0xc, %rax\n mov %rax, %cr0\n"
      "1: paddd %xmm0, %xmm0\n lock incl 0xa000\n jmp 1b");

static volatile sig_atomic_t caught;

static void on_sigbus(int unused)
{
	caught++;
}

static int insert(void)
{
	uint64_t flags = kernel_symbol("mce_flags");
	char parameter[64];

	if (!flags)
		return -ENOENT;
	snprintf(parameter, sizeof(parameter), "mce_flags=%#lx", flags);
	return any_module_insert(CHECK_MODULE, parameter);
}

WATCHED_FIXTURE(machine_check)

/* The guest counts, an error occurs, and the guest can continue. */
static void meet_error(struct __test_metadata *_metadata,
		       FIXTURE_DATA(machine_check) * self)
{
	const struct sigaction action = { .sa_handler = on_sigbus };
	uint64_t checks = self->m.vcpu.regs->out_exits_machine_check;
	struct runner runner;

	if (access(BANK, F_OK))
		SKIP(return, "the processor has no machine check bank");
	if (insert())
		SKIP(return, "%s cannot be loaded", CHECK_MODULE);
	caught = 0;
	sigaction(SIGBUS, &action, NULL);
	ASSERT_EQ(0, runner_start(&runner, &self->m.vcpu));
	machine_wait_counting(&self->m);
	EXPECT_EQ(0, file_write(ARM, "1"));
	EXPECT_EQ(-EINTR, runner_join(&runner));
	EXPECT_EQ(1, caught);
	EXPECT_EQ(checks + 1, self->m.vcpu.regs->out_exits_machine_check);
	EXPECT_EQ(VMEXIT_INTR, self->m.vcpu.vmcb->control.exitcode);
	ASSERT_EQ(0, runner_start(&runner, &self->m.vcpu));
	machine_wait_counting(&self->m);
	EXPECT_EQ(0, runner_kick(&runner));
	EXPECT_EQ(-EINTR, runner_join(&runner));
	EXPECT_EQ(0, any_module_remove("machinecheck"));
}

TEST_F(machine_check, is_the_programs)
{
	MACHINE_LOAD(&self->m, MODE_LONG, count);
	meet_error(_metadata, self);
}

TEST_F(machine_check, with_extended_state)
{
	MACHINE_LOAD(&self->m, MODE_LONG, count_with_sse);
	meet_error(_metadata, self);
}

TEST_HARNESS_MAIN
