// SPDX-License-Identifier: GPL-2.0
/*
 * A clone that was reset equals its snapshot exactly, whatever the guest and the
 * program have changed. The environment variable SVMRUN_SEED determines the
 * sequence of changes.
 */
#include <stdlib.h>

#include "runner.h"
#include "xsave.h"

#define ROUNDS rounds(2500)
#define RERUN 25 /* rounds between comparisons of runs */

#define RFLAGS_IF (1ull << 9)

#define MSR_SYSENTER_CS 0x174
#define MSR_STAR 0xc0000081
#define MSR_SFMASK 0xc0000084

/*
 * Write RCX random numbers to random places in the upper half of the machine's
 * memory, beginning with the number in RAX, and leave it in MSRs, CR2, DR0 and
 * registers of every kind. When run again, continue.
 */
GUEST(scramble, 64,
      "1: mov %rax, %rdx\n shl $13, %rdx\n xor %rdx, %rax\n"
      "mov %rax, %rdx\n shr $7, %rdx\n xor %rdx, %rax\n"
      "mov %rax, %rdx\n shl $17, %rdx\n xor %rdx, %rax\n"
      "mov %eax, %ebx\n and $0x1fff8, %ebx\n"
      "mov %rax, 0x20000(%rbx)\n loop 1b\n"
      "push %rax\n mov %rax, %r8\n mov %rax, %cr2\n mov %rax, %dr0\n"
      "mov $0x174, %ecx\n wrmsr\n mov $0xc0000081, %ecx\n wrmsr\n"
      "mov $0xc0000084, %ecx\n xor %edx, %edx\n wrmsr\n"
      "movq %rax, %xmm5\n paddq %xmm5, %xmm6\n fldpi\n"
      "mov $300, %ecx\n hlt\n jmp 1b");

FIXTURE(snapshot)
{
	struct machine m;
	struct svmrun_snapshot snapshot;
	struct svmrun_clone clone;
	unsigned int seed;
};

/* Permit the guest to access an MSR (APM 15.11). */
static void pass_msr(struct svmrun_vcpu *vcpu, uint32_t msr)
{
	uint32_t bit = (msr >= 0xc0000000 ? 0x800 * 8 : 0) + (msr & 0x1fff) * 2;

	vcpu->msrpm[bit / 8] &= ~(3u << bit % 8);
}

/* Prepare a machine that has run for a while and has a pending event. */
static int prepare(struct machine *m)
{
	struct svm_vmcb *vmcb = m->vcpu.vmcb;
	int err = MACHINE_LOAD(m, MODE_LONG, scramble);

	pass_msr(&m->vcpu, MSR_SYSENTER_CS);
	pass_msr(&m->vcpu, MSR_STAR);
	pass_msr(&m->vcpu, MSR_SFMASK);
	vmcb->save.rax = 88172645463325252ull;
	m->vcpu.regs->rcx = 5000;
	m->vcpu.regs->xcr0 = XCR0_X87 | XCR0_SSE;
	if (!err)
		err = machine_run(m);
	if (!err && vmcb->control.exitcode != VMEXIT_HLT)
		err = -EPROTO;
	vmcb->control.vintr = SVM_VINTR_V_IRQ | SVM_VINTR_V_IGN_TPR |
			      0x33ull << SVM_VINTR_V_INTR_VECTOR_SHIFT;
	vmcb->control.interrupt_shadow = SVM_SHADOW_INTERRUPT_SHADOW;
	vmcb->control.clean = SVM_CLEAN_ALL & ~SVM_CLEAN_TPR;
	vmcb->save.rip++;
	return err;
}

FIXTURE_SETUP(snapshot)
{
	const char *seed = getenv("SVMRUN_SEED");

	self->seed = seed ? strtoul(seed, NULL, 0) : 1;
	ASSERT_EQ(0, machine_create(&self->m));
	ASSERT_EQ(0, prepare(&self->m));
	ASSERT_EQ(0, svmrun_snapshot_take(&self->snapshot, &self->m.memory, 1,
					  &self->m.vcpu, 1));
	ASSERT_EQ(0,
		  svmrun_clone(&self->clone, &self->snapshot, self->m.device));
}

