// SPDX-License-Identifier: GPL-2.0
/*
 * Nested page tables are accounted as secondary page tables: of the machine in
 * /proc/meminfo, and of the program's memory cgroup.
 */
#include "cgroup.h"
#include "pages.h"

#define GPA GIB_1
#define SIZE (2 * GIB_1)
#define TABLES (SIZE / MIB_2) /* of the lowest level */
#define TABLES_KIB (long)(TABLES * PAGE / 1024)

/* Memory that may not yet be added to the totals of a CPU */
#define SLACK_KIB 1024

/* Statistics lag by some seconds. */
#define PATIENCE_MS 10000

GUEST(read_leaves, 32,
      "1: mov (%ebx), %eax\n add $0x200000, %ebx\n loop 1b\n hlt");

FIXTURE(account)
{
	struct machine m;
};

FIXTURE_SETUP(account)
{
	ASSERT_EQ(0, machine_create(&self->m));
}

FIXTURE_TEARDOWN(account)
{
}

/* Return the number in the line that begins with @name, or -1 if there is none. */
static long read_number(const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	size_t length = strlen(name);
	char line[256];
	long number = -1;

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, length))
			number = atol(line + length);
	if (file)
		fclose(file);
	return number;
}

static long machine_kib(void)
{
	return read_number("/proc/meminfo", "SecPageTables:");
}

static long group_kib(void)
{
	long bytes = read_number(GROUP "/memory.stat", "sec_pagetables ");

	return bytes < 0 ? bytes : bytes / 1024;
}

/* Wait until the number is about @wanted; return the last value. */
static long wait_for(long (*kib)(void), long wanted)
{
	long now;

	for (int i = 0; i < PATIENCE_MS / 100; i++) {
		now = kib();
		if (labs(now - wanted) <= SLACK_KIB)
			break;
		usleep(100 * 1000);
	}
	return now;
}

/* Touch one page in the range of each table. */
static void touch(struct __test_metadata *_metadata, struct machine *m)
{
	void *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ASSERT_NE(MAP_FAILED, memory);
	ASSERT_EQ(0, madvise(memory, SIZE, MADV_NOHUGEPAGE));
	ASSERT_EQ(0, machine_map(m, GPA, memory, SIZE, MAP_ALL));
	MACHINE_LOAD(m, MODE_PROTECTED, read_leaves);
	m->vcpu.regs->rbx = GPA;
	m->vcpu.regs->rcx = TABLES;
	ASSERT_EXIT(VMEXIT_HLT, m);
}

static void expect_counted(struct __test_metadata *_metadata, struct machine *m,
			   long (*kib)(void))
{
	long before = kib(), seen;

	touch(_metadata, m);
	seen = wait_for(kib, before + TABLES_KIB) - before;
	EXPECT_LE(TABLES_KIB - SLACK_KIB, seen);
	EXPECT_GE(TABLES_KIB + SLACK_KIB, seen);
	machine_destroy(m);
	seen = wait_for(kib, before) - before;
	EXPECT_GE(SLACK_KIB, labs(seen));
}

TEST_F_TIMEOUT(account, of_the_machine, 120)
{
	if (machine_kib() < 0)
		SKIP(return, "no SecPageTables in /proc/meminfo");
	expect_counted(_metadata, &self->m, machine_kib);
}

TEST_F_TIMEOUT(account, of_the_memory_cgroup, 120)
{
	int err = group_create();

	if (!err)
		err = group_enter();
	if (err)
		SKIP(return, "no memory cgroup: %s", strerror(-err));
	if (group_kib() < 0)
		SKIP(return, "no sec_pagetables in memory.stat");
	expect_counted(_metadata, &self->m, group_kib);
}

TEST_HARNESS_MAIN
