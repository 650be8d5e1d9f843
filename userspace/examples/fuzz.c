// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A fuzzer, which searches for an input that crashes a parser. The parser is in a guest
 * (tests/guests/parser.c and fuzzed.c), of which a snapshot is taken when it waits for
 * input. A clone gets one input after the other and is reset after each, so that inputs
 * do not influence each other, whatever they do to the guest.
 *
 *    fuzz [--seed N] [--inputs N] GUEST
 *
 * The guest maintains a map of the code that it has executed. An input that reaches new
 * code is kept, and new inputs are mutations of kept ones. The seed determines the whole
 * search.
 *
 * Exit status: 0: an input was found and printed. 1: none was found. 2: an error.
 */
#include <ctype.h>
#include <getopt.h>
#include <signal.h>
#include <sys/time.h>

#include "prepare.h"

#define STATUS_NOT_FOUND 1

#define INPUT_MAX 32 /* bytes */
#define KEPT_MAX 256
#define MAP_MAX (1u << 16)
#define PROGRESS 1000 /* inputs per line of output */

struct input {
	uint8_t bytes[INPUT_MAX];
	size_t length;
};

/**
 * struct fuzzer - state of the search
 * @prepared: the guest
 * @clone: the clone that gets the inputs
 * @random: state of the random number generator, not 0
 * @kept: inputs that reached new code
 * @kept_count: number of @kept
 * @tried: number of bytes that have been tried at the end of the last of @kept
 * @seen: bits of count_bit() for each place in the map, of all inputs so far
 * @places: number of places in the map that were reached
 */
struct fuzzer {
	struct prepared_guest prepared;
	struct svmrun_clone clone;
	uint64_t random;
	struct input kept[KEPT_MAX];
	size_t kept_count;
	unsigned int tried;
	uint8_t seen[MAP_MAX];
	size_t places;
};

/* A random number below @limit, by Marsaglia's xorshift */
static unsigned int random_below(struct fuzzer *fuzzer, unsigned int limit)
{
	fuzzer->random ^= fuzzer->random << 13;
	fuzzer->random ^= fuzzer->random >> 7;
	fuzzer->random ^= fuzzer->random << 17;
	return (fuzzer->random >> 32) % limit;
}

/* ---- inputs -------------------------------------------------------------- */

static void flip_bit(struct fuzzer *fuzzer, struct input *input)
{
	if (input->length)
		input->bytes[random_below(fuzzer, input->length)] ^=
			1u << random_below(fuzzer, 8);
}

static void set_byte(struct fuzzer *fuzzer, struct input *input)
{
	if (input->length)
		input->bytes[random_below(fuzzer, input->length)] =
			random_below(fuzzer, 256);
}

static void insert_byte(struct fuzzer *fuzzer, struct input *input)
{
	size_t at = random_below(fuzzer, input->length + 1);

	if (input->length == INPUT_MAX)
		return;
	memmove(input->bytes + at + 1, input->bytes + at, input->length - at);
	input->bytes[at] = random_below(fuzzer, 256);
	input->length++;
}

static void remove_byte(struct fuzzer *fuzzer, struct input *input)
{
	size_t at;

	if (!input->length)
		return;
	at = random_below(fuzzer, input->length--);
	memmove(input->bytes + at, input->bytes + at + 1, input->length - at);
}

/* Append the end of another kept input. */
static void append_other(struct fuzzer *fuzzer, struct input *input)
{
	const struct input *other =
		&fuzzer->kept[random_below(fuzzer, fuzzer->kept_count)];
	size_t at = random_below(fuzzer, other->length + 1);
	size_t length = other->length - at;

	if (length > INPUT_MAX - input->length)
		length = INPUT_MAX - input->length;
	memcpy(input->bytes + input->length, other->bytes + at, length);
	input->length += length;
}

