// SPDX-License-Identifier: GPL-2.0
/*
 * A slow disk: preloaded into svmrun, it makes the system call that the variable SLOW names
 * wait for ever, by a system call that the sandbox permits.
 */
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static void wait_if_slow(const char *name)
{
	const char *slow = getenv("SLOW");
	sem_t never;

	sem_init(&never, 0, 0);
	while (slow && !strcmp(slow, name))
		sem_wait(&never);
}

ssize_t preadv(int fd, const struct iovec *buffers, int count, off_t offset)
{
	wait_if_slow("preadv");
	return syscall(SYS_preadv, fd, buffers, count, offset, 0);
}

ssize_t pwritev(int fd, const struct iovec *buffers, int count, off_t offset)
{
	wait_if_slow("pwritev");
	return syscall(SYS_pwritev, fd, buffers, count, offset, 0);
}

int fdatasync(int fd)
{
	wait_if_slow("fdatasync");
	return syscall(SYS_fdatasync, fd);
}
