/* SPDX-License-Identifier: GPL-2.0 */
/*
 * These headers replace the kernel's where an ordinary program compiles files of
 * the module: in the unit tests and the fuzzers. They define what those files use.
 */
#ifndef SHIM_TYPES_H
#define SHIM_TYPES_H

#include_next <linux/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

struct list_head {
	struct list_head *next, *prev;
};

#endif /* SHIM_TYPES_H */
