/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One suite per file: test_NOUN.c tests the file NOUN.c and defines NOUN_suite(). The
 * Makefile finds it by its name.
 */
#ifndef SUITES_H
#define SUITES_H

#include <check.h>
#include <stddef.h>

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#endif

/* Create a suite of tests without a fixture. */
Suite *suite_of(const char *name, const TTest **const *tests, size_t count);

#endif /* SUITES_H */
