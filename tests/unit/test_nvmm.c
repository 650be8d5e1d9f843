// SPDX-License-Identifier: GPL-2.0
/* libnvmm without a vCPU of the kernel: events that wait, and memory */
#include <check.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/x86.h"
#include "nvmm/events.h"
#include "suites.h"
#include "vcpu_pages.h"

#define INTERRUPT(vector) (SVM_EVENT_VALID | SVM_EVENT_TYPE_INTR | (vector))
#define EXCEPTION(vector)                                                      \
	(SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION | (vector))
#define NMI (SVM_EVENT_VALID | SVM_EVENT_TYPE_NMI | VECTOR_NMI)

static struct vcpu_pages pages;
static struct nvmm_vcpu_private vcpu;
static struct svm_vmcb_control *const control = &pages.vmcb.control;

static void setup(void)
{
	memset(&vcpu, 0, sizeof(vcpu));
	vcpu.cpu = vcpu_pages_fill(&pages);
	svmrun_mode_reset(&vcpu.cpu);
	pages.vmcb.save.rflags |= RFLAGS_IF;
}

/* Enter the guest, which takes the event. */
static uint64_t enter(void)
{
	uint64_t event;

	events_enter(&vcpu);
	event = control->eventinj;
	control->eventinj = 0;
	return event;
}

static bool has_window(void)
{
	return (control->vintr & SVM_VINTR_V_IRQ) &&
	       (control->intercept[3] & SVM_INTERCEPT3_VINTR);
}

START_TEST(interrupt_waits_for_exception)
{
	events_inject(&vcpu, EXCEPTION(VECTOR_UD));
	events_inject(&vcpu, INTERRUPT(0x30));
	ck_assert_uint_eq(enter(), EXCEPTION(VECTOR_UD));
	ck_assert(has_window());
	ck_assert_uint_eq(enter(), INTERRUPT(0x30));
	ck_assert(!has_window());
	ck_assert_uint_eq(enter(), 0);
}
END_TEST

START_TEST(exception_precedes_interrupt)
{
	events_inject(&vcpu, INTERRUPT(0x30));
	events_inject(&vcpu, EXCEPTION(VECTOR_UD));
	ck_assert_uint_eq(enter(), EXCEPTION(VECTOR_UD));
	ck_assert_uint_eq(enter(), INTERRUPT(0x30));
}
END_TEST

START_TEST(highest_vector_is_first)
{
	events_inject(&vcpu, EXCEPTION(VECTOR_UD));
	events_inject(&vcpu, INTERRUPT(0x30));
	events_inject(&vcpu, INTERRUPT(0xf1));
	events_inject(&vcpu, INTERRUPT(0x31));
	enter();
	ck_assert_uint_eq(enter(), INTERRUPT(0xf1));
	ck_assert_uint_eq(enter(), INTERRUPT(0x31));
	ck_assert_uint_eq(enter(), INTERRUPT(0x30));
}
END_TEST

START_TEST(waiting_interrupt_is_masked)
{
	events_inject(&vcpu, EXCEPTION(VECTOR_UD));
	events_inject(&vcpu, INTERRUPT(0x30));
	enter();
	pages.vmcb.save.rflags &= ~RFLAGS_IF;
	ck_assert_uint_eq(enter(), 0);
	ck_assert(has_window());
	ck_assert(!events_pending(&vcpu));
	pages.vmcb.save.rflags |= RFLAGS_IF;
	control->interrupt_shadow = SVM_SHADOW_INTERRUPT_SHADOW;
	ck_assert_uint_eq(enter(), 0);
	control->interrupt_shadow = 0;
	ck_assert(events_pending(&vcpu));
	ck_assert_uint_eq(enter(), INTERRUPT(0x30));
}
END_TEST

START_TEST(nmi_waits)
{
	events_inject(&vcpu, EXCEPTION(VECTOR_UD));
	events_inject(&vcpu, NMI);
	events_inject(&vcpu, INTERRUPT(0x30));
	enter();
	ck_assert_uint_eq(enter(), NMI);
	ck_assert(vcpu.nmi_window);
	ck_assert(control->intercept[3] & SVM_INTERCEPT3_IRET);
	ck_assert_uint_eq(enter(), INTERRUPT(0x30));
}
END_TEST

/* An exception that an exit's handler raises precedes the event that the exit interrupted. */
START_TEST(interrupted_event)
{
	control->exitintinfo = INTERRUPT(0x30);
	events_inject(&vcpu, EXCEPTION(VECTOR_GP));
	events_reinject(&vcpu);
	ck_assert_uint_eq(control->exitintinfo, 0);
	ck_assert_uint_eq(enter(), EXCEPTION(VECTOR_GP));
	ck_assert_uint_eq(enter(), INTERRUPT(0x30));
}
END_TEST

START_TEST(interrupted_exception_is_dropped)
{
	control->exitintinfo = EXCEPTION(VECTOR_UD);
	events_inject(&vcpu, EXCEPTION(VECTOR_PF));
	events_reinject(&vcpu);
	ck_assert_uint_eq(enter(), EXCEPTION(VECTOR_PF));
	ck_assert_uint_eq(enter(), 0);
}
END_TEST

START_TEST(view_outlives_memory)
{
	struct memory memory;
	struct view *view;

	ck_assert_int_eq(memory_init(&memory), 0);
	view = memory_view_get(&memory);
	ck_assert_uint_eq(view->count, 0);
	ck_assert_uint_eq(view->references, 2);
	memory_view_put(&memory, view);
	ck_assert_uint_eq(view->references, 1);
	memory_destroy(&memory);
}
END_TEST

Suite *nvmm_suite(void)
{
	Suite *suite = suite_create("nvmm");
	TCase *tcase = tcase_create("events");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, interrupt_waits_for_exception);
	tcase_add_test(tcase, exception_precedes_interrupt);
	tcase_add_test(tcase, highest_vector_is_first);
	tcase_add_test(tcase, waiting_interrupt_is_masked);
	tcase_add_test(tcase, nmi_waits);
	tcase_add_test(tcase, interrupted_event);
	tcase_add_test(tcase, interrupted_exception_is_dropped);
	tcase_add_test(tcase, view_outlives_memory);
	suite_add_tcase(suite, tcase);
	return suite;
}
