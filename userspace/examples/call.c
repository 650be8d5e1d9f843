// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Call a function in a VM: it gets bytes and returns bytes, and cannot do any harm,
 * whatever its input is. An example is tests/guests/inflate.c, a guest that decompresses
 * gzip files:
 *
 *    call /guests/inflate <FILE.gz >FILE
 *
 * The guest is started once and runs until it waits for input. Each call runs in a clone
 * of that state, which is destroyed after the answer. With --count N, N further calls are
 * measured with a clone each, then N calls with one clone that is reset after each, and
 * the results are printed.
 *
 * Exit status: 0: success. 1: the guest reported an error, or crashed. 2: another error.
 */
#include <getopt.h>
#include <time.h>
#include <x86intrin.h>

#include "prepare.h"

#define STATUS_WRONG 1

/**
 * struct answer - result of a call
 * @wrong: 0, or the error that the guest reports
 * @bytes: the answer, in the clone's memory
 * @length: its length in bytes
 */
struct answer {
	int wrong;
	const void *bytes;
	size_t length;
};

/* Return 0 or a negative errno; -EPROTO: the guest violated the protocol of service.h. */
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
	/* The guest is not trusted: check that the answer is inside its memory. */
	answer->bytes = svmrun_memory_at(&clone->memories[0], vcpu->regs->rdi,
					 answer->length);
	return answer->bytes ? 0 : -EPROTO;
}

static int print_answer(const struct answer *answer)
{
	if (answer->wrong) {
		fprintf(stderr, "the guest reports error %d\n", answer->wrong);
		return STATUS_WRONG;
	}
	fwrite(answer->bytes, 1, answer->length, stdout);
	must("standard output", fflush(stdout) || ferror(stdout) ? -EIO : 0);
	return 0;
}

/* Print the exit that ended the guest. */
static int print_failure(const struct svmrun_vcpu *vcpu)
{
	const char *name = svmrun_exit_name(vcpu->vmcb->control.exitcode);

	fprintf(stderr, "the guest crashed: %s at RIP %#llx\n",
		name ? name : "an unknown exit", vcpu->vmcb->save.rip);
	return STATUS_WRONG;
}

static int call_once(const struct prepared_guest *prepared, const void *input,
		     size_t length)
{
	struct svmrun_clone clone;
	struct answer answer;
	int ret, status;

	must("cannot clone the guest",
	     svmrun_clone(&clone, &prepared->snapshot, prepared->device));
	ret = call_guest(&clone, prepared, input, length, &answer);
	if (ret == -EPROTO) {
		status = print_failure(&clone.vcpus[0]);
	} else {
		must("cannot call the guest", ret);
		status = print_answer(&answer);
	}
	svmrun_clone_destroy(&clone);
	return status;
}

/* ---- measurement --------------------------------------------------------- */

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

	fprintf(stderr, "%-30s %10llu ticks per call, %8.0f calls per second\n",
		what, (end.ticks - begin.ticks) / calls, calls / seconds);
}

static void measure_calls(const struct prepared_guest *prepared,
			  const void *input, size_t length, int calls)
{
	struct moment begin = now();
	struct svmrun_clone clone;
	struct answer answer;

	for (int i = 0; i < calls; i++) {
		must("cannot clone the guest",
		     svmrun_clone(&clone, &prepared->snapshot,
				  prepared->device));
		call_guest(&clone, prepared, input, length, &answer);
		svmrun_clone_destroy(&clone);
	}
	print_figures("a clone for each call", calls, begin);
	must("cannot clone the guest",
	     svmrun_clone(&clone, &prepared->snapshot, prepared->device));
	begin = now();
	for (int i = 0; i < calls; i++) {
		call_guest(&clone, prepared, input, length, &answer);
		must("cannot reset the clone", svmrun_reset(&clone));
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
