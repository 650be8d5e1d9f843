// SPDX-License-Identifier: GPL-2.0
/*
 * The filters of system calls: what each kind of thread may do. Each case is a child process
 * that makes one system call; its arguments have no effect.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <linux/svmrun.h>

#include "sandbox/filter.h"
#include "sandbox/permissions.h"
#include "sandbox/sandbox.h"
#include "suites.h"

#define PAGE 4096
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)
#define ALL_THREADS ((1u << SANDBOX_THREADS) - 1)

struct call {
	long number;
	long arguments[4];
};

/* Make the call in a child process with the filter of these kinds of threads. */
static bool is_permitted(unsigned int threads, const struct call *call)
{
	static struct filter filter;
	int status;
	pid_t child;

	ck_assert_int_eq(filter_build(&filter, threads), 0);
	child = fork();
	if (!child) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		signal(SIGSYS, SIG_DFL);
		if (filter_use(&filter))
			_exit(1);
		syscall(call->number, call->arguments[0], call->arguments[1],
			call->arguments[2], call->arguments[3], -1, 0);
		syscall(SYS_exit_group, 0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status))
		ck_assert_int_eq(WTERMSIG(status), SIGSYS);
	else
		ck_assert_int_eq(status, 0);
	return !WIFSIGNALED(status);
}

/* Only these kinds of threads, as bits, may make the call. */
static void only(unsigned int threads, struct call call)
{
	unsigned int thread;

	for (thread = 0; thread < SANDBOX_THREADS; thread++)
		ck_assert_int_eq(is_permitted(1u << thread, &call),
				 threads >> thread & 1);
	ck_assert_int_eq(is_permitted(PERMISSION_START | ALL_THREADS, &call),
			 threads != 0);
}

#define THREAD(name) (1u << SANDBOX_##name)

START_TEST(files_processes_and_sockets_are_denied)
{
	only(0, (struct call){ SYS_open, { 0 } });
	only(0, (struct call){ SYS_openat, { AT_FDCWD } });
	only(0, (struct call){ SYS_openat2, { AT_FDCWD } });
	only(0, (struct call){ SYS_newfstatat, { AT_FDCWD } });
	only(0, (struct call){ SYS_unlink, { 0 } });
	only(0, (struct call){ SYS_execve, { 0 } });
	only(0, (struct call){ SYS_execveat, { -1 } });
	only(0, (struct call){ SYS_socket, { -1 } });
	only(0, (struct call){ SYS_connect, { -1 } });
	only(0, (struct call){ SYS_kill, { 1, 0 } });
	only(0, (struct call){ SYS_tgkill, { 1, 1, 0 } });
	only(0, (struct call){ SYS_ptrace, { -1 } });
	only(0, (struct call){ SYS_process_vm_readv, { 1 } });
	only(0, (struct call){ SYS_io_uring_setup, { 0 } });
	only(0, (struct call){ SYS_bpf, { -1 } });
	only(0, (struct call){ SYS_prctl, { -1 } });
}

START_TEST(each_thread_has_its_own_calls)
{
	only(THREAD(CPU) | THREAD(FUZZ),
	     (struct call){ SYS_timer_settime, { -1 } });
	only(THREAD(DISK), (struct call){ SYS_pwritev, { -1 } });
	only(THREAD(DISK), (struct call){ SYS_fallocate, { -1 } });
	only(THREAD(GDB), (struct call){ SYS_accept4, { -1 } });
	only(THREAD(MAIN) | THREAD(GDB) | THREAD(FUZZ),
	     (struct call){ SYS_close, { -1 } });
	only(THREAD(MAIN) | THREAD(CPU) | THREAD(GDB) | THREAD(FUZZ),
	     (struct call){ SYS_read, { -1 } });
	only(ALL_THREADS, (struct call){ SYS_write, { -1 } });
}

/* Files can still not be named. */
START_TEST(saving_needs_more_calls)
{
	static const long numbers[] = { SYS_pwrite64,  SYS_pread64,
					SYS_ftruncate, SYS_flock,
					SYS_fstat,     SYS_lseek,
					SYS_fdatasync, SYS_fallocate };
	struct call call = { 0, { -1 } };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		call.number = numbers[i];
		ck_assert(!is_permitted(THREAD(MAIN), &call));
		ck_assert(is_permitted(THREAD(MAIN) | PERMISSION_SAVE, &call));
	}
	call = (struct call){ SYS_newfstatat, { AT_FDCWD } };
	ck_assert(!is_permitted(THREAD(MAIN) | PERMISSION_SAVE, &call));
}

START_TEST(requests_to_devices_are_compared)
{
	only(THREAD(CPU) | THREAD(FUZZ),
	     (struct call){ SYS_ioctl, { -1, SVMRUN_RUN } });
	only(THREAD(FUZZ), (struct call){ SYS_ioctl, { -1, SVMRUN_DIRTY } });
	only(ALL_THREADS, (struct call){ SYS_ioctl, { -1, SVMRUN_KICK } });
	only(ALL_THREADS, (struct call){ SYS_ioctl, { -1, TCSETS } });
	only(THREAD(MAIN), (struct call){ SYS_ioctl, { -1, TCSETSW } });
	only(0, (struct call){ SYS_ioctl, { -1, SVMRUN_MAP } });
	only(0, (struct call){ SYS_ioctl, { -1, SVMRUN_CREATE_VM } });
	only(0, (struct call){ SYS_ioctl, { -1, TIOCSTI } });
	only(0, (struct call){ SYS_ioctl, { -1, 1l << 32 | SVMRUN_RUN } });
}

