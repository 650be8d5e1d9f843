// SPDX-License-Identifier: GPL-2.0
/*
 * Large pages: where Linux uses a large page, the nested page table uses one too,
 * if guest and host addresses have the same alignment and the region contains all
 * of it.
 */
#include <linux/memfd.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "files.h"
#include "hammer.h"

#define GPA MIB_2

#define POOL(kib) "/sys/kernel/mm/hugepages/hugepages-" #kib "kB/"
#define POOL_2M POOL(2048)
#define POOL_1G POOL(1048576)
#define TMPFS "/tmp/svmrun-huge"

FIXTURE(huge)
{
	struct machine m;
	struct svmrun_vm_info base; /* for the machine's own memory */
	uint8_t *memory;
	long pool_2m, pool_1g; /* sizes before the test; -1: unchanged */
};

GUEST(halt, 32, "hlt");

FIXTURE_SETUP(huge)
{
	ASSERT_EQ(0, machine_create(&self->m));
	MACHINE_LOAD(&self->m, MODE_PROTECTED, halt);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	self->base = machine_vm_info(&self->m);
	self->pool_2m = -1;
	self->pool_1g = -1;
}

static void pool_set(const char *pool, long pages)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", pages);
	file_write(pool, text);
}

FIXTURE_TEARDOWN(huge)
{
	machine_destroy(&self->m);
	if (self->pool_2m >= 0)
		pool_set(POOL_2M "nr_hugepages", self->pool_2m);
	if (self->pool_1g >= 0)
		pool_set(POOL_1G "nr_hugepages", self->pool_1g);
}

static unsigned long pages_4k(FIXTURE_DATA(huge) * self)
{
	return machine_vm_info(&self->m).out_pages_4k - self->base.out_pages_4k;
}

static unsigned long pages_2m(FIXTURE_DATA(huge) * self)
{
	return machine_vm_info(&self->m).out_pages_2m;
}

static unsigned long pages_1g(FIXTURE_DATA(huge) * self)
{
	return machine_vm_info(&self->m).out_pages_1g;
}

/* The guest reads, or with @write increments, all pages of a range at GPA. */
#define EXPECT_SWEEP(self, length, write)                                      \
	do {                                                                   \
		EXPECT_EQ(0, machine_sweep(&(self)->m, GPA, length, write));   \
		EXPECT_EQ(VMEXIT_HLT, (self)->m.vcpu.vmcb->control.exitcode);  \
	} while (0)

/* Use transparent huge pages, in which each 4 KiB page begins with its number. */
static void use_thp(struct __test_metadata *_metadata,
		    FIXTURE_DATA(huge) * self, size_t length)
{
	self->memory = pages_new_aligned(length, MIB_2);
	ASSERT_NE(MAP_FAILED, self->memory);
	ASSERT_EQ(0, madvise(self->memory, length, MADV_HUGEPAGE));
	for (size_t i = 0; i < length / PAGE; i++)
		*(uint32_t *)&self->memory[i * PAGE] = i;
}

static void map(struct __test_metadata *_metadata, FIXTURE_DATA(huge) * self,
		uint64_t gpa, size_t offset, size_t length)
{
	ASSERT_EQ(0, machine_map(&self->m, gpa, self->memory + offset, length,
				 MAP_ALL));
}

/* Skip the test if Linux provides no large page. */
#define SKIP_UNLESS(large)                                                     \
	do {                                                                   \
		if (!(large))                                                  \
			SKIP(return, "no huge page is available");             \
	} while (0)

/*
 * Return whether the page is part of a transparent huge page, according to smaps.
 */
static bool is_thp(const void *page)
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	unsigned long start, end, huge = 0;
	bool here = false;
	char line[256];

	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			here = start <= (uintptr_t)page &&
			       (uintptr_t)page < end;
		if (here &&
		    (sscanf(line, "AnonHugePages: %lu", &huge) == 1 ||
		     sscanf(line, "ShmemPmdMapped: %lu", &huge) == 1) &&
		    huge)
			break;
	}
	if (maps)
		fclose(maps);
	return huge;
}

