// SPDX-License-Identifier: GPL-2.0
#include "coverage.h"

#include <fcntl.h>
#include <linux/kcov.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define KCOV "/sys/kernel/debug/kcov"
#define ENTRIES (1ul << 16)

void coverage_open(struct coverage *coverage)
{
	void *pcs = MAP_FAILED;

	coverage->fd = open(KCOV, O_RDWR | O_CLOEXEC);
	if (coverage->fd >= 0 && !ioctl(coverage->fd, KCOV_INIT_TRACE, ENTRIES))
		pcs = mmap(NULL, ENTRIES * sizeof(uint64_t),
			   PROT_READ | PROT_WRITE, MAP_SHARED, coverage->fd, 0);
	if (pcs == MAP_FAILED)
		coverage->fd = -1;
	else
		coverage->pcs = pcs;
}

void coverage_begin(struct coverage *coverage)
{
	if (coverage->fd < 0)
		return;
	ioctl(coverage->fd, KCOV_ENABLE, KCOV_TRACE_PC);
	__atomic_store_n(&coverage->pcs[0], 0, __ATOMIC_RELAXED);
}

void coverage_end(struct coverage *coverage)
{
	if (coverage->fd >= 0)
		ioctl(coverage->fd, KCOV_DISABLE, 0);
}

/* Hash a pair of consecutive addresses, because their order matters. */
static uint16_t hash(uint64_t from, uint64_t to)
{
	return (from * 31 + to) * 0x9e3779b97f4a7c15 >> 48;
}

bool coverage_add(struct covered *covered, const struct coverage *coverage)
{
	uint64_t count, last = 0;
	bool new = false;

	if (coverage->fd < 0)
		return false;
	count = coverage->pcs[0];
	for (uint64_t i = 1; i <= count; i++) {
		uint16_t edge = hash(last, coverage->pcs[i]);

		last = coverage->pcs[i];
		if (covered->seen[edge])
			continue;
		covered->seen[edge] = 1;
		covered->edges++;
		new = true;
	}
	return new;
}
