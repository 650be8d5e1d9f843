// SPDX-License-Identifier: GPL-2.0
/*
 * Exit codes (APM appendix C): a guest raises each of them, and the program sees
 * EXITINFO1, EXITINFO2 and RIP as the manual specifies. An exit is not raised
 * unless the program requests it.
 */
#include <sys/time.h>

#include "tables.h"

#define EXCEPTION_UD 6

#define CR0_TS (1ull << 3)
#define CR0_NE (1ull << 5)
#define CR0_AM (1ull << 18)
#define CR4_OSXSAVE (1ull << 18)
#define EFLAGS_NT (1ull << 14)
#define EFLAGS_AC (1ull << 18)

#define UNMAPPED 0x200000ul /* outside the machine's memory */

/*
 * A guest in which @at is the instruction that exits and @next the one after it, a
 * HLT
 */
struct exit {
	uint64_t code;
	enum machine_mode mode;
	const char *guest;
	const char *at;
	const char *next;
	const char *end;
	/*
	 * Some processors or emulators do not raise it; the test prints what they
	 * do.
	 */
	bool optional;
	/* No program can raise it, for this reason. */
	const char *never;
	void (*prepare)(struct machine *m);
	int result; /* result of RUN */
	/* RIP is that of the instruction, unless */
	bool trap; /* it is after the instruction */
	bool anywhere; /* the manual does not define it */
	uint64_t info1, info1_mask;
	uint64_t info2, info2_mask;
	bool info2_is_next;
	/* EXITINFO1 with decode assists (APM 15.33.1, 15.33.2) */
	uint64_t assist, assist_mask;
};

FIXTURE(intercept)
{
	struct machine m;
};

FIXTURE_VARIANT(intercept)
{
	struct exit exit;
};

FIXTURE_SETUP(intercept)
{
	ASSERT_EQ(0, machine_create(&self->m));
}

FIXTURE_TEARDOWN(intercept)
{
	machine_destroy(&self->m);
}

#define MODE_OF_16 MODE_REAL
#define MODE_OF_32 MODE_PROTECTED
#define MODE_OF_64 MODE_LONG

/*
 * One exit: @name in lower case, exit code, bits of the code, preparation,
 * instruction
 */
