// SPDX-License-Identifier: GPL-2.0
/*
 * Exceptions and interrupts (APM 15.20, 15.7.2): intercepted, injected, reflected
 * to the guest by the module, and interrupted during delivery by a fault on memory
 * that the delivery needs.
 */
#include "tables.h"

#define VECTOR_DB 1
#define VECTOR_BP 3
#define VECTOR_OF 4
#define VECTOR_UD 6
#define VECTOR_GP 13
#define VECTOR_PF 14
#define VECTOR_INT 0x21

#define RFLAGS_OF (1ull << 11)

#define HLT 0xf4

/* A stack that has not been touched, so that the first push faults */
#define FRESH_SEGMENT 0x3000
#define FRESH 0x30000ul
#define FRESH_TOP 0x800

MACHINE_FIXTURE(injection)

#define VMCB (self->m.vcpu.vmcb)
#define REGS (self->m.vcpu.regs)

GUEST(halt, 16, "hlt");
GUEST(undefined, 16, "ud2");
GUEST(single_step, 16,
      "pushf\n mov %sp, %bp\n orw $0x100, (%bp)\n popf\n"
      "nop\n hlt");

/* Set a real-mode vector (the IDT is at 0) to a HLT at MACHINE_DATA. */
static void handler_at_data(struct machine *m, int vector)
{
	*(uint32_t *)machine_at(m, vector * 4) = MACHINE_DATA;
	*(uint8_t *)machine_at(m, MACHINE_DATA) = HLT;
}

TEST_F(injection, triple_fault)
{
	MACHINE_LOAD(&self->m, MODE_PROTECTED, undefined);
	VMCB->save.idtr.limit = 0;
	ASSERT_EXIT(VMEXIT_SHUTDOWN, &self->m);
}

TEST_F(injection, exception_intercepted)
{
	MACHINE_LOAD(&self->m, MODE_REAL, undefined);
	VMCB->control.intercept[2] = SVM_INTERCEPT2_EXCEPTION(VECTOR_UD);
	ASSERT_EXIT(VMEXIT_EXCP(VECTOR_UD), &self->m);
	EXPECT_EQ(MACHINE_CODE, VMCB->save.rip);
}

TEST_F(injection, exception_injected)
{
	MACHINE_LOAD(&self->m, MODE_REAL, halt);
	handler_at_data(&self->m, VECTOR_UD);
	VMCB->control.eventinj = EVENT_EXCEPTION(VECTOR_UD);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(MACHINE_DATA, VMCB->save.rip);
	EXPECT_EQ(0, VMCB->control.eventinj & SVM_EVENT_VALID);
}

TEST_F(injection, debug_exception_injected_again)
{
	MACHINE_LOAD(&self->m, MODE_REAL, single_step);
	handler_at_data(&self->m, VECTOR_DB);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(MACHINE_DATA, VMCB->save.rip);
	EXPECT_LE(1, REGS->out_exits_reflected);
}

TEST_F(injection, debug_exception_intercepted)
{
	MACHINE_LOAD(&self->m, MODE_REAL, single_step);
	VMCB->control.intercept[2] = SVM_INTERCEPT2_EXCEPTION(VECTOR_DB);
	ASSERT_EXIT(VMEXIT_EXCP(VECTOR_DB), &self->m);
	EXPECT_EQ(0, REGS->out_exits_reflected);
}

/* ---- delivery interrupted by a fault that the module handles ------------- */

/* Count in BX, and leave the return address in CX. */
GUEST(handler, 16, "inc %bx\n mov %sp, %bp\n mov (%bp), %cx\n iret");
/* The same, and skip the two bytes of the faulting instruction. */
GUEST(handler_of_fault, 16,
      "inc %bx\n mov %sp, %bp\n mov (%bp), %cx\n"
      "addw $2, (%bp)\n iret");

