// SPDX-License-Identifier: GPL-2.0
/* Faults on guest memory that cannot be served, and what mends them. */
#include <stdio.h>

#include "pages.h"

#define GPA MIB_2

FIXTURE(fault)
{
	struct machine m;
	uint32_t *page; /* mapped at GPA, all rights */
};

FIXTURE_SETUP(fault)
{
	ASSERT_EQ(0, machine_create(&self->m));
	self->page = pages_new(PAGE);
	ASSERT_NE(MAP_FAILED, self->page);
	ASSERT_EQ(0, machine_map(&self->m, GPA, self->page, PAGE, MAP_ALL));
}

FIXTURE_TEARDOWN(fault)
{
	machine_destroy(&self->m);
}

/* RUN says so again and again, and the guest is where it was. */
static void expect_fault(struct __test_metadata *_metadata, struct machine *m,
			 int error, enum access what)
{
	EXPECT_NPF(error, m, what, GPA);
	EXPECT_EQ(MACHINE_CODE, m->vcpu.vmcb->save.rip);
	EXPECT_EQ(error, machine_run(m));
	EXPECT_EQ(VMEXIT_NPF, m->vcpu.vmcb->control.exitcode);
	EXPECT_EQ(GPA, m->vcpu.vmcb->control.exitinfo2);
	EXPECT_EQ(MACHINE_CODE, m->vcpu.vmcb->save.rip);
}

/* Now the access is done. */
static void expect_mended(struct __test_metadata *_metadata, struct machine *m)
{
	EXPECT_EQ(0, machine_run(m));
	EXPECT_EQ(VMEXIT_HLT, m->vcpu.vmcb->control.exitcode);
}

/* ---- the program's rights ------------------------------------------------ */

/* A guest that can write can read. */
TEST_F(fault, program_may_write_only)
{
	ASSERT_EQ(0, mprotect(self->page, PAGE, PROT_WRITE));
	expect_fault(_metadata, &self->m, -EFAULT, ACCESS_WRITE);
	expect_fault(_metadata, &self->m, -EFAULT, ACCESS_READ);
	ASSERT_EQ(0, mprotect(self->page, PAGE, PROT_READ | PROT_WRITE));
	expect_mended(_metadata, &self->m);
}

#define MIXED 64ul /* pages */

/*
 * Pages that are found ahead have rights of their own: of a private file every other
 * one is the program's by now, and may be written to; the rest is still the file's.
 */
TEST_F(fault, file_between_pages_of_its_own)
{
	int fd = memfd_create("fault", MFD_CLOEXEC);
	uint32_t *pages, kept;

	ASSERT_EQ(0, ftruncate(fd, MIXED * PAGE));
	pages = mmap(NULL, MIXED * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE,
		     fd, 0);
	ASSERT_NE(MAP_FAILED, pages);
	for (size_t i = 0; i < MIXED; i++) {
		kept = *(volatile uint32_t *)((uint8_t *)pages + i * PAGE);
		ASSERT_EQ(0, kept);
		if (i % 2 == 0)
			pages[i * PAGE / sizeof(*pages)] = 7;
	}
	ASSERT_EQ(0,
		  machine_map(&self->m, 2 * GPA, pages, MIXED * PAGE, MAP_ALL));
	ASSERT_EQ(0, machine_sweep(&self->m, 2 * GPA, MIXED * PAGE, true));
	for (size_t i = 0; i < MIXED; i++) {
		ASSERT_EQ(sizeof(kept),
			  pread(fd, &kept, sizeof(kept), i * PAGE));
		EXPECT_EQ(0, kept);
		EXPECT_EQ(i % 2 ? 1 : 8, pages[i * PAGE / sizeof(*pages)]);
	}
	munmap(pages, MIXED * PAGE);
	close(fd);
}

