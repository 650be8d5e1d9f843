// SPDX-License-Identifier: GPL-2.0
/*
 * A tool with a mistake: preloaded into svmrun, it attacks the host from within one of the
 * tool's threads, as code of a guest would that has taken control of the thread. ESCAPE
 * names the attack, and ESCAPE_THREAD the thread:
 *	cpu	when the guest writes to port 0xbad
 *	disk	when the guest reads from a disk
 *	output	when the guest prints
 *	gdb	when gdb sends something
 *	main	while the guest runs
 *	fuzz	when svmrun fuzz resets the guest after a run
 * It prints "escaped: ATTACK" if the attack succeeds. LACKS names a feature that the kernel
 * appears not to have: seccomp or landlock; "all except landlock" leaves only that.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/seccomp.h>
#include <linux/svm_vmcb.h>
#include <linux/svmrun.h>

#include "lib/array_size.h"

#define PORT 0xbadull
#define PAGE 4096

static int vm = -1;
static const struct svm_vmcb *vmcb; /* of the first processor */

static pid_t parent;

__attribute__((constructor)) static void find_parent(void)
{
	parent = getppid();
}

static long raw_syscall(long number, long a, long b, long c, long d, long e,
			long f)
{
	register long r10 asm("r10") = d;
	register long r8 asm("r8") = e;
	register long r9 asm("r9") = f;
	long ret;

	asm volatile("syscall"
		     : "=a"(ret)
		     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
		       "r"(r9)
		     : "rcx", "r11", "memory");
	return ret;
}

static long call(long number, long a, long b, long c, long d, long e, long f)
{
	long ret = raw_syscall(number, a, b, c, d, e, f);

	if (ret >= 0 || ret < -4095)
		return ret;
	errno = -ret;
	return -1;
}

/* ---- attacks ------------------------------------------------------------- */

static bool attack_open(void)
{
	return open("/etc/passwd", O_RDONLY) >= 0;
}

static bool attack_unlink(void)
{
	return !unlink("victim");
}

static bool attack_execve(void)
{
	static char *const arguments[] = { "sh", "-c",
					   "echo escaped: execve >&2", NULL };

	return !execve("/bin/sh", arguments, NULL);
}

static bool attack_socket(void)
{
	return socket(AF_INET, SOCK_DGRAM, 0) >= 0;
}

static bool attack_kill(void)
{
	return !kill(parent, 0);
}

static bool attack_ptrace(void)
{
	return !ptrace(PTRACE_SEIZE, parent, NULL, NULL);
}

static bool attack_fork(void)
{
	int child = call(SYS_clone, SIGCHLD, 0, 0, 0, 0, 0);

	if (!child)
		call(SYS_exit, 0, 0, 0, 0, 0, 0);
	return child > 0;
}

