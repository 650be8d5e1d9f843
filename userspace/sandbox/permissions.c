// SPDX-License-Identifier: GPL-2.0
/* The system calls that are permitted in the sandbox. All others end the process. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <netinet/in.h>

#include <linux/seccomp.h>
#include <linux/svmrun.h>

#include "lib/array_size.h"
#include "permissions.h"
#include "sandbox.h"

#define MAIN (1u << SANDBOX_MAIN)
#define CPU (1u << SANDBOX_CPU)
#define DISK (1u << SANDBOX_DISK)
#define OUTPUT (1u << SANDBOX_OUTPUT)
#define GDB (1u << SANDBOX_GDB)
#define FUZZ (1u << SANDBOX_FUZZ)
#define HELPER (1u << SANDBOX_HELPER)
#define START PERMISSION_START
#define SOCKET PERMISSION_SOCKET
#define NESTED PERMISSION_NESTED
#define SAVE PERMISSION_SAVE
#define INPUTS PERMISSION_INPUTS
#define SNAPSHOT PERMISSION_SNAPSHOT
#define ALL (MAIN | CPU | DISK | OUTPUT | GDB | FUZZ | HELPER)

/* The flags with which fork() calls clone() */
#define FORK (SIGCHLD | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID)

/* Since version 2.42, the GNU C library uses these; <asm/termbits.h> cannot be included. */
#define TERMINAL_GETS2 0x802c542a
#define TERMINAL_SETS2 0x402c542b
#define TERMINAL_SETSW2 0x402c542c

#define CALL(name, threads)                                                    \
	{                                                                      \
		SCMP_SYS(name), threads, 0,                                    \
		{                                                              \
		}                                                              \
	}
#define CALL_IF(name, threads, ...)                                            \
	{                                                                      \
		SCMP_SYS(name), threads, 1,                                    \
		{                                                              \
			__VA_ARGS__                                            \
		}                                                              \
	}
#define CALL_IF2(name, threads, ...)                                           \
	{                                                                      \
		SCMP_SYS(name), threads, 2,                                    \
		{                                                              \
			__VA_ARGS__                                            \
		}                                                              \
	}
#define IS(argument, value) SCMP_CMP64(argument, SCMP_CMP_EQ, value, 0)
#define IS_NOT(argument, value) SCMP_CMP64(argument, SCMP_CMP_NE, value)
#define HAS(argument, bit) SCMP_CMP64(argument, SCMP_CMP_MASKED_EQ, bit, bit)
#define HAS_NOT(argument, bit) SCMP_CMP64(argument, SCMP_CMP_MASKED_EQ, bit, 0)
/* Flags of open() that neither write to a file nor create one */
#define READS(argument)                                                        \
	SCMP_CMP64(argument, SCMP_CMP_MASKED_EQ,                               \
		   O_ACCMODE | O_CREAT | O_TRUNC | O_TMPFILE, O_RDONLY)

