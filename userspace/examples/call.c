// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A function in a VM: bytes go in, bytes come out, and what happens in between
 * can do no harm, whatever the bytes are. A guest that unpacks what gzip packed is
 * tests/guests/inflate.c:
 *
 *    call /guests/inflate <FILE.gz >FILE
 *
 * The guest is started once, up to where it waits for input. Each call is a clone
 * of that, thrown away after it has answered; with --count N there are N of
 * them, and then N calls of a single clone that is reset after each, and what
 * they took is printed.
 *
 * Status: 0: there is an answer. 1: the guest says that the input is wrong, or
 * came to grief over it. 2: it could not be tried.
 */
#include <getopt.h>
#include <time.h>
#include <x86intrin.h>

#include "prepare.h"

#define STATUS_WRONG 1

/**
 * struct answer - what a call came to
 * @wrong: 0, or what the guest says is wrong with the input
 * @bytes: the answer, in the clone's memory
 * @length: how long it is
 */
struct answer {
	int wrong;
	const void *bytes;
	size_t length;
};

/* A negative errno: -EPROTO: the guest left the path that service.h lays down. */
static int call_guest(struct svmrun_clone *clone,
		      const struct prepared_guest *prepared, const void *input,
		      size_t length, struct answer *answer)
{
	struct svmrun_vcpu *vcpu = &clone->vcpus[0];
	void *to = svmrun_clone_touch(clone, prepared->input, length);
	int ret;

	if (!to || length > prepared->room)
		return -EMSGSIZE;
	memcpy(to, input, length);
	vcpu->vmcb->save.rax = length;
	ret = run_until_exit(vcpu);
	if (!ret)
		ret = finish_out(vcpu, SERVICE_DONE);
	if (ret < 0)
		return ret;
	answer->wrong = ret;
	answer->length = vcpu->regs->rsi;
	/* The guest may say what it likes: only what is there is the answer. */
	answer->bytes = svmrun_memory_at(&clone->memories[0], vcpu->regs->rdi,
					 answer->length);
	return answer->bytes ? 0 : -EPROTO;
}

static int print_answer(const struct answer *answer)
{
	if (answer->wrong) {
		fprintf(stderr, "the input is wrong, the guest says: %d\n",
			answer->wrong);
		return STATUS_WRONG;
	}
	fwrite(answer->bytes, 1, answer->length, stdout);
	must("standard output", fflush(stdout) || ferror(stdout) ? -EIO : 0);
	return 0;
}

/* What went wrong in the guest, in the processor's words */
static int print_failure(const struct svmrun_vcpu *vcpu)
{
	const char *name = svmrun_exit_name(vcpu->vmcb->control.exitcode);

	fprintf(stderr, "the guest came to grief: %s at RIP %#llx\n",
		name ? name : "an unknown exit", vcpu->vmcb->save.rip);
	return STATUS_WRONG;
}

static int call_once(const struct prepared_guest *prepared, const void *input,
		     size_t length)
{
	struct svmrun_clone clone;
	struct answer answer;
	int ret, status;

	must("no clone",
	     svmrun_clone(&clone, &prepared->snapshot, prepared->device));
	ret = call_guest(&clone, prepared, input, length, &answer);
	if (ret == -EPROTO) {
		status = print_failure(&clone.vcpus[0]);
	} else {
		must("no call", ret);
		status = print_answer(&answer);
	}
	svmrun_clone_destroy(&clone);
	return status;
}

/* ---- what it takes ------------------------------------------------------- */

struct moment {
	unsigned long long ticks;
	struct timespec time;
};

static struct moment now(void)
{
	struct moment moment;

	clock_gettime(CLOCK_MONOTONIC, &moment.time);
	moment.ticks = __rdtsc();
	return moment;
}

static void print_figures(const char *what, int calls, struct moment begin)
{
	struct moment end = now();
	double seconds = end.time.tv_sec - begin.time.tv_sec +
			 (end.time.tv_nsec - begin.time.tv_nsec) / 1e9;

	fprintf(stderr, "%-30s %10llu ticks a call, %8.0f calls a second\n",
		what, (end.ticks - begin.ticks) / calls, calls / seconds);
}

static void measure_calls(const struct prepared_guest *prepared,
			  const void *input, size_t length, int calls)
{
	struct moment begin = now();
	struct svmrun_clone clone;
	struct answer answer;

	for (int i = 0; i < calls; i++) {
		must("no clone", svmrun_clone(&clone, &prepared->snapshot,
					      prepared->device));
		call_guest(&clone, prepared, input, length, &answer);
		svmrun_clone_destroy(&clone);
	}
	print_figures("a clone for each call", calls, begin);
	must("no clone",
	     svmrun_clone(&clone, &prepared->snapshot, prepared->device));
	begin = now();
	for (int i = 0; i < calls; i++) {
		call_guest(&clone, prepared, input, length, &answer);
		must("no reset", svmrun_reset(&clone));
	}
	print_figures("one clone, reset after each", calls, begin);
	svmrun_clone_destroy(&clone);
}

/* ---- the program --------------------------------------------------------- */

static const char *parse_call_options(int argc, char **argv, int *count)
{
	static const struct option options[] = {
		{ "count", required_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) == 'c')
		*count = atoi(optarg);
	if (option == -1 && optind == argc - 1 && *count >= 0)
		return argv[optind];
	fputs("usage: call [--count N] GUEST <INPUT >ANSWER\n", stderr);
	exit(STATUS_FAILED);
}

int main(int argc, char **argv)
{
	struct prepared_guest prepared;
	int count = 0, status;
	const char *guest = parse_call_options(argc, argv, &count);
	size_t length;
	void *input;

	prepare_guest(&prepared, guest);
	input = read_all("standard input", stdin, prepared.room, &length);
	status = call_once(&prepared, input, length);
	if (count)
		measure_calls(&prepared, input, length, count);
	free(input);
	destroy_prepared_guest(&prepared);
	return status;
}
