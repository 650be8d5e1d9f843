/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Breakpoints in debug registers that an emulated access hits (APM 13.1.1) */
#ifndef BREAKPOINT_H
#define BREAKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include <svmrun.h>

/* Return the bits of DR6 for the breakpoints that an access to memory or a port hits. */
uint64_t breakpoint_data(const struct svmrun_vcpu *vcpu, uint64_t linear,
			 unsigned int size, bool write);
uint64_t breakpoint_io(const struct svmrun_vcpu *vcpu, uint16_t port,
		       unsigned int size);

#endif /* BREAKPOINT_H */
