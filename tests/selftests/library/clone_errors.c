// SPDX-License-Identifier: GPL-2.0
/*
 * Errors of snapshots and clones: whichever step fails, the error is returned, and
 * no file descriptor and no mapping is left.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "refuse.h"
#include "machine.h"

#define HIGH 0x100000ul /* guest physical address of a second memory */

GUEST(halt, 32, "hlt");

/* Resources of the process */
struct footprint {
	int fds;
	int mappings;
};

FIXTURE(clone_errors)
{
	struct machine m;
	struct svmrun_memory memories[2];
	struct svmrun_vcpu vcpus[2];
	struct svmrun_snapshot snapshot;
};

static int take(FIXTURE_DATA(clone_errors) * self,
		struct svmrun_snapshot *snapshot)
{
	return svmrun_snapshot_take(snapshot, self->memories, 2, self->vcpus,
				    2);
}

/* Create and destroy one; return the result of the creation. */
static int try_snapshot(FIXTURE_DATA(clone_errors) * self)
{
	struct svmrun_snapshot snapshot;
	int ret = take(self, &snapshot);

	svmrun_snapshot_destroy(&snapshot);
	return ret;
}

static int try_clone(FIXTURE_DATA(clone_errors) * self)
{
	struct svmrun_clone clone;
	int ret = svmrun_clone(&clone, &self->snapshot, self->m.device);

	svmrun_clone_destroy(&clone);
	return ret;
}

/* Both are created once before, so that the heap has its final size. */
FIXTURE_SETUP(clone_errors)
{
	ASSERT_EQ(0, machine_create(&self->m));
	MACHINE_LOAD(&self->m, MODE_PROTECTED, halt);
	self->memories[0] = self->m.memory;
	ASSERT_EQ(0, svmrun_memory_create(&self->memories[1], &self->m.vm, HIGH,
					  PAGE));
	self->vcpus[0] = self->m.vcpu;
	ASSERT_EQ(0, svmrun_vcpu_create(&self->vcpus[1], &self->m.vm));
	ASSERT_EQ(0, take(self, &self->snapshot));
	ASSERT_EQ(0, try_snapshot(self));
	ASSERT_EQ(0, try_clone(self));
}

FIXTURE_TEARDOWN(clone_errors)
{
	svmrun_snapshot_destroy(&self->snapshot);
	svmrun_vcpu_destroy(&self->vcpus[1]);
	svmrun_memory_destroy(&self->memories[1]);
	machine_destroy(&self->m);
}

static struct footprint footprint(void)
{
	DIR *directory = opendir("/proc/self/fd");
	FILE *maps = fopen("/proc/self/maps", "r");
	/* except the two that are used here, "." and ".." */
	struct footprint print = { .fds = -4 };
	int c;

	while (readdir(directory))
		print.fds++;
	while ((c = getc(maps)) != EOF)
		print.mappings += c == '\n';
	fclose(maps);
	closedir(directory);
	return print;
}

static void expect_nothing_left(struct __test_metadata *_metadata,
				struct footprint before)
{
	struct footprint now = footprint();

	EXPECT_EQ(before.fds, now.fds);
	EXPECT_EQ(before.mappings, now.mappings);
}

static void no_clone(struct __test_metadata *_metadata,
		     const struct svmrun_snapshot *snapshot, int device,
		     int error)
{
	struct footprint before = footprint();
	struct svmrun_clone clone;

	EXPECT_EQ(error, svmrun_clone(&clone, snapshot, device));
	expect_nothing_left(_metadata, before);
	/* Destroying the failed clone does nothing. */
	svmrun_clone_destroy(&clone);
	expect_nothing_left(_metadata, before);
}

/* ---- limits -------------------------------------------------------------- */

static void limit(struct __test_metadata *_metadata, int resource,
		  unsigned long value)
{
	struct rlimit limits;

	ASSERT_EQ(0, getrlimit(resource, &limits));
	limits.rlim_cur = value;
	ASSERT_EQ(0, setrlimit(resource, &limits));
}

/* Return the bytes of the process's address space. */
static unsigned long address_space(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long pages = 0;

	if (fscanf(file, "%lu", &pages) != 1)
		pages = 0;
	fclose(file);
	return pages * PAGE;
}

/*
 * Raise the limit until the call succeeds; return the number of failures. The limit
 * is lifted to determine the footprint.
 */
static int raise_limit(struct __test_metadata *_metadata,
		       FIXTURE_DATA(clone_errors) * self,
		       int (*make)(FIXTURE_DATA(clone_errors) *), int resource,
		       unsigned long least, unsigned long step, int error)
{
	struct footprint before = footprint();
	struct rlimit limits;
	int failed = 0, ret;

	ASSERT_EQ(0, getrlimit(resource, &limits));
	for (;; failed++) {
		limit(_metadata, resource, least + failed * step);
		ret = make(self);
		limit(_metadata, resource, limits.rlim_cur);
		expect_nothing_left(_metadata, before);
		if (!ret)
			return failed;
		ASSERT_EQ(error, ret);
		ASSERT_GT(1000, failed);
	}
}

