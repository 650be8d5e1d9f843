// SPDX-License-Identifier: GPL-2.0
/* SVMRUN_MAP and SVMRUN_UNMAP: errors, and partial removal of regions */
#include "paging.h"

#define GPA 0x100000ul /* outside the machine's own memory */
#define PAGES	8
#define LENGTH	(PAGES * PAGE)

FIXTURE(map)
{
	struct machine m;
	uint64_t *pages; /* PAGES pages, each beginning with its number */
	uint64_t top; /* first address beyond guest physical addresses */
};

FIXTURE_SETUP(map)
{
	ASSERT_EQ(0, machine_create(&self->m));
	self->top = 1ull << self->m.info.out_gpa_bits;
	self->pages = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->pages);
	for (int i = 0; i < PAGES; i++)
		self->pages[i * PAGE / 8] = 100 + i;
}

FIXTURE_TEARDOWN(map)
{
	machine_destroy(&self->m);
}

GUEST(read_ebx, 32, "mov (%ebx), %eax\n hlt");

/* Return what the guest reads at @gpa, or -1 if nothing is mapped. */
static int64_t guest_read(struct __test_metadata *_metadata, struct machine *m,
			  uint64_t gpa)
{
	struct svm_vmcb *vmcb = m->vcpu.vmcb;

	MACHINE_LOAD(m, MODE_PROTECTED, read_ebx);
	m->vcpu.regs->rbx = gpa;
	ASSERT_EQ(0, machine_run(m));
	if (vmcb->control.exitcode == VMEXIT_HLT)
		return vmcb->save.rax;
	ASSERT_EQ(VMEXIT_NPF, vmcb->control.exitcode);
	EXPECT_EQ(gpa, vmcb->control.exitinfo2);
	return -1;
}

/* ---- MAP: one error at a time -------------------------------------------- */

TEST_F(map, good)
{
	EXPECT_EQ(0, machine_map(&self->m, GPA, self->pages, LENGTH, MAP_ALL));
}

TEST_F(map, not_aligned)
{
	char *hva = (char *)self->pages;

	EXPECT_EQ(-EINVAL, machine_map(&self->m, GPA + 8, hva, PAGE, MAP_ALL));
	EXPECT_EQ(-EINVAL, machine_map(&self->m, GPA, hva + 8, PAGE, MAP_ALL));
	EXPECT_EQ(-EINVAL, machine_map(&self->m, GPA, hva, PAGE + 8, MAP_ALL));
}

TEST_F(map, length_zero)
{
	EXPECT_EQ(-EINVAL, machine_map(&self->m, GPA, self->pages, 0, MAP_ALL));
}

TEST_F(map, no_read)
{
	EXPECT_EQ(-EINVAL, machine_map(&self->m, GPA, self->pages, PAGE, 0));
	EXPECT_EQ(-EINVAL, machine_map(&self->m, GPA, self->pages, PAGE,
				       SVMRUN_MAP_WRITE | SVMRUN_MAP_EXEC));
}

