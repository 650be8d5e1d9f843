// SPDX-License-Identifier: GPL-2.0
/*
 * Random guests in random VMCBs, in the nested VM. The host's processor state must
 * not change, and its kernel log must be clean afterwards. The same seed results in
 * the same guests, except for the effects of the second thread and the clock.
 *
 * Some guests are run twice, with and without one kind of mutation: different
 * outcomes show that the kind has an effect.
 */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

#include "hoststate.h"
#include "xorshift.h"
#include "guest.h"
#include "kselftest.h"
#include "mercy.h"
#include "mutation.h"
#include "racer.h"
#include "tally.h"

#define RUNS 4 /* runs of each guest, which continues after what made it exit */
#define RUNS_RACED 8
#define EPOCH 256 /* guests per VM */
#define TWINS 4 /* one in so many guests is run twice */
#define HOST_CHECK 16 /* guests between checks of the host */

#define PATIENCE 2000 /* limit of a run in microseconds */
#define PROGRESS 5 /* seconds */

#define KIND(kind) (1u << (kind))
#define ALL_KINDS (KIND(MUTATION_KINDS) - 1)

/**
 * struct guest - how to create a guest
 * @kinds: kinds of mutation
 * @seed: of its random numbers
 * @raced: a second thread changes it, or its twin
 */
struct guest {
	uint32_t kinds;
	uint64_t seed;
	bool raced;
};

struct fuzzer {
	struct subject subject;
	struct racer racer;
	struct tally tally;
	int device;
	bool verbose;
	unsigned long seed, first, runs;
	char *host;
	bool host_differs;
	time_t begun, printed;
};

/* ---- one guest ------------------------------------------------------------- */

static void on_alarm(int number)
{
}

/*
 * The timer repeats, because a signal may arrive before the guest is entered. It is
 * disabled while results are printed, which a signal could truncate.
 */
static void set_alarm(suseconds_t patience)
{
	const struct itimerval often = {
		.it_value.tv_usec = patience,
		.it_interval.tv_usec = patience,
	};

	setitimer(ITIMER_REAL, &often, NULL);
}

static struct outcome run(struct fuzzer *fuzzer, const struct guest *guest)
{
	bool race = guest->kinds & KIND(MUTATION_RACE);
	struct svmrun_vcpu *vcpu = &fuzzer->subject.vcpu;
	struct outcome outcome;
	int result;

	if (!fuzzer->subject.no_mercy)
		mercy_grant(vcpu);
	vcpu->vmcb->control.exitcode = TALLY_NO_EXIT;
	set_alarm(PATIENCE);
	if (race)
		racer_begin(&fuzzer->racer);
	result = svmrun_vcpu_run(vcpu);
	set_alarm(0);
	if (race)
		racer_end(&fuzzer->racer);
	outcome = outcome_of(vcpu, result);
	tally_run(&fuzzer->tally, &outcome, guest->kinds);
	return outcome;
}

/*
 * Return whether the guest can continue after what made it exit. A raced guest
 * always does, because it may have changed meanwhile.
 */
static bool can_go_on(const struct guest *guest, const struct outcome *outcome)
{
	if (guest->raced)
		return true;
	return !outcome->result && outcome_is_entered(outcome) &&
	       outcome->exitcode != VMEXIT_SHUTDOWN;
}

static struct outcome run_guest(struct fuzzer *fuzzer,
				const struct guest *guest)
{
	unsigned int runs = guest->raced ? RUNS_RACED : RUNS;
	struct subject *subject = &fuzzer->subject;
	struct outcome outcome = {};

	mutate(subject, guest->kinds, guest->seed);
	while (runs--) {
		outcome = run(fuzzer, guest);
		if (!can_go_on(guest, &outcome))
			break;
		subject->vcpu.vmcb->save.rip += 2;
	}
	mutation_undo(subject);
	return outcome;
}

/* Run with and without one kind, and without the kinds that make outcomes vary. */
static void run_twins(struct fuzzer *fuzzer, struct guest *guest,
		      unsigned int kind)
{
	uint32_t one = kind == TALLY_NO_KIND ? 0 : KIND(kind);
	struct outcome with, without;

	guest->raced = kind == MUTATION_RACE;
	guest->kinds &= ~(KIND(MUTATION_RACE) | KIND(MUTATION_CLEAN) | one);
	without = run_guest(fuzzer, guest);
	guest->kinds |= one;
	with = run_guest(fuzzer, guest);
	tally_twins(&fuzzer->tally, kind, &with, &without);
}

