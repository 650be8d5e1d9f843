/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_FPU_H
#define SVMRUN_FPU_H

#include <linux/types.h>

/**
 * struct guest_fpu - a guest's extended state
 * @area: its XSAVE area, standard format
 * @xcr0: its XCR0
 * @host_pkru: the host's PKRU while the guest's is loaded
 */
struct guest_fpu {
	void *area;
	u64 xcr0;
	u32 host_pkru;
};

int fpu_init(void);
u32 fpu_area_size(void);
u64 fpu_xcr0(void);
bool fpu_xcr0_valid(u64 xcr0);

int fpu_enter(struct guest_fpu *guest);
void fpu_leave(struct guest_fpu *guest);

#endif /* SVMRUN_FPU_H */