/* ---- used ---------------------------------------------------------------- */

TEST_F(huge, transparent)
{
	use_thp(_metadata, self, 2 * MIB_2);
	SKIP_UNLESS(is_thp(self->memory));
	map(_metadata, self, GPA, 0, 2 * MIB_2);
	for (unsigned long i = 0; i < 2 * MIB_2 / PAGE; i += 51)
		EXPECT_READ(i, &self->m, GPA + i * PAGE);
	EXPECT_EQ(2, pages_2m(self));
	EXPECT_EQ(0, pages_4k(self));
	EXPECT_SWEEP(self, 2 * MIB_2, true);
	for (unsigned long i = 0; i < 2 * MIB_2 / PAGE; i++)
		EXPECT_EQ(i + 1, *(uint32_t *)&self->memory[i * PAGE]);
	EXPECT_EQ(2, pages_2m(self));
	EXPECT_EQ(0, pages_4k(self));
}

/* The guest is the first to touch the memory. */
TEST_F(huge, transparent_by_the_guests_fault)
{
	self->memory = pages_new_aligned(MIB_2, MIB_2);
	ASSERT_EQ(0, madvise(self->memory, MIB_2, MADV_HUGEPAGE));
	map(_metadata, self, GPA, 0, MIB_2);
	EXPECT_WRITE(&self->m, GPA + 5 * PAGE, 77);
	SKIP_UNLESS(is_thp(self->memory));
	EXPECT_EQ(1, pages_2m(self));
	EXPECT_EQ(77, self->memory[5 * PAGE]);
}

/* Reads map Linux's huge zero page, which all processes share. */
TEST_F(huge, zeros)
{
	self->memory = pages_new_aligned(MIB_2, MIB_2);
	ASSERT_EQ(0, madvise(self->memory, MIB_2, MADV_HUGEPAGE));
	map(_metadata, self, GPA, 0, MIB_2);
	EXPECT_SWEEP(self, MIB_2, false);
	EXPECT_WRITE(&self->m, GPA + 5 * PAGE, 77);
	EXPECT_READ(0, &self->m, GPA + 6 * PAGE);
	EXPECT_EQ(77, self->memory[5 * PAGE]);
}

/* Permissions of the region and of the program's mapping */
TEST_F(huge, rights)
{
	use_thp(_metadata, self, MIB_2);
	SKIP_UNLESS(is_thp(self->memory));
	map(_metadata, self, GPA, 0, MIB_2);
	self->memory[PAGE] = HLT_BYTE;
	ASSERT_EQ(0, machine_protect(&self->m, GPA, MIB_2, MAP_RX));
	EXPECT_NPF(0, &self->m, ACCESS_WRITE, GPA);
	EXPECT_ACCESS(&self->m, ACCESS_FETCH, GPA + PAGE, 0);
	EXPECT_EQ(1, pages_2m(self));
	ASSERT_EQ(0, machine_protect(&self->m, GPA, MIB_2, MAP_RW));
	EXPECT_NPF(0, &self->m, ACCESS_FETCH, GPA + PAGE);
	EXPECT_WRITE(&self->m, GPA, 77);
	EXPECT_EQ(1, pages_2m(self));
	ASSERT_EQ(0, mprotect(self->memory, MIB_2, PROT_READ));
	EXPECT_NPF(-EFAULT, &self->m, ACCESS_WRITE, GPA);
	EXPECT_READ(77, &self->m, GPA);
	EXPECT_EQ(1, pages_2m(self));
}

static bool use_pool(FIXTURE_DATA(huge) * self)
{
	self->pool_2m = file_number(POOL_2M "nr_hugepages");
	if (self->pool_2m < 0)
		return false;
	pool_set(POOL_2M "nr_hugepages", self->pool_2m + 2);
	return file_number(POOL_2M "free_hugepages") >= 2;
}

