/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The legal state that mutations start from: a guest's memory, which is the same
 * for every mode, and a VMCB in one of the modes
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>

#include <svmrun.h>

#define GUEST_PAGE 0x1000ul
#define GUEST_PAGES 16
#define GUEST_SIZE (GUEST_PAGES * GUEST_PAGE)

/* Memory layout; page tables map all of it to the same addresses. */
#define GUEST_IVT 0x0000
#define GUEST_GDT 0x1000
#define GUEST_TSS_32 0x1800
#define GUEST_TSS_64 0x1900
#define GUEST_IDT_64 0x2000
#define GUEST_STACK 0x3800 /* top of the stack */
#define GUEST_CODE 0x4000
#define GUEST_CODE_SIZE 0x100
#define GUEST_HANDLER 0x5000 /* for every exception */
#define GUEST_HANDLER_16 0x5010
#define GUEST_IDT_32 0x7000
#define GUEST_TABLES 0x8000 /* 7 pages */
#define GUEST_PML4 0x8000
#define GUEST_PDP_64 0x9000
#define GUEST_PD_64 0xa000
#define GUEST_PT_64 0xb000
#define GUEST_PDP_32 0xc000
#define GUEST_PD_32 0xd000
#define GUEST_PT_32 0xe000
#define GUEST_TABLE_PAGES 7
#define GUEST_READ_ONLY 0xf000

enum guest_mode {
	GUEST_LONG,
	GUEST_COMPATIBILITY,
	GUEST_PAE,
	GUEST_PAGED,
	GUEST_PROTECTED,
	GUEST_VIRTUAL_8086,
	GUEST_REAL,
	GUEST_MODES,
};

/* The initial state of a guest */
struct guest_ground {
	enum guest_mode mode;
	bool user; /* at CPL 3, if the mode has it */
	bool handlers; /* otherwise the first exception ends the guest */
};

int guest_map(struct svmrun_vm *vm, uint8_t *memory, uint32_t gpa);
void guest_fill(uint8_t *memory);
void guest_begin(struct svmrun_vcpu *vcpu, const struct guest_ground *ground);

#endif /* GUEST_H */
