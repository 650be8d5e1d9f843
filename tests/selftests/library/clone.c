// SPDX-License-Identifier: GPL-2.0
/*
 * Clones of a snapshot: which memory they share, many clones at once, and clones in
 * threads and in other processes
 */
#include <stdlib.h>
#include <sys/wait.h>

#include "runner.h"

#define CLONES 200
#define HIGH 0x100000ul /* guest physical address of a second memory */
#define HIGH_SIZE (5 * PAGE)

/* Add RDX to the number at EBX, each time the guest is run. */
GUEST(add, 32, "1: add %edx, (%ebx)\n mov (%ebx), %eax\n hlt\n jmp 1b");
/* Read a byte of each of the ECX pages from EBX on. */
GUEST(read_all, 32, "1: mov (%ebx), %al\n add $0x1000, %ebx\n loop 1b\n hlt");

FIXTURE(clone)
{
	struct machine m;
	struct svmrun_memory memories[2];
	struct svmrun_snapshot snapshot;
};

/* A machine with two memories; the number at HIGH is 5 */
FIXTURE_SETUP(clone)
{
	ASSERT_EQ(0, machine_create(&self->m));
	self->memories[0] = self->m.memory;
	ASSERT_EQ(0, svmrun_memory_create(&self->memories[1], &self->m.vm, HIGH,
					  HIGH_SIZE));
	*(uint32_t *)self->memories[1].base = 5;
	MACHINE_LOAD(&self->m, MODE_PROTECTED, add);
	self->m.vcpu.regs->rbx = HIGH;
	self->m.vcpu.regs->rdx = 1;
	ASSERT_EQ(0, svmrun_snapshot_take(&self->snapshot, self->memories, 2,
					  &self->m.vcpu, 1));
}

FIXTURE_TEARDOWN(clone)
{
	svmrun_snapshot_destroy(&self->snapshot);
	svmrun_memory_destroy(&self->memories[1]);
	machine_destroy(&self->m);
}

static uint32_t number_at(const struct svmrun_memory *memory)
{
	return *(volatile uint32_t *)memory->base;
}

/* Run the first vCPU until HLT, continuing after a previous HLT. */
static void run(struct __test_metadata *_metadata, struct svmrun_clone *clone)
{
	struct svm_vmcb *vmcb = clone->vcpus[0].vmcb;

	vmcb->save.rip += vmcb->control.exitcode == VMEXIT_HLT;
	ASSERT_EQ(0, svmrun_vcpu_run(&clone->vcpus[0]));
	ASSERT_EQ(VMEXIT_HLT, vmcb->control.exitcode);
}

static void make(struct __test_metadata *_metadata, struct svmrun_clone *clone,
		 const struct svmrun_snapshot *snapshot, int device)
{
	ASSERT_EQ(0, svmrun_clone(clone, snapshot, device));
	ASSERT_EQ(snapshot->memory_count, clone->memory_count);
	ASSERT_EQ(snapshot->vcpu_count, clone->vcpu_count);
}

/* ---- private and shared memory ------------------------------------------- */

TEST_F(clone, writes_are_its_own)
{
	struct svmrun_clone one, two;

	make(_metadata, &one, &self->snapshot, self->m.device);
	make(_metadata, &two, &self->snapshot, self->m.device);
	run(_metadata, &one);
	run(_metadata, &one);
	run(_metadata, &two);
	EXPECT_EQ(7, number_at(&one.memories[1]));
	EXPECT_EQ(6, number_at(&two.memories[1]));
	EXPECT_EQ(5, number_at(&self->snapshot.memories[1]));
	EXPECT_EQ(5, number_at(&self->memories[1]));
	*(uint32_t *)self->memories[1].base = 99;
	run(_metadata, &two);
	EXPECT_EQ(7, two.vcpus[0].vmcb->save.rax);
	svmrun_clone_destroy(&one);
	svmrun_clone_destroy(&two);
}

TEST_F(clone, reset_concerns_one)
{
	struct svmrun_clone one, two;

	make(_metadata, &one, &self->snapshot, self->m.device);
	make(_metadata, &two, &self->snapshot, self->m.device);
	run(_metadata, &one);
	run(_metadata, &two);
	ASSERT_EQ(0, svmrun_reset(&one));
	EXPECT_EQ(5, number_at(&one.memories[1]));
	EXPECT_EQ(6, number_at(&two.memories[1]));
	run(_metadata, &one);
	EXPECT_EQ(6, one.vcpus[0].vmcb->save.rax);
	svmrun_clone_destroy(&one);
	svmrun_clone_destroy(&two);
}

