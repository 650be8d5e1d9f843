// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <x86intrin.h>

#include "common/clock.h"
#include "cpu_state.h"
#include "host_features.h"
#include "lib/array_size.h"
#include "lib/x86.h"
#include "machine_state.h"

#define VERSION 1 /* of each record */

#define ADDRESS_LIMIT (1ull << 52) /* of guest physical addresses */
#define CLOCK_LIMIT (INT64_MAX / 2) /* ns: 146 years */

/* Two frequencies of the TSC are equal if they differ by less than one part in this. */
#define TSC_KHZ_PARTS 1000

/* ---- options ------------------------------------------------------------- */

static const struct svmrun_state_member option_members[] = {
	SVMRUN_STATE_MEMBER(struct run_options, memory),
	SVMRUN_STATE_MEMBER(struct run_options, cpus),
	SVMRUN_STATE_MEMBER(struct run_options, disk_count),
	SVMRUN_STATE_MEMBER(struct run_options, rng),
	SVMRUN_STATE_MEMBER(struct run_options, cpu),
	SVMRUN_STATE_MEMBER(struct run_options, hypervisor),
	SVMRUN_STATE_MEMBER(struct run_options, cpuid),
	SVMRUN_STATE_MEMBER(struct run_options, cpuid_count),
	SVMRUN_STATE_MEMBER(struct run_options, msr),
	SVMRUN_STATE_BOOL(struct run_options, testdev),
	SVMRUN_STATE_BOOL(struct run_options, nested),
};

static const struct svmrun_state_member plan_members[] = {
	SVMRUN_STATE_BOOL(struct machine_plan, is_pc),
};

static void save_options(const struct machine *machine,
			 struct svmrun_state *state)
{
	svmrun_state_begin(state, STATE_OPTIONS, VERSION);
	svmrun_state_put_members(state, machine->options, option_members,
				 ARRAY_SIZE(option_members));
	svmrun_state_put(state, &machine->open_bus, sizeof(machine->open_bus));
	svmrun_state_end(state);
}

static bool options_are_valid(const struct run_options *options)
{
	return options->memory && options->memory % PAGE_SIZE == 0 &&
	       options->memory <= ADDRESS_LIMIT && options->cpus &&
	       options->cpus <= OPTIONS_CPUS &&
	       options->disk_count <= OPTIONS_DISKS &&
	       options->rng <= RNG_OFF && options->cpu <= CPU_MINIMAL &&
	       options->hypervisor <= HYPERVISOR_NONE &&
	       options->cpuid_count <= OPTIONS_CPUIDS &&
	       options->msr <= MSR_IGNORE;
}

static void load_options(struct machine_plan *plan, struct run_options *options,
			 struct svmrun_state *state)
{
	svmrun_state_open(state, STATE_OPTIONS, VERSION);
	svmrun_state_get_members(state, options, option_members,
				 ARRAY_SIZE(option_members));
	svmrun_state_get_members(state, plan, plan_members,
				 ARRAY_SIZE(plan_members));
	svmrun_state_close(state, options_are_valid(options));
}

/* ---- disks --------------------------------------------------------------- */

struct disk_words {
	bool read_only;
	bool is_raw;
};

static const struct svmrun_state_member disk_words_members[] = {
	SVMRUN_STATE_BOOL(struct disk_words, read_only),
	SVMRUN_STATE_BOOL(struct disk_words, is_raw),
};

static void save_disk(const struct disk *disk, const char *folder,
		      struct svmrun_state *state)
{
	const struct disk_words words = { disk->read_only, disk->is_raw };
	struct disk_mark mark;
	int ret = disk_get_mark(disk, &mark);

	svmrun_state_begin(state, STATE_DISK, VERSION);
	svmrun_state_put_members(state, &words, disk_words_members,
				 ARRAY_SIZE(disk_words_members));
	svmrun_state_put(state, &mark, sizeof(mark));
	if (*disk->name != '/') {
		svmrun_state_put(state, folder, strlen(folder));
		svmrun_state_put(state, "/", 1);
	}
	svmrun_state_put(state, disk->name, strlen(disk->name));
	if (ret && !state->error)
		state->error = ret;
	svmrun_state_end(state);
}