FIXTURE_TEARDOWN(snapshot)
{
	svmrun_clone_destroy(&self->clone);
	svmrun_snapshot_destroy(&self->snapshot);
	machine_destroy(&self->m);
}

/* ---- comparisons --------------------------------------------------------- */

static void expect_same(struct __test_metadata *_metadata,
			const struct svmrun_clone *clone)
{
	const struct svmrun_snapshot *snapshot = clone->snapshot;

	ASSERT_EQ(0, memcmp(clone->memories[0].base, snapshot->memories[0].base,
			    MACHINE_SIZE));
	ASSERT_EQ(0, memcmp(clone->vcpus[0].vmcb, snapshot->vcpus[0].vmcb,
			    clone->vcpus[0].size));
	ASSERT_EQ(0, clone->vcpus[0].vmcb->control.clean);
}

/*
 * The end of a run: everything that does not depend on when the host interrupted it
 */
struct ending {
	uint64_t exitcode, vintr, interrupt_shadow, eventinj;
	struct svm_vmcb_save save;
	uint64_t gprs[14], dr[4];
	uint8_t xsave[4096];
	uint8_t memory[MACHINE_SIZE];
};

static int run_to_end(const struct svmrun_clone *clone, struct ending *ending)
{
	const struct svmrun_vcpu *vcpu = &clone->vcpus[0];
	const struct svm_vmcb_control *control = &vcpu->vmcb->control;
	int ret;

	do {
		ret = svmrun_vcpu_run(&clone->vcpus[0]);
	} while (ret == -EINTR);
	memset(ending, 0, sizeof(*ending));
	ending->exitcode = control->exitcode;
	ending->vintr = control->vintr;
	ending->interrupt_shadow = control->interrupt_shadow;
	ending->eventinj = control->eventinj;
	ending->save = vcpu->vmcb->save;
	memcpy(ending->gprs, vcpu->regs, sizeof(ending->gprs));
	memcpy(ending->dr, vcpu->regs->dr, sizeof(ending->dr));
	memcpy(ending->xsave, vcpu->xsave, vcpu->xsave_size);
	memcpy(ending->memory, clone->memories[0].base, MACHINE_SIZE);
	return ret;
}

/* ---- changes to a clone -------------------------------------------------- */

static unsigned int below(unsigned int *seed, unsigned int limit)
{
	return rand_r(seed) % limit;
}

static uint64_t number(unsigned int *seed)
{
	return (uint64_t)rand_r(seed) << 40 ^ (uint64_t)rand_r(seed) << 20 ^
	       rand_r(seed);
}

static void fill(unsigned int *seed, void *at, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((uint8_t *)at)[i] = rand_r(seed) >> 8;
}

static void change_registers(struct svmrun_clone *clone, unsigned int *seed)
{
	struct svmrun_vcpu *vcpu = &clone->vcpus[0];

	for (int i = 0; i < 4; i++)
		svmrun_vcpu_set_gpr(vcpu, below(seed, 16), number(seed));
	vcpu->regs->rcx = 1 + below(seed, 500);
	vcpu->vmcb->save.rsp = MACHINE_STACK;
	vcpu->vmcb->save.cr2 = number(seed);
	vcpu->regs->dr[below(seed, 4)] = number(seed);
}

static void change_msrs(struct svmrun_clone *clone, unsigned int *seed)
{
	struct svm_vmcb_save *save = &clone->vcpus[0].vmcb->save;

	save->star = number(seed);
	save->lstar = number(seed) >> 17;
	save->cstar = number(seed) >> 17;
	save->kernel_gs_base = number(seed) >> 17;
	save->fs.base = number(seed) >> 17;
	save->sysenter_esp = number(seed) >> 17;
	save->sfmask = number(seed);
	save->g_pat = 0x0606060606060606ull;
	clone->vcpus[0].msrpm[below(seed, 8192)] = number(seed);
}