/* All exist at the same time, each with its own number. */
TEST_F_TIMEOUT(clone, two_hundred, 60)
{
	struct svmrun_clone *clones = calloc(CLONES, sizeof(*clones));

	for (int i = 0; i < CLONES; i++)
		make(_metadata, &clones[i], &self->snapshot, self->m.device);
	for (int i = 0; i < CLONES; i++) {
		clones[i].vcpus[0].regs->rdx = i;
		run(_metadata, &clones[i]);
	}
	for (int i = 0; i < CLONES; i++)
		EXPECT_EQ(5 + i, number_at(&clones[i].memories[1]));
	for (int i = 0; i < CLONES; i += 2)
		svmrun_clone_destroy(&clones[i]);
	for (int i = 1; i < CLONES; i += 2) {
		ASSERT_EQ(0, svmrun_reset(&clones[i]));
		run(_metadata, &clones[i]);
		EXPECT_EQ(6, number_at(&clones[i].memories[1]));
		svmrun_clone_destroy(&clones[i]);
	}
	free(clones);
}

/* Return the KiB of anonymous memory of the process. */
static long anonymous(void)
{
	char line[128];
	long kib = -1;
	FILE *file = fopen("/proc/self/smaps_rollup", "r");

	while (file && kib < 0 && fgets(line, sizeof(line), file))
		sscanf(line, "Anonymous: %ld", &kib);
	if (file)
		fclose(file);
	return kib;
}

TEST_F_TIMEOUT(clone, shares_what_is_not_written, 60)
{
	struct svmrun_clone *clones = calloc(CLONES, sizeof(*clones));
	struct svmrun_snapshot snapshot;
	long before;

	memset(self->m.memory.base, 0x5a, MACHINE_SIZE);
	MACHINE_LOAD(&self->m, MODE_PROTECTED, read_all);
	self->m.vcpu.regs->rbx = 0;
	self->m.vcpu.regs->rcx = MACHINE_SIZE / PAGE;
	ASSERT_EQ(0, svmrun_snapshot_take(&snapshot, self->memories, 2,
					  &self->m.vcpu, 1));
	before = anonymous();
	for (int i = 0; i < CLONES; i++) {
		make(_metadata, &clones[i], &snapshot, self->m.device);
		run(_metadata, &clones[i]);
		EXPECT_EQ(0, memcmp(clones[i].memories[0].base,
				    self->m.memory.base, MACHINE_SIZE));
	}
	TH_LOG("%ld KiB for %d clones", anonymous() - before, CLONES);
	/*
	 * Each clone has read its 256 KiB; some memory is needed for bookkeeping.
	 */
	EXPECT_LT(anonymous() - before, CLONES * 2);
	for (int i = 0; i < CLONES; i++)
		svmrun_clone_destroy(&clones[i]);
	svmrun_snapshot_destroy(&snapshot);
	free(clones);
}

/* ---- snapshots of clones, and several vCPUs ------------------------------ */

TEST_F(clone, snapshot_of_a_clone)
{
	struct svmrun_snapshot later;
	struct svmrun_clone one, two;

	make(_metadata, &one, &self->snapshot, self->m.device);
	run(_metadata, &one);
	ASSERT_EQ(0,
		  svmrun_snapshot_take(&later, one.memories, one.memory_count,
				       one.vcpus, one.vcpu_count));
	make(_metadata, &two, &later, self->m.device);
	run(_metadata, &one);
	svmrun_clone_destroy(&one);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(6, number_at(&two.memories[1]));
		run(_metadata, &two);
		EXPECT_EQ(7, number_at(&two.memories[1]));
		ASSERT_EQ(0, svmrun_reset(&two));
	}
	svmrun_clone_destroy(&two);
	svmrun_snapshot_destroy(&later);
}

TEST_F(clone, has_all_vcpus)
{
	struct svmrun_vcpu vcpus[2] = { self->m.vcpu };
	struct svmrun_snapshot snapshot;
	struct svmrun_clone clone;

	ASSERT_EQ(0, svmrun_vcpu_create(&vcpus[1], &self->m.vm));
	vcpu_begin(&self->m, &vcpus[1], MODE_PROTECTED);
	vcpus[1].regs->rbx = HIGH + PAGE;
	vcpus[1].regs->rdx = 10;
	ASSERT_EQ(0,
		  svmrun_snapshot_take(&snapshot, self->memories, 2, vcpus, 2));
	make(_metadata, &clone, &snapshot, self->m.device);
	for (int i = 0; i < 3; i++) {
		run(_metadata, &clone);
		ASSERT_EQ(0, svmrun_vcpu_run(&clone.vcpus[1]));
		EXPECT_EQ(6, clone.vcpus[0].vmcb->save.rax);
		EXPECT_EQ(10, clone.vcpus[1].vmcb->save.rax);
		ASSERT_EQ(0, svmrun_reset(&clone));
		EXPECT_EQ(0, memcmp(clone.vcpus[1].vmcb, snapshot.vcpus[1].vmcb,
				    clone.vcpus[1].size));
	}
	svmrun_clone_destroy(&clone);
	svmrun_snapshot_destroy(&snapshot);
	svmrun_vcpu_destroy(&vcpus[1]);
}