/* Write the option of a disk. A comma in the file's name is doubled. */
static void write_disk_option(char *option, const char *name, size_t size,
			      const struct disk_words *words)
{
	while (size--) {
		if (*name == ',')
			*option++ = ',';
		*option++ = *name++;
	}
	strcpy(option, words->read_only ? ",ro" : "");
	strcat(option, words->is_raw ? ",format=raw" : "");
}

static void load_disk(char *option, struct disk_mark *mark,
		      struct svmrun_state *state)
{
	struct disk_words words;
	const char *name;
	bool valid;
	size_t size;

	svmrun_state_open(state, STATE_DISK, VERSION);
	svmrun_state_get_members(state, &words, disk_words_members,
				 ARRAY_SIZE(disk_words_members));
	svmrun_state_get(state, mark, sizeof(*mark));
	size = svmrun_state_left(state);
	name = svmrun_state_take(state, size);
	valid = name && size && size < PATH_MAX - 16 && !memchr(name, 0, size);
	if (valid)
		write_disk_option(option, name, size, &words);
	svmrun_state_close(state, valid);
}

/* ---- memory -------------------------------------------------------------- */

struct memory_range {
	uint64_t gpa;
	uint64_t size;
};

static void save_memory_ranges(const struct machine *machine,
			       struct svmrun_state *state)
{
	const uint32_t counts[] = { machine->memory_count, machine->rom_count };
	size_t i;

	svmrun_state_begin(state, STATE_MEMORY, VERSION);
	svmrun_state_put(state, counts, sizeof(counts));
	for (i = 0; i < machine->memory_count; i++) {
		const struct memory_range range = { machine->memories[i].gpa,
						    machine->memories[i].size };

		svmrun_state_put(state, &range, sizeof(range));
	}
	svmrun_state_end(state);
}

/* Ranges are in ascending order, except that ROM is behind RAM. */
static bool range_is_valid(const struct machine_plan *plan,
			   const struct memory_range *range)
{
	size_t i;

	if (!range->size || (range->gpa | range->size) % PAGE_SIZE ||
	    range->gpa > ADDRESS_LIMIT || range->size > ADDRESS_LIMIT)
		return false;
	for (i = 0; i < plan->memory_count; i++)
		if (range->gpa <
			    plan->memories[i].gpa + plan->memories[i].size &&
		    plan->memories[i].gpa < range->gpa + range->size)
			return false;
	return true;
}

static bool load_memory_range(struct machine_plan *plan,
			      struct svmrun_state *state)
{
	struct memory_range range;

	svmrun_state_get(state, &range, sizeof(range));
	if (!range_is_valid(plan, &range))
		return false;
	plan->memories[plan->memory_count++] = (struct svmrun_memory){
		.gpa = range.gpa,
		.size = range.size,
	};
	return true;
}

/* RAM begins at 0, and there is as much as the options say. */
static bool plan_has_ram(const struct machine_plan *plan, uint64_t memory)
{
	size_t i, count = plan->memory_count - plan->rom_count;
	uint64_t size = 0;

	for (i = 0; i < count; i++)
		size += plan->memories[i].size;
	return size == memory && !plan->memories[0].gpa;
}

static void load_memory_ranges(struct machine_plan *plan, uint64_t memory,
			       struct svmrun_state *state)
{
	uint32_t counts[2], left;
	bool valid;

	svmrun_state_open(state, STATE_MEMORY, VERSION);
	svmrun_state_get(state, counts, sizeof(counts));
	valid = counts[0] <= MACHINE_MEMORIES && counts[1] < counts[0];
	plan->rom_count = valid ? counts[1] : 0;
	for (left = valid ? counts[0] : 0; left && valid; left--)
		valid = load_memory_range(plan, state);
	svmrun_state_close(state, valid && plan_has_ram(plan, memory));
}

int machine_state_plan(struct machine_plan *plan, struct run_options *options,
		       struct svmrun_state *state)
{
	size_t i;

	*plan = (struct machine_plan){ 0 };
	load_options(plan, options, state);
	if (state->error)
		return state->error;
	for (i = 0; i < options->disk_count; i++) {
		load_disk(plan->disks[i], &plan->marks[i], state);
		options->disks[i] = plan->disks[i];
	}
	load_memory_ranges(plan, options->memory, state);
	return state->error;
}

