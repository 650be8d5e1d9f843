// SPDX-License-Identifier: GPL-2.0
/* Observability: tracepoints, fdinfo and debugfs */
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "files.h"
#include "pages.h"
#include "tracing.h"

#define EVENTS TRACING "events/svmrun/"
#define VMS "/sys/kernel/debug/svmrun/vms"
#define GPA 0x200000ul

GUEST(touch_and_halt, 32, "incl 0x200000\n 1: hlt\n jmp 1b");

FIXTURE(observe)
{
	struct machine m;
	void *page; /* mapped at GPA */
};

FIXTURE_SETUP(observe)
{
	ASSERT_EQ(0, machine_create(&self->m));
	self->page = pages_new(PAGE);
	ASSERT_EQ(0, machine_map(&self->m, GPA, self->page, PAGE, MAP_ALL));
	MACHINE_LOAD(&self->m, MODE_PROTECTED, touch_and_halt);
}

FIXTURE_TEARDOWN(observe)
{
	file_write(EVENTS "enable", "0");
	tracing_clear();
	machine_destroy(&self->m);
}

/* ---- tracepoints --------------------------------------------------------- */

/* Copy the last line of the trace that contains @event, from there on; or "". */
static void last_event(const char *event, char line[512])
{
	FILE *trace = fopen(TRACING "trace", "re");
	char next[512], *found;

	line[0] = 0;
	while (trace && fgets(next, sizeof(next), trace)) {
		found = strstr(next, event);
		if (found)
			strcpy(line, found);
	}
	if (trace)
		fclose(trace);
}

/* Return the number after @name in a line, or ~0 if there is none. */
static unsigned long long value(const char *line, const char *name)
{
	const char *at = strstr(line, name);

	return at ? strtoull(at + strlen(name), NULL, 0) : ~0ull;
}

static int events_begin(void)
{
	int err = tracing_clear();

	return err ? err : file_write(EVENTS "enable", "1");
}

#define NEEDS_TRACING()                                                        \
	do {                                                                   \
		if (access(EVENTS "enable", W_OK))                             \
			SKIP(return, "needs root and tracefs");                \
	} while (0)

TEST_F(observe, exit_is_traced)
{
	char line[512];

	NEEDS_TRACING();
	ASSERT_EQ(0, events_begin());
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	last_event(": exit: ", line);
	EXPECT_EQ(VMEXIT_HLT, value(line, " exitcode="));
	EXPECT_EQ(self->m.vcpu.vmcb->save.rip, value(line, " rip="));
	EXPECT_EQ(0, value(line, " vcpu="));
}

TEST_F(observe, fault_is_traced)
{
	char line[512];

	NEEDS_TRACING();
	ASSERT_EQ(0, events_begin());
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	last_event(": fault: ", line);
	EXPECT_EQ(GPA, value(line, " gpa="));
	EXPECT_EQ(0, value(line, " result="));
	EXPECT_EQ(SVM_NPF_WRITE, value(line, " error_code=") & SVM_NPF_WRITE);
}

TEST_F(observe, fault_of_the_program_is_traced)
{
	char line[512];

	NEEDS_TRACING();
	ASSERT_EQ(0, machine_unmap(&self->m, GPA, PAGE));
	ASSERT_EQ(0, events_begin());
	ASSERT_EXIT(VMEXIT_NPF, &self->m);
	last_event(": fault: ", line);
	EXPECT_EQ(GPA, value(line, " gpa="));
	EXPECT_EQ(1, value(line, " result="));
}

TEST_F(observe, invalidation_is_traced)
{
	char line[512];

	NEEDS_TRACING();
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	ASSERT_EQ(0, events_begin());
	ASSERT_EQ(0, madvise(self->page, PAGE, MADV_DONTNEED));
	last_event(": invalidate: ", line);
	EXPECT_EQ(GPA, value(line, " gpa="));
	EXPECT_EQ(GPA + PAGE, value(line, " end="));
}

/* SVM is enabled on every CPU with the first VM, and disabled with the last one. */
TEST(svm_is_traced)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int device = svmrun_device_open(NULL);
	struct svmrun_vm vm;
	char line[512];

	NEEDS_TRACING();
	ASSERT_EQ(0, events_begin());
	ASSERT_EQ(0, svmrun_vm_create(&vm, device));
	last_event(": svm_enable: ", line);
	EXPECT_GT(cpus, value(line, " cpu="));
	last_event(": svm_disable: ", line);
	EXPECT_STREQ("", line);
	svmrun_vm_destroy(&vm);
	last_event(": svm_disable: ", line);
	EXPECT_GT(cpus, value(line, " cpu="));
	file_write(EVENTS "enable", "0");
	close(device);
}

