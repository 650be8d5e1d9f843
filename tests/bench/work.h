/* SPDX-License-Identifier: GPL-2.0 */
/* What is measured, and what the measurements share */
#ifndef WORK_H
#define WORK_H

#include <x86intrin.h>

#include "engine.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define PAGE 4096ul
#define MIB (1ul << 20)
#define ROUNDS 1000

/* Where things are in a guest's memory */
#define CODE 0x1000u
#define LOW_SIZE (64 * 1024ul)
#define DATA (1u << 30)

typedef unsigned long long ticks;

/* What an engine has not */
#define NONE (~0ull)

/* Zeroed memory that is there already, at an address of which @align is part */
void *memory_create(size_t size, size_t align, int advice);

/* A machine with @low in its low memory */
struct machine *machine_begin(const struct engine *engine, void *low);

/* The same, with @code there */
struct machine *machine_create(const struct engine *engine, const char *code,
			       size_t size);

ticks null_ioctl(const struct engine *engine);
ticks out_exit(const struct engine *engine);
ticks hlt_exit(const struct engine *engine);
ticks cpuid_exit(const struct engine *engine);
ticks host_irq(const struct engine *engine);
ticks host_irq_above(const struct engine *engine);

ticks create_first_exit(const struct engine *engine);
ticks create_first_exit_200(const struct engine *engine);
ticks create_first_exit_1000(const struct engine *engine);
ticks destroy(const struct engine *engine);
ticks kib_per_vm(const struct engine *engine);

ticks fault_4k(const struct engine *engine);
ticks fault_sparse(const struct engine *engine);
ticks fault_2m(const struct engine *engine);
ticks fault_logged(const struct engine *engine);
ticks protect_4k(const struct engine *engine);
ticks protect_caught(const struct engine *engine);

ticks reset_page(const struct engine *engine);
ticks reset_one(const struct engine *engine);
ticks clone_first_insn(const struct engine *engine);

#endif /* WORK_H */
