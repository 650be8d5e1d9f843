// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory whose faults a userfaultfd handles: missing pages and write
 * protection
 */
#include <poll.h>
#include <sys/wait.h>

#include "hammer.h"
#include "userfaultfd.h"

#define GPA MIB_2

FIXTURE(userfault)
{
	struct machine m;
	volatile uint32_t *page; /* mapped at GPA, all permissions; missing */
	int fd;
};

FIXTURE_SETUP(userfault)
{
	self->fd = userfault_open(0);
	if (self->fd < 0)
		SKIP_SETUP("userfaultfd is not available: %s",
			   strerror(-self->fd));
	ASSERT_EQ(0, machine_create(&self->m));
	self->page = pages_new(PAGE);
	ASSERT_NE(MAP_FAILED, self->page);
	ASSERT_EQ(0, userfault_register(self->fd, self->page, PAGE));
	ASSERT_EQ(0, machine_map(&self->m, GPA, (void *)self->page, PAGE,
				 MAP_ALL));
}

FIXTURE_TEARDOWN(userfault)
{
	close(self->fd);
	machine_destroy(&self->m);
}

/*
 * Return the message about the next fault, which blocks the thread that touches the
 * page.
 */
static struct uffd_msg wait_for_fault(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	struct uffd_msg msg = {};

	if (poll(&poll_fd, 1, 10 * 1000) == 1 &&
	    read(fd, &msg, sizeof(msg)) != sizeof(msg))
		msg.event = 0;
	return msg;
}

/* Provide the page, filled with @value. */
static int serve(int fd, volatile void *page, uint32_t value)
{
	static uint32_t content[PAGE / sizeof(uint32_t)]
		__attribute__((aligned(PAGE)));
	struct uffdio_copy copy = {
		.dst = (uintptr_t)page,
		.src = (uintptr_t)content,
		.len = PAGE,
	};

	for (size_t i = 0; i < ARRAY_SIZE(content); i++)
		content[i] = value;
	return call(fd, UFFDIO_COPY, &copy);
}

/* Run the guest in a thread, where it touches the page and waits. */
static void touch_and_wait(struct __test_metadata *_metadata,
			   FIXTURE_DATA(userfault) * self,
			   struct runner *runner)
{
	struct uffd_msg msg;

	ASSERT_EQ(0, runner_start(runner, &self->m.vcpu));
	msg = wait_for_fault(self->fd);
	ASSERT_EQ(UFFD_EVENT_PAGEFAULT, msg.event);
	EXPECT_EQ((uintptr_t)self->page, msg.arg.pagefault.address);
}

static void load_read(struct machine *m)
{
	MACHINE_LOAD(m, MODE_PROTECTED, access_read);
	m->vcpu.regs->rbx = GPA;
}

/* The guest that waited continues with the content that is provided. */
static void expect_served(struct __test_metadata *_metadata,
			  FIXTURE_DATA(userfault) * self, struct runner *runner)
{
	ASSERT_EQ(0, serve(self->fd, self->page, 77));
	EXPECT_EQ(0, runner_join(runner));
	EXPECT_EQ(VMEXIT_HLT, self->m.vcpu.vmcb->control.exitcode);
	EXPECT_EQ(77, (uint32_t)self->m.vcpu.vmcb->save.rax);
}

TEST_F(userfault, missing)
{
	struct runner runner;

	load_read(&self->m);
	touch_and_wait(_metadata, self, &runner);
	usleep(20 * 1000);
	EXPECT_FALSE(runner.ended);
	expect_served(_metadata, self, &runner);
	/* The page remains. */
	EXPECT_WRITE(&self->m, GPA, 5);
	EXPECT_EQ(5, *self->page);
}

/* After the page is discarded, it is missing again. */
TEST_F(userfault, missing_again)
{
	struct runner runner;

	for (int i = 0; i < 3; i++) {
		load_read(&self->m);
		touch_and_wait(_metadata, self, &runner);
		expect_served(_metadata, self, &runner);
		ASSERT_EQ(0, madvise((void *)self->page, PAGE, MADV_DONTNEED));
	}
}

/* Whatever ends the wait also ends the run, which can be repeated. */
static void expect_interrupted(struct __test_metadata *_metadata,
			       FIXTURE_DATA(userfault) * self,
			       struct runner *runner)
{
	EXPECT_EQ(-EINTR, runner_join(runner));
	EXPECT_EQ(VMEXIT_INTR, self->m.vcpu.vmcb->control.exitcode);
	EXPECT_EQ(MACHINE_CODE, self->m.vcpu.vmcb->save.rip);
	touch_and_wait(_metadata, self, runner);
	expect_served(_metadata, self, runner);
}

TEST_F(userfault, kicked_while_it_waits)
{
	struct runner runner;

	load_read(&self->m);
	touch_and_wait(_metadata, self, &runner);
	EXPECT_EQ(0, runner_kick(&runner));
	expect_interrupted(_metadata, self, &runner);
}