/* ---- the host ------------------------------------------------------------ */

struct host {
	uint32_t gpa_bits;
	uint32_t tsc_khz;
	struct host_features features;
};

static struct host find_host(const struct machine *machine)
{
	struct host host = {
		.gpa_bits = machine->info.out_gpa_bits,
		.tsc_khz = machine->info.out_tsc_khz,
	};

	host_features_find(machine, &host.features);
	return host;
}

static void save_host(const struct machine *machine, struct svmrun_state *state)
{
	const struct host host = find_host(machine);

	svmrun_state_begin(state, STATE_HOST, VERSION);
	svmrun_state_put(state, &host, sizeof(host));
	svmrun_state_end(state);
}

static bool frequencies_differ(uint32_t a, uint32_t b)
{
	uint32_t difference = a > b ? a - b : b - a;

	return a && b && difference > a / TSC_KHZ_PARTS;
}

/* Say in @why what the guest may use that this host does not have. */
static int compare_hosts(const struct host *wanted, const struct host *has,
			 char *why, size_t size)
{
	int word = host_features_missing(&wanted->features, &has->features);

	if (word >= 0)
		snprintf(why, size,
			 "needs features that this processor does not have: CPUID %s, bits 0x%x",
			 host_features_name(word),
			 wanted->features.words[word] &
				 ~has->features.words[word]);
	else if (wanted->gpa_bits > has->gpa_bits)
		snprintf(why, size,
			 "needs physical addresses of %u bits; this processor has %u",
			 wanted->gpa_bits, has->gpa_bits);
	else if (frequencies_differ(wanted->tsc_khz, has->tsc_khz))
		snprintf(why, size,
			 "needs a time stamp counter of %u kHz; that of this machine has %u",
			 wanted->tsc_khz, has->tsc_khz);
	else
		return 0;
	return -ENOEXEC;
}

static int load_host(const struct machine *machine, struct svmrun_state *state,
		     char *why, size_t size)
{
	const struct host host = find_host(machine);
	struct host wanted;

	svmrun_state_open(state, STATE_HOST, VERSION);
	svmrun_state_get(state, &wanted, sizeof(wanted));
	svmrun_state_close(state, true);
	return state->error ? state->error :
			      compare_hosts(&wanted, &host, why, size);
}

/* ---- time ---------------------------------------------------------------- */

/* The same moment: of the machine's clock, of the host's TSC, and since 1970 */
struct moment {
	uint64_t clock;
	uint64_t tsc;
	uint64_t unix_time;
};

static struct moment present_moment(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (struct moment){
		.clock = clock_now(),
		.tsc = __rdtsc(),
		.unix_time = now.tv_sec * NANOSECONDS + now.tv_nsec,
	};
}

static void save_time(struct svmrun_state *state)
{
	const struct moment moment = present_moment();

	svmrun_state_begin(state, STATE_TIME, VERSION);
	svmrun_state_put(state, &moment, sizeof(moment));
	svmrun_state_end(state);
}

/* The host's clock may have been set back meanwhile. */
static uint64_t time_since(const struct moment *then, const struct moment *now)
{
	return now->unix_time > then->unix_time ?
		       now->unix_time - then->unix_time :
		       0;
}

static uint64_t ticks_of(uint64_t time)
{
	return (double)time * clock_tsc_khz() / 1e6;
}

/*
 * Continue the machine's clock. Return by how many ticks the host's TSC has advanced while
 * the machine's stood still.
 */
static uint64_t load_time(enum clock_policy policy, struct svmrun_state *state)
{
	struct moment then, now;
	uint64_t passed = 0;
	bool valid;

	svmrun_state_open(state, STATE_TIME, VERSION);
	svmrun_state_get(state, &then, sizeof(then));
	now = present_moment();
	if (policy == CLOCK_CONTINUE)
		passed = time_since(&then, &now);
	valid = then.clock <= CLOCK_LIMIT && passed <= CLOCK_LIMIT;
	if (!svmrun_state_close(state, valid))
		clock_continue(then.clock + passed);
	return now.tsc - then.tsc - ticks_of(passed);
}

/* ---- KVM's clock --------------------------------------------------------- */

