/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine for tests: a VM with a little memory and one vCPU, set up with
 * libsvmrun, and a few instructions for it to run. The calls under test are made by
 * call(), without the library.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <svmrun.h>

#include "cpus.h"

/*
 * The time limits of tests are meant for one level of emulation. Where an emulator
 * runs in another, $PATIENCE is the factor to multiply them by.
 */
static inline unsigned int patience(void)
{
	const char *times = getenv("PATIENCE");

	return times ? atoi(times) : 1;
}

/*
 * Where even that takes too long, the longest tests carry out one in $ONE_IN of their
 * rounds.
 */
static inline unsigned int one_in(void)
{
	const char *divisor = getenv("ONE_IN");

	return divisor ? atoi(divisor) : 1;
}

/* Return the number of rounds of a long test, at least 1. */
static inline int rounds(unsigned int all)
{
	return all > one_in() ? all / one_in() : 1;
}

static inline unsigned int patient_alarm(unsigned int seconds)
{
	return alarm(seconds * patience());
}

#define alarm(seconds) patient_alarm(seconds)
#include "kselftest_harness.h"
#undef alarm

#define PAGE 4096ul

/* Layout of a machine's memory, which begins at 0 */
#define MACHINE_CODE 0x8000ul
#define MACHINE_DATA 0xa000ul
#define MACHINE_TABLES 0x10000ul
#define MACHINE_STACK 0x20000ul /* top of the stack */
#define MACHINE_SIZE 0x40000ul

/* All permissions that a mapping can have */
#define MAP_ALL (SVMRUN_MAP_READ | SVMRUN_MAP_WRITE | SVMRUN_MAP_EXEC)

/**
 * GUEST() - a guest's instructions, from NAME to NAME_end
 * @name: C identifier
 * @bits: 16, 32 or 64
 * @text: assembly; guests are loaded and run at MACHINE_CODE
 */
