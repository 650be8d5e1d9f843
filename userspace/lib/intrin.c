// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * SVM instructions on a virtual processor: VMCBs that are found by physical addresses,
 * and one state per thread. The module loads the registers of VMLOAD from the VMCB, so
 * during VMRUN the thread's state replaces that in the VMCB. No clean bit covers these
 * fields, nor TLB_CONTROL.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>

#include <linux/svmrun_policy.h>
#include <svmrun_intrin.h>

#include "segment.h"
#include "x86.h"

/* Not canonical, so that use of a physical address as a pointer faults. */
#define PHYSICAL_MIN (1ull << 47)

/* Number of INVLPGA counters; ASIDs with the same remainder share one. */
#define ASIDS 256

/* The registers that VMLOAD and VMSAVE transfer */
struct vmload_state {
#define MEMBER(field) __typeof__(((struct svm_vmcb_save *)0)->field) field;
	SVMRUN_POLICY_VMLOAD(MEMBER)
#undef MEMBER
};

/* The virtual processor of a thread, in its state after RESET# (APM 14.1.3) */
static _Thread_local struct processor {
	struct vmload_state state;
	bool gif;
	int error;
} processor = {
	.state.fs = { .attrib = DATA_16, .limit = 0xffff },
	.state.gs = { .attrib = DATA_16, .limit = 0xffff },
	.state.ldtr = { .attrib = LDT, .limit = 0xffff },
	.state.tr = { .attrib = BUSY_TSS, .limit = 0xffff },
	.gif = true,
};

/* Number of INVLPGAs so far, by ASID */
static atomic_uint invalidations[ASIDS];

/*
 * VMCBs by physical address. Addresses are never reused; each maps to the slot of its
 * remainder. A slot whose @physical is 0 is free, or its VMCB is being created.
 */
static struct slot {
	atomic_bool taken;
	atomic_size_t physical;
	struct svmrun_vcpu vcpu;
	atomic_bool running;
	/* ASID and INVLPGA count of the last run, which flushed what it had to */
	uint32_t asid;
	unsigned int invalidations;
} slots[SVMRUN_INTRIN_VMCBS];
static atomic_size_t next_number;

/* ---- VMCBs ---------------------------------------------------------------- */

static struct slot *slot_of(size_t physical)
{
	return &slots[physical / PAGE_SIZE % SVMRUN_INTRIN_VMCBS];
}

static struct slot *find_slot(size_t physical)
{
	struct slot *slot = slot_of(physical);

	if (physical < PHYSICAL_MIN || atomic_load(&slot->physical) != physical)
		return NULL;
	return slot;
}

/* Return the physical address of a free slot, which is now taken, or 0. */
static size_t take_slot(void)
{
	size_t physical;
	unsigned int i;

	for (i = 0; i < SVMRUN_INTRIN_VMCBS; i++) {
		physical = PHYSICAL_MIN +
			   atomic_fetch_add(&next_number, 1) * PAGE_SIZE;
		if (!atomic_exchange(&slot_of(physical)->taken, true))
			return physical;
	}
	return 0;
}

static int map_vmcb_page(struct svmrun_vcpu *vcpu)
{
	void *page = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return -errno;
	*vcpu = (struct svmrun_vcpu){ .fd = -1,
				      .vmcb = page,
				      .size = PAGE_SIZE };
	return 0;
}

static void unmap_vmcb_page(struct svmrun_vcpu *vcpu)
{
	munmap(vcpu->vmcb, vcpu->size);
}

int svmrun_intrin_alloc(size_t *physical, struct svmrun_vm *vm)
{
	size_t taken = take_slot();
	struct slot *slot;
	int ret;

	if (!taken)
		return -ENOSPC;
	slot = slot_of(taken);
	ret = vm ? svmrun_vcpu_create(&slot->vcpu, vm) :
		   map_vmcb_page(&slot->vcpu);
	if (ret < 0) {
		atomic_store(&slot->taken, false);
		return ret;
	}
	slot->asid = 0;
	atomic_store(&slot->physical, taken);
	*physical = taken;
	return 0;
}

void svmrun_intrin_free(size_t physical)
{
	struct slot *slot = find_slot(physical);

	if (!slot ||
	    !atomic_compare_exchange_strong(&slot->physical, &physical, 0))
		return;
	if (slot->vcpu.fd < 0)
		unmap_vmcb_page(&slot->vcpu);
	else
		svmrun_vcpu_destroy(&slot->vcpu);
	atomic_store(&slot->taken, false);
}

struct svmrun_vcpu *svmrun_intrin_vcpu(size_t physical)
{
	struct slot *slot = find_slot(physical);

	return slot ? &slot->vcpu : NULL;
}

/* ---- the instructions ----------------------------------------------------- */

/*
 * Raise #GP with the operand in RAX. HLT is privileged on every processor; VMRUN would
 * raise #UD on one where SVM is disabled.
 */
