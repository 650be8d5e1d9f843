// SPDX-License-Identifier: GPL-2.0
/*
 * svmrun_snapshot_take(): what a snapshot contains, that nobody can change it, and that a
 * failure leaves no descriptor open. Snapshots do not need the module; only clones do.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "refuse.h"
#include "suites.h"
#include "vcpu_pages.h"

#define PAGE 4096
#define LOW_PAGES 70
#define HIGH_PAGES 3
#define LOW_GPA 0x10000u
#define HIGH_GPA 0x80000000u
#define ROOM (64 * PAGE) /* the offset of each memory is a multiple of this */

static _Alignas(PAGE) uint8_t low[LOW_PAGES * PAGE], high[HIGH_PAGES * PAGE];
static struct vcpu_pages pages[2];
static struct svmrun_memory memories[2];
static struct svmrun_vcpu vcpus[2];
static struct svmrun_snapshot snapshot;

static struct svmrun_memory memory_at(void *base, uint64_t gpa, size_t size)
{
	return (struct svmrun_memory){ .base = base, .gpa = gpa, .size = size };
}

static void set_up(void)
{
	memories[0] = memory_at(low, LOW_GPA, sizeof(low));
	memories[1] = memory_at(high, HIGH_GPA, sizeof(high));
	vcpus[0] = vcpu_pages_fill(&pages[0]);
	vcpus[1] = vcpu_pages_fill(&pages[1]);
	memset(low, 0, sizeof(low));
	memset(high, 0, sizeof(high));
}

static int take(void)
{
	return svmrun_snapshot_take(&snapshot, memories, 2, vcpus, 2);
}

/* Number of open file descriptors, without ".", ".." and opendir()'s own */
static int count_fds(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int count = -3;

	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

/* ---- contents ------------------------------------------------------------ */

START_TEST(keeps_every_byte)
{
	set_up();
	for (size_t i = 0; i < sizeof(low); i++)
		low[i] = i * 7 / 3 + 1;
	for (size_t i = 0; i < sizeof(high); i++)
		high[i] = i * 5 / 2 + 1;
	ck_assert_int_eq(take(), 0);
	ck_assert_uint_eq(snapshot.memory_count, 2);
	ck_assert_mem_eq(snapshot.memories[0].base, low, sizeof(low));
	ck_assert_mem_eq(snapshot.memories[1].base, high, sizeof(high));
	svmrun_snapshot_destroy(&snapshot);
}

START_TEST(keeps_guest_physical_addresses)
{
	set_up();
	ck_assert_int_eq(take(), 0);
	ck_assert_uint_eq(snapshot.memories[0].gpa, LOW_GPA);
	ck_assert_uint_eq(snapshot.memories[0].size, sizeof(low));
	ck_assert_uint_eq(snapshot.memories[1].gpa, HIGH_GPA);
	ck_assert_uint_eq(snapshot.memories[1].size, sizeof(high));
	svmrun_snapshot_destroy(&snapshot);
}

START_TEST(lays_memories_out_by_bitmap_words)
{
	set_up();
	ck_assert_int_eq(take(), 0);
	ck_assert_uint_eq(snapshot.size, 3 * ROOM);
	ck_assert_ptr_eq(snapshot.memories[1].base,
			 (char *)snapshot.memories[0].base + 2 * ROOM);
	svmrun_snapshot_destroy(&snapshot);
}

START_TEST(is_not_changed_by_what_comes_after)
{
	set_up();
	low[PAGE] = 1;
	pages[0].vmcb.save.rip = 0x1234;
	ck_assert_int_eq(take(), 0);
	low[PAGE] = 2;
	pages[0].vmcb.save.rip = 0x5678;
	ck_assert_uint_eq(((uint8_t *)snapshot.memories[0].base)[PAGE], 1);
	ck_assert_uint_eq(snapshot.vcpus[0].vmcb->save.rip, 0x1234);
	svmrun_snapshot_destroy(&snapshot);
}

START_TEST(keeps_vcpus_except_for_clean_bits)
{
	set_up();
	pages[0].vmcb.control.clean = SVM_CLEAN_ALL;
	pages[1].regs.r9 = 99;
	ck_assert_int_eq(take(), 0);
	pages[0].vmcb.control.clean = 0;
	pages[1].vmcb.control.clean = 0;
	ck_assert_uint_eq(snapshot.vcpu_count, 2);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(snapshot.vcpus[i].fd, -1);
		ck_assert_mem_eq(snapshot.vcpus[i].vmcb, &pages[i],
				 sizeof(pages[i]));
	}
	ck_assert_uint_eq(svmrun_vcpu_get_gpr(&snapshot.vcpus[1], SVMRUN_R9),
			  99);
	ck_assert_mem_eq(snapshot.vcpus[1].xsave, pages[1].xsave, 1024);
	svmrun_snapshot_destroy(&snapshot);
}

START_TEST(zeros_are_holes)
{
	struct stat stat;

	set_up();
	low[0] = 1;
	low[3 * PAGE - 1] = 1;
	low[65 * PAGE + 1] = 1;
	high[PAGE] = 1;
	ck_assert_int_eq(take(), 0);
	ck_assert_int_eq(fstat(snapshot.fd, &stat), 0);
	ck_assert_int_eq(stat.st_size, 3 * ROOM);
	ck_assert_int_eq(stat.st_blocks * 512, 4 * PAGE);
	ck_assert_mem_eq(snapshot.memories[0].base, low, sizeof(low));
	ck_assert_mem_eq(snapshot.memories[1].base, high, sizeof(high));
	svmrun_snapshot_destroy(&snapshot);
}

