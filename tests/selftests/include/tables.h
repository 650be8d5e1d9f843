/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Descriptor tables for a machine, in each mode: an IDT whose handlers halt,
 * segments of both privilege levels, and a TSS
 */
#ifndef TABLES_H
#define TABLES_H

#include "machine.h"

/* One page each, below 64 KiB, where real mode can reach them */
#define TABLES_IDT 0x4000ul
#define TABLES_GDT 0x5000ul
#define TABLES_TSS 0x6000ul
#define TABLES_OTHER_TSS 0x7000ul /* not the whole page */
#define TABLES_HANDLERS 0xc000ul

#define VECTORS 256
#define HANDLER_SIZE 16
#define HANDLER(vector) (TABLES_HANDLERS + (vector)*HANDLER_SIZE)

#define SELECTOR_CODE 0x08
#define SELECTOR_DATA 0x10
#define SELECTOR_USER_CODE 0x1b
#define SELECTOR_USER_DATA 0x23
#define SELECTOR_TSS 0x28 /* two entries in long mode */
#define SELECTOR_ABSENT 0x38 /* data segment, not present */
#define SELECTOR_OTHER_TSS 0x40 /* see tables_set_task() */
#define TABLES_GDT_LIMIT (SELECTOR_OTHER_TSS + 8 - 1)

#define TYPE_TSS 0x9 /* available TSS of 32 or 64 bits */
#define TYPE_TSS_BUSY 0xb
#define TSS_LIMIT 0x67

/* The TSS's stack for CPL 0, used by handlers that interrupt CPL 3 */
#define TABLES_TSS_STACK (MACHINE_STACK - 0x800)

/* The pages that the first push goes to; in real mode SP begins at 0 */
#define STACK_PAGE (MACHINE_STACK - PAGE)
#define REAL_STACK_PAGE 0xf000ul

/* Values of EVENTINJ and EXITINTINFO */
#define EVENT_INTR(vector) (SVM_EVENT_VALID | SVM_EVENT_TYPE_INTR | (vector))
#define EVENT_NMI (SVM_EVENT_VALID | SVM_EVENT_TYPE_NMI | 2)
#define EVENT_EXCEPTION(vector)                                                \
	(SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION | (vector))
#define EVENT_ERROR(vector, code)                                              \
	(EVENT_EXCEPTION(vector) | SVM_EVENT_ERROR_CODE_VALID |                \
	 (uint64_t)(code) << SVM_EVENT_ERROR_CODE_SHIFT)
#define EVENT_SOFT(vector)                                                     \
	(SVM_EVENT_VALID | SVM_EVENT_TYPE_SOFT_INTERRUPT | (vector))

static inline uint64_t *tables_descriptor(struct machine *m, uint16_t selector)
{
	return machine_at(m, TABLES_GDT + (selector & ~7));
}

