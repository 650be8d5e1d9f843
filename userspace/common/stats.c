// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <langinfo.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bar.h"
#include "lib/array_size.h"
#include "stats.h"

#define NANOSECONDS 1e9

/* Exits that the module handles itself */
static const struct kernel_exit {
	const char *name;
	const char *key;
	uint16_t offset; /* in struct svmrun_registers */
} kernel_exits[] = {
	{ "interrupts", "interrupt",
	  offsetof(struct svmrun_registers, out_exits_interrupt) },
	{ "NMI, SMI, INIT", "nmi",
	  offsetof(struct svmrun_registers, out_exits_nmi) },
	{ "machine checks", "machine_check",
	  offsetof(struct svmrun_registers, out_exits_machine_check) },
	{ "memory faults", "fault",
	  offsetof(struct svmrun_registers, out_exits_fault) },
	{ "#DB, #AC reflected", "reflected",
	  offsetof(struct svmrun_registers, out_exits_reflected) },
};

static uint64_t kernel_exit_count(const struct svmrun_registers *regs,
				  const struct kernel_exit *exit)
{
	return *(const __u64 *)((const char *)regs + exit->offset);
}

static uint64_t kernel_total(const struct svmrun_registers *regs)
{
	uint64_t total = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kernel_exits); i++)
		total += kernel_exit_count(regs, &kernel_exits[i]);
	return total;
}

static uint64_t tool_total(const struct stats *stats)
{
	uint64_t total = 0;
	unsigned int i;

	for (i = 0; i < stats->used; i++)
		total += stats->kinds[i].count;
	return total;
}

uint64_t stats_total(const struct stats *stats,
		     const struct svmrun_registers *regs)
{
	return tool_total(stats) + kernel_total(regs);
}

void stats_begin(struct stats *stats)
{
	clock_gettime(CLOCK_MONOTONIC, &stats->begin);
}

void stats_end(struct stats *stats)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	stats->seconds = (double)(now.tv_sec - stats->begin.tv_sec) +
			 (double)(now.tv_nsec - stats->begin.tv_nsec) /
				 NANOSECONDS;
}

static void count_exits(struct stats *stats, uint64_t code, uint64_t more)
{
	unsigned int i;

	for (i = 0; i < stats->used; i++)
		if (stats->kinds[i].code == code)
			break;
	if (i == STATS_KINDS)
		return;
	if (i == stats->used)
		stats->kinds[stats->used++] = (struct stats_kind){
			.code = code
		};
	stats->kinds[i].count += more;
}

void stats_count(struct stats *stats, uint64_t code)
{
	count_exits(stats, code, 1);
}

void stats_add(struct stats *stats, const struct stats *other)
{
	unsigned int i;

	for (i = 0; i < other->used; i++)
		count_exits(stats, other->kinds[i].code, other->kinds[i].count);
}

void stats_add_kernel(struct svmrun_registers *regs,
		      const struct svmrun_registers *other)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kernel_exits); i++)
		*(__u64 *)((char *)regs + kernel_exits[i].offset) +=
			kernel_exit_count(other, &kernel_exits[i]);
}

static int compare_counts(const void *a, const void *b)
{
	const struct stats_kind *left = a, *right = b;

	if (left->count != right->count)
		return left->count < right->count ? 1 : -1;
	return left->code < right->code ? -1 : left->code > right->code;
}

void stats_sort(struct stats *stats)
{
	qsort(stats->kinds, stats->used, sizeof(stats->kinds[0]),
	      compare_counts);
}

bool stats_draws_utf8(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

static void print_row(FILE *file, const char *name, uint64_t count,
		      uint64_t total)
{
	char bar[BAR_SIZE];

	bar_draw(bar, count, total, stats_draws_utf8());
	fprintf(file, "  %-22s %12" PRIu64 " %6.1f%%  %s\n", name, count,
		total ? 100.0 * (double)count / (double)total : 0.0, bar);
}

static void print_kind(FILE *file, const struct stats_kind *kind,
		       uint64_t total)
{
	const char *name = svmrun_exit_name(kind->code);
	char code[24];

	snprintf(code, sizeof(code), "0x%" PRIx64, kind->code);
	print_row(file, name ? name : code, kind->count, total);
}

static void print_kernel_exits(const struct svmrun_registers *regs,
			       uint64_t total, FILE *file)
{
	uint64_t count;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kernel_exits); i++) {
		count = kernel_exit_count(regs, &kernel_exits[i]);
		if (count)
			print_row(file, kernel_exits[i].name, count, total);
	}
}

void stats_print(const struct stats *stats, const struct svmrun_registers *regs,
		 FILE *file)
{
	uint64_t kernel = kernel_total(regs);
	uint64_t total = tool_total(stats) + kernel;
	unsigned int i;

	fprintf(file, "%-24s %12s %7s\n", "exits", "count", "share");
	for (i = 0; i < stats->used; i++)
		print_kind(file, &stats->kinds[i], total);
	if (kernel)
		fputs("handled in the kernel\n", file);
	print_kernel_exits(regs, total, file);
	fprintf(file, "%-24s %12" PRIu64 "  in %.6f s\n", "total", total,
		stats->seconds);
	if (stats->unclaimed)
		fprintf(file,
			"accesses to ports without a device: %" PRIu64 "\n",
			stats->unclaimed);
	if (stats->unknown_msrs)
		fprintf(file,
			"accesses to MSRs that the guest does not have: %" PRIu64
			"\n",
			stats->unknown_msrs);
	if (stats->resets)
		fprintf(file, "resets: %" PRIu64 "\n", stats->resets);
}

static void print_kind_json(const struct stats_kind *kind, struct json *json)
{
	const char *name = svmrun_exit_name(kind->code);

	json_object_begin(json, NULL);
	if (name)
		json_string(json, "name", name);
	json_hex(json, "code", kind->code);
	json_number(json, "count", kind->count);
	json_object_end(json);
}

void stats_print_json(const struct stats *stats,
		      const struct svmrun_registers *regs, struct json *json)
{
	size_t i;

	json_array_begin(json, "exits");
	for (i = 0; i < stats->used; i++)
		print_kind_json(&stats->kinds[i], json);
	json_array_end(json);
	json_object_begin(json, "kernel_exits");
	for (i = 0; i < ARRAY_SIZE(kernel_exits); i++)
		json_number(json, kernel_exits[i].key,
			    kernel_exit_count(regs, &kernel_exits[i]));
	json_object_end(json);
	json_number(json, "total", tool_total(stats) + kernel_total(regs));
	json_number(json, "unclaimed_ports", stats->unclaimed);
	json_number(json, "unknown_msrs", stats->unknown_msrs);
	json_number(json, "resets", stats->resets);
	json_seconds(json, "seconds", stats->seconds);
}