TEST_F(map, hva_not_of_a_program)
{
	const struct {
		uint64_t hva, length;
	} ranges[] = {
		{ 1ull << 63, PAGE },	      { -PAGE, PAGE },
		{ -PAGE, 2 * PAGE },	      { -LENGTH, LENGTH + PAGE },
		{ 0xffff888000000000, PAGE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		EXPECT_EQ(-EINVAL,
			  machine_map(&self->m, GPA, (void *)ranges[i].hva,
				      ranges[i].length, MAP_ALL))
		{
			TH_LOG("range %zu of the table", i);
		}
	}
}

TEST_F(map, gpa_out_of_range)
{
	const uint64_t gpas[] = { self->top - PAGE, self->top, -2 * PAGE };

	for (size_t i = 0; i < ARRAY_SIZE(gpas); i++)
		EXPECT_EQ(-ERANGE, machine_map(&self->m, gpas[i], self->pages,
					       2 * PAGE, MAP_ALL));
}

TEST_F(map, overlap)
{
	const int first[] = { 2, 0, 5, 3, 1 }, count[] = { 4, 3, 3, 1, 6 };
	uint64_t *hva = self->pages;

	ASSERT_EQ(0, machine_map(&self->m, GPA + 2 * PAGE, hva, 4 * PAGE,
				 MAP_ALL));
	for (size_t i = 0; i < ARRAY_SIZE(first); i++)
		EXPECT_EQ(-EEXIST, machine_map(&self->m, GPA + first[i] * PAGE,
					       hva, count[i] * PAGE, MAP_ALL));
	EXPECT_EQ(0, machine_map(&self->m, GPA, hva, 2 * PAGE, MAP_ALL));
	EXPECT_EQ(0, machine_map(&self->m, GPA + 6 * PAGE, hva, PAGE, MAP_ALL));
}

TEST_F(map, too_many_regions)
{
	uint64_t gpa = GPA;
	int err;

	do {
		err = machine_map(&self->m, gpa, self->pages, PAGE, MAP_ALL);
		gpa += 2 * PAGE;
	} while (!err);
	EXPECT_EQ(-ENOSPC, err);
	/* the machine's own memory is a region too */
	EXPECT_EQ(self->m.info.out_max_regions,
		  1 + (gpa - GPA) / (2 * PAGE) - 1);

	/* A hole in that region would need one more region; nothing is changed. */
	EXPECT_EQ(-ENOSPC, machine_unmap(&self->m, PAGE, PAGE));
	EXPECT_EQ(0, guest_read(_metadata, &self->m, PAGE));

	EXPECT_EQ(0, machine_unmap(&self->m, GPA, PAGE));
	EXPECT_EQ(0, machine_map(&self->m, gpa, self->pages, PAGE, MAP_ALL));
}

/* ---- UNMAP: one error at a time ------------------------------------------ */

TEST_F(map, unmap_not_aligned)
{
	EXPECT_EQ(-EINVAL, machine_unmap(&self->m, 8, PAGE));
	EXPECT_EQ(-EINVAL, machine_unmap(&self->m, 0, PAGE + 8));
}

TEST_F(map, unmap_length_zero)
{
	EXPECT_EQ(-EINVAL, machine_unmap(&self->m, 0, 0));
}

TEST_F(map, unmap_out_of_range)
{
	EXPECT_EQ(-ERANGE, machine_unmap(&self->m, self->top - PAGE, 2 * PAGE));
	EXPECT_EQ(-ERANGE, machine_unmap(&self->m, self->top, PAGE));
	EXPECT_EQ(-ERANGE, machine_unmap(&self->m, PAGE, -PAGE));
}

TEST_F(map, unmap_nothing)
{
	EXPECT_EQ(-ENOENT, machine_unmap(&self->m, GPA, LENGTH));
	EXPECT_EQ(0, machine_unmap(&self->m, 0, MACHINE_SIZE));
	EXPECT_EQ(-ENOENT, machine_unmap(&self->m, 0, MACHINE_SIZE));
}

TEST_F(map, unmap_everything)
{
	ASSERT_EQ(0, machine_map(&self->m, GPA, self->pages, LENGTH, MAP_ALL));
	EXPECT_EQ(0, machine_unmap(&self->m, 0, self->top));
	EXPECT_EQ(-ENOENT, machine_unmap(&self->m, 0, self->top));
	EXPECT_EQ(0, machine_map(&self->m, 0, self->pages, LENGTH, MAP_ALL));
}

/* ---- another address space ----------------------------------------------- */

TEST_F(map, another_address_space)
{
	int status;
	pid_t child = fork();

	if (!child) {
		int map = machine_map(&self->m, GPA, self->pages, PAGE,
				      MAP_ALL);
		int unmap = machine_unmap(&self->m, 0, PAGE);

		_exit(map == -EIO && unmap == -EIO ? 0 : 1);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, machine_unmap(&self->m, 0, PAGE));
}

/* ---- the guest's view ---------------------------------------------------- */

/* Expect that the guest sees the pages that are set in @left, and no others. */
static void expect_left(struct __test_metadata *_metadata, struct machine *m,
			uint32_t left)
{
	for (int i = 0; i < PAGES; i++) {
		int64_t want = left & 1u << i ? 100 + i : -1;

		EXPECT_EQ(want, guest_read(_metadata, m, GPA + i * PAGE))
		{
			TH_LOG("page %d", i);
		}
	}
}

/*
 * The guest has accessed all pages before, so that stale translations would be
 * noticed.
 */
#define TEST_CUT(name, first, count, left)				\
	TEST_F(map, cut_##name)						\
	{								\
		ASSERT_EQ(0, machine_map(&self->m, GPA, self->pages, LENGTH,   \
					 MAP_ALL));                            \
		expect_left(_metadata, &self->m, 0xff);			\
		EXPECT_EQ(0, machine_unmap(&self->m, GPA + (first)*PAGE,       \
					   (count)*PAGE));                     \
		expect_left(_metadata, &self->m, left);			\
	}

TEST_CUT(front, 0, 3, 0xf8)
TEST_CUT(beyond_front, -2, 4, 0xfc)
TEST_CUT(back, 6, 2, 0x3f)
TEST_CUT(beyond_back, 6, 9, 0x3f)
TEST_CUT(middle, 3, 2, 0xe7)
TEST_CUT(all, 0, PAGES, 0)

TEST_F(map, cut_many_regions)
{
	for (int i = 0; i < PAGES; i++)
		ASSERT_EQ(0, machine_map(&self->m, GPA + i * PAGE,
					 &self->pages[i * PAGE / 8], PAGE,
					 MAP_ALL));
	expect_left(_metadata, &self->m, 0xff);
	EXPECT_EQ(0, machine_unmap(&self->m, GPA + PAGE, 5 * PAGE));
	expect_left(_metadata, &self->m, 0xc1);
}

TEST_F(map, cut_and_filled_again)
{
	ASSERT_EQ(0, machine_map(&self->m, GPA, self->pages, LENGTH, MAP_ALL));
	expect_left(_metadata, &self->m, 0xff);
	ASSERT_EQ(0, machine_unmap(&self->m, GPA + 2 * PAGE, PAGE));
	ASSERT_EQ(0, machine_map(&self->m, GPA + 2 * PAGE,
				 &self->pages[7 * PAGE / 8], PAGE, MAP_ALL));
	EXPECT_EQ(107, guest_read(_metadata, &self->m, GPA + 2 * PAGE));
	EXPECT_EQ(103, guest_read(_metadata, &self->m, GPA + 3 * PAGE));
}

TEST_F(map, same_memory_twice)
{
	ASSERT_EQ(0, machine_map(&self->m, GPA, self->pages, PAGE, MAP_ALL));
	ASSERT_EQ(0,
		  machine_map(&self->m, 2 * GPA, self->pages, PAGE, MAP_ALL));
	EXPECT_EQ(100, guest_read(_metadata, &self->m, GPA));
	self->pages[0] = 5;
	EXPECT_EQ(5, guest_read(_metadata, &self->m, 2 * GPA));
}

GUEST(read_window, 64, READ_WINDOW);

/* Independent of the width of addresses and the levels of the table */
TEST_F(map, last_page)
{
	ASSERT_EQ(0, machine_map(&self->m, self->top - PAGE, self->pages, PAGE,
				 MAP_ALL));
	MACHINE_LOAD(&self->m, MODE_LONG, read_window);
	window_map(&self->m, self->top - PAGE);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(100, self->m.vcpu.vmcb->save.rax);
	EXPECT_EQ(0, machine_unmap(&self->m, self->top - PAGE, PAGE));
	self->m.vcpu.vmcb->save.rip = MACHINE_CODE;
	ASSERT_EXIT(VMEXIT_NPF, &self->m);
	EXPECT_EQ(self->top - PAGE, self->m.vcpu.vmcb->control.exitinfo2);
}

TEST_HARNESS_MAIN