/* A kick ends exactly one run, whenever it arrives. */
TEST_F(userfault, kicked_on_its_way)
{
	struct runner runner;

	load_read(&self->m);
	for (int i = 0; i < 200; i++) {
		ASSERT_EQ(0, runner_start(&runner, &self->m.vcpu));
		for (int j = 0; j < i; j++)
			sched_yield();
		ASSERT_EQ(0, runner_kick(&runner));
		ASSERT_EQ(-EINTR, runner_join(&runner));
	}
	ASSERT_EQ(0, runner_start(&runner, &self->m.vcpu));
	usleep(20 * 1000);
	EXPECT_FALSE(runner.ended);
	expect_served(_metadata, self, &runner);
}

static void nothing(int number)
{
}

TEST_F(userfault, signal_while_it_waits)
{
	struct sigaction action = { .sa_handler = nothing };
	struct runner runner;

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	load_read(&self->m);
	touch_and_wait(_metadata, self, &runner);
	EXPECT_EQ(0, pthread_kill(runner.thread, SIGUSR1));
	expect_interrupted(_metadata, self, &runner);
}

TEST_F(userfault, killed_while_it_waits)
{
	struct machine m;
	int status, fd;
	pid_t child = fork();

	if (!child) {
		fd = userfault_open(0);
		if (userfault_register(fd, self->page, PAGE) ||
		    machine_create(&m) ||
		    machine_map(&m, GPA, (void *)self->page, PAGE, MAP_ALL))
			_exit(1);
		load_read(&m);
		machine_run(&m);
		_exit(2);
	}
	usleep(300 * 1000);
	ASSERT_EQ(0, waitpid(child, &status, WNOHANG));
	ASSERT_EQ(0, kill(child, SIGKILL));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
}

/* After the userfaultfd is closed, the memory is ordinary memory. */
TEST_F(userfault, closed_while_it_waits)
{
	struct runner runner;

	load_read(&self->m);
	touch_and_wait(_metadata, self, &runner);
	close(self->fd);
	EXPECT_EQ(0, runner_join(&runner));
	EXPECT_EQ(VMEXIT_HLT, self->m.vcpu.vmcb->control.exitcode);
	EXPECT_EQ(0, self->m.vcpu.vmcb->save.rax);
}

/*
 * Linux sees the faults of RUN as kernel faults, so a userfaultfd with
 * UFFD_USER_MODE_ONLY does not handle them, and RUN fails.
 */
TEST_F(userfault, user_mode_only)
{
	int fd = userfault_open(UFFD_USER_MODE_ONLY);
	volatile uint32_t *page = pages_new(PAGE);

	if (fd < 0)
		SKIP(return, "no UFFD_USER_MODE_ONLY: %s", strerror(-fd));
	ASSERT_EQ(0, userfault_register(fd, page, PAGE));
	ASSERT_EQ(0,
		  machine_map(&self->m, 2 * GPA, (void *)page, PAGE, MAP_ALL));
	EXPECT_NPF(-EFAULT, &self->m, ACCESS_READ, 2 * GPA);
	ASSERT_EQ(0, serve(fd, page, 77));
	EXPECT_READ(77, &self->m, 2 * GPA);
}

/* ---- write protection ---------------------------------------------------- */

/* The guest continues to read; its writes wait until the protection is removed. */
TEST_F(userfault, write_protected_under_running_guest)
{
	struct uffd_msg msg;
	struct hammer hammer;

	ASSERT_EQ(0, serve(self->fd, self->page, 0));
	ASSERT_EQ(0, hammer_start(&hammer, &self->m, GPA));
	for (int i = 0; i < 20; i++) {
		expect_shared(_metadata, &hammer, self->page);
		ASSERT_EQ(0, write_protect(self->fd, self->page, true));
		expect_left_alone(_metadata, self->page);
		msg = wait_for_fault(self->fd);
		ASSERT_EQ(UFFD_EVENT_PAGEFAULT, msg.event);
		EXPECT_NE(0, msg.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP);
		ASSERT_EQ(0, write_protect(self->fd, self->page, false));
	}
	expect_shared(_metadata, &hammer, self->page);
	EXPECT_EQ(-EINTR, hammer_stop(&hammer));
	expect_none_lost(_metadata, &hammer, *self->page);
}

TEST_F(userfault, write_protected_page_is_read)
{
	struct runner runner;

	ASSERT_EQ(0, serve(self->fd, self->page, 5));
	ASSERT_EQ(0, write_protect(self->fd, self->page, true));
	EXPECT_READ(5, &self->m, GPA);
	MACHINE_LOAD(&self->m, MODE_PROTECTED, access_write);
	self->m.vcpu.regs->rbx = GPA;
	self->m.vcpu.vmcb->save.rax = 6;
	touch_and_wait(_metadata, self, &runner);
	EXPECT_EQ(5, *self->page);
	ASSERT_EQ(0, write_protect(self->fd, self->page, false));
	EXPECT_EQ(0, runner_join(&runner));
	EXPECT_EQ(6, *self->page);
}

TEST_HARNESS_MAIN
