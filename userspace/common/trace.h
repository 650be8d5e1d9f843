/* SPDX-License-Identifier: GPL-2.0 */
/* A line an exit, before it is answered. */
#ifndef TRACE_H
#define TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <svmrun.h>

void trace_exit(FILE *file, bool json, uint64_t number,
		const struct svmrun_vcpu *vcpu);

#endif /* TRACE_H */
