// SPDX-License-Identifier: GPL-2.0
/*
 * A VM's descriptors in other processes: after exec, after fork, and sent over a
 * socket. Calls that concern the memory of the VM's own process fail with -EIO
 * there; the others work, and the descriptors keep the VM alive.
 */
#include <sys/socket.h>

#include "child.h"
#include "module.h"
#include "pages.h"

enum { DEVICE, VM, VCPU, FDS };

/* Return the line number from a function if the condition is false. */
#define DEMAND(condition)                                                      \
	do {                                                                   \
		if (!(condition))                                              \
			return __LINE__;                                       \
	} while (0)

static void *vcpu_map(int vcpu, off_t offset)
{
	return mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu,
		    offset);
}

/* Check the calls of a process on descriptors of another process's VM. */
static int check_stranger(int vm, int vcpu)
{
	struct machine m = { .vm.fd = vm, .vcpu.fd = vcpu };
	uint64_t bits = 0;

	DEMAND(machine_run(&m) == -EIO);
	DEMAND(vcpu_create(vm) == -EIO);
	DEMAND(machine_map(&m, MACHINE_SIZE, &m, PAGE, MAP_ALL) == -EIO);
	DEMAND(machine_unmap(&m, 0, PAGE) == -EIO);
	DEMAND(machine_protect(&m, 0, PAGE, MAP_RX) == -EIO);
	DEMAND(machine_dirty(&m, 0, PAGE, &bits, 0) == -EIO);
	DEMAND(machine_vm_info(&m).out_vcpus == 1);
	DEMAND(machine_vm_info(&m).out_regions != 0);
	return 0;
}

/*
 * Check a VM whose process's memory is gone: nothing is mapped, and nothing runs.
 */
static int check_left(int vm, int vcpu)
{
	volatile struct svmrun_registers *regs;
	struct machine m = { .vm.fd = vm };
	uint64_t exits;
	int stranger = check_stranger(vm, vcpu);

	DEMAND(!stranger);
	DEMAND(machine_vm_info(&m).out_pages_4k == 0);
	DEMAND(machine_vm_info(&m).out_pages_2m == 0);
	regs = vcpu_map(vcpu, SVMRUN_VCPU_REGISTERS);
	DEMAND(regs != MAP_FAILED);
	exits = regs->out_exits_interrupt;
	usleep(50 * 1000);
	DEMAND(regs->out_exits_interrupt == exits);
	DEMAND(!call(vcpu, SVMRUN_KICK, NULL));
	DEMAND(!munmap((void *)regs, PAGE));
	return 0;
}

/* The child's exit status is the line of a failed check, or 0. */
static void expect_child(struct __test_metadata *_metadata, pid_t child)
{
	int status;

	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status)
	{
		TH_LOG("line %d", WEXITSTATUS(status));
	}
}

/* ---- exec ---------------------------------------------------------------- */

#define HEIR "--heir"

/*
 * Entry of this program when it executes itself; the arguments are the inherited
 * descriptors.
 */
static void __attribute__((constructor)) heir_main(int argc, char **argv)
{
	int vm, vcpu, line;

	if (argc != 4 || strcmp(argv[1], HEIR))
		return;
	vm = atoi(argv[2]);
	vcpu = atoi(argv[3]);
	line = check_left(vm, vcpu);
	if (line)
		_exit(line);
	_exit(close(vm) || close(vcpu) || !host_runs_guest(0));
}

static void bequeath(const struct machine *m)
{
	char vm[16], vcpu[16];

	snprintf(vm, sizeof(vm), "%d", m->vm.fd);
	snprintf(vcpu, sizeof(vcpu), "%d", m->vcpu.fd);
	if (!fcntl(m->vm.fd, F_SETFD, 0) && !fcntl(m->vcpu.fd, F_SETFD, 0))
		execl("/proc/self/exe", "handover", HEIR, vm, vcpu, NULL);
	_exit(1);
}

static void exec_after_run(struct machine *m)
{
	*(char *)machine_at(m, MACHINE_CODE) = HLT_BYTE;
	if (!machine_run(m))
		bequeath(m);
	_exit(1);
}

static void exec_during_run(struct machine *m)
{
	struct runner runner;

	if (runner_start(&runner, &m->vcpu))
		_exit(1);
	while (!m->vcpu.regs->out_exits_interrupt)
		usleep(1000);
	bequeath(m);
}

static void *bequeath_soon(void *m)
{
	while (!((struct machine *)m)->vcpu.regs->out_exits_interrupt)
		usleep(1000);
	bequeath(m);
	return NULL;
}

static void exec_by_another_thread(struct machine *m)
{
	pthread_t thread;

	if (!pthread_create(&thread, NULL, bequeath_soon, m))
		machine_run(m);
	_exit(1);
}

FIXTURE(exec)
{
	long users;
};

