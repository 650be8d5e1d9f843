// SPDX-License-Identifier: GPL-2.0
/*
 * event_resume() and event_reflect(): an event whose delivery an exit interrupted
 * (EXITINTINFO, APM 15.7.2) is neither lost nor delivered twice, and exceptions that
 * only the module intercepts are injected into the guest.
 */
#include "suites.h"

#include <linux/svmrun_policy.h>

#include "../../module/event.h"

#define RIP 0x1000
#define NRIP 0x1002

#define EVENT(type, vector) (SVM_EVENT_VALID | SVM_EVENT_TYPE_##type | (vector))
#define BP EVENT(EXCEPTION, 3)
#define OF EVENT(EXCEPTION, 4)
#define PF                                                                     \
	(EVENT(EXCEPTION, 14) | SVM_EVENT_ERROR_CODE_VALID |                   \
	 5ull << SVM_EVENT_ERROR_CODE_SHIFT)

/* A guest that was entered at RIP with @injected in EVENTINJ, and exited at @rip */
static struct svm_vmcb left(struct event_injection *injection, u64 injected,
			    u64 rip, u64 interrupted)
{
	struct svm_vmcb hw = {
		.control.eventinj = injected,
		.control.nrip = NRIP,
		.save.rip = RIP,
	};

	event_note(injection, &hw);
	hw.control.eventinj = 0; /* as #VMEXIT does */
	hw.control.nrip = 0;
	hw.control.exitintinfo = interrupted;
	hw.save.rip = rip;
	return hw;
}

static struct svm_vmcb resumed(u64 injected, u64 rip, u64 interrupted)
{
	struct event_injection injection;
	struct svm_vmcb hw = left(&injection, injected, rip, interrupted);

	event_resume(&hw, &injection);
	ck_assert_uint_eq(hw.control.exitintinfo, 0);
	return hw;
}

static u64 resumed_event(u64 injected, u64 rip, u64 interrupted)
{
	return resumed(injected, rip, interrupted).control.eventinj;
}

START_TEST(nothing_interrupted)
{
	ck_assert_uint_eq(resumed_event(0, RIP, 0), 0);
	/* The injected event has been delivered. */
	ck_assert_uint_eq(resumed_event(EVENT(INTR, 0x30), RIP, 0), 0);
	/* EXITINTINFO without its valid bit */
	ck_assert_uint_eq(resumed_event(0, RIP, 0x330), 0);
}
END_TEST

START_TEST(what_comes_from_outside_is_delivered)
{
	static const u64 events[] = { EVENT(INTR, 0x30), EVENT(NMI, 2),
				      EVENT(EXCEPTION, 0), PF };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(events); i++) {
		ck_assert_uint_eq(resumed_event(0, RIP + 9, events[i]),
				  events[i]);
		ck_assert_uint_eq(resumed_event(events[i], RIP, events[i]),
				  events[i]);
	}
}
END_TEST

static const u64 software[] = { EVENT(SOFT_INTERRUPT, 0x80), BP, OF };

START_TEST(instructions_raise_theirs_again)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(software); i++) {
		ck_assert_uint_eq(resumed_event(0, RIP, software[i]), 0);
		/* after another event was injected and delivered */
		ck_assert_uint_eq(resumed_event(EVENT(SOFT_INTERRUPT, 0x81),
						RIP, software[i]),
				  0);
		/* after the same event was delivered, and the guest went on */
		ck_assert_uint_eq(resumed_event(software[i], RIP + 2,
						software[i]),
				  0);
	}
}
END_TEST

START_TEST(injected_software_events_are_injected_again)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(software); i++) {
		struct svm_vmcb hw = resumed(software[i], RIP, software[i]);

		ck_assert_uint_eq(hw.control.eventinj, software[i]);
		/* With NRIP save, NRIP is the return address (APM 15.20). */
		ck_assert_uint_eq(hw.control.nrip, NRIP);
	}
}
END_TEST

static struct svm_vmcb raised(unsigned int vector, u64 interrupted)
{
	return (struct svm_vmcb){
		.control.exitcode = VMEXIT_EXCP(vector),
		.control.exitintinfo = interrupted,
		.control.clean = SVM_CLEAN_ALL,
		.save.rflags = 2,
		.save.dr7 = 0x2400,
	};
}

START_TEST(only_what_is_forced_is_reflected)
{
	unsigned int vector;

	for (vector = 0; vector < 32; vector++) {
		struct svm_vmcb hw = raised(vector, 0), before = hw;
		bool reflected = event_reflect(&hw, 0);

		ck_assert_int_eq(reflected, vector == 1 || vector == 17);
		if (!reflected)
			ck_assert_mem_eq(&hw, &before, sizeof(hw));
	}
}
END_TEST

START_TEST(requested_intercepts_exit_to_the_program)
{
	struct svm_vmcb hw = raised(EXCEPTION_DB, 0);

	ck_assert(!event_reflect(&hw, SVM_INTERCEPT2_EXCEPTION(EXCEPTION_DB)));
	ck_assert(event_reflect(&hw, SVM_INTERCEPT2_EXCEPTION(EXCEPTION_AC)));
}
END_TEST

/* DR7.GD is cleared, as when the processor enters the handler. */
START_TEST(debug_exception)
{
	struct svm_vmcb hw = raised(EXCEPTION_DB, 0);

	ck_assert(event_reflect(&hw, 0));
	ck_assert_uint_eq(hw.control.eventinj, EVENT(EXCEPTION, 1));
	ck_assert_uint_eq(hw.save.dr7, 0x400);
	ck_assert_uint_eq(hw.save.rflags, 2);
	ck_assert_uint_eq(hw.control.clean, SVM_CLEAN_ALL & ~SVM_CLEAN_DRx);
}
END_TEST

START_TEST(alignment_check)
{
	struct svm_vmcb hw = raised(EXCEPTION_AC, 0);

	ck_assert(event_reflect(&hw, 0));
	ck_assert_uint_eq(hw.control.eventinj,
			  EVENT(EXCEPTION, 17) | SVM_EVENT_ERROR_CODE_VALID);
	ck_assert_uint_eq(hw.save.rflags, 0x10002);
	ck_assert_uint_eq(hw.save.dr7, 0x2400);
	ck_assert_uint_eq(hw.control.clean, SVM_CLEAN_ALL);
}
END_TEST

START_TEST(no_interrupt_is_lost_to_an_exception)
{
	struct svm_vmcb hw = raised(EXCEPTION_AC, EVENT(INTR, 0x30));

	ck_assert(!event_reflect(&hw, 0));
	hw = raised(EXCEPTION_AC, EVENT(NMI, 2));
	ck_assert(!event_reflect(&hw, 0));
	/* An interrupted exception may be dropped: the guest raises it again. */
	hw = raised(EXCEPTION_AC, PF);
	ck_assert(event_reflect(&hw, 0));
	ck_assert_uint_eq(hw.control.exitintinfo, 0);
}
END_TEST

Suite *event_suite(void)
{
	static const TTest **const tests[] = {
		&nothing_interrupted,
		&what_comes_from_outside_is_delivered,
		&instructions_raise_theirs_again,
		&injected_software_events_are_injected_again,
		&only_what_is_forced_is_reflected,
		&requested_intercepts_exit_to_the_program,
		&debug_exception,
		&alignment_check,
		&no_interrupt_is_lost_to_an_exception,
	};

	return suite_of("event", tests, ARRAY_SIZE(tests));
}