GUEST(software_interrupt, 16, "int $0x21\n hlt");
GUEST(breakpoint, 16, "int3\n nop\n hlt");

static void fresh_stack(struct machine *m, int vector, const char *code,
			const char *code_end)
{
	struct svm_vmcb_save *save = &m->vcpu.vmcb->save;

	*(uint32_t *)machine_at(m, vector * 4) = MACHINE_DATA;
	memcpy(machine_at(m, MACHINE_DATA), code, code_end - code);
	save->ss.selector = FRESH_SEGMENT;
	save->ss.base = FRESH;
	save->rsp = FRESH_TOP;
	m->vcpu.regs->rbx = 0;
}

#define FRESH_STACK(m, vector, code) fresh_stack(m, vector, code, code##_end)

/*
 * The handler ran once, with the return address @from, and the guest halted at
 * @halted.
 */
static void expect_delivered(struct __test_metadata *_metadata,
			     struct machine *m, uint64_t from, uint64_t halted)
{
	ASSERT_EXIT(VMEXIT_HLT, m);
	EXPECT_EQ(1, m->vcpu.regs->rbx);
	EXPECT_EQ(from, m->vcpu.regs->rcx);
	EXPECT_EQ(halted, m->vcpu.vmcb->save.rip);
	EXPECT_EQ(FRESH_TOP, m->vcpu.vmcb->save.rsp);
}

TEST_F(injection, exception_through_fault)
{
	MACHINE_LOAD(&self->m, MODE_REAL, undefined);
	FRESH_STACK(&self->m, VECTOR_UD, handler_of_fault);
	*(uint8_t *)machine_at(&self->m, MACHINE_CODE + 2) = HLT;
	expect_delivered(_metadata, &self->m, MACHINE_CODE, MACHINE_CODE + 2);
}

TEST_F(injection, software_interrupt_through_fault)
{
	MACHINE_LOAD(&self->m, MODE_REAL, software_interrupt);
	FRESH_STACK(&self->m, VECTOR_INT, handler);
	expect_delivered(_metadata, &self->m, MACHINE_CODE + 2,
			 MACHINE_CODE + 2);
}

TEST_F(injection, breakpoint_through_fault)
{
	MACHINE_LOAD(&self->m, MODE_REAL, breakpoint);
	FRESH_STACK(&self->m, VECTOR_BP, handler);
	expect_delivered(_metadata, &self->m, MACHINE_CODE + 1,
			 MACHINE_CODE + 2);
}

TEST_F(injection, injected_interrupt_through_fault)
{
	MACHINE_LOAD(&self->m, MODE_REAL, halt);
	FRESH_STACK(&self->m, VECTOR_INT, handler);
	VMCB->control.eventinj = EVENT_INTR(VECTOR_INT);
	expect_delivered(_metadata, &self->m, MACHINE_CODE, MACHINE_CODE);
}

/*
 * If the fault exits to the program, EXITINTINFO leaves the event to the program.
 */
TEST_F(injection, exception_interrupted_by_exit)
{
	MACHINE_LOAD(&self->m, MODE_REAL, undefined);
	FRESH_STACK(&self->m, VECTOR_UD, handler_of_fault);
	ASSERT_EQ(0, machine_unmap(&self->m, FRESH, PAGE));
	ASSERT_EXIT(VMEXIT_NPF, &self->m);
	EXPECT_EQ(FRESH, VMCB->control.exitinfo2 & -PAGE);
	EXPECT_EQ(EVENT_EXCEPTION(VECTOR_UD),
		  (uint32_t)VMCB->control.exitintinfo);
	EXPECT_EQ(MACHINE_CODE, VMCB->save.rip);
}

