/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints of the module */
#ifndef TRACING_H
#define TRACING_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

#define TRACING "/sys/kernel/tracing/"

/* Clear the trace buffer, by truncating it. */
static inline int tracing_clear(void)
{
	int fd = open(TRACING "trace", O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* An entry into a guest, from the tracepoint svmrun:enter */
struct entry {
	int cpu;
	unsigned long long vm;
	unsigned int vcpu;
	unsigned long long cr4;
	unsigned int asid;
	unsigned int clean;
	unsigned int tlb_control;
};

static inline int entries_begin(void)
{
	int err = tracing_clear();

	return err ? err :
		     file_write(TRACING "events/svmrun/enter/enable", "1");
}

static inline void entries_end(void)
{
	file_write(TRACING "events/svmrun/enter/enable", "0");
	tracing_clear();
}

static inline bool entry_parse(struct entry *entry, const char *line)
{
	const char *cpu = strstr(line, " ["), *text = strstr(line, ": enter: ");
	unsigned long long rip, eventinj;

	return cpu && text && sscanf(cpu, " [%d]", &entry->cpu) == 1 &&
	       sscanf(text,
		      ": enter: vm=%llu vcpu=%u rip=%llx cr4=%llx eventinj=%llx asid=%u clean=%x tlb_control=%u",
		      &entry->vm, &entry->vcpu, &rip, &entry->cr4, &eventinj,
		      &entry->asid, &entry->clean, &entry->tlb_control) == 8;
}

/*
 * Return the number of entries since the buffer was cleared; the oldest is first.
 */
static inline int entries_read(struct entry *entries, int most)
{
	FILE *trace = fopen(TRACING "trace", "r");
	char line[512];
	int count = 0;

	if (!trace)
		return -errno;
	while (count < most && fgets(line, sizeof(line), trace))
		count += entry_parse(&entries[count], line);
	fclose(trace);
	return count;
}

#endif /* TRACING_H */
