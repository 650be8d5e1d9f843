// SPDX-License-Identifier: GPL-2.0
/* The tracepoints' definitions */
#include "vcpu.h"

#define CREATE_TRACE_POINTS
#include "trace.h"
