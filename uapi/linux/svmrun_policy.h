/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * svmrun's field policy: what becomes of each field of a program's VMCB. It is
 * stated here and nowhere else; the module enforces it, the library explains it,
 * the tests and Documentation/policy.rst go through it row by row.
 *
 * A field that no table names is the program's own: the module neither reads nor
 * writes it.
 */
#ifndef _UAPI_LINUX_SVMRUN_POLICY_H
#define _UAPI_LINUX_SVMRUN_POLICY_H

#include <linux/svmrun.h>

/*
 * Endless delivery of #DB and #AC would hold the CPU (CVE-2015-8104,
 * CVE-2015-5307), so they are intercepted and reflected into a guest whose
 * program did not ask for them. A machine check is the host's.
 */
#define SVMRUN_POLICY_REFLECTED \
	(SVM_INTERCEPT2_EXCEPTION(1) | SVM_INTERCEPT2_EXCEPTION(17))
/*
 * A guest that could write CR4, or the bits of CR0 other than TS and MP, would
 * set there what no VMCB may have: the program carries out such writes and puts
 * the new value into its VMCB. Reads of CR4 would show the host's MCE.
 */
#define SVMRUN_POLICY_FORCED_0 \
	(SVM_INTERCEPT0_CR_READ(4) | SVM_INTERCEPT0_CR_WRITE(4))
#define SVMRUN_POLICY_FORCED_2 \
	(SVMRUN_POLICY_REFLECTED | SVM_INTERCEPT2_EXCEPTION(18))
#define SVMRUN_POLICY_FORCED_3 \
	(SVM_INTERCEPT3_INTR | SVM_INTERCEPT3_NMI | SVM_INTERCEPT3_SMI | \
	 SVM_INTERCEPT3_INIT | SVM_INTERCEPT3_CR0_SEL_WRITE | \
	 SVM_INTERCEPT3_RDPMC | SVM_INTERCEPT3_INVD | \
	 SVM_INTERCEPT3_INVLPGA | SVM_INTERCEPT3_IOIO | SVM_INTERCEPT3_MSR | \
	 SVM_INTERCEPT3_FERR_FREEZE | SVM_INTERCEPT3_SHUTDOWN)
#define SVMRUN_POLICY_FORCED_4 \
	(SVM_INTERCEPT4_VMRUN | SVM_INTERCEPT4_VMLOAD | \
	 SVM_INTERCEPT4_VMSAVE | SVM_INTERCEPT4_STGI | SVM_INTERCEPT4_CLGI | \
	 SVM_INTERCEPT4_SKINIT | SVM_INTERCEPT4_WBINVD | \
	 SVM_INTERCEPT4_MONITOR | SVM_INTERCEPT4_MWAIT | \
	 SVM_INTERCEPT4_XSETBV | SVM_INTERCEPT4_RDPRU)
#define SVMRUN_POLICY_FORCED_5 \
	(SVM_INTERCEPT5_INVLPGB | SVM_INTERCEPT5_TLBSYNC)

/*
 * Forced as well on a processor that predicts returns by what its other thread
 * did before it went idle, unless SMT is off for good.
 */
#define SVMRUN_POLICY_FORCED_SMT_RSB	SVM_INTERCEPT3_HLT

/*
 * The other bits of intercept vectors 4 and 5 are undefined, or trap a write after
 * it has been made (SEV-ES): too late where the write itself is not allowed, and
 * no more than the intercepts of vector 0 and of MSRs give.
 */
#define SVMRUN_POLICY_INTERCEPTS_4	0x7fffu
#define SVMRUN_POLICY_INTERCEPTS_5	0x7fu

/* Virtual interrupt control: all defined bits, except for AVIC's */
#define SVMRUN_POLICY_VINTR \
	(SVM_VINTR_V_TPR_MASK | SVM_VINTR_V_IRQ | SVM_VINTR_VGIF | \
	 SVM_VINTR_V_NMI | SVM_VINTR_V_NMI_MASK | \
	 SVM_VINTR_V_INTR_PRIO_MASK | SVM_VINTR_V_IGN_TPR | \
	 SVM_VINTR_V_INTR_MASKING | SVM_VINTR_VGIF_ENABLE | \
	 SVM_VINTR_V_NMI_ENABLE | SVM_VINTR_V_INTR_VECTOR_MASK)
#define SVMRUN_POLICY_SHADOW \
	(SVM_SHADOW_INTERRUPT_SHADOW | SVM_SHADOW_GUEST_INTERRUPT_MASK)

/*
 * The control area's fields that the program may use:
 *
 *	X(field, its clean bit, forced, refused, required)
 *
 * Forced bits are set whatever the program says; refused bits must be 0
 * (SVMRUN_INVALID_MUST_BE_ZERO) and required bits 1 (SVMRUN_INVALID_MUST_BE_SET)
 * in what it says. All others pass as they are.
 */