const struct permission permissions[] = {
	/*
	 * The guest. Other requests could map memory of the process in the VM, or create
	 * VMs; a terminal (TIOCSTI) or a disk (SG_IO) has some that reach other programs.
	 */
	CALL_IF(ioctl, CPU | FUZZ, IS(1, SVMRUN_RUN)),
	CALL_IF(ioctl, FUZZ, IS(1, SVMRUN_DIRTY)), /* reset */
	/* Memory of the guest's guests; the VMs exist already. */
	CALL_IF(ioctl, NESTED, IS(1, SVMRUN_MAP)),
	CALL_IF(ioctl, NESTED, IS(1, SVMRUN_UNMAP)),
	/* Any thread can send an interrupt. */
	CALL_IF(ioctl, ALL, IS(1, SVMRUN_KICK)),
	CALL(timer_settime, CPU | FUZZ), /* the next deadline of a device */
	CALL(timer_delete, CPU | FUZZ),
	CALL(getcpu, CPU), /* KVM's clock, where the vDSO does not serve it */
	CALL(getrandom, ALL), /* entropy device; malloc() */

	/* Locks, time and signals */
	CALL(futex, ALL),
	CALL(clock_gettime, ALL), /* where the vDSO does not serve it */
	CALL(restart_syscall, ALL), /* a wait that SIGSTOP has interrupted */
	CALL(rt_sigreturn, ALL),
	CALL(rt_sigprocmask, ALL), /* raise() */
	CALL(getpid, ALL), /* raise() */
	CALL(gettid, ALL), /* raise() */
	/* Interrupt other threads; raise() and abort(). */
	CALL_IF(tgkill, ALL, IS(0, PERMISSION_OWN_ID)),
	/* The handler of SIGSYS, which ends the process, stays. */
	CALL_IF(rt_sigaction, MAIN | FUZZ | HELPER | START, IS_NOT(0, SIGSYS)),

	/* Memory: none that is executable, and none of a file */
	CALL_IF2(mmap, ALL, HAS_NOT(2, PROT_EXEC), HAS(3, MAP_ANONYMOUS)),
	CALL_IF(mprotect, ALL, HAS_NOT(2, PROT_EXEC)), /* and test device */
	CALL(mremap, ALL), /* realloc() */
	CALL(munmap, ALL),
	CALL(brk, ALL),
	CALL(madvise, ALL), /* clears memory on a reset; stacks */
	CALL(mincore, MAIN), /* --top */
	/* malloc() counts processors. */
	CALL_IF(sched_getaffinity, ALL, IS(0, 0)),

	/* Standard files and events */
	CALL(write, ALL), /* messages, the guest's output, events */
	CALL(writev, ALL), /* the C library's message before it aborts */
	CALL(read, MAIN | CPU | GDB | FUZZ), /* standard input, events */
	CALL(poll, MAIN | CPU | OUTPUT | GDB),
	CALL(close, MAIN | GDB | FUZZ),
	CALL_IF(ioctl, MAIN | CPU, IS(1, FIONREAD)), /* bytes of input */
	CALL_IF(ioctl, MAIN, IS(1, TCGETS)), /* isatty() */
	CALL_IF(ioctl, MAIN, IS(1, TERMINAL_GETS2)),
	/* Restore the terminal, also after a call that is denied. */
	CALL_IF(ioctl, ALL, IS(1, TCSETS)),
	CALL_IF(ioctl, ALL, IS(1, TERMINAL_SETS2)),
	CALL_IF(ioctl, MAIN, IS(1, TCSETSW)),
	CALL_IF(ioctl, MAIN, IS(1, TERMINAL_SETSW2)),

	/* Files of disks, which are open */
	CALL(preadv, DISK),
	CALL(pwritev, DISK),
	CALL(pwrite64, DISK | SAVE | SNAPSHOT), /* zeros; pages */
	CALL(fdatasync, DISK | SAVE),
	CALL(fallocate, DISK | SAVE), /* discard */

	/* The file to which the machine is saved, which is open */
	CALL(ftruncate, SAVE | SNAPSHOT),
	CALL(flock, SAVE),
	CALL(pread64, SAVE), /* pagemap */
	CALL(lseek, SAVE),
	CALL(fstat, SAVE), /* a disk's time of the last write */

	/* The snapshot and the clone of svmrun fuzz */
	CALL_IF(ioctl, SNAPSHOT, IS(1, SVMRUN_INFO)),
	CALL_IF(ioctl, SNAPSHOT, IS(1, SVMRUN_CREATE_VM)),
	CALL_IF(ioctl, SNAPSHOT, IS(1, SVMRUN_CREATE_VCPU)),
	CALL_IF(ioctl, SNAPSHOT, IS(1, SVMRUN_MAP)),
	CALL_IF(ioctl, SNAPSHOT, IS(1, SVMRUN_PROTECT)),
	CALL_IF(mmap, SNAPSHOT, HAS_NOT(2, PROT_EXEC)),
	CALL(memfd_create, SNAPSHOT),
	CALL_IF(fcntl, SNAPSHOT, IS(1, F_ADD_SEALS)),
	CALL(eventfd2, SNAPSHOT), /* breakpoint of --start */

	/* Inputs from files; Landlock permits only those in the same directories. */
	CALL_IF(openat, INPUTS, READS(2)),

	CALL(shmdt, FUZZ), /* afl-fuzz's map and input, at the end */

	/* A process that only sleeps, and the thread that creates it */
	CALL_IF(clone, HELPER, IS(0, FORK)),
	CALL(waitid, HELPER),
	CALL_IF2(prctl, HELPER, IS(0, PR_SET_PDEATHSIG), IS(1, SIGKILL)),
	CALL(getppid, HELPER),
	CALL(close_range, HELPER),
	CALL(rt_sigsuspend, HELPER),
	CALL(set_robust_list, HELPER), /* fork() */

	/* gdb, on a socket that listens already */
	CALL(accept4, GDB),
	CALL_IF(setsockopt, GDB, IS(1, IPPROTO_TCP)),
	CALL(recvfrom, GDB),
	CALL(sendto, GDB),
	CALL(unlink, SOCKET), /* Landlock permits it in one directory */

	/* Threads, which are created after the process is confined */
	CALL_IF(clone, START, HAS(0, CLONE_THREAD)),
	CALL(set_robust_list, START),
	CALL(rseq, START),
	CALL(timer_create, START),
	CALL_IF2(seccomp, START, IS(0, SECCOMP_SET_MODE_FILTER), IS(1, 0)),
	CALL(exit, ALL),
	CALL(exit_group, ALL),
};

const size_t permission_count = ARRAY_SIZE(permissions);
