// SPDX-License-Identifier: GPL-2.0
/* libnvmm: the state of a vCPU */
#include "guest.h"

FIXTURE(state)
{
	struct guest g;
	struct nvmm_x64_state *s;
};

FIXTURE_SETUP(state)
{
	ASSERT_EQ(0, guest_create(&self->g));
	self->s = self->g.vcpu.state;
}

FIXTURE_TEARDOWN(state)
{
	guest_destroy(&self->g);
}

/* Set what was read, clear it in the program, and read it again. */
static int is_kept(struct guest *guest, uint64_t flags)
{
	struct nvmm_x64_state *state = guest->vcpu.state, old = *state;

	if (guest_set(guest, flags))
		return 0;
	memset(state, 0, sizeof(*state));
	guest_get(guest, NVMM_X64_STATE_ALL);
	state->msrs[NVMM_X64_MSR_TSC] = old.msrs[NVMM_X64_MSR_TSC];
	return !memcmp(state, &old, sizeof(old));
}

TEST_F(state, reset)
{
	guest_get(&self->g, NVMM_X64_STATE_ALL);
	EXPECT_EQ(0xfff0, self->s->gprs[NVMM_X64_GPR_RIP]);
	EXPECT_EQ(2, self->s->gprs[NVMM_X64_GPR_RFLAGS]);
	EXPECT_EQ(0x10, self->s->crs[NVMM_X64_CR_CR0]);
	EXPECT_EQ(1, self->s->crs[NVMM_X64_CR_XCR0]);
	EXPECT_EQ(0, self->s->msrs[NVMM_X64_MSR_EFER]);
	EXPECT_EQ(0x37f, self->s->fpu.fx_cw);
	EXPECT_EQ(0x1f80, self->s->fpu.fx_mxcsr);
}

TEST_F(state, is_kept)
{
	unsigned int i;

	guest_get(&self->g, NVMM_X64_STATE_ALL);
	for (i = 0; i < NVMM_X64_GPR_RIP; i++)
		self->s->gprs[i] = 0x1111111111111111ull * i;
	self->s->gprs[NVMM_X64_GPR_RFLAGS] = 0x202;
	for (i = 0; i < NVMM_X64_NSEG; i++) {
		self->s->segs[i].selector = 8 * i;
		self->s->segs[i].base = 0x10000 * i;
		self->s->segs[i].limit = 0xfffff000 + i;
	}
	self->s->segs[NVMM_X64_SEG_SS].attrib.dpl = 3;
	self->s->segs[NVMM_X64_SEG_DS].attrib.avl = 1;
	self->s->crs[NVMM_X64_CR_CR2] = 0x123;
	self->s->crs[NVMM_X64_CR_CR3] = 0x5000;
	self->s->crs[NVMM_X64_CR_CR8] = 5;
	for (i = 0; i < 4; i++)
		self->s->drs[i] = 0x1000 * i;
	for (i = NVMM_X64_MSR_STAR; i < NVMM_X64_MSR_PAT; i++)
		self->s->msrs[i] = 0x12300 + i;
	self->s->intr.int_shadow = 1;
	self->s->intr.int_window_exiting = 1;
	self->s->intr.nmi_window_exiting = 1;
	self->s->fpu.fx_cw = 0x27f;
	self->s->fpu.fx_tw = 0x81;
	memset(self->s->fpu.fx_87_ac[3].r_bytes, 0x33, 10);
	for (i = 0; i < 16; i++)
		memset(self->s->fpu.fx_xmm[i].xmm_bytes, i, 16);
	EXPECT_TRUE(is_kept(&self->g, NVMM_X64_STATE_ALL));
}

TEST_F(state, unknown_part)
{
	EXPECT_ERROR(EINVAL, guest_set(&self->g, 0x80));
	EXPECT_ERROR(EINVAL,
		     nvmm_vcpu_getstate(&self->g.mach, &self->g.vcpu, 0x80));
}

TEST_F(state, illegal_xcr0)
{
	guest_get(&self->g, NVMM_X64_STATE_CRS)->crs[NVMM_X64_CR_XCR0] = 4;
	EXPECT_ERROR(EINVAL, guest_set(&self->g, NVMM_X64_STATE_CRS));
}