/* The guest sees all 4 MiB as two large pages. */
static void expect_two(struct __test_metadata *_metadata,
		       FIXTURE_DATA(huge) * self)
{
	ASSERT_NE(MAP_FAILED, self->memory);
	map(_metadata, self, GPA, 0, 2 * MIB_2);
	EXPECT_SWEEP(self, 2 * MIB_2, true);
	EXPECT_EQ(2, pages_2m(self));
	EXPECT_EQ(0, pages_4k(self));
	for (size_t i = 0; i < 2 * MIB_2; i += PAGE)
		EXPECT_EQ(1, self->memory[i]);
	EXPECT_EQ(0, munmap(self->memory, 2 * MIB_2));
	EXPECT_EQ(0, pages_2m(self));
}

TEST_F(huge, pool)
{
	SKIP_UNLESS(use_pool(self));
	self->memory = mmap(NULL, 2 * MIB_2, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	expect_two(_metadata, self);
}

TEST_F(huge, file_of_the_pool)
{
	int file = memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB);

	SKIP_UNLESS(file >= 0 && use_pool(self));
	ASSERT_EQ(0, ftruncate(file, 2 * MIB_2));
	self->memory = mmap(NULL, 2 * MIB_2, PROT_READ | PROT_WRITE, MAP_SHARED,
			    file, 0);
	expect_two(_metadata, self);
	close(file);
}

