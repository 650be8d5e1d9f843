// SPDX-License-Identifier: GPL-2.0
/*
 * Fault injection: every allocation and every copy from or to the program fails
 * once. Linux fails the N-th such operation of a task (/proc/PID/fail-nth); the
 * test repeats that for each call in the life of a VM, with N from 1 until nothing
 * fails. A call that fails returns the error, and succeeds when it is repeated.
 */
#include <sys/syscall.h>

#include "files.h"
#include "module.h"
#include "pages.h"

#define FAIL_NTH "/proc/self/fail-nth"
#define KNOBS "/sys/kernel/debug/"
#define USERS "/sys/module/svmrun/refcnt"

/* More points than any call has */
#define MANY 5000

/* Some points depend on what caches contain, and move the points after them. */
#define ROUNDS 3

/* Memory for which Linux uses a large page if possible */
#define LENGTH MIB_2
#define LOGGED GIB_1 /* address of a mapping with a dirty log, */
#define PLAIN (2 * GIB_1) /* and without */

GUEST(write_and_halt, 16, "incl 0xa000\n hlt");

/* By default, allocations that may sleep and single pages do not fail. */
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
	uint8_t *memory; /* LENGTH bytes */
};

FIXTURE_SETUP(failnth)
{
	self->fd = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	if (self->fd < 0)
		SKIP_SETUP("this kernel has no fault injection: no " FAIL_NTH);
	for (size_t i = 0; i < ARRAY_SIZE(knobs); i++) {
		ASSERT_EQ(0, file_write(knobs[i].path, knobs[i].value))
		{
			TH_LOG("%s", knobs[i].path);
		}
	}
	self->memory = pages_new_aligned(LENGTH, LENGTH);
	ASSERT_NE(MAP_FAILED, self->memory);
	ASSERT_EQ(0, madvise(self->memory, LENGTH, MADV_HUGEPAGE));
}

FIXTURE_TEARDOWN(failnth)
{
	close(self->fd);
}

/* Let the @nth point from now on fail. */
static int arm(int fd, unsigned int nth)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", nth);

	return pwrite(fd, text, length, 0) == length ? 0 : -errno;
}

/*
 * Return whether a point has failed, and disable the injection. The copies made
 * here may themselves be the point, in which case no other has failed.
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

/* ---- the life of a VM, one call per step --------------------------------- */

struct life {
	struct machine m;
	uint8_t *memory; /* of the fixture */
	struct svmrun_vm_info vm_info;
};

static int open_device(struct life *life)
{
	life->m.device = svmrun_device_open(NULL);
	return life->m.device < 0 ? life->m.device : 0;
}

static int get_info(struct life *life)
{
	return svmrun_device_info(life->m.device, &life->m.info,
				  sizeof(life->m.info));
}

static int create_vm(struct life *life)
{
	return svmrun_vm_create(&life->m.vm, life->m.device);
}

static int create_memory(struct life *life)
{
	return svmrun_memory_create(&life->m.memory, &life->m.vm, 0,
				    MACHINE_SIZE);
}

static int create_vcpu(struct life *life)
{
	return svmrun_vcpu_create(&life->m.vcpu, &life->m.vm);
}

/*
 * Use a system call, which returns an error; the program itself would receive a
 * signal.
 */
static int touch_permission_map(struct life *life)
{
	void *map = life->m.vcpu.msrpm;

	return syscall(SYS_getrandom, map, 1, 0) == 1 ? 0 : -errno;
}

static int is_halted(struct life *life, int err)
{
	if (err)
		return err;
	return life->m.vcpu.vmcb->control.exitcode == VMEXIT_HLT ? 0 : -EPROTO;
}

/* The guest writes to memory that has not been touched yet. */
static int load(struct life *life)
{
	return MACHINE_LOAD(&life->m, MODE_REAL, write_and_halt);
}

static int run_guest(struct life *life)
{
	return is_halted(life, machine_run(&life->m));
}

static int map_logged(struct life *life)
{
	return machine_map(&life->m, LOGGED, life->memory, LENGTH,
			   MAP_ALL | SVMRUN_MAP_LOG_DIRTY);
}

