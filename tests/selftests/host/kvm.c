// SPDX-License-Identifier: GPL-2.0
/*
 * KVM and svmrun: the first one to enable SVM owns the CPUs, and the other is
 * refused. Before Linux 6.12 KVM enables it with its first VM; since then when
 * kvm_amd is loaded, unless kvm.enable_virt_at_load=0.
 */
#include <linux/kvm.h>

#include "machine.h"
#include "module.h"

#define AT_LOAD "/sys/module/kvm/parameters/enable_virt_at_load"
#define KVM_AMD_PATH "/lib/modules/kvm-amd.ko"
#define LOG_SECONDS 6 /* after which the module logs again */

GUEST(halt, 16, "hlt");

static bool kvm_loaded(void)
{
	return !access("/sys/module/kvm_amd", F_OK);
}

static bool kvm_enables_at_load(void)
{
	int fd = open(AT_LOAD, O_RDONLY | O_CLOEXEC);
	char answer = 'N';

	if (fd >= 0) {
		if (read(fd, &answer, 1) != 1)
			answer = 'N';
		close(fd);
	}
	return answer == 'Y';
}

/* Since 6.12 KVM returns EIO, without the reason. */
static bool kvm_refused(int result)
{
	return result == -EBUSY || result == -EIO;
}

/* Open the kernel log at its end. */
static int log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

/* Return the number of svmrun's lines since log_open(), and close the log. */
static int log_count(int fd)
{
	char record[4096];
	ssize_t length;
	int lines = 0;

	while ((length = read(fd, record, sizeof(record) - 1)) > 0) {
		record[length] = 0;
		lines += !!strstr(record, ";svmrun: ");
	}
	close(fd);
	return lines;
}

/* ---- KVM enables SVM with its first VM ----------------------------------- */

FIXTURE(kvm)
{
	int kvm;
	int device;
};

FIXTURE_SETUP(kvm)
{
	if (kvm_loaded() && kvm_enables_at_load())
		SKIP_SETUP("KVM has enabled SVM since it was loaded");
	self->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (self->kvm < 0)
		SKIP_SETUP("/dev/kvm cannot be opened; kvm_amd is not loaded");
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
	int log = log_open(), vm = vm_create(self->device);

	EXPECT_GE(vm, 0);
	close(vm);
	EXPECT_EQ(0, log_count(log));
}

TEST_F(kvm, first_is_kvm)
{
	struct svmrun_info info;
	int theirs = kvm_vm_create(self->kvm), ours;

	ASSERT_GE(theirs, 0);
	EXPECT_EQ(-EBUSY, vm_create(self->device));
	/* Information is available nevertheless. */
	EXPECT_EQ(0, svmrun_device_info(self->device, &info, sizeof(info)));
	close(theirs);
	ours = vm_create(self->device);
	EXPECT_GE(ours, 0);
	close(ours);
}

/* Repeated failures do not fill the log. */
TEST_F(kvm, refusal_is_explained_once)
{
	int theirs = kvm_vm_create(self->kvm), log;

	ASSERT_GE(theirs, 0);
	sleep(LOG_SECONDS);
	log = log_open();
	ASSERT_GE(log, 0);
	for (int i = 0; i < 100; i++)
		EXPECT_EQ(-EBUSY, vm_create(self->device));
	close(theirs);
	EXPECT_EQ(1, log_count(log));
}

TEST_F(kvm, first_is_svmrun)
{
	struct machine m;
	int theirs;

	ASSERT_EQ(0, machine_create(&m));
	EXPECT_TRUE(kvm_refused(kvm_vm_create(self->kvm)));
	/* svmrun still owns the CPUs. */
	MACHINE_LOAD(&m, MODE_REAL, halt);
	ASSERT_EXIT(VMEXIT_HLT, &m);
	machine_destroy(&m);
	theirs = kvm_vm_create(self->kvm);
	EXPECT_GE(theirs, 0);
	close(theirs);
}

/* ---- KVM enables SVM when it is loaded ----------------------------------- */

FIXTURE(kvm_at_load)
{
	int device;
};

FIXTURE_SETUP(kvm_at_load)
{
	if (!kvm_loaded())
		SKIP_SETUP("kvm_amd is not loaded");
	if (!kvm_enables_at_load())
		SKIP_SETUP("KVM enables SVM with its first VM");
	self->device = device_open();
	ASSERT_GE(self->device, 0);
}

FIXTURE_TEARDOWN(kvm_at_load)
{
	close(self->device);
}

TEST_F(kvm_at_load, has_the_cpus_when_idle)
{
	struct svmrun_info info;

	EXPECT_EQ(-EBUSY, vm_create(self->device));
	EXPECT_EQ(0, svmrun_device_info(self->device, &info, sizeof(info)));
}

TEST_F(kvm_at_load, unloaded_is_no_hindrance)
{
	struct machine m;

	if (geteuid() || access(KVM_AMD_PATH, R_OK))
		SKIP(return, "kvm_amd cannot be reloaded");
	ASSERT_EQ(0, any_module_remove("kvm_amd"));
	EXPECT_EQ(0, machine_create(&m));
	EXPECT_TRUE(kvm_refused(any_module_insert(KVM_AMD_PATH, "")));
	MACHINE_LOAD(&m, MODE_REAL, halt);
	EXPECT_EQ(0, machine_run(&m));
	EXPECT_EQ(VMEXIT_HLT, m.vcpu.vmcb->control.exitcode);
	machine_destroy(&m);
	EXPECT_EQ(0, any_module_insert(KVM_AMD_PATH, ""));
	EXPECT_EQ(-EBUSY, vm_create(self->device));
}

TEST_HARNESS_MAIN