#define SVMRUN_POLICY_CONTROL(X) \
	X(intercept[0], SVM_CLEAN_I, SVMRUN_POLICY_FORCED_0, 0, 0) \
	X(intercept[1], SVM_CLEAN_I, 0, 0, 0) \
	X(intercept[2], SVM_CLEAN_I, SVMRUN_POLICY_FORCED_2, 0, 0) \
	X(intercept[3], SVM_CLEAN_I, SVMRUN_POLICY_FORCED_3, 0, 0) \
	X(intercept[4], SVM_CLEAN_I, SVMRUN_POLICY_FORCED_4, \
	  ~SVMRUN_POLICY_INTERCEPTS_4, 0) \
	X(intercept[5], SVM_CLEAN_I, SVMRUN_POLICY_FORCED_5, \
	  ~SVMRUN_POLICY_INTERCEPTS_5, 0) \
	X(pause_filter_threshold, SVM_CLEAN_I, 0, 0, 0) \
	X(pause_filter_count, SVM_CLEAN_I, 0, 0, 0) \
	X(tsc_offset, SVM_CLEAN_I, 0, 0, 0) \
	X(vintr, SVM_CLEAN_TPR, SVM_VINTR_V_INTR_MASKING, \
	  ~SVMRUN_POLICY_VINTR, 0) \
	X(nested_ctl, SVM_CLEAN_NP, 0, ~SVM_NESTED_NP_ENABLE, \
	  SVM_NESTED_NP_ENABLE) \
	X(virt_ext, SVM_CLEAN_LBR, 0, ~SVM_VIRT_LBR_ENABLE, 0) \
	X(interrupt_shadow, 0, 0, ~SVMRUN_POLICY_SHADOW, 0) \
	X(eventinj, 0, 0, 0, 0) \
	X(bus_lock_counter, SVM_CLEAN_I, 0, 0, 0) \
	X(nrip, 0, 0, 0, 0)

/*
 * Fields that must be 0, since the module puts its own there, or none
 * (SVMRUN_INVALID_MUST_BE_ZERO): X(field, its clean bit)
 */
#define SVMRUN_POLICY_ZERO(X) \
	X(iopm_base_pa, SVM_CLEAN_IOPM) \
	X(msrpm_base_pa, SVM_CLEAN_IOPM) \
	X(n_cr3, SVM_CLEAN_NP) \
	X(avic_apic_bar, SVM_CLEAN_AVIC) \
	X(avic_backing_page, SVM_CLEAN_AVIC) \
	X(avic_logical_table, SVM_CLEAN_AVIC) \
	X(avic_physical_table, SVM_CLEAN_AVIC) \
	X(ghcb_pa, 0) \
	X(vmsa_pa, 0)

/*
 * Bits that mean nothing without a feature (SVMRUN_INVALID_UNSUPPORTED):
 *
 *	X(field, bits, feature in CPUID Fn8000_000A EDX)
 */
#define SVMRUN_POLICY_FEATURES(X) \
	X(intercept[5], SVM_INTERCEPT5_BUS_LOCK, SVM_FEATURE_BUS_LOCK_THRESHOLD) \
	X(intercept[5], SVM_INTERCEPT5_IDLE_HLT, SVM_FEATURE_IDLE_HLT) \
	X(bus_lock_counter, 0xffff, SVM_FEATURE_BUS_LOCK_THRESHOLD) \
	X(pause_filter_threshold, 0xffff, SVM_FEATURE_PAUSE_FILTER_THRESHOLD) \
	X(pause_filter_count, 0xffff, SVM_FEATURE_PAUSE_FILTER) \
	X(vintr, SVM_VINTR_VGIF | SVM_VINTR_VGIF_ENABLE, SVM_FEATURE_VGIF) \
	X(vintr, \
	  SVM_VINTR_V_NMI | SVM_VINTR_V_NMI_MASK | SVM_VINTR_V_NMI_ENABLE, \
	  SVM_FEATURE_VNMI) \
	X(virt_ext, SVM_VIRT_LBR_ENABLE, SVM_FEATURE_LBR_VIRT)

/*
 * ASID must not be 0, the host's; the one in use is the module's own, a fresh one
 * when the program's changes.
 * TLB_CONTROL is one of these, for this vCPU's translations alone; any other is
 * SVMRUN_INVALID_VALUE:
 *
 *	X(value, feature that it needs, or 0)
 */
#define SVMRUN_POLICY_TLB_CONTROL(X) \
	X(SVM_TLB_CONTROL_NOTHING, 0) \
	X(SVM_TLB_CONTROL_FLUSH_ALL, 0) \
	X(SVM_TLB_CONTROL_FLUSH_GUEST, SVM_FEATURE_FLUSH_BY_ASID) \
	X(SVM_TLB_CONTROL_FLUSH_GUEST_NON_GLOBAL, SVM_FEATURE_FLUSH_BY_ASID)