TEST_F(fault, program_may_read_only)
{
	ASSERT_EQ(0, mprotect(self->page, PAGE, PROT_READ));
	expect_fault(_metadata, &self->m, -EFAULT, ACCESS_WRITE);
	ASSERT_EQ(0, mprotect(self->page, PAGE, PROT_READ | PROT_WRITE));
	expect_mended(_metadata, &self->m);
}

/* Also where there is a page already: the guest reads it. */
TEST_F(fault, program_may_read_only_what_is_there)
{
	self->page[0] = 5;
	ASSERT_EQ(0, mprotect(self->page, PAGE, PROT_READ));
	EXPECT_READ(5, &self->m, GPA);
	expect_fault(_metadata, &self->m, -EFAULT, ACCESS_WRITE);
	EXPECT_EQ(5, self->page[0]);
}

/* ---- no memory that could be the guest's --------------------------------- */

/* [vvar], if it is mapped by its frames alone (VM_PFNMAP, "pf" in smaps) */
static void *kernels_page(void)
{
	FILE *maps = fopen("/proc/self/smaps", "r");
	unsigned long begins, ends, start = 0, page = 0;
	char line[256];

	while (maps && !page && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx", &begins, &ends) == 2)
			start = strstr(line, "[vvar]") ? begins : 0;
		else if (!strncmp(line, "VmFlags:", 8) && strstr(line, " pf"))
			page = start;
	if (maps)
		fclose(maps);
	return (void *)page;
}

/* The program can read it, but it is not Linux's to give (VM_PFNMAP). */
TEST_F(fault, memory_of_the_kernels_own)
{
	void *page = kernels_page();

	if (!page)
		SKIP(return, "[vvar] is no frame, or not there");
	ASSERT_EQ(0, machine_unmap(&self->m, GPA, PAGE));
	ASSERT_EQ(0, machine_map(&self->m, GPA, page, PAGE, MAP_ALL));
	expect_fault(_metadata, &self->m, -EFAULT, ACCESS_READ);
	expect_fault(_metadata, &self->m, -EFAULT, ACCESS_WRITE);
	/* Touched by the program, and so in its page tables. */
	(void)*(volatile uint32_t *)page;
	expect_fault(_metadata, &self->m, -EFAULT, ACCESS_READ);
}

/* The program would get SIGBUS. */
TEST_F(fault, behind_the_end_of_the_file)
{
	int file = memfd_create("fault", MFD_CLOEXEC);

	ASSERT_LE(0, file);
	ASSERT_EQ(self->page, mmap(self->page, PAGE, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_FIXED, file, 0));
	expect_fault(_metadata, &self->m, -EFAULT, ACCESS_READ);
	expect_fault(_metadata, &self->m, -EFAULT, ACCESS_WRITE);
	ASSERT_EQ(0, ftruncate(file, PAGE));
	expect_mended(_metadata, &self->m);
}

/* ---- broken memory ------------------------------------------------------- */

static void on_broken(int signal)
{
	(void)signal;
}

/*
 * As if the hardware had found a page broken. From Linux 6.11 on that is an error
 * of the caller's own, who gets SIGBUS before the call returns.
 */
static int break_page(void *page)
{
	const struct sigaction ours = { .sa_handler = on_broken };
	struct sigaction old;
	int err;

	sigaction(SIGBUS, &ours, &old);
	err = madvise(page, PAGE, MADV_HWPOISON) ? errno : 0;
	sigaction(SIGBUS, &old, NULL);
	return err;
}

TEST_F(fault, broken)
{
	int err;

	self->page[0] = 5;
	EXPECT_READ(5, &self->m, GPA);
	err = break_page(self->page);
	if (err)
		SKIP(return, "no MADV_HWPOISON: %s", strerror(err));
	expect_fault(_metadata, &self->m, -EHWPOISON, ACCESS_READ);
	expect_fault(_metadata, &self->m, -EHWPOISON, ACCESS_WRITE);
	ASSERT_EQ(self->page, pages_renew(self->page, PAGE));
	expect_mended(_metadata, &self->m);
	EXPECT_READ(0, &self->m, GPA);
}

TEST_HARNESS_MAIN
