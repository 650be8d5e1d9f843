// SPDX-License-Identifier: GPL-2.0
/*
 * ASIDs (APM 15.16) with more vCPUs than the processor has ASIDs. ASIDs are reused,
 * and a guest must never use translations of the previous owner. Emulators flush
 * more than requested, so the tests also check the requests, by the tracepoint
 * svmrun:enter.
 */
#include <stdlib.h>

#include "paging.h"
#include "tracing.h"

#define MOST 400 /* machines; skip processors with more ASIDs */
#define ROUNDS 4
#define FIRST 0x30000ul
#define CPUS 8
#define ENTRIES 20000

GUEST(read_window, 64, READ_WINDOW);

/* One machine per ASID, and some more */
FIXTURE(asid)
{
	struct machine *machines;
	unsigned int count;
};

static void machine_begin(struct machine *m, uint64_t value)
{
	MACHINE_LOAD(m, MODE_LONG, read_window);
	for (int page = 0; page < ROUNDS; page++)
		*(uint64_t *)machine_at(m, FIRST + page * PAGE) = value + page;
	window_map(m, FIRST);
}

FIXTURE_SETUP(asid)
{
	struct svmrun_info info;
	int device = device_open();

	self->count = 0;
	ASSERT_EQ(0, svmrun_device_info(device, &info, sizeof(info)));
	close(device);
	if (info.out_svm_asids + 8 > MOST)
		SKIP_SETUP("the processor has %u ASIDs", info.out_svm_asids);
	self->machines = calloc(info.out_svm_asids + 8, sizeof(struct machine));
	ASSERT_NE(NULL, self->machines);
	while (self->count < info.out_svm_asids + 8) {
		struct machine *m = &self->machines[self->count];

		ASSERT_EQ(0, machine_create(m));
		machine_begin(m, 1000 * ++self->count);
	}
}

FIXTURE_TEARDOWN(asid)
{
	while (self->count)
		machine_destroy(&self->machines[--self->count]);
	free(self->machines);
}

static long window(struct machine *m)
{
	if (machine_run(m) || m->vcpu.vmcb->control.exitcode != VMEXIT_HLT)
		return -1;
	m->vcpu.vmcb->save.rip++;
	return m->vcpu.vmcb->save.rax;
}

static bool is_other(const struct entry *a, const struct entry *b)
{
	return a->vm != b->vm || a->vcpu != b->vcpu;
}

/*
 * Return whether each entry into a guest has an ASID that only this guest has used
 * on this CPU since the last flush there.
 */
static bool apart(const struct entry *entries, int count, unsigned int asids)
{
	static const struct entry *owners[CPUS][MOST];

	memset(owners, 0, sizeof(owners));
	for (const struct entry *e = entries; e < entries + count; e++) {
		if (!e->asid || e->asid >= asids || e->cpu >= CPUS)
			return false;
		if (e->tlb_control == SVM_TLB_CONTROL_FLUSH_ALL)
			memset(owners[e->cpu], 0, sizeof(owners[0]));
		if (owners[e->cpu][e->asid] &&
		    is_other(owners[e->cpu][e->asid], e))
			return false;
		owners[e->cpu][e->asid] = e;
	}
	return true;
}

static void expect_apart(struct __test_metadata *_metadata,
			 const struct machine *m)
{
	struct entry *entries = calloc(ENTRIES, sizeof(*entries));
	int count;

	ASSERT_NE(NULL, entries);
	count = entries_read(entries, ENTRIES);
	EXPECT_LT(100, count);
	EXPECT_TRUE(apart(entries, count, m->info.out_svm_asids));
	free(entries);
}

/* The machines run in turn, each with an ASID that another one has used. */
TEST_F(asid, more_vcpus_than_asids)
{
	ASSERT_EQ(0, entries_begin());
	for (int round = 0; round < 20; round++)
		for (unsigned int i = 0; i < self->count; i++)
			ASSERT_EQ(1000 * (i + 1), window(&self->machines[i]));
	expect_apart(_metadata, self->machines);
	entries_end();
}

/* The clean bit for the ASID refers to the program's ASID, not to the module's. */
TEST_F(asid, clean)
{
	for (int round = 0; round < 20; round++)
		for (unsigned int i = 0; i < self->count; i++) {
			self->machines[i].vcpu.vmcb->control.clean =
				SVM_CLEAN_ALL;
			ASSERT_EQ(1000 * (i + 1), window(&self->machines[i]));
		}
}

/* One vCPU runs between any two others, and takes over their ASIDs. */
TEST_F(asid, one_between_the_others)
{
	for (unsigned int i = 1; i < self->count; i++) {
		ASSERT_EQ(1000, window(&self->machines[0]));
		ASSERT_EQ(1000 * (i + 1), window(&self->machines[i]));
	}
}

/*
 * ASIDs belong to a CPU: the same number belongs to another guest on another CPU.
 */
TEST_F(asid, on_every_cpu)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (cpus < 2)
		SKIP(return, "only one CPU");
	ASSERT_EQ(0, entries_begin());
	for (int round = 0; round < 20; round++)
		for (unsigned int i = 0; i < self->count; i++) {
			ASSERT_EQ(0, cpu_pin((round + i) % cpus));
			ASSERT_EQ(1000 * (i + 1), window(&self->machines[i]));
		}
	expect_apart(_metadata, self->machines);
	entries_end();
}

/*
 * The memory at the guest's address is replaced, both while the vCPU owns an ASID
 * and after another has taken it over.
 */
TEST_F(asid, memory_changes_meanwhile)
{
	for (int round = 0; round < ROUNDS; round++)
		for (unsigned int i = 0; i < self->count; i++) {
			struct machine *m = &self->machines[i];
			char *page = machine_at(m, FIRST + round * PAGE);

			ASSERT_EQ(0, machine_unmap(m, FIRST, PAGE));
			ASSERT_EQ(0,
				  machine_map(m, FIRST, page, PAGE, MAP_ALL));
			ASSERT_EQ(1000 * (i + 1) + round, window(m));
		}
}

TEST_HARNESS_MAIN
