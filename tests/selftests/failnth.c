// SPDX-License-Identifier: GPL-2.0
/*
 * Everything that can fail fails once: allocations, and copies from and to the
 * program. The kernel makes the N-th of a task's fail (/proc/PID/fail-nth), for N
 * from 1 until there are no more. The call that it happens in says so, and does
 * its work when it is made again.
 */
#include "files.h"
#include "module.h"

#define FAIL_NTH "/proc/self/fail-nth"
#define KNOBS "/sys/kernel/debug/"
#define USERS "/sys/module/svmrun/refcnt"

/* More points than a sequence has */
#define MANY 5000

GUEST(write_and_halt, 16, "incl 0xa000\n hlt");

/* What is spared by default: everything that may sleep, and single pages. */
static const struct {
	const char *path;
	const char *value;
} knobs[] = {
	{ KNOBS "failslab/ignore-gfp-wait", "N" },
	{ KNOBS "failslab/verbose", "0" },
	{ KNOBS "fail_page_alloc/ignore-gfp-wait", "N" },
	{ KNOBS "fail_page_alloc/ignore-gfp-highmem", "N" },
	{ KNOBS "fail_page_alloc/min-order", "0" },
	{ KNOBS "fail_page_alloc/verbose", "0" },
	{ KNOBS "fail_usercopy/verbose", "0" },
};

FIXTURE(failnth)
{
	int fd; /* of FAIL_NTH */
};

FIXTURE_SETUP(failnth)
{
	self->fd = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	if (self->fd < 0)
		SKIP_SETUP("this kernel fails nothing on demand: no " FAIL_NTH);
	for (size_t i = 0; i < ARRAY_SIZE(knobs); i++) {
		ASSERT_EQ(0, file_write(knobs[i].path, knobs[i].value))
		{
			TH_LOG("%s", knobs[i].path);
		}
	}
}

FIXTURE_TEARDOWN(failnth)
{
	close(self->fd);
}

/* The @nth point from here on fails. */
static int arm(int fd, unsigned int nth)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", nth);

	return pwrite(fd, text, length, 0) == length ? 0 : -errno;
}

/*
 * Has a point failed? None will from here on. The copies that are made here may be
 * the point, and then nothing else was.
 */
static bool disarm(int fd)
{
	char text[16] = "";
	bool failed = pread(fd, text, sizeof(text) - 1, 0) > 0 &&
		      !strcmp(text, "0\n");

	if (!failed && pwrite(fd, "0", 1, 0) < 0)
		failed = false;
	return failed;
}

/* ---- a VM's life, a call a step ------------------------------------------ */

static int open_device(struct machine *m)
{
	m->device = svmrun_device_open(NULL);
	return m->device < 0 ? m->device : 0;
}

static int get_info(struct machine *m)
{
	return svmrun_device_info(m->device, &m->info);
}

static int create_vm(struct machine *m)
{
	return svmrun_vm_create(&m->vm, m->device);
}

static int create_memory(struct machine *m)
{
	return svmrun_memory_create(&m->memory, &m->vm, 0, MACHINE_SIZE);
}

static int create_vcpu(struct machine *m)
{
	return svmrun_vcpu_create(&m->vcpu, &m->vm);
}

/* What the guest writes to is memory that nobody has touched yet. */
static int load(struct machine *m)
{
	return MACHINE_LOAD(m, MODE_REAL, write_and_halt);
}

static int run_guest(struct machine *m)
{
	int err = machine_run(m);

	if (err)
		return err;
	return m->vcpu.vmcb->control.exitcode == VMEXIT_HLT ? 0 : -EPROTO;
}

/* Out of the middle: two regions are left. */
static int cut_memory(struct machine *m)
{
	return machine_unmap(m, MACHINE_DATA, PAGE);
}

static int drop_shared_pages(struct machine *m)
{
	return munmap(m->vcpu.vmcb, m->vcpu.size) ? -errno : 0;
}

static int close_vcpu(struct machine *m)
{
	return close(m->vcpu.fd) ? -errno : 0;
}

static int drop_memory(struct machine *m)
{
	return munmap(m->memory.base, m->memory.size) ? -errno : 0;
}

