// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "addresses.h"
#include "common/message.h"
#include "common/status.h"

#define FIRST_ROOM 1024 /* addresses */

static bool parse_line(const char *line, uint64_t *address)
{
	char *end;

	if (!isxdigit((unsigned char)*line))
		return false;
	errno = 0;
	*address = strtoull(line, &end, 16);
	return !errno && (!*end || *end == ':' || *end == ',' ||
			  isspace((unsigned char)*end));
}

/* Double the room for addresses, which @count is, when it is used up. */
static int append(struct addresses *addresses, uint64_t address)
{
	size_t count = addresses->count, room = count ? 2 * count : FIRST_ROOM;
	uint64_t *list = addresses->list;

	if (count == ADDRESSES_MAX)
		return -E2BIG;
	if (!count || (count >= FIRST_ROOM && !(count & (count - 1)))) {
		list = reallocarray(list, room, sizeof(*list));
		if (!list)
			return -ENOMEM;
		addresses->list = list;
	}
	list[addresses->count++] = address;
	return 0;
}

static int add_line(struct addresses *addresses, const char *file,
		    size_t number, const char *line)
{
	uint64_t address;
	int ret;

	line += strspn(line, " \t\r\n");
	if (!*line || *line == '#')
		return 0;
	if (!parse_line(line, &address))
		return message_fail(STATUS_USAGE,
				    "%s: line %zu does not begin with a hexadecimal address",
				    file, number);
	ret = append(addresses, address);
	return ret ? message_fail(STATUS_USAGE, "%s: line %zu: %s", file,
				  number,
				  ret == -E2BIG ? "too many addresses" :
						  strerror(-ret)) :
		     0;
}

static int add_lines(struct addresses *addresses, const char *file,
		     FILE *stream)
{
	size_t size = 0, number = 0;
	char *line = NULL;
	int status = 0;

	while (!status && getline(&line, &size, stream) >= 0)
		status = add_line(addresses, file, ++number, line);
	if (!status && ferror(stream))
		status = message_fail(STATUS_USAGE, "%s: %s", file,
				      strerror(errno));
	free(line);
	return status;
}

static int compare(const void *left, const void *right)
{
	const uint64_t *one = left, *other = right;

	return *one < *other ? -1 : *one > *other;
}

static void sort_addresses(struct addresses *addresses)
{
	uint64_t *list = addresses->list;
	size_t i, count = 0;

	qsort(list, addresses->count, sizeof(*list), compare);
	for (i = 0; i < addresses->count; i++)
		if (!count || list[i] != list[count - 1])
			list[count++] = list[i];
	addresses->count = count;
}

int addresses_read(struct addresses *addresses, const char *file)
{
	FILE *stream = fopen(file, "re");
	int status;

	*addresses = (struct addresses){ 0 };
	if (!stream)
		return message_fail(STATUS_USAGE, "%s: %s", file,
				    strerror(errno));
	status = add_lines(addresses, file, stream);
	fclose(stream);
	if (!status && !addresses->count)
		status = message_fail(STATUS_USAGE, "%s: has no addresses",
				      file);
	if (!status)
		sort_addresses(addresses);
	return status;
}

void addresses_free(struct addresses *addresses)
{
	free(addresses->list);
	*addresses = (struct addresses){ 0 };
}