static bool attack_mmap(void)
{
	return call(SYS_mmap, 0, PAGE, PROT_READ | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != -1;
}

static bool attack_mprotect(void)
{
	static char page[PAGE] __attribute__((aligned(PAGE)));

	return !mprotect(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
}

/* Memory of the process that the guest should not see */
static bool attack_ioctl(void)
{
	static char page[PAGE] __attribute__((aligned(PAGE)));
	struct svmrun_map map = {
		.size = sizeof(map),
		.flags = SVMRUN_MAP_READ,
		.gpa = 1ull << 32,
		.hva = (uintptr_t)page,
		.length = PAGE,
	};

	return !call(SYS_ioctl, vm, SVMRUN_MAP, (long)&map, 0, 0, 0);
}

/* Survive the next system call that is denied. */
static bool attack_sigaction(void)
{
	return signal(SIGSYS, SIG_IGN) != SIG_ERR;
}

/* getpid() by the calls for 32-bit programs */
static bool attack_int80(void)
{
	long ret = 20;

	asm volatile("int $0x80" : "+a"(ret) : : "memory");
	return ret > 0;
}

static const struct {
	const char *name;
	bool (*attack)(void);
} attacks[] = {
	{ "open", attack_open },	   { "unlink", attack_unlink },
	{ "execve", attack_execve },	   { "socket", attack_socket },
	{ "kill", attack_kill },	   { "ptrace", attack_ptrace },
	{ "fork", attack_fork },	   { "mmap", attack_mmap },
	{ "mprotect", attack_mprotect },   { "ioctl", attack_ioctl },
	{ "sigaction", attack_sigaction }, { "int80", attack_int80 },
};

static void print_result(bool success, const char *name)
{
	char text[64];
	int size = snprintf(text, sizeof(text), "%s: %s\n",
			    success ? "escaped" : "failed", name);

	call(SYS_write, STDERR_FILENO, (long)text, size, 0, 0, 0);
}

static bool is_wanted(const char *thread)
{
	const char *wanted = getenv("ESCAPE_THREAD");

	return wanted && !strcmp(wanted, thread);
}

/* Attack once, if this thread is to do so. */
static void attack_from(const char *thread)
{
	const char *name = getenv("ESCAPE");
	static atomic_flag done = ATOMIC_FLAG_INIT;
	size_t i;

	if (!name || !is_wanted(thread) || atomic_flag_test_and_set(&done))
		return;
	for (i = 0; i < ARRAY_SIZE(attacks); i++)
		if (!strcmp(attacks[i].name, name))
			print_result(attacks[i].attack(), name);
}

/* ---- functions of the C library that the tool calls ---------------------- */

/* The first shared mapping is that of the first processor's pages. */
void *mmap(void *at, size_t size, int protection, int flags, int fd,
	   off_t offset)
{
	void *pages = (void *)call(SYS_mmap, (long)at, size, protection, flags,
				   fd, offset);

	if (fd >= 0 && (flags & MAP_SHARED) && !vmcb)
		vmcb = pages;
	return pages;
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	long argument;
	int ret;

	va_start(arguments, request);
	argument = va_arg(arguments, long);
	va_end(arguments);
	ret = call(SYS_ioctl, fd, request, argument, 0, 0, 0);
	if (request == SVMRUN_CREATE_VM)
		vm = ret;
	if (request == SVMRUN_DIRTY)
		attack_from("fuzz");
	if (request == SVMRUN_RUN && !ret && is_wanted("cpu") &&
	    vmcb->control.exitcode == VMEXIT_IOIO &&
	    vmcb->control.exitinfo1 >> 16 == PORT)
		attack_from("cpu");
	return ret;
}

ssize_t preadv(int fd, const struct iovec *buffers, int count, off_t offset)
{
	attack_from("disk");
	return call(SYS_preadv, fd, (long)buffers, count, offset, 0, 0);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
	if (fd == STDOUT_FILENO)
		attack_from("output");
	return call(SYS_write, fd, (long)bytes, size, 0, 0, 0);
}

ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
	attack_from("gdb");
	return call(SYS_recvfrom, fd, (long)bytes, size, flags, 0, 0);
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	int ret = call(SYS_poll, (long)fds, count, timeout, 0, 0, 0);

	if (count > 1 && timeout < 0)
		attack_from("main");
	return ret;
}

long syscall(long number, ...)
{
	const char *lacks = getenv("LACKS");
	long values[6];
	va_list arguments;
	size_t i;

	va_start(arguments, number);
	for (i = 0; i < 6; i++)
		values[i] = va_arg(arguments, long);
	va_end(arguments);
	if (lacks && number == SYS_seccomp && !strcmp(lacks, "seccomp")) {
		errno = EINVAL;
		return -1;
	}
	if (lacks && number == SYS_landlock_create_ruleset &&
	    !strcmp(lacks, "landlock")) {
		errno = ENOSYS;
		return -1;
	}
	if (lacks && number == SYS_seccomp && values[2] &&
	    values[0] == SECCOMP_SET_MODE_FILTER &&
	    !strcmp(lacks, "all except landlock"))
		return 0;
	return call(number, values[0], values[1], values[2], values[3],
		    values[4], values[5]);
}
