// SPDX-License-Identifier: GPL-2.0
/*
 * Suspend and resume while VMs exist: SVM is enabled again on each CPU as before,
 * and guests continue. Linux can simulate a part of the suspend
 * (/sys/power/pm_test); the real one is ended by the alarm of the real-time clock.
 */
#include "files.h"
#include "hoststate.h"
#include "runner.h"

#define POWER_STATE "/sys/power/state"
#define POWER_TEST "/sys/power/pm_test"
#define POWER_TEST_DELAY "/sys/module/suspend/parameters/pm_test_delay"
#define POWER_MEM "/sys/power/mem_sleep"
#define ALARM "/sys/class/rtc/rtc0/wakealarm"
#define CLOCK "/sys/class/rtc/rtc0/since_epoch"
#define CHIPSET "/sys/bus/pci/devices/0000:00:1f.0/config"
#define CHIPSET_ICH9 0x29188086u /* device and vendor */
#define CHIPSET_POWER 0x40 /* PMBASE and ACPI_CNTL */

#define CPUS 2

GUEST(count, 64, COUNT_LOOP);
GUEST(halt, 64, "hlt");

/* Return "" if the file cannot be read. */
static const char *file_read(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	text[0] = 0;
	if (fd < 0)
		return text;
	length = read(fd, text, size - 1);
	text[length < 0 ? 0 : length] = 0;
	close(fd);
	return text;
}

static bool file_offers(const char *path, const char *word)
{
	char text[256];

	return strstr(file_read(path, text, sizeof(text)), word);
}

static long clock_seconds(void)
{
	char text[32];

	return strtol(file_read(CLOCK, text, sizeof(text)), NULL, 10);
}

/*
 * Some firmware does not restore the base of an ICH9's power registers on resume,
 * so that a second suspend would fail.
 */
struct chipset {
	uint32_t id;
	uint64_t power;
};

static void chipset_keep(struct chipset *chipset)
{
	int fd = open(CHIPSET, O_RDONLY | O_CLOEXEC);

	chipset->id = 0;
	if (fd < 0)
		return;
	if (pread(fd, &chipset->id, 4, 0) != 4 ||
	    pread(fd, &chipset->power, 8, CHIPSET_POWER) != 8)
		chipset->id = 0;
	close(fd);
}