/* Replace the end by a few random bytes. */
static void replace_end(struct fuzzer *fuzzer, struct input *input)
{
	size_t length = 1 + random_below(fuzzer, 4);

	input->length = random_below(fuzzer, input->length + 1);
	if (length > INPUT_MAX - input->length)
		length = INPUT_MAX - input->length;
	for (; length; length--)
		input->bytes[input->length++] = random_below(fuzzer, 256);
}

static struct input mutated_input(struct fuzzer *fuzzer)
{
	static void (*const changes[])(struct fuzzer *, struct input *) = {
		flip_bit,    set_byte,	   insert_byte,
		remove_byte, append_other, replace_end,
	};
	struct input input =
		fuzzer->kept[random_below(fuzzer, fuzzer->kept_count)];

	for (unsigned int n = 1 + random_below(fuzzer, 2); n; n--)
		changes[random_below(fuzzer, 6)](fuzzer, &input);
	return input;
}

/*
 * Try each byte value after the end of the input that was kept last, then in place of its
 * last byte. After that, mutate inputs at random.
 */
static struct input next_input(struct fuzzer *fuzzer)
{
	struct input input = fuzzer->kept[fuzzer->kept_count - 1];
	size_t at = input.length - fuzzer->tried / 256;

	if (fuzzer->tried == 2 * 256 || at >= INPUT_MAX)
		return mutated_input(fuzzer);
	input.length = at + 1;
	input.bytes[at] = fuzzer->tried++;
	return input;
}

/* ---- runs ---------------------------------------------------------------- */

static volatile sig_atomic_t alarms;

static void on_alarm(int number)
{
	alarms += number == SIGALRM;
}

/* A guest that is still running after two alarms is considered to loop forever. */
static void set_alarms(void)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval often = { { 5, 0 }, { 5, 0 } };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

static int run_watched(struct svmrun_vcpu *vcpu)
{
	int before = alarms, ret;

	do {
		ret = svmrun_vcpu_run(vcpu);
	} while (ret == -EINTR && alarms - before < 2);
	return ret;
}

/* Return whether the guest answers. It also does for an invalid input. */
static bool survives_input(struct fuzzer *fuzzer, const struct input *input)
{
	struct svmrun_clone *clone = &fuzzer->clone;
	struct svmrun_vcpu *vcpu = &clone->vcpus[0];
	int ret;

	must("cannot reset the clone", svmrun_reset(clone));
	/* Writes of the program are not logged, so mark the pages for the next reset. */
	memcpy(svmrun_clone_touch(clone, fuzzer->prepared.input, INPUT_MAX),
	       input->bytes, input->length);
	vcpu->vmcb->save.rax = input->length;
	ret = run_watched(vcpu);
	if (ret != -EINTR)
		must("cannot run the guest", ret);
	return !ret && finish_out(vcpu, SERVICE_DONE) >= 0;
}

/* ---- code coverage ------------------------------------------------------- */

/* One bit per range of counts, 1, 2, 3, 4 to 7, 8 to 15, and so on */
static uint8_t count_bit(uint8_t times)
{
	unsigned int bit = 0;

	if (!times)
		return 0;
	if (times < 4)
		bit = times - 1;
	else
		for (bit = 1; times > 1 && bit < 7; times >>= 1)
			bit++;
	return 1u << bit;
}

static bool found_new_code(struct fuzzer *fuzzer)
{
	const struct prepared_guest *prepared = &fuzzer->prepared;
	const uint8_t *map = svmrun_memory_at(&fuzzer->clone.memories[0],
					      prepared->map,
					      prepared->map_size);
	bool news = false;

	for (size_t i = 0; i < prepared->map_size; i++) {
		uint8_t bit = count_bit(map[i]);

		if (!(bit & ~fuzzer->seen[i]))
			continue;
		fuzzer->places += !fuzzer->seen[i];
		fuzzer->seen[i] |= bit;
		news = true;
	}
	return news;
}

static void keep_input(struct fuzzer *fuzzer, const struct input *input)
{
	if (fuzzer->kept_count == KEPT_MAX)
		return;
	fuzzer->kept[fuzzer->kept_count++] = *input;
	fuzzer->tried = 0;
}