TEST_F(clone_errors, snapshot_without_file_descriptors)
{
	unsigned long open = footprint().fds;

	EXPECT_EQ(1, raise_limit(_metadata, self, try_snapshot, RLIMIT_NOFILE,
				 open, 1, -EMFILE));
}

/* for the VM and its two vCPUs */
TEST_F(clone_errors, clone_without_file_descriptors)
{
	unsigned long open = footprint().fds;

	EXPECT_EQ(3, raise_limit(_metadata, self, try_clone, RLIMIT_NOFILE,
				 open, 1, -EMFILE));
}

/*
 * The limit grows by one page at a time, so that each mapping and allocation fails
 * once.
 */
TEST_F(clone_errors, snapshot_without_address_space)
{
	EXPECT_LT(0, raise_limit(_metadata, self, try_snapshot, RLIMIT_AS,
				 address_space(), PAGE, -ENOMEM));
}

TEST_F(clone_errors, clone_without_address_space)
{
	EXPECT_LT(0, raise_limit(_metadata, self, try_clone, RLIMIT_AS,
				 address_space(), PAGE, -ENOMEM));
}

TEST_F(clone_errors, snapshot_beyond_file_size)
{
	signal(SIGXFSZ, SIG_IGN);
	EXPECT_LT(0, raise_limit(_metadata, self, try_snapshot, RLIMIT_FSIZE, 0,
				 16 * PAGE, -EFBIG));
}

/* ---- arguments ----------------------------------------------------------- */

TEST_F(clone_errors, no_device)
{
	no_clone(_metadata, &self->snapshot, -1, -EBADF);
	no_clone(_metadata, &self->snapshot, self->m.vm.fd, -ENOTTY);
}

/* Memory out of the guest's physical address range, after memory that is not */
TEST_F(clone_errors, memory_out_of_reach)
{
	struct svmrun_snapshot snapshot;

	self->memories[1].gpa = 1ul << self->m.info.out_gpa_bits;
	ASSERT_EQ(0, take(self, &snapshot));
	no_clone(_metadata, &snapshot, self->m.device, -ERANGE);
	svmrun_snapshot_destroy(&snapshot);
}

TEST_F(clone_errors, no_memory_for_bitmaps)
{
	struct svmrun_snapshot snapshot = self->snapshot;

	snapshot.size = 1ul << 62;
	no_clone(_metadata, &snapshot, self->m.device, -ENOMEM);
}

/* ---- refusals by the kernel ---------------------------------------------- */

#define TEST_REFUSED(name, error, ...)                                         \
	TEST_F(clone_errors, name)                                             \
	{                                                                      \
		ASSERT_EQ(0, refuse(__VA_ARGS__, error));                      \
		no_clone(_metadata, &self->snapshot, self->m.device,           \
			 -(error));                                            \
	}

TEST_REFUSED(no_info, EFAULT, SYS_ioctl, 1, ~0u, SVMRUN_INFO)
TEST_REFUSED(no_vm, EBUSY, SYS_ioctl, 1, ~0u, SVMRUN_CREATE_VM)
TEST_REFUSED(no_view, ENOMEM, SYS_mmap, 3, ~0u, MAP_PRIVATE | MAP_NORESERVE)
TEST_REFUSED(no_mapping, ENOSPC, SYS_ioctl, 1, ~0u, SVMRUN_MAP)
TEST_REFUSED(no_vcpu, ENOSPC, SYS_ioctl, 1, ~0u, SVMRUN_CREATE_VCPU)
TEST_REFUSED(no_shared_pages, EAGAIN, SYS_mmap, 3, ~0u, MAP_SHARED)

TEST_F(clone_errors, no_log)
{
	struct svmrun_clone clone;

	ASSERT_EQ(0, svmrun_clone(&clone, &self->snapshot, self->m.device));
	*(uint32_t *)svmrun_clone_touch(&clone, HIGH, 4) = 7;
	ASSERT_EQ(0, refuse_ioctl(SVMRUN_DIRTY, ENOMEM));
	EXPECT_EQ(-ENOMEM, svmrun_reset(&clone));
	EXPECT_EQ(7, *(uint32_t *)clone.memories[1].base);
	svmrun_clone_destroy(&clone);
}

/* ---- without errors ------------------------------------------------------ */

TEST_F(clone_errors, nothing_is_left)
{
	struct footprint before = footprint();

	for (int i = 0; i < 50; i++) {
		struct svmrun_snapshot snapshot;
		struct svmrun_clone clone;

		ASSERT_EQ(0, take(self, &snapshot));
		ASSERT_EQ(0, svmrun_clone(&clone, &snapshot, self->m.device));
		ASSERT_EQ(0, svmrun_vcpu_run(&clone.vcpus[0]));
		ASSERT_EQ(0, svmrun_reset(&clone));
		svmrun_clone_destroy(&clone);
		svmrun_snapshot_destroy(&snapshot);
	}
	expect_nothing_left(_metadata, before);
}

TEST_HARNESS_MAIN
