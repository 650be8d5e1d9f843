// SPDX-License-Identifier: GPL-2.0
/*
 * Faults on guest memory that cannot be resolved: RUN returns an error, and can be
 * repeated after the program has corrected the cause.
 */
#include <stdio.h>

#include "pages.h"

#define GPA MIB_2

FIXTURE(fault)
{
	struct machine m;
	uint32_t *page; /* mapped at GPA, all permissions */
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

/* RUN returns the same error each time, and does not change the guest's RIP. */
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

/* RUN completes the access that has failed before. */
static void expect_resolved(struct __test_metadata *_metadata,
			    struct machine *m)
{
	EXPECT_EQ(0, machine_run(m));
	EXPECT_EQ(VMEXIT_HLT, m->vcpu.vmcb->control.exitcode);
}

/* ---- the program's permissions ------------------------------------------- */

/* A guest that can write can also read, so write-only memory is not accessible. */
TEST_F(fault, program_may_write_only)
{
	ASSERT_EQ(0, mprotect(self->page, PAGE, PROT_WRITE));
	expect_fault(_metadata, &self->m, -EFAULT, ACCESS_WRITE);
	expect_fault(_metadata, &self->m, -EFAULT, ACCESS_READ);
	ASSERT_EQ(0, mprotect(self->page, PAGE, PROT_READ | PROT_WRITE));
	expect_resolved(_metadata, &self->m);
}

#define MIXED 64ul /* pages */

/*
 * Pages that are mapped in advance have different permissions: in a private mapping
 * of a file, every other page has been copied for the program and may be written;
 * the others belong to the file.
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
	expect_resolved(_metadata, &self->m);
}

/* The same for a page that is present, which the guest may read. */
TEST_F(fault, program_may_read_only_what_is_there)
{
	self->page[0] = 5;
	ASSERT_EQ(0, mprotect(self->page, PAGE, PROT_READ));
	EXPECT_READ(5, &self->m, GPA);
	expect_fault(_metadata, &self->m, -EFAULT, ACCESS_WRITE);
	EXPECT_EQ(5, self->page[0]);
}

/* ---- memory that cannot be mapped into a guest --------------------------- */

/*
 * Return [vvar], if its frames are mapped without struct page (VM_PFNMAP; "pf" in
 * smaps).
 */
static void *vvar_page(void)
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

/* The program can read this page, but a VM_PFNMAP mapping cannot be a guest's. */
TEST_F(fault, memory_of_the_kernels_own)
{
	void *page = vvar_page();

	if (!page)
		SKIP(return, "[vvar] is not mapped with VM_PFNMAP");
	ASSERT_EQ(0, machine_unmap(&self->m, GPA, PAGE));
	ASSERT_EQ(0, machine_map(&self->m, GPA, page, PAGE, MAP_ALL));
	expect_fault(_metadata, &self->m, -EFAULT, ACCESS_READ);
	expect_fault(_metadata, &self->m, -EFAULT, ACCESS_WRITE);
	/* Also after the program has touched it, so that it is in its page table */
	(void)*(volatile uint32_t *)page;
	expect_fault(_metadata, &self->m, -EFAULT, ACCESS_READ);
}

/* The program itself would receive SIGBUS. */
TEST_F(fault, behind_the_end_of_the_file)
{
	int file = memfd_create("fault", MFD_CLOEXEC);

	ASSERT_LE(0, file);
	ASSERT_EQ(self->page, mmap(self->page, PAGE, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_FIXED, file, 0));
	expect_fault(_metadata, &self->m, -EFAULT, ACCESS_READ);
	expect_fault(_metadata, &self->m, -EFAULT, ACCESS_WRITE);
	ASSERT_EQ(0, ftruncate(file, PAGE));
	expect_resolved(_metadata, &self->m);
}

/* ---- memory with hardware errors ----------------------------------------- */

static void on_sigbus(int signal)
{
	(void)signal;
}

/*
 * Poison a page, as if the hardware had reported an error. Since Linux 6.11, the
 * caller receives SIGBUS before the call returns.
 */
static int poison_page(void *page)
{
	const struct sigaction ours = { .sa_handler = on_sigbus };
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
	err = poison_page(self->page);
	if (err)
		SKIP(return, "MADV_HWPOISON failed: %s", strerror(err));
	expect_fault(_metadata, &self->m, -EHWPOISON, ACCESS_READ);
	expect_fault(_metadata, &self->m, -EHWPOISON, ACCESS_WRITE);
	ASSERT_EQ(self->page, pages_renew(self->page, PAGE));
	expect_resolved(_metadata, &self->m);
	EXPECT_READ(0, &self->m, GPA);
}

TEST_HARNESS_MAIN