/* ---- the search ---------------------------------------------------------- */

static void print_progress(const struct fuzzer *fuzzer, unsigned long inputs)
{
	printf("%lu inputs: %zu places seen, %zu inputs kept\n", inputs,
	       fuzzer->places, fuzzer->kept_count);
}

static void print_found(const struct fuzzer *fuzzer, const struct input *input)
{
	const struct svm_vmcb *vmcb = fuzzer->clone.vcpus[0].vmcb;
	const char *name = svmrun_exit_name(vmcb->control.exitcode);

	printf("found: %s at RIP %#llx, EXITINFO1 %#llx, EXITINFO2 %#llx, with\n",
	       name ? name : "an unknown exit", vmcb->save.rip,
	       vmcb->control.exitinfo1, vmcb->control.exitinfo2);
	/* In the syntax of printf(1) */
	for (size_t i = 0; i < input->length; i++) {
		uint8_t byte = input->bytes[i];

		printf(isprint(byte) && byte != '\\' ? "%c" : "\\x%02x", byte);
	}
	putchar('\n');
}

static int search_input(struct fuzzer *fuzzer, unsigned long inputs)
{
	fuzzer->kept_count = 1; /* the empty input */
	for (unsigned long i = 1; i <= inputs; i++) {
		struct input input = next_input(fuzzer);

		if (!survives_input(fuzzer, &input)) {
			print_progress(fuzzer, i);
			print_found(fuzzer, &input);
			return 0;
		}
		if (found_new_code(fuzzer))
			keep_input(fuzzer, &input);
		if (i % PROGRESS == 0)
			print_progress(fuzzer, i);
	}
	printf("nothing found in %lu inputs\n", inputs);
	return STATUS_NOT_FOUND;
}

/* ---- the program --------------------------------------------------------- */

/* Check an address from the guest, which is not trusted. */
static bool snapshot_has(const struct svmrun_snapshot *snapshot, uint64_t gpa,
			 size_t size)
{
	return svmrun_memory_at(&snapshot->memories[0], gpa, size);
}

static void prepare_fuzzer(struct fuzzer *fuzzer, const char *guest)
{
	struct prepared_guest *prepared = &fuzzer->prepared;
	struct svmrun_snapshot *snapshot = &prepared->snapshot;

	prepare_guest(prepared, guest);
	if (!prepared->map_size || prepared->map_size > MAP_MAX ||
	    prepared->room < INPUT_MAX ||
	    !snapshot_has(snapshot, prepared->map, prepared->map_size) ||
	    !snapshot_has(snapshot, prepared->input, INPUT_MAX))
		must(guest, -ENOEXEC);
	/* Intercept all exceptions in clones. */
	snapshot->vcpus[0].vmcb->control.intercept[2] = ~0u;
	must("cannot clone the guest",
	     svmrun_clone(&fuzzer->clone, snapshot, prepared->device));
}

static const char *parse_fuzz_options(int argc, char **argv, uint64_t *seed,
				      unsigned long *inputs)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "inputs", required_argument, NULL, 'i' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) > 0) {
		if (option == 's')
			*seed = strtoull(optarg, NULL, 0);
		else if (option == 'i')
			*inputs = strtoul(optarg, NULL, 0);
		else
			break;
	}
	if (option == -1 && optind == argc - 1 && *seed)
		return argv[optind];
	fputs("usage: fuzz [--seed N] [--inputs N] GUEST; the seed is not 0\n",
	      stderr);
	exit(STATUS_FAILED);
}

int main(int argc, char **argv)
{
	static struct fuzzer fuzzer = { .random = 1 };
	unsigned long inputs = 100000;
	const char *guest = parse_fuzz_options(argc, argv, &fuzzer.random,
					       &inputs);
	int status;

	prepare_fuzzer(&fuzzer, guest);
	set_alarms();
	status = search_input(&fuzzer, inputs);
	svmrun_clone_destroy(&fuzzer.clone);
	destroy_prepared_guest(&fuzzer.prepared);
	return status;
}