/* A failed run can be repeated, and the event is still pending. */
TEST_F(injection, interrupt_survives_failed_run)
{
	void *stack = machine_at(&self->m, FRESH);

	MACHINE_LOAD(&self->m, MODE_REAL, halt);
	FRESH_STACK(&self->m, VECTOR_INT, handler);
	VMCB->control.eventinj = EVENT_INTR(VECTOR_INT);
	ASSERT_EQ(0, mprotect(stack, PAGE, PROT_NONE));
	ASSERT_EQ(-EFAULT, machine_run(&self->m));
	EXPECT_EQ(VMEXIT_NPF, VMCB->control.exitcode);
	EXPECT_EQ(FRESH, VMCB->control.exitinfo2 & -PAGE);
	ASSERT_EQ(-EFAULT, machine_run(&self->m));
	ASSERT_EQ(0, mprotect(stack, PAGE, PROT_READ | PROT_WRITE));
	expect_delivered(_metadata, &self->m, MACHINE_CODE, MACHINE_CODE);
}

/* ---- every type, in every mode (APM 15.20) ------------------------------- */

#define ERROR 0xabc

/* Events that can be injected in any mode */
static const uint64_t events[] = {
	EVENT_INTR(0x20),    EVENT_INTR(VECTOR_INT),
	EVENT_INTR(0xff),    EVENT_INTR(6),
	EVENT_NMI,	     EVENT_EXCEPTION(0),
	EVENT_EXCEPTION(1),  EVENT_EXCEPTION(3),
	EVENT_EXCEPTION(6),  EVENT_EXCEPTION(7),
	EVENT_EXCEPTION(16), EVENT_EXCEPTION(19),
	EVENT_SOFT(0x20),    EVENT_SOFT(VECTOR_INT),
	EVENT_SOFT(0xff),    EVENT_SOFT(3),
	EVENT_SOFT(13),
};

/* Events with an error code, which real mode does not have (APM 8.2) */
static const uint64_t events_with_error[] = {
	EVENT_ERROR(8, 0),	EVENT_ERROR(10, ERROR), EVENT_ERROR(11, ERROR),
	EVENT_ERROR(12, ERROR), EVENT_ERROR(13, ERROR), EVENT_ERROR(14, ERROR),
	EVENT_ERROR(17, 0),
};

MODE_FIXTURE(type)

GUEST(halt_thrice, 64, "hlt\n hlt\n hlt");

static bool is_soft(uint64_t event)
{
	return (event & SVM_EVENT_TYPE_MASK) == SVM_EVENT_TYPE_SOFT_INTERRUPT;
}

static bool has_error(uint64_t event)
{
	return event & SVM_EVENT_ERROR_CODE_VALID;
}

static uint64_t handler_of(uint64_t event)
{
	return HANDLER(event & SVM_EVENT_VECTOR_MASK);
}

/*
 * A software interrupt returns to NRIP, if the processor supports that (APM 15.20),
 * which is one instruction further than for the other events here.
 */
static uint64_t return_of(const struct machine *m, uint64_t event)
{
	return MACHINE_CODE + (is_soft(event) && m->info.out_svm_features &
							 SVM_FEATURE_NRIP_SAVE);
}

static void begin(struct machine *m, enum machine_mode mode)
{
	MACHINE_LOAD(m, mode, halt_thrice);
	tables_set(m, mode);
}

static void inject(struct machine *m, uint64_t event)
{
	m->vcpu.vmcb->control.eventinj = event;
	m->vcpu.vmcb->control.nrip = MACHINE_CODE + is_soft(event);
}

/*
 * Expect that the event is injected once, and that its handler returns correctly.
 */
