// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory is the program's memory: it is faulted in on demand, and follows
 * changes of the program's mappings, such as munmap(), mprotect() and fork().
 */
#include <sys/socket.h>

#include "runner.h"

#define GPA 0x100000ul /* of the page under test */
#define NEW	(MAP_PRIVATE | MAP_ANONYMOUS)

/* Access the address in EBX: read, write 77, jump to it. */
GUEST(load, 32, "mov (%ebx), %eax\n hlt");
GUEST(store, 32, "movl $77, (%ebx)\n hlt");
GUEST(jump, 32, "jmp *%ebx");
GUEST(keep_storing, 32, "1: lock incl 0xa000\n movl $77, (%ebx)\n jmp 1b");

#define HLT_BYTE 0xf4

FIXTURE(memory)
{
	struct machine m;
	volatile uint32_t *page; /* mapped at GPA, all permissions */
};

static void *new_page(void *where, int protection, int flags)
{
	return mmap(where, PAGE, protection, flags, -1, 0);
}

FIXTURE_SETUP(memory)
{
	ASSERT_EQ(0, machine_create(&self->m));
	self->page = new_page(NULL, PROT_READ | PROT_WRITE, NEW);
	ASSERT_NE(MAP_FAILED, self->page);
	ASSERT_EQ(0, machine_map(&self->m, GPA, (void *)self->page, PAGE,
				 MAP_ALL));
}

FIXTURE_TEARDOWN(memory)
{
	machine_destroy(&self->m);
}

/*
 * Run one of the guests above on the page at GPA; the value is the result of RUN.
 */
#define ON_PAGE(m, guest)					\
	(MACHINE_LOAD(m, MODE_PROTECTED, guest), (m)->vcpu.regs->rbx = GPA,    \
	 machine_run(m))

#define EXPECT_LOADED(value, m)						\
	do {								\
		EXPECT_EQ(0, ON_PAGE(m, load));				\
		EXPECT_EQ(VMEXIT_HLT, (m)->vcpu.vmcb->control.exitcode);       \
		EXPECT_EQ((value), (m)->vcpu.vmcb->save.rax);		\
	} while (0)

#define EXPECT_STORED(m)						\
	do {								\
		EXPECT_EQ(0, ON_PAGE(m, store));			\
		EXPECT_EQ(VMEXIT_HLT, (m)->vcpu.vmcb->control.exitcode);       \
	} while (0)

/* RUN has returned EFAULT: the exit names the page, and RUN can be repeated. */
static void expect_fault(struct __test_metadata *_metadata, struct machine *m)
{
	EXPECT_EQ(VMEXIT_NPF, m->vcpu.vmcb->control.exitcode);
	EXPECT_EQ(GPA, m->vcpu.vmcb->control.exitinfo2);
	EXPECT_EQ(MACHINE_CODE, m->vcpu.vmcb->save.rip);
	EXPECT_EQ(-EFAULT, machine_run(m));
}

/* ---- faults -------------------------------------------------------------- */

TEST_F(memory, faulted_in_on_demand)
{
	unsigned char resident;

	ASSERT_EQ(0, mincore((void *)self->page, PAGE, &resident));
	EXPECT_EQ(0, resident & 1);
	EXPECT_STORED(&self->m);
	EXPECT_EQ(77, *self->page);
}

TEST_F(memory, both_see_what_the_other_writes)
{
	*self->page = 5;
	EXPECT_LOADED(5, &self->m);
	EXPECT_STORED(&self->m);
	EXPECT_EQ(77, *self->page);
	*self->page = 6;
	EXPECT_LOADED(6, &self->m);
}

TEST_F(memory, none_at_hva)
{
	ASSERT_EQ(0, munmap((void *)self->page, PAGE));
	EXPECT_EQ(-EFAULT, ON_PAGE(&self->m, store));
	expect_fault(_metadata, &self->m);
	ASSERT_EQ(self->page,
		  new_page((void *)self->page, PROT_READ | PROT_WRITE,
			   NEW | MAP_FIXED));
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(77, *self->page);
}