static uint32_t draw_kinds(uint64_t *random)
{
	uint32_t kinds = xorshift(random) & ALL_KINDS;

	if (xorshift_below(random, 4))
		kinds |= KIND(MUTATION_CODE);
	if (xorshift_below(random, 4))
		kinds &= ~KIND(MUTATION_MEMORY);
	if (xorshift_below(random, 4))
		kinds &= ~KIND(MUTATION_RACE);
	return kinds;
}

static void fuzz_guest(struct fuzzer *fuzzer, unsigned long number)
{
	uint64_t random = xorshift_seed(fuzzer->seed << 32 ^ number);
	struct guest guest = {
		.seed = random,
		.kinds = draw_kinds(&random),
	};

	guest.raced = guest.kinds & KIND(MUTATION_RACE);
	if (fuzzer->verbose)
		ksft_print_msg("guest %lu, kinds %x\n", number, guest.kinds);
	if (number % TWINS)
		run_guest(fuzzer, &guest);
	else
		run_twins(fuzzer, &guest, xorshift_below(&random, TALLY_KINDS));
}

/* ---- all guests ---------------------------------------------------------- */

static void check(int err, const char *what)
{
	if (err < 0)
		ksft_exit_fail_msg("%s: %s\n", what, strerror(-err));
}

static void subject_create(struct fuzzer *fuzzer)
{
	struct subject *subject = &fuzzer->subject;

	check(svmrun_vm_create(&subject->vm, fuzzer->device), "VM");
	subject->memory = mmap(NULL, GUEST_SIZE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(subject->memory == MAP_FAILED ? -errno : 0, "memory");
	for (uint32_t gpa = 0; gpa < GUEST_SIZE; gpa += GUEST_PAGE)
		check(guest_map(&subject->vm, subject->memory, gpa), "MAP");
	check(svmrun_vcpu_create(&subject->vcpu, &subject->vm), "vCPU");
}

static void subject_destroy(struct subject *subject)
{
	svmrun_vcpu_destroy(&subject->vcpu);
	munmap(subject->memory, GUEST_SIZE);
	svmrun_vm_destroy(&subject->vm);
}

static void pin(pthread_t thread, unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_setaffinity_np(thread, sizeof(set), &set);
}

/*
 * Create a new VM. Alternate between the two processors; the second thread runs on
 * the other one.
 */
static void begin_epoch(struct fuzzer *fuzzer, unsigned long number)
{
	unsigned int side = number / EPOCH % 2;

	subject_create(fuzzer);
	pin(pthread_self(), side);
	pin(fuzzer->racer.thread, !side);
}

static void print_progress(struct fuzzer *fuzzer, unsigned long number)
{
	const struct tally *tally = &fuzzer->tally;
	time_t now = time(NULL);

	if (now < fuzzer->printed + PROGRESS)
		return;
	fuzzer->printed = now;
	ksft_print_msg("guest %lu: %lu of %lu runs, %lu s, %lu %% entered\n",
		       number, tally->runs, fuzzer->runs,
		       (unsigned long)(now - fuzzer->begun),
		       tally_percent(tally->entered, tally->runs));
}

/* Report once, before which guest the difference was noticed. */
static void check_host(struct fuzzer *fuzzer, unsigned long number)
{
	char *now;

	if (fuzzer->host_differs || number % HOST_CHECK)
		return;
	now = hoststate_read();
	check(now ? 0 : -errno, HOSTSTATE);
	fuzzer->host_differs = hoststate_differs(fuzzer->host, now);
	if (fuzzer->host_differs)
		ksft_print_msg("host state: changed before guest %lu\n",
			       number);
	free(now);
}

/* A VM exists all the time, because the state of SVM is compared too. */
static void fuzz(struct fuzzer *fuzzer)
{
	unsigned long number = fuzzer->first;
	struct svmrun_vm alive;

	check(svmrun_vm_create(&alive, fuzzer->device), "VM");
	fuzzer->host = hoststate_read();
	check(fuzzer->host ? 0 : -errno, HOSTSTATE);
	begin_epoch(fuzzer, number);
	for (; fuzzer->tally.runs < fuzzer->runs; number++) {
		if (number % EPOCH == 0 && number != fuzzer->first) {
			subject_destroy(&fuzzer->subject);
			begin_epoch(fuzzer, number);
		}
		check_host(fuzzer, number);
		fuzz_guest(fuzzer, number);
		print_progress(fuzzer, number);
	}
	subject_destroy(&fuzzer->subject);
	check_host(fuzzer, 0);
	svmrun_vm_destroy(&alive);
}

static void set_up(struct fuzzer *fuzzer)
{
	const struct sigaction action = { .sa_handler = on_alarm };

	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGALRM, &action, NULL);
	fuzzer->device = svmrun_device_open(NULL);
	check(fuzzer->device, SVMRUN_DEVICE);
	check(svmrun_device_info(fuzzer->device, &fuzzer->subject.info,
				 sizeof(fuzzer->subject.info)),
	      "INFO");
	check(racer_start(&fuzzer->racer, &fuzzer->subject, fuzzer->seed),
	      "thread");
	fuzzer->begun = time(NULL);
	fuzzer->printed = fuzzer->begun;
}

