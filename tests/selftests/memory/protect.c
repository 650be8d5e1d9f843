// SPDX-License-Identifier: GPL-2.0
/*
 * SVMRUN_PROTECT changes the permissions of any range of pages, and guests have
 * exactly these permissions.
 */
#include <sys/wait.h>

#include "hammer.h"

#define GPA MIB_2
#define PAGES 8
#define LENGTH (PAGES * PAGE)

/* Bits of EXITINFO1 that describe the access (APM 15.25.6) */
#define NPF_ACCESS (SVM_NPF_PRESENT | SVM_NPF_WRITE | SVM_NPF_FETCH)

FIXTURE(protect)
{
	struct machine m;
	uint8_t *memory; /* mapped at GPA, all permissions; each page begins with HLT */
	unsigned int regions; /* of the machine's own memory */
};

FIXTURE_SETUP(protect)
{
	ASSERT_EQ(0, machine_create(&self->m));
	self->regions = machine_regions(&self->m);
	self->memory = pages_new(LENGTH);
	ASSERT_NE(MAP_FAILED, self->memory);
	for (int i = 0; i < PAGES; i++)
		self->memory[i * PAGE] = HLT_BYTE;
	ASSERT_EQ(0, machine_map(&self->m, GPA, self->memory, LENGTH, MAP_ALL));
}

FIXTURE_TEARDOWN(protect)
{
	machine_destroy(&self->m);
}

static int protect_pages(FIXTURE_DATA(protect) * self, int first, int count,
			 uint32_t rights)
{
	return machine_protect(&self->m, GPA + first * PAGE, count * PAGE,
			       rights);
}

static unsigned int regions(FIXTURE_DATA(protect) * self)
{
	return machine_regions(&self->m) - self->regions;
}

static bool allows(uint32_t rights, enum access what)
{
	switch (what) {
	case ACCESS_READ:
		return true;
	case ACCESS_WRITE:
		return rights & SVMRUN_MAP_WRITE;
	case ACCESS_FETCH:
		return rights & SVMRUN_MAP_EXEC;
	}
	return false;
}

static uint64_t error_code(enum access what)
{
	return what == ACCESS_WRITE ? SVM_NPF_WRITE :
	       what == ACCESS_FETCH ? SVM_NPF_FETCH :
				      0;
}

/*
 * Expect that the guest has exactly these permissions, and that exits name the
 * access.
 */
static void expect_rights(struct __test_metadata *_metadata, struct machine *m,
			  uint64_t gpa, uint32_t rights)
{
	for (enum access what = ACCESS_READ; what <= ACCESS_FETCH; what++) {
		if (allows(rights, what)) {
			EXPECT_ACCESS(m, what, gpa, HLT_BYTE);
			continue;
		}
		EXPECT_NPF(0, m, what, gpa);
		EXPECT_EQ(error_code(what),
			  m->vcpu.vmcb->control.exitinfo1 &
				  (NPF_ACCESS & ~SVM_NPF_PRESENT));
		EXPECT_NE(0, m->vcpu.vmcb->control.exitinfo1 & SVM_NPF_FINAL);
	}
}

/* Check the permissions of each page, beginning with the first. */
static void expect_pages(struct __test_metadata *_metadata,
			 FIXTURE_DATA(protect) * self, const uint32_t *rights)
{
	for (int i = 0; i < PAGES; i++)
		expect_rights(_metadata, &self->m, GPA + i * PAGE, rights[i]);
}

/* ---- permissions --------------------------------------------------------- */

static const uint32_t all_rights[] = { SVMRUN_MAP_READ, MAP_RW, MAP_RX,
				       MAP_ALL };

TEST_F(protect, each_right_of_a_page_not_touched_yet)
{
	for (size_t i = 0; i < ARRAY_SIZE(all_rights); i++) {
		ASSERT_EQ(0, protect_pages(self, i, 1, all_rights[i]));
		expect_rights(_metadata, &self->m, GPA + i * PAGE,
			      all_rights[i]);
	}
}

