// SPDX-License-Identifier: GPL-2.0
/* JSON output: commas, escapes, and strings that are not UTF-8. */
#include <stdint.h>
#include <stdlib.h>

#include "common/json.h"
#include "suites.h"

static char *text;
static size_t size;

static struct json begin(void)
{
	return (struct json){ .file = open_memstream(&text, &size) };
}

static void written(struct json *json, const char *expected)
{
	fclose(json->file);
	ck_assert_str_eq(text, expected);
	free(text);
}

static void string_is(const char *value, const char *expected)
{
	struct json json = begin();

	json_string(&json, NULL, value);
	written(&json, expected);
}

START_TEST(members_have_commas_between)
{
	struct json json = begin();

	json_object_begin(&json, NULL);
	json_string(&json, "a", "b");
	json_number(&json, "n", UINT64_MAX);
	json_object_begin(&json, "o");
	json_object_end(&json);
	json_bool(&json, "t", true);
	json_array_begin(&json, "l");
	json_hex(&json, NULL, 0x7c00);
	json_bool(&json, NULL, false);
	json_array_end(&json);
	json_seconds(&json, "s", 0.5);
	json_object_end(&json);
	written(&json,
		"{\"a\":\"b\",\"n\":18446744073709551615,\"o\":{},\"t\":true,\"l\":[\"0x7c00\",false],\"s\":0.500000}");
}

START_TEST(strings_are_escaped)
{
	string_is("a\"b\\c", "\"a\\\"b\\\\c\"");
	string_is("a\nb\x7f", "\"a\\u000ab\\u007f\"");
}

START_TEST(strings_keep_utf8)
{
	string_is("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
		  "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
}

START_TEST(strings_that_are_not_utf8_become_so)
{
	string_is("a\xff", "\"a\\ufffd\"");
	string_is("\xc3", "\"\\ufffd\"");
	string_is("\xe2\x82", "\"\\ufffd\\ufffd\"");
	string_is("\xc0\x80", "\"\\ufffd\\ufffd\"");
	string_is("\xe0\x80\x80", "\"\\ufffd\\ufffd\\ufffd\"");
	string_is("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"");
	string_is("\xf0\x80", "\"\\ufffd\\ufffd\"");
	string_is("\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
}

static const TTest **const tests[] = {
	&members_have_commas_between,
	&strings_are_escaped,
	&strings_keep_utf8,
	&strings_that_are_not_utf8_become_so,
};

Suite *json_suite(void)
{
	return suite_of("json", tests, ARRAY_SIZE(tests));
}
