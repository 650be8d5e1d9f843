// SPDX-License-Identifier: GPL-2.0
/*
 * Translations: TLB_CONTROL (APM 15.16.2) and the guest's own instructions flush
 * them, and no guest uses those of another. Emulators flush more than requested, so
 * the tests also check the requests, by the tracepoint svmrun:enter.
 */

#include "paging.h"
#include "tracing.h"

#define ONE 0x30000ul
#define OTHER 0x31000ul

GUEST(read_window, 64, READ_WINDOW);
GUEST(read_invlpg, 64,
      "mov $0x40000000, %ebx\n 1: invlpg (%rbx)\n"
      "mov (%rbx), %rax\n hlt\n jmp 1b");
GUEST(read_cr3, 64,
      "mov $0x40000000, %ebx\n 1: mov %cr3, %rax\n mov %rax, %cr3\n"
      "mov (%rbx), %rax\n hlt\n jmp 1b");

MACHINE_FIXTURE(tlb)

#define VMCB (self->m.vcpu.vmcb)

static void begin(struct machine *m, const char *code, const char *code_end)
{
	machine_load(m, MODE_LONG, code, code_end);
	*(uint64_t *)machine_at(m, ONE) = 1;
	*(uint64_t *)machine_at(m, OTHER) = 2;
	window_map(m, ONE);
}

/* Return what the guest reads at WINDOW, or -1 if the run fails. */
static long window(struct machine *m)
{
	if (machine_run(m) || m->vcpu.vmcb->control.exitcode != VMEXIT_HLT)
		return -1;
	m->vcpu.vmcb->save.rip++;
	return m->vcpu.vmcb->save.rax;
}

/* ---- flushes by the program ---------------------------------------------- */

/* The program changes the guest's page table and requests a flush. */
static void flushed_by(struct __test_metadata *_metadata, struct machine *m,
		       uint8_t tlb_control)
{
	struct svm_vmcb_control *control = &m->vcpu.vmcb->control;

	begin(m, read_window, read_window_end);
	for (int i = 0; i < 50; i++) {
		window_map(m, i % 2 ? OTHER : ONE);
		control->tlb_control = tlb_control;
		ASSERT_EQ(1 + i % 2, window(m));
		/* Only the program resets it. */
		ASSERT_EQ(tlb_control, control->tlb_control);
		control->tlb_control = SVM_TLB_CONTROL_NOTHING;
		ASSERT_EQ(1 + i % 2, window(m));
	}
}

TEST_F(tlb, flush_all)
{
	flushed_by(_metadata, &self->m, SVM_TLB_CONTROL_FLUSH_ALL);
}

TEST_F(tlb, flush_guest)
{
	if (!(self->m.info.out_svm_features & SVM_FEATURE_FLUSH_BY_ASID))
		SKIP(return, "the processor does not flush by ASID");
	flushed_by(_metadata, &self->m, SVM_TLB_CONTROL_FLUSH_GUEST);
	flushed_by(_metadata, &self->m, SVM_TLB_CONTROL_FLUSH_GUEST_NON_GLOBAL);
}

/* The clean bits cover the ASID, not TLB_CONTROL. */
TEST_F(tlb, flush_with_clean_bits_set)
{
	begin(&self->m, read_window, read_window_end);
	ASSERT_EQ(1, window(&self->m));
	window_map(&self->m, OTHER);
	VMCB->control.clean = SVM_CLEAN_ALL;
	VMCB->control.tlb_control = SVM_TLB_CONTROL_FLUSH_ALL;
	EXPECT_EQ(2, window(&self->m));
}

/* ---- requests to the processor ------------------------------------------- */

/*
 * Run twice on one CPU, and call @between in between. Return whether the second run
 * uses cached translations of the first; -1 if anything fails.
 */
static int keeps(struct machine *m, int (*between)(struct machine *m))
{
	struct entry first[16], second[16];
	int count, others;

	if (cpu_pin(0) || window(m) < 0 || entries_begin() || window(m) < 0)
		return -1;
	count = entries_read(first, 16);
	if (tracing_clear() || between(m) || window(m) < 0)
		return -1;
	others = entries_read(second, 16);
	entries_end();
	if (count < 1 || others < 1)
		return -1;
	return first[count - 1].asid == second[0].asid &&
	       !second[0].tlb_control;
}

static int do_nothing(struct machine *m)
{
	return 0;
}

static int request_flush(struct machine *m)
{
	m->vcpu.vmcb->control.tlb_control = SVM_TLB_CONTROL_FLUSH_ALL;
	return 0;
}

static int request_flush_with_clean_bits(struct machine *m)
{
	m->vcpu.vmcb->control.clean = SVM_CLEAN_ALL;
	return request_flush(m);
}

static int change_asid(struct machine *m)
{
	m->vcpu.vmcb->control.asid++;
	return 0;
}

