/* SPDX-License-Identifier: GPL-2.0 */
/* The trace of exits, --trace: one line per exit, before it is handled */
#ifndef TRACE_H
#define TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <svmrun.h>

void trace_exit(FILE *file, bool json, uint64_t number,
		const struct svmrun_vcpu *vcpu);

#endif /* TRACE_H */