static const struct svmrun_state_member kvmclock_members[] = {
	SVMRUN_STATE_MEMBER(struct kvmclock, khz),
	SVMRUN_STATE_BOOL(struct kvmclock, trusted),
	SVMRUN_STATE_MEMBER(struct kvmclock, start),
	SVMRUN_STATE_MEMBER(struct kvmclock, tsc),
	SVMRUN_STATE_MEMBER(struct kvmclock, wall_clock),
};

static void save_kvmclock(const struct kvmclock *clock,
			  struct svmrun_state *state)
{
	svmrun_state_begin(state, STATE_KVMCLOCK, VERSION);
	svmrun_state_put_members(state, clock, kvmclock_members,
				 ARRAY_SIZE(kvmclock_members));
	svmrun_state_end(state);
}

/* Only what both hosts trust is trusted; the guest keeps the frequency that it knows. */
static void load_kvmclock(struct kvmclock *clock, struct svmrun_state *state,
			  uint64_t ticks)
{
	bool trusted = clock->trusted;

	svmrun_state_open(state, STATE_KVMCLOCK, VERSION);
	svmrun_state_get_members(state, clock, kvmclock_members,
				 ARRAY_SIZE(kvmclock_members));
	clock->trusted = clock->trusted && trusted;
	clock->tsc += ticks;
	svmrun_state_close(state, clock->khz || !clock->trusted);
}

/* ---- the machine --------------------------------------------------------- */

static void save_devices(const struct machine *machine,
			 struct svmrun_state *state)
{
	size_t i;

	svmrun_pc_save(&machine->pc, state);
	if (machine->options->testdev)
		svmrun_testdev_save(&machine->testdev, state);
	for (i = 0; i < machine->disk_count; i++)
		svmrun_block_save(&machine->disks[i].block, state);
	if (machine->open_bus && machine_has_rng(machine->options))
		svmrun_rng_save(&machine->rng, state);
}

static void load_devices(struct machine *machine, struct svmrun_state *state)
{
	size_t i;

	svmrun_pc_load(&machine->pc, state, clock_now());
	if (machine->options->testdev)
		svmrun_testdev_load(&machine->testdev, state);
	for (i = 0; i < machine->disk_count; i++)
		svmrun_block_load(&machine->disks[i].block, state);
	if (machine->open_bus && machine_has_rng(machine->options))
		svmrun_rng_load(&machine->rng, state);
}

void machine_state_keep(const struct machine *machine,
			struct svmrun_state *state)
{
	unsigned int i;

	save_time(state);
	save_kvmclock(&machine->kvmclock, state);
	save_devices(machine, state);
	for (i = 0; i < machine->cpu_count; i++)
		cpu_state_save(&machine->cpus[i], state);
}

static void load_running(struct machine *machine, enum clock_policy clock,
			 struct svmrun_state *state)
{
	uint64_t ticks = load_time(clock, state);
	unsigned int i;

	load_kvmclock(&machine->kvmclock, state, ticks);
	load_devices(machine, state);
	for (i = 0; i < machine->cpu_count; i++) {
		cpu_state_load(&machine->cpus[i], state, ticks);
		machine->cpus[i].armed = 0; /* a time of the clock before */
	}
}

int machine_state_rewind(struct machine *machine, struct svmrun_state *state)
{
	load_running(machine, CLOCK_STOP, state);
	return state->error;
}

int machine_state_save(const struct machine *machine, const char *folder,
		       struct svmrun_state *state)
{
	size_t i;

	save_options(machine, state);
	for (i = 0; i < machine->disk_count; i++)
		save_disk(&machine->disks[i], folder, state);
	save_memory_ranges(machine, state);
	save_host(machine, state);
	machine_state_keep(machine, state);
	return state->error;
}

int machine_state_load(struct machine *machine, struct svmrun_state *state,
		       char *why, size_t size)
{
	unsigned int i;
	int ret = load_host(machine, state, why, size);

	if (ret)
		return ret;
	load_running(machine, machine->options->clock, state);
	for (i = 0; i < machine->cpu_count && !state->error; i++)
		kvmclock_update(&machine->cpus[i]);
	if (!state->error && state->used != state->size)
		state->error = -EINVAL;
	return state->error;
}