static int chipset_repair(const struct chipset *chipset)
{
	int fd, err;

	if (chipset->id != CHIPSET_ICH9)
		return 0;
	fd = open(CHIPSET, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = pwrite(fd, &chipset->power, 8, CHIPSET_POWER) == 8 ? 0 : -EIO;
	close(fd);
	return err;
}

/* The depth of the suspend, and the stage after which to return */
struct sleep {
	const char *mem;
	const char *test; /* NULL: a real suspend */
};

static bool sleep_offered(const struct sleep *sleep)
{
	return !access(POWER_STATE, W_OK) && file_offers(POWER_STATE, "mem") &&
	       file_offers(POWER_MEM, sleep->mem) &&
	       (sleep->test ? file_offers(POWER_TEST, sleep->test) :
			      !access(ALARM, W_OK));
}

static int sleep_part(const struct sleep *sleep)
{
	int err;

	file_write(POWER_TEST_DELAY, "0");
	err = file_write(POWER_TEST, sleep->test);
	return err ? err : file_write(POWER_STATE, "mem");
}

static int sleep_whole(void)
{
	struct chipset chipset;
	long begin;
	int err;

	chipset_keep(&chipset);
	err = file_write(ALARM, "0");
	if (!err)
		err = file_write(ALARM, "+2");
	begin = clock_seconds();
	if (!err)
		err = file_write(POWER_STATE, "mem");
	if (!err)
		err = chipset_repair(&chipset);
	if (!err && clock_seconds() == begin)
		err = -EAGAIN; /* did not suspend */
	return err;
}

/* Suspend; return after resume. */
static int sleep_once(const struct sleep *sleep)
{
	int err = file_write(POWER_MEM, sleep->mem);

	if (err)
		return err;
	return sleep->test ? sleep_part(sleep) : sleep_whole();
}

static bool is_of_svm(const char *line)
{
	char item[16];

	if (sscanf(line, "cpu%*d %15s", item) != 1)
		return false;
	return !strcmp(item, "EFER") || !strcmp(item, "TSC_RATIO") ||
	       !strcmp(item, "VM_CR") || !strcmp(item, "VM_HSAVE_PA");
}

/*
 * Return the SVM state of each CPU, to be freed. Other state belongs to Linux,
 * which sets some of it anew: PAT, for example, which guests can change in
 * emulators.
 */
static char *svm_state(void)
{
	char *state = hoststate_read(), *from = state, *to = state;
	size_t length;

	for (; state && *from; from += length) {
		length = strcspn(from, "\n") + 1;
		if (!is_of_svm(from))
			continue;
		memmove(to, from, length);
		to += length;
	}
	if (state)
		*to = 0;
	return state;
}

FIXTURE(power)
{
	struct machine m[CPUS];
	struct runner runner[CPUS];
	char *state;
};

FIXTURE_VARIANT(power)
{
	struct sleep sleep;
};

#define SLEEP_VARIANT(name, ...)                                               \
	FIXTURE_VARIANT_ADD(power, name)                                       \
	{                                                                      \
		.sleep = { __VA_ARGS__ },                                      \
	}

SLEEP_VARIANT(programs_frozen, .mem = "deep", .test = "freezer");
SLEEP_VARIANT(other_cpus_offline, .mem = "deep", .test = "processors");
SLEEP_VARIANT(all_but_firmware, .mem = "deep", .test = "core");
SLEEP_VARIANT(ram, .mem = "deep");

FIXTURE_SETUP(power)
{
	if (sysconf(_SC_NPROCESSORS_ONLN) < CPUS)
		SKIP_SETUP("only one CPU");
	if (!sleep_offered(&variant->sleep))
		SKIP_SETUP("this kind of suspend is not supported");
	if (hoststate_load())
		SKIP_SETUP("%s cannot be loaded", HOSTSTATE_MODULE);
	for (int i = 0; i < CPUS; i++)
		ASSERT_EQ(0, machine_create(&self->m[i]));
	self->state = svm_state();
	ASSERT_NE(NULL, self->state);
}

FIXTURE_TEARDOWN(power)
{
	file_write(POWER_TEST, "none");
	for (int i = 0; i < CPUS; i++)
		machine_destroy(&self->m[i]);
	free(self->state);
}

/* Run one guest on each CPU. */
static void guests_start(struct __test_metadata *_metadata,
			 FIXTURE_DATA(power) * self)
{
	for (int i = 0; i < CPUS; i++) {
		ASSERT_EQ(0, runner_start(&self->runner[i], &self->m[i].vcpu));
		ASSERT_EQ(0, pin(self->runner[i].thread, i));
	}
	for (int i = 0; i < CPUS; i++)
		for (int times = 0; times < 10; times++)
			machine_wait_counting(&self->m[i]);
}

static void assert_same_state(struct __test_metadata *_metadata,
			      const char *before)
{
	char *after = svm_state();

	ASSERT_NE(NULL, after);
	ASSERT_EQ(0, hoststate_differs(before, after));
	free(after);
}

/* To freeze a program, Linux interrupts its system calls. */
TEST_F(power, guests_go_on)
{
	for (int i = 0; i < CPUS; i++)
		MACHINE_LOAD(&self->m[i], MODE_LONG, count);
	guests_start(_metadata, self);
	ASSERT_EQ(0, sleep_once(&variant->sleep));
	for (int i = 0; i < CPUS; i++)
		EXPECT_EQ(-EINTR, runner_join(&self->runner[i]));
	assert_same_state(_metadata, self->state);
	guests_start(_metadata, self);
	for (int i = 0; i < CPUS; i++) {
		EXPECT_EQ(0, runner_kick(&self->runner[i]));
		EXPECT_EQ(-EINTR, runner_join(&self->runner[i]));
	}
}

/* Several times, while no thread is in RUN */
TEST_F(power, guests_begin_afterwards)
{
	for (int times = 0; times < 2; times++) {
		ASSERT_EQ(0, sleep_once(&variant->sleep));
		for (int i = 0; i < CPUS; i++) {
			ASSERT_EQ(0, cpu_pin(i));
			MACHINE_LOAD(&self->m[i], MODE_LONG, halt);
			ASSERT_EXIT(VMEXIT_HLT, &self->m[i]);
		}
	}
	assert_same_state(_metadata, self->state);
}

/* Without VMs resume does not enable SVM; it is still disabled with the last VM. */
TEST_F(power, without_vms)
{
	char *idle;

	for (int i = 0; i < CPUS; i++)
		machine_destroy(&self->m[i]);
	idle = svm_state();
	ASSERT_NE(NULL, idle);
	ASSERT_EQ(0, sleep_once(&variant->sleep));
	assert_same_state(_metadata, idle);
	for (int i = 0; i < CPUS; i++)
		ASSERT_EQ(0, machine_create(&self->m[i]));
	assert_same_state(_metadata, self->state);
	ASSERT_EQ(0, sleep_once(&variant->sleep));
	for (int i = 0; i < CPUS; i++)
		machine_destroy(&self->m[i]);
	assert_same_state(_metadata, idle);
	free(idle);
	for (int i = 0; i < CPUS; i++)
		ASSERT_EQ(0, machine_create(&self->m[i]));
}

TEST_HARNESS_MAIN
