// SPDX-License-Identifier: GPL-2.0
/*
 * Access to the device and accounting: unprivileged programs in the device's group
 * can use it without further permissions, and memory is charged to the caller's
 * memory cgroup.
 */
#include <grp.h>
#include <sys/resource.h>

#include "cgroup.h"
#include "child.h"
#include "pages.h"

#define NOBODY 65534
#define OTHER 65533 /* another group, without members */

GUEST(halt, 16, "hlt");

/* ---- permissions --------------------------------------------------------- */

FIXTURE(access)
{
	struct stat before;
};

/*
 * Set the device's group and mode as a udev rule would, with the group of nobody.
 */
FIXTURE_SETUP(access)
{
	ASSERT_EQ(0, stat(SVMRUN_DEVICE, &self->before));
	if (chown(SVMRUN_DEVICE, 0, NOBODY))
		SKIP_SETUP("needs root");
	ASSERT_EQ(0, chmod(SVMRUN_DEVICE, 0660));
}

FIXTURE_TEARDOWN(access)
{
	EXPECT_EQ(0, chown(SVMRUN_DEVICE, self->before.st_uid,
			   self->before.st_gid));
	EXPECT_EQ(0, chmod(SVMRUN_DEVICE, self->before.st_mode & 07777));
}

/* Drop root's user and groups permanently, in a child. */
static void become_nobody(gid_t group, gid_t other)
{
	if (setgroups(1, &other) || setgid(group) || setuid(NOBODY))
		_exit(1);
}

/* Return the result of the child's check, 0 or a negative errno. */
static int wait_check(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return 1;
	return -WEXITSTATUS(status);
}

static int run_machine(void)
{
	struct machine m;
	int err = machine_create(&m);

	if (err)
		return err;
	MACHINE_LOAD(&m, MODE_REAL, halt);
	err = machine_run(&m);
	if (!err && m.vcpu.vmcb->control.exitcode != VMEXIT_HLT)
		err = -EPROTO;
	machine_destroy(&m);
	return err;
}

static int run_machine_as(gid_t group, gid_t other)
{
	pid_t child = fork();

	if (!child) {
		become_nobody(group, other);
		_exit(-run_machine());
	}
	return wait_check(child);
}

TEST_F(access, is_the_groups)
{
	EXPECT_EQ(0, run_machine_as(NOBODY, OTHER));
	EXPECT_EQ(0, run_machine_as(OTHER, NOBODY));
}

TEST_F(access, is_not_everybodys)
{
	EXPECT_EQ(-EACCES, run_machine_as(OTHER, OTHER));
}

/* Right after the module is loaded, only root can access the device. */
TEST_F(access, is_roots_alone_at_first)
{
	EXPECT_EQ(0, self->before.st_uid);
	EXPECT_EQ(0, self->before.st_mode & 07007);
}

/* As with any file, an open descriptor is sufficient. */
TEST_F(access, comes_with_the_descriptor)
{
	int device = device_open();
	pid_t child = fork();

	if (!child) {
		become_nobody(OTHER, OTHER);
		_exit(vcpu_create(vm_create(device)) < 0);
	}
	EXPECT_EQ(0, wait_check(child));
	close(device);
}

/* Nothing is locked or pinned, so RLIMIT_MEMLOCK does not matter. */
TEST_F(access, needs_no_locked_memory)
{
	const struct rlimit none = { 0, 0 };
	pid_t child = fork();

	if (!child) {
		if (setrlimit(RLIMIT_MEMLOCK, &none))
			_exit(1);
		become_nobody(NOBODY, NOBODY);
		_exit(-run_machine() ||
		      file_field("/proc/self/status", "VmLck:") ||
		      file_field("/proc/self/status", "VmPin:"));
	}
	EXPECT_EQ(0, wait_check(child));
}

/* ---- accounting ---------------------------------------------------------- */

/* KiB that the kernel and the CPUs may have cached for the group */
#define SLACK 1024

#define VCPUS 200
#define VCPU_KIB 16 /* minimum: VMCBs, registers page, state */

#define PLACES 1024
#define TABLE_KIB 4

#define LOG_KIB 4096

#define FIRST GIB_1

/* Read RCX bytes from RBX on, one in each 2 MiB. */
GUEST(touch, 64, "1: mov (%rbx), %al\n add $0x200000, %rbx\n loop 1b\n hlt");