static int write_logged(struct life *life)
{
	return is_halted(life, machine_access(&life->m, ACCESS_WRITE,
					      LOGGED + 5 * PAGE, 1));
}

/* If the log cannot be copied, it is not cleared. */
static int fetch_log(struct life *life)
{
	uint64_t bits[LENGTH / PAGE / 64] = {};
	int err = machine_dirty(&life->m, LOGGED, LENGTH, bits,
				SVMRUN_DIRTY_CLEAR);

	return err || bits[0] == 1 << 5 ? err : -EPROTO;
}

/* In the middle of a region, which becomes three */
static int protect_memory(struct life *life)
{
	return machine_protect(&life->m, LOGGED + 5 * PAGE, PAGE, MAP_RX);
}

static int map_plain(struct life *life)
{
	return machine_map(&life->m, PLAIN, life->memory, LENGTH, MAP_ALL);
}

static int read_plain(struct life *life)
{
	return is_halted(life, machine_access(&life->m, ACCESS_READ, PLAIN, 0));
}

static int get_vm_info(struct life *life)
{
	life->vm_info.size = sizeof(life->vm_info);
	return call(life->m.vm.fd, SVMRUN_VM_INFO, &life->vm_info);
}

/* In the middle of a region, which becomes two */
static int cut_memory(struct life *life)
{
	return machine_unmap(&life->m, MACHINE_DATA, PAGE);
}

/* Discard the memory, so that the next life and this one's tables find none. */
static int take_memory(struct life *life)
{
	return madvise(life->memory, LENGTH, MADV_DONTNEED) ? -errno : 0;
}

static int drop_shared_pages(struct life *life)
{
	return munmap(life->m.vcpu.vmcb, life->m.vcpu.size) ? -errno : 0;
}

static int close_vcpu(struct life *life)
{
	return close(life->m.vcpu.fd) ? -errno : 0;
}

static int drop_memory(struct life *life)
{
	return munmap(life->m.memory.base, life->m.memory.size) ? -errno : 0;
}

static int close_vm(struct life *life)
{
	return close(life->m.vm.fd) ? -errno : 0;
}

static int close_device(struct life *life)
{
	return close(life->m.device) ? -errno : 0;
}

/* must_fail: the step allocates or copies, so that failures must be observed. */
static const struct step {
	const char *name;
	int (*function)(struct life *life);
	bool must_fail;
} steps[] = {
	{ "open the device", open_device },
	{ "info", get_info, true },
	{ "create a VM", create_vm, true },
	{ "create memory", create_memory, true },
	{ "create a vCPU", create_vcpu, true },
	{ "touch its permission map", touch_permission_map, true },
	{ "load", load },
	{ "run", run_guest, true },
	{ "map with a log", map_logged, true },
	{ "write to it", write_logged, true },
	{ "fetch the log", fetch_log, true },
	{ "protect", protect_memory, true },
	{ "map without", map_plain, true },
	{ "read, in a large page", read_plain, true },
	{ "info of the VM", get_vm_info, true },
	{ "unmap", cut_memory, true },
	{ "take memory", take_memory },
	{ "drop shared pages", drop_shared_pages },
	{ "close vCPU", close_vcpu },
	{ "drop memory", drop_memory },
	{ "close VM", close_vm },
	{ "close device", close_device },
};

/* An error that the injection causes */
static bool is_injected(int err)
{
	return err == -ENOMEM || err == -EFAULT;
}

/* Result of a point */
enum point { POINT_NONE, POINT_SILENT, POINT_FAILS };

/* If the step fails, it must return the error, and succeed when repeated. */
static enum point step_failing(struct __test_metadata *_metadata,
			       FIXTURE_DATA(failnth) * self, struct life *life,
			       const struct step *step, unsigned int nth)
{
	int err;

	ASSERT_EQ(0, arm(self->fd, nth));
	err = step->function(life);
	if (!err)
		return disarm(self->fd) ? POINT_SILENT : POINT_NONE;
	EXPECT_TRUE(disarm(self->fd));
	EXPECT_TRUE(is_injected(err))
	{
		TH_LOG("%s: %d", step->name, err);
	}
	err = step->function(life);
	ASSERT_EQ(0, err)
	{
		TH_LOG("%s, repeated", step->name);
	}
	return POINT_FAILS;
}

