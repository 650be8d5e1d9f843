// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/clock.h"
#include "lib/x86.h"
#include "machine.h"
#include "top.h"

#define HOME "\033[H" /* move to the upper left corner */
#define CLEAR "\033[J" /* clear from there on */

static uint64_t resident_pages(const struct svmrun_memory *memory)
{
	size_t i, count = memory->size / PAGE_SIZE;
	unsigned char *pages = malloc(count);
	uint64_t here = 0;

	if (pages && !mincore(memory->base, memory->size, pages))
		for (i = 0; i < count; i++)
			here += pages[i] & 1;
	free(pages);
	return here;
}

static uint64_t resident_bytes(const struct machine *machine)
{
	uint64_t pages = 0;
	size_t i;

	for (i = 0; i < machine->memory_count; i++)
		pages += resident_pages(&machine->memories[i]);
	return pages * PAGE_SIZE;
}

static uint64_t memory_bytes(const struct machine *machine)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < machine->memory_count; i++)
		bytes += machine->memories[i].size;
	return bytes;
}

static void keep_rate(struct top *top, uint64_t rate)
{
	if (top->count == SPARK_WIDTH)
		memmove(top->rates, top->rates + 1,
			--top->count * sizeof(top->rates[0]));
	top->rates[top->count++] = rate;
}

/* Return the exits per second since the last call. */
static uint64_t update_rate(struct top *top, uint64_t total)
{
	uint64_t now = clock_now(), time = now - top->time;
	uint64_t rate = 0;

	if (time)
		rate = (double)(total - top->total) * NANOSECONDS / time;
	top->total = total;
	top->time = now;
	keep_rate(top, rate);
	return rate;
}

static void show_json(const struct machine *machine, const struct stats *stats,
		      const struct svmrun_registers *regs, uint64_t rate)
{
	struct json json = { .file = stderr };

	json_object_begin(&json, NULL);
	json_string(&json, "type", "top");
	json_number(&json, "rate", rate);
	json_number(&json, "resident", resident_bytes(machine));
	json_number(&json, "memory", memory_bytes(machine));
	stats_print_json(stats, regs, &json);
	json_object_end(&json);
	putc('\n', stderr);
}

static void show_text(const struct machine *machine, const struct top *top,
		      const struct stats *stats,
		      const struct svmrun_registers *regs)
{
	uint64_t here = resident_bytes(machine), all = memory_bytes(machine);
	char spark[SPARK_SIZE], bar[BAR_SIZE];

	spark_draw(spark, top->rates, top->count, stats_draws_utf8());
	bar_draw(bar, here, all, stats_draws_utf8());
	fprintf(stderr, "%-24s %12" PRIu64 "  %s\n", "exits per second",
		top->rates[top->count - 1], spark);
	fprintf(stderr, "%-24s %8" PRIu64 " MiB %6.1f%%  %s\n", "memory",
		here >> 20, all ? 100.0 * (double)here / (double)all : 0.0,
		bar);
	stats_print(stats, regs, stderr);
}

void top_show(const struct machine *machine, struct top *top, bool live)
{
	struct svmrun_registers regs = { 0 };
	struct stats stats;
	uint64_t rate;

	machine_sum_stats(machine, &stats, &regs);
	stats_end(&stats);
	rate = update_rate(top, stats_total(&stats, &regs));
	if (machine->options->json) {
		show_json(machine, &stats, &regs, rate);
		return;
	}
	if (live && isatty(STDERR_FILENO))
		fputs(HOME CLEAR, stderr);
	show_text(machine, top, &stats, &regs);
}

uint64_t top_due(const struct top *top)
{
	return top->time + NANOSECONDS;
}
