// SPDX-License-Identifier: GPL-2.0
/*
 * Hostile guests: instructions, I/O ports and MSRs that reach beyond the guest
 * exit, and have no effect, although the program intercepts only HLT.
 */
#include "hostile.h"

#define RFLAGS_IOPL (3ull << 12)

/* ---- one instruction, which exits without effect ------------------------- */

WATCHED_FIXTURE(attempt)

FIXTURE_VARIANT(attempt)
{
	enum machine_mode mode;
	const char *code;
	const char *code_end;
	const char *at; /* the instruction under test */
	uint64_t exit;
	uint64_t info; /* EXITINFO1, compared under the mask */
	uint64_t info_mask;
	bool (*has)(void); /* NULL: supported by every processor with SVM */
};

#define ATTEMPT(name, bits, before, instruction, ...)                          \
	GUEST_AT(name##_code, bits, before, instruction "\n hlt");             \
	FIXTURE_VARIANT_ADD(attempt, name)                                     \
	{                                                                      \
		.mode = bits == 64 ? MODE_LONG : MODE_PROTECTED,               \
		.code = name##_code, .code_end = name##_code_end,              \
		.at = name##_code_at, __VA_ARGS__                              \
	}

TEST_F(attempt, exits_and_does_nothing)
{
	struct svm_vmcb *vmcb = self->m.vcpu.vmcb;

	if (variant->has && !variant->has())
		SKIP(return, "the processor does not support the instruction");
	load_hostile(&self->m, variant->mode, variant->code, variant->code_end);
	ASSERT_EXIT(variant->exit, &self->m);
	EXPECT_EQ(MACHINE_CODE + (variant->at - variant->code), vmcb->save.rip);
	EXPECT_EQ(variant->info, vmcb->control.exitinfo1 & variant->info_mask);
}

/* Bits of EXITINFO1 that identify a port access */
#define IOIO_MASK                                                              \
	(0xffffull << SVM_IOIO_PORT_SHIFT | SVM_IOIO_IN | SVM_IOIO_STR |       \
	 SVM_IOIO_REP | SVM_IOIO_SZ8 | SVM_IOIO_SZ16 | SVM_IOIO_SZ32)

#define ATTEMPT_PORT(name, port, value, instruction, flags)                    \
	ATTEMPT(name, 64, "mov $" #port ", %edx\n mov $" #value ", %eax",      \
		instruction, .exit = VMEXIT_IOIO,                              \
		.info = (uint64_t)(port) << SVM_IOIO_PORT_SHIFT | (flags),     \
		.info_mask = IOIO_MASK)
#define ATTEMPT_OUTB(name, port, value)                                        \
	ATTEMPT_PORT(name, port, value, "outb %al, %dx", SVM_IOIO_SZ8)
#define ATTEMPT_OUTW(name, port, value)                                        \
	ATTEMPT_PORT(name, port, value, "outw %ax, %dx", SVM_IOIO_SZ16)
#define ATTEMPT_OUTL(name, port, value)                                        \
	ATTEMPT_PORT(name, port, value, "outl %eax, %dx", SVM_IOIO_SZ32)

/* Ports that reset, power off or stop the machine, or control its devices */
ATTEMPT_OUTB(reset_by_keyboard_controller, 0x64, 0xfe);
ATTEMPT_OUTB(reset_by_reset_control, 0xcf9, 0x06);
ATTEMPT_OUTB(reset_by_port_92, 0x92, 0x01);
ATTEMPT_OUTB(end_of_qemu, 0xf4, 0x00);
ATTEMPT_OUTW(power_off_by_acpi, 0x604, 0x2000);
ATTEMPT_OUTB(smi_by_apm_control, 0xb2, 0xff);
ATTEMPT_OUTB(mask_first_pic, 0x21, 0xff);
ATTEMPT_OUTB(mask_second_pic, 0xa1, 0xff);
ATTEMPT_OUTB(stop_timer, 0x43, 0x30);
ATTEMPT_OUTB(mask_nmi, 0x70, 0x80);
ATTEMPT_OUTB(dma_request, 0x0b, 0x54);
ATTEMPT_OUTL(pci_address, 0xcf8, 0x80000004);
ATTEMPT_OUTL(pci_data, 0xcfc, 0xffffffff);
ATTEMPT_OUTL(last_port_and_beyond, 0xffff, 0);
ATTEMPT_PORT(read_keyboard, 0x60, 0, "inb %dx, %al",
	     SVM_IOIO_SZ8 | SVM_IOIO_IN);
ATTEMPT_PORT(string_out, 0xf4, 0, "rep outsb",
	     SVM_IOIO_SZ8 | SVM_IOIO_STR | SVM_IOIO_REP);
ATTEMPT_PORT(string_in, 0x64, 0, "rep insb",
	     SVM_IOIO_SZ8 | SVM_IOIO_STR | SVM_IOIO_REP | SVM_IOIO_IN);

#define ATTEMPT_WRMSR(name, number, high, low)                                 \
	ATTEMPT(wrmsr_##name, 64,                                              \
		"mov $" #number ", %ecx\n mov $" #high ", %edx\n mov $" #low   \
		", %eax",                                                      \
		"wrmsr", .exit = VMEXIT_MSR, .info = 1, .info_mask = ~0ull)

/* SVM itself, and control of the processor */
ATTEMPT_WRMSR(efer, 0xc0000080, 0, 0);
ATTEMPT_WRMSR(vm_cr, 0xc0010114, 0, 0x18);
ATTEMPT_WRMSR(vm_hsave_pa, 0xc0010117, 0, 0x8000);
ATTEMPT_WRMSR(svm_key, 0xc0010118, 0, 0);
ATTEMPT_WRMSR(ghcb, 0xc0010130, 0, 0x100);
ATTEMPT_WRMSR(smm_base, 0xc0010111, 0, 0x8000);
ATTEMPT_WRMSR(smm_control, 0xc0010116, 0, 0x1f);
ATTEMPT_WRMSR(microcode, 0xc0010020, 0, 0x8000);
/* Interrupts and time */
ATTEMPT_WRMSR(apic_base, 0x1b, 0, 0);
ATTEMPT_WRMSR(x2apic_icr, 0x830, 0xffffffff, 0x000c4500);
ATTEMPT_WRMSR(x2apic_eoi, 0x80b, 0, 0);
ATTEMPT_WRMSR(tsc, 0x10, 0, 0);
ATTEMPT_WRMSR(tsc_adjust, 0x3b, 0, 0);
ATTEMPT_WRMSR(tsc_ratio, 0xc0000104, 0, 1);
ATTEMPT_WRMSR(tsc_aux, 0xc0000103, 0, 0x666);
/* Types and location of memory */
ATTEMPT_WRMSR(mtrr_default, 0x2ff, 0, 0);
ATTEMPT_WRMSR(mtrr_base, 0x200, 0, 0);
ATTEMPT_WRMSR(syscfg, 0xc0010010, 0, 0);
ATTEMPT_WRMSR(top_of_memory, 0xc001001a, 0, 0x10000);
/* Configuration, tracing and speculation of the processor */
ATTEMPT_WRMSR(hwcr, 0xc0010015, 0, 0xffffffff);
ATTEMPT_WRMSR(debugctl, 0x1d9, 0, 0x7f);
ATTEMPT_WRMSR(spec_ctrl, 0x48, 0, 0);
ATTEMPT_WRMSR(pred_cmd, 0x49, 0, 1);
ATTEMPT_WRMSR(flush_cmd, 0x10b, 0, 1);
ATTEMPT_WRMSR(xss, 0xda0, 0, 0xffffffff);
ATTEMPT_WRMSR(s_cet, 0x6a2, 0, 1);
ATTEMPT_WRMSR(perf_ctl0, 0xc0010000, 0, 0x430076);
ATTEMPT_WRMSR(perf_ctr0, 0xc0010004, 0, 0);
ATTEMPT_WRMSR(perf_ctl_extended, 0xc0010200, 0, 0x430076);
ATTEMPT_WRMSR(ibs_op_control, 0xc0011033, 0, 0xffffffff);
ATTEMPT_WRMSR(mcg_ctl, 0x17b, 0, 0);
ATTEMPT_WRMSR(mc0_ctl, 0x400, 0, 0);
/* Outside the ranges of the map */
ATTEMPT_WRMSR(behind_first_range, 0x2000, 0, 0);
ATTEMPT_WRMSR(mca_behind_second_range, 0xc0002000, 0, 0);
ATTEMPT_WRMSR(behind_third_range, 0xc0012000, 0, 0);
ATTEMPT_WRMSR(hypervisor, 0x4b564d01, 0, 0x8001);
ATTEMPT_WRMSR(last_of_all, 0xffffffff, 0xffffffff, 0xffffffff);

static uint32_t cpuid(uint32_t leaf, int reg)
{
	uint32_t r[4] = { leaf, 0, 0, 0 };

	asm volatile("cpuid" : "+a"(r[0]), "=b"(r[1]), "+c"(r[2]), "=d"(r[3]));
	return r[reg];
}

static bool has_skinit(void)
{
	return cpuid(0x80000001, 2) & 1u << 12;
}

static bool has_monitorx(void)
{
	return cpuid(0x80000001, 2) & 1u << 29;
}

static bool has_monitor(void)
{
	return cpuid(1, 2) & 1u << 3;
}

static bool has_invlpgb(void)
{
	return cpuid(0x80000008, 1) & 1u << 3;
}

static bool has_rdpru(void)
{
	return cpuid(0x80000008, 1) & 1u << 4;
}

static bool has_wbnoinvd(void)
{
	return cpuid(0x80000008, 1) & 1u << 9;
}

/* SVM instructions, with addresses of the guest's memory and of the host's */
ATTEMPT(vmrun_of_own_page, 32, "mov $0xa000, %eax", "vmrun",
	.exit = VMEXIT_VMRUN);
ATTEMPT(vmload_of_own_page, 32, "mov $0xa000, %eax", "vmload",
	.exit = VMEXIT_VMLOAD);
ATTEMPT(vmsave_to_first_page, 32, "xor %eax, %eax", "vmsave",
	.exit = VMEXIT_VMSAVE);
ATTEMPT(vmsave_to_host_memory, 32, "mov $0x1000000, %eax", "vmsave",
	.exit = VMEXIT_VMSAVE);
ATTEMPT(clear_gif, 32, "cli", "clgi", .exit = VMEXIT_CLGI);
ATTEMPT(set_gif, 32, "sti", "stgi", .exit = VMEXIT_STGI);
ATTEMPT(flush_asid_0, 32, "xor %eax, %eax\n xor %ecx, %ecx", "invlpga",
	.exit = VMEXIT_INVLPGA);
ATTEMPT(skinit_of_own_page, 32, "mov $0x10000, %eax", "skinit",
	.exit = VMEXIT_SKINIT, .has = has_skinit);
ATTEMPT(flush_everywhere, 32,
	"mov $0x3f, %eax\n xor %ecx, %ecx\n xor %edx, %edx",
	".byte 0x0f, 0x01, 0xfe", .exit = VMEXIT_INVLPGB, .has = has_invlpgb);
ATTEMPT(wait_for_flushes, 32, "", ".byte 0x0f, 0x01, 0xff",
	.exit = VMEXIT_TLBSYNC, .has = has_invlpgb);
/* Caches, counters and power states */
ATTEMPT(write_caches_back, 32, "", "wbinvd", .exit = VMEXIT_WBINVD);
ATTEMPT(write_caches_back_and_keep, 32, "", ".byte 0xf3, 0x0f, 0x09",
	.exit = VMEXIT_WBINVD, .has = has_wbnoinvd);
ATTEMPT(count_events, 32, "mov $0x80000000, %ecx", "rdpmc",
	.exit = VMEXIT_RDPMC);
ATTEMPT(count_cycles, 32, "mov $1, %ecx", ".byte 0x0f, 0x01, 0xfd",
	.exit = VMEXIT_RDPRU, .has = has_rdpru);
ATTEMPT(sleep_on_own_line, 32, "xor %ecx, %ecx\n xor %edx, %edx", "mwait",
	.exit = VMEXIT_MWAIT, .has = has_monitor);
ATTEMPT(watch_own_line, 32, "xor %ecx, %ecx\n xor %edx, %edx", "monitor",
	.exit = VMEXIT_MONITOR, .has = has_monitor);
ATTEMPT(sleep_on_own_line_with_timeout, 32, "mov $2, %ecx",
	".byte 0x0f, 0x01, 0xfb", .exit = VMEXIT_MWAIT, .has = has_monitorx);

WATCHED_FIXTURE(hostile)

#define VMCB (self->m.vcpu.vmcb)
#define REGS (self->m.vcpu.regs)

/* ---- every MSR, every port ----------------------------------------------- */

GUEST(read_msr, 64, "rdmsr\n hlt");
GUEST(write_msr, 64, "wrmsr\n hlt");

/* MSRs that the module virtualizes (module/permission.c) */
static bool msr_is_own(uint32_t msr, bool write)
{
	return (msr == 0x10 && !write) || (msr >= 0x174 && msr <= 0x176) ||
	       msr == 0x277 || (msr >= 0xc0000081 && msr <= 0xc0000084) ||
	       (msr >= 0xc0000100 && msr <= 0xc0000102);
}

static void expect_msr_exit(struct __test_metadata *_metadata,
			    struct machine *m, uint32_t msr, bool write)
{
	m->vcpu.regs->rcx = msr;
	ASSERT_EQ(VMEXIT_MSR, exit_at_code(m))
	{
		TH_LOG("MSR %#x", msr);
	}
	ASSERT_EQ(write, m->vcpu.vmcb->control.exitinfo1);
}

static void sweep_msrs(struct __test_metadata *_metadata, struct machine *m,
		       bool write)
{
	static const uint32_t ranges[] = { 0, 0xc0000000, 0xc0010000 };

	for (size_t range = 0; range < ARRAY_SIZE(ranges); range++)
		for (uint32_t i = 0; i < 0x2000; i += one_in())
			if (!msr_is_own(ranges[range] + i, write))
				expect_msr_exit(_metadata, m, ranges[range] + i,
						write);
}

TEST_F_TIMEOUT(hostile, reads_every_msr, 60)
{
	LOAD_HOSTILE(&self->m, MODE_LONG, read_msr);
	sweep_msrs(_metadata, &self->m, false);
}

TEST_F_TIMEOUT(hostile, writes_every_msr, 60)
{
	LOAD_HOSTILE(&self->m, MODE_LONG, write_msr);
	VMCB->save.rax = 0xffffffff;
	REGS->rdx = 0xffffffff;
	sweep_msrs(_metadata, &self->m, true);
}

GUEST(out_and_in, 64, "outb %al, %dx\n hlt\n 1: inb %dx, %al\n hlt");

static void expect_port_exit(struct __test_metadata *_metadata,
			     struct machine *m, uint64_t want)
{
	const uint64_t shape = 0xffffull << SVM_IOIO_PORT_SHIFT | SVM_IOIO_IN;

	ASSERT_EQ(0, machine_run(m));
	ASSERT_EQ(VMEXIT_IOIO, m->vcpu.vmcb->control.exitcode);
	ASSERT_EQ(want, m->vcpu.vmcb->control.exitinfo1 & shape);
}

TEST_F_TIMEOUT(hostile, uses_every_port, 100)
{
	LOAD_HOSTILE(&self->m, MODE_LONG, out_and_in);
	for (uint64_t port = 0; port < 0x10000; port += one_in()) {
		uint64_t info = port << SVM_IOIO_PORT_SHIFT;

		REGS->rdx = port;
		VMCB->save.rip = MACHINE_CODE;
		expect_port_exit(_metadata, &self->m, info);
		VMCB->save.rip = MACHINE_CODE + 2;
		expect_port_exit(_metadata, &self->m, info | SVM_IOIO_IN);
	}
}

/* ---- port accesses outside CPL 0 and 64-bit mode ------------------------- */

GUEST(out_16, 16, "mov $0xf4, %dx\n out %al, %dx\n hlt");
GUEST(out_32, 32, "mov $0xf4, %edx\n out %al, %dx\n hlt");

static void expect_debug_exit_port(struct __test_metadata *_metadata,
				   struct machine *m)
{
	ASSERT_EXIT(VMEXIT_IOIO, m);
	EXPECT_EQ(0xf4, m->vcpu.vmcb->control.exitinfo1 >> SVM_IOIO_PORT_SHIFT);
}

TEST_F(hostile, port_from_real_mode)
{
	LOAD_HOSTILE(&self->m, MODE_REAL, out_16);
	expect_debug_exit_port(_metadata, &self->m);
}

static void lower_to_user(struct svm_vmcb_save *save)
{
	save->cpl = 3;
	save->cs.selector |= 3;
	save->cs.attrib |= SVM_SEG_DPL_MASK;
	save->ss.selector |= 3;
	save->ss.attrib |= SVM_SEG_DPL_MASK;
}

TEST_F(hostile, port_from_user_mode_with_iopl)
{
	LOAD_HOSTILE(&self->m, MODE_PROTECTED, out_32);
	lower_to_user(&VMCB->save);
	VMCB->save.rflags |= RFLAGS_IOPL;
	expect_debug_exit_port(_metadata, &self->m);
}

/* ---- MSRs of which the guest has its own --------------------------------- */

WATCHED_FIXTURE(own_msr)

FIXTURE_VARIANT(own_msr)
{
	uint32_t msr;
	uint32_t offset; /* of the field in the VMCB */
	uint64_t value;
};

#define OWN_MSR(name, number, field, value_)                                   \
	FIXTURE_VARIANT_ADD(own_msr, name)                                     \
	{                                                                      \
		.msr = (number),                                               \
		.offset = offsetof(struct svm_vmcb, save.field),               \
		.value = (value_),                                             \
	}

OWN_MSR(fs_base, 0xc0000100, fs.base, 0x00007fff12345000);
OWN_MSR(gs_base, 0xc0000101, gs.base, 0x00007fff12346000);
OWN_MSR(kernel_gs_base, 0xc0000102, kernel_gs_base, 0xffff888012345000);
OWN_MSR(star, 0xc0000081, star, 0x0023001012345678);
OWN_MSR(lstar, 0xc0000082, lstar, 0xffffffff81234567);
OWN_MSR(cstar, 0xc0000083, cstar, 0xffffffff81234568);
OWN_MSR(sfmask, 0xc0000084, sfmask, 0x47700);
OWN_MSR(sysenter_cs, 0x174, sysenter_cs, 0x10);
OWN_MSR(sysenter_esp, 0x175, sysenter_esp, 0xffff888012345678);
OWN_MSR(sysenter_eip, 0x176, sysenter_eip, 0xffffffff81234569);
OWN_MSR(pat, 0x277, g_pat, 0x0606060606060606);

/* Some implementations do not load G_PAT, so that the guest uses the host's PAT. */
static bool loads(struct machine *m, const FIXTURE_VARIANT(own_msr) * variant)
{
	struct svm_vmcb *vmcb = m->vcpu.vmcb;

	LOAD_HOSTILE(m, MODE_LONG, read_msr);
	memcpy((char *)vmcb + variant->offset, &variant->value, 8);
	m->vcpu.regs->rcx = variant->msr;
	return exit_at_code(m) == VMEXIT_HLT &&
	       (m->vcpu.regs->rdx << 32 | vmcb->save.rax) == variant->value;
}

TEST_F(own_msr, is_written_for_the_guest_alone)
{
	struct svm_vmcb *vmcb = self->m.vcpu.vmcb;
	uint64_t written;

	if (variant->msr == 0x277 && !loads(&self->m, variant))
		SKIP(return, "the processor does not load G_PAT");
	EXPECT_TRUE(loads(&self->m, variant));
	LOAD_HOSTILE(&self->m, MODE_LONG, write_msr);
	self->m.vcpu.regs->rcx = variant->msr;
	self->m.vcpu.regs->rdx = variant->value >> 32;
	vmcb->save.rax = (uint32_t)variant->value;
	ASSERT_EQ(VMEXIT_HLT, exit_at_code(&self->m));
	memcpy(&written, (char *)vmcb + variant->offset, 8);
	EXPECT_EQ(variant->value, written);
}

TEST_HARNESS_MAIN