static inline void raise_general_protection(size_t rax)
{
	asm volatile("hlt" : : "a"(rax));
}

/* Return the slot of an operand, or NULL after #GP. */
static inline struct slot *operand_slot(size_t physical)
{
	struct slot *slot = find_slot(physical);

	if (!slot)
		raise_general_protection(physical);
	return slot;
}

static void load_state(struct vmload_state *state,
		       const struct svm_vmcb_save *save)
{
#define LOAD(field) state->field = save->field;
	SVMRUN_POLICY_VMLOAD(LOAD)
#undef LOAD
}

static void save_state(struct svm_vmcb_save *save,
		       const struct vmload_state *state)
{
#define SAVE(field) save->field = state->field;
	SVMRUN_POLICY_VMLOAD(SAVE)
#undef SAVE
}

void __svm_vmload(size_t VmcbPhysicalAddress)
{
	struct slot *slot = operand_slot(VmcbPhysicalAddress);

	if (slot)
		load_state(&processor.state, &slot->vcpu.vmcb->save);
}

void __svm_vmsave(size_t VmcbPhysicalAddress)
{
	struct slot *slot = operand_slot(VmcbPhysicalAddress);

	if (slot)
		save_state(&slot->vcpu.vmcb->save, &processor.state);
}

/* Add a flush of all translations of the guest to what the program requests. */
static uint8_t tlb_control_with_flush(uint8_t tlb_control)
{
	switch (tlb_control) {
	case SVM_TLB_CONTROL_NOTHING:
		return SVM_TLB_CONTROL_FLUSH_ALL;
	case SVM_TLB_CONTROL_FLUSH_GUEST_NON_GLOBAL:
		return SVM_TLB_CONTROL_FLUSH_GUEST;
	default:
		return tlb_control;
	}
}

/*
 * The module tags translations with the vCPU and ignores the VMCB's ASID (APM 15.16). So
 * flush them if the ASID has changed, or INVLPGA was executed for it, since the last run.
 */
static int run_and_flush(struct slot *slot)
{
	struct svm_vmcb_control *control = &slot->vcpu.vmcb->control;
	uint8_t asked = control->tlb_control;
	uint32_t asid = control->asid;
	unsigned int count = atomic_load(&invalidations[asid % ASIDS]);
	int ret;

	if (asid != slot->asid || count != slot->invalidations)
		control->tlb_control = tlb_control_with_flush(asked);
	ret = svmrun_vcpu_run(&slot->vcpu);
	control->tlb_control = asked;
	if (!ret && control->exitcode != VMEXIT_INVALID) {
		slot->asid = asid;
		slot->invalidations = count;
	}
	return ret;
}

static void set_invalid(struct svm_vmcb_control *control)
{
	control->exitcode = VMEXIT_INVALID;
	control->exitinfo1 = 0;
	control->exitinfo2 = 0;
	control->exitintinfo = 0;
}

/* Return an event in EXITINTINFO, as the processor does; the module would reinject it. */
static void return_event(struct svm_vmcb_control *control)
{
	if (control->eventinj & SVM_EVENT_VALID)
		control->exitintinfo = control->eventinj;
	control->eventinj = 0;
}

/* Set the exit code for a run that ended with @error. */
static void complete_exit(struct svm_vmcb_control *control, int error)
{
	switch (error) {
	case 0:
		break;
	case -EINTR:
	case -EFAULT:
	case -ENOMEM:
		return_event(control);
		break;
	default:
		set_invalid(control);
	}
}

static int run_slot(struct slot *slot)
{
	struct svm_vmcb *vmcb = slot->vcpu.vmcb;
	struct vmload_state own;
	int ret;

	load_state(&own, &vmcb->save);
	save_state(&vmcb->save, &processor.state);
	ret = run_and_flush(slot);
	load_state(&processor.state, &vmcb->save);
	save_state(&vmcb->save, &own);
	complete_exit(&vmcb->control, ret);
	return ret;
}

void __svm_vmrun(size_t VmcbPhysicalAddress)
{
	struct slot *slot = operand_slot(VmcbPhysicalAddress);

	if (!slot)
		return;
	if (atomic_exchange(&slot->running, true)) {
		processor.error = -EBUSY;
	} else {
		processor.error = run_slot(slot);
		atomic_store(&slot->running, false);
	}
	processor.gif = false;
}

void __svm_stgi(void)
{
	processor.gif = true;
}

void __svm_clgi(void)
{
	processor.gif = false;
}

void __svm_invlpga(void *Va __attribute__((unused)), int ASID)
{
	atomic_fetch_add(&invalidations[(unsigned int)ASID % ASIDS], 1);
}

void __svm_skinit(int BlockPhysicalAddress)
{
	asm volatile("skinit" : : "a"(BlockPhysicalAddress) : "memory");
}

bool svmrun_intrin_gif(void)
{
	return processor.gif;
}

int svmrun_intrin_error(void)
{
	return processor.error;
}