static int tmpfs_file(void)
{
	int file;

	mkdir(TMPFS, 0700);
	if (mount("none", TMPFS, "tmpfs", 0, "huge=always"))
		return -errno;
	file = open(TMPFS "/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	umount2(TMPFS, MNT_DETACH);
	return file;
}

TEST_F(huge, file_of_a_tmpfs)
{
	int file = tmpfs_file();

	if (file < 0)
		SKIP(return, "cannot mount a tmpfs: %s", strerror(-file));
	ASSERT_EQ(0, ftruncate(file, 2 * MIB_2));
	/* A large page of the file needs an aligned mapping. */
	self->memory = pages_new_aligned(2 * MIB_2, MIB_2);
	ASSERT_EQ(self->memory,
		  mmap(self->memory, 2 * MIB_2, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_FIXED, file, 0));
	self->memory[0] = 0;
	SKIP_UNLESS(is_thp(self->memory));
	expect_two(_metadata, self);
	close(file);
}

/* ---- not used ------------------------------------------------------------ */

/* Guest and program see different offsets in the large page. */
TEST_F(huge, not_aligned)
{
	use_thp(_metadata, self, 2 * MIB_2);
	SKIP_UNLESS(is_thp(self->memory));
	map(_metadata, self, GPA + PAGE, 0, 2 * MIB_2);
	for (unsigned long i = 0; i < 2 * MIB_2 / PAGE; i += 51)
		EXPECT_READ(i, &self->m, GPA + PAGE + i * PAGE);
	EXPECT_EQ(0, pages_2m(self));
}

/* The region begins or ends within a large page. */
TEST_F(huge, not_all_of_it)
{
	use_thp(_metadata, self, 3 * MIB_2);
	SKIP_UNLESS(is_thp(self->memory));
	map(_metadata, self, GPA + PAGE, PAGE, 3 * MIB_2 - 2 * PAGE);
	EXPECT_EQ(0, machine_sweep(&self->m, GPA + PAGE, 3 * MIB_2 - 2 * PAGE,
				   true));
	EXPECT_EQ(1, pages_2m(self));
	EXPECT_EQ(2 * (MIB_2 / PAGE - 1), pages_4k(self));
	for (unsigned long i = 1; i < 3 * MIB_2 / PAGE - 1; i++)
		EXPECT_EQ(i + 1, *(uint32_t *)&self->memory[i * PAGE]);
}

/* Linux uses small pages. */
TEST_F(huge, small_ones)
{
	self->memory = pages_new_aligned(MIB_2, MIB_2);
	ASSERT_EQ(0, madvise(self->memory, MIB_2, MADV_NOHUGEPAGE));
	map(_metadata, self, GPA, 0, MIB_2);
	EXPECT_SWEEP(self, MIB_2, true);
	EXPECT_EQ(0, pages_2m(self));
	EXPECT_EQ(MIB_2 / PAGE, pages_4k(self));
}

/* ---- split and joined ---------------------------------------------------- */

/* Map one large page; return whether it is used. */
static bool use_one(struct __test_metadata *_metadata,
		    FIXTURE_DATA(huge) * self)
{
	use_thp(_metadata, self, MIB_2);
	map(_metadata, self, GPA, 0, MIB_2);
	EXPECT_SWEEP(self, MIB_2, true);
	return pages_2m(self) == 1;
}

static void expect_split(struct __test_metadata *_metadata,
			 FIXTURE_DATA(huge) * self)
{
	EXPECT_EQ(0, pages_2m(self));
	EXPECT_SWEEP(self, MIB_2, false);
	EXPECT_EQ(0, pages_2m(self));
	EXPECT_EQ(MIB_2 / PAGE, pages_4k(self));
}

TEST_F(huge, split_by_protect)
{
	SKIP_UNLESS(use_one(_metadata, self));
	ASSERT_EQ(0, machine_protect(&self->m, GPA + 7 * PAGE, PAGE, MAP_RX));
	expect_split(_metadata, self);
	EXPECT_NPF(0, &self->m, ACCESS_WRITE, GPA + 7 * PAGE);
	EXPECT_WRITE(&self->m, GPA + 6 * PAGE, 77);
	EXPECT_WRITE(&self->m, GPA + 8 * PAGE, 77);
	EXPECT_READ(7 + 1, &self->m, GPA + 7 * PAGE);
	EXPECT_EQ(0, pages_2m(self));

	/* After the permissions are equal again, the next fault joins the pages. */
	ASSERT_EQ(0, machine_protect(&self->m, GPA + 7 * PAGE, PAGE, MAP_ALL));
	EXPECT_WRITE(&self->m, GPA + 7 * PAGE, 78);
	EXPECT_EQ(1, pages_2m(self));
	EXPECT_EQ(0, pages_4k(self));
	EXPECT_EQ(78, self->memory[7 * PAGE]);
	EXPECT_READ(77, &self->m, GPA + 8 * PAGE);
}

TEST_F(huge, split_by_unmap)
{
	SKIP_UNLESS(use_one(_metadata, self));
	ASSERT_EQ(0, machine_unmap(&self->m, GPA + 7 * PAGE, PAGE));
	EXPECT_EQ(0, pages_2m(self));
	EXPECT_NPF(0, &self->m, ACCESS_READ, GPA + 7 * PAGE);
	EXPECT_READ(6 + 1, &self->m, GPA + 6 * PAGE);
	EXPECT_READ(8 + 1, &self->m, GPA + 8 * PAGE);
	EXPECT_EQ(0, pages_2m(self));
}

TEST_F(huge, split_by_munmap)
{
	SKIP_UNLESS(use_one(_metadata, self));
	ASSERT_EQ(0, munmap(self->memory + 7 * PAGE, PAGE));
	EXPECT_EQ(0, pages_2m(self));
	EXPECT_NPF(-EFAULT, &self->m, ACCESS_READ, GPA + 7 * PAGE);
	EXPECT_READ(6 + 1, &self->m, GPA + 6 * PAGE);
	EXPECT_READ(8 + 1, &self->m, GPA + 8 * PAGE);
	EXPECT_EQ(0, pages_2m(self));
}

TEST_F(huge, split_by_mprotect)
{
	SKIP_UNLESS(use_one(_metadata, self));
	ASSERT_EQ(0, mprotect(self->memory + 7 * PAGE, PAGE, PROT_READ));
	expect_split(_metadata, self);
	EXPECT_NPF(-EFAULT, &self->m, ACCESS_WRITE, GPA + 7 * PAGE);
	EXPECT_WRITE(&self->m, GPA + 6 * PAGE, 77);
}

/* Linux then creates a large page again on request. */
TEST_F(huge, split_by_madvise)
{
	SKIP_UNLESS(use_one(_metadata, self));
	ASSERT_EQ(0, madvise(self->memory + 7 * PAGE, PAGE, MADV_DONTNEED));
	EXPECT_EQ(0, pages_2m(self));
	EXPECT_READ(0, &self->m, GPA + 7 * PAGE);
	EXPECT_READ(8 + 1, &self->m, GPA + 8 * PAGE);
	EXPECT_WRITE(&self->m, GPA + 7 * PAGE, 77);
	EXPECT_EQ(0, pages_2m(self));

	if (madvise(self->memory, MIB_2, MADV_COLLAPSE))
		SKIP(return, "MADV_COLLAPSE failed: %s", strerror(errno));
	EXPECT_READ(77, &self->m, GPA + 7 * PAGE);
	EXPECT_EQ(1, pages_2m(self));
	EXPECT_EQ(0, pages_4k(self));
	EXPECT_READ(8 + 1, &self->m, GPA + 8 * PAGE);
}

/* A guest that writes meanwhile does not notice, and loses no write. */
TEST_F(huge, split_and_joined_under_running_guest)
{
	volatile uint32_t *page;
	struct hammer hammer;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "only one CPU");
	SKIP_UNLESS(use_one(_metadata, self));
	page = (uint32_t *)(self->memory + 3 * PAGE);
	page[0] = 0;
	ASSERT_EQ(0, hammer_start(&hammer, &self->m, GPA + 3 * PAGE));
	for (int i = 0; i < 10; i++) {
		ASSERT_EQ(0, madvise(self->memory + 7 * PAGE, PAGE,
				     MADV_DONTNEED));
		expect_shared(_metadata, &hammer, page);
		ASSERT_EQ(0, machine_protect(&self->m, GPA + 9 * PAGE, PAGE,
					     MAP_RX));
		expect_shared(_metadata, &hammer, page);
		madvise(self->memory, MIB_2, MADV_COLLAPSE);
		expect_shared(_metadata, &hammer, page);
		ASSERT_EQ(0, machine_protect(&self->m, GPA + 9 * PAGE, PAGE,
					     MAP_ALL));
		expect_shared(_metadata, &hammer, page);
	}
	EXPECT_EQ(-EINTR, hammer_stop(&hammer));
	expect_none_lost(_metadata, &hammer, *page);
}