static void expect_injected(struct __test_metadata *_metadata,
			    struct machine *m, enum machine_mode mode,
			    uint64_t event)
{
	const struct svm_vmcb *vmcb = m->vcpu.vmcb;
	struct svm_vmcb_save before = vmcb->save;
	struct frame frame;

	ASSERT_EXIT(VMEXIT_HLT, m);
	ASSERT_EQ(handler_of(event), vmcb->save.rip);
	EXPECT_EQ(0, vmcb->control.eventinj & SVM_EVENT_VALID);
	EXPECT_EQ(0, vmcb->control.exitintinfo & SVM_EVENT_VALID);
	frame = frame_read(m, mode, has_error(event));
	EXPECT_EQ(event >> SVM_EVENT_ERROR_CODE_SHIFT, frame.error);
	EXPECT_EQ(return_of(m, event), frame.rip);
	EXPECT_EQ(before.cs.selector, frame.cs);
	EXPECT_EQ(before.rsp, frame.sp);
	frame_return(m, mode, has_error(event));
	ASSERT_EXIT(VMEXIT_HLT, m);
	EXPECT_EQ(return_of(m, event), vmcb->save.rip);
	EXPECT_EQ(before.rsp, vmcb->save.rsp);
}

TEST_F(type, injected)
{
	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		begin(&self->m, variant->mode);
		inject(&self->m, events[i]);
		expect_injected(_metadata, &self->m, variant->mode, events[i]);
	}
}

TEST_F(type, injected_with_error_code)
{
	if (variant->mode == MODE_REAL)
		SKIP(return, "real mode has no error codes");
	for (size_t i = 0; i < ARRAY_SIZE(events_with_error); i++) {
		uint64_t event = events_with_error[i];

		begin(&self->m, variant->mode);
		VMCB->save.cr2 = 0x1234;
		inject(&self->m, event);
		expect_injected(_metadata, &self->m, variant->mode, event);
		EXPECT_EQ(0x1234, VMCB->save.cr2);
	}
}

/* An interrupt is injected regardless of IF, V_TPR and the interrupt shadow. */
TEST_F(type, injected_into_closed_guest)
{
	begin(&self->m, variant->mode);
	VMCB->control.vintr = SVM_VINTR_V_TPR_MASK & 15;
	VMCB->control.interrupt_shadow = SVM_SHADOW_INTERRUPT_SHADOW;
	inject(&self->m, EVENT_INTR(VECTOR_INT));
	expect_injected(_metadata, &self->m, variant->mode,
			EVENT_INTR(VECTOR_INT));
}

/* ---- illegal events ------------------------------------------------------ */

FIXTURE(illegal)
{
	struct machine m;
};

FIXTURE_VARIANT(illegal)
{
	uint64_t event;
};

FIXTURE_SETUP(illegal)
{
	ASSERT_EQ(0, machine_create(&self->m));
}

FIXTURE_TEARDOWN(illegal)
{
	machine_destroy(&self->m);
}

#define ILLEGAL(name, event_)                                                  \
	FIXTURE_VARIANT_ADD(illegal, name)                                     \
	{                                                                      \
		.event = (event_),                                             \
	}
#define EVENT_TYPE(type) (SVM_EVENT_VALID | (type) << 8 | VECTOR_INT)

ILLEGAL(type_1, EVENT_TYPE(1ull));
ILLEGAL(type_5, EVENT_TYPE(5ull));
ILLEGAL(type_6, EVENT_TYPE(6ull));
ILLEGAL(type_7, EVENT_TYPE(7ull));
ILLEGAL(nmi_as_exception, EVENT_EXCEPTION(2));
ILLEGAL(exception_32, EVENT_EXCEPTION(32));
ILLEGAL(exception_255, EVENT_EXCEPTION(255));

TEST_F(illegal, refused)
{
	struct svm_vmcb before;

	begin(&self->m, MODE_LONG);
	inject(&self->m, variant->event);
	before = *VMCB;
	ASSERT_EQ(0, machine_run(&self->m));
	if (VMCB->control.exitcode == VMEXIT_HLT)
		SKIP(return, "the processor accepts it");
	EXPECT_EQ(VMEXIT_INVALID, VMCB->control.exitcode);
	EXPECT_EQ(SVMRUN_INVALID_PROCESSOR, REGS->out_invalid_reason);
	EXPECT_EQ(variant->event, VMCB->control.eventinj);
	EXPECT_EQ(0, memcmp(&before.save, &VMCB->save, sizeof(before.save)));
	/* The next event is delivered. */
	inject(&self->m, EVENT_NMI);
	expect_injected(_metadata, &self->m, MODE_LONG, EVENT_NMI);
}

