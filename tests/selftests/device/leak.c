// SPDX-License-Identifier: GPL-2.0
/*
 * Memory leaks: after five hundred VMs have been created, run and destroyed, the
 * kernel uses no more memory than before.
 */
#include <dirent.h>

#include "files.h"
#include "kcore.h"
#include "pages.h"

#define SLABS "/sys/kernel/slab"

#define WARM_UP 100
#define CYCLES 500

/*
 * Allowance for the rest of the system, which took up to 48 KiB when measured. A
 * leak of 410 bytes per cycle would be detected.
 */
#define BOUND_KIB 200

/*
 * With KASAN it is larger: a kernel thread that is started meanwhile takes 70 KiB,
 * because its stack has a shadow, and shrinking one cache fills others. kmemleak
 * reports leaked objects there; a page per cycle would be 2000 KiB.
 */
#define BOUND_KASAN_KIB 1000

GUEST(halt, 16, "hlt");

/* Return the sum of the numbers after @name, in lines that begin with it. */
static long sum_of(const char *path, const char *name)
{
	char line[128], *text;
	long sum = 0;
	FILE *file = fopen(path, "r");

	while (file && fgets(line, sizeof(line), file)) {
		text = line + strspn(line, " ");
		if (!strncmp(text, name, strlen(name)))
			sum += atol(text + strlen(name));
	}
	if (file)
		fclose(file);
	return sum;
}

static bool has_kasan(void)
{
	return kernel_symbol("kasan_report");
}

/* KASAN keeps freed objects; shrinking a cache releases them. */
static void shrink_slabs(void)
{
	DIR *slabs = opendir(SLABS);
	struct dirent *slab;
	char path[512];

	while (slabs && (slab = readdir(slabs))) {
		snprintf(path, sizeof(path), SLABS "/%s/shrink", slab->d_name);
		file_write(path, "1");
	}
	if (slabs)
		closedir(slabs);
}

/* Release what can be released, and update the counters. */
static void settle(void)
{
	sync();
	usleep(300 * 1000);
	file_write("/proc/sys/vm/drop_caches", "3");
	if (has_kasan())
		shrink_slabs();
	file_write("/proc/sys/vm/stat_refresh", "1");
}

static void cycle(struct __test_metadata *_metadata)
{
	struct machine m;

	ASSERT_EQ(0, machine_create(&m));
	MACHINE_LOAD(&m, MODE_REAL, halt);
	ASSERT_EXIT(VMEXIT_HLT, &m);
	machine_destroy(&m);
}

/* in KiB */
struct memory_use {
	long free, slab, unreclaimable, vmalloc;
};

/* Free pages include those in the per-CPU lists. */
static struct memory_use measure(void)
{
	settle();
	return (struct memory_use){
		.free = sum_of("/proc/meminfo", "MemFree:") +
			sum_of("/proc/zoneinfo", "count:") * (PAGE / 1024),
		.slab = sum_of("/proc/meminfo", "Slab:"),
		.unreclaimable = sum_of("/proc/meminfo", "SUnreclaim:"),
		.vmalloc = sum_of("/proc/meminfo", "VmallocUsed:"),
	};
}

static void compare(struct __test_metadata *_metadata,
		    const struct memory_use *before,
		    const struct memory_use *after)
{
	const long bound = has_kasan() ? BOUND_KASAN_KIB : BOUND_KIB;

	EXPECT_LT(before->free - after->free, bound);
	EXPECT_LT(after->slab - before->slab, bound);
	EXPECT_LT(after->unreclaimable - before->unreclaimable, BOUND_KIB);
	EXPECT_LT(after->vmalloc - before->vmalloc, BOUND_KIB);
	TH_LOG("KiB: free %+ld, slab %+ld, unreclaimable %+ld, vmalloc %+ld",
	       after->free - before->free, after->slab - before->slab,
	       after->unreclaimable - before->unreclaimable,
	       after->vmalloc - before->vmalloc);
}

FIXTURE(leak){};
FIXTURE_SETUP(leak)
{
}
FIXTURE_TEARDOWN(leak)
{
}

TEST_F_TIMEOUT(leak, five_hundred_cycles, 240)
{
	struct memory_use before, after;

	for (int i = 0; i < WARM_UP; i++)
		cycle(_metadata);
	before = measure();
	for (int i = 0; i < CYCLES; i++)
		cycle(_metadata);
	after = measure();
	compare(_metadata, &before, &after);
}

