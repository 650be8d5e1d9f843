// SPDX-License-Identifier: GPL-2.0
/*
 * Exits per second, by the clock: of one vCPU, and of two on two processors, of one VM
 * and of two VMs
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "work.h"

#define PROCESSORS 2
#define PAIRS 31
#define SPELL 60000 /* us */
#define WARM_UP 500 /* exits */

/**
 * struct runner - a thread that runs a vCPU on a processor of its own
 * @thread: it
 * @processor: that
 * @engine: of the machine
 * @machine: the vCPU's
 * @rate: exits per second
 */
struct runner {
	pthread_t thread;
	unsigned int processor;
	const struct engine *engine;
	struct machine *machine;
	double rate;
};

/* All begin when the last has warmed up. */
static pthread_barrier_t warm;
static volatile bool stop;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void settle(unsigned int processor)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(processor, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fail("sched_setaffinity");
}

static void exit_once(const struct runner *r)
{
	r->engine->run(r->machine);
	r->engine->step(r->machine, 2);
}

static void *run(void *argument)
{
	struct runner *r = argument;
	unsigned long count = 0;
	double begin;

	settle(r->processor);
	r->engine->start(r->machine, CODE, 0, 0);
	for (int i = 0; i < WARM_UP; i++)
		exit_once(r);
	pthread_barrier_wait(&warm);
	begin = now();
	for (; !stop; count++)
		exit_once(r);
	r->rate = count / (now() - begin);
	return NULL;
}

/* Of @count together */
static double rate(struct runner *runners, unsigned int count)
{
	double sum = 0;

	stop = false;
	pthread_barrier_init(&warm, NULL, count + 1);
	for (unsigned int i = 0; i < count; i++)
		if (pthread_create(&runners[i].thread, NULL, run, &runners[i]))
			fail("pthread_create");
	pthread_barrier_wait(&warm);
	usleep(SPELL);
	stop = true;
	for (unsigned int i = 0; i < count; i++) {
		pthread_join(runners[i].thread, NULL);
		sum += runners[i].rate;
	}
	pthread_barrier_destroy(&warm);
	return sum;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double middle(double *values)
{
	qsort(values, PAIRS, sizeof(*values), compare);
	return values[PAIRS / 2];
}

/* @own, @other: what was measured in turns, sorted afterwards */
static void report_pairs(struct result r, double *own, double *other)
{
	double ratio[PAIRS];

	for (int i = 0; i < PAIRS; i++)
		ratio[i] = own[i] / other[i];
	r.own = middle(own);
	r.other = middle(other);
	r.ratio = middle(ratio);
	report(&r);
}

/* What is measured of an engine in a turn */
enum { ONE, TWO, TWO_VMS, SCALING, SCALING_VMS, FIGURES };

static void measure_machines(struct runner *one, struct runner *two,
			     struct runner *two_vms, double *figures)
{
	figures[ONE] = rate(one, 1);
	figures[TWO] = rate(two, PROCESSORS);
	figures[TWO_VMS] = rate(two_vms, PROCESSORS);
	figures[SCALING] = figures[TWO] / figures[ONE];
	figures[SCALING_VMS] = figures[TWO_VMS] / figures[ONE];
}

/* Alone on @processor: on each of them in turns */
static void measure(const struct engine *engine, unsigned int processor,
		    double *figures)
{
	const char code[] = { 0xe6, 0x80, 0xeb, 0xfc }; /* out; jmp */
	struct machine *machine = machine_create(engine, code, sizeof(code));
	struct machine *sibling = engine->sibling(machine);
	struct machine *other = machine_create(engine, code, sizeof(code));
	struct runner one = { .engine = engine,
			      .machine = machine,
			      .processor = processor };
	struct runner two[] = {
		{ .engine = engine, .machine = machine },
		{ .engine = engine, .machine = sibling, .processor = 1 }
	};
	struct runner two_vms[] = {
		{ .engine = engine, .machine = machine },
		{ .engine = engine, .machine = other, .processor = 1 }
	};

	measure_machines(&one, two, two_vms, figures);
	engine->destroy(other);
	engine->destroy(sibling);
	engine->destroy(machine);
}

static const struct result results[FIGURES] = {
	[ONE] = { .name = "smp_one",
		  .text = "exits per second of a vCPU",
		  .unit = "exits/s" },
	[TWO] = { .name = "smp_two",
		  .text = "... of two of a VM, on two processors",
		  .unit = "exits/s" },
	[TWO_VMS] = { .name = "smp_two_vms",
		      .text = "... of two VMs, on two processors",
		      .unit = "exits/s" },
	[SCALING] = { .name = "smp_scaling",
		      .text = "... two of a VM by one",
		      .unit = "times",
		      .digits = 2 },
	[SCALING_VMS] = { .name = "smp_scaling_vms",
			  .text = "... two VMs by one",
			  .unit = "times",
			  .digits = 2 },
};

void smp(void)
{
	static double own[FIGURES][PAIRS], other[FIGURES][PAIRS];
	double figures[FIGURES];

	if (!svmrun_engine.open() || !kvm_engine.open())
		fail("svmrun and KVM");
	for (int i = 0; i < PAIRS; i++) {
		measure(&svmrun_engine, i % PROCESSORS, figures);
		for (int j = 0; j < FIGURES; j++)
			own[j][i] = figures[j];
		measure(&kvm_engine, i % PROCESSORS, figures);
		for (int j = 0; j < FIGURES; j++)
			other[j][i] = figures[j];
	}
	report_head();
	for (int j = 0; j < FIGURES; j++)
		report_pairs(results[j], own[j], other[j]);
}
