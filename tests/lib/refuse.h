/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Let system calls of this process fail from now on (seccomp), to test errors that
 * cannot be caused otherwise.
 */
#ifndef REFUSE_H
#define REFUSE_H

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define REFUSE_LOAD(where) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (where))
#define REFUSE_ONLY(value, others)                                             \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (others))
#define REFUSE_RETURN(value) BPF_STMT(BPF_RET | BPF_K, (value))

/* Fail calls whose argument, masked by @mask, is @value; in its lower 32 bits */
static inline int refuse(uint32_t number, unsigned int argument, uint32_t mask,
			 uint32_t value, int error)
{
	struct sock_filter code[] = {
		REFUSE_LOAD(offsetof(struct seccomp_data, nr)),
		REFUSE_ONLY(number, 4),
		REFUSE_LOAD(offsetof(struct seccomp_data, args[argument])),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask),
		REFUSE_ONLY(value, 1),
		REFUSE_RETURN(SECCOMP_RET_ERRNO | error),
		REFUSE_RETURN(SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {
		.len = sizeof(code) / sizeof(*code),
		.filter = code,
	};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return -errno;
	return 0;
}

static inline int refuse_call(uint32_t number, int error)
{
	return refuse(number, 0, 0, 0, error);
}

static inline int refuse_ioctl(uint32_t request, int error)
{
	return refuse(SYS_ioctl, 1, ~0u, request, error);
}

#endif /* REFUSE_H */