/* VMs that never run, and calls that fail */
TEST_F_TIMEOUT(leak, errors_on_the_way, 240)
{
	struct memory_use before, after;
	int device = device_open();

	ASSERT_LE(0, device);
	for (int i = 0; i < WARM_UP + CYCLES; i++) {
		int vm = vm_create(device), vcpu = vcpu_create(vm);

		ASSERT_LE(0, vcpu);
		ASSERT_EQ(-EFAULT, call(vm, SVMRUN_MAP, NULL));
		ASSERT_EQ(-EINVAL, call(vcpu, SVMRUN_RUN, (void *)1));
		close(vm);
		close(vcpu);
		if (i == WARM_UP)
			before = measure();
	}
	after = measure();
	compare(_metadata, &before, &after);
}

TEST_F_TIMEOUT(leak, clones, 240)
{
	struct memory_use before, after;
	struct svmrun_snapshot snapshot;
	struct svmrun_clone clone;
	struct machine m;

	ASSERT_EQ(0, machine_create(&m));
	MACHINE_LOAD(&m, MODE_REAL, halt);
	ASSERT_EQ(0, svmrun_snapshot_take(&snapshot, &m.memory, 1, &m.vcpu, 1));
	for (int i = 0; i < WARM_UP + CYCLES; i++) {
		ASSERT_EQ(0, svmrun_clone(&clone, &snapshot, m.device));
		ASSERT_EQ(0, svmrun_vcpu_run(&clone.vcpus[0]));
		svmrun_clone_touch(&clone, MACHINE_DATA, 1);
		ASSERT_EQ(0, svmrun_reset(&clone));
		svmrun_clone_destroy(&clone);
		if (i == WARM_UP)
			before = measure();
	}
	after = measure();
	compare(_metadata, &before, &after);
	svmrun_snapshot_destroy(&snapshot);
	machine_destroy(&m);
}

#define GPA GIB_1
#define LENGTH (2 * MIB_2)
#define LOGGED (64 * MIB_2) /* not all of it is backed by memory */

/*
 * Split and join regions, use logs, tables and a large page; leave some to the end.
 */
static void memory_cycle(struct __test_metadata *_metadata, uint8_t *memory)
{
	uint64_t bits[LOGGED / PAGE / 64];
	struct machine m;

	ASSERT_EQ(0, machine_create(&m));
	ASSERT_EQ(0, machine_map(&m, GPA, memory, LOGGED,
				 MAP_ALL | SVMRUN_MAP_LOG_DIRTY));
	ASSERT_EQ(0, machine_map(&m, 2 * GPA, memory, LENGTH, MAP_ALL));
	EXPECT_WRITE(&m, GPA + 3 * PAGE, 5);
	EXPECT_READ(5, &m, 2 * GPA + 3 * PAGE);
	ASSERT_EQ(0, machine_dirty(&m, GPA, LOGGED, bits, SVMRUN_DIRTY_CLEAR));
	EXPECT_EQ(-EFAULT, machine_dirty(&m, GPA, LOGGED, NULL, 0));
	for (int i = 0; i < 16; i += 2)
		ASSERT_EQ(0, machine_protect(&m, GPA + i * PAGE, PAGE, MAP_RX));
	ASSERT_EQ(0, machine_protect(&m, GPA, 15 * PAGE, MAP_ALL));
	ASSERT_EQ(0, machine_unmap(&m, GPA + 3 * PAGE, PAGE));
	EXPECT_READ(0, &m, 2 * GPA + MIB_2);
	ASSERT_EQ(0, machine_unmap(&m, 2 * GPA, MIB_2));
	machine_destroy(&m);
}

TEST_F_TIMEOUT(leak, memory, 240)
{
	uint8_t *memory = pages_new_aligned(LENGTH, MIB_2);
	struct memory_use before, after;

	ASSERT_NE(MAP_FAILED, memory);
	memset(memory, 0, LENGTH);
	for (int i = 0; i < WARM_UP; i++)
		memory_cycle(_metadata, memory);
	before = measure();
	for (int i = 0; i < CYCLES; i++)
		memory_cycle(_metadata, memory);
	after = measure();
	compare(_metadata, &before, &after);
}

TEST_HARNESS_MAIN