/* ---- delivery interrupted by an exit to the program (APM 15.7.2) --------- */

static const uint64_t cut_events[] = {
	EVENT_INTR(VECTOR_INT),
	EVENT_NMI,
	EVENT_EXCEPTION(VECTOR_UD),
	EVENT_EXCEPTION(VECTOR_DB),
};

#define LOSES_INTN "an INTn whose delivery faults is lost"

static uint64_t stack_page(enum machine_mode mode)
{
	return mode == MODE_REAL ? REAL_STACK_PAGE : STACK_PAGE;
}

/*
 * Normalize EXITINTINFO: the error code is only defined with an event that has one,
 * and the vector of an NMI is not.
 */
static uint64_t event_of(uint64_t exitintinfo)
{
	if ((exitintinfo & SVM_EVENT_TYPE_MASK) == SVM_EVENT_TYPE_NMI)
		return EVENT_NMI;
	return has_error(exitintinfo) ? exitintinfo : (uint32_t)exitintinfo;
}

/* Deliver while a page is missing that the delivery needs; then inject again. */
static void cut_and_inject(struct __test_metadata *_metadata, struct machine *m,
			   enum machine_mode mode, uint64_t event,
			   uint64_t page)
{
	struct svm_vmcb *vmcb = m->vcpu.vmcb;

	begin(m, mode);
	ASSERT_EQ(0, machine_unmap(m, page, PAGE));
	inject(m, event);
	ASSERT_EXIT(VMEXIT_NPF, m);
	EXPECT_EQ(page, vmcb->control.exitinfo2 & -PAGE);
	EXPECT_EQ(event, event_of(vmcb->control.exitintinfo));
	EXPECT_EQ(0, vmcb->control.eventinj & SVM_EVENT_VALID);
	EXPECT_EQ(MACHINE_CODE, vmcb->save.rip);
	ASSERT_EQ(0, machine_map_again(m, page));
	inject(m, vmcb->control.exitintinfo);
	expect_injected(_metadata, m, mode, event);
}

TEST_F(type, cut_at_idt)
{
	for (size_t i = 0; i < ARRAY_SIZE(cut_events); i++)
		cut_and_inject(_metadata, &self->m, variant->mode,
			       cut_events[i], TABLES_IDT);
}

TEST_F(type, cut_at_stack)
{
	for (size_t i = 0; i < ARRAY_SIZE(cut_events); i++)
		cut_and_inject(_metadata, &self->m, variant->mode,
			       cut_events[i], stack_page(variant->mode));
}

TEST_F(type, cut_at_gdt)
{
	if (variant->mode == MODE_REAL)
		SKIP(return, "real mode has no GDT");
	for (size_t i = 0; i < ARRAY_SIZE(cut_events); i++)
		cut_and_inject(_metadata, &self->m, variant->mode,
			       cut_events[i], TABLES_GDT);
}

TEST_F(type, cut_with_error_code)
{
	if (variant->mode == MODE_REAL)
		SKIP(return, "real mode has no error codes");
	for (size_t i = 0; i < ARRAY_SIZE(events_with_error); i++)
		cut_and_inject(_metadata, &self->m, variant->mode,
			       events_with_error[i], STACK_PAGE);
}