struct way {
	void (*exec)(struct machine *m);
};

FIXTURE_VARIANT(exec)
{
	struct way way;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(exec, after_run) { .way = { exec_after_run } };
FIXTURE_VARIANT_ADD(exec, during_run) { .way = { exec_during_run } };
FIXTURE_VARIANT_ADD(exec, by_another_thread) { .way = { exec_by_another_thread } };
/* clang-format on */

FIXTURE_SETUP(exec)
{
	self->users = module_users();
}

FIXTURE_TEARDOWN(exec)
{
	expect_released(_metadata, self->users);
}

TEST_F(exec, leaves_descriptors_without_memory)
{
	pid_t child = fork();

	if (!child) {
		struct machine m;

		if (child_machine_create(&m, counters_new()))
			_exit(1);
		variant->way.exec(&m);
	}
	expect_child(_metadata, child);
}

/* ---- fork, while a guest runs -------------------------------------------- */

GUEST(halt, 64, "mov $7, %eax\n hlt");

FIXTURE(fork)
{
	struct machine m;
	struct runner runner;
};

FIXTURE_SETUP(fork)
{
	ASSERT_EQ(0, machine_create(&self->m));
	MACHINE_LOAD(&self->m, MODE_LONG, child_guest);
	self->m.vcpu.regs->rbx = MACHINE_DATA;
	ASSERT_EQ(0, runner_start(&self->runner, &self->m.vcpu));
	machine_wait_counting(&self->m);
}

FIXTURE_TEARDOWN(fork)
{
	machine_wait_counting(&self->m);
	EXPECT_EQ(0, runner_kick(&self->runner));
	EXPECT_EQ(-EINTR, runner_join(&self->runner));
	machine_destroy(&self->m);
}

TEST_F(fork, child_is_a_stranger)
{
	pid_t child = fork();

	if (!child)
		_exit(check_stranger(self->m.vm.fd, self->m.vcpu.fd));
	machine_wait_counting(&self->m);
	expect_child(_metadata, child);
}

/* The guest uses the parent's memory, so the child's copy does not change. */
static int check_copy(struct machine *m)
{
	volatile uint64_t *counter = machine_counter(m);
	uint64_t before = *counter;

	usleep(100 * 1000);
	DEMAND(*counter == before);
	*counter = 1;
	usleep(100 * 1000);
	DEMAND(*counter == 1);
	return 0;
}

TEST_F(fork, child_has_a_copy_of_the_memory)
{
	uint64_t before = *machine_counter(&self->m);
	pid_t child = fork();

	if (!child)
		_exit(check_copy(&self->m));
	expect_child(_metadata, child);
	EXPECT_LT(before, *machine_counter(&self->m));
}

/* The child uses the inherited memory for its own VM. */
static int check_own_vm(const struct machine *inherited)
{
	struct machine m;

	DEMAND(!machine_create(&m));
	DEMAND(!machine_unmap(&m, 0, MACHINE_SIZE));
	DEMAND(!machine_map(&m, 0, inherited->memory.base, MACHINE_SIZE,
			    MAP_ALL));
	svmrun_mode_protected(&m.vcpu, MACHINE_STACK, MACHINE_STACK);
	memcpy((char *)inherited->memory.base + MACHINE_STACK, halt,
	       halt_end - halt);
	DEMAND(!machine_run(&m));
	DEMAND(m.vcpu.vmcb->control.exitcode == VMEXIT_HLT);
	DEMAND(m.vcpu.vmcb->save.rax == 7);
	return 0;
}

TEST_F(fork, child_has_a_vm_of_its_own)
{
	pid_t child = fork();

	if (!child)
		_exit(check_own_vm(&self->m));
	expect_child(_metadata, child);
}

/* ---- a process that shares the memory ------------------------------------ */

MACHINE_FIXTURE(shared)

static int run_shared(void *m)
{
	return machine_run(m) || vcpu_create(((struct machine *)m)->vm.fd) < 0;
}

TEST_F(shared, has_the_vm_too)
{
	char stack[4 * PAGE] __attribute__((aligned(16)));
	pid_t child;

	MACHINE_LOAD(&self->m, MODE_LONG, halt);
	child = clone(run_shared, stack + sizeof(stack),
		      CLONE_VM | CLONE_VFORK | SIGCHLD, &self->m);
	expect_child(_metadata, child);
	EXPECT_EQ(VMEXIT_HLT, self->m.vcpu.vmcb->control.exitcode);
	EXPECT_EQ(7, self->m.vcpu.vmcb->save.rax);
}

/* ---- sent to another process --------------------------------------------- */

union fds_message {
	char buffer[CMSG_SPACE(FDS * sizeof(int))];
	struct cmsghdr header;
};

static int fds_send(int socket, const int *fds)
{
	union fds_message control = {};
	struct iovec byte = { .iov_base = "", .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &byte,
		.msg_iovlen = 1,
		.msg_control = control.buffer,
		.msg_controllen = sizeof(control.buffer),
	};

	control.header = (struct cmsghdr){
		.cmsg_len = CMSG_LEN(FDS * sizeof(int)),
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
	};
	memcpy(CMSG_DATA(&control.header), fds, FDS * sizeof(int));
	return sendmsg(socket, &message, 0) == 1 ? 0 : -errno;
}

static int fds_receive(int socket, int *fds)
{
	union fds_message control = {};
	char byte;
	struct iovec place = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &place,
		.msg_iovlen = 1,
		.msg_control = control.buffer,
		.msg_controllen = sizeof(control.buffer),
	};

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1 ||
	    control.header.cmsg_len != CMSG_LEN(FDS * sizeof(int)))
		return -EPROTO;
	memcpy(fds, CMSG_DATA(&control.header), FDS * sizeof(int));
	return 0;
}

