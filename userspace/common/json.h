/* SPDX-License-Identifier: GPL-2.0 */
/*
 * JSON, written member by member. Keys are plain ASCII. Addresses and codes are strings
 * of hexadecimal digits, because many readers of JSON keep only 53 bits of a number.
 */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *file;
	bool comma; /* the next member needs a comma before it */
};

/* @key: NULL in an array */
void json_object_begin(struct json *json, const char *key);
void json_object_end(struct json *json);
void json_array_begin(struct json *json, const char *key);
void json_array_end(struct json *json);
void json_string(struct json *json, const char *key, const char *value);
void json_number(struct json *json, const char *key, uint64_t value);
void json_hex(struct json *json, const char *key, uint64_t value);
void json_bool(struct json *json, const char *key, bool value);
void json_seconds(struct json *json, const char *key, double value);

#endif /* JSON_H */