/* Clones in two threads at once */
struct worker {
	struct svmrun_clone clone;
	pthread_t thread;
	int result;
};

static void *run_and_reset(void *argument)
{
	struct worker *worker = argument;
	struct svmrun_vcpu *vcpu = &worker->clone.vcpus[0];

	for (int i = 0; i < 500 && !worker->result; i++) {
		worker->result = svmrun_vcpu_run(vcpu);
		if (!worker->result && vcpu->vmcb->save.rax != 6)
			worker->result = -EPROTO;
		if (!worker->result)
			worker->result = svmrun_reset(&worker->clone);
	}
	return NULL;
}

TEST_F_TIMEOUT(clone, in_threads, 60)
{
	struct worker workers[2] = {};

	for (int i = 0; i < 2; i++) {
		make(_metadata, &workers[i].clone, &self->snapshot,
		     self->m.device);
		ASSERT_EQ(0, pthread_create(&workers[i].thread, NULL,
					    run_and_reset, &workers[i]));
	}
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_join(workers[i].thread, NULL));
		EXPECT_EQ(0, workers[i].result);
		svmrun_clone_destroy(&workers[i].clone);
	}
}

/* ---- changes by the program ---------------------------------------------- */

TEST_F(clone, touched_memory_is_restored)
{
	struct svmrun_clone clone;

	make(_metadata, &clone, &self->snapshot, self->m.device);
	*(uint32_t *)svmrun_clone_touch(&clone, HIGH, 4) = 40;
	run(_metadata, &clone);
	EXPECT_EQ(41, clone.vcpus[0].vmcb->save.rax);
	ASSERT_EQ(0, svmrun_reset(&clone));
	EXPECT_EQ(5, number_at(&clone.memories[1]));
	/*
	 * After a reset, changes must be announced by another touch to be undone.
	 */
	*(uint32_t *)clone.memories[1].base = 40;
	ASSERT_EQ(0, svmrun_reset(&clone));
	EXPECT_EQ(40, number_at(&clone.memories[1]));
	svmrun_clone_destroy(&clone);
}

/*
 * Invert a byte of each page, and touch about one page in @spacing. The reset restores these,
 * and no others.
 */
static void reset_some(struct __test_metadata *_metadata,
		       struct svmrun_clone *clone, unsigned int spacing)
{
	const uint8_t *kept = clone->snapshot->memories[0].base;
	uint8_t *view = clone->memories[0].base;
	bool touched[MACHINE_SIZE / PAGE];
	size_t i;

	for (i = 0; i < MACHINE_SIZE / PAGE; i++) {
		touched[i] = !(rand() % spacing);
		if (touched[i])
			ASSERT_NE(NULL, svmrun_clone_touch(clone, i * PAGE, 1));
		view[i * PAGE] = ~kept[i * PAGE];
	}
	ASSERT_EQ(0, svmrun_reset(clone));
	for (i = 0; i < MACHINE_SIZE / PAGE; i++) {
		ASSERT_EQ(touched[i], view[i * PAGE] == kept[i * PAGE])
		TH_LOG("page %zu, one in %u touched", i, spacing);
	}
}

TEST_F(clone, exactly_what_is_touched_is_restored)
{
	struct svmrun_clone clone;
	unsigned int i;

	make(_metadata, &clone, &self->snapshot, self->m.device);
	srand(1);
	for (i = 0; i < 40; i++)
		reset_some(_metadata, &clone, 1 + i % 5);
	svmrun_clone_destroy(&clone);
}

/* The reset clears the dirty log, so that the next one takes no longer. */
TEST_F(clone, reset_begins_the_log_anew)
{
	struct svmrun_clone clone;
	uint64_t log = 0;

	make(_metadata, &clone, &self->snapshot, self->m.device);
	run(_metadata, &clone);
	ASSERT_EQ(0, svmrun_vm_dirty(&clone.vm, HIGH, HIGH_SIZE, &log, 0));
	EXPECT_EQ(1, log);
	ASSERT_EQ(0, svmrun_reset(&clone));
	EXPECT_EQ(1, clone.logged[MACHINE_SIZE / PAGE / 64]);
	ASSERT_EQ(0, svmrun_vm_dirty(&clone.vm, HIGH, HIGH_SIZE, &log, 0));
	EXPECT_EQ(0, log);
	svmrun_clone_destroy(&clone);
}

