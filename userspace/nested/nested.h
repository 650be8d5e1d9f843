/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* State of SVM for one vCPU of a guest, and what the files of this folder share */
#ifndef NESTED_H
#define NESTED_H

#include <svmrun/nested.h>
#include <svmrun/state.h>

#include "lib/x86.h"

/* MSRs of SVM (APM 15.30) */
#define MSR_TSC_RATIO 0xc0000104
#define MSR_VM_CR 0xc0010114
#define MSR_VM_HSAVE_PA 0xc0010117

/* Branch records (APM 13.1.1), and the bits of DBGCTL: LBR, BTF and PB0 to PB3 */
#define MSR_DBGCTL 0x1d9
#define MSR_BR_FROM 0x1db
#define MSR_BR_TO 0x1dc
#define MSR_LAST_EXCP_FROM 0x1dd
#define MSR_LAST_EXCP_TO 0x1de
#define DBGCTL_BITS 0x3full

#define VM_CR_DPD (1ull << 0)
#define VM_CR_R_INIT (1ull << 1)
#define VM_CR_DIS_A20M (1ull << 2)
#define VM_CR_LOCK (1ull << 3)
#define VM_CR_SVMDIS (1ull << 4)

/* A ratio of 1.0: 8 bits of integer, 32 of fraction (APM 15.30.5) */
#define TSC_RATIO_ONE (1ull << 32)

/* ASIDs that L1 can use, and how many of them have translations at a time */
#define NESTED_ASIDS 16
#define NESTED_SPACES 4

/* Words of an MSR permission map in which the program permits an access */
#define NESTED_PERMITTED 16

/* The virtual interrupt of a VMCB, without V_TPR */
#define NESTED_VIRTUAL_INTERRUPT                                               \
	(SVM_VINTR_V_IRQ | SVM_VINTR_V_INTR_PRIO_MASK | SVM_VINTR_V_IGN_TPR |  \
	 SVM_VINTR_V_INTR_VECTOR_MASK)

/* CR0.CD and CR0.NW, which no VMCB of the module may have, and which L2 keeps */
#define NESTED_CR0_CACHE (SVM_CR0_CD | SVM_CR0_NW)

/* Intercepts that L1 can have: not the bus lock threshold, nor idle HLT */
#define NESTED_INTERCEPTS_4 0x7fffu
#define NESTED_INTERCEPTS_5 0x1fu

/* Translations of L1's nested page table that the library itself remembers per ASID */
#define NESTED_CACHED 16

/**
 * struct cached - a page of L1's nested page table
 * @number: its number for L2, plus 1; 0 if there is none
 * @physical: its address for L1
 * @denied: SVMRUN_ACCESS_* that need another walk
 */
struct cached {
	uint64_t number;
	uint64_t physical;
	uint32_t denied;
};

/**
 * struct space - a vCPU for L2, with the translations of one ASID
 * @vm: its VM, with nested paging; filled on nested page faults
 * @vcpu: the vCPU
 * @asid: L1's ASID
 * @n_cr3: N_CR3 of the translations in @vm
 * @cr4: L1's CR4 when it walked them, which determines the format of the tables
 * @efer: likewise
 * @regions: mappings in @vm
 * @used: when it was last chosen, as a count of VMRUNs
 * @vmcb12_gpa: VMCB12 that the vCPU's state is from
 * @is_l2s: the vCPU has run with that state, and only L2 has changed it since, so that
 *	clean bits can be trusted
 * @cached: translations, which last as long as those in @vm
 * @flush: the translations of the vCPU have to be flushed when it runs next
 */
struct space {
	struct svmrun_vm vm;
	struct svmrun_vcpu vcpu;
	uint32_t asid;
	uint64_t n_cr3;
	uint64_t cr4;
	uint64_t efer;
	unsigned int regions;
	uint64_t used;
	uint64_t vmcb12_gpa;
	bool is_l2s;
	struct cached cached[NESTED_CACHED];
	bool flush;
};

/**
 * struct checked - the fields of a VMCB12 that VMRUN's rules are about
 *
 * A VMCB12 that has the same values as one that was accepted is accepted. There is no padding
 * that would differ.
 */
struct checked {
	uint64_t efer, cr0, cr3, cr4, dr6, dr7, s_cet, g_pat;
	uint64_t iopm, msrpm, eventinj, n_cr3, nested_ctl;
	uint32_t intercept4, asid, tlb_control, cs_attrib;
};

/**
 * struct remembered - a VMCB12 as it was at its last #VMEXIT
 * @used: there is one
 * @gpa: its physical address
 * @vmcb: its contents
 */
struct remembered {
	bool used;
	uint64_t gpa;
	struct svm_vmcb vmcb;
};

/* With @suspected of struct svmrun_nested_config: the VMCBs that ran last */
struct suspicion {
	unsigned int next;
	struct remembered vmcbs[NESTED_SPACES];
};

