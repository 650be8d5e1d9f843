// SPDX-License-Identifier: GPL-2.0
/*
 * vCPUs: creation, the shared pages, and ends of a RUN that the guest does not
 * cause
 */
#include <sys/resource.h>
#include <time.h>

#include "pages.h"
#include "runner.h"

GUEST(halt, 16, "hlt");
GUEST(count, 16, COUNT_LOOP);

MACHINE_FIXTURE(vcpu)

static void *map_shared(struct machine *m, size_t length, off_t offset)
{
	return mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED,
		    m->vcpu.fd, offset);
}

static bool all_bytes(const void *bytes, size_t size, uint8_t value)
{
	const uint8_t *byte = bytes;

	while (size && *byte == value)
		byte++, size--;
	return !size;
}

/* ---- shared pages -------------------------------------------------------- */

/* Return the page frame behind an address, or 0 if it cannot be read. */
static uint64_t frame_of(int pagemap, const volatile void *at)
{
	uint64_t entry = 0;

	if (pread(pagemap, &entry, sizeof(entry),
		  (uintptr_t)at / PAGE * sizeof(entry)) != sizeof(entry))
		return 0;
	return entry & ((1ull << 55) - 1);
}

#define FRAMES_OF_2M 512
#define MANY_VCPUS 1000
#define MANY_VMS 4

/*
 * VMRUN and VMSAVE mark the VMCB's page as in use on SNP hosts, and all of its 2
 * MiB if the page is at their beginning. The module therefore avoids such pages, of
 * which some would be among so many.
 */
TEST_F(vcpu, vmcb_never_begins_2_mib)
{
	static struct svmrun_vcpu vcpus[MANY_VMS][MANY_VCPUS];
	struct rlimit files = { 8192, 8192 };
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	struct svmrun_vm vm[MANY_VMS];

	setrlimit(RLIMIT_NOFILE, &files);
	if (!frame_of(pagemap, self->m.vcpu.vmcb))
		SKIP(return, "needs root, to read /proc/self/pagemap");
	for (int i = 0; i < MANY_VMS; i++) {
		ASSERT_EQ(0, svmrun_vm_create(&vm[i], self->m.device));
		for (int j = 0; j < MANY_VCPUS; j++) {
			ASSERT_EQ(0, svmrun_vcpu_create(&vcpus[i][j], &vm[i]));
			EXPECT_NE(0, frame_of(pagemap, vcpus[i][j].vmcb) %
					     FRAMES_OF_2M);
		}
	}
	for (int i = 0; i < MANY_VMS; i++) {
		for (int j = 0; j < MANY_VCPUS; j++)
			svmrun_vcpu_destroy(&vcpus[i][j]);
		svmrun_vm_destroy(&vm[i]);
	}
	close(pagemap);
}

TEST_F(vcpu, begins_as_documented)
{
	struct svmrun_vcpu *vcpu = &self->m.vcpu;
	struct svmrun_registers zero = { .xcr0 = 1 };

	EXPECT_TRUE(all_bytes(vcpu->vmcb, sizeof(*vcpu->vmcb), 0));
	EXPECT_EQ(0, memcmp(vcpu->regs, &zero, sizeof(zero)));
	EXPECT_TRUE(all_bytes(vcpu->msrpm, 2 * PAGE, 0xff));
	EXPECT_TRUE(all_bytes(vcpu->xsave, vcpu->xsave_size, 0));
}

TEST_F(vcpu, mmap_whole_pages)
{
	uint32_t size = self->m.info.out_vcpu_size;
	uint8_t *all = map_shared(&self->m, size, 0);

	ASSERT_NE(MAP_FAILED, all);
	for (uint32_t at = 0; at < size; at += PAGE) {
		volatile uint8_t *one = map_shared(&self->m, PAGE, at);

		ASSERT_NE(MAP_FAILED, one);
		all[at + 8] ^= 0x5a;
		EXPECT_EQ(all[at + 8], one[8]);
	}
}