/* ---- sealing ------------------------------------------------------------- */

START_TEST(is_sealed)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE |
			  F_SEAL_SEAL;

	set_up();
	ck_assert_int_eq(take(), 0);
	ck_assert_int_eq(fcntl(snapshot.fd, F_GET_SEALS), seals);
	ck_assert_int_eq(pwrite(snapshot.fd, "x", 1, 0), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(ftruncate(snapshot.fd, PAGE), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_ptr_eq(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			      snapshot.fd, 0),
			 MAP_FAILED);
	svmrun_snapshot_destroy(&snapshot);
}

START_TEST(fd_is_closed_on_exec)
{
	set_up();
	ck_assert_int_eq(take(), 0);
	ck_assert_int_eq(fcntl(snapshot.fd, F_GETFD), FD_CLOEXEC);
	svmrun_snapshot_destroy(&snapshot);
}

/* ---- failures ------------------------------------------------------------ */

static void refused(int error)
{
	int before = count_fds();

	ck_assert_int_eq(take(), error);
	ck_assert_int_eq(count_fds(), before);
	/* Destroying a snapshot that was not taken does nothing. */
	svmrun_snapshot_destroy(&snapshot);
	ck_assert_int_eq(count_fds(), before);
}

START_TEST(empty_vm)
{
	set_up();
	ck_assert_int_eq(svmrun_snapshot_take(&snapshot, memories, 0, vcpus, 1),
			 -EINVAL);
	ck_assert_int_eq(svmrun_snapshot_take(&snapshot, memories, 1, vcpus, 0),
			 -EINVAL);
}

START_TEST(memory_of_no_size)
{
	set_up();
	memories[1].size = 0;
	refused(-EINVAL);
}

START_TEST(size_that_is_not_whole_pages)
{
	set_up();
	memories[1].size = PAGE + 1;
	refused(-EINVAL);
}

START_TEST(address_between_pages)
{
	set_up();
	memories[0].gpa++;
	refused(-EINVAL);
}

START_TEST(memories_that_overlap)
{
	set_up();
	memories[1].gpa = LOW_GPA + sizeof(low) - PAGE;
	refused(-EEXIST);
	memories[1].gpa = LOW_GPA + PAGE;
	refused(-EEXIST);
	memories[1].gpa = LOW_GPA - 2 * PAGE;
	refused(-EEXIST);
	memories[1].gpa = LOW_GPA - HIGH_PAGES * PAGE;
	ck_assert_int_eq(take(), 0);
	svmrun_snapshot_destroy(&snapshot);
	memories[1].gpa = LOW_GPA + sizeof(low);
	ck_assert_int_eq(take(), 0);
	svmrun_snapshot_destroy(&snapshot);
}

START_TEST(more_than_there_can_be)
{
	set_up();
	memories[1].gpa = -(uint64_t)PAGE;
	refused(-EOVERFLOW);
	memories[1] = memory_at(high, HIGH_GPA, -(size_t)PAGE);
	refused(-EOVERFLOW);
	memories[1] = memory_at(high, HIGH_GPA, 1ul << 62);
	refused(-EOVERFLOW);
}

/* Let the system call fail that is given by its number and arguments. */
#define TEST_STEP_FAILS(name, error, ...)                                      \
	START_TEST(name)                                                       \
	{                                                                      \
		set_up();                                                      \
		low[0] = 1;                                                    \
		ck_assert_int_eq(refuse(__VA_ARGS__, error), 0);               \
		refused(-(error));                                             \
	}

TEST_STEP_FAILS(no_memfd, EMFILE, SYS_memfd_create, 0, 0, 0)
TEST_STEP_FAILS(no_size, EFBIG, SYS_ftruncate, 0, 0, 0)
TEST_STEP_FAILS(no_room, ENOSPC, SYS_pwrite64, 0, 0, 0)
TEST_STEP_FAILS(no_seals, EBUSY, SYS_fcntl, 1, ~0u, F_ADD_SEALS)
TEST_STEP_FAILS(no_view, ENOMEM, SYS_mmap, 2, ~0u, PROT_READ)

START_TEST(nothing_is_left)
{
	int before = count_fds();

	set_up();
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(take(), 0);
		svmrun_snapshot_destroy(&snapshot);
	}
	ck_assert_int_eq(count_fds(), before);
	ck_assert_int_eq(snapshot.fd, -1);
}

static const TTest **const tests[] = {
	&keeps_every_byte,
	&keeps_guest_physical_addresses,
	&lays_memories_out_by_bitmap_words,
	&is_not_changed_by_what_comes_after,
	&keeps_vcpus_except_for_clean_bits,
	&zeros_are_holes,
	&is_sealed,
	&fd_is_closed_on_exec,
	&empty_vm,
	&memory_of_no_size,
	&size_that_is_not_whole_pages,
	&address_between_pages,
	&memories_that_overlap,
	&more_than_there_can_be,
	&no_memfd,
	&no_size,
	&no_room,
	&no_seals,
	&no_view,
	&nothing_is_left,
};

Suite *snapshot_suite(void)
{
	return suite_of("snapshot", tests, ARRAY_SIZE(tests));
}