FIXTURE(charge)
{
	struct machine m;
	int fds[VCPUS];
};

FIXTURE_VARIANT(charge)
{
	int (*take)(FIXTURE_DATA(charge) * self);
	int (*give)(FIXTURE_DATA(charge) * self);
	long kib; /* minimum */
};

static int take_vcpus(FIXTURE_DATA(charge) * self)
{
	for (int i = 0; i < VCPUS; i++) {
		self->fds[i] = vcpu_create(self->m.vm.fd);
		if (self->fds[i] < 0)
			return self->fds[i];
	}
	return 0;
}

static int give_vcpus(FIXTURE_DATA(charge) * self)
{
	for (int i = 0; i < VCPUS; i++)
		close(self->fds[i]);
	return 0;
}

/* All regions map the same page, so that only tables are allocated. */
static int take_tables(FIXTURE_DATA(charge) * self)
{
	struct machine *m = &self->m;
	int err = MACHINE_LOAD(m, MODE_LONG, touch);

	for (uint64_t i = 0; !err && i < PLACES; i++)
		err = machine_map(m, FIRST + i * MIB_2, m->memory.base, PAGE,
				  MAP_ALL);
	m->vcpu.regs->rbx = FIRST;
	m->vcpu.regs->rcx = PLACES;
	return err ? err : machine_run(m);
}

static int give_tables(FIXTURE_DATA(charge) * self)
{
	return machine_unmap(&self->m, FIRST, PLACES * MIB_2);
}

/* The memory need not exist. */
#define LOGGED (LOG_KIB * 1024 * 8 * PAGE)
#define LOGGED_HVA ((void *)GIB_1)

static int take_log(FIXTURE_DATA(charge) * self)
{
	return machine_map(&self->m, LOGGED, LOGGED_HVA, LOGGED,
			   MAP_ALL | SVMRUN_MAP_LOG_DIRTY);
}

static int give_log(FIXTURE_DATA(charge) * self)
{
	return machine_unmap(&self->m, LOGGED, LOGGED);
}

#define CHARGE(name, kib_)                                                     \
	FIXTURE_VARIANT_ADD(charge, name)                                      \
	{                                                                      \
		.take = take_##name, .give = give_##name, .kib = kib_,         \
	}

CHARGE(vcpus, VCPUS *VCPU_KIB);
CHARGE(tables, PLACES *TABLE_KIB);
CHARGE(log, LOG_KIB);

FIXTURE_SETUP(charge)
{
	int err = group_create();

	if (!err)
		err = group_enter();
	if (err)
		SKIP_SETUP("cannot create a memory cgroup: %s", strerror(-err));
	ASSERT_EQ(0, machine_create(&self->m));
	memset(self->fds, -1, sizeof(self->fds)); /* none */
}

FIXTURE_TEARDOWN(charge)
{
	machine_destroy(&self->m);
}

static long charged_kib(void)
{
	return file_number(GROUP "/memory.current") / 1024;
}

/* Wait, because some memory is freed after the call has returned. */
static void expect_charged_no_more(struct __test_metadata *_metadata,
				   long before)
{
	for (int i = 0; i < 500 && charged_kib() > before + SLACK; i++)
		usleep(10 * 1000);
	EXPECT_LE(charged_kib(), before + SLACK);
}

TEST_F(charge, is_the_callers)
{
	long before, charged;

	/* Run once before, so that caches are filled. */
	ASSERT_EQ(0, variant->take(self));
	ASSERT_EQ(0, variant->give(self));
	before = charged_kib();
	ASSERT_EQ(0, variant->take(self));
	charged = charged_kib() - before;
	EXPECT_LE(variant->kib - SLACK, charged)
	{
		TH_LOG("%ld KiB charged", charged);
	}
	ASSERT_EQ(0, variant->give(self));
	expect_charged_no_more(_metadata, before);
}

/* Nothing is unmapped explicitly; all is freed with the last descriptor. */
TEST_F(charge, ends_with_the_vm)
{
	long before = charged_kib();

	ASSERT_EQ(0, variant->take(self));
	EXPECT_LE(before + variant->kib - SLACK, charged_kib());
	give_vcpus(self);
	machine_destroy(&self->m);
	expect_charged_no_more(_metadata, before);
	ASSERT_EQ(0, machine_create(&self->m));
}

TEST_HARNESS_MAIN
