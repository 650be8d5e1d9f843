/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_VMCB_H
#define SVMRUN_VMCB_H

#include "plain.h"

/* CPUID Fn8000_000A EDX */
#define SVM_FEATURE_NP (1u << 0)
#define SVM_FEATURE_LBR_VIRT (1u << 1)
#define SVM_FEATURE_LOCK (1u << 2)
#define SVM_FEATURE_PAUSE_FILTER (1u << 10)
#define SVM_FEATURE_PAUSE_FILTER_THRESHOLD (1u << 12)
#define SVM_FEATURE_VGIF (1u << 16)
#define SVM_FEATURE_VNMI (1u << 25)

/*
 * The field policy of the control area, the one place that states it. A row a
 * field that the program may use:
 *
 *	X(field, clean bit that vouches for it, forced, refused, required)
 *
 * @forced bits are set whatever the program says; @refused bits must be 0 and
 * @required bits 1 in what it says. All others are the program's.
 */
#define VMCB_CONTROL_FIELDS(X)                                                 \
	X(intercept[0], SVM_CLEAN_I, 0, 0, 0)                                  \
	X(intercept[1], SVM_CLEAN_I, 0, 0, 0)                                  \
	X(intercept[2], SVM_CLEAN_I, VMCB_FORCED_2, 0, 0)                      \
	X(intercept[3], SVM_CLEAN_I, VMCB_FORCED_3, 0, 0)                      \
	X(intercept[4], SVM_CLEAN_I, VMCB_FORCED_4, 0, 0)                      \
	X(intercept[5], SVM_CLEAN_I, VMCB_FORCED_5, 0, 0)                      \
	X(pause_filter_threshold, SVM_CLEAN_I, 0, 0, 0)                        \
	X(pause_filter_count, SVM_CLEAN_I, 0, 0, 0)                            \
	X(tsc_offset, SVM_CLEAN_I, 0, 0, 0)                                    \
	X(vintr, SVM_CLEAN_TPR, SVM_VINTR_V_INTR_MASKING,                      \
	  SVM_VINTR_AVIC_ENABLE | SVM_VINTR_X2AVIC_ENABLE, 0)                  \
	X(interrupt_shadow, 0, 0, 0, 0)                                        \
	X(nested_ctl, SVM_CLEAN_NP, 0, ~SVM_NESTED_NP_ENABLE,                  \
	  SVM_NESTED_NP_ENABLE)                                                \
	X(eventinj, 0, 0, 0, 0)                                                \
	X(virt_ext, SVM_CLEAN_LBR, 0, ~SVM_VIRT_LBR_ENABLE, 0)

/* Fields that the program must leave 0: the module puts its own, or none. */
#define VMCB_ZERO_FIELDS(X)                                                    \
	X(iopm_base_pa)                                                        \
	X(msrpm_base_pa)                                                       \
	X(avic_apic_bar)                                                       \
	X(ghcb_pa)                                                             \
	X(n_cr3)                                                               \
	X(avic_backing_page)                                                   \
	X(avic_logical_table)                                                  \
	X(avic_physical_table)                                                 \
	X(vmsa_pa)

/* Bits that mean nothing without a feature: X(field, bits, feature) */
#define VMCB_FEATURE_FIELDS(X)                                                 \
	X(pause_filter_threshold, 0xffff, SVM_FEATURE_PAUSE_FILTER_THRESHOLD)  \
	X(pause_filter_count, 0xffff, SVM_FEATURE_PAUSE_FILTER)                \
	X(vintr, SVM_VINTR_VGIF | SVM_VINTR_VGIF_ENABLE, SVM_FEATURE_VGIF)     \
	X(vintr,                                                               \
	  SVM_VINTR_V_NMI | SVM_VINTR_V_NMI_MASK | SVM_VINTR_V_NMI_ENABLE,     \
	  SVM_FEATURE_VNMI)                                                    \
	X(virt_ext, SVM_VIRT_LBR_ENABLE, SVM_FEATURE_LBR_VIRT)

#define EXCEPTION_DB 1
#define EXCEPTION_BP 3
#define EXCEPTION_OF 4
#define EXCEPTION_AC 17
#define EXCEPTION_MC 18

/*
 * Endless delivery loops of #DB and #AC would hold the CPU (CVE-2015-8104,
 * CVE-2015-5307); a machine check is the host's.
 */
#define VMCB_REFLECTED_2                                                       \
	(SVM_INTERCEPT2_EXCEPTION(EXCEPTION_DB) |                              \
	 SVM_INTERCEPT2_EXCEPTION(EXCEPTION_AC))
#define VMCB_FORCED_2                                                          \
	(VMCB_REFLECTED_2 | SVM_INTERCEPT2_EXCEPTION(EXCEPTION_MC))
#define VMCB_FORCED_3                                                          \
	(SVM_INTERCEPT3_INTR | SVM_INTERCEPT3_NMI | SVM_INTERCEPT3_SMI |       \
	 SVM_INTERCEPT3_INIT | SVM_INTERCEPT3_RDPMC | SVM_INTERCEPT3_INVD |    \
	 SVM_INTERCEPT3_INVLPGA | SVM_INTERCEPT3_IOIO | SVM_INTERCEPT3_MSR |   \
	 SVM_INTERCEPT3_FERR_FREEZE | SVM_INTERCEPT3_SHUTDOWN)
#define VMCB_FORCED_4                                                          \
	(SVM_INTERCEPT4_VMRUN | SVM_INTERCEPT4_VMLOAD |                        \
	 SVM_INTERCEPT4_VMSAVE | SVM_INTERCEPT4_STGI | SVM_INTERCEPT4_CLGI |   \
	 SVM_INTERCEPT4_SKINIT | SVM_INTERCEPT4_WBINVD |                       \
	 SVM_INTERCEPT4_MONITOR | SVM_INTERCEPT4_MWAIT |                       \
	 SVM_INTERCEPT4_XSETBV | SVM_INTERCEPT4_RDPRU)
#define VMCB_FORCED_5 (SVM_INTERCEPT5_INVLPGB | SVM_INTERCEPT5_TLBSYNC)

#define VMCB_EFER_SVME (1ull << 12)

/**
 * struct vmcb_refusal - why a VMCB was refused
 * @offset: of the field in the VMCB
 * @reason: SVMRUN_INVALID_*
 */
struct vmcb_refusal {
	u32 offset;
	u32 reason;
};

/**
 * struct vmcb_wish - what the program asked for and the module grants itself
 * @exceptions: the program's intercept vector 2, without what is forced
 * @flush: TLB_CONTROL asks for a flush
 */
struct vmcb_wish {
	u32 exceptions;
	bool flush;
};

void vmcb_forced_intercepts(u32 forced[6]);
bool vmcb_load(struct svm_vmcb *hw, const struct svm_vmcb *user, u32 vouched,
	       u32 features, struct vmcb_wish *wish,
	       struct vmcb_refusal *refusal);
void vmcb_publish(struct svm_vmcb *user, const struct svm_vmcb *hw);
void vmcb_publish_refusal(struct svm_vmcb *user);

#endif /* SVMRUN_VMCB_H */
