// SPDX-License-Identifier: GPL-2.0
/*
 * CR4.MCE: a machine check while it is clear shuts the processor down. Guests
 * therefore run with the host's value, which their programs do not see.
 */
#include "host.h"
#include "tracing.h"

#define ENTRIES 16

GUEST(halt, 64, "1: hlt\n jmp 1b");
GUEST(read_cr4, 64, "mov %cr4, %rcx\n hlt");

FIXTURE(hidden_mce)
{
	struct machine m;
	struct host host;
	uint64_t mce; /* of the host */
};

FIXTURE_SETUP(hidden_mce)
{
	ASSERT_EQ(0, machine_create(&self->m));
	ASSERT_EQ(0, host_watch(&self->host));
	self->mce = host_value(&self->host, "CR4") & SVM_CR4_MCE;
}

FIXTURE_TEARDOWN(hidden_mce)
{
	machine_destroy(&self->m);
}

/* Return CR4 of the last entry into the guest, or ~0 if there was none. */
static uint64_t cr4_entered_with(void)
{
	struct entry entries[ENTRIES];
	int count = entries_read(entries, ENTRIES);

	return count > 0 ? entries[count - 1].cr4 : ~0ull;
}

/*
 * Expect that the program's value is unchanged, and that the processor's is @mce.
 */
static void expect_enabled(struct __test_metadata *_metadata, struct machine *m,
			   uint64_t mce, uint32_t clean)
{
	struct svm_vmcb *vmcb = m->vcpu.vmcb;
	uint64_t cr4 = vmcb->save.cr4;

	vmcb->control.clean = clean;
	ASSERT_EQ(0, entries_begin());
	ASSERT_EXIT(VMEXIT_HLT, m);
	EXPECT_EQ(cr4 | mce, cr4_entered_with());
	entries_end();
	EXPECT_EQ(cr4, vmcb->save.cr4);
}

TEST_F(hidden_mce, is_enabled_and_hidden)
{
	__u64 *cr4 = &self->m.vcpu.vmcb->save.cr4;

	if (access(TRACING "events/svmrun/enter/enable", W_OK))
		SKIP(return, "needs root and tracefs");
	MACHINE_LOAD(&self->m, MODE_LONG, halt);
	for (int i = 0; i < 2; i++) {
		expect_enabled(_metadata, &self->m, self->mce, 0);
		expect_enabled(_metadata, &self->m, self->mce, ~0u);
		expect_enabled(_metadata, &self->m, self->mce, ~SVM_CLEAN_CRx);
		*cr4 |= SVM_CR4_MCE; /* set by the program itself */
	}
}

/* If the processor does not intercept the read, the guest sees the host's value. */
TEST_F(hidden_mce, read_is_the_programs)
{
	struct svm_vmcb *vmcb = self->m.vcpu.vmcb;
	uint64_t cr4;

	MACHINE_LOAD(&self->m, MODE_LONG, read_cr4);
	cr4 = vmcb->save.cr4;
	ASSERT_EQ(0, machine_run(&self->m));
	EXPECT_EQ(cr4, vmcb->save.cr4);
	if (vmcb->control.exitcode == VMEXIT_CR_READ(4))
		return;
	ASSERT_EQ(VMEXIT_HLT, vmcb->control.exitcode);
	EXPECT_EQ(cr4 | self->mce, self->m.vcpu.regs->rcx);
	SKIP(return, "reads of CR4 are not intercepted");
}

TEST_HARNESS_MAIN