/* If only the handler's first instruction faults, the event has been delivered. */
static void fault_at_handler(struct __test_metadata *_metadata,
			     struct machine *m, enum machine_mode mode,
			     uint64_t event)
{
	struct svm_vmcb *vmcb = m->vcpu.vmcb;

	begin(m, mode);
	ASSERT_EQ(0, machine_unmap(m, TABLES_HANDLERS, PAGE));
	inject(m, event);
	ASSERT_EXIT(VMEXIT_NPF, m);
	EXPECT_EQ(handler_of(event), vmcb->control.exitinfo2);
	EXPECT_EQ(handler_of(event), vmcb->save.rip);
	EXPECT_EQ(0, vmcb->control.exitintinfo & SVM_EVENT_VALID);
	EXPECT_EQ(0, vmcb->control.eventinj & SVM_EVENT_VALID);
	ASSERT_EQ(0, machine_map_again(m, TABLES_HANDLERS));
}

TEST_F(type, not_cut_at_handler)
{
	for (size_t i = 0; i < ARRAY_SIZE(cut_events); i++)
		fault_at_handler(_metadata, &self->m, variant->mode,
				 cut_events[i]);
	fault_at_handler(_metadata, &self->m, variant->mode,
			 EVENT_SOFT(VECTOR_INT));
}

/* Deliver a vector beyond the limit of the IDT. */
static void cut_by_gp(struct __test_metadata *_metadata, struct machine *m,
		      enum machine_mode mode, uint64_t event)
{
	struct svm_vmcb *vmcb = m->vcpu.vmcb;

	begin(m, mode);
	vmcb->save.idtr.limit = 0;
	vmcb->control.intercept[2] = SVM_INTERCEPT2_EXCEPTION(VECTOR_GP);
	inject(m, event);
	ASSERT_EXIT(VMEXIT_EXCP(VECTOR_GP), m);
	EXPECT_EQ(event, event_of(vmcb->control.exitintinfo));
	EXPECT_EQ(MACHINE_CODE, vmcb->save.rip);
}

static void cut_by_gp_and_inject(struct __test_metadata *_metadata,
				 struct machine *m, enum machine_mode mode,
				 uint64_t event)
{
	struct svm_vmcb *vmcb = m->vcpu.vmcb;

	cut_by_gp(_metadata, m, mode, event);
	vmcb->save.idtr.limit = PAGE - 1;
	inject(m, vmcb->control.exitintinfo);
	expect_injected(_metadata, m, mode, event);
}

TEST_F(type, cut_by_general_protection)
{
	for (size_t i = 0; i < ARRAY_SIZE(cut_events); i++)
		cut_by_gp_and_inject(_metadata, &self->m, variant->mode,
				     cut_events[i]);
}

TEST_F(type, cut_software_interrupt)
{
	const uint64_t event = EVENT_SOFT(VECTOR_INT);

	if (tables_lose_soft(&self->m))
		SKIP(return, LOSES_INTN);
	cut_and_inject(_metadata, &self->m, variant->mode, event, TABLES_IDT);
	cut_and_inject(_metadata, &self->m, variant->mode, event,
		       stack_page(variant->mode));
	if (variant->mode != MODE_REAL)
		cut_and_inject(_metadata, &self->m, variant->mode, event,
			       TABLES_GDT);
	cut_by_gp_and_inject(_metadata, &self->m, variant->mode, event);
}

/* The error code contains the vector and IDT = 1; EXT is 0 for INTn (APM 8.4.1). */
TEST_F(type, cut_by_general_protection_error_code)
{
	if (variant->mode == MODE_REAL)
		SKIP(return, "real mode has no error codes");
	if (tables_lose_soft(&self->m))
		SKIP(return, LOSES_INTN);
	cut_by_gp(_metadata, &self->m, variant->mode, EVENT_SOFT(VECTOR_INT));
	if (variant->mode == MODE_LONG &&
	    VMCB->control.exitinfo1 == (VECTOR_INT << 4 | 2))
		SKIP(return, "the error code contains the gate's offset");
	EXPECT_EQ(VECTOR_INT << 3 | 2, VMCB->control.exitinfo1);
}

/*
 * Deliver while the guest's own page table does not map the IDT; then inject again.
 */