static int close_vm(struct machine *m)
{
	return close(m->vm.fd) ? -errno : 0;
}

static int close_device(struct machine *m)
{
	return close(m->device) ? -errno : 0;
}

/* Calls that allocate in the module, or copy: each of them must be seen to fail. */
static const struct step {
	const char *name;
	int (*function)(struct machine *m);
	bool must_fail;
} steps[] = {
	{ "open the device", open_device },
	{ "info", get_info, true },
	{ "create a VM", create_vm, true },
	{ "create memory", create_memory, true },
	{ "create a vCPU", create_vcpu, true },
	{ "load", load },
	{ "run", run_guest, true },
	{ "unmap", cut_memory, true },
	{ "drop shared pages", drop_shared_pages },
	{ "close vCPU", close_vcpu },
	{ "drop memory", drop_memory },
	{ "close VM", close_vm },
	{ "close device", close_device },
};

/* It fails for the point's sake, or not at all. */
static bool is_injected(int err)
{
	return err == -ENOMEM || err == -EFAULT;
}

/* The step whose turn a point is tells of it, and can be done again. */
static bool step_survives(struct __test_metadata *_metadata, int fd,
			  struct machine *m, const struct step *step)
{
	int err = step->function(m);

	if (!err)
		return false;
	EXPECT_TRUE(disarm(fd));
	EXPECT_TRUE(is_injected(err));
	err = step->function(m);
	ASSERT_EQ(0, err)
	{
		TH_LOG("%s: again", step->name);
	}
	return true;
}

/* Had the whole life fewer points than @nth? */
static bool live(struct __test_metadata *_metadata, int fd, unsigned int nth,
		 unsigned int *failures)
{
	bool failed = false;
	struct machine m;

	ASSERT_EQ(0, arm(fd, nth));
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		if (step_survives(_metadata, fd, &m, &steps[i])) {
			failures[i]++;
			failed = true;
		}
	}
	return !failed && !disarm(fd);
}

TEST_F_TIMEOUT(failnth, life_of_a_vm, 240)
{
	unsigned int failures[ARRAY_SIZE(steps)] = {}, seen = 0, nth;
	long users = file_number(USERS);

	for (nth = 1; nth < MANY; nth++) {
		bool over = live(_metadata, self->fd, nth, failures);

		ASSERT_EQ(users, file_number(USERS));
		if (over)
			break;
	}
	EXPECT_LT(nth, MANY);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		seen += failures[i];
		EXPECT_TRUE(failures[i] || !steps[i].must_fail)
		{
			TH_LOG("%s: has not failed", steps[i].name);
		}
	}
	TH_LOG("%u points, %u of them made a call fail", nth - 1, seen);
}

/* ---- the module's initialisation ----------------------------------------- */

#define FAILINIT_MODULE "failinit.ko"
#define FAILINIT "/sys/module/failinit/parameters/"

/* Does the module load if the @nth allocation of its initialisation fails? */
static int load_failing(struct __test_metadata *_metadata, unsigned int nth)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", nth);
	ASSERT_EQ(0, file_write(FAILINIT "nth", text));
	return module_insert();
}

TEST_F_TIMEOUT(failnth, module_loads, 240)
{
	unsigned int failures = 0, nth = 0;

	if (!module_can_be_changed() || access(FAILINIT_MODULE, R_OK))
		SKIP(return, "needs root and " FAILINIT_MODULE);
	ASSERT_EQ(0, any_module_insert(FAILINIT_MODULE, ""));
	ASSERT_EQ(0, module_remove());
	do {
		int err = load_failing(_metadata, ++nth);

		if (err) {
			EXPECT_EQ(-ENOMEM, err);
			EXPECT_EQ(0, file_number(FAILINIT "left"));
			ASSERT_EQ(0, module_insert());
			failures++;
		}
		ASSERT_EQ(0, module_remove());
	} while (!file_number(FAILINIT "left") && nth < MANY);
	EXPECT_EQ(0, module_insert());
	EXPECT_EQ(0, any_module_remove("failinit"));
	EXPECT_LT(0, failures);
	TH_LOG("%u points, %u of them made it fail", nth - 1, failures);
}

TEST_HARNESS_MAIN
