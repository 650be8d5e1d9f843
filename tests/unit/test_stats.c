// SPDX-License-Identifier: GPL-2.0
/* The statistics of exits: sorting, the table, and JSON. */
#include <stdlib.h>
#include <string.h>

#include "common/stats.h"
#include "suites.h"

static void count(struct stats *stats, uint64_t code, int times)
{
	while (times--)
		stats_count(stats, code);
}

START_TEST(most_frequent_comes_first)
{
	struct stats stats = { 0 };

	count(&stats, VMEXIT_HLT, 1);
	count(&stats, VMEXIT_MSR, 2);
	count(&stats, VMEXIT_IOIO, 5);
	count(&stats, VMEXIT_CPUID, 2);
	stats_sort(&stats);
	ck_assert_uint_eq(stats.used, 4);
	ck_assert_uint_eq(stats.kinds[0].code, VMEXIT_IOIO);
	ck_assert_uint_eq(stats.kinds[0].count, 5);
	ck_assert_uint_eq(stats.kinds[1].code, VMEXIT_CPUID);
	ck_assert_uint_eq(stats.kinds[2].code, VMEXIT_MSR);
	ck_assert_uint_eq(stats.kinds[3].count, 1);
}

START_TEST(too_many_kinds_are_harmless)
{
	struct stats stats = { 0 };
	uint64_t code;

	for (code = 0; code < 2 * STATS_KINDS; code++)
		stats_count(&stats, code);
	ck_assert_uint_eq(stats.used, STATS_KINDS);
	ck_assert_uint_eq(stats.unclaimed, 0);
}

/* Print as a table or as JSON. In the C locale, bars consist of '#'. */
static char *printed(const struct stats *stats, bool as_json)
{
	struct svmrun_registers regs = { .out_exits_fault = 3 };
	struct json json = { 0 };
	size_t size;
	char *text;

	json.file = open_memstream(&text, &size);
	if (as_json)
		stats_print_json(stats, &regs, &json);
	else
		stats_print(stats, &regs, json.file);
	fclose(json.file);
	return text;
}

/* Terminals have 80 columns, and characters beyond ASCII only in a UTF-8 locale. */
static void fits_terminal(const char *text)
{
	unsigned int column = 0;

	for (; *text; text++) {
		column = *text == '\n' ? 0 : column + 1;
		ck_assert_uint_le(column, 80);
		ck_assert_int_eq(*text & 0x80, 0);
	}
}

START_TEST(table_fits_a_terminal)
{
	uint64_t code;
	char *text;

	for (code = 0; code < 0x1000; code++) {
		struct stats stats = { .unclaimed = UINT64_MAX,
				       .unknown_msrs = UINT64_MAX,
				       .resets = UINT64_MAX };

		stats.kinds[0] = (struct stats_kind){ code, 999999999999 };
		stats.used = 1;
		text = printed(&stats, false);
		fits_terminal(text);
		free(text);
	}
}

START_TEST(table_has_shares_of_all_exits)
{
	struct stats stats = { .seconds = 0.5 };
	char *text;

	count(&stats, VMEXIT_HLT, 1);
	text = printed(&stats, false);
	ck_assert_ptr_nonnull(strstr(text, "VMEXIT_HLT "));
	ck_assert_ptr_nonnull(strstr(text, " 25.0%  #######\n"));
	ck_assert_ptr_nonnull(strstr(text, "memory faults"));
	ck_assert_ptr_nonnull(strstr(text, " 75.0%  #####################\n"));
	ck_assert_ptr_nonnull(strstr(text, "  4  in 0.500000 s\n"));
	ck_assert_ptr_null(strstr(text, "machine checks"));
	free(text);
}

START_TEST(json_has_all_counts)
{
	struct stats stats = { .unclaimed = 9 };
	char *text;

	count(&stats, VMEXIT_HLT, 1);
	text = printed(&stats, true);
	ck_assert_str_eq(text,
			 "\"exits\":[{\"name\":\"VMEXIT_HLT\",\"code\":\"0x78\",\"count\":1}],\"kernel_exits\":{\"interrupt\":0,\"nmi\":0,\"machine_check\":0,\"fault\":3,\"reflected\":0},\"total\":4,\"unclaimed_ports\":9,\"unknown_msrs\":0,\"resets\":0,\"seconds\":0.000000");
	free(text);
}

static const TTest **const tests[] = {
	&most_frequent_comes_first, &too_many_kinds_are_harmless,
	&table_fits_a_terminal,	    &table_has_shares_of_all_exits,
	&json_has_all_counts,
};

Suite *stats_suite(void)
{
	return suite_of("stats", tests, ARRAY_SIZE(tests));
}
