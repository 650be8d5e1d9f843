/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A suite a file: test_NOUN.c tests the file NOUN.c and has the function
 * NOUN_suite(). The Makefile finds it; nothing else need be told of it.
 */
#ifndef SUITES_H
#define SUITES_H

#include <check.h>
#include <stddef.h>

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#endif

/* A suite of tests that need no fixture */
Suite *suite_of(const char *name, const TTest **const *tests, size_t count);

#endif /* SUITES_H */