static void cut_by_pf_and_inject(struct __test_metadata *_metadata,
				 struct machine *m, uint64_t event)
{
	const uint64_t idt = 1ull << 32;
	const uint64_t vector = event & SVM_EVENT_VECTOR_MASK;
	struct svm_vmcb *vmcb = m->vcpu.vmcb;

	begin(m, MODE_LONG);
	vmcb->save.idtr.base = idt;
	vmcb->control.intercept[2] = SVM_INTERCEPT2_EXCEPTION(VECTOR_PF);
	inject(m, event);
	ASSERT_EXIT(VMEXIT_EXCP(VECTOR_PF), m);
	EXPECT_EQ(idt + vector * 16, vmcb->control.exitinfo2 & -16);
	EXPECT_EQ(event, event_of(vmcb->control.exitintinfo));
	vmcb->save.idtr.base = TABLES_IDT;
	inject(m, vmcb->control.exitintinfo);
	expect_injected(_metadata, m, MODE_LONG, event);
}

TEST_F(injection, cut_by_page_fault)
{
	for (size_t i = 0; i < ARRAY_SIZE(cut_events); i++)
		cut_by_pf_and_inject(_metadata, &self->m, cut_events[i]);
}

TEST_F(injection, software_interrupt_cut_by_page_fault)
{
	if (tables_lose_soft(&self->m))
		SKIP(return, LOSES_INTN);
	cut_by_pf_and_inject(_metadata, &self->m, EVENT_SOFT(VECTOR_INT));
}

/* ---- events that the guest raises, interrupted --------------------------- */

FIXTURE(raised)
{
	struct machine m;
};

FIXTURE_VARIANT(raised)
{
	const char *code, *code_end;
	uint64_t event;
	bool optional;
};

FIXTURE_SETUP(raised)
{
	ASSERT_EQ(0, machine_create(&self->m));
}

FIXTURE_TEARDOWN(raised)
{
	machine_destroy(&self->m);
}

/* Raised by a guest in protected mode */
#define RAISED(name, text, event_, ...)                                        \
	GUEST(name##_raised, 32, text);                                        \
	FIXTURE_VARIANT_ADD(raised, name)                                      \
	{                                                                      \
		.code = name##_raised, .code_end = name##_raised_end,          \
		.event = (event_), __VA_ARGS__                                 \
	}

RAISED(intn, "int $0x21", EVENT_SOFT(VECTOR_INT));
RAISED(int3, "int3", EVENT_EXCEPTION(VECTOR_BP), .optional = true);
RAISED(into, "into", EVENT_EXCEPTION(VECTOR_OF), .optional = true);
RAISED(ud, "ud2", EVENT_EXCEPTION(VECTOR_UD));
RAISED(gp, "mov %ebx, %ds", EVENT_ERROR(VECTOR_GP, 0xfff8));

TEST_F(raised, cut_at_stack)
{
	machine_load(&self->m, MODE_PROTECTED, variant->code,
		     variant->code_end);
	tables_set(&self->m, MODE_PROTECTED);
	VMCB->save.rflags |= RFLAGS_OF;
	REGS->rbx = 0xfff8;
	ASSERT_EQ(0, machine_unmap(&self->m, STACK_PAGE, PAGE));
	ASSERT_EXIT(VMEXIT_NPF, &self->m);
	EXPECT_EQ(STACK_PAGE, VMCB->control.exitinfo2 & -PAGE);
	EXPECT_EQ(MACHINE_CODE, VMCB->save.rip);
	EXPECT_NE(0, VMCB->control.exitintinfo & SVM_EVENT_VALID);
	if (variant->optional && is_soft(VMCB->control.exitintinfo))
		SKIP(return, "the processor reports it as INTn");
	EXPECT_EQ(variant->event, event_of(VMCB->control.exitintinfo));
}

TEST_HARNESS_MAIN
