// SPDX-License-Identifier: GPL-2.0
/*
 * Out of memory: every call that allocates returns ENOMEM, and succeeds later. A
 * memory cgroup is made too small for its only process, which the OOM killer must
 * not choose. The process has locked its memory and opened its files before, so
 * that only the calls under test need memory.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "cgroup.h"
#include "pages.h"

/* More than a CPU caches of a cgroup's charges */
#define SPARE (1ul << 20)

#define APART (2ul << 20)
#define FIRST (4ul << 20)
#define PLACES 512

/* Read one byte at each place, each of which needs its own table. */
GUEST(touch, 64,
      "mov $0x400000, %rsi\n mov $512, %ecx\n"
      "1: mov (%rsi), %al\n add $0x200000, %rsi\n loop 1b\n hlt");

/* Create and enter the group; protect the process from the OOM killer. */
static int group_begin(void)
{
	int err = group_create();

	if (!err)
		err = group_enter();
	return err ? err : file_write("/proc/self/oom_score_adj", "-1000");
}

/* Return what is charged to the group. */
static unsigned long group_current(int group)
{
	char text[32] = "";
	int fd = openat(group, "memory.current", O_RDONLY | O_CLOEXEC);
	ssize_t length = read(fd, text, sizeof(text) - 1);

	close(fd);
	return length > 0 ? strtoul(text, NULL, 10) : 0;
}

FIXTURE(nomem)
{
	struct machine m;
	int group;
	int limit;
};

FIXTURE_SETUP(nomem)
{
	int err = group_begin();

	if (err)
		SKIP_SETUP("cannot create a memory cgroup: %s", strerror(-err));
	ASSERT_EQ(0, machine_create(&self->m));
	self->group = open(GROUP, O_PATH | O_CLOEXEC);
	self->limit = openat(self->group, "memory.max", O_WRONLY | O_CLOEXEC);
	ASSERT_GE(self->limit, 0);
}

static int unlimit(int limit)
{
	return pwrite(limit, "max", 3, 0) < 0 ? -errno : 0;
}

FIXTURE_TEARDOWN(nomem)
{
	unlimit(self->limit);
	machine_destroy(&self->m);
}

/* From now on hardly more memory can be charged. */
static int set_limit(FIXTURE_DATA(nomem) * self)
{
	char text[32];
	int length;

	length = snprintf(text, sizeof(text), "%lu",
			  group_current(self->group) + SPARE);
	return pwrite(self->limit, text, length, 0) < 0 ? -errno : 0;
}

static int limit(FIXTURE_DATA(nomem) * self)
{
	if (mlockall(MCL_CURRENT))
		return -errno;
	return set_limit(self);
}

TEST_F(nomem, create_vm)
{
	int fd = 0;

	ASSERT_EQ(0, limit(self));
	for (int i = 0; fd >= 0 && i < 1000; i++)
		fd = vm_create(self->m.device);
	ASSERT_EQ(-ENOMEM, fd);
	ASSERT_EQ(0, unlimit(self->limit));
	EXPECT_GE(vm_create(self->m.device), 0);
}

TEST_F(nomem, create_vcpu)
{
	int fd = 0;

	ASSERT_EQ(0, limit(self));
	for (int i = 0; fd >= 0 && i < 1000; i++)
		fd = vcpu_create(self->m.vm.fd);
	ASSERT_EQ(-ENOMEM, fd);
	ASSERT_EQ(0, unlimit(self->limit));
	EXPECT_GE(vcpu_create(self->m.vm.fd), 0);
}

static sigjmp_buf touched;

static void on_bus_error(int signal)
{
	siglongjmp(touched, 1);
}

/* Return whether the byte could be read. */
static bool touch_byte(volatile uint8_t *byte)
{
	if (sigsetjmp(touched, 1))
		return false;
	(void)*byte;
	return true;
}

#define VCPUS 256

/* The map is allocated when it is first touched. */
TEST_F(nomem, permission_map)
{
	struct sigaction action = { .sa_handler = on_bus_error };
	struct svmrun_vcpu vcpus[VCPUS];
	int i;

	ASSERT_EQ(0, sigaction(SIGBUS, &action, NULL));
	/* mlockall() touches all memory that exists so far. */
	ASSERT_EQ(0, limit(self));
	ASSERT_EQ(0, unlimit(self->limit));
	for (i = 0; i < VCPUS; i++)
		ASSERT_EQ(0, svmrun_vcpu_create(&vcpus[i], &self->m.vm));
	ASSERT_EQ(0, set_limit(self));
	for (i = 0; i < VCPUS && touch_byte(vcpus[i].msrpm); i++)
		;
	ASSERT_GT(VCPUS, i);
	ASSERT_EQ(0, unlimit(self->limit));
	EXPECT_TRUE(touch_byte(vcpus[i].msrpm));
	EXPECT_EQ(0xff, *vcpus[i].msrpm);
	for (i = 0; i < VCPUS; i++)
		svmrun_vcpu_destroy(&vcpus[i]);
}