/* Every change from one permission to another */
TEST_F(protect, each_change_of_rights)
{
	for (size_t i = 0; i < ARRAY_SIZE(all_rights); i++)
		for (size_t j = 0; j < ARRAY_SIZE(all_rights); j++) {
			ASSERT_EQ(0, protect_pages(self, 3, 1, all_rights[i]));
			expect_rights(_metadata, &self->m, GPA + 3 * PAGE,
				      all_rights[i]);
			ASSERT_EQ(0, protect_pages(self, 3, 1, all_rights[j]));
			expect_rights(_metadata, &self->m, GPA + 3 * PAGE,
				      all_rights[j]);
		}
	EXPECT_EQ(HLT_BYTE, self->memory[3 * PAGE]);
}

/* The processor reports that the page is present. */
TEST_F(protect, page_is_present)
{
	struct svm_vmcb_control *control = &self->m.vcpu.vmcb->control;

	EXPECT_WRITE(&self->m, GPA, HLT_BYTE);
	ASSERT_EQ(0, protect_pages(self, 0, 1, SVMRUN_MAP_READ));
	EXPECT_NPF(0, &self->m, ACCESS_WRITE, GPA);
	EXPECT_EQ(SVM_NPF_PRESENT | SVM_NPF_WRITE,
		  control->exitinfo1 & NPF_ACCESS);
	EXPECT_NPF(0, &self->m, ACCESS_FETCH, GPA);
	EXPECT_EQ(SVM_NPF_PRESENT | SVM_NPF_FETCH,
		  control->exitinfo1 & NPF_ACCESS);
}

/* The program handles the exit: it grants the permission, and continues. */
TEST_F(protect, mapped_on_demand)
{
	struct machine *m = &self->m;

	ASSERT_EQ(0, protect_pages(self, 0, PAGES, MAP_RX));
	EXPECT_NPF(0, m, ACCESS_WRITE, GPA + 2 * PAGE);
	ASSERT_EQ(0, protect_pages(self, 2, 1, MAP_ALL));
	ASSERT_EXIT(VMEXIT_HLT, m);
	EXPECT_EQ(0, self->memory[2 * PAGE]);
	EXPECT_NPF(0, m, ACCESS_WRITE, GPA + PAGE);
	EXPECT_NPF(0, m, ACCESS_WRITE, GPA + 3 * PAGE);
}

/* A page is either writable or executable, never both. */
TEST_F(protect, write_or_execute)
{
	struct machine *m = &self->m;

	ASSERT_EQ(0, protect_pages(self, 0, 1, MAP_RW));
	for (int i = 0; i < 10; i++) {
		EXPECT_WRITE(m, GPA, HLT_BYTE | i << 8);
		EXPECT_NPF(0, m, ACCESS_FETCH, GPA);
		ASSERT_EQ(0, protect_pages(self, 0, 1, MAP_RX));
		ASSERT_EXIT(VMEXIT_HLT, m);
		EXPECT_NPF(0, m, ACCESS_WRITE, GPA);
		ASSERT_EQ(0, protect_pages(self, 0, 1, MAP_RW));
		ASSERT_EXIT(VMEXIT_HLT, m);
	}
}

/* The guest never has more permissions than the program's mapping. */
TEST_F(protect, the_programs_rights_are_the_bound)
{
	uint32_t *page = (uint32_t *)self->memory;

	ASSERT_EQ(0, mprotect(page, PAGE, PROT_READ));
	ASSERT_EQ(0, protect_pages(self, 0, 1, MAP_ALL));
	EXPECT_NPF(-EFAULT, &self->m, ACCESS_WRITE, GPA);
	EXPECT_READ(HLT_BYTE, &self->m, GPA);
	EXPECT_NPF(-EFAULT, &self->m, ACCESS_WRITE, GPA);
	EXPECT_EQ(HLT_BYTE, *page);
	ASSERT_EQ(0, mprotect(page, PAGE, PROT_NONE));
	EXPECT_NPF(-EFAULT, &self->m, ACCESS_READ, GPA);
}

/* ---- ranges -------------------------------------------------------------- */

#define R SVMRUN_MAP_READ
#define A MAP_ALL

