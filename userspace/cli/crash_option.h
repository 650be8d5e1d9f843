/* SPDX-License-Identifier: GPL-2.0 */
/* The value of --crash: the name of an exit, with or without VMEXIT_ */
#ifndef CRASH_OPTION_H
#define CRASH_OPTION_H

#include <stdbool.h>
#include <stdint.h>

/* Return false if there is no such exit. */
bool crash_parse(const char *name, uint64_t *code);

#endif /* CRASH_OPTION_H */
