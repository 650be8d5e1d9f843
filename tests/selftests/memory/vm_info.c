// SPDX-License-Identifier: GPL-2.0
/*
 * SVMRUN_VM_INFO: numbers of vCPUs, regions and pages, and the size of page tables.
 * Tables are freed when they are empty, and the cost of another VM or region does
 * not depend on how many exist.
 */
#include "files.h"
#include "pages.h"

#define GPA GIB_1
#define FAR (GIB_1 * 2) /* an address that a 32-bit guest can reach */
#define TABLES 8ul /* of 2 MiB, or 512 pages, each */
#define LENGTH (TABLES * MIB_2)

FIXTURE(vm_info)
{
	struct machine m;
	struct svmrun_vm_info base; /* after the guest has run once */
	uint8_t *memory; /* LENGTH bytes in small pages; not mapped */
};

GUEST(halt, 32, "hlt");

FIXTURE_SETUP(vm_info)
{
	ASSERT_EQ(0, machine_create(&self->m));
	MACHINE_LOAD(&self->m, MODE_PROTECTED, halt);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	self->base = machine_vm_info(&self->m);
	self->memory = pages_new_aligned(LENGTH, MIB_2);
	ASSERT_NE(MAP_FAILED, self->memory);
	ASSERT_EQ(0, madvise(self->memory, LENGTH, MADV_NOHUGEPAGE));
}

FIXTURE_TEARDOWN(vm_info)
{
	machine_destroy(&self->m);
}

static long tables(FIXTURE_DATA(vm_info) * self)
{
	return (machine_vm_info(&self->m).out_table_bytes -
		self->base.out_table_bytes) /
	       (long)PAGE;
}

static long pages(FIXTURE_DATA(vm_info) * self)
{
	return machine_vm_info(&self->m).out_pages_4k - self->base.out_pages_4k;
}

static void map_all(struct __test_metadata *_metadata,
		    FIXTURE_DATA(vm_info) * self)
{
	ASSERT_EQ(0, machine_map(&self->m, GPA, self->memory, LENGTH, MAP_ALL));
	EXPECT_EQ(0, machine_sweep(&self->m, GPA, LENGTH, true));
	EXPECT_EQ(LENGTH / PAGE, pages(self));
	/* one for each 2 MiB, one for the 1 GiB */
	EXPECT_EQ(TABLES + 1, tables(self));
}

/* ---- counts -------------------------------------------------------------- */

TEST_F(vm_info, empty_vm)
{
	struct machine other = { .vm.fd = vm_create(self->m.device) };
	struct svmrun_vm_info info = machine_vm_info(&other);

	EXPECT_EQ(0, info.out_vcpus);
	EXPECT_EQ(0, info.out_regions);
	EXPECT_EQ(PAGE, info.out_table_bytes);
	EXPECT_EQ(0, info.out_pages_4k);
	EXPECT_EQ(0, info.out_pages_2m);
	EXPECT_EQ(0, info.out_pages_1g);
	close(other.vm.fd);
}

TEST_F(vm_info, size_and_flags)
{
	struct svmrun_vm_info info = { .size = sizeof(info) - 1 };

	EXPECT_EQ(-EINVAL, call(self->m.vm.fd, SVMRUN_VM_INFO, &info));
	info.size = sizeof(info);
	info.flags = 1;
	EXPECT_EQ(-EINVAL, call(self->m.vm.fd, SVMRUN_VM_INFO, &info));
	EXPECT_EQ(-ENOTTY, call(self->m.vcpu.fd, SVMRUN_VM_INFO, &info));
}

TEST_F(vm_info, vcpus)
{
	int fds[3];

	for (int i = 0; i < 3; i++) {
		fds[i] = vcpu_create(self->m.vm.fd);
		ASSERT_LE(0, fds[i]);
		EXPECT_EQ(2 + i, machine_vm_info(&self->m).out_vcpus);
	}
	for (int i = 0; i < 3; i++) {
		close(fds[i]);
		EXPECT_EQ(3 - i, machine_vm_info(&self->m).out_vcpus);
	}
}

