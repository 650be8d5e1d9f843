// SPDX-License-Identifier: GPL-2.0
/*
 * Exits per second: of one vCPU, of two vCPUs of one VM on two processors, and of
 * two VMs. Also the scaling of the cheapest call, which runs no guest and so shows
 * the emulator's limit.
 */
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "work.h"

#define PROCESSORS 2
#define PAIRS 31
#define SPELL 60000 /* in us */
#define WARM_UP 500 /* exits */
#define PATIENCE 5000 /* ms for the warm-up */

/**
 * struct runner - a thread that runs a vCPU on its own processor
 * @thread: the thread
 * @processor: its processor
 * @engine: the machine's engine
 * @machine: the machine with the vCPU
 * @null: make the cheapest call instead of running
 * @rate: exits per second
 */
struct runner {
	pthread_t thread;
	unsigned int processor;
	const struct engine *engine;
	struct machine *machine;
	bool null;
	double rate;
};

static atomic_uint warm; /* number of threads after their warm-up */
static atomic_bool go; /* all of them are */
static atomic_bool stop;

/* A signal ends a run. */
static void on_signal(int number)
{
}

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
	if (r->null) {
		r->engine->null(r->machine);
		return;
	}
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
	for (int i = 0; i < WARM_UP && !stop; i++)
		exit_once(r);
	warm++;
	while (!go && !stop)
		exit_once(r);
	begin = now();
	for (; !stop; count++)
		exit_once(r);
	r->rate = count / (now() - begin);
	return NULL;
}

/* Signal repeatedly, because a guest may be about to be entered. */
static void end(struct runner *r)
{
	struct timespec until;

	stop = true;
	do {
		pthread_kill(r->thread, SIGUSR1);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec++;
	} while (pthread_timedjoin_np(r->thread, NULL, &until));
}

static bool is_warm(unsigned int count)
{
	for (int i = 0; warm < count && i < PATIENCE; i++)
		usleep(1000);
	return warm == count;
}

/*
 * Return the sum of the rates of @count threads; NaN if one never exited, which
 * happens if one hypervisor emulates another.
 */
static double rate(struct runner *runners, unsigned int count)
{
	double sum = 0;

	warm = 0;
	go = false;
	stop = false;
	for (unsigned int i = 0; i < count; i++)
		if (pthread_create(&runners[i].thread, NULL, run, &runners[i]))
			fail("pthread_create");
	if (is_warm(count)) {
		go = true;
		usleep(SPELL);
	} else {
		sum = NAN;
	}
	for (unsigned int i = 0; i < count; i++) {
		end(&runners[i]);
		sum += runners[i].rate;
	}
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

/* @own, @other: measured alternately; sorted by this function */
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

/* Results of one turn of an engine */
enum { ONE, TWO, TWO_VMS, SCALING, SCALING_VMS, SCALING_NULL, FIGURES };

static void measure_machines(struct runner *one, struct runner *two,
			     struct runner *two_vms, double *figures)
{
	figures[ONE] = rate(one, 1);
	figures[TWO] = rate(two, PROCESSORS);
	figures[TWO_VMS] = rate(two_vms, PROCESSORS);
	figures[SCALING] = figures[TWO] / figures[ONE];
	figures[SCALING_VMS] = figures[TWO_VMS] / figures[ONE];
}

static void measure_null(struct runner *two, double *figures)
{
	double one;

	two[0].null = true;
	two[1].null = true;
	one = rate(two, 1);
	figures[SCALING_NULL] = rate(two, PROCESSORS) / one;
}

/*
 * A single vCPU runs on @processor, alternating between turns. Return false if a
 * result is missing.
 */
static bool measure(const struct engine *engine, unsigned int processor,
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
	measure_null(two, figures);
	engine->destroy(other);
	engine->destroy(sibling);
	engine->destroy(machine);
	return !isnan(figures[ONE] + figures[TWO] + figures[TWO_VMS]);
}

/* Measure both engines, one after the other; @try selects the processor. */
static bool measure_pair(int try, double *own, double *other)
{
	return measure(&svmrun_engine, try % PROCESSORS, own) &&
	       measure(&kvm_engine, try % PROCESSORS, other);
}

static const struct result results[FIGURES] = {
	[ONE] = { .name = "smp_one",
		  .text = "exits per second of a vCPU",
		  .unit = "exits/s" },
	[TWO] = { .name = "smp_two",
		  .text = "... of two vCPUs of one VM, on two processors",
		  .unit = "exits/s" },
	[TWO_VMS] = { .name = "smp_two_vms",
		      .text = "... of two VMs, on two processors",
		      .unit = "exits/s" },
	[SCALING] = { .name = "smp_scaling",
		      .text = "... two vCPUs of one VM, relative to one",
		      .unit = "times",
		      .digits = 2 },
	[SCALING_VMS] = { .name = "smp_scaling_vms",
			  .text = "... two VMs, relative to one",
			  .unit = "times",
			  .digits = 2 },
	[SCALING_NULL] = { .name = "smp_scaling_null",
			   .text = "null ioctls, two threads, relative to one",
			   .unit = "times",
			   .digits = 2 },
};

void smp(void)
{
	static double own[FIGURES][PAIRS], other[FIGURES][PAIRS];
	double svmrun[FIGURES], kvm[FIGURES];
	int pairs = 0, tries = 0;

	signal(SIGUSR1, on_signal);
	if (!svmrun_engine.open() || !kvm_engine.open())
		fail("cannot open svmrun and KVM");
	for (; pairs < PAIRS && tries < 2 * PAIRS; tries++) {
		if (!measure_pair(pairs, svmrun, kvm))
			continue;
		for (int j = 0; j < FIGURES; j++) {
			own[j][pairs] = svmrun[j];
			other[j][pairs] = kvm[j];
		}
		pairs++;
	}
	if (pairs < PAIRS)
		fail("a guest never exited in half of all turns");
	if (tries > pairs)
		printf("%d of %d turns omitted because a guest never exited\n",
		       tries - pairs, tries);
	report_head();
	for (int j = 0; j < FIGURES; j++)
		report_pairs(results[j], own[j], other[j]);
}
