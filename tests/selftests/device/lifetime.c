// SPDX-License-Identifier: GPL-2.0
/*
 * Lifetimes: which descriptors, mappings and processes keep the VM and the module
 * alive
 */
#include <sched.h>
#include <sys/socket.h>

#include "module.h"
#include "pages.h"
#include "runner.h"

GUEST(halt, 16, "hlt");
GUEST(count, 16, COUNT_LOOP);

#define NEEDS_MODULE_FILE()                                                    \
	do {                                                                   \
		if (!module_can_be_changed())                                  \
			SKIP(return, "needs root and %s", module_path());      \
	} while (0)

/* ---- a VM is destroyed while its memory is discarded --------------------- */

#define REGIONS 64ul

struct discarder {
	uint8_t *memory;
	volatile bool stop;
};

static void *discard_memory(void *argument)
{
	struct discarder *discarder = argument;

	while (!discarder->stop)
		madvise(discarder->memory, REGIONS * PAGE, MADV_DONTNEED);
	return NULL;
}

/* A kernel with KASAN would report a use after free. */
TEST(vm_goes_while_its_memory_goes)
{
	struct discarder discarder = { .memory = pages_new(REGIONS * PAGE) };
	int device = svmrun_device_open(NULL);
	struct svmrun_vm vm;
	pthread_t thread;

	ASSERT_NE(MAP_FAILED, discarder.memory);
	ASSERT_EQ(0, pthread_create(&thread, NULL, discard_memory, &discarder));
	for (int i = 0; i < 50; i++) {
		ASSERT_EQ(0, svmrun_vm_create(&vm, device));
		for (size_t at = 0; at < REGIONS * PAGE; at += PAGE)
			ASSERT_EQ(0, svmrun_vm_map(&vm, 2 * at,
						   discarder.memory + at, PAGE,
						   MAP_ALL));
		svmrun_vm_destroy(&vm);
	}
	discarder.stop = true;
	ASSERT_EQ(0, pthread_join(thread, NULL));
	close(device);
}

/* ---- the order of closing ------------------------------------------------ */

enum { DEVICE, VM, VCPU, FDS };

FIXTURE(order)
{
	struct machine m;
};

FIXTURE_VARIANT(order)
{
	int order[FDS];
};