/* Run all steps; the @nth point of the step @failing fails. */
static enum point live(struct __test_metadata *_metadata,
		       FIXTURE_DATA(failnth) * self, const struct step *failing,
		       unsigned int nth)
{
	struct life life = { .memory = self->memory };
	enum point point = POINT_NONE;
	const struct step *step;

	for (step = steps; step < steps + ARRAY_SIZE(steps); step++) {
		if (step == failing)
			point = step_failing(_metadata, self, &life, step, nth);
		else
			ASSERT_EQ(0, step->function(&life));
	}
	EXPECT_EQ(1, life.vm_info.out_pages_2m);
	return point;
}

/*
 * Let each point of a step fail, in one life each. Add the number of failures to
 * @failed, and return the number of points.
 */
static unsigned int fail_step(struct __test_metadata *_metadata,
			      FIXTURE_DATA(failnth) * self,
			      const struct step *step, unsigned int *failed)
{
	long users = file_number(USERS);
	unsigned int nth = 0;
	enum point point;

	do {
		point = live(_metadata, self, step, ++nth);
		*failed += point == POINT_FAILS;
		ASSERT_EQ(users, file_number(USERS));
	} while (point != POINT_NONE && nth < MANY);
	EXPECT_LT(nth, MANY);
	return nth - 1;
}

TEST_F_TIMEOUT(failnth, life_of_a_vm, 240)
{
	const struct step *step;

	for (step = steps; step < steps + ARRAY_SIZE(steps); step++) {
		unsigned int points = 0, failed = 0;

		for (int round = 0; round < ROUNDS; round++)
			points += fail_step(_metadata, self, step, &failed);
		EXPECT_TRUE(failed || !step->must_fail);
		TH_LOG("%s: fails at %u of %u points", step->name, failed,
		       points);
	}
}

/* ---- the module's initialisation ----------------------------------------- */

#define FAILINIT_MODULE "failinit.ko"
#define FAILINIT "/sys/module/failinit/parameters/"

/* Load the module while the @nth allocation of its initialisation fails. */
static int load_failing(struct __test_metadata *_metadata, unsigned int nth)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", nth);
	ASSERT_EQ(0, file_write(FAILINIT "nth", text));
	return module_insert();
}

/*
 * Let each point of the initialisation fail. The module is not loaded before and
 * after.
 */
static unsigned int fail_loading(struct __test_metadata *_metadata,
				 unsigned int *failed)
{
	unsigned int nth = 0;

	do {
		int err = load_failing(_metadata, ++nth);

		if (err) {
			EXPECT_EQ(-ENOMEM, err);
			EXPECT_EQ(0, file_number(FAILINIT "left"));
			ASSERT_EQ(0, module_insert());
			++*failed;
		}
		ASSERT_EQ(0, module_remove());
	} while (!file_number(FAILINIT "left") && nth < MANY);
	EXPECT_LT(nth, MANY);
	return nth - 1;
}

TEST_F_TIMEOUT(failnth, module_loads, 240)
{
	unsigned int points = 0, failed = 0;

	if (!module_can_be_changed() || access(FAILINIT_MODULE, R_OK))
		SKIP(return, "needs root and " FAILINIT_MODULE);
	ASSERT_EQ(0, any_module_insert(FAILINIT_MODULE, ""));
	ASSERT_EQ(0, module_remove());
	for (int round = 0; round < ROUNDS; round++)
		points += fail_loading(_metadata, &failed);
	EXPECT_EQ(0, module_insert());
	EXPECT_EQ(0, any_module_remove("failinit"));
	EXPECT_LT(0, failed);
	TH_LOG("fails at %u of %u points", failed, points);
}

TEST_HARNESS_MAIN