static int map_again(struct machine *m)
{
	int err = machine_unmap(m, ONE, PAGE);

	return err ? err :
		     machine_map(m, ONE, machine_at(m, ONE), PAGE, MAP_ALL);
}

static int give_back(struct machine *m)
{
	return madvise(machine_at(m, ONE), PAGE, MADV_DONTNEED);
}

static int run_elsewhere(struct machine *m)
{
	int err = cpu_pin(1);

	if (!err && window(m) < 0)
		err = -1;
	return err || cpu_pin(0) || tracing_clear();
}

TEST_F(tlb, kept_without_a_change)
{
	begin(&self->m, read_window, read_window_end);
	EXPECT_EQ(1, keeps(&self->m, do_nothing));
}

TEST_F(tlb, dropped_on_request)
{
	begin(&self->m, read_window, read_window_end);
	EXPECT_EQ(0, keeps(&self->m, request_flush));
	VMCB->control.tlb_control = SVM_TLB_CONTROL_NOTHING;
	EXPECT_EQ(0, keeps(&self->m, request_flush_with_clean_bits));
}

/* A hypervisor may use this way of flushing on a processor (APM 15.16.1). */
TEST_F(tlb, dropped_with_the_asid)
{
	begin(&self->m, read_window, read_window_end);
	EXPECT_EQ(0, keeps(&self->m, change_asid));
}

TEST_F(tlb, dropped_with_the_mapping)
{
	begin(&self->m, read_window, read_window_end);
	EXPECT_EQ(0, keeps(&self->m, map_again));
}

TEST_F(tlb, dropped_with_the_memory)
{
	begin(&self->m, read_window, read_window_end);
	EXPECT_EQ(0, keeps(&self->m, give_back));
}

/* The previous CPU may have stale translations of what changed elsewhere. */
TEST_F(tlb, dropped_when_the_range_is_mapped_again)
{
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "only one CPU");
	begin(&self->m, read_window, read_window_end);
	EXPECT_EQ(0, keeps(&self->m, run_elsewhere));
}

/* ---- flushes by the guest ------------------------------------------------ */

TEST_F(tlb, invlpg)
{
	begin(&self->m, read_invlpg, read_invlpg_end);
	for (int i = 0; i < 50; i++) {
		window_map(&self->m, i % 2 ? OTHER : ONE);
		ASSERT_EQ(1 + i % 2, window(&self->m));
	}
}

TEST_F(tlb, cr3)
{
	begin(&self->m, read_cr3, read_cr3_end);
	for (int i = 0; i < 50; i++) {
		window_map(&self->m, i % 2 ? OTHER : ONE);
		ASSERT_EQ(1 + i % 2, window(&self->m));
	}
}

/* ---- translations of other guests ---------------------------------------- */

/* The same guest virtual address in two guests, which run in turn on one CPU */
static void by_turns(struct __test_metadata *_metadata, struct machine *one,
		     struct machine *other)
{
	for (int i = 0; i < 50; i++) {
		ASSERT_EQ(1, window(one));
		ASSERT_EQ(2, window(other));
	}
}

TEST_F(tlb, two_vms)
{
	struct machine other;

	ASSERT_EQ(0, machine_create(&other));
	begin(&self->m, read_window, read_window_end);
	begin(&other, read_window, read_window_end);
	window_map(&other, OTHER);
	by_turns(_metadata, &self->m, &other);
	machine_destroy(&other);
}

/* Two vCPUs of a VM; the second has its own page table, in separate memory. */
#define SECOND 0x100000ul
#define SECOND_WINDOW (SECOND + 2 * PAGE)

static void second_tables(uint64_t *root)
{
	uint64_t *pointers = root + PAGE / 8, *directory = root + 2 * PAGE / 8;
	uint64_t *table = root + 3 * PAGE / 8;

	root[0] = (SECOND + PAGE) | PTE_P | PTE_W;
	pointers[0] = (MACHINE_TABLES + 2 * PAGE) | PTE_P | PTE_W;
	pointers[1] = SECOND_WINDOW | PTE_P | PTE_W;
	directory[0] = (SECOND + 3 * PAGE) | PTE_P | PTE_W;
	table[0] = OTHER | PTE_P | PTE_W;
}

TEST_F(tlb, two_vcpus)
{
	struct machine second = self->m;
	struct svmrun_memory memory;

	ASSERT_EQ(0,
		  svmrun_memory_create(&memory, &self->m.vm, SECOND, 4 * PAGE));
	ASSERT_EQ(0, svmrun_vcpu_create(&second.vcpu, &self->m.vm));
	begin(&self->m, read_window, read_window_end);
	ASSERT_EQ(0, vcpu_begin(&second, &second.vcpu, MODE_LONG));
	window_map(&self->m, ONE);
	second_tables(memory.base);
	second.vcpu.vmcb->save.cr3 = SECOND;
	by_turns(_metadata, &self->m, &second);
	svmrun_vcpu_destroy(&second.vcpu);
	svmrun_memory_destroy(&memory);
}

TEST_HARNESS_MAIN