/* Send the machine's descriptors, then the result of each RUN. */
static void owner_main(int socket, volatile uint64_t *counter)
{
	int fds[FDS], result;
	struct machine m;

	if (child_machine_create(&m, counter))
		_exit(1);
	fds[DEVICE] = m.device;
	fds[VM] = m.vm.fd;
	fds[VCPU] = m.vcpu.fd;
	if (fds_send(socket, fds))
		_exit(1);
	do
		result = machine_run(&m);
	while (write(socket, &result, sizeof(result)) == sizeof(result));
	_exit(1);
}

FIXTURE(sent)
{
	long users;
	volatile uint64_t *counter;
	pid_t owner;
	int socket;
};

FIXTURE_SETUP(sent)
{
	int sockets[2];

	self->users = module_users();
	self->counter = counters_new();
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
				sockets));
	self->owner = fork();
	if (!self->owner)
		owner_main(sockets[1], self->counter);
	close(sockets[1]);
	self->socket = sockets[0];
	wait_counting(self->counter);
}

FIXTURE_TEARDOWN(sent)
{
	close(self->socket);
	kill(self->owner, SIGKILL);
	waitpid(self->owner, NULL, 0);
	expect_released(_metadata, self->users);
}

static void close_all(const int *fds)
{
	for (int i = 0; i < FDS; i++)
		close(fds[i]);
}

static void kill_owner(struct __test_metadata *_metadata,
		       FIXTURE_DATA(sent) * self)
{
	ASSERT_EQ(0, kill(self->owner, SIGKILL));
	ASSERT_EQ(self->owner, waitpid(self->owner, NULL, 0));
}

TEST_F(sent, receiver_is_a_stranger_who_may_kick)
{
	int fds[FDS], result = 0;

	ASSERT_EQ(0, fds_receive(self->socket, fds));
	for (int i = 0; i < 10; i++) {
		EXPECT_EQ(0, check_stranger(fds[VM], fds[VCPU]));
		wait_counting(self->counter);
		EXPECT_EQ(0, call(fds[VCPU], SVMRUN_KICK, NULL));
		ASSERT_EQ(sizeof(result),
			  read(self->socket, &result, sizeof(result)));
		EXPECT_EQ(-EINTR, result);
	}
	close_all(fds);
	wait_counting(self->counter);
}

#define EFER_SVME (1ull << 12)

/*
 * Return whether SVM is enabled on CPU 0; false also if hoststate.ko cannot be
 * loaded.
 */
static bool svm_is_enabled(void)
{
	struct host host = { .state = hoststate_read() };
	bool enabled;

	if (!host.state)
		return false;
	enabled = host_value(&host, "EFER") & EFER_SVME;
	free(host.state);
	return enabled;
}

TEST_F(sent, receiver_keeps_a_vm_that_its_owner_closed)
{
	int fds[FDS];

	if (!module_can_be_changed() || hoststate_load())
		SKIP(return, "needs root, svmrun.ko and " HOSTSTATE_MODULE);
	ASSERT_EQ(0, fds_receive(self->socket, fds));
	kill_owner(_metadata, self);
	EXPECT_EQ(0, check_left(fds[VM], fds[VCPU]));
	close(fds[DEVICE]);
	close(fds[VM]);
	EXPECT_TRUE(svm_is_enabled());
	EXPECT_EQ(-EAGAIN, module_remove());
	close(fds[VCPU]);
	for (int i = 0; i < 100 && svm_is_enabled(); i++)
		usleep(10 * 1000);
	EXPECT_FALSE(svm_is_enabled());
}

/* The descriptors are in a socket that is closed without being read. */
TEST_F(sent, vm_in_flight_is_destroyed)
{
	kill_owner(_metadata, self);
	EXPECT_LT(self->users, module_users());
	EXPECT_EQ(0, close(self->socket));
	self->socket = -1;
}

TEST_HARNESS_MAIN
