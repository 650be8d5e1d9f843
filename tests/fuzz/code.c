// SPDX-License-Identifier: GPL-2.0
/*
 * Random instructions, most of which a hypervisor has to handle. Any bytes are
 * instructions in any mode, with whatever meaning, so nothing here need be correct.
 */
#include "code.h"

#include <string.h>

#include "xorshift.h"

/*
 * Some bytes, and the number of random bytes after them: ModRM, an immediate, an
 * offset
 */
struct piece {
	const char *bytes;
	uint8_t size;
	uint8_t random;
};

#define PIECE(bytes, random)                                                   \
	{                                                                      \
		bytes, sizeof(bytes) - 1, random                               \
	}
#define RDMSR(msr) PIECE("\xb9" msr "\x0f\x32", 0)
#define WRMSR(msr) PIECE("\xb9" msr "\x0f\x30", 0)

/* clang-format off */
static const struct piece pieces[] = {
	PIECE("", 1), PIECE("", 2), PIECE("", 3), PIECE("", 4),
	/* MOV to and from CRn and DRn, CLTS; groups 6, 7, 9 and 15 */
	PIECE("\x0f\x20", 1), PIECE("\x0f\x22", 1), PIECE("\x0f\x22\xc0", 0),
	PIECE("\x0f\x22\xe0", 0), PIECE("\x0f\x22\xd8", 0),
	PIECE("\x0f\x21", 1), PIECE("\x0f\x23", 1), PIECE("\x0f\x06", 0),
	PIECE("\x0f\x00", 1), PIECE("\x0f\x00\x03", 0), PIECE("\x0f\x00\x0b", 0),
	PIECE("\x0f\x01", 1), PIECE("\x0f\x01\x03", 0), PIECE("\x0f\x01\x0b", 0),
	PIECE("\x0f\x01\x13", 0), PIECE("\x0f\x01\x3b", 0),
	PIECE("\x0f\xc7", 1), PIECE("\x48\x0f\xc7\x0b", 0),
	PIECE("\x0f\xae", 1), PIECE("\x0f\xae\x03", 0), PIECE("\x0f\xae\x0b", 0),
	PIECE("\xf3\x0f\xae\xc0", 0), PIECE("\xf3\x48\x0f\xae\xd0", 0),
	/* SVM */
	PIECE("\x0f\x01\xd8", 0), PIECE("\x0f\x01\xd9", 0),
	PIECE("\x0f\x01\xda", 0), PIECE("\x0f\x01\xdb", 0),
	PIECE("\x0f\x01\xdc", 0), PIECE("\x0f\x01\xdd", 0),
	PIECE("\x0f\x01\xde", 0), PIECE("\x0f\x01\xdf", 0),
	/* MONITOR, MWAIT, CLAC, STAC, XGETBV, XSETBV, RDPKRU, WRPKRU, SWAPGS */
	PIECE("\x0f\x01\xc8", 0), PIECE("\x0f\x01\xc9", 0),
	PIECE("\x0f\x01\xca", 0), PIECE("\x0f\x01\xcb", 0),
	PIECE("\x31\xc9\x0f\x01\xd0", 0), PIECE("\x31\xc9\x0f\x01\xd1", 0),
	PIECE("\x31\xc9\x0f\x01\xee", 0), PIECE("\x31\xc9\x31\xd2\x0f\x01\xef", 0),
	PIECE("\x0f\x01\xf8", 0),
	/* RDTSCP, RDPRU, INVLPGB, TLBSYNC; INVPCID; CPUID, RDTSC, RDPMC, RSM */
	PIECE("\x0f\x01\xf9", 0), PIECE("\x0f\x01\xfd", 0),
	PIECE("\x0f\x01\xfe", 0), PIECE("\x0f\x01\xff", 0),
	PIECE("\x66\x0f\x38\x82", 1), PIECE("\x0f\xa2", 0), PIECE("\x0f\x31", 0),
	PIECE("\x0f\x33", 0), PIECE("\x0f\xaa", 0),
	/* INVD, WBINVD, UD2, HLT, PAUSE, ICEBP, INT3, INTO, INTn, IRET */
	PIECE("\x0f\x08", 0), PIECE("\x0f\x09", 0), PIECE("\x0f\x0b", 0),
	PIECE("\xf4", 0), PIECE("\xf3\x90", 0), PIECE("\xf1", 0),
	PIECE("\xcc", 0), PIECE("\xce", 0), PIECE("\xcd", 1), PIECE("\xcf", 0),
	PIECE("\x48\xcf", 0),
	/* SYSCALL, SYSRET, SYSENTER, SYSEXIT */
	PIECE("\x0f\x05", 0), PIECE("\x48\x0f\x07", 0), PIECE("\x0f\x34", 0),
	PIECE("\x48\x0f\x35", 0),
	/* MSRs: TSC, APIC_BASE, SYSENTER_*, DEBUGCTL, PAT */
	RDMSR("\x10\x00\x00\x00"), WRMSR("\x10\x00\x00\x00"),
	RDMSR("\x1b\x00\x00\x00"), WRMSR("\x1b\x00\x00\x00"),
	RDMSR("\x74\x01\x00\x00"), WRMSR("\x74\x01\x00\x00"),
	RDMSR("\x75\x01\x00\x00"), WRMSR("\x76\x01\x00\x00"),
	RDMSR("\xd9\x01\x00\x00"), WRMSR("\xd9\x01\x00\x00"),
	RDMSR("\x77\x02\x00\x00"), WRMSR("\x77\x02\x00\x00"),
	/* EFER, STAR to SFMASK, FS, GS and kernel GS, TSC_AUX, VM_HSAVE_PA */
	RDMSR("\x80\x00\x00\xc0"), WRMSR("\x80\x00\x00\xc0"),
	RDMSR("\x81\x00\x00\xc0"), WRMSR("\x82\x00\x00\xc0"),
	RDMSR("\x83\x00\x00\xc0"), WRMSR("\x84\x00\x00\xc0"),
	RDMSR("\x00\x01\x00\xc0"), WRMSR("\x00\x01\x00\xc0"),
	RDMSR("\x01\x01\x00\xc0"), WRMSR("\x01\x01\x00\xc0"),
	RDMSR("\x02\x01\x00\xc0"), WRMSR("\x02\x01\x00\xc0"),
	RDMSR("\x03\x01\x00\xc0"), WRMSR("\x03\x01\x00\xc0"),
	RDMSR("\x17\x01\x01\xc0"), WRMSR("\x17\x01\x01\xc0"),
	/* PUSHF, POPF, CLI, STI, ports */
	PIECE("\x9c", 0), PIECE("\x9d", 0), PIECE("\xfa", 0), PIECE("\xfb", 0),
	PIECE("\xe4", 1), PIECE("\xe6", 1), PIECE("\xed", 0), PIECE("\xee", 0),
	PIECE("\x6c", 0), PIECE("\xf3\x6f", 0),
	/* Jumps, calls, segments */
	PIECE("\xeb", 1), PIECE("\x72", 1), PIECE("\xe2\xfe", 0),
	PIECE("\xeb\xfe", 0), PIECE("\xe8", 4), PIECE("\xc3", 0),
	PIECE("\xea", 6), PIECE("\xcb", 0), PIECE("\xff", 1), PIECE("\x8e", 1),
	PIECE("\x8c", 1), PIECE("\x17", 0), PIECE("\x0f\xb2", 1),
	/*
	 * Memory accesses: by registers, by absolute address, string instructions
	 */
	PIECE("\x89", 1), PIECE("\x8b", 1), PIECE("\xa3", 4), PIECE("\xa1", 4),
	PIECE("\xc7\x05", 8), PIECE("\xf3\xa4", 0), PIECE("\xf3\xab", 0),
	PIECE("\xf0\x0f\xb1", 1), PIECE("\x50", 0), PIECE("\x58", 0),
	PIECE("\xb8", 4), PIECE("\x48\xb8", 8), PIECE("\xbb", 4),
	PIECE("\x48\xbf\x00\x60\x00\x00\x00\x00\x00\x00", 0),
	/* Extended state: to RAX, from RAX, x87, AVX */
	PIECE("\x66\x48\x0f\x7e\xc0", 0), PIECE("\x66\x48\x0f\x6e\xc0", 0),
	PIECE("\xd9", 1), PIECE("\xdd", 1), PIECE("\xc5\xfc\x77", 0),
	PIECE("\xc5", 3), PIECE("\x0f\x28", 1),
};
/* clang-format on */

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* The guest's first instruction, which cannot be preceded by an exit */
static const struct piece first[] = {
	PIECE("", 0), PIECE("", 0),
	PIECE("\x66\x48\x0f\x7e\xc0", 0), /* movq %xmm0, %rax */
	RDMSR("\x77\x02\x00\x00"), /* PAT */
};

static const uint8_t last[] = { 0x0f, 0x01, 0xd9, 0xf4 }; /* vmmcall, hlt */

void code_fill(uint8_t *code, size_t size, uint64_t *random)
{
	const struct piece *piece =
		&first[xorshift_below(random, ARRAY_SIZE(first))];
	uint8_t *end = code + size - sizeof(last);
	uint32_t n = 1 + xorshift_below(random, 24);

	while (n-- && code + piece->size + piece->random <= end) {
		uint64_t value = xorshift(random);

		memcpy(code, piece->bytes, piece->size);
		memcpy(code + piece->size, &value, piece->random);
		code += piece->size + piece->random;
		piece = &pieces[xorshift_below(random, ARRAY_SIZE(pieces))];
	}
	memcpy(code, last, sizeof(last));
}