TEST_F(state, illegal_pat)
{
	guest_get(&self->g, NVMM_X64_STATE_MSRS)->msrs[NVMM_X64_MSR_PAT] = 2;
	EXPECT_ERROR(EINVAL, guest_set(&self->g, NVMM_X64_STATE_MSRS));
}

TEST_F(state, illegal_mxcsr)
{
	guest_get(&self->g, NVMM_X64_STATE_FPU)->fpu.fx_mxcsr = 1 << 16;
	EXPECT_ERROR(EINVAL, guest_set(&self->g, NVMM_X64_STATE_FPU));
}

/* CR0 after RESET# has CD and NW, which a guest cannot have. */
TEST_F(state, denied_bits_are_dropped)
{
	guest_get(&self->g, NVMM_X64_STATE_CRS | NVMM_X64_STATE_MSRS);
	self->s->crs[NVMM_X64_CR_CR0] = 0x60000010;
	self->s->msrs[NVMM_X64_MSR_EFER] = 1 << 12;
	ASSERT_EQ(0, guest_set(&self->g,
			       NVMM_X64_STATE_CRS | NVMM_X64_STATE_MSRS));
	guest_get(&self->g, NVMM_X64_STATE_CRS | NVMM_X64_STATE_MSRS);
	EXPECT_EQ(0x10, self->s->crs[NVMM_X64_CR_CR0]);
	EXPECT_EQ(0, self->s->msrs[NVMM_X64_MSR_EFER]);
}

static uint64_t get_tsc(struct guest *guest, struct nvmm_vcpu *vcpu)
{
	if (nvmm_vcpu_getstate(&guest->mach, vcpu, NVMM_X64_STATE_MSRS))
		abort();
	return vcpu->state->msrs[NVMM_X64_MSR_TSC];
}

TEST_F(state, tsc_is_set)
{
	guest_get(&self->g, NVMM_X64_STATE_MSRS)->msrs[NVMM_X64_MSR_TSC] =
		1ull << 60;
	ASSERT_EQ(0, guest_set(&self->g, NVMM_X64_STATE_MSRS));
	EXPECT_LE(1ull << 60, get_tsc(&self->g, &self->g.vcpu));
	EXPECT_GT(1ull << 61, get_tsc(&self->g, &self->g.vcpu));
}

/* A program that reads and sets all state does not stop the clock. */
TEST_F(state, tsc_is_not_set_to_what_was_read)
{
	struct nvmm_vcpu other;
	uint64_t before, after;
	int i;

	ASSERT_EQ(0, nvmm_vcpu_create(&self->g.mach, 1, &other));
	for (i = 0; i < 1000; i++) {
		guest_get(&self->g, NVMM_X64_STATE_MSRS);
		ASSERT_EQ(0, guest_set(&self->g, NVMM_X64_STATE_MSRS));
	}
	before = get_tsc(&self->g, &other);
	after = get_tsc(&self->g, &self->g.vcpu);
	EXPECT_LE(before, after);
	EXPECT_EQ(0, nvmm_vcpu_destroy(&self->g.mach, &other));
}

/* The TSCs of two vCPUs that are set to a value one after the other are equal. */
TEST_F(state, tscs_that_are_set_to_a_value)
{
	struct nvmm_vcpu other;
	uint64_t before, between, after;

	ASSERT_EQ(0, nvmm_vcpu_create(&self->g.mach, 1, &other));
	guest_get(&self->g, NVMM_X64_STATE_MSRS)->msrs[NVMM_X64_MSR_TSC] = 1000;
	ASSERT_EQ(0, guest_set(&self->g, NVMM_X64_STATE_MSRS));
	get_tsc(&self->g, &other);
	other.state->msrs[NVMM_X64_MSR_TSC] = 1000;
	ASSERT_EQ(0, nvmm_vcpu_setstate(&self->g.mach, &other,
					NVMM_X64_STATE_MSRS));
	before = get_tsc(&self->g, &self->g.vcpu);
	between = get_tsc(&self->g, &other);
	after = get_tsc(&self->g, &self->g.vcpu);
	EXPECT_LE(before, between);
	EXPECT_LE(between, after);
	EXPECT_EQ(0, nvmm_vcpu_destroy(&self->g.mach, &other));
}

TEST_HARNESS_MAIN
