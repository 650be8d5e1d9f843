/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the devices of libsvmrun-machine have in common.
 *
 * A device is a structure that its owner keeps, and functions that take it. None
 * allocates, blocks, prints or looks at a clock; none is safe against two threads at
 * once: the owner has one lock for all that are wired together. Time is an argument,
 * @now, in nanoseconds of any clock that never goes back. A device with timers says
 * with its deadline() when it wants its advance() next, at the latest; SVMRUN_NEVER
 * if it does not. All may be given whatever a guest can do: a register that is not
 * there reads as zeros, or all ones where the bus would, and swallows writes.
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
 * struct svmrun_line - a wire that a device drives, such as its interrupt request
 * @set: told each level, also one that is not new; NULL for a wire that ends nowhere
 * @owner: its first argument
 * @number: its second
 *
 * It never grows.
 */
struct svmrun_line {
	void (*set)(void *owner, unsigned int number, bool level);
	void *owner;
	unsigned int number;
};

/**
 * svmrun_line_set() - drive a wire
 * @line: the wire
 * @level: high or low
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