#define ORDER(a, b, c)                                                         \
	FIXTURE_VARIANT_ADD(order, a##_##b##_##c)                              \
	{                                                                      \
		.order = { a, b, c },                                          \
	}

ORDER(DEVICE, VM, VCPU);
ORDER(DEVICE, VCPU, VM);
ORDER(VM, DEVICE, VCPU);
ORDER(VM, VCPU, DEVICE);
ORDER(VCPU, DEVICE, VM);
ORDER(VCPU, VM, DEVICE);

FIXTURE_SETUP(order)
{
	ASSERT_EQ(0, machine_create(&self->m));
	MACHINE_LOAD(&self->m, MODE_REAL, halt);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
}

FIXTURE_TEARDOWN(order)
{
}

static void close_in_order(struct __test_metadata *_metadata, struct machine *m,
			   const int *order)
{
	const int fds[FDS] = { m->device, m->vm.fd, m->vcpu.fd };
	bool vcpu_open = true;

	for (int i = 0; i < FDS; i++) {
		EXPECT_EQ(0, close(fds[order[i]]));
		vcpu_open = vcpu_open && order[i] != VCPU;
		if (vcpu_open)
			ASSERT_EXIT(VMEXIT_HLT, m);
	}
}

TEST_F(order, close)
{
	ASSERT_EQ(0, munmap(self->m.vcpu.vmcb, self->m.vcpu.size));
	ASSERT_NE(MAP_FAILED,
		  mmap(self->m.vcpu.vmcb, self->m.vcpu.size,
		       PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	self->m.vcpu.vmcb->control.exitcode = VMEXIT_HLT;
	close_in_order(_metadata, &self->m, variant->order);
}

TEST_F(order, close_with_live_mapping)
{
	close_in_order(_metadata, &self->m, variant->order);
	self->m.vcpu.vmcb->save.rax = 1;
	EXPECT_EQ(1, self->m.vcpu.vmcb->save.rax);
	EXPECT_EQ(0, munmap(self->m.vcpu.vmcb, self->m.vcpu.size));
}

/* ---- unloading the module ------------------------------------------------ */

static void expect_removable(struct __test_metadata *_metadata)
{
	int err;

	/* The last references are dropped after close() or exit() has returned. */
	for (int i = 0; i < 1000 && (err = module_remove()) == -EAGAIN; i++)
		usleep(1000);
	EXPECT_EQ(0, err);
	EXPECT_EQ(0, module_insert());
	EXPECT_EQ(0, access(SVMRUN_DEVICE, F_OK));
}

TEST(module_stays_while_device_is_open)
{
	int device;

	NEEDS_MODULE_FILE();
	device = device_open();
	ASSERT_LE(0, device);
	EXPECT_EQ(-EAGAIN, module_remove());
	close(device);
	expect_removable(_metadata);
}

TEST(module_stays_while_vm_is_open)
{
	int device, vm;

	NEEDS_MODULE_FILE();
	device = device_open();
	vm = vm_create(device);
	ASSERT_LE(0, vm);
	close(device);
	EXPECT_EQ(-EAGAIN, module_remove());
	close(vm);
	expect_removable(_metadata);
}

TEST(module_stays_while_vcpu_is_open)
{
	int device, vm, vcpu;

	NEEDS_MODULE_FILE();
	device = device_open();
	vm = vm_create(device);
	vcpu = vcpu_create(vm);
	ASSERT_LE(0, vcpu);
	close(vm);
	close(device);
	EXPECT_EQ(-EAGAIN, module_remove());
	close(vcpu);
	expect_removable(_metadata);
}

TEST(module_stays_while_vcpu_is_mapped)
{
	struct machine m;

	NEEDS_MODULE_FILE();
	ASSERT_EQ(0, machine_create(&m));
	close(m.vcpu.fd);
	close(m.vm.fd);
	close(m.device);
	EXPECT_EQ(-EAGAIN, module_remove());
	ASSERT_EQ(0, munmap(m.vcpu.vmcb, m.vcpu.size));
	expect_removable(_metadata);
}

TEST(module_comes_and_goes)
{
	struct machine m;

	NEEDS_MODULE_FILE();
	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(0, machine_create(&m));
		MACHINE_LOAD(&m, MODE_REAL, halt);
		ASSERT_EXIT(VMEXIT_HLT, &m);
		machine_destroy(&m);
		expect_removable(_metadata);
	}
}

/* ---- processes ----------------------------------------------------------- */

/* Fork a child whose guest never ends; return when it runs. */
static pid_t fork_counting(struct __test_metadata *_metadata)
{
	volatile uint64_t *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child = fork();

	ASSERT_LE(0, child);
	if (!child) {
		struct machine m;

		if (machine_create(&m) ||
		    machine_unmap(&m, MACHINE_DATA, PAGE) ||
		    machine_map(&m, MACHINE_DATA, (void *)shared, PAGE,
				MAP_ALL))
			_exit(1);
		MACHINE_LOAD(&m, MODE_REAL, count);
		_exit(-machine_run(&m));
	}
	while (!*shared)
		sched_yield();
	return child;
}

TEST(kill_ends_a_running_guest)
{
	int status;
	pid_t child;

	NEEDS_MODULE_FILE();
	child = fork_counting(_metadata);
	EXPECT_EQ(-EAGAIN, module_remove());
	ASSERT_EQ(0, kill(child, SIGKILL));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
	expect_removable(_metadata);
}

TEST(exit_with_everything_open)
{
	int status;
	pid_t child;

	NEEDS_MODULE_FILE();
	child = fork();
	if (!child) {
		struct machine m;

		_exit(machine_create(&m) ? 1 : 0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	expect_removable(_metadata);
}

/* The descriptors remain after the VM's address space is gone. */
TEST(descriptors_outlive_their_process)
{
	struct machine *m = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child;

	child = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (!child)
		_exit(machine_create(m) ? 1 : 0);
	ASSERT_EQ(child, waitpid(child, NULL, 0));
	EXPECT_EQ(-EIO, call(m->vcpu.fd, SVMRUN_RUN, NULL));
	EXPECT_EQ(-EIO, vcpu_create(m->vm.fd));
	EXPECT_EQ(-EIO, machine_unmap(m, 0, PAGE));
	EXPECT_EQ(0, call(m->vcpu.fd, SVMRUN_KICK, NULL));
	close(m->vm.fd);
	close(m->vcpu.fd);
}

TEST_HARNESS_MAIN