#define EXIT(name, code_, bits, before, text, ...)                             \
	GUEST(name##_guest, bits,                                              \
	      before "\n" #name "_at: " text "\n" #name "_next: hlt");         \
	GUEST_LABEL(name##_at);                                                \
	GUEST_LABEL(name##_next);                                              \
	FIXTURE_VARIANT_ADD(intercept, name)                                   \
	{                                                                      \
		.exit = {                                                      \
			.code = (code_),                                       \
			.mode = MODE_OF_##bits,                                \
			.guest = name##_guest,                                 \
			.at = name##_at,                                       \
			.next = name##_next,                                   \
			.end = name##_guest_end,                               \
			__VA_ARGS__                                            \
		}                                                              \
	}

#define NEVER(name, code_, why)                                                \
	FIXTURE_VARIANT_ADD(intercept, name)                                   \
	{                                                                      \
		.exit = { .code = (code_), .never = (why) },                   \
	}

#define INFO1(value) .info1 = (value), .info1_mask = ~0ull
#define INFO2(value) .info2 = (value), .info2_mask = ~0ull
#define ASSIST(value) .assist = (value), .assist_mask = ~0ull

/* ---- control and debug registers ----------------------------------------- */

/* With decode assists: a MOV from or to RBX (APM 15.33.1) */
#define CR_ASSIST ASSIST(1ull << 63 | SVMRUN_RBX)
#define DR_ASSIST ASSIST(SVMRUN_RBX)

#define CR_READ(n, ...)                                                        \
	EXIT(cr##n##_read, VMEXIT_CR_READ(n), 64, "", "mov %cr" #n ", %rbx",   \
	     CR_ASSIST, __VA_ARGS__)
#define CR_WRITE(n, ...)                                                       \
	EXIT(cr##n##_write, VMEXIT_CR_WRITE(n), 64, "mov %cr" #n ", %rbx",     \
	     "mov %rbx, %cr" #n, CR_ASSIST, __VA_ARGS__);                      \
	NO_CR_TRAP(n)
#define NO_CR_TRAP(n)                                                          \
	NEVER(cr##n##_write_trap, VMEXIT_CR_WRITE_TRAP(n),                     \
	      "svmrun refuses the intercept")
#define DR(n, ...)                                                             \
	EXIT(dr##n##_read, VMEXIT_DR_READ(n), 64, "", "mov %dr" #n ", %rbx",   \
	     DR_ASSIST, __VA_ARGS__);                                          \
	EXIT(dr##n##_write, VMEXIT_DR_WRITE(n), 64, "mov %dr" #n ", %rbx",     \
	     "mov %rbx, %dr" #n, DR_ASSIST, __VA_ARGS__)

CR_READ(0);
CR_WRITE(0);
CR_READ(1, .optional = true);
CR_WRITE(1, .optional = true);
CR_READ(2, .optional = true);
CR_WRITE(2);
CR_READ(3, .optional = true);
CR_WRITE(3);
CR_READ(4, .optional = true);
/* Reading CR4 first would exit too. */
EXIT(cr4_write, VMEXIT_CR_WRITE(4), 64, "mov $0x620, %ebx", "mov %rbx, %cr4",
     CR_ASSIST);
NO_CR_TRAP(4);
CR_READ(5, .optional = true);
CR_WRITE(5, .optional = true);
CR_READ(6, .optional = true);
CR_WRITE(6, .optional = true);
CR_READ(7, .optional = true);
CR_WRITE(7, .optional = true);
CR_READ(8, .optional = true);
CR_WRITE(8);
CR_READ(9, .optional = true);
CR_WRITE(9, .optional = true);
CR_READ(10, .optional = true);
CR_WRITE(10, .optional = true);
CR_READ(11, .optional = true);
CR_WRITE(11, .optional = true);
CR_READ(12, .optional = true);
CR_WRITE(12, .optional = true);
CR_READ(13, .optional = true);
CR_WRITE(13, .optional = true);
CR_READ(14, .optional = true);
CR_WRITE(14, .optional = true);
CR_READ(15, .optional = true);
CR_WRITE(15, .optional = true);
DR(0);
DR(1);
DR(2);
DR(3);
DR(4);
DR(5);
DR(6);
DR(7);
DR(8, .optional = true);
DR(9, .optional = true);
DR(10, .optional = true);
DR(11, .optional = true);
DR(12, .optional = true);
DR(13, .optional = true);
DR(14, .optional = true);
DR(15, .optional = true);

/* SMSW and LMSW access CR0 too, but not with MOV. */
EXIT(smsw, VMEXIT_CR_READ(0), 64, "", "smsw %ebx", ASSIST(0));
EXIT(lmsw, VMEXIT_CR_WRITE(0), 64, "smsw %ebx", "lmsw %bx", ASSIST(0));

/* A change of bits other than TS and MP (APM 15.9): WP */
EXIT(cr0_sel_write, VMEXIT_CR0_SEL_WRITE, 64,
     "mov %cr0, %rbx\n btc $3, %rbx\n mov %rbx, %cr0\n"
     "btc $16, %rbx",
     "mov %rbx, %cr0");

/* ---- exceptions ---------------------------------------------------------- */

static void set_tables(struct machine *m)
{
	tables_set(m, MODE_PROTECTED);
}

static void set_long_tables(struct machine *m)
{
	tables_set(m, MODE_LONG);
}

static void set_no_fpu(struct machine *m)
{
	m->vcpu.vmcb->save.cr0 |= CR0_TS;
}

/*
 * This TSS is too short to contain the stack that a software interrupt at CPL 3
 * needs.
 */
static void set_short_tss(struct machine *m)
{
	tables_set(m, MODE_PROTECTED);
	tables_set_gate(m, MODE_PROTECTED, 0x30, HANDLER(0x30), 3);
	tables_enter_user(m);
	m->vcpu.vmcb->save.tr.limit = 3;
}

static void set_alignment_checks(struct machine *m)
{
	tables_set(m, MODE_PROTECTED);
	tables_enter_user(m);
	m->vcpu.vmcb->save.cr0 |= CR0_AM;
	m->vcpu.vmcb->save.rflags |= EFLAGS_AC;
}

#define EXCP(name, n, ...) EXIT(name, VMEXIT_EXCP(n), __VA_ARGS__)
#define RESERVED(n)                                                            \
	NEVER(excp##n, VMEXIT_EXCP(n), "reserved: no processor raises it")

EXCP(de, 0, 64, "xor %ecx, %ecx", "div %ecx");
EXCP(db, 1, 64, "pushf\n orl $0x100, (%rsp)\n popf", "nop", .trap = true);
NEVER(excp2, VMEXIT_EXCP(2),
      "NMI is VMEXIT_NMI; an injected one is not intercepted");
EXCP(bp, 3, 64, "", "int3", .optional = true, .prepare = set_long_tables);
EXCP(of, 4, 32, "mov $0x7f, %al\n inc %al", "into", .optional = true,
     .prepare = set_tables);
EXCP(br, 5, 32, "mov $5, %eax", "bound %eax, 0xa000");
EXCP(ud, 6, 64, "", "ud2");
EXCP(nm, 7, 64, "", "fld1", .prepare = set_no_fpu);
EXCP(df, 8, 64, "xor %ecx, %ecx", "div %ecx", INFO1(0), .anywhere = true,
     .optional = true);
RESERVED(9);
EXCP(ts, 10, 32, "", "int $0x30", INFO1(SELECTOR_TSS),
     .prepare = set_short_tss);
EXCP(np, 11, 32, "mov $0x38, %eax", "mov %eax, %ds", INFO1(SELECTOR_ABSENT),
     .prepare = set_tables);
EXCP(ss, 12, 32, "mov $0x38, %eax", "mov %eax, %ss", INFO1(SELECTOR_ABSENT),
     .prepare = set_tables);
EXCP(gp, 13, 32, "mov $0xfff8, %eax", "mov %eax, %ds", INFO1(0xfff8),
     .prepare = set_tables);
EXCP(pf, 14, 64, "mov $0x100000123, %rbx", "movl $1, (%rbx)", INFO1(2),
     INFO2(0x100000123));
EXCP(pf_fetch, 14, 64, "mov $0x100000123, %rbx", "jmp *%rbx", INFO1(0),
     INFO2(0x100000123), .anywhere = true);
RESERVED(15);
EXCP(mf, 16, 64,
     "fninit\n movw $0x033b, 0xa000\n fldcw 0xa000\n"
     "fld1\n fldz\n fdivrp",
     "fwait");
EXCP(ac, 17, 32, "", "mov 0xa001, %eax", INFO1(0), .optional = true,
     .prepare = set_alignment_checks);
NEVER(excp18, VMEXIT_EXCP(18), "#MC is handled by the host");
EXCP(xf, 19, 64,
     "movl $0x1d80, 0xa000\n ldmxcsr 0xa000\n"
     "xorps %xmm0, %xmm0\n mov $1, %eax\n cvtsi2ss %eax, %xmm1",
     "divss %xmm0, %xmm1", .optional = true);
RESERVED(20);
NEVER(excp21, VMEXIT_EXCP(21), "needs a guest with shadow stacks");
RESERVED(22);
RESERVED(23);
RESERVED(24);
RESERVED(25);
RESERVED(26);
RESERVED(27);
NEVER(excp28, VMEXIT_EXCP(28), "needs an SEV-SNP guest");
NEVER(excp29, VMEXIT_EXCP(29), "needs an SEV-ES guest");
NEVER(excp30, VMEXIT_EXCP(30), "redirected INIT is handled by the host");
RESERVED(31);

/* ---- intercept vector 3 -------------------------------------------------- */

static void on_alarm(int signal)
{
}

static void set_alarm(struct machine *m)
{
	const struct itimerval soon = { .it_value.tv_usec = 50000 };

	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &soon, NULL);
}

static void set_virtual_interrupt(struct machine *m)
{
	tables_set(m, MODE_LONG);
	m->vcpu.vmcb->control.vintr = SVM_VINTR_V_IRQ |
				      15ull << SVM_VINTR_V_INTR_PRIO_SHIFT |
				      0x30ull << SVM_VINTR_V_INTR_VECTOR_SHIFT;
}

static void set_no_native_errors(struct machine *m)
{
	m->vcpu.vmcb->save.cr0 &= ~CR0_NE;
}

/* A second task, which halts */
static void set_other_task(struct machine *m)
{
	tables_set(m, MODE_PROTECTED);
	tables_set_task(m, HANDLER(0), MACHINE_STACK);
}

/* The second task is the one that the first has interrupted. */
static void set_nested_task(struct machine *m)
{
	set_other_task(m);
	*tables_descriptor(m, SELECTOR_OTHER_TSS) =
		descriptor_tss(TABLES_OTHER_TSS, TSS_LIMIT, TYPE_TSS_BUSY);
	*(uint32_t *)machine_at(m, TABLES_TSS) = SELECTOR_OTHER_TSS;
	m->vcpu.vmcb->save.rflags |= EFLAGS_NT;
}

static void set_no_msr_permission(struct machine *m)
{
	memset(m->vcpu.msrpm, 0xff, 2 * PAGE);
}

EXIT(intr, VMEXIT_INTR, 64, "", "1: jmp 1b", .result = -EINTR,
     .prepare = set_alarm);
NEVER(nmi, VMEXIT_NMI, "handled by the host");
NEVER(smi, VMEXIT_SMI, "handled by the host");
NEVER(init, VMEXIT_INIT, "handled by the host");
EXIT(vintr, VMEXIT_VINTR, 64, "sti", "nop", .trap = true,
     .prepare = set_virtual_interrupt);
EXIT(idtr_read, VMEXIT_IDTR_READ, 64, "", "sidt 0xa000");
EXIT(gdtr_read, VMEXIT_GDTR_READ, 64, "", "sgdt 0xa000");
EXIT(ldtr_read, VMEXIT_LDTR_READ, 64, "", "sldt %ebx");
EXIT(tr_read, VMEXIT_TR_READ, 64, "", "str %ebx");
EXIT(idtr_write, VMEXIT_IDTR_WRITE, 64, "", "lidt 0xa000");
EXIT(gdtr_write, VMEXIT_GDTR_WRITE, 64, "", "lgdt 0xa000");
EXIT(ldtr_write, VMEXIT_LDTR_WRITE, 64, "xor %ebx, %ebx", "lldt %bx");
EXIT(tr_write, VMEXIT_TR_WRITE, 64, "xor %ebx, %ebx", "ltr %bx");
EXIT(rdtsc, VMEXIT_RDTSC, 64, "", "rdtsc");
EXIT(rdpmc, VMEXIT_RDPMC, 64, "xor %ecx, %ecx", "rdpmc");
EXIT(pushf, VMEXIT_PUSHF, 64, "", "pushf");
EXIT(popf, VMEXIT_POPF, 64, "pushf", "popf");
EXIT(cpuid, VMEXIT_CPUID, 64, "xor %eax, %eax", "cpuid");
EXIT(rsm, VMEXIT_RSM, 64, "", "rsm", .optional = true);
EXIT(iret, VMEXIT_IRET, 64, "", "iretq");
EXIT(iret_real, VMEXIT_IRET, 16,
     "call 1f\n jmp iret_real_next\n"
     "1: pop %bx\n pushf\n push %cs\n push %bx",
     "iret");
EXIT(swint, VMEXIT_SWINT, 64, "", "int $0x30", ASSIST(0x30));
EXIT(swint_real, VMEXIT_SWINT, 16, "", "int $0x30", ASSIST(0x30));
EXIT(invd, VMEXIT_INVD, 64, "", "invd", .optional = true);
EXIT(pause, VMEXIT_PAUSE, 64, "", "pause");
EXIT(hlt, VMEXIT_HLT, 64, "", "hlt");
EXIT(invlpg, VMEXIT_INVLPG, 64, "mov $0x1234, %ebx", "invlpg (%rbx)",
     ASSIST(0x1234));
EXIT(invlpga, VMEXIT_INVLPGA, 64, "xor %ecx, %ecx", "invlpga %rax, %ecx");
EXIT(rdmsr, VMEXIT_MSR, 64, "mov $0x1b, %ecx", "rdmsr", INFO1(0),
     .prepare = set_no_msr_permission);
EXIT(wrmsr, VMEXIT_MSR, 64, "mov $0x1b, %ecx", "wrmsr", INFO1(1),
     .prepare = set_no_msr_permission);
EXIT(rdmsr_outside_of_map, VMEXIT_MSR, 64, "mov $0x40000000, %ecx", "rdmsr",
     INFO1(0));
/* APM 15.14.1: bit 36 for IRET, bit 38 for JMP */
EXIT(task_switch_jmp, VMEXIT_TASK_SWITCH, 32, "", "ljmp $0x40, $0",
     INFO1(SELECTOR_OTHER_TSS), .info2 = 1ull << 38, .info2_mask = 0x5ull << 36,
     .optional = true, .prepare = set_other_task);
EXIT(task_switch_call, VMEXIT_TASK_SWITCH, 32, "", "lcall $0x40, $0",
     INFO1(SELECTOR_OTHER_TSS), .info2_mask = 0x5ull << 36, .optional = true,
     .prepare = set_other_task);
EXIT(task_switch_iret, VMEXIT_TASK_SWITCH, 32, "", "iret",
     INFO1(SELECTOR_OTHER_TSS), .info2 = 1ull << 36, .info2_mask = 0x5ull << 36,
     .optional = true, .prepare = set_nested_task);
EXIT(ferr_freeze, VMEXIT_FERR_FREEZE, 64,
     "fninit\n movw $0x033b, 0xa000\n fldcw 0xa000\n"
     "fld1\n fldz\n fdivrp",
     "fwait", .optional = true, .prepare = set_no_native_errors);
EXIT(shutdown, VMEXIT_SHUTDOWN, 64, "", "ud2", .anywhere = true);

/* ---- ports (APM 15.10.2) ------------------------------------------------- */

#define IO_SHAPE                                                               \
	(0xffffull << SVM_IOIO_PORT_SHIFT | SVM_IOIO_IN | SVM_IOIO_STR |       \
	 SVM_IOIO_REP | SVM_IOIO_SZ8 | SVM_IOIO_SZ16 | SVM_IOIO_SZ32)
#define IO_SEG(n)                                                              \
	.assist = (n##ull) << SVM_IOIO_SEG_SHIFT,                              \
	.assist_mask = SVM_IOIO_SEG_MASK

#define IO(name, bits, before, text, port, flags, ...)                         \
	EXIT(name, VMEXIT_IOIO, bits, before, text,                            \
	     .info1 = (port##ull) << SVM_IOIO_PORT_SHIFT | (flags),            \
	     .info1_mask = IO_SHAPE, .info2_is_next = true, __VA_ARGS__)
#define IO_STRING(name, bits, before, text, flags, ...)                        \
	IO(name, bits, "mov $0x1234, %dx\n" before, text, 0x1234,              \
	   SVM_IOIO_STR | (flags), __VA_ARGS__)

IO(outb, 64, "", "outb %al, $0x80", 0x80, SVM_IOIO_SZ8);
IO(outw, 64, "", "outw %ax, $0x81", 0x81, SVM_IOIO_SZ16);
IO(outl, 64, "", "outl %eax, $0x82", 0x82, SVM_IOIO_SZ32);
IO(inb, 64, "", "inb $0x80, %al", 0x80, SVM_IOIO_IN | SVM_IOIO_SZ8);
IO(inw_dx, 32, "mov $0xffff, %dx", "inw %dx, %ax", 0xffff,
   SVM_IOIO_IN | SVM_IOIO_SZ16);
IO(inl_dx, 16, "mov $0x1234, %dx", "inl %dx, %eax", 0x1234,
   SVM_IOIO_IN | SVM_IOIO_SZ32);
IO_STRING(outsb, 16, "", "outsb", SVM_IOIO_SZ8, IO_SEG(3));
IO_STRING(outsw, 32, "", "outsw", SVM_IOIO_SZ16, IO_SEG(3));
IO_STRING(outsl_fs, 32, "", "outsl %fs:(%esi), %dx", SVM_IOIO_SZ32, IO_SEG(4));
IO_STRING(rep_outsb, 64, "mov $5, %ecx", "rep outsb",
	  SVM_IOIO_REP | SVM_IOIO_SZ8);
IO_STRING(insb, 16, "", "insb", SVM_IOIO_IN | SVM_IOIO_SZ8);
IO_STRING(insl, 32, "", "insl", SVM_IOIO_IN | SVM_IOIO_SZ32);
IO_STRING(rep_insw, 64, "mov $5, %ecx", "rep insw",
	  SVM_IOIO_IN | SVM_IOIO_REP | SVM_IOIO_SZ16);

/* ---- intercept vectors 4 and 5 ------------------------------------------- */

static void set_osxsave(struct machine *m)
{
	m->vcpu.vmcb->save.cr4 |= CR4_OSXSAVE;
}

static void set_bus_lock(struct machine *m)
{
	m->vcpu.vmcb->control.bus_lock_counter = 1;
}

EXIT(vmrun, VMEXIT_VMRUN, 64, "", "vmrun %rax");
EXIT(vmmcall, VMEXIT_VMMCALL, 64, "", "vmmcall");
EXIT(vmload, VMEXIT_VMLOAD, 64, "", "vmload %rax");
EXIT(vmsave, VMEXIT_VMSAVE, 64, "", "vmsave %rax");
EXIT(stgi, VMEXIT_STGI, 64, "", "stgi");
EXIT(clgi, VMEXIT_CLGI, 64, "", "clgi");
EXIT(skinit, VMEXIT_SKINIT, 64, "", "skinit", .optional = true);
EXIT(rdtscp, VMEXIT_RDTSCP, 64, "", "rdtscp", .optional = true);
EXIT(icebp, VMEXIT_ICEBP, 64, "", ".byte 0xf1", .optional = true);
EXIT(wbinvd, VMEXIT_WBINVD, 64, "", "wbinvd");
EXIT(monitor, VMEXIT_MONITOR, 64,
     "mov $0xa000, %eax\n xor %ecx, %ecx\n xor %edx, %edx", "monitor");
EXIT(mwait, VMEXIT_MWAIT, 64, "xor %eax, %eax\n xor %ecx, %ecx", "mwait");
EXIT(mwait_conditional, VMEXIT_MWAIT_CONDITIONAL, 64,
     "xor %eax, %eax\n xor %ecx, %ecx", "mwait", .optional = true);
EXIT(xsetbv, VMEXIT_XSETBV, 64, "xor %ecx, %ecx\n xgetbv", "xsetbv",
     .optional = true, .prepare = set_osxsave);
EXIT(rdpru, VMEXIT_RDPRU, 64, "mov $1, %ecx", ".byte 0x0f, 0x01, 0xfd",
     .optional = true);
NEVER(efer_write_trap, VMEXIT_EFER_WRITE_TRAP, "svmrun refuses the intercept");
EXIT(invlpgb, VMEXIT_INVLPGB, 64,
     "xor %eax, %eax\n xor %ecx, %ecx\n xor %edx, %edx",
     ".byte 0x0f, 0x01, 0xfe", .optional = true);
EXIT(invlpgb_illegal, VMEXIT_INVLPGB_ILLEGAL, 64,
     "xor %eax, %eax\n xor %ecx, %ecx\n mov $-1, %edx",
     ".byte 0x0f, 0x01, 0xfe", .optional = true);
EXIT(invpcid, VMEXIT_INVPCID, 64, "mov $2, %ebx", "invpcid 0xa000, %rbx",
     .optional = true);
EXIT(mcommit, VMEXIT_MCOMMIT, 64, "", ".byte 0xf3, 0x0f, 0x01, 0xfa",
     .optional = true);
EXIT(tlbsync, VMEXIT_TLBSYNC, 64, "", ".byte 0x0f, 0x01, 0xff",
     .optional = true);
/*
 * With a counter of 1, one bus lock (an access across cache lines) does not exit.
 */
EXIT(buslock, VMEXIT_BUSLOCK, 64, "lock incl 0xa03e", "lock incl 0xa03e",
     .optional = true, .prepare = set_bus_lock);
EXIT(idle_hlt, VMEXIT_IDLE_HLT, 64, "", "hlt", .optional = true);

/* ---- exits without an intercept ------------------------------------------ */

#define NPF_SHAPE                                                              \
	(SVM_NPF_PRESENT | SVM_NPF_WRITE | SVM_NPF_RESERVED | SVM_NPF_FETCH |  \
	 SVM_NPF_FINAL | SVM_NPF_TABLE)
#define NPF(name, bits, before, text, flags, ...)                              \
	EXIT(name, VMEXIT_NPF, bits, before, text, .info1 = (flags),           \
	     .info1_mask = NPF_SHAPE, INFO2(UNMAPPED + 0x128), __VA_ARGS__)

static void set_read_only(struct machine *m)
{
	machine_map(m, UNMAPPED, machine_at(m, MACHINE_DATA), PAGE,
		    SVMRUN_MAP_READ);
}

/* The page at 1 GiB is mapped by a directory outside guest memory. */
static void set_table_unmapped(struct machine *m)
{
	*(uint64_t *)machine_at(m, MACHINE_TABLES + PAGE +
					   8) = (UNMAPPED & -PAGE) | 3;
}

static void set_illegal(struct machine *m)
{
	m->vcpu.vmcb->save.dr7 |= 1ull << 32;
}

static void set_avic(struct machine *m)
{
	m->vcpu.vmcb->control.vintr |= SVM_VINTR_AVIC_ENABLE;
}

static void set_sev_es(struct machine *m)
{
	m->vcpu.vmcb->control.nested_ctl |= 1ull << 2;
}

NPF(npf_read, 64, "", "mov 0x200128, %eax", SVM_NPF_FINAL);
NPF(npf_write, 64, "", "mov %eax, 0x200128", SVM_NPF_FINAL | SVM_NPF_WRITE);
NPF(npf_write_to_read_only, 64, "mov 0x200128, %eax", "mov %eax, 0x200128",
    SVM_NPF_FINAL | SVM_NPF_WRITE | SVM_NPF_PRESENT, .prepare = set_read_only);
NPF(npf_fetch, 64, "mov $0x200128, %ebx", "jmp *%rbx",
    SVM_NPF_FINAL | SVM_NPF_FETCH, .anywhere = true);
NPF(npf_fetch_not_executable, 64, "mov $0x200128, %ebx\n mov (%rbx), %eax",
    "jmp *%rbx", SVM_NPF_FINAL | SVM_NPF_FETCH | SVM_NPF_PRESENT,
    .anywhere = true, .prepare = set_read_only);
EXIT(npf_walk, VMEXIT_NPF, 64, "", "mov 0x40000000, %eax",
     .info1 = SVM_NPF_TABLE, .info1_mask = SVM_NPF_TABLE | SVM_NPF_FINAL,
     .info2 = UNMAPPED, .info2_mask = -PAGE, .prepare = set_table_unmapped);
EXIT(avic_incomplete_ipi, VMEXIT_AVIC_INCOMPLETE_IPI, 64, "", "nop",
     .optional = true, .prepare = set_avic);
EXIT(avic_noaccel, VMEXIT_AVIC_NOACCEL, 64, "", "nop", .optional = true,
     .prepare = set_avic);
EXIT(vmgexit, VMEXIT_VMGEXIT, 64, "", ".byte 0xf3, 0x0f, 0x01, 0xd9",
     .optional = true, .prepare = set_sev_es);
EXIT(invalid, VMEXIT_INVALID, 64, "", "nop", .anywhere = true,
     .prepare = set_illegal);
NEVER(busy, VMEXIT_BUSY, "needs a host with SEV-SNP");

/* ---- summary of all tests ------------------------------------------------ */

#define CODES_BELOW 0x404 /* except VMEXIT_INVALID and VMEXIT_BUSY */
#define CODES (CODES_BELOW + 2)

struct sight {
	bool tried;
	bool raised;
	char why[96]; /* why it was not raised */
};

/* Shared by all tests, each of which runs in its own process */
static struct sight *sights;

static void __attribute__((constructor)) share_sights(void)
{
	sights = mmap(NULL, CODES * sizeof(*sights), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static uint64_t code_at(int i)
{
	return i < CODES_BELOW ? i : CODES_BELOW - 1 - i;
}

static struct sight *sight_of(uint64_t code)
{
	return &sights[code < CODES_BELOW ? code : CODES_BELOW - 1 - code];
}

/* ---- raised if requested, and only then ---------------------------------- */

static bool has_intercept(uint64_t code)
{
	return code < 6 * 32;
}

/* HLT is always intercepted, because all guests here end with it. */
static bool is_forced(const struct machine *m, uint64_t code)
{
	return !has_intercept(code) || code == VMEXIT_HLT ||
	       m->info.out_forced_intercepts[code / 32] & 1u << code % 32;
}

static int run(struct machine *m, const struct exit *exit, bool asked)
{
	uint32_t *intercept = m->vcpu.vmcb->control.intercept;

	machine_load(m, exit->mode, exit->guest, exit->end);
	m->vcpu.vmcb->save.idtr.limit = 0;
	if (exit->prepare)
		exit->prepare(m);
	memset(intercept, 0, 6 * sizeof(*intercept));
	intercept[3] = SVM_INTERCEPT3_HLT;
	if (exit->optional)
		intercept[2] = SVM_INTERCEPT2_EXCEPTION(EXCEPTION_UD);
	if (asked && has_intercept(exit->code))
		intercept[exit->code / 32] |= 1u << exit->code % 32;
	if (asked && exit->code == VMEXIT_IDLE_HLT)
		intercept[3] &= ~SVM_INTERCEPT3_HLT;
	return machine_run(m);
}

/*
 * Without the intercept, VMMCALL raises #UD (APM volume 3). An outer hypervisor may
 * handle it as a hypercall to itself instead, and repeat it forever.
 */
static bool repeats_vmmcall(struct machine *m, const struct exit *exit)
{
	int err;

	signal(SIGALRM, on_alarm);
	alarm(1);
	err = run(m, exit, false);
	alarm(0);
	return err == -EINTR;
}

/* Describe what happened instead. */
static void explain(const struct machine *m, char *why, size_t size)
{
	uint64_t code = m->vcpu.vmcb->control.exitcode;
	const char *name = svmrun_exit_name(code);
	uint32_t reason = m->vcpu.regs->out_invalid_reason;

	if (code == VMEXIT_HLT)
		snprintf(why, size, "not raised although requested");
	else if (code == VMEXIT_EXCP(EXCEPTION_UD))
		snprintf(why, size, "#UD: not supported by this processor");
	else if (code == VMEXIT_INVALID)
		snprintf(why, size, "refused: byte %#x %s",
			 m->vcpu.regs->out_invalid_offset,
			 svmrun_invalid_reason(reason));
	else
		snprintf(why, size, "%s instead", name ? name : "?");
}

static uint64_t rip_of(const struct exit *exit, const char *where)
{
	return MACHINE_CODE + (where - exit->guest);
}

/* Exits for an instruction that the processor has decoded (APM 15.7.1) */
static bool is_instruction(uint64_t code)
{
	return code <= VMEXIT_DR_WRITE(15) ||
	       (code >= VMEXIT_CR0_SEL_WRITE && code < VMEXIT_TASK_SWITCH) ||
	       (code > VMEXIT_SHUTDOWN && code <= VMEXIT_RDPRU);
}

static void expect_rips(struct __test_metadata *_metadata, struct machine *m,
			const struct exit *exit)
{
	const struct svm_vmcb *vmcb = m->vcpu.vmcb;
	const char *where = exit->trap ? exit->next : exit->at;

	if (!exit->anywhere)
		EXPECT_EQ(rip_of(exit, where), vmcb->save.rip);
	if (is_instruction(exit->code) &&
	    m->info.out_svm_features & SVM_FEATURE_NRIP_SAVE)
		EXPECT_EQ(rip_of(exit, exit->next), vmcb->control.nrip);
}

static void expect_infos(struct __test_metadata *_metadata, struct machine *m,
			 const struct exit *exit)
{
	const struct svm_vmcb_control *control = &m->vcpu.vmcb->control;

	EXPECT_EQ(exit->info1, control->exitinfo1 & exit->info1_mask);
	EXPECT_EQ(exit->info2, control->exitinfo2 & exit->info2_mask);
	if (exit->info2_is_next)
		EXPECT_EQ(rip_of(exit, exit->next), control->exitinfo2);
	if (m->info.out_svm_features & SVM_FEATURE_DECODE_ASSISTS)
		EXPECT_EQ(exit->assist, control->exitinfo1 & exit->assist_mask);
}

TEST_F(intercept, exit)
{
	const struct exit *exit = &variant->exit;
	struct sight *sight = sight_of(exit->code);
	const struct svm_vmcb *vmcb = self->m.vcpu.vmcb;

	sight->tried = true;
	if (exit->never) {
		snprintf(sight->why, sizeof(sight->why), "%s", exit->never);
		SKIP(return, "%s", sight->why);
	}
	ASSERT_EQ(exit->result, run(&self->m, exit, true));
	if (exit->optional && vmcb->control.exitcode != exit->code) {
		explain(&self->m, sight->why, sizeof(sight->why));
		SKIP(return, "%s", sight->why);
	}
	ASSERT_EQ(exit->code, vmcb->control.exitcode);
	sight->raised = true;
	expect_rips(_metadata, &self->m, exit);
	expect_infos(_metadata, &self->m, exit);
	if (is_forced(&self->m, exit->code))
		return;
	if (exit->code == VMEXIT_VMMCALL && repeats_vmmcall(&self->m, exit))
		SKIP(return, "VMMCALL repeats forever unless intercepted");
	ASSERT_EQ(0, run(&self->m, exit, false));
	EXPECT_NE(exit->code, vmcb->control.exitcode);
}

/* ---- the address size of string instructions ----------------------------- */

GUEST(outsb_16, 16, "outsb");
GUEST(outsb_32, 32, "outsb");
GUEST(outsb_64, 64, "outsb");
GUEST(outsb_short, 64, "outsb (%esi), %dx");

FIXTURE(address)
{
	struct machine m;
};

FIXTURE_VARIANT(address)
{
	const char *code, *end;
	enum machine_mode mode;
	uint64_t want;
};

#define ADDRESS(name, mode_, want_)                                            \
	FIXTURE_VARIANT_ADD(address, name)                                     \
	{                                                                      \
		.code = name, .end = name##_end, .mode = (mode_),              \
		.want = (want_),                                               \
	}

ADDRESS(outsb_16, MODE_REAL, SVM_IOIO_A16);
ADDRESS(outsb_32, MODE_PROTECTED, SVM_IOIO_A32);
ADDRESS(outsb_64, MODE_LONG, SVM_IOIO_A64);
ADDRESS(outsb_short, MODE_LONG, SVM_IOIO_A32);

FIXTURE_SETUP(address)
{
	ASSERT_EQ(0, machine_create(&self->m));
}

FIXTURE_TEARDOWN(address)
{
	machine_destroy(&self->m);
}

TEST_F(address, size)
{
	uint64_t size;

	machine_load(&self->m, variant->mode, variant->code, variant->end);
	ASSERT_EXIT(VMEXIT_IOIO, &self->m);
	size = self->m.vcpu.vmcb->control.exitinfo1 &
	       (SVM_IOIO_A16 | SVM_IOIO_A32 | SVM_IOIO_A64);
	if (!size)
		SKIP(return, "EXITINFO1 does not contain the address size");
	EXPECT_EQ(variant->want, size);
}

/* ---- completeness -------------------------------------------------------- */

FIXTURE(all){};

FIXTURE_SETUP(all)
{
}

FIXTURE_TEARDOWN(all)
{
}

TEST_F(all, exit_codes_were_tried)
{
	for (int i = 0; i < CODES; i++) {
		const char *name = svmrun_exit_name(code_at(i));
		const struct sight *sight = &sights[i];

		EXPECT_EQ(!!name, sight->tried)
		{
			TH_LOG("exit code %#lx, %s", code_at(i), name ?: "?");
		}
		if (name && !sight->raised)
			printf("# %s not raised: %s\n", name, sight->why);
	}
}

TEST_HARNESS_MAIN