TEST_F(nomem, map_and_unmap)
{
	uint64_t gpa = MACHINE_SIZE;
	int err = 0;

	ASSERT_EQ(0, limit(self));
	for (; !err && gpa < MACHINE_SIZE + 50000 * PAGE; gpa += PAGE)
		err = machine_map(&self->m, gpa, self->m.memory.base, PAGE,
				  MAP_ALL);
	ASSERT_EQ(-ENOMEM, err);
	gpa -= PAGE;
	/* The failed call has changed nothing; the earlier regions exist. */
	EXPECT_EQ(-ENOENT, machine_unmap(&self->m, gpa, PAGE));
	ASSERT_EQ(0, unlimit(self->limit));
	EXPECT_EQ(0, machine_map(&self->m, gpa, self->m.memory.base, PAGE,
				 MAP_ALL));
	EXPECT_EQ(0, machine_unmap(&self->m, MACHINE_SIZE,
				   gpa + PAGE - MACHINE_SIZE));
}

/* A region that could not be split is unchanged. */
TEST_F(nomem, protect)
{
	const uint64_t pages = 100000;
	struct machine *m = &self->m;
	unsigned int regions;
	uint64_t gpa = FIRST;
	int err = 0;

	ASSERT_EQ(0,
		  machine_map(m, FIRST, m->memory.base, pages * PAGE, MAP_ALL));
	ASSERT_EQ(0, limit(self));
	while (!err && gpa < FIRST + pages * PAGE) {
		regions = machine_regions(m);
		err = machine_protect(m, gpa + PAGE, PAGE, MAP_RX);
		gpa += 2 * PAGE;
	}
	ASSERT_EQ(-ENOMEM, err);
	EXPECT_EQ(regions, machine_regions(m));
	ASSERT_EQ(0, unlimit(self->limit));
	EXPECT_EQ(0, machine_protect(m, gpa + PAGE, PAGE, MAP_RX));
	EXPECT_EQ(regions + 2, machine_regions(m));
	EXPECT_EQ(0, machine_protect(m, FIRST, pages * PAGE, MAP_ALL));
	EXPECT_EQ(2, machine_regions(m));
}

/* A log of 2 MiB; the region that it is for fits only at low addresses. */
TEST_F(nomem, map_with_log)
{
	const uint64_t length = 2 * SPARE * 8 * PAGE;
	const void *low = (void *)PAGE;
	struct machine *m = &self->m;

	ASSERT_EQ(0, limit(self));
	EXPECT_EQ(-ENOMEM, machine_map(m, FIRST, low, length,
				       MAP_ALL | SVMRUN_MAP_LOG_DIRTY));
	EXPECT_EQ(1, machine_regions(m));
	EXPECT_EQ(0, machine_map(m, FIRST, low, length, MAP_ALL));
	ASSERT_EQ(0, machine_unmap(m, FIRST, length));
	ASSERT_EQ(0, unlimit(self->limit));
	EXPECT_EQ(0, machine_map(m, FIRST, low, length,
				 MAP_ALL | SVMRUN_MAP_LOG_DIRTY));
}

/* Guest memory itself cannot be allocated. */
TEST_F(nomem, guest_memory)
{
	const uint64_t length = 16 * SPARE;
	struct machine *m = &self->m;
	uint8_t *memory;

	ASSERT_EQ(0, limit(self));
	/* It is not locked, because it is allocated afterwards. */
	memory = pages_new(length);
	ASSERT_NE(MAP_FAILED, memory);
	ASSERT_EQ(0, machine_map(m, FIRST, memory, length, MAP_ALL));
	MACHINE_LOAD(m, MODE_PROTECTED, sweep_write);
	m->vcpu.regs->rbx = FIRST;
	m->vcpu.regs->rcx = length / PAGE;
	ASSERT_EQ(-ENOMEM, machine_run(m));
	EXPECT_EQ(VMEXIT_NPF, m->vcpu.vmcb->control.exitcode);
	EXPECT_LT(FIRST, m->vcpu.vmcb->control.exitinfo2);
	EXPECT_EQ(-ENOMEM, machine_run(m));
	ASSERT_EQ(0, unlimit(self->limit));
	ASSERT_EXIT(VMEXIT_HLT, m);
	for (uint64_t i = 0; i < length; i += PAGE)
		ASSERT_EQ(1, memory[i]);
}

TEST_F(nomem, run)
{
	struct machine *m = &self->m;

	for (unsigned long i = 0; i < PLACES; i++)
		ASSERT_EQ(0, machine_map(m, FIRST + i * APART, m->memory.base,
					 PAGE, MAP_ALL));
	MACHINE_LOAD(m, MODE_LONG, touch);
	ASSERT_EQ(0, limit(self));
	ASSERT_EQ(-ENOMEM, machine_run(m));
	EXPECT_EQ(VMEXIT_NPF, m->vcpu.vmcb->control.exitcode);
	EXPECT_LT(FIRST + PAGE, m->vcpu.vmcb->control.exitinfo2);
	/* Without memory the result is the same. */
	EXPECT_EQ(-ENOMEM, machine_run(m));
	ASSERT_EQ(0, unlimit(self->limit));
	ASSERT_EXIT(VMEXIT_HLT, m);
	EXPECT_EQ(0, m->vcpu.regs->rcx);
}

TEST_HARNESS_MAIN