/* Print a summary in one line, for the lane. */
static void print_total(const struct fuzzer *fuzzer)
{
	const struct tally *tally = &fuzzer->tally;

	ksft_print_msg("total: %lu runs, %lu %% entered, %u exit codes, %lu strikes, %lu s\n",
		       tally->runs, tally_percent(tally->entered, tally->runs),
		       tally_exit_codes(tally), fuzzer->racer.strikes,
		       (unsigned long)(time(NULL) - fuzzer->begun));
}

static void test_all(const struct fuzzer *fuzzer)
{
	const struct tally *tally = &fuzzer->tally;

	ksft_test_result(tally->entered > tally->runs / 2,
			 "most guests are entered\n");
	for (unsigned int kind = 0; kind < MUTATION_KINDS; kind++)
		ksft_test_result(tally_matters(tally, kind),
				 "mutation has an effect: %s\n",
				 mutation_name[kind]);
	ksft_test_result(!fuzzer->host_differs,
			 "the host's processor state is unchanged\n");
}

static void usage(void)
{
	fputs("Usage: vmcb [OPTION]...\n"
	      "\n"
	      "  --runs N    calls of RUN (default 20000)\n"
	      "  --seed N    seed of the guests (default 1)\n"
	      "  --first N   begin with guest N of the sequence\n"
	      "  --no-mercy  also try what crashes QEMU\n"
	      "  --verbose   print the number of each guest before it runs\n",
	      stderr);
	exit(2);
}

static unsigned long number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 0);

	if (end == text || *end)
		usage();
	return value;
}

static void parse(struct fuzzer *fuzzer, int argc, char **argv)
{
	static const struct option options[] = {
		{ "runs", required_argument, NULL, 'r' },
		{ "seed", required_argument, NULL, 's' },
		{ "first", required_argument, NULL, 'f' },
		{ "no-mercy", no_argument, NULL, 'm' },
		{ "verbose", no_argument, NULL, 'v' },
		{},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (option) {
		case 'r':
			fuzzer->runs = number(optarg);
			break;
		case 's':
			fuzzer->seed = number(optarg);
			break;
		case 'f':
			fuzzer->first = number(optarg);
			break;
		case 'm':
			fuzzer->subject.no_mercy = true;
			break;
		case 'v':
			fuzzer->verbose = true;
			break;
		default:
			usage();
		}
	if (optind < argc)
		usage();
}

int main(int argc, char **argv)
{
	static struct fuzzer fuzzer = { .runs = 20000, .seed = 1 };

	parse(&fuzzer, argc, argv);
	ksft_print_header();
	ksft_set_plan(1 + MUTATION_KINDS + 1);
	set_up(&fuzzer);
	fuzz(&fuzzer);
	racer_stop(&fuzzer.racer);
	tally_print(&fuzzer.tally);
	print_total(&fuzzer);
	test_all(&fuzzer);
	ksft_finished();
}