/* ---- 1 GiB --------------------------------------------------------------- */

#define GPA_1G GIB_1

/* Use one page of 1 GiB of the pool. */
static bool use_1g(FIXTURE_DATA(huge) * self)
{
	if (file_number(POOL_1G "free_hugepages") == 0) {
		self->pool_1g = file_number(POOL_1G "nr_hugepages");
		pool_set(POOL_1G "nr_hugepages", self->pool_1g + 1);
	}
	self->memory = mmap(NULL, GIB_1, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB |
				    30 << MAP_HUGE_SHIFT,
			    -1, 0);
	return self->memory != MAP_FAILED;
}

static const unsigned long places[] = { 0,	   5 * PAGE,
					MIB_2,	   3 * MIB_2 + PAGE,
					GIB_1 / 2, GIB_1 - PAGE };

#define SKIP_UNLESS_1G(self)                                                   \
	do {                                                                   \
		if (!use_1g(self))                                             \
			SKIP(return, "no page of 1 GiB is available");         \
	} while (0)

static void write_places(struct __test_metadata *_metadata,
			 FIXTURE_DATA(huge) * self, uint64_t gpa,
			 uint32_t value)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		EXPECT_WRITE(&self->m, gpa + places[i], value + i);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		EXPECT_EQ(value + i, *(uint32_t *)&self->memory[places[i]]);
}