/**
 * struct svmrun_nested - SVM for one vCPU
 * @config: the program's
 * @processor: L1's processor, for VMRUN's rules
 * @features: CPUID Fn8000_000A EDX for L1
 * @code: memory with the instructions of L1 and, at index 1, of L2
 * @current: the vCPU to run next
 * @svme: EFER.SVME as L1 sees it
 * @gif: the global interrupt flag
 * @vm_cr: VM_CR
 * @hsave_pa: VM_HSAVE_PA. L1's state is in its vCPU while L2 runs, not there.
 * @tsc_ratio: TSC_RATIO
 * @vmcb12: VMCB12 in L1's memory, while L2 runs
 * @vmcb12_gpa: its physical address
 * @vmrun_rip: RIP of the last VMRUN
 * @control: its control area as of VMRUN: L1 may change it while L2 runs
 * @save: its state as of VMRUN, so that what is checked is what is loaded
 * @has_soft_event: L1 injects a software interrupt or exception, which is not delivered yet
 * @soft_rip: RIP of its instruction
 * @virtual_interrupt: L1's virtual interrupt for L2, NESTED_VIRTUAL_INTERRUPT
 * @window: L2's vCPU has a virtual interrupt of the program's instead, for a window
 * @permitted: words of the program's MSR permission map that are not all ones
 * @permitted_count: how many
 * @knows_permitted: they have been looked for, which the first VMRUN does
 * @accepted: VMCB12s that were accepted last, by the lowest bits of their ASIDs
 * @suspicion: for @suspected, or NULL
 * @space: L2's vCPU
 * @flat: the vCPU for L2 without nested paging, in L1's VM
 * @spaces: those for L2 with nested paging
 * @runs: counts VMRUNs
 * @faulted: svmrun_nested_translate() has failed since the last exit
 * @fault_info: EXITINFO1 of the last svmrun_nested_translate() that failed
 * @fault_address: its EXITINFO2
 */
struct svmrun_nested {
	struct svmrun_nested_config config;
	struct svmrun_processor processor;
	uint32_t features;
	struct svmrun_bus code[2];
	struct svmrun_vcpu *current;
	bool svme;
	bool gif;
	uint64_t vm_cr;
	uint64_t hsave_pa;
	uint64_t tsc_ratio;
	struct svm_vmcb *vmcb12;
	uint64_t vmcb12_gpa;
	uint64_t vmrun_rip;
	struct svm_vmcb_control control;
	struct svm_vmcb_save save;
	bool has_soft_event;
	uint64_t soft_rip;
	uint64_t virtual_interrupt;
	bool window;
	uint16_t permitted[NESTED_PERMITTED];
	size_t permitted_count;
	bool knows_permitted;
	struct checked accepted[NESTED_SPACES];
	struct suspicion *suspicion;
	struct space *space;
	struct space flat;
	struct space spaces[NESTED_SPACES];
	uint64_t runs;
	bool faulted;
	uint64_t fault_info;
	uint64_t fault_address;
};

static inline bool is_active(const struct svmrun_nested *nested)
{
	return nested->current != nested->config.vcpu;
}

/* EFER.SVME, as the current vCPU sees it */
static inline bool has_svme(const struct svmrun_nested *nested)
{
	return nested->svme || is_active(nested);
}

static inline bool uses_nested_paging(const struct svm_vmcb_control *control)
{
	return control->nested_ctl & SVM_NESTED_NP_ENABLE;
}

/* Return L1's memory at a physical address, NULL if there is none. */
void *nested_memory(const struct svmrun_nested *nested, uint64_t gpa,
		    size_t size);
/* The same; NULL also if L1 cannot write to it. */
void *nested_writable_memory(const struct svmrun_nested *nested, uint64_t gpa,
			     size_t size);

/* Map a page of L1's nested page table in L2's VM. Return 0 or a negative errno. */
int nested_map_page(struct svmrun_nested *nested, uint64_t gpa,
		    const struct svmrun_translation *found);

/* Prepare @code, so that L2's addresses are translated. */
void nested_init_code(struct svmrun_nested *nested);

/* L1's memory, for instructions of the current vCPU */
static inline const struct svmrun_bus *
nested_code(const struct svmrun_nested *nested)
{
	return &nested->code[is_active(nested)];
}

/*
 * Set EXITINFO1 and the instruction bytes in L2's VMCB as decode assists do (APM 15.8), if
 * the processor has not done so. nested_save_bytes() does it for a nested page fault that
 * the program has found.
 */
void nested_complete_assists(struct svmrun_nested *nested, uint64_t exitcode);
void nested_save_bytes(struct svmrun_nested *nested, uint64_t info);

/* Set NRIP in L2's VMCB for L1 if the processor has not done so. */
void nested_complete_nrip(struct svmrun_nested *nested, uint64_t exitcode);