static void change_fpu(struct svmrun_clone *clone, unsigned int *seed)
{
	uint8_t *xsave = clone->vcpus[0].xsave;

	fill(seed, xsave + XSAVE_ST(0), XSAVE_XMM(16) - XSAVE_ST(0));
	*(uint16_t *)(xsave + XSAVE_FCW) = 0x37f ^ below(seed, 16) << 8;
	*(uint64_t *)(xsave + XSAVE_XSTATE_BV) = below(seed, 4);
}

static void change_events(struct svmrun_clone *clone, unsigned int *seed)
{
	struct svm_vmcb *vmcb = clone->vcpus[0].vmcb;

	vmcb->control.interrupt_shadow = below(seed, 2);
	vmcb->control.vintr ^= (uint64_t)below(seed, 4) << 8 & SVM_VINTR_V_IRQ;
	if (!below(seed, 2))
		vmcb->save.rflags ^= RFLAGS_IF;
	if (!below(seed, 4))
		vmcb->control.eventinj = SVM_EVENT_VALID | below(seed, 256);
	vmcb->control.intercept[below(seed, 3)] ^= 1u << below(seed, 32);
	vmcb->control.tsc_offset = number(seed);
}

static void change_memory(struct svmrun_clone *clone, unsigned int *seed)
{
	uint64_t gpa = MACHINE_TABLES + SVMRUN_LONG_TABLES_SIZE;
	size_t length = 1 + below(seed, 3 * PAGE);

	gpa += below(seed, MACHINE_SIZE - gpa - length);
	fill(seed, svmrun_clone_touch(clone, gpa, length), length);
}

/* Also corrupt what the guest needs to run: its tables, its code, its VMCB. */
static void spoil(struct svmrun_clone *clone, unsigned int *seed)
{
	size_t length = 1 + below(seed, 3 * PAGE);
	uint64_t gpa = below(seed, MACHINE_SIZE - length);

	fill(seed, svmrun_clone_touch(clone, gpa, length), length);
	fill(seed, clone->vcpus[0].vmcb, clone->vcpus[0].size);
}

static void change(struct svmrun_clone *clone, unsigned int *seed)
{
	static void (*const changes[])(struct svmrun_clone *,
				       unsigned int *) = {
		change_registers, change_msrs,	 change_fpu,
		change_events,	  change_memory,
	};

	clone->vcpus[0].vmcb->save.rax = number(seed) | 1;
	for (int n = below(seed, 6); n; n--)
		changes[below(seed, 5)](clone, seed);
}

static bool has_written(struct svmrun_clone *clone)
{
	uint64_t bits[MACHINE_SIZE / PAGE / 64 + 1] = {}, any = 0;

	if (svmrun_vm_dirty(&clone->vm, 0, MACHINE_SIZE, bits, 0))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		any |= bits[i];
	return any;
}

/*
 * Run the guest, possibly interrupted at any point. Return whether it has written.
 */
static bool run_some(struct svmrun_clone *clone, unsigned int *seed)
{
	int runs = below(seed, 4);
	bool wrote;

	if (!below(seed, 8))
		svmrun_vcpu_kick(&clone->vcpus[0]);
	while (runs--) {
		if (!svmrun_vcpu_run(&clone->vcpus[0]) &&
		    clone->vcpus[0].vmcb->control.exitcode == VMEXIT_HLT)
			clone->vcpus[0].vmcb->save.rip++;
		if (!below(seed, 2))
			change(clone, seed);
	}
	wrote = has_written(clone);
	if (!below(seed, 8))
		spoil(clone, seed);
	return wrote;
}

/* ---- tests --------------------------------------------------------------- */

TEST_F(snapshot, clone_begins_as_the_snapshot)
{
	const struct svmrun_vcpu *kept = &self->snapshot.vcpus[0];
	struct svmrun_vcpu *vcpu = &self->m.vcpu;

	expect_same(_metadata, &self->clone);
	EXPECT_NE(0, vcpu->vmcb->control.clean);
	vcpu->vmcb->control.clean = 0;
	EXPECT_EQ(0, memcmp(kept->vmcb, vcpu->vmcb, vcpu->size));
	EXPECT_EQ(0, memcmp(self->snapshot.memories[0].base,
			    self->m.memory.base, MACHINE_SIZE));
	/* The test is meaningless if all values are zero. */
	EXPECT_NE(0, kept->vmcb->save.star);
	EXPECT_NE(0, kept->regs->dr[0]);
	EXPECT_NE(0, *(uint64_t *)(kept->xsave + XSAVE_XMM(6)));
}

