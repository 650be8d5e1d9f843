/* SPDX-License-Identifier: GPL-2.0 */
/* The measurements, and functions that they share */
#ifndef WORK_H
#define WORK_H

#include <x86intrin.h>

#include "engine.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define PAGE 4096ul
#define MIB (1ul << 20)
#define ROUNDS 1000

/*
 * Short operations are measured in batches, of which some are interrupted by the
 * host's tick.
 */
#define BATCHES 21
#define BATCH 50

/* Layout of a guest's memory */
#define CODE 0x1000u
#define LOW_SIZE (64 * 1024ul)
#define DATA (1u << 30)

typedef unsigned long long ticks;

/* Result that an engine does not support */
#define NONE (~0ull)

/**
 * struct result - result of a measurement
 * @name: one word
 * @text: one line
 * @unit: unit of the numbers
 * @digits: number of decimals
 * @own: of svmrun
 * @other: of KVM, or negative
 * @ratio: svmrun's divided by KVM's, or negative
 */
struct result {
	const char *name;
	const char *text;
	const char *unit;
	int digits;
	double own;
	double other;
	double ratio;
};

void report_head(void);
void report(const struct result *r);

/* Report a point of a plot: the cost with @x objects. */
void report_point(const char *plot, unsigned int x, double own, double other);

ticks median(ticks *values, size_t count);

/* Allocate zeroed memory that is present, at a multiple of @align. */
void *memory_create(size_t size, size_t align, int advice);

/* Create a machine with @low as its low memory. */
struct machine *machine_begin(const struct engine *engine, void *low);

/* Create a machine with @code in its low memory. */
struct machine *machine_create(const struct engine *engine, const char *code,
			       size_t size);

/* Return the ticks between two exits of a guest that exits all the time. */
ticks exits_of(const struct engine *engine, struct machine *machine,
	       unsigned int length);
ticks null_ioctl(const struct engine *engine);
ticks out_exit(const struct engine *engine);
ticks hlt_exit(const struct engine *engine);
ticks cpuid_exit(const struct engine *engine);
ticks host_irq(const struct engine *engine);
ticks host_irq_whole(const struct engine *engine);

ticks create_first_exit(const struct engine *engine);
ticks create_first_exit_200(const struct engine *engine);
ticks create_first_exit_1000(const struct engine *engine);
ticks create_beside(const struct engine *engine, unsigned int others);
ticks destroy(const struct engine *engine);
ticks kib_per_vm(const struct engine *engine);

ticks fault_4k(const struct engine *engine);
ticks fault_sparse(const struct engine *engine);
ticks fault_2m(const struct engine *engine);
ticks fault_logged(const struct engine *engine);
ticks protect_4k(const struct engine *engine);
ticks protect_caught(const struct engine *engine);

ticks invalidate_1(const struct engine *engine);
ticks invalidate_100(const struct engine *engine);
ticks invalidate_most(const struct engine *engine);
ticks invalidate_few_of_most(const struct engine *engine);

ticks reset_page(const struct engine *engine);
ticks reset_one(const struct engine *engine);
ticks reset_one_large(const struct engine *engine);
ticks clone_first_insn(const struct engine *engine);

ticks nested_cpuid(const struct engine *engine);
ticks nested_switch(const struct engine *engine);
ticks nested_interrupt(const struct engine *engine);
ticks nested_fault(const struct engine *engine);

void smp(void);
void growth(void);

#endif /* WORK_H */
