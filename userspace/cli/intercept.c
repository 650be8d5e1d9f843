// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "intercept.h"

/* Vectors 0 to 2 are CRs, DRs and exceptions, which have numbers. */
#define FIRST_NAMED 3

/* Keep the columns of the table. */
/* clang-format off */
static const char *const names[INTERCEPT_VECTORS - FIRST_NAMED][32] = {
	{ "INTR",	"NMI",		"SMI",		"INIT",
	  "VINTR",	"CR0_SEL_WRITE", "IDTR_READ",	"GDTR_READ",
	  "LDTR_READ",	"TR_READ",	"IDTR_WRITE",	"GDTR_WRITE",
	  "LDTR_WRITE", "TR_WRITE",	"RDTSC",	"RDPMC",
	  "PUSHF",	"POPF",		"CPUID",	"RSM",
	  "IRET",	"SWINT",	"INVD",		"PAUSE",
	  "HLT",	"INVLPG",	"INVLPGA",	"IOIO",
	  "MSR",	"TASK_SWITCH",	"FERR_FREEZE",	"SHUTDOWN" },
	{ "VMRUN",	"VMMCALL",	"VMLOAD",	"VMSAVE",
	  "STGI",	"CLGI",		"SKINIT",	"RDTSCP",
	  "ICEBP",	"WBINVD",	"MONITOR",	"MWAIT",
	  "MWAIT_ARMED", "XSETBV",	"RDPRU",	"EFER_WRITE_TRAP" },
	{ "INVLPGB",	"INVLPGB_ILLEGAL", "INVPCID",	"MCOMMIT",
	  "TLBSYNC",	"BUS_LOCK",	"IDLE_HLT" },
};

/* clang-format on */

static void numbered_name(char *name, unsigned int vector, unsigned int bit)
{
	static const char *const registers[] = { "CR", "DR" };

	if (vector < 2)
		snprintf(name, INTERCEPT_NAME_SIZE, "%s%u_%s",
			 registers[vector], bit % 16,
			 bit < 16 ? "READ" : "WRITE");
	else
		snprintf(name, INTERCEPT_NAME_SIZE, "EXCP%u", bit);
}

void intercept_name(char name[INTERCEPT_NAME_SIZE], unsigned int vector,
		    unsigned int bit)
{
	const char *known;

	if (vector < FIRST_NAMED) {
		numbered_name(name, vector, bit);
		return;
	}
	known = names[vector - FIRST_NAMED][bit];
	if (known)
		snprintf(name, INTERCEPT_NAME_SIZE, "%s", known);
	else
		snprintf(name, INTERCEPT_NAME_SIZE, "%u.%u", vector, bit);
}
