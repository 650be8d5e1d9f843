// SPDX-License-Identifier: GPL-2.0
/* KVM beside us: who comes first has the CPUs, the other is told EBUSY. */
#include <linux/kvm.h>

#include "machine.h"

GUEST(halt, 16, "hlt");

FIXTURE(kvm)
{
	int kvm;
	int device;
};

FIXTURE_SETUP(kvm)
{
	self->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (self->kvm < 0)
		SKIP_SETUP("/dev/kvm cannot be opened: kvm_amd is not loaded");
	self->device = device_open();
	ASSERT_GE(self->device, 0);
}

FIXTURE_TEARDOWN(kvm)
{
	close(self->device);
	close(self->kvm);
}

static int kvm_vm_create(int kvm)
{
	int vm = ioctl(kvm, KVM_CREATE_VM, 0);

	return vm < 0 ? -errno : vm;
}

TEST_F(kvm, idle_is_no_hindrance)
{
	int vm = vm_create(self->device);

	EXPECT_GE(vm, 0);
	close(vm);
}

TEST_F(kvm, first_is_kvm)
{
	struct svmrun_info info;
	int theirs = kvm_vm_create(self->kvm), ours;

	ASSERT_GE(theirs, 0);
	EXPECT_EQ(-EBUSY, vm_create(self->device));
	/* What is there can be asked all the same. */
	EXPECT_EQ(0, svmrun_device_info(self->device, &info));
	close(theirs);
	ours = vm_create(self->device);
	EXPECT_GE(ours, 0);
	close(ours);
}

TEST_F(kvm, first_is_svmrun)
{
	struct machine m;
	int theirs;

	ASSERT_EQ(0, machine_create(&m));
	EXPECT_EQ(-EBUSY, kvm_vm_create(self->kvm));
	/* The attempt took nothing from us. */
	MACHINE_LOAD(&m, MODE_REAL, halt);
	ASSERT_EXIT(VMEXIT_HLT, &m);
	machine_destroy(&m);
	theirs = kvm_vm_create(self->kvm);
	EXPECT_GE(theirs, 0);
	close(theirs);
}

TEST_HARNESS_MAIN
