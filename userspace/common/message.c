// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "message.h"
#include "status.h"

#define TEXT_MAX (4096 + 512) /* a path of any length and a message */

static const char *command_name;
static bool use_json;

void message_set_command(const char *command)
{
	command_name = command;
}

void message_use_json(bool json)
{
	use_json = json;
}

static void print_warning_json(const char *text)
{
	struct json json = { .file = stderr };

	json_object_begin(&json, NULL);
	json_string(&json, "type", "warning");
	json_string(&json, "message", text);
	json_object_end(&json);
	putc('\n', stderr);
}

static void print_message_json(int status, const char *reason, const char *text)
{
	struct json json = { .file = stderr };

	json_object_begin(&json, NULL);
	json_string(&json, "type", "result");
	json_number(&json, "status", status);
	json_string(&json, "outcome",
		    status == STATUS_USAGE ? "usage" : "environment");
	if (reason)
		json_string(&json, "reason", reason);
	json_string(&json, "message", text);
	json_object_end(&json);
	putc('\n', stderr);
}

static void print_message_text(const char *text)
{
	if (command_name)
		fprintf(stderr, "svmrun: %s: %s\n", command_name, text);
	else
		fprintf(stderr, "svmrun: %s\n", text);
}

static void print_failure(int status, const char *reason, const char *format,
			  va_list arguments)
{
	char text[TEXT_MAX];

	vsnprintf(text, sizeof(text), format, arguments);
	if (use_json)
		print_message_json(status, reason, text);
	else
		print_message_text(text);
}

int message_fail(int status, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_failure(status, NULL, format, arguments);
	va_end(arguments);
	return status;
}

int message_fail_reason(int status, const char *reason, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_failure(status, reason, format, arguments);
	va_end(arguments);
	return status;
}

void message_warn(const char *format, ...)
{
	char text[TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (use_json)
		print_warning_json(text);
	else
		print_message_text(text);
}

static void put_text(const char *text)
{
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		return;
}

static void write_json(int status, const char *text)
{
	const char digits[] = { '0' + status / 100, '0' + status / 10 % 10,
				'0' + status % 10, 0 };

	put_text("{\"type\":\"result\",\"status\":");
	put_text(digits + strspn(digits, "0"));
	put_text(",\"outcome\":\"environment\",\"message\":\"");
	put_text(text);
	put_text("\"}\n");
}

void message_write(int status, const char *text)
{
	if (use_json) {
		write_json(status, text);
		return;
	}
	put_text("svmrun: ");
	if (command_name) {
		put_text(command_name);
		put_text(": ");
	}
	put_text(text);
	put_text("\n");
}
