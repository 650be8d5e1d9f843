// SPDX-License-Identifier: GPL-2.0
/*
 * The MSR permission map (APM 15.11): two bits per MSR, of which the lower intercepts
 * reads and the upper writes. An access reaches the processor only if the program
 * requests it and the MSR is one that VMRUN, VMLOAD and VMSAVE (APM 15.5.1,
 * 15.5.2), nested paging (G_PAT, APM 15.25.4) or LBR virtualization (APM 15.23)
 * keep apart from the host's.
 */
#include "permission.h"

#include <linux/compiler.h>
#include <linux/kernel.h>

#define READS 1ull
#define WRITES 2ull
#define RW (READS | WRITES)

/* Index of the u64 with an MSR's bits: 32 MSRs per u64, ranges at 000h, 800h, 1000h */
#define WORD_LOW(msr) ((msr) / 32)
#define WORD_HIGH(msr) (0x800 / 8 + ((msr) % 0x2000) / 32)
#define BITS(msr, access) ((access) << ((msr) % 32 * 2))

/* Accesses that may be permitted: one row per u64 of the map */
static const struct {
	u32 word;
	u64 bits;
	u64 lbr_bits;
} allowed[] = {
	/* TSC: reads are offset by TSC_OFFSET */
	{ WORD_LOW(0x10), BITS(0x10, READS), 0 },
	/* SYSENTER_CS, SYSENTER_ESP, SYSENTER_EIP */
	{ WORD_LOW(0x174), BITS(0x174, RW) | BITS(0x175, RW) | BITS(0x176, RW),
	  0 },
	/*
	 * DEBUGCTL, whose bits the program's DBGCTL may not all have;
	 * LastBranchFromIP, ..ToIP, LastExceptionFromIP, ..ToIP
	 */
	{ WORD_LOW(0x1d9), 0,
	  BITS(0x1d9, READS) | BITS(0x1db, READS) | BITS(0x1dc, READS) |
		  BITS(0x1dd, READS) | BITS(0x1de, READS) },
	/* PAT: the guest's is G_PAT */
	{ WORD_LOW(0x277), BITS(0x277, RW), 0 },
	/* STAR, LSTAR, CSTAR, SFMASK; not EFER */
	{ WORD_HIGH(0xc0000081),
	  BITS(0x81, RW) | BITS(0x82, RW) | BITS(0x83, RW) | BITS(0x84, RW),
	  0 },
	/* FS.base, GS.base, KernelGSBase */
	{ WORD_HIGH(0xc0000100),
	  BITS(0x100, RW) | BITS(0x101, RW) | BITS(0x102, RW), 0 },
};

/**
 * permission_load() - load the program's MSR permission map
 * @hw: the hardware's map, PERMISSION_MSRPM_SIZE bytes that were all ones when
 *	it was made
 * @user: the program's map, which the program may be changing
 * @lbr: the guest runs with LBR virtualization
 *
 * Only the u64s in the table can differ from all ones.
 */
void permission_load(u64 *hw, const u64 *user, bool lbr)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(allowed); i++) {
		u64 bits = allowed[i].bits | (lbr ? allowed[i].lbr_bits : 0);

		hw[allowed[i].word] = READ_ONCE(user[allowed[i].word]) | ~bits;
	}
}