#define GUEST(name, bits, text)                                                \
	asm(".pushsection .rodata\n"                                           \
	    ".code" #bits "\n" #name ":\n" text "\n" #name "_end:\n"           \
	    ".code64\n"                                                        \
	    ".popsection\n");                                                  \
	extern const char name[] asm(#name);                                   \
	extern const char name##_end[] asm(#name "_end")

/* Declare a label within a guest, for use in C. */
#define GUEST_LABEL(name) extern const char name[] asm(#name)

enum machine_mode { MODE_REAL, MODE_PROTECTED, MODE_LONG };

struct machine {
	int device;
	struct svmrun_info info;
	struct svmrun_vm vm;
	struct svmrun_memory memory;
	struct svmrun_vcpu vcpu;
};

/* Call ioctl(); return its result or a negative errno. */
static inline int call(int fd, unsigned long request, const void *argument)
{
	int result = ioctl(fd, request, argument);

	return result < 0 ? -errno : result;
}

static inline int machine_run(struct machine *m)
{
	return call(m->vcpu.fd, SVMRUN_RUN, NULL);
}

static inline int machine_map(struct machine *m, uint64_t gpa, const void *hva,
			      uint64_t length, uint32_t flags)
{
	struct svmrun_map map = {
		.size = sizeof(map),
		.flags = flags,
		.gpa = gpa,
		.hva = (uintptr_t)hva,
		.length = length,
	};

	return call(m->vm.fd, SVMRUN_MAP, &map);
}

static inline int machine_unmap(struct machine *m, uint64_t gpa,
				uint64_t length)
{
	struct svmrun_unmap unmap = {
		.size = sizeof(unmap),
		.gpa = gpa,
		.length = length,
	};

	return call(m->vm.fd, SVMRUN_UNMAP, &unmap);
}

/* Map memory at @gpa again, after machine_unmap() has removed it. */
static inline int machine_map_again(struct machine *m, uint64_t gpa)
{
	return machine_map(m, gpa, svmrun_memory_at(&m->memory, gpa, PAGE),
			   PAGE, MAP_ALL);
}

/*
 * Make the guest's next access to a page fault, without changing its permissions.
 */
static inline int machine_forget(struct machine *m, uint64_t gpa)
{
	void *page = svmrun_memory_at(&m->memory, gpa & -PAGE, PAGE);

	if (mprotect(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) ||
	    mprotect(page, PAGE, PROT_READ | PROT_WRITE))
		return -errno;
	return 0;
}

static inline int device_open(void)
{
	int fd = open(SVMRUN_DEVICE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static inline int vm_create(int device)
{
	struct svmrun_create_vm create = { .size = sizeof(create) };

	return call(device, SVMRUN_CREATE_VM, &create);
}

static inline int vcpu_create(int vm)
{
	struct svmrun_create_vcpu create = { .size = sizeof(create) };

	return call(vm, SVMRUN_CREATE_VCPU, &create);
}

static inline int machine_create(struct machine *m)
{
	int err;

	m->device = svmrun_device_open(NULL);
	if (m->device < 0)
		return m->device;
	err = svmrun_device_info(m->device, &m->info, sizeof(m->info));
	if (!err)
		err = svmrun_vm_create(&m->vm, m->device);
	if (!err)
		err = svmrun_memory_create(&m->memory, &m->vm, 0, MACHINE_SIZE);
	if (!err)
		err = svmrun_vcpu_create(&m->vcpu, &m->vm);
	return err;
}

static inline void machine_destroy(struct machine *m)
{
	svmrun_vcpu_destroy(&m->vcpu);
	svmrun_memory_destroy(&m->memory);
	svmrun_vm_destroy(&m->vm);
	close(m->device);
}

static inline void *machine_at(struct machine *m, uint64_t gpa)
{
	return svmrun_memory_at(&m->memory, gpa, 1);
}

/* Set a vCPU's state to run the machine's code from its beginning. */
static inline int vcpu_begin(struct machine *m, struct svmrun_vcpu *vcpu,
			     enum machine_mode mode)
{
	switch (mode) {
	case MODE_REAL:
		svmrun_mode_real(vcpu, 0, MACHINE_CODE);
		return 0;
	case MODE_PROTECTED:
		svmrun_mode_protected(vcpu, MACHINE_CODE, MACHINE_STACK);
		return 0;
	case MODE_LONG:
		return svmrun_mode_long(vcpu, &m->memory, MACHINE_TABLES,
					MACHINE_CODE, MACHINE_STACK);
	}
	return -EINVAL;
}

static inline int machine_load(struct machine *m, enum machine_mode mode,
			       const char *code, const char *code_end)
{
	memcpy(machine_at(m, MACHINE_CODE), code, code_end - code);
	return vcpu_begin(m, &m->vcpu, mode);
}

#define MACHINE_LOAD(m, mode, guest) machine_load(m, mode, guest, guest##_end)

/* RUN must return 0, with this exit code. */
#define ASSERT_EXIT(code, m)                                                   \
	do {                                                                   \
		ASSERT_EQ(0, machine_run(m));                                  \
		ASSERT_EQ((code), (m)->vcpu.vmcb->control.exitcode);           \
	} while (0)

/*
 * SKIP() for FIXTURE_SETUP, where the harness of Linux 6.1 would run the test after
 * a return. The process of a skipped test exits with 255 there, and with KSFT_SKIP
 * in later harnesses, which define XFAIL_ADD().
 */
#ifdef XFAIL_ADD
#define SKIP_SETUP(...) SKIP(_exit(KSFT_SKIP), __VA_ARGS__)
#else
#define SKIP_SETUP(...) SKIP(_exit(255), __VA_ARGS__)
#endif

/**
 * MACHINE_FIXTURE() - a fixture with a machine
 * @name: the fixture's name; its tests use self->m
 */
#define MACHINE_FIXTURE(name)                                                    \
	FIXTURE(name)                                                            \
	{                                                                        \
		struct machine m;                                                \
	};                                                                       \
	FIXTURE_SETUP(name)                                                      \
	{                                                                        \
		ASSERT_EQ(0, machine_create(&self->m))                           \
		{                                                                \
			TH_LOG("cannot create a machine; is svmrun.ko loaded?"); \
		}                                                                \
	}                                                                        \
	FIXTURE_TEARDOWN(name)                                                   \
	{                                                                        \
		machine_destroy(&self->m);                                       \
	}

#define MODE_VARIANT(fixture, name, mode_)                                     \
	FIXTURE_VARIANT_ADD(fixture, name)                                     \
	{                                                                      \
		.mode = (mode_),                                               \
	}

/**
 * MODE_FIXTURE() - a fixture with a machine, and one variant per mode
 * @name: the fixture's name; its tests use self->m and variant->mode
 */
#define MODE_FIXTURE(name)                                                     \
	FIXTURE(name)                                                          \
	{                                                                      \
		struct machine m;                                              \
	};                                                                     \
	FIXTURE_VARIANT(name)                                                  \
	{                                                                      \
		enum machine_mode mode;                                        \
	};                                                                     \
	MODE_VARIANT(name, real, MODE_REAL);                                   \
	MODE_VARIANT(name, protected, MODE_PROTECTED);                         \
	MODE_VARIANT(name, long, MODE_LONG);                                   \
	FIXTURE_SETUP(name)                                                    \
	{                                                                      \
		ASSERT_EQ(0, machine_create(&self->m));                        \
	}                                                                      \
	FIXTURE_TEARDOWN(name)                                                 \
	{                                                                      \
		machine_destroy(&self->m);                                     \
	}

#endif /* MACHINE_H */