TEST_F(memory, unmapped_under_running_guest)
{
	struct runner runner;

	MACHINE_LOAD(&self->m, MODE_PROTECTED, keep_storing);
	self->m.vcpu.regs->rbx = GPA;
	ASSERT_EQ(0, runner_start(&runner, &self->m.vcpu));
	machine_wait_counting(&self->m);
	ASSERT_EQ(0, munmap((void *)self->page, PAGE));
	EXPECT_EQ(-EFAULT, runner_join(&runner));
	EXPECT_EQ(VMEXIT_NPF, self->m.vcpu.vmcb->control.exitcode);
	EXPECT_EQ(GPA, self->m.vcpu.vmcb->control.exitinfo2);

	ASSERT_EQ(self->page,
		  new_page((void *)self->page, PROT_READ | PROT_WRITE,
			   NEW | MAP_FIXED));
	ASSERT_EQ(0, runner_start(&runner, &self->m.vcpu));
	machine_wait_counting(&self->m);
	EXPECT_EQ(0, runner_kick(&runner));
	EXPECT_EQ(-EINTR, runner_join(&runner));
	EXPECT_EQ(77, *self->page);
}

TEST_F(memory, unmap_call_under_running_guest)
{
	struct runner runner;

	MACHINE_LOAD(&self->m, MODE_PROTECTED, keep_storing);
	self->m.vcpu.regs->rbx = GPA;
	ASSERT_EQ(0, runner_start(&runner, &self->m.vcpu));
	machine_wait_counting(&self->m);
	ASSERT_EQ(0, machine_unmap(&self->m, GPA, PAGE));
	*self->page = 5;
	EXPECT_EQ(0, runner_join(&runner));
	EXPECT_EQ(VMEXIT_NPF, self->m.vcpu.vmcb->control.exitcode);
	EXPECT_EQ(5, *self->page);
}

TEST_F(memory, read_only_for_the_program)
{
	EXPECT_STORED(&self->m);
	ASSERT_EQ(0, mprotect((void *)self->page, PAGE, PROT_READ));
	EXPECT_LOADED(77, &self->m);
	EXPECT_EQ(-EFAULT, ON_PAGE(&self->m, store));
	expect_fault(_metadata, &self->m);
	ASSERT_EQ(0,
		  mprotect((void *)self->page, PAGE, PROT_READ | PROT_WRITE));
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
}

TEST_F(memory, not_accessible_for_the_program)
{
	EXPECT_STORED(&self->m);
	ASSERT_EQ(0, mprotect((void *)self->page, PAGE, PROT_NONE));
	EXPECT_EQ(-EFAULT, ON_PAGE(&self->m, load));
	expect_fault(_metadata, &self->m);
}

/* ---- permissions of the mapping ------------------------------------------ */

static void map_again(struct __test_metadata *_metadata, struct machine *m,
		      volatile uint32_t *page, uint32_t rights)
{
	ASSERT_EQ(0, machine_unmap(m, GPA, PAGE));
	ASSERT_EQ(0, machine_map(m, GPA, (void *)page, PAGE, rights));
}

TEST_F(memory, mapping_without_write)
{
	*self->page = 5;
	map_again(_metadata, &self->m, self->page, SVMRUN_MAP_READ);
	EXPECT_LOADED(5, &self->m);
	EXPECT_EQ(0, ON_PAGE(&self->m, store));
	EXPECT_EQ(VMEXIT_NPF, self->m.vcpu.vmcb->control.exitcode);
	EXPECT_EQ(SVM_NPF_PRESENT | SVM_NPF_WRITE,
		  self->m.vcpu.vmcb->control.exitinfo1 &
			  (SVM_NPF_PRESENT | SVM_NPF_WRITE | SVM_NPF_FETCH));
	EXPECT_EQ(GPA, self->m.vcpu.vmcb->control.exitinfo2);
	EXPECT_EQ(5, *self->page);
}

