// SPDX-License-Identifier: GPL-2.0
/* libnvmm: KVM's clock */
#include <time.h>

#include "guest.h"
#include "pvclock.h"

#define TIME 0x4000 /* where the guest has its page */
#define ROM 0x300000
#define FILLED 0xa5
#define SECOND 1000000000ull

/* Clocks of the host may differ by so much in the time of a test. */
#define TOLERANCE 10000000

/* The machine is created between @before and @after, of CLOCK_REALTIME. */
FIXTURE(clock)
{
	struct guest g;
	struct pvclock_page *page;
	uint64_t before;
	uint64_t after;
};

static uint64_t host_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

static uint64_t guest_cpuid(struct guest *guest, uint32_t leaf)
{
	LOAD(guest, 0x0f, 0xa2 /* cpuid */, 0xf4);
	guest_set_gpr(guest, NVMM_X64_GPR_RAX, leaf);
	return guest_run(guest);
}

static uint64_t write_msr(struct guest *guest, uint32_t msr, uint64_t value)
{
	LOAD(guest, 0x0f, 0x30 /* wrmsr */, 0xf4);
	guest_set_gpr(guest, NVMM_X64_GPR_RCX, msr);
	guest_set_gpr(guest, NVMM_X64_GPR_RAX, (uint32_t)value);
	guest_set_gpr(guest, NVMM_X64_GPR_RDX, value >> 32);
	return guest_run(guest);
}

/* Return the value, or all bits set if the exit is not that of the HLT after RDMSR. */
static uint64_t read_msr(struct guest *guest, uint32_t msr)
{
	LOAD(guest, 0x0f, 0x32 /* rdmsr */, 0xf4);
	guest_set_gpr(guest, NVMM_X64_GPR_RCX, msr);
	if (guest_run(guest) != NVMM_VCPU_EXIT_HALTED)
		return ~0ull;
	return guest_gpr(guest, NVMM_X64_GPR_RDX) << 32 |
	       (uint32_t)guest_gpr(guest, NVMM_X64_GPR_RAX);
}

static uint64_t guest_tsc(struct guest *guest)
{
	return guest_get(guest, NVMM_X64_STATE_MSRS)->msrs[NVMM_X64_MSR_TSC];
}

static void set_tsc(struct guest *guest, uint64_t value)
{
	guest_get(guest, NVMM_X64_STATE_MSRS)->msrs[NVMM_X64_MSR_TSC] = value;
	if (guest_set(guest, NVMM_X64_STATE_MSRS))
		abort();
}

/* The guest's clock now, as it converts its TSC */
static uint64_t guest_time(struct guest *guest, const struct pvclock_page *page)
{
	return page->time + pvclock_nanoseconds(guest_tsc(guest) - page->tsc,
						page->multiplier, page->shift);
}

FIXTURE_SETUP(clock)
{
	self->before = host_time();
	ASSERT_EQ(0, guest_create(&self->g));
	self->after = host_time();
	self->page = (struct pvclock_page *)(self->g.memory + TIME);
}

FIXTURE_TEARDOWN(clock)
{
	guest_destroy(&self->g);
}

/* Return the bit of CPUID that says that the pages of all vCPUs have the same reference. */
static unsigned int is_stable(struct guest *guest)
{
	if (guest_cpuid(guest, 0x40000101) != NVMM_VCPU_EXIT_HALTED)
		abort();
	return guest_gpr(guest, NVMM_X64_GPR_RAX) >> 24 & 1;
}

TEST_F(clock, is_offered)
{
	ASSERT_EQ(NVMM_VCPU_EXIT_HALTED, guest_cpuid(&self->g, 0x40000100));
	EXPECT_EQ(0x4b4d564b /* KVMK */, guest_gpr(&self->g, NVMM_X64_GPR_RBX));
	ASSERT_EQ(NVMM_VCPU_EXIT_HALTED, guest_cpuid(&self->g, 0x40000101));
	EXPECT_EQ(1 << 3, guest_gpr(&self->g, NVMM_X64_GPR_RAX) & 1 << 3);
}

static void expect_time(struct __test_metadata *_metadata,
			FIXTURE_DATA(clock) * self)
{
	struct guest *guest = &self->g;
	uint64_t least = host_time() - self->after;
	uint64_t time = guest_time(guest, self->page);
	uint64_t most = host_time() - self->before;

	EXPECT_EQ(0, self->page->version % 2);
	EXPECT_EQ(is_stable(guest), self->page->flags);
	EXPECT_LE(least, time + TOLERANCE);
	EXPECT_GE(most + TOLERANCE, time);
}