TEST_F(vm_info, regions)
{
	struct machine *m = &self->m;

	ASSERT_EQ(0, machine_map(m, GPA, self->memory, 8 * PAGE, MAP_ALL));
	EXPECT_EQ(self->base.out_regions + 1, machine_regions(m));
	ASSERT_EQ(0, machine_unmap(m, GPA + 3 * PAGE, PAGE));
	EXPECT_EQ(self->base.out_regions + 2, machine_regions(m));
	ASSERT_EQ(0, machine_unmap(m, GPA, 8 * PAGE));
	EXPECT_EQ(self->base.out_regions, machine_regions(m));
}

/* Pages that the guest has touched and Linux has not taken away */
TEST_F(vm_info, touched_pages)
{
	struct machine *m = &self->m;

	ASSERT_EQ(0, machine_map(m, GPA, self->memory, LENGTH, MAP_ALL));
	EXPECT_EQ(0, pages(self));
	EXPECT_EQ(0, machine_sweep(m, GPA, 5 * PAGE, true));
	EXPECT_EQ(5, pages(self));
	EXPECT_EQ(0, machine_sweep(m, GPA, 6 * PAGE, false));
	EXPECT_EQ(6, pages(self));
	ASSERT_EQ(0, madvise(self->memory, 2 * PAGE, MADV_DONTNEED));
	EXPECT_EQ(4, pages(self));
	ASSERT_EQ(0, munmap(self->memory, LENGTH));
	EXPECT_EQ(0, pages(self));
}

/* ---- allocation and freeing of tables ------------------------------------ */

/* MAP alone allocates no table. */
TEST_F(vm_info, tables_on_demand)
{
	ASSERT_EQ(0, machine_map(&self->m, GPA, self->memory, LENGTH, MAP_ALL));
	EXPECT_EQ(0, tables(self));
}

TEST_F(vm_info, tables_go_with_unmap)
{
	map_all(_metadata, self);
	ASSERT_EQ(0, machine_unmap(&self->m, GPA, LENGTH));
	EXPECT_EQ(0, tables(self));
	EXPECT_EQ(0, pages(self));
}

TEST_F(vm_info, tables_go_with_the_vms_last_region)
{
	map_all(_metadata, self);
	ASSERT_EQ(0, machine_unmap(&self->m, 0,
				   1ull << self->m.info.out_gpa_bits));
	EXPECT_EQ(PAGE, machine_vm_info(&self->m).out_table_bytes);
	EXPECT_EQ(0, machine_vm_info(&self->m).out_pages_4k);
}

TEST_F(vm_info, tables_go_with_munmap)
{
	map_all(_metadata, self);
	ASSERT_EQ(0, munmap(self->memory + MIB_2, MIB_2));
	EXPECT_EQ(TABLES + 1 - 1, tables(self));
	ASSERT_EQ(0, munmap(self->memory, LENGTH));
	EXPECT_EQ(1, tables(self));
	ASSERT_EQ(0, machine_unmap(&self->m, GPA, LENGTH));
	EXPECT_EQ(0, tables(self));
}

/* Tables that become empty page by page are freed by UNMAP at the latest. */
TEST_F(vm_info, tables_go_page_by_page)
{
	map_all(_metadata, self);
	for (size_t i = 0; i < LENGTH; i += PAGE)
		ASSERT_EQ(0, munmap(self->memory + i, PAGE));
	EXPECT_EQ(0, pages(self));
	ASSERT_EQ(0, machine_unmap(&self->m, GPA, LENGTH));
	EXPECT_EQ(0, tables(self));
}

TEST_F(vm_info, tables_go_unmap_by_unmap)
{
	map_all(_metadata, self);
	for (size_t i = 0; i < MIB_2; i += PAGE) {
		EXPECT_EQ(TABLES + 1, tables(self));
		ASSERT_EQ(0, machine_unmap(&self->m, GPA + i, PAGE));
	}
	EXPECT_EQ(TABLES, tables(self));
	/* across the boundaries of tables */
	for (size_t i = MIB_2; i < LENGTH; i += MIB_2 / 2)
		ASSERT_EQ(0, machine_unmap(&self->m, GPA + i, MIB_2 / 2));
	EXPECT_EQ(0, tables(self));
	EXPECT_EQ(0, pages(self));
}