/*
 * The state save area is the program's, and the processor checks it, except that
 * these registers are allow lists. A bit that no list has is refused
 * (SVMRUN_INVALID_MUST_BE_ZERO), and so is one that it has and the processor has
 * not (SVMRUN_INVALID_UNSUPPORTED):
 *
 *	X(register, bits that are known)
 *
 * The features of the processor are in the members out_REGISTER of struct svmrun_info.
 */
#define SVMRUN_POLICY_ALLOWED(X) \
	X(cr0, SVMRUN_POLICY_KNOWN_CR0) \
	X(cr4, SVMRUN_POLICY_KNOWN_CR4) \
	X(efer, SVMRUN_POLICY_KNOWN_EFER) \
	X(dbgctl, SVMRUN_POLICY_KNOWN_DBGCTL)

/* Not CD and NW: they change how the host's memory is cached (APM 7.6.2). */
#define SVMRUN_POLICY_KNOWN_CR0 \
	(SVM_CR0_PE | SVM_CR0_MP | SVM_CR0_EM | SVM_CR0_TS | SVM_CR0_ET | \
	 SVM_CR0_NE | SVM_CR0_WP | SVM_CR0_AM | SVM_CR0_PG)

/* Not BLCKDB: the #DB of a bus lock has no place in the module yet. */
#define SVMRUN_POLICY_KNOWN_DBGCTL (SVM_DBGCTL_LBR | SVM_DBGCTL_BTF)

/*
 * The processor has a bit of CR4 or EFER if CPUID says so:
 *
 *	X(bit, CPUID function, subfunction, register, bit of it, if that is)
 *
 * PCE has no feature bit; that of RDMSR, which reads the same counters, is set
 * everywhere. LMSLE's says that it is gone. Not in the list are MCOMMIT, INTWB
 * and UAIE: nobody has looked yet at what they let a guest do.
 */
#define SVMRUN_POLICY_CR4(X) \
	X(SVM_CR4_VME, 0x00000001, 0, SVMRUN_CPUID_EDX, 1, 1) \
	X(SVM_CR4_PVI, 0x00000001, 0, SVMRUN_CPUID_EDX, 1, 1) \
	X(SVM_CR4_TSD, 0x00000001, 0, SVMRUN_CPUID_EDX, 4, 1) \
	X(SVM_CR4_DE, 0x00000001, 0, SVMRUN_CPUID_EDX, 2, 1) \
	X(SVM_CR4_PSE, 0x00000001, 0, SVMRUN_CPUID_EDX, 3, 1) \
	X(SVM_CR4_PAE, 0x00000001, 0, SVMRUN_CPUID_EDX, 6, 1) \
	X(SVM_CR4_MCE, 0x00000001, 0, SVMRUN_CPUID_EDX, 7, 1) \
	X(SVM_CR4_PGE, 0x00000001, 0, SVMRUN_CPUID_EDX, 13, 1) \
	X(SVM_CR4_PCE, 0x00000001, 0, SVMRUN_CPUID_EDX, 5, 1) \
	X(SVM_CR4_OSFXSR, 0x00000001, 0, SVMRUN_CPUID_EDX, 24, 1) \
	X(SVM_CR4_OSXMMEXCPT, 0x00000001, 0, SVMRUN_CPUID_EDX, 25, 1) \
	X(SVM_CR4_UMIP, 0x00000007, 0, SVMRUN_CPUID_ECX, 2, 1) \
	X(SVM_CR4_LA57, 0x00000007, 0, SVMRUN_CPUID_ECX, 16, 1) \
	X(SVM_CR4_FSGSBASE, 0x00000007, 0, SVMRUN_CPUID_EBX, 0, 1) \
	X(SVM_CR4_PCIDE, 0x00000001, 0, SVMRUN_CPUID_ECX, 17, 1) \
	X(SVM_CR4_OSXSAVE, 0x00000001, 0, SVMRUN_CPUID_ECX, 26, 1) \
	X(SVM_CR4_SMEP, 0x00000007, 0, SVMRUN_CPUID_EBX, 7, 1) \
	X(SVM_CR4_SMAP, 0x00000007, 0, SVMRUN_CPUID_EBX, 20, 1) \
	X(SVM_CR4_PKE, 0x00000007, 0, SVMRUN_CPUID_ECX, 3, 1) \
	X(SVM_CR4_CET, 0x00000007, 0, SVMRUN_CPUID_ECX, 7, 1)
