/* SPDX-License-Identifier: GPL-2.0 */
/* The CPU that a thread runs on */
#ifndef CPUS_H
#define CPUS_H

#include <errno.h>
#include <sched.h>

/*
 * Pin the calling thread, and the threads that it creates from then on, to a CPU. Return 0
 * or a negative errno.
 */
static inline int cpu_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

#endif /* CPUS_H */