TEST_F(huge, gib)
{
	SKIP_UNLESS_1G(self);
	map(_metadata, self, GPA_1G, 0, GIB_1);
	write_places(_metadata, self, GPA_1G, 10);
	EXPECT_EQ(1, pages_1g(self));
	EXPECT_EQ(0, pages_2m(self));
	EXPECT_EQ(0, pages_4k(self));
}

TEST_F(huge, gib_aligned_to_2m)
{
	SKIP_UNLESS_1G(self);
	map(_metadata, self, GPA_1G + MIB_2, 0, GIB_1);
	write_places(_metadata, self, GPA_1G + MIB_2, 10);
	EXPECT_EQ(0, pages_1g(self));
	EXPECT_EQ(ARRAY_SIZE(places) - 1, pages_2m(self));
	EXPECT_EQ(0, pages_4k(self));
}

TEST_F(huge, gib_not_aligned)
{
	SKIP_UNLESS_1G(self);
	map(_metadata, self, GPA_1G + PAGE, 0, GIB_1);
	write_places(_metadata, self, GPA_1G + PAGE, 10);
	EXPECT_EQ(0, pages_1g(self));
	EXPECT_EQ(0, pages_2m(self));
	EXPECT_EQ(ARRAY_SIZE(places), pages_4k(self));
}

TEST_F(huge, gib_split_and_joined)
{
	SKIP_UNLESS_1G(self);
	map(_metadata, self, GPA_1G, 0, GIB_1);
	write_places(_metadata, self, GPA_1G, 10);
	ASSERT_EQ(0,
		  machine_protect(&self->m, GPA_1G + 7 * PAGE, PAGE, MAP_RX));
	EXPECT_EQ(0, pages_1g(self));
	write_places(_metadata, self, GPA_1G, 20);
	EXPECT_NPF(0, &self->m, ACCESS_WRITE, GPA_1G + 7 * PAGE);
	/* Two of the places are in its 2 MiB. */
	EXPECT_EQ(2, pages_4k(self));
	EXPECT_EQ(ARRAY_SIZE(places) - 2, pages_2m(self));
	ASSERT_EQ(0,
		  machine_protect(&self->m, GPA_1G + 7 * PAGE, PAGE, MAP_ALL));
	EXPECT_WRITE(&self->m, GPA_1G + 7 * PAGE, 77);
	EXPECT_EQ(1, pages_1g(self));
	EXPECT_EQ(0, pages_2m(self));
	EXPECT_EQ(0, pages_4k(self));
	write_places(_metadata, self, GPA_1G, 30);
}

TEST_F(huge, gib_logged)
{
	uint64_t bits[8];

	SKIP_UNLESS_1G(self);
	ASSERT_EQ(0, machine_map(&self->m, GPA_1G, self->memory, GIB_1,
				 MAP_ALL | SVMRUN_MAP_LOG_DIRTY));
	EXPECT_READ(0, &self->m, GPA_1G + 5 * PAGE);
	EXPECT_EQ(1, pages_1g(self));
	EXPECT_WRITE(&self->m, GPA_1G + 5 * PAGE, 77);
	EXPECT_EQ(0, pages_1g(self));
	EXPECT_EQ(1, pages_4k(self));
	EXPECT_READ(0, &self->m, GPA_1G + 3 * MIB_2);
	EXPECT_EQ(1, pages_2m(self));
	ASSERT_EQ(0, machine_dirty(&self->m, GPA_1G, MIB_2, bits,
				   SVMRUN_DIRTY_CLEAR));
	EXPECT_EQ(1ull << 5, bits[0]);
	for (size_t i = 1; i < ARRAY_SIZE(bits); i++)
		EXPECT_EQ(0, bits[i]);
}

TEST_HARNESS_MAIN
