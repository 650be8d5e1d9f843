// SPDX-License-Identifier: GPL-2.0
#include "racer.h"

#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#include "xorshift.h"
#include "guest.h"
#include "mercy.h"

/*
 * Nanoseconds between bursts. If the emulator runs its processors in turn, waking
 * up interrupts the other thread at a random point.
 */
#define NAP 10000
#define BURST 64

/* Parts of the VMCB that the manual defines */
#define CONTROL_SIZE 0x128
#define STATE offsetof(struct svm_vmcb, save)
#define STATE_SIZE 0x298
#define EXIT_CODE offsetof(struct svm_vmcb, control.exitcode)

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

static uint32_t below(struct racer *racer, uint32_t limit)
{
	return xorshift_below(&racer->random, limit);
}

/* Atomically, so that a write of the kernel to the other bits is not undone */
static void toggle(uint8_t *byte, uint8_t bit)
{
	__atomic_fetch_xor(byte, bit, __ATOMIC_SEQ_CST);
}

/* Flip a bit, permanently or for a moment in which the other thread may see it. */
static void strike_byte(struct racer *racer, uint8_t *byte, uint8_t spared)
{
	uint8_t bit = (1u << below(racer, 8)) & ~spared;

	toggle(byte, bit);
	if (!below(racer, 2))
		return;
	for (uint32_t n = below(racer, 4); n; n--)
		__builtin_ia32_pause();
	toggle(byte, bit);
}

/* Change a byte of the vCPU's pages. */
static void strike_vcpu(struct racer *racer, uint32_t from, uint32_t size)
{
	const struct subject *subject = racer->subject;
	uint32_t offset = from + below(racer, size);

	/* RUN writes this field, and the fuzzer reads it to find out the result. */
	if (offset - EXIT_CODE < sizeof(uint64_t))
		return;
	strike_byte(racer, (uint8_t *)subject->vcpu.vmcb + offset,
		    subject->no_mercy ? 0 : mercy_bits(offset));
}

static void strike_control(struct racer *racer)
{
	strike_vcpu(racer, SVMRUN_VCPU_VMCB, CONTROL_SIZE);
}

static void strike_state(struct racer *racer)
{
	strike_vcpu(racer, SVMRUN_VCPU_VMCB + STATE, STATE_SIZE);
}

static void strike_registers(struct racer *racer)
{
	strike_vcpu(racer, SVMRUN_VCPU_REGISTERS,
		    sizeof(struct svmrun_registers));
}

/* The parts with MSRs that a guest may access */
static void strike_msrpm(struct racer *racer)
{
	strike_vcpu(racer, SVMRUN_VCPU_MSRPM, 0xa0);
	strike_vcpu(racer, SVMRUN_VCPU_MSRPM + 0x800, 0x50);
}

static void strike_xsave(struct racer *racer)
{
	strike_vcpu(racer, SVMRUN_VCPU_XSAVE, racer->subject->vcpu.xsave_size);
}

static void strike_guest(struct racer *racer, uint32_t gpa)
{
	const struct subject *subject = racer->subject;
	uint8_t *byte = subject->memory + gpa;

	/* Without permissions, this program cannot access the page either. */
	if (byte - gpa % GUEST_PAGE != subject->protected)
		strike_byte(racer, byte, 0);
}

static void strike_code(struct racer *racer)
{
	strike_guest(racer, GUEST_CODE + below(racer, GUEST_CODE_SIZE));
}

static void strike_memory(struct racer *racer)
{
	strike_guest(racer, below(racer, GUEST_SIZE));
}

static void strike_tables(struct racer *racer)
{
	strike_guest(racer,
		     GUEST_TABLES +
			     below(racer, GUEST_TABLE_PAGES) * GUEST_PAGE +
			     below(racer, 8 * GUEST_PAGES));
}

static void strike_page(struct racer *racer)
{
	uint8_t *memory = racer->subject->memory;

	if (!below(racer, 8))
		madvise(memory + below(racer, GUEST_PAGES) * GUEST_PAGE,
			GUEST_PAGE, MADV_DONTNEED);
}

static void strike_kick(struct racer *racer)
{
	if (!below(racer, 8))
		svmrun_vcpu_kick(&racer->subject->vcpu);
}

static void burst(struct racer *racer)
{
	static void (*const strikes[])(struct racer *) = {
		strike_control, strike_state,  strike_state, strike_registers,
		strike_msrpm,	strike_xsave,  strike_code,  strike_memory,
		strike_page,	strike_tables, strike_kick,
	};

	for (uint32_t n = below(racer, BURST); n && racer->racing; n--) {
		strikes[below(racer, ARRAY_SIZE(strikes))](racer);
		racer->strikes++;
	}
}

static void *race(void *argument)
{
	const struct timespec nap = { .tv_nsec = NAP };
	struct racer *racer = argument;

	prctl(PR_SET_TIMERSLACK, 1);
	while (!racer->over) {
		pthread_mutex_lock(&racer->lock);
		burst(racer);
		pthread_mutex_unlock(&racer->lock);
		nanosleep(&nap, NULL);
	}
	return NULL;
}

void racer_begin(struct racer *racer)
{
	racer->racing = true;
}

void racer_end(struct racer *racer)
{
	racer->racing = false;
	pthread_mutex_lock(&racer->lock);
	pthread_mutex_unlock(&racer->lock);
}

/* Start the thread; signals are delivered to the other thread only. */
int racer_start(struct racer *racer, struct subject *subject, uint64_t seed)
{
	sigset_t all, before;
	int err;

	*racer = (struct racer){
		.subject = subject,
		.random = seed | 1,
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	err = pthread_create(&racer->thread, NULL, race, racer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -err;
}

void racer_stop(struct racer *racer)
{
	racer->over = true;
	pthread_join(racer->thread, NULL);
}