/* A range that needs its own tables: all levels are freed. */
TEST_F(vm_info, tables_of_all_levels_go)
{
	struct machine *m = &self->m;

	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, machine_map(m, FAR - PAGE, self->memory, 2 * PAGE,
					 MAP_ALL));
		EXPECT_EQ(0, machine_sweep(m, FAR - PAGE, 2 * PAGE, true));
		EXPECT_EQ(4, tables(self));
		ASSERT_EQ(0, machine_unmap(m, FAR - PAGE, PAGE));
		EXPECT_EQ(2, tables(self));
		ASSERT_EQ(0, machine_unmap(m, FAR, PAGE));
		EXPECT_EQ(0, tables(self));
	}
}

/* One region with tables at its ends and tables that it fills */
TEST_F(vm_info, tables_of_a_large_region_go)
{
	const uint64_t begin = GPA - MIB_2 - PAGE, end = GPA + 2 * GIB_1 + PAGE;
	struct machine *m = &self->m;
	uint8_t *large = mmap(NULL, end - begin, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			      0);

	ASSERT_NE(MAP_FAILED, large);
	ASSERT_EQ(0, machine_map(m, begin, large, end - begin, MAP_ALL));
	EXPECT_READ(0, m, begin);
	EXPECT_READ(0, m, GPA);
	EXPECT_READ(0, m, GPA + GIB_1);
	EXPECT_READ(0, m, end - PAGE);
	EXPECT_LT(4, tables(self));
	ASSERT_EQ(0, machine_unmap(m, begin, end - begin));
	EXPECT_EQ(0, tables(self));
}

/* ---- cost of one more ---------------------------------------------------- */

#define TRACING "/sys/kernel/tracing/"

static int trace_begin(void)
{
	int err = file_write(TRACING "set_ftrace_filter", "*:mod:svmrun");

	if (!err)
		err = file_write(TRACING "set_ftrace_filter", "mmu_*");
	return err ? err : file_write(TRACING "current_tracer", "function");
}

static void trace_end(void)
{
	file_write(TRACING "current_tracer", "nop");
	fclose(fopen(TRACING "set_ftrace_filter", "we"));
}

/* Return the number of functions that were called since the trace was cleared. */
static int traced(void)
{
	FILE *trace = fopen(TRACING "trace", "re");
	char line[256];
	int count = 0;

	while (trace && fgets(line, sizeof(line), trace))
		count += line[0] != '#';
	if (trace)
		fclose(trace);
	return count;
}

/* Return the cost of MAP, PROTECT and UNMAP of a page. */
static int region_cost(struct __test_metadata *_metadata, struct machine *m,
		       void *page)
{
	fclose(fopen(TRACING "trace", "we"));
	EXPECT_EQ(0, machine_map(m, GPA, page, PAGE, MAP_ALL));
	EXPECT_EQ(0, machine_protect(m, GPA, PAGE, MAP_RX));
	EXPECT_EQ(0, machine_unmap(m, GPA, PAGE));
	return traced();
}

static int vm_cost(struct machine *m)
{
	fclose(fopen(TRACING "trace", "we"));
	close(vm_create(m->device));
	return traced();
}

#define MANY 2000

TEST_F(vm_info, one_more_costs_the_same)
{
	int region, vm, err = trace_begin();

	if (err)
		SKIP(return, "cannot trace functions: %s", strerror(-err));
	region = region_cost(_metadata, &self->m, self->memory);
	vm = vm_cost(&self->m);
	EXPECT_LT(10, region);
	EXPECT_LT(5, vm);
	for (int i = 0; i < MANY; i++)
		ASSERT_EQ(0, machine_map(&self->m, 2 * GPA + 2 * i * PAGE,
					 self->memory, PAGE, MAP_ALL));
	for (int i = 0; i < MANY / 10; i++) {
		struct machine other = { .vm.fd = vm_create(self->m.device) };

		ASSERT_EQ(0, machine_map(&other, GPA, self->memory, PAGE,
					 MAP_ALL));
	}
	EXPECT_GE(region, region_cost(_metadata, &self->m, self->memory));
	EXPECT_GE(vm, vm_cost(&self->m));
	trace_end();
}

TEST_HARNESS_MAIN