/* ---- counters ------------------------------------------------------------ */

static long fd_field(int fd, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	return file_field(path, name);
}

TEST_F(observe, counters_of_a_vcpu)
{
	int fd = self->m.vcpu.fd;

	EXPECT_EQ(0, fd_field(fd, "runs:"));
	EXPECT_EQ(0, fd_field(fd, "entries:"));
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	self->m.vcpu.vmcb->save.rip = MACHINE_CODE;
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(2, fd_field(fd, "runs:"));
	EXPECT_EQ(self->m.vcpu.regs->out_exits_fault,
		  fd_field(fd, "exits_fault:"));
	EXPECT_LE(1, fd_field(fd, "exits_fault:"));
	EXPECT_EQ(2 + fd_field(fd, "exits_fault:") +
			  fd_field(fd, "exits_interrupt:") +
			  fd_field(fd, "exits_nmi:"),
		  fd_field(fd, "entries:"));
	EXPECT_EQ(0, fd_field(fd, "exits_reflected:"));
	EXPECT_EQ(0, fd_field(fd, "exits_machine_check:"));
}

/* The program cannot change the counters by writing to its pages. */
TEST_F(observe, counters_are_the_kernels)
{
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	self->m.vcpu.regs->out_exits_fault = 1000000;
	EXPECT_GT(1000, fd_field(self->m.vcpu.fd, "exits_fault:"));
}

TEST_F(observe, facts_of_a_vm)
{
	struct svmrun_vm_info info;

	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	info = machine_vm_info(&self->m);
	EXPECT_EQ(getpid(), fd_field(self->m.vm.fd, "owner:"));
	EXPECT_EQ(1, fd_field(self->m.vm.fd, "vcpus:"));
	EXPECT_EQ(info.out_regions, fd_field(self->m.vm.fd, "regions:"));
	EXPECT_EQ(info.out_table_bytes,
		  fd_field(self->m.vm.fd, "table_bytes:"));
	EXPECT_EQ(info.out_pages_4k, fd_field(self->m.vm.fd, "pages_4k:"));
	EXPECT_LE(1, fd_field(self->m.vm.fd, "pages_4k:"));
	EXPECT_EQ(fd_field(self->m.vm.fd, "vm:"),
		  fd_field(self->m.vcpu.fd, "vm:"));
}

/* Run as the first process of a new PID namespace, with its own procfs. */
static int owner_in_namespace(void)
{
	struct machine m;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("proc", "/proc", "proc", 0, NULL) || machine_create(&m))
		return -1;
	return fd_field(m.vm.fd, "owner:");
}

TEST_F(observe, owner_is_numbered_as_the_reader_counts)
{
	pid_t child;
	int status;

	if (unshare(CLONE_NEWPID | CLONE_NEWNS))
		SKIP(return, "needs root and PID namespaces");
	child = fork();
	if (!child)
		_exit(owner_in_namespace());
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(1, WEXITSTATUS(status));
}

/*
 * Return how many lines of the list of all VMs equal @want, or -1 if it cannot be
 * read.
 */
static int listed(const char *want)
{
	FILE *file = fopen(VMS, "re");
	char line[128];
	int count = 0;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		count += !strcmp(line, want);
	fclose(file);
	return count;
}

TEST_F(observe, list_of_all_vms)
{
	struct svmrun_vcpu second;
	struct svmrun_vm other;
	char owner[32];

	if (access(VMS, R_OK))
		SKIP(return, "needs root and debugfs");
	snprintf(owner, sizeof(owner), "owner:\t%d\n", getpid());
	EXPECT_EQ(1, listed(owner));
	EXPECT_EQ(1, listed("vcpus:\t1\n"));
	EXPECT_EQ(0, listed("vcpu:\t1\n"));
	ASSERT_EQ(0, svmrun_vm_create(&other, self->m.device));
	ASSERT_EQ(0, svmrun_vcpu_create(&second, &self->m.vm));
	EXPECT_EQ(2, listed(owner));
	EXPECT_EQ(1, listed("vcpus:\t2\n"));
	EXPECT_EQ(1, listed("vcpu:\t1\n"));
	svmrun_vcpu_destroy(&second);
	svmrun_vm_destroy(&other);
	EXPECT_EQ(1, listed(owner));
	EXPECT_EQ(0, listed("vcpu:\t1\n"));
}

TEST_HARNESS_MAIN