static inline uint64_t descriptor_tss(uint32_t base, uint32_t limit,
				      uint32_t type)
{
	return (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 |
	       (uint64_t)(type | SVM_SEG_P) << 40 |
	       (uint64_t)(base >> 24) << 56;
}

/* Set a real-mode vector, or a 32-bit or long-mode interrupt gate (APM 4.6). */
static inline void tables_set_gate(struct machine *m, enum machine_mode mode,
				   uint8_t vector, uint32_t target, int dpl)
{
	const int size = mode == MODE_REAL ? 4 : mode == MODE_LONG ? 16 : 8;
	uint64_t *gate = machine_at(m, TABLES_IDT + vector * size);

	if (mode == MODE_REAL) {
		*(uint32_t *)gate = target;
		return;
	}
	gate[0] = (target & 0xffff) | SELECTOR_CODE << 16 |
		  (uint64_t)(0x8e | dpl << 5) << 40 |
		  (uint64_t)(target >> 16) << 48;
	if (mode == MODE_LONG)
		gate[1] = 0;
}

static inline void tables_fill_gdt(struct machine *m, enum machine_mode mode)
{
	const uint64_t code = mode == MODE_LONG ? 0x00af9b000000ffff :
						  0x00cf9b000000ffff;
	const uint64_t data = 0x00cf93000000ffff, user = 3ull << 45;

	*tables_descriptor(m, SELECTOR_CODE) = code;
	*tables_descriptor(m, SELECTOR_DATA) = data;
	*tables_descriptor(m, SELECTOR_USER_CODE) = code | user;
	*tables_descriptor(m, SELECTOR_USER_DATA) = data | user;
	*tables_descriptor(m, SELECTOR_TSS) = descriptor_tss(TABLES_TSS,
							     TSS_LIMIT,
							     TYPE_TSS_BUSY);
	*tables_descriptor(m, SELECTOR_ABSENT) = data & ~(1ull << 47);
}

static inline void tables_fill_tss(struct machine *m, enum machine_mode mode)
{
	uint32_t *tss = machine_at(m, TABLES_TSS);

	tss[1] = TABLES_TSS_STACK;
	tss[2] = mode == MODE_LONG ? 0 : SELECTOR_DATA;
}

/**
 * tables_set() - set up descriptor tables for the machine's vCPU
 * @m: the machine, after MACHINE_LOAD()
 * @mode: the mode that it was loaded for
 *
 * Each vector has a handler that halts, and returns when the guest is run again.
 */
static inline void tables_set(struct machine *m, enum machine_mode mode)
{
	static const uint8_t halt_iret[3] = { 0xf4, 0xcf };
	static const uint8_t halt_iretq[3] = { 0xf4, 0x48, 0xcf };
	struct svm_vmcb_save *save = &m->vcpu.vmcb->save;

	for (int vector = 0; vector < VECTORS; vector++) {
		memcpy(machine_at(m, HANDLER(vector)),
		       mode == MODE_LONG ? halt_iretq : halt_iret, 3);
		tables_set_gate(m, mode, vector, HANDLER(vector), 0);
	}
	save->idtr.base = TABLES_IDT;
	save->idtr.limit = PAGE - 1;
	if (mode == MODE_REAL)
		return;
	tables_fill_gdt(m, mode);
	tables_fill_tss(m, mode);
	save->gdtr.base = TABLES_GDT;
	save->gdtr.limit = TABLES_GDT_LIMIT;
	save->tr = (struct svm_seg){
		.selector = SELECTOR_TSS,
		.attrib = SVM_SEG_P | TYPE_TSS_BUSY,
		.limit = TSS_LIMIT,
		.base = TABLES_TSS,
	};
}

/* Set up a second, 32-bit task to switch to (APM 12.3). */
static inline void tables_set_task(struct machine *m, uint32_t entry,
				   uint32_t stack)
{
	uint32_t *tss = machine_at(m, TABLES_OTHER_TSS);

	*tables_descriptor(m, SELECTOR_OTHER_TSS) =
		descriptor_tss(TABLES_OTHER_TSS, TSS_LIMIT, TYPE_TSS);
	tss[8] = entry; /* EIP, EFLAGS, ESP */
	tss[9] = 2;
	tss[14] = stack;
	for (int i = 18; i < 24; i++) /* ES, CS, SS, DS, FS, GS */
		tss[i] = SELECTOR_DATA;
	tss[19] = SELECTOR_CODE;
}

/* Address of the code of tables_load_tr() */
#define TABLES_LOAD_TR 0x7800ul

/*
 * Run LTR in the guest, so that the VMCB then contains the type of TR that the
 * processor itself stores and expects.
 */
static inline int tables_load_tr(struct machine *m)
{
	/* mov $SELECTOR_TSS, %eax; ltr %ax; hlt */
	static const uint8_t code[] = { 0xb8, SELECTOR_TSS, 0,	  0,   0,
					0x0f, 0x00,	    0xd8, 0xf4 };
	struct svm_vmcb *vmcb = m->vcpu.vmcb;
	uint64_t rip = vmcb->save.rip, rax = vmcb->save.rax;
	int err;

	memcpy(machine_at(m, TABLES_LOAD_TR), code, sizeof(code));
	*tables_descriptor(m, SELECTOR_TSS) &= ~(2ull << 40); /* not busy */
	vmcb->save.rip = TABLES_LOAD_TR;
	err = machine_run(m);
	vmcb->save.rip = rip;
	vmcb->save.rax = rax;
	return err || vmcb->control.exitcode == VMEXIT_HLT ? err : -EIO;
}

/* Continue a machine in protected mode at CPL 3. */
static inline int tables_enter_user(struct machine *m)
{
	struct svm_vmcb_save *save = &m->vcpu.vmcb->save;
	struct svm_seg *segments[] = { &save->cs, &save->ss, &save->ds,
				       &save->es };
	int err = tables_load_tr(m);

	for (size_t i = 0; i < ARRAY_SIZE(segments); i++) {
		segments[i]->selector = i ? SELECTOR_USER_DATA :
					    SELECTOR_USER_CODE;
		segments[i]->attrib |= SVM_SEG_DPL_MASK;
	}
	save->cpl = 3;
	return err;
}

/* The handler's stack frame after the delivery of an event */
struct frame {
	uint64_t error; /* if the event has one */
	uint64_t rip;
	uint64_t cs;
	uint64_t flags;
	uint64_t sp; /* interrupted SP; outside long mode only if interrupted at CPL 0 */
};

static inline int frame_word(enum machine_mode mode)
{
	return mode == MODE_REAL ? 2 : mode == MODE_LONG ? 8 : 4;
}

static inline struct frame frame_read(struct machine *m, enum machine_mode mode,
				      bool has_error)
{
	const int words = has_error ? 4 : 3, size = frame_word(mode);
	const struct svm_vmcb_save *save = &m->vcpu.vmcb->save;
	const uint8_t *at = machine_at(m, save->ss.base + save->rsp);
	uint64_t sp = save->rsp + words * size, word[5] = {};

	for (int i = 4 - words; i < 5; i++, at += size)
		memcpy(&word[i], at, size);
	return (struct frame){
		.error = word[0],
		.rip = word[1],
		.cs = word[2] & 0xffff,
		.flags = word[3],
		/* Long mode always pushes SS:RSP (APM 8.9.3). */
		.sp = mode == MODE_LONG ? word[4] :
		      mode == MODE_REAL ? (uint16_t)sp :
					  sp,
	};
}

/* Continue a guest that halted in a handler with its IRET. */
static inline void frame_return(struct machine *m, enum machine_mode mode,
				bool has_error)
{
	struct svm_vmcb_save *save = &m->vcpu.vmcb->save;

	save->rip++;
	if (has_error)
		save->rsp += frame_word(mode);
}

GUEST(tables_halt, 16, "hlt");

/*
 * Inject an event in real mode, without memory for the stack, so that its delivery
 * fails. Return EXITINTINFO.
 */
static inline uint64_t tables_cut(struct machine *m, uint64_t event)
{
	struct svm_vmcb_control *control = &m->vcpu.vmcb->control;

	MACHINE_LOAD(m, MODE_REAL, tables_halt);
	tables_set(m, MODE_REAL);
	if (machine_unmap(m, REAL_STACK_PAGE, PAGE))
		return 0;
	control->eventinj = event;
	control->nrip = MACHINE_CODE + 1;
	return machine_run(m) || machine_map_again(m, REAL_STACK_PAGE) ?
		       0 :
		       control->exitintinfo;
}

/*
 * An event that an outer hypervisor loses looks like one that the module loses,
 * which tests must report. So detect such a hypervisor by another symptom, which
 * shows that it keeps events in its own format: for an NMI whose delivery failed,
 * EXITINTINFO lacks the vector.
 */
static inline bool tables_nmi_lacks_vector(struct machine *m)
{
	return (uint32_t)tables_cut(m, EVENT_NMI) ==
	       (EVENT_NMI & ~SVM_EVENT_VECTOR_MASK);
}

/*
 * Return whether a software interrupt is lost that is injected, whose delivery
 * fails, and that is injected again, as APM 15.7.2 demands. Some hypervisors handle
 * it as an instruction of the guest.
 */
static inline bool tables_lose_soft(struct machine *m)
{
	struct svm_vmcb *vmcb = m->vcpu.vmcb;

	if (!tables_nmi_lacks_vector(m))
		return false;
	vmcb->control.eventinj = tables_cut(m, EVENT_SOFT(0x21));
	vmcb->control.nrip = MACHINE_CODE + 1;
	return !machine_run(m) && vmcb->control.exitcode == VMEXIT_HLT &&
	       vmcb->save.rip == MACHINE_CODE;
}

#endif /* TABLES_H */
