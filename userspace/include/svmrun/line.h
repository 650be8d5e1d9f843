/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Conventions of the devices in libsvmrun-machine, and the line that connects two.
 *
 * A device is a structure, which its owner allocates, and functions on it. They do not
 * allocate memory, block, print or read a clock. They are not thread-safe: the owner
 * needs one lock for all devices that are connected. Time is an argument, @now, in
 * nanoseconds of a monotonic clock. The deadline() of a device with timers returns when
 * its advance() must be called next, at the latest, or SVMRUN_NEVER. The functions
 * accept everything that a guest can do: a register that does not exist reads as zero,
 * or as all ones if the bus would return that, and writes to it are ignored.
 */
#ifndef SVMRUN_LINE_H
#define SVMRUN_LINE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_NEVER UINT64_MAX

/**
 * struct svmrun_line - a line that a device drives, such as its interrupt request
 * @set: called with the level whenever the device drives the line, even if the level has
 *	not changed; NULL for a line that is not connected
 * @owner: first argument of @set
 * @number: second argument of @set
 *
 * It never grows.
 */
struct svmrun_line {
	void (*set)(void *owner, unsigned int number, bool level);
	void *owner;
	unsigned int number;
};

/**
 * svmrun_line_set() - drive a line
 * @line: the line
 * @level: high (true) or low
 */
static inline void svmrun_line_set(const struct svmrun_line *line, bool level)
{
	if (line->set)
		line->set(line->owner, line->number, level);
}

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_LINE_H */