/* PROTECT part of a region: check permissions and the number of regions. */
#define TEST_CUT(name, first, count, number, ...)                              \
	TEST_F(protect, cut_##name)                                            \
	{                                                                      \
		static const uint32_t before[] = { A, A, A, A, A, A, A, A };   \
		static const uint32_t after[] = { __VA_ARGS__ };               \
                                                                               \
		expect_pages(_metadata, self, before);                         \
		ASSERT_EQ(0, protect_pages(self, first, count, R));            \
		EXPECT_EQ(number, regions(self));                              \
		expect_pages(_metadata, self, after);                          \
		ASSERT_EQ(0, protect_pages(self, first, count, A));            \
		EXPECT_EQ(1, regions(self));                                   \
		expect_pages(_metadata, self, before);                         \
	}

TEST_CUT(front, 0, 3, 2, R, R, R, A, A, A, A, A)
TEST_CUT(beyond_front, -2, 4, 2, R, R, A, A, A, A, A, A)
TEST_CUT(back, 6, 2, 2, A, A, A, A, A, A, R, R)
TEST_CUT(beyond_back, 6, 9, 2, A, A, A, A, A, A, R, R)
TEST_CUT(middle, 3, 2, 3, A, A, A, R, R, A, A, A)
TEST_CUT(all, 0, PAGES, 1, R, R, R, R, R, R, R, R)
TEST_CUT(more_than_all, -1, PAGES + 2, 1, R, R, R, R, R, R, R, R)

TEST_F(protect, joined_with_what_is_alike)
{
	static const uint32_t rights[] = { R, A, R, A, R, A, R, A };

	for (int i = 0; i < PAGES; i += 2)
		ASSERT_EQ(0, protect_pages(self, i, 1, R));
	EXPECT_EQ(PAGES, regions(self));
	expect_pages(_metadata, self, rights);
	/* one page at a time: equal to the region before it, after it, and both */
	ASSERT_EQ(0, protect_pages(self, 1, 1, R));
	EXPECT_EQ(PAGES - 2, regions(self));
	ASSERT_EQ(0, protect_pages(self, 4, 1, A));
	EXPECT_EQ(PAGES - 4, regions(self));
	/* part of one region, and back */
	ASSERT_EQ(0, protect_pages(self, 3, 1, R));
	ASSERT_EQ(0, protect_pages(self, 3, 1, A));
	EXPECT_EQ(PAGES - 4, regions(self));
	ASSERT_EQ(0, protect_pages(self, 0, PAGES, A));
	EXPECT_EQ(1, regions(self));
}

/* Permissions that are already set change nothing. */
TEST_F(protect, the_same_again)
{
	ASSERT_EQ(0, protect_pages(self, 2, 3, A));
	EXPECT_EQ(1, regions(self));
	ASSERT_EQ(0, protect_pages(self, 2, 3, R));
	ASSERT_EQ(0, protect_pages(self, 3, 1, R));
	EXPECT_EQ(3, regions(self));
}

/* Two MAPs that are contiguous in guest and host memory */
TEST_F(protect, across_two_maps)
{
	static const uint32_t rights[] = { A, A, A, R, R, A, A, A };

	ASSERT_EQ(0, machine_unmap(&self->m, GPA + 4 * PAGE, 4 * PAGE));
	ASSERT_EQ(0, machine_map(&self->m, GPA + 4 * PAGE,
				 self->memory + 4 * PAGE, 4 * PAGE, MAP_ALL));
	EXPECT_EQ(2, regions(self));
	ASSERT_EQ(0, protect_pages(self, 3, 2, R));
	EXPECT_EQ(3, regions(self));
	expect_pages(_metadata, self, rights);
	ASSERT_EQ(0, protect_pages(self, 3, 2, A));
	EXPECT_EQ(1, regions(self));
}

/* Two MAPs that are not contiguous in host memory */
TEST_F(protect, across_two_maps_of_other_memory)
{
	static const uint32_t rights[] = { A, A, A, R, R, A, A, A };

	ASSERT_EQ(0, machine_unmap(&self->m, GPA + 4 * PAGE, 4 * PAGE));
	ASSERT_EQ(0, machine_map(&self->m, GPA + 4 * PAGE, self->memory,
				 4 * PAGE, MAP_ALL));
	ASSERT_EQ(0, protect_pages(self, 3, 2, R));
	EXPECT_EQ(4, regions(self));
	expect_pages(_metadata, self, rights);
	ASSERT_EQ(0, protect_pages(self, 3, 2, A));
	EXPECT_EQ(2, regions(self));
}

/* Holes stay unmapped. */
TEST_F(protect, across_a_hole)
{
	ASSERT_EQ(0, machine_unmap(&self->m, GPA + 3 * PAGE, 2 * PAGE));
	ASSERT_EQ(0, protect_pages(self, 2, 4, R));
	EXPECT_EQ(4, regions(self));
	expect_rights(_metadata, &self->m, GPA + 2 * PAGE, R);
	expect_rights(_metadata, &self->m, GPA + 5 * PAGE, R);
	EXPECT_NPF(0, &self->m, ACCESS_READ, GPA + 3 * PAGE);
	EXPECT_EQ(-ENOENT, protect_pages(self, 3, 2, R));
}

TEST_F(protect, everything)
{
	uint64_t top = 1ull << self->m.info.out_gpa_bits;

	ASSERT_EQ(0, machine_protect(&self->m, 0, top, MAP_RX));
	EXPECT_EQ(self->regions + 1, machine_regions(&self->m));
	EXPECT_EQ(HLT_BYTE, self->memory[0]);
	expect_rights(_metadata, &self->m, GPA, MAP_RX);
}

/* Regions that UNMAP splits keep their permissions. */
TEST_F(protect, unmapped_in_part)
{
	ASSERT_EQ(0, protect_pages(self, 2, 4, R));
	ASSERT_EQ(0, machine_unmap(&self->m, GPA + 3 * PAGE, PAGE));
	EXPECT_EQ(4, regions(self));
	expect_rights(_metadata, &self->m, GPA + 2 * PAGE, R);
	expect_rights(_metadata, &self->m, GPA + 4 * PAGE, R);
	expect_rights(_metadata, &self->m, GPA + 6 * PAGE, A);
}

/* ---- while a guest runs -------------------------------------------------- */

TEST_F(protect, write_taken_under_running_guest)
{
	volatile uint32_t *page = (uint32_t *)self->memory;
	struct svm_vmcb_control *control = &self->m.vcpu.vmcb->control;
	struct hammer hammer;

	page[0] = 0;
	ASSERT_EQ(0, hammer_start(&hammer, &self->m, GPA));
	for (int i = 0; i < 20; i++) {
		expect_shared(_metadata, &hammer, page);
		ASSERT_EQ(0, protect_pages(self, 0, 1, R));
		expect_left_alone(_metadata, page);
		ASSERT_EQ(0, hammer_join(&hammer));
		EXPECT_EQ(VMEXIT_NPF, control->exitcode);
		EXPECT_EQ(GPA, control->exitinfo2);
		EXPECT_NE(0, control->exitinfo1 & SVM_NPF_WRITE);
		ASSERT_EQ(0, protect_pages(self, 0, 1, MAP_RW));
		ASSERT_EQ(0, hammer_go_on(&hammer));
	}
	EXPECT_EQ(-EINTR, hammer_stop(&hammer));
	expect_none_lost(_metadata, &hammer, *page);
}

/* The guest does not notice changes of neighbouring pages. */
TEST_F(protect, neighbours_of_what_the_guest_uses)
{
	volatile uint32_t *page = (uint32_t *)(self->memory + 3 * PAGE);
	struct hammer hammer;

	page[0] = 0;
	ASSERT_EQ(0, hammer_start(&hammer, &self->m, GPA + 3 * PAGE));
	for (int i = 0; i < 50; i++) {
		ASSERT_EQ(0, protect_pages(self, 2, 1, i % 2 ? A : R));
		ASSERT_EQ(0, protect_pages(self, 4, 1, i % 3 ? A : R));
		ASSERT_EQ(0, protect_pages(self, 3, 1, i % 5 ? A : MAP_RW));
	}
	expect_shared(_metadata, &hammer, page);
	EXPECT_EQ(-EINTR, hammer_stop(&hammer));
	expect_none_lost(_metadata, &hammer, *page);
}

GUEST(spin, 32, "1: lock incl 0xa000\n jmp 1b");

TEST_F(protect, execution_taken_under_running_guest)
{
	struct svm_vmcb_control *control = &self->m.vcpu.vmcb->control;
	struct runner runner;

	memcpy(self->memory, spin, spin_end - spin);
	MACHINE_LOAD(&self->m, MODE_PROTECTED, spin);
	self->m.vcpu.vmcb->save.rip = GPA;
	for (int i = 0; i < 10; i++) {
		ASSERT_EQ(0, runner_start(&runner, &self->m.vcpu));
		machine_wait_counting(&self->m);
		ASSERT_EQ(0, protect_pages(self, 0, 1, MAP_RW));
		ASSERT_EQ(0, runner_join(&runner));
		EXPECT_EQ(VMEXIT_NPF, control->exitcode);
		EXPECT_EQ(GPA, control->exitinfo2 & -PAGE);
		EXPECT_NE(0, control->exitinfo1 & SVM_NPF_FETCH);
		ASSERT_EQ(0, protect_pages(self, 0, 1, MAP_RX));
	}
}

/* ---- errors, one at a time ----------------------------------------------- */

TEST_F(protect, good)
{
	EXPECT_EQ(0, machine_protect(&self->m, GPA, PAGE, R));
}

TEST_F(protect, not_aligned)
{
	EXPECT_EQ(-EINVAL, machine_protect(&self->m, GPA + 8, PAGE, R));
	EXPECT_EQ(-EINVAL, machine_protect(&self->m, GPA, PAGE + 8, R));
	EXPECT_EQ(-EINVAL, machine_protect(&self->m, GPA, 0, R));
}

TEST_F(protect, no_read)
{
	EXPECT_EQ(-EINVAL, machine_protect(&self->m, GPA, PAGE, 0));
	EXPECT_EQ(-EINVAL, machine_protect(&self->m, GPA, PAGE,
					   SVMRUN_MAP_WRITE | SVMRUN_MAP_EXEC));
}

/* Only MAP can enable the log. */
TEST_F(protect, unknown_flags)
{
	EXPECT_EQ(-EINVAL, machine_protect(&self->m, GPA, PAGE,
					   R | SVMRUN_MAP_LOG_DIRTY));
	EXPECT_EQ(-EINVAL, machine_protect(&self->m, GPA, PAGE, R | 1u << 31));
}

TEST_F(protect, out_of_range)
{
	uint64_t top = 1ull << self->m.info.out_gpa_bits;

	EXPECT_EQ(-ERANGE, machine_protect(&self->m, top - PAGE, 2 * PAGE, R));
	EXPECT_EQ(-ERANGE, machine_protect(&self->m, top, PAGE, R));
	EXPECT_EQ(-ERANGE, machine_protect(&self->m, PAGE, -PAGE, R));
}

TEST_F(protect, nothing_mapped)
{
	EXPECT_EQ(-ENOENT, protect_pages(self, PAGES, 1, R));
	EXPECT_EQ(-ENOENT, protect_pages(self, -1, 1, R));
	EXPECT_EQ(1, regions(self));
}

TEST_F(protect, another_address_space)
{
	int status;
	pid_t child = fork();

	if (!child)
		_exit(protect_pages(self, 0, 1, R) != -EIO);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	expect_rights(_metadata, &self->m, GPA, A);
}

/* At the maximum of regions one more is refused, and nothing is changed. */
TEST_F_TIMEOUT(protect, too_many_regions, 110)
{
	uint64_t gpa = 2 * GPA;

	while (!machine_map(&self->m, gpa, self->memory, PAGE, MAP_ALL))
		gpa += 2 * PAGE;
	ASSERT_EQ(self->m.info.out_max_regions, machine_regions(&self->m));
	EXPECT_EQ(-ENOSPC, protect_pages(self, 3, 2, R));
	EXPECT_EQ(-ENOSPC, protect_pages(self, 0, 1, R));
	EXPECT_EQ(self->m.info.out_max_regions, machine_regions(&self->m));
	for (int i = 0; i < PAGES; i++)
		expect_rights(_metadata, &self->m, GPA + i * PAGE, A);
	/* This needs no further region. */
	EXPECT_EQ(0, protect_pages(self, 0, PAGES, R));
	expect_rights(_metadata, &self->m, GPA, R);
	/* With one region less, one can be split. */
	ASSERT_EQ(0, machine_unmap(&self->m, 2 * GPA, PAGE));
	EXPECT_EQ(0, protect_pages(self, 0, 1, A));
	EXPECT_EQ(self->m.info.out_max_regions, machine_regions(&self->m));
}

TEST_HARNESS_MAIN
