// SPDX-License-Identifier: GPL-2.0
/*
 * Host state that an interrupt handler changes while a guest runs keeps the new
 * value, after the guest is entered again and after the run (APM 15.5.2: VMLOAD
 * restores what VMSAVE has stored).
 */
#include <asm/ldt.h>
#include <sys/syscall.h>

#include "module.h"
#include "runner.h"
#include "tracing.h"

#define CHANGE_MODULE "hostchange.ko"
#define CHANGE "/proc/svmrun_hostchange"
#define LDT_SELECTOR 7u /* its first entry, CPL 3 */

GUEST(count, 64, COUNT_LOOP);

/* The thread that runs the guest, and the limit of its segment after the run */
struct user {
	struct svmrun_vcpu *vcpu;
	volatile bool running;
	int result;
	uint32_t limit;
};

FIXTURE(host_change)
{
	struct machine m;
	struct user user;
	pthread_t thread;
};

FIXTURE_SETUP(host_change)
{
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP_SETUP("only one CPU");
	ASSERT_EQ(0, machine_create(&self->m));
	ASSERT_EQ(0, MACHINE_LOAD(&self->m, MODE_LONG, count));
	self->user = (struct user){ .vcpu = &self->m.vcpu };
	ASSERT_EQ(0, cpu_pin(0));
}

FIXTURE_TEARDOWN(host_change)
{
	machine_destroy(&self->m);
}

/* Return the limit of the segment, or 0 if it does not exist. */
static uint32_t segment_limit(void)
{
	uint32_t limit = 0;

	asm volatile("lsl %1, %0" : "+r"(limit) : "r"(LDT_SELECTOR) : "cc");
	return limit;
}

static int set_limit(uint32_t limit)
{
	struct user_desc desc = { .limit = limit, .seg_32bit = 1 };

	return syscall(SYS_modify_ldt, 1, &desc, sizeof(desc)) ? -errno : 0;
}

static void *run(void *argument)
{
	struct user *user = argument;

	cpu_pin(1);
	user->running = true;
	user->result = call(user->vcpu->fd, SVMRUN_RUN, NULL);
	user->limit = segment_limit();
	return NULL;
}

static void start(FIXTURE_DATA(host_change) * self)
{
	pthread_create(&self->thread, NULL, run, &self->user);
	machine_wait_counting(&self->m);
}

static int stop(FIXTURE_DATA(host_change) * self)
{
	call(self->m.vcpu.fd, SVMRUN_KICK, NULL);
	pthread_join(self->thread, NULL);
	return self->user.result;
}

/*
 * modify_ldt() of another thread reloads LDTR by an IPI, and frees the old table.
 */
TEST_F(host_change, ldt)
{
	if (set_limit(0x111))
		SKIP(return, "this kernel does not support modify_ldt()");
	for (uint32_t limit = 0x200; limit < 0x220; limit++) {
		start(self);
		ASSERT_EQ(0, set_limit(limit));
		machine_wait_counting(&self->m);
		EXPECT_EQ(-EINTR, stop(self));
		EXPECT_EQ(limit, self->user.limit);
		EXPECT_EQ(limit, segment_limit());
	}
}

/* Read the names of registers that have lost their new values; none should have. */
static int lost(char *names, size_t size)
{
	int fd = open(CHANGE, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (fd < 0)
		return -errno;
	length = read(fd, names, size - 1);
	names[length > 0 ? length : 0] = 0;
	close(fd);
	return length;
}

TEST_F(host_change, registers)
{
	char names[256];
	int err = any_module_insert(CHANGE_MODULE, "");

	if (err)
		SKIP(return, "%s cannot be loaded (%d)", CHANGE_MODULE, err);
	start(self);
	EXPECT_EQ(0, file_write(CHANGE, "1"));
	for (int i = 0; i < 10; i++) {
		machine_wait_counting(&self->m);
		EXPECT_EQ(0, lost(names, sizeof(names)));
		EXPECT_STREQ("", names);
	}
	EXPECT_EQ(-EINTR, stop(self));
	EXPECT_EQ(0, lost(names, sizeof(names)));
	EXPECT_STREQ("", names);
	EXPECT_EQ(0, file_write(CHANGE, "-1"));
	EXPECT_EQ(0, any_module_remove("hostchange"));
}

TEST_HARNESS_MAIN
