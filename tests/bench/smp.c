// SPDX-License-Identifier: GPL-2.0
/* Exits per second, of one vCPU, and of two of the same VM on two processors */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "work.h"

#define PAIRS 15
#define SPELL 200000 /* us */

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

static void *run(void *argument)
{
	struct runner *r = argument;
	unsigned long count = 0;
	double begin;

	settle(r->processor);
	r->engine->start(r->machine, CODE, 0, 0);
	begin = now();
	while (!stop) {
		r->engine->run(r->machine);
		r->engine->step(r->machine, 2);
		count++;
	}
	r->rate = count / (now() - begin);
	return NULL;
}

/* Of @vcpus vCPUs together */
static double rate(const struct engine *engine, unsigned int vcpus)
{
	const char code[] = { 0xe6, 0x80, 0xeb, 0xfc }; /* out; jmp */
	struct runner runners[2];
	double sum = 0;

	stop = false;
	for (unsigned int i = 0; i < vcpus; i++) {
		runners[i] = (struct runner){
			.processor = i,
			.engine = engine,
			.machine = i ? engine->sibling(runners[0].machine) :
				       machine_create(engine, code,
						      sizeof(code)),
		};
	}
	for (unsigned int i = 0; i < vcpus; i++)
		if (pthread_create(&runners[i].thread, NULL, run, &runners[i]))
			fail("pthread_create");
	usleep(SPELL);
	stop = true;
	for (unsigned int i = 0; i < vcpus; i++) {
		pthread_join(runners[i].thread, NULL);
		sum += runners[i].rate;
	}
	while (vcpus--)
		engine->destroy(runners[vcpus].machine);
	return sum;
}

/* What is measured of both, in turns */
struct pair {
	double own, other;
};

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

static void report_pairs(struct result r, const struct pair *pairs)
{
	double own[PAIRS], other[PAIRS], ratio[PAIRS];

	for (int i = 0; i < PAIRS; i++) {
		own[i] = pairs[i].own;
		other[i] = pairs[i].other;
		ratio[i] = own[i] / other[i];
	}
	r.own = middle(own);
	r.other = middle(other);
	r.ratio = middle(ratio);
	report(&r);
}

static void measure(const struct engine *engine, double *one, double *two,
		    double *scaling)
{
	*one = rate(engine, 1);
	*two = rate(engine, 2);
	*scaling = *two / *one;
}

void smp(void)
{
	static const struct result results[] = {
		{ .name = "smp_one",
		  .text = "exits per second of a vCPU",
		  .unit = "exits/s" },
		{ .name = "smp_two",
		  .text = "... of two, on two processors",
		  .unit = "exits/s" },
		{ .name = "smp_scaling",
		  .text = "... two by one",
		  .unit = "times",
		  .digits = 2 },
	};
	struct pair one[PAIRS], two[PAIRS], scaling[PAIRS];

	if (!svmrun_engine.open() || !kvm_engine.open())
		fail("svmrun and KVM");
	for (int i = 0; i < PAIRS; i++) {
		measure(&svmrun_engine, &one[i].own, &two[i].own,
			&scaling[i].own);
		measure(&kvm_engine, &one[i].other, &two[i].other,
			&scaling[i].other);
	}
	report_head();
	report_pairs(results[0], one);
	report_pairs(results[1], two);
	report_pairs(results[2], scaling);
}