TEST_F(memory, mapping_without_exec)
{
	*self->page = HLT_BYTE;
	EXPECT_EQ(0, ON_PAGE(&self->m, jump));
	EXPECT_EQ(VMEXIT_HLT, self->m.vcpu.vmcb->control.exitcode);

	map_again(_metadata, &self->m, self->page,
		  SVMRUN_MAP_READ | SVMRUN_MAP_WRITE);
	EXPECT_LOADED(HLT_BYTE, &self->m);
	EXPECT_EQ(0, ON_PAGE(&self->m, jump));
	EXPECT_EQ(VMEXIT_NPF, self->m.vcpu.vmcb->control.exitcode);
	EXPECT_NE(0, self->m.vcpu.vmcb->control.exitinfo1 & SVM_NPF_FETCH);
	EXPECT_EQ(GPA, self->m.vcpu.vmcb->control.exitinfo2);
}

/* ---- changes of the program's memory ------------------------------------- */

TEST_F(memory, reclaimed_by_the_system)
{
	EXPECT_STORED(&self->m);
	EXPECT_LOADED(77, &self->m);
	ASSERT_EQ(0, madvise((void *)self->page, PAGE, MADV_DONTNEED));
	EXPECT_LOADED(0, &self->m);
}

TEST_F(memory, moved_away)
{
	void *other = new_page(NULL, PROT_NONE, NEW);

	EXPECT_STORED(&self->m);
	ASSERT_EQ(other, mremap((void *)self->page, PAGE, PAGE,
				MREMAP_MAYMOVE | MREMAP_FIXED, other));
	EXPECT_EQ(-EFAULT, ON_PAGE(&self->m, load));
	expect_fault(_metadata, &self->m);
}

TEST_F(memory, copied_on_write_after_fork)
{
	int status, pair[2];
	char byte = 0;
	pid_t child;

	EXPECT_STORED(&self->m);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	child = fork();
	if (!child) {
		bool good = *self->page == 77;

		*self->page = 5;
		good = write(pair[0], &byte, 1) == 1 && good;
		good = read(pair[0], &byte, 1) == 1 && good;
		_exit(good && *self->page == 5 ? 0 : 1);
	}
	ASSERT_EQ(1, read(pair[1], &byte, 1));
	EXPECT_LOADED(77, &self->m);
	*self->page = 6;
	EXPECT_LOADED(6, &self->m);
	EXPECT_STORED(&self->m);
	ASSERT_EQ(1, write(pair[1], &byte, 1));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(77, *self->page);
}

/* The guest is the first to write after the fork. */
TEST_F(memory, guest_does_not_write_to_a_fork)
{
	int status, pair[2];
	char byte = 0;
	pid_t child;

	*self->page = 5;
	EXPECT_LOADED(5, &self->m);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	child = fork();
	if (!child)
		_exit(read(pair[0], &byte, 1) == 1 && *self->page == 5 ? 0 : 1);
	EXPECT_STORED(&self->m);
	ASSERT_EQ(1, write(pair[1], &byte, 1));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(77, *self->page);
}

TEST_F(memory, shared_with_another_process)
{
	int status;
	pid_t child;

	ASSERT_EQ(self->page,
		  new_page((void *)self->page, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED));
	EXPECT_STORED(&self->m);
	child = fork();
	if (!child) {
		*self->page += 1;
		_exit(0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_LOADED(78, &self->m);
}

TEST_F(memory, zero_page_is_not_written)
{
	volatile uint32_t *other = new_page(NULL, PROT_READ, NEW);

	EXPECT_EQ(0, *self->page); /* reading maps the kernel's zero page */
	EXPECT_LOADED(0, &self->m);
	EXPECT_STORED(&self->m);
	EXPECT_EQ(77, *self->page);
	EXPECT_EQ(0, *other);
}

TEST_HARNESS_MAIN