TEST_F(clone, protect_and_reset)
{
	const uint32_t rights = SVMRUN_MAP_READ | SVMRUN_MAP_EXEC;
	struct svmrun_clone clone;

	make(_metadata, &clone, &self->snapshot, self->m.device);
	run(_metadata, &clone);
	ASSERT_EQ(0, svmrun_vm_protect(&clone.vm, HIGH, PAGE, rights));
	ASSERT_EQ(0, svmrun_reset(&clone));
	ASSERT_EQ(0, svmrun_vcpu_run(&clone.vcpus[0]));
	EXPECT_EQ(VMEXIT_NPF, clone.vcpus[0].vmcb->control.exitcode);
	EXPECT_EQ(5, number_at(&clone.memories[1]));
	ASSERT_EQ(0, svmrun_vm_protect(&clone.vm, HIGH, PAGE, MAP_ALL));
	run(_metadata, &clone);
	ASSERT_EQ(0, svmrun_reset(&clone));
	EXPECT_EQ(5, number_at(&clone.memories[1]));
	svmrun_clone_destroy(&clone);
}

/* A partly fetched log is not lost. */
TEST_F(clone, reset_with_memory_unmapped)
{
	const uint32_t rights = MAP_ALL | SVMRUN_MAP_LOG_DIRTY;
	struct svmrun_clone clone;

	make(_metadata, &clone, &self->snapshot, self->m.device);
	clone.vcpus[0].regs->rbx = MACHINE_DATA;
	run(_metadata, &clone);
	ASSERT_EQ(0, svmrun_vm_unmap(&clone.vm, HIGH, HIGH_SIZE));
	EXPECT_EQ(-ENOENT, svmrun_reset(&clone));
	EXPECT_EQ(1, clone.vcpus[0].vmcb->save.rax);
	EXPECT_EQ(1, *(uint32_t *)svmrun_memory_at(&clone.memories[0],
						   MACHINE_DATA, 4));
	ASSERT_EQ(0, svmrun_vm_map(&clone.vm, HIGH, clone.memories[1].base,
				   HIGH_SIZE, rights));
	ASSERT_EQ(0, svmrun_reset(&clone));
	EXPECT_EQ(0, *(uint32_t *)svmrun_memory_at(&clone.memories[0],
						   MACHINE_DATA, 4));
	run(_metadata, &clone);
	EXPECT_EQ(6, clone.vcpus[0].vmcb->save.rax);
	svmrun_clone_destroy(&clone);
}

/* ---- processes ----------------------------------------------------------- */

/* Return a distinct status for each check. */
static int child_main(FIXTURE_DATA(clone) * self,
		      struct svmrun_clone *inherited)
{
	struct svmrun_clone own;

	if (svmrun_vcpu_run(&inherited->vcpus[0]) != -EIO)
		return 1;
	if (svmrun_reset(inherited) != -EIO)
		return 2;
	svmrun_clone_destroy(inherited);
	if (svmrun_clone(&own, &self->snapshot, self->m.device))
		return 3;
	for (int i = 0; i < 10; i++) {
		if (svmrun_vcpu_run(&own.vcpus[0]) ||
		    own.vcpus[0].vmcb->save.rax != 6 ||
		    number_at(&own.memories[1]) != 6)
			return 4;
		if (svmrun_reset(&own))
			return 5;
	}
	svmrun_clone_destroy(&own);
	svmrun_snapshot_destroy(&self->snapshot);
	return 0;
}

TEST_F(clone, child_makes_its_own)
{
	struct svmrun_clone clone;
	int status;
	pid_t child;

	make(_metadata, &clone, &self->snapshot, self->m.device);
	run(_metadata, &clone);
	child = fork();
	if (!child)
		_exit(child_main(self, &clone));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(6, number_at(&clone.memories[1]));
	run(_metadata, &clone);
	EXPECT_EQ(7, clone.vcpus[0].vmcb->save.rax);
	ASSERT_EQ(0, svmrun_reset(&clone));
	run(_metadata, &clone);
	EXPECT_EQ(6, clone.vcpus[0].vmcb->save.rax);
	svmrun_clone_destroy(&clone);
}

TEST_HARNESS_MAIN