TEST_F(clock, time_since_the_machine_was_created)
{
	ASSERT_EQ(NVMM_VCPU_EXIT_HALTED,
		  write_msr(&self->g, PVCLOCK_SYSTEM_TIME,
			    TIME | PVCLOCK_ENABLED));
	EXPECT_EQ(TIME | PVCLOCK_ENABLED,
		  read_msr(&self->g, PVCLOCK_SYSTEM_TIME));
	expect_time(_metadata, self);
}

TEST_F(clock, follows_a_write_to_the_tsc)
{
	ASSERT_EQ(NVMM_VCPU_EXIT_HALTED,
		  write_msr(&self->g, PVCLOCK_SYSTEM_TIME,
			    TIME | PVCLOCK_ENABLED));
	ASSERT_EQ(NVMM_VCPU_EXIT_HALTED, write_msr(&self->g, 0x10, 1ull << 60));
	EXPECT_LE(1ull << 60, guest_tsc(&self->g));
	expect_time(_metadata, self);
}

/* The program resets the guest, and its memory is another kernel's. */
TEST_F(clock, page_is_forgotten_when_the_program_sets_the_tsc)
{
	ASSERT_EQ(NVMM_VCPU_EXIT_HALTED,
		  write_msr(&self->g, PVCLOCK_SYSTEM_TIME,
			    TIME | PVCLOCK_ENABLED));
	memset(self->page, FILLED, sizeof(*self->page));
	set_tsc(&self->g, 0);
	EXPECT_EQ(0, read_msr(&self->g, PVCLOCK_SYSTEM_TIME));
	ASSERT_EQ(NVMM_VCPU_EXIT_HALTED, write_msr(&self->g, 0x10, 1000));
	EXPECT_EQ(FILLED * 0x01010101u, self->page->version);
}

TEST_F(clock, disabled)
{
	ASSERT_EQ(NVMM_VCPU_EXIT_HALTED,
		  write_msr(&self->g, PVCLOCK_SYSTEM_TIME, TIME));
	EXPECT_EQ(0, self->page->multiplier);
}

TEST_F(clock, wall_clock)
{
	const struct pvclock_wall *wall = (void *)self->page;
	uint64_t start;

	ASSERT_EQ(NVMM_VCPU_EXIT_HALTED,
		  write_msr(&self->g, PVCLOCK_WALL_CLOCK, TIME));
	start = wall->seconds * SECOND + wall->nanoseconds;
	EXPECT_EQ(0, wall->version % 2);
	EXPECT_GT(SECOND, wall->nanoseconds);
	EXPECT_LE(self->before, start + TOLERANCE);
	EXPECT_GE(self->after + TOLERANCE, start);
	EXPECT_EQ(TIME, read_msr(&self->g, PVCLOCK_WALL_CLOCK));
}

/* Where the guest cannot write, nothing is written, and nothing else happens. */
TEST_F(clock, addresses_that_are_no_memory)
{
	const uint64_t addresses[] = { UNMAPPED, MEMORY - 8, TIME + 2, ROM,
				       ~0ull & ~3ull };
	char *rom = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			 0);
	size_t i;

	ASSERT_NE(MAP_FAILED, rom);
	ASSERT_EQ(0, nvmm_hva_map(&self->g.mach, (uintptr_t)rom, PAGE));
	ASSERT_EQ(0, nvmm_gpa_map(&self->g.mach, (uintptr_t)rom, ROM, PAGE,
				  PROT_READ));
	for (i = 0; i < ARRAY_SIZE(addresses); i++) {
		EXPECT_EQ(NVMM_VCPU_EXIT_HALTED,
			  write_msr(&self->g, PVCLOCK_SYSTEM_TIME,
				    addresses[i] | PVCLOCK_ENABLED));
		EXPECT_EQ(NVMM_VCPU_EXIT_HALTED,
			  write_msr(&self->g, PVCLOCK_WALL_CLOCK,
				    addresses[i]));
	}
	EXPECT_EQ(0, self->page->multiplier);
	munmap(rom, PAGE);
}

TEST_HARNESS_MAIN