/*
 * With NRIP save, a software interrupt or exception in EVENTINJ returns to NRIP; without it,
 * to RIP (APM 15.20). L1 has NRIP save. VMRUN notes such an event. Before each run with it,
 * set what it returns to; after the exit, set RIP back if the event was interrupted.
 */
void nested_note_soft_event(struct svmrun_nested *nested);
void nested_begin_soft_event(struct svmrun_nested *nested);
void nested_end_soft_event(struct svmrun_nested *nested);

/*
 * After an exit that L1 does not see: L2 executes an instruction again whose own software
 * interrupt or exception was interrupted.
 */
void nested_drop_soft_event(struct svmrun_nested *nested);

/* Return RIP of the instruction after the one of @length bytes that has exited. */
uint64_t nested_next_rip(const struct svmrun_nested *nested,
			 unsigned int length);

/* The instructions of SVM, executed by the current vCPU */
void nested_instruction(struct svmrun_nested *nested, uint64_t exitcode);

/* VMRUN in L1: load L2's state from VMCB12. */
void nested_vmrun(struct svmrun_nested *nested, uint64_t gpa,
		  struct svm_vmcb *vmcb12);

/* Return whether VMCB12 is legal, as of VMRUN; if not, tell the program why. */
bool nested_check(struct svmrun_nested *nested);

/*
 * Continue L2, whose VMRUN was accepted before, with the state of its vCPU from a record, see
 * svmrun_vcpu_load(). L1's vCPU has its state already.
 */
void nested_resume(struct svmrun_nested *nested, struct svmrun_state *state,
		   uint64_t ticks);

/*
 * Warn the program about fields of a legal VMCB12 that are probably mistakes. Remember VMCB12
 * after its #VMEXIT, to compare it with the next VMRUN's.
 */
void nested_suspect(struct svmrun_nested *nested, const struct svm_vmcb *vmcb);
void nested_remember(struct svmrun_nested *nested);

/* Tell the program why the processor or the module has refused L2's vCPU. */
void nested_explain_invalid(struct svmrun_nested *nested);

/* Keep what is left of L1's virtual interrupt after a run. */
void nested_keep_virtual_interrupt(struct svmrun_nested *nested);

/* Copy what is in the registers page and in the XSAVE area. */
void nested_copy_registers(struct svmrun_vcpu *to,
			   const struct svmrun_vcpu *from);

/* Copy what VMLOAD and VMSAVE move (APM 15.5.2). */
void nested_copy_vmload(struct svm_vmcb_save *to,
			const struct svm_vmcb_save *from);

/*
 * Copy the state that VMRUN always loads and #VMEXIT always saves, except for CR0; and the
 * state that they load and save with LBR virtualization.
 */
void nested_copy_vmrun(struct svm_vmcb_save *to,
		       const struct svm_vmcb_save *from);
void nested_copy_lbr(struct svm_vmcb_save *to,
		     const struct svm_vmcb_save *from);

/* #VMEXIT: save L2's state to VMCB12, and continue with L1 (APM 15.6). */
void nested_vmexit(struct svmrun_nested *nested, uint64_t exitcode,
		   uint64_t exitinfo1, uint64_t exitinfo2);

/*
 * Return whether L1 intercepts this exit of L2's vCPU. @exitcode becomes the one that L1 gets,
 * if that is another. L1's MSR permission map is NULL if there is no memory at its address.
 */
bool nested_intercepts(const struct svmrun_nested *nested, uint64_t *exitcode);
const uint8_t *nested_msrpm(const struct svmrun_nested *nested);
bool nested_intercepts_code(const struct svmrun_nested *nested,
			    uint64_t exitcode);

/* Create the vCPUs for L2. Return 0 or a negative errno. */
int nested_create_spaces(struct svmrun_nested *nested, int device);
void nested_destroy_spaces(struct svmrun_nested *nested);

/* Choose the vCPU for an ASID and a nested page table, or for L1's own memory. */
struct space *nested_choose_space(struct svmrun_nested *nested);

/* INVLPGA, and the other flushes that L1 requests */
void nested_flush_asid(struct svmrun_nested *nested, uint32_t asid);
void nested_flush_all(struct svmrun_nested *nested);

/*
 * A nested page fault of L2. Return enum svmrun_nested_result or a negative errno. If it is
 * the program's, EXITINFO2 is the physical address for L1.
 */
int nested_page_fault(struct svmrun_nested *nested);

/*
 * EXITINFO1 of a walk that has failed with @error. An address that is too large is not
 * present.
 */
uint64_t nested_fault_info(const struct svmrun_page_fault *fault, int error,
			   uint32_t access);

/* Walk L1's nested page table. Return 0 or a negative errno, as svmrun_translate(). */
int nested_walk(const struct svmrun_nested *nested, uint64_t gpa,
		uint32_t access, struct svmrun_translation *translation,
		struct svmrun_page_fault *fault);

#endif /* NESTED_H */