TEST_F_TIMEOUT(snapshot, exact_after_random_runs, 110)
{
	struct ending *first = malloc(sizeof(*first));
	struct ending *again = malloc(sizeof(*again));
	unsigned int wrote = 0;

	ASSERT_EQ(0, run_to_end(&self->clone, first));
	ASSERT_EQ(VMEXIT_HLT, first->exitcode);
	for (int i = 0; i < ROUNDS; i++) {
		change(&self->clone, &self->seed);
		wrote += run_some(&self->clone, &self->seed);
		ASSERT_EQ(0, svmrun_reset(&self->clone));
		expect_same(_metadata, &self->clone);
		if (i % RERUN)
			continue;
		ASSERT_EQ(0, run_to_end(&self->clone, again));
		ASSERT_EQ(0, memcmp(first, again, sizeof(*first)));
	}
	TH_LOG("the guest wrote in %u of %d rounds", wrote, ROUNDS);
	/* The test is meaningless if hardly anything changes. */
	EXPECT_LT(ROUNDS / 3, wrote);
}

/* The parent continues, and ends like its clones. */
TEST_F(snapshot, parent_is_not_disturbed)
{
	struct ending *cloned = malloc(sizeof(*cloned));
	struct ending *own = malloc(sizeof(*own));
	struct svmrun_clone parent = {
		.memories = &self->m.memory,
		.vcpus = &self->m.vcpu,
	};

	ASSERT_EQ(0, run_to_end(&self->clone, cloned));
	EXPECT_EQ(0, memcmp(self->snapshot.memories[0].base,
			    self->m.memory.base, MACHINE_SIZE));
	ASSERT_EQ(0, run_to_end(&parent, own));
	EXPECT_EQ(0, memcmp(cloned, own, sizeof(*own)));
	ASSERT_EQ(0, svmrun_reset(&self->clone));
	expect_same(_metadata, &self->clone);
}

/* ---- events -------------------------------------------------------------- */

#define VECTOR 0x20
#define HANDLER (MACHINE_CODE + 16)

/* At HANDLER, a handler that counts its calls */
GUEST(handler, 16, "hlt\n .skip 15\n incw 0xa000\n hlt");

TEST_F(snapshot, pending_event_is_delivered_in_each)
{
	struct svmrun_snapshot snapshot;
	struct svmrun_clone clone;

	MACHINE_LOAD(&self->m, MODE_REAL, handler);
	*(uint32_t *)machine_at(&self->m, VECTOR * 4) = HANDLER;
	self->m.vcpu.vmcb->control.eventinj = SVM_EVENT_VALID |
					      SVM_EVENT_TYPE_INTR | VECTOR;
	ASSERT_EQ(0, svmrun_snapshot_take(&snapshot, &self->m.memory, 1,
					  &self->m.vcpu, 1));
	ASSERT_EQ(0, svmrun_clone(&clone, &snapshot, self->m.device));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, svmrun_vcpu_run(&clone.vcpus[0]));
		EXPECT_EQ(VMEXIT_HLT, clone.vcpus[0].vmcb->control.exitcode);
		EXPECT_EQ(1, *(uint16_t *)svmrun_memory_at(&clone.memories[0],
							   MACHINE_DATA, 2));
		EXPECT_EQ(0, clone.vcpus[0].vmcb->control.eventinj &
				     SVM_EVENT_VALID);
		ASSERT_EQ(0, svmrun_reset(&clone));
		expect_same(_metadata, &clone);
	}
	svmrun_clone_destroy(&clone);
	svmrun_snapshot_destroy(&snapshot);
}

TEST_HARNESS_MAIN