#define SVMRUN_POLICY_EFER(X) \
	X(SVM_EFER_SCE, 0x80000001, 0, SVMRUN_CPUID_EDX, 11, 1) \
	X(SVM_EFER_LME, 0x80000001, 0, SVMRUN_CPUID_EDX, 29, 1) \
	X(SVM_EFER_LMA, 0x80000001, 0, SVMRUN_CPUID_EDX, 29, 1) \
	X(SVM_EFER_NXE, 0x80000001, 0, SVMRUN_CPUID_EDX, 20, 1) \
	X(SVM_EFER_SVME, 0x80000001, 0, SVMRUN_CPUID_ECX, 2, 1) \
	X(SVM_EFER_LMSLE, 0x80000008, 0, SVMRUN_CPUID_EBX, 20, 0) \
	X(SVM_EFER_FFXSR, 0x80000001, 0, SVMRUN_CPUID_EDX, 25, 1) \
	X(SVM_EFER_TCE, 0x80000001, 0, SVMRUN_CPUID_ECX, 17, 1) \
	X(SVM_EFER_AIBRSE, 0x80000021, 0, SVMRUN_CPUID_EAX, 8, 1)

#define SVMRUN_CPUID_EAX 0
#define SVMRUN_CPUID_EBX 1
#define SVMRUN_CPUID_ECX 2
#define SVMRUN_CPUID_EDX 3

/* Every bit that is in a row of such a table */
#define SVMRUN_POLICY_OR(bit, function, subfunction, output, feature, is) | (bit)
#define SVMRUN_POLICY_KNOWN_CR4 (0ull SVMRUN_POLICY_CR4(SVMRUN_POLICY_OR))
#define SVMRUN_POLICY_KNOWN_EFER (0ull SVMRUN_POLICY_EFER(SVMRUN_POLICY_OR))

/*
 * The extended state behind these bits of CR4 is switched if the host uses it, so
 * the host's CR4 must have them too; PKE also needs PKRU in the host's XCR0.
 */
#define SVMRUN_POLICY_CR4_LIKE_HOST (SVM_CR4_OSXSAVE | SVM_CR4_PKE)

/*
 * A machine check shuts a processor down while CR4.MCE is clear (APM 9.3.1), the
 * guest's CR4 included. If the host's has these bits, the guest runs with them,
 * and the VMCB keeps what the program has there.
 */
#define SVMRUN_POLICY_CR4_HIDDEN SVM_CR4_MCE

/* VMRUN refuses a guest without EFER.SVME (APM 15.5.1); so does the module. */
#define SVMRUN_POLICY_EFER_REQUIRED SVM_EFER_SVME

/*
 * Its fields, grouped by clean bit: G(group, clean
 * bit) for each group, and SVMRUN_POLICY_STATE_group(X): X(field). FLOW changes
 * at nearly every exit.
 */
#define SVMRUN_POLICY_STATE(G) \
	G(FLOW, 0) \
	G(CRx, SVM_CLEAN_CRx) \
	G(DRx, SVM_CLEAN_DRx) \
	G(DT, SVM_CLEAN_DT) \
	G(SEG, SVM_CLEAN_SEG) \
	G(CR2, SVM_CLEAN_CR2) \
	G(NP, SVM_CLEAN_NP) \
	G(LBR, SVM_CLEAN_LBR) \
	G(CET, SVM_CLEAN_CET)
#define SVMRUN_POLICY_STATE_FLOW(X) X(rip) X(rsp) X(rax) X(rflags)
#define SVMRUN_POLICY_STATE_CRx(X) X(efer) X(cr0) X(cr3) X(cr4)
#define SVMRUN_POLICY_STATE_DRx(X) X(dr6) X(dr7)
#define SVMRUN_POLICY_STATE_DT(X) X(gdtr) X(idtr)
#define SVMRUN_POLICY_STATE_SEG(X) X(es) X(cs) X(ss) X(ds) X(cpl)
#define SVMRUN_POLICY_STATE_CR2(X) X(cr2)
#define SVMRUN_POLICY_STATE_NP(X) X(g_pat)
#define SVMRUN_POLICY_STATE_LBR(X) \
	X(dbgctl) X(br_from) X(br_to) X(last_excp_from) X(last_excp_to)
#define SVMRUN_POLICY_STATE_CET(X) X(s_cet) X(ssp) X(isst_addr)

/*
 * The rest of it is what VMLOAD and VMSAVE move (APM 15.5.2), which has neither rules
 * nor clean bits: X(field). They move it from and to the program's VMCB itself.
 */
#define SVMRUN_POLICY_VMLOAD(X) \
	X(fs) X(gs) X(ldtr) X(tr) X(star) X(lstar) X(cstar) X(sfmask) \
	X(kernel_gs_base) X(sysenter_cs) X(sysenter_esp) X(sysenter_eip)

#endif /* _UAPI_LINUX_SVMRUN_POLICY_H */
