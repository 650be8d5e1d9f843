// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A fuzzer: it looks for an input that a parser cannot take. The parser is in a
 * guest (tests/guests/parser.c and fuzzed.c), which waits for input in a snapshot.
 * A clone of it is given one input after the other, and is reset after each: no
 * input has to do with the one before, whatever that did to the guest.
 *
 *    fuzz [--seed N] [--inputs N] GUEST
 *
 * The guest keeps a map of the code it has run. An input that brought something
 * new there is kept, and each input is one of those that were kept, changed a
 * little. All that happens is determined by the seed.
 *
 * Status: 0: there is such an input, and it is printed. 1: none was found.
 * 2: it could not be tried.
 */
#include <ctype.h>
#include <getopt.h>
#include <signal.h>
#include <sys/time.h>

#include "prepare.h"

#define STATUS_NOT_FOUND 1

#define INPUT_MAX 32 /* an input */
#define KEPT_MAX 256
#define MAP_MAX (1u << 16)
#define PROGRESS 1000 /* inputs from one line to the next */

struct input {
	uint8_t bytes[INPUT_MAX];
	size_t length;
};

/**
 * struct fuzzer - a search
 * @prepared: the guest
 * @clone: the clone that is given the inputs
 * @random: state of the random numbers, not 0
 * @kept: inputs that brought something new
 * @kept_count: how many
 * @tried: how many bytes have been tried at the end of the last of them
 * @seen: what they brought: for each place in the map, how often it was come to,
 *	as times_bit() has it
 * @places: how many places in the map were come to
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

/* Marsaglia's xorshift */
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

/* The end of another goes where this one ends. */
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

/* From somewhere on, a few bytes of any kind */
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
 * What was kept last gets one byte more, each that there is, and then each in place
 * of its own last one. After that chance has it.
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

/* A guest that has seen two alarms will go on for ever. */
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

/* Does the guest come to an answer? A wrong input has one too. */
static bool survives_input(struct fuzzer *fuzzer, const struct input *input)
{
	struct svmrun_clone *clone = &fuzzer->clone;
	struct svmrun_vcpu *vcpu = &clone->vcpus[0];
	int ret;

	must("no reset", svmrun_reset(clone));
	/* What the program writes is not in the log: it must be touched. */
	memcpy(svmrun_clone_touch(clone, fuzzer->prepared.input, INPUT_MAX),
	       input->bytes, input->length);
	vcpu->vmcb->save.rax = input->length;
	ret = run_watched(vcpu);
	if (ret != -EINTR)
		must("no run", ret);
	return !ret && finish_out(vcpu, SERVICE_DONE) >= 0;
}

/* ---- what is new --------------------------------------------------------- */

/* A bit for 1, 2, 3, 4 to 7, 8 to 15, and so on: a few more are nothing new. */
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

	printf("found: %s at RIP %#llx, EXITINFO1 %#llx, EXITINFO2 %#llx, by\n",
	       name ? name : "an unknown exit", vmcb->save.rip,
	       vmcb->control.exitinfo1, vmcb->control.exitinfo2);
	/* As printf(1) takes it */
	for (size_t i = 0; i < input->length; i++) {
		uint8_t byte = input->bytes[i];

		printf(isprint(byte) && byte != '\\' ? "%c" : "\\x%02x", byte);
	}
	putchar('\n');
}

static int search_input(struct fuzzer *fuzzer, unsigned long inputs)
{
	fuzzer->kept_count = 1; /* the empty one */
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

/* Nothing that a guest says is to be believed. */
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
	/* Every clone is to leave for every exception. */
	snapshot->vcpus[0].vmcb->control.intercept[2] = ~0u;
	must("no clone",
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
	fputs("usage: fuzz [--seed N] [--inputs N] GUEST; N is not 0\n",
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