TEST_F(vcpu, mmap_outside)
{
	uint32_t size = self->m.info.out_vcpu_size;
	const struct {
		size_t length;
		off_t offset;
	} ranges[] = {
		{ size + PAGE, 0 },  { size, PAGE },
		{ PAGE, size },	     { 2 * PAGE, size - PAGE },
		{ PAGE, 1ll << 40 }, { PAGE, (1ull << 63) - PAGE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		errno = 0;
		EXPECT_EQ(MAP_FAILED, map_shared(&self->m, ranges[i].length,
						 ranges[i].offset));
		EXPECT_NE(0, errno);
	}
	errno = 0;
	EXPECT_EQ(MAP_FAILED, map_shared(&self->m, PAGE, size));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(vcpu, mmap_private)
{
	EXPECT_EQ(MAP_FAILED,
		  mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, self->m.vcpu.fd, 0));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(vcpu, mmap_does_not_grow)
{
	uint32_t size = self->m.info.out_vcpu_size;
	void *all = map_shared(&self->m, size, 0);

	ASSERT_NE(MAP_FAILED, all);
	EXPECT_EQ(MAP_FAILED, mremap(all, size, size + PAGE, MREMAP_MAYMOVE));
}

TEST_F(vcpu, mmap_outlives_fd)
{
	close(self->m.vcpu.fd);
	self->m.vcpu.vmcb->save.rax = 1;
	EXPECT_EQ(1, self->m.vcpu.vmcb->save.rax);
	self->m.vcpu.fd = -1;
}

/* Pages that the program discards keep their content. */
TEST_F(vcpu, mmap_can_be_repeated)
{
	uint32_t size = self->m.info.out_vcpu_size;
	uint8_t *all = map_shared(&self->m, size, 0);

	ASSERT_NE(MAP_FAILED, all);
	for (uint32_t at = 0; at < size; at += PAGE)
		all[at + 8] ^= 0x5a;
	ASSERT_EQ(0, madvise(all, size, MADV_DONTNEED));
	for (uint32_t at = 0; at < size; at += PAGE)
		EXPECT_EQ(0x5a ^ (at == 0x2000 || at == 0x3000 ? 0xff : 0),
			  all[at + 8]);
}

/* ---- the MSR permission map, which is allocated when first touched ------- */

TEST_F(vcpu, permission_map_of_parent_and_child)
{
	uint8_t *map = self->m.vcpu.msrpm;
	int status;
	pid_t child = fork();

	if (!child) {
		map[PAGE] = 0x11;
		_exit(map[0] != 0xff);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0x11, map[PAGE]);
}

/* The guest is the first to touch the map, which is part of its memory. */
TEST_F(vcpu, permission_map_is_guest_memory)
{
	uint32_t *map = (uint32_t *)self->m.vcpu.msrpm;

	ASSERT_EQ(0, machine_map(&self->m, GIB_1, map, 2 * PAGE, MAP_ALL));
	EXPECT_WRITE(&self->m, GIB_1 + PAGE, 0x12345678);
	EXPECT_EQ(0x12345678, map[PAGE / sizeof(*map)]);
	EXPECT_EQ(~0u, map[0]);
	EXPECT_READ(~0u, &self->m, GIB_1);
}

#define RACES 500

struct race {
	struct svmrun_vcpu vcpus[RACES];
	pthread_barrier_t barrier;
};

static void *touch_second_page(void *argument)
{
	struct race *race = argument;

	for (int i = 0; i < RACES; i++) {
		if (i % 10 == 0)
			pthread_barrier_wait(&race->barrier);
		race->vcpus[i].msrpm[PAGE] = 2;
	}
	return NULL;
}

/* Two threads touch it at once; only one map is allocated. */
TEST_F(vcpu, permission_map_race)
{
	struct rlimit limit = { 1 << 16, 1 << 16 };
	struct race race = {};
	pthread_t thread;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	for (int i = 0; i < RACES; i++)
		ASSERT_EQ(0, svmrun_vcpu_create(&race.vcpus[i], &self->m.vm));
	ASSERT_EQ(0, pthread_barrier_init(&race.barrier, NULL, 2));
	ASSERT_EQ(0, pthread_create(&thread, NULL, touch_second_page, &race));
	for (int i = 0; i < RACES; i++) {
		if (i % 10 == 0)
			pthread_barrier_wait(&race.barrier);
		race.vcpus[i].msrpm[0] = 1;
	}
	ASSERT_EQ(0, pthread_join(thread, NULL));
	for (int i = 0; i < RACES; i++) {
		EXPECT_EQ(1, race.vcpus[i].msrpm[0]);
		EXPECT_EQ(2, race.vcpus[i].msrpm[PAGE]);
		svmrun_vcpu_destroy(&race.vcpus[i]);
	}
}

/* ---- creation ------------------------------------------------------------ */

TEST_F(vcpu, too_many)
{
	struct rlimit limit = { 1 << 16, 1 << 16 };
	uint32_t count = 1;
	int fd, last = -1;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	while ((fd = vcpu_create(self->m.vm.fd)) >= 0) {
		last = fd;
		count++;
	}
	EXPECT_EQ(-ENOSPC, fd);
	EXPECT_EQ(self->m.info.out_max_vcpus, count);
	close(last);
	EXPECT_LE(0, vcpu_create(self->m.vm.fd));
}

TEST_F(vcpu, another_address_space)
{
	int status;
	pid_t child;

	MACHINE_LOAD(&self->m, MODE_REAL, halt);
	child = fork();
	if (!child)
		_exit(vcpu_create(self->m.vm.fd) != -EIO ||
		      machine_run(&self->m) != -EIO);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
}

/* ---- RUN and KICK -------------------------------------------------------- */

TEST_F(vcpu, argument_not_zero)
{
	MACHINE_LOAD(&self->m, MODE_REAL, halt);
	EXPECT_EQ(-EINVAL, call(self->m.vcpu.fd, SVMRUN_RUN, (void *)1));
	EXPECT_EQ(-EINVAL, call(self->m.vcpu.fd, SVMRUN_KICK, (void *)1));
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
}

TEST_F(vcpu, kick_before_run)
{
	MACHINE_LOAD(&self->m, MODE_REAL, halt);
	self->m.vcpu.vmcb->control.exitcode = VMEXIT_HLT;
	EXPECT_EQ(0, call(self->m.vcpu.fd, SVMRUN_KICK, NULL));
	EXPECT_EQ(0, call(self->m.vcpu.fd, SVMRUN_KICK, NULL));
	EXPECT_EQ(-EINTR, machine_run(&self->m));
	/* The previous exit code must not be mistaken for this one's. */
	EXPECT_EQ(VMEXIT_INTR, self->m.vcpu.vmcb->control.exitcode);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
}

TEST_F(vcpu, kick_from_another_process)
{
	pid_t child;
	int status;

	MACHINE_LOAD(&self->m, MODE_REAL, halt);
	child = fork();
	if (!child)
		_exit(-call(self->m.vcpu.fd, SVMRUN_KICK, NULL));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(-EINTR, machine_run(&self->m));
}

TEST_F(vcpu, immediate_exit)
{
	MACHINE_LOAD(&self->m, MODE_REAL, halt);
	self->m.vcpu.vmcb->control.exitcode = VMEXIT_HLT;
	self->m.vcpu.regs->immediate_exit = 1;
	EXPECT_EQ(-EINTR, machine_run(&self->m));
	EXPECT_EQ(VMEXIT_INTR, self->m.vcpu.vmcb->control.exitcode);
	EXPECT_EQ(-EINTR, machine_run(&self->m));
	EXPECT_EQ(MACHINE_CODE, self->m.vcpu.vmcb->save.rip);
	self->m.vcpu.regs->immediate_exit = 0;
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
}

/* Run the guest in a thread; return when it is running. */
static void start_counting(struct __test_metadata *_metadata,
			   struct runner *runner, struct machine *m)
{
	MACHINE_LOAD(m, MODE_REAL, count);
	ASSERT_EQ(0, runner_start(runner, &m->vcpu));
	machine_wait_counting(m);
}

TEST_F(vcpu, kick_during_run)
{
	struct runner runner;

	start_counting(_metadata, &runner, &self->m);
	EXPECT_EQ(0, runner_kick(&runner));
	EXPECT_EQ(-EINTR, runner_join(&runner));
	EXPECT_EQ(VMEXIT_INTR, self->m.vcpu.vmcb->control.exitcode);
}

TEST_F(vcpu, busy)
{
	struct runner runner;

	start_counting(_metadata, &runner, &self->m);
	EXPECT_EQ(-EBUSY, machine_run(&self->m));
	EXPECT_EQ(0, runner_kick(&runner));
	EXPECT_EQ(-EINTR, runner_join(&runner));
}

static void on_signal(int signal)
{
}

static void handle_signal(struct __test_metadata *_metadata, int flags)
{
	struct sigaction action = {
		.sa_handler = on_signal,
		.sa_flags = flags,
	};

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
}

static void signal_during_run(struct __test_metadata *_metadata,
			      struct machine *m, int flags)
{
	struct runner runner;

	handle_signal(_metadata, flags);
	start_counting(_metadata, &runner, m);
	ASSERT_EQ(0, pthread_kill(runner.thread, SIGUSR1));
	EXPECT_EQ(-EINTR, runner_join(&runner));
	EXPECT_EQ(VMEXIT_INTR, m->vcpu.vmcb->control.exitcode);
}

TEST_F(vcpu, signal_during_run)
{
	signal_during_run(_metadata, &self->m, 0);
}

TEST_F(vcpu, signal_during_run_does_not_restart)
{
	signal_during_run(_metadata, &self->m, SA_RESTART);
}

TEST_F(vcpu, runs_on_after_signals)
{
	struct timespec tick = { .tv_nsec = 20 * 1000 * 1000 };
	struct itimerspec every = { .it_interval = tick, .it_value = tick };
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGUSR1,
	};
	timer_t timer;

	handle_signal(_metadata, 0);
	MACHINE_LOAD(&self->m, MODE_REAL, count);
	ASSERT_EQ(0, timer_create(CLOCK_MONOTONIC, &event, &timer));
	ASSERT_EQ(0, timer_settime(timer, 0, &every, NULL));
	for (int i = 0; i < 20; i++)
		EXPECT_EQ(-EINTR, machine_run(&self->m));
	ASSERT_EQ(0, timer_delete(timer));
	EXPECT_NE(0, *machine_counter(&self->m));
}

TEST_HARNESS_MAIN