START_TEST(memory_is_neither_executable_nor_a_file)
{
	const long writable = PROT_READ | PROT_WRITE, code = PROT_EXEC;

	only(ALL_THREADS,
	     (struct call){ SYS_mmap, { 0, PAGE, writable, ANONYMOUS } });
	only(0, (struct call){ SYS_mmap, { 0, PAGE, code, ANONYMOUS } });
	only(0, (struct call){ SYS_mmap, { 0, PAGE, writable, MAP_PRIVATE } });
	only(ALL_THREADS, (struct call){ SYS_mprotect, { 0, 0, writable } });
	only(0, (struct call){ SYS_mprotect, { 0, 0, code } });
}

START_TEST(handler_of_denials_stays)
{
	only(THREAD(MAIN) | THREAD(FUZZ) | THREAD(HELPER),
	     (struct call){ SYS_rt_sigaction, { SIGTERM } });
	only(0, (struct call){ SYS_rt_sigaction, { SIGSYS } });
}

/* Before their own filters, the threads must be created; processes must not. */
START_TEST(only_threads_are_created)
{
	const unsigned int start = PERMISSION_START;
	const struct call invalid_thread = { SYS_clone, { CLONE_THREAD } };
	const struct call process = { SYS_clone, { SIGCHLD } };
	const struct call clone3 = { SYS_clone3, { 0 } };

	ck_assert(is_permitted(start | ALL_THREADS, &invalid_thread));
	ck_assert(!is_permitted(ALL_THREADS, &invalid_thread));
	ck_assert(!is_permitted(start | ALL_THREADS, &process));
	ck_assert(is_permitted(start | ALL_THREADS, &clone3)); /* fails */
	ck_assert(!is_permitted(ALL_THREADS, &clone3));
}

/* A process that only sleeps: what fork() and the process itself call */
START_TEST(helper_creates_processes)
{
	const long fork_flags = SIGCHLD | CLONE_CHILD_SETTID |
				CLONE_CHILD_CLEARTID;

	only(THREAD(HELPER), (struct call){ SYS_clone, { fork_flags } });
	only(0, (struct call){ SYS_clone, { fork_flags | CLONE_NEWUSER } });
	only(THREAD(HELPER), (struct call){ SYS_waitid, { -1 } });
	only(THREAD(HELPER), (struct call){ SYS_close_range, { 1, 0 } });
	only(THREAD(HELPER),
	     (struct call){ SYS_prctl, { PR_SET_PDEATHSIG, SIGKILL } });
}

START_TEST(inputs_can_only_be_read)
{
	static const long writing[] = { O_WRONLY, O_RDWR, O_CREAT, O_TRUNC,
					O_TMPFILE };
	const unsigned int fuzz = THREAD(FUZZ);
	struct call call = { SYS_openat, { AT_FDCWD, 0, O_CLOEXEC } };

	ck_assert(is_permitted(fuzz | PERMISSION_INPUTS, &call));
	ck_assert(!is_permitted(fuzz, &call));
	for (size_t i = 0; i < ARRAY_SIZE(writing); i++) {
		call.arguments[2] = writing[i];
		ck_assert(!is_permitted(fuzz | PERMISSION_INPUTS, &call));
	}
}

/* After the snapshot, the thread cannot change what the guest has. */
START_TEST(snapshot_needs_more_calls)
{
	static const struct call calls[] = {
		{ SYS_ioctl, { -1, SVMRUN_CREATE_VM } },
		{ SYS_ioctl, { -1, SVMRUN_CREATE_VCPU } },
		{ SYS_ioctl, { -1, SVMRUN_MAP } },
		{ SYS_ioctl, { -1, SVMRUN_PROTECT } },
		{ SYS_mmap, { 0, PAGE, PROT_READ, MAP_PRIVATE } },
		{ SYS_memfd_create, { 0, -1 } },
	};
	const struct call code = { SYS_mmap, { 0, PAGE, PROT_EXEC } };
	const unsigned int snapshot = THREAD(FUZZ) | PERMISSION_SNAPSHOT;

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		ck_assert(is_permitted(snapshot, &calls[i]));
		ck_assert(!is_permitted(ALL_THREADS, &calls[i]));
	}
	ck_assert(!is_permitted(snapshot, &code));
}

START_TEST(socket_of_gdb_is_removed_by_the_main_thread)
{
	const struct call call = { SYS_unlink, { 0 } };

	ck_assert(is_permitted(THREAD(MAIN) | PERMISSION_SOCKET, &call));
	ck_assert(!is_permitted(THREAD(MAIN), &call));
}

static const TTest **const tests[] = {
	&files_processes_and_sockets_are_denied,
	&each_thread_has_its_own_calls,
	&saving_needs_more_calls,
	&requests_to_devices_are_compared,
	&memory_is_neither_executable_nor_a_file,
	&handler_of_denials_stays,
	&only_threads_are_created,
	&helper_creates_processes,
	&inputs_can_only_be_read,
	&snapshot_needs_more_calls,
	&socket_of_gdb_is_removed_by_the_main_thread,
};

Suite *sandbox_suite(void)
{
	return suite_of("sandbox", tests, ARRAY_SIZE(tests));
}
