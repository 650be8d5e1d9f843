// SPDX-License-Identifier: GPL-2.0
/* libnvmm: machines, vCPUs, memory and their errors */
#include "guest.h"

FIXTURE(machine)
{
	struct guest g;
};

FIXTURE_SETUP(machine)
{
	ASSERT_EQ(0, guest_create(&self->g));
}

FIXTURE_TEARDOWN(machine)
{
	guest_destroy(&self->g);
}

TEST(capability)
{
	struct nvmm_capability cap;

	ASSERT_EQ(0, nvmm_init());
	ASSERT_EQ(0, nvmm_root_init());
	ASSERT_EQ(0, nvmm_capability(&cap));
	EXPECT_EQ(NVMM_KERN_VERSION, cap.version);
	EXPECT_EQ(sizeof(struct nvmm_x64_state), cap.state_size);
	EXPECT_LE(1, cap.max_vcpus);
	EXPECT_EQ(NVMM_CAP_ARCH_VCPU_CONF_CPUID | NVMM_CAP_ARCH_VCPU_CONF_TPR,
		  cap.arch.vcpu_conf_support);
	EXPECT_EQ(1, cap.arch.xcr0_mask & 1);
}

TEST_F(machine, has_no_configuration)
{
	EXPECT_ERROR(EINVAL, nvmm_machine_configure(&self->g.mach, 0, NULL));
}

TEST_F(machine, with_vcpus_is_busy)
{
	EXPECT_ERROR(EBUSY, nvmm_machine_destroy(&self->g.mach));
}

TEST_F(machine, destroyed_twice)
{
	struct nvmm_machine mach;

	ASSERT_EQ(0, nvmm_machine_create(&mach));
	EXPECT_EQ(0, nvmm_machine_destroy(&mach));
	EXPECT_ERROR(ENOENT, nvmm_machine_destroy(&mach));
}

TEST_F(machine, vcpu_exists)
{
	struct nvmm_vcpu vcpu;

	EXPECT_ERROR(EEXIST, nvmm_vcpu_create(&self->g.mach, 0, &vcpu));
	EXPECT_ERROR(ENOENT, nvmm_vcpu_destroy(&self->g.mach, &vcpu));
}

TEST_F(machine, vcpu_number_too_large)
{
	struct nvmm_capability cap;
	struct nvmm_vcpu vcpu;

	ASSERT_EQ(0, nvmm_capability(&cap));
	EXPECT_ERROR(EINVAL,
		     nvmm_vcpu_create(&self->g.mach, cap.max_vcpus, &vcpu));
	EXPECT_EQ(0, nvmm_vcpu_create(&self->g.mach, cap.max_vcpus - 1, &vcpu));
	EXPECT_EQ(0, nvmm_vcpu_destroy(&self->g.mach, &vcpu));
}

TEST_F(machine, vcpu_of_no_machine)
{
	struct nvmm_machine mach = { 0 };
	struct nvmm_vcpu vcpu;

	EXPECT_ERROR(ENOENT, nvmm_vcpu_create(&mach, 0, &vcpu));
}

TEST_F(machine, unknown_vcpu_configuration)
{
	EXPECT_ERROR(EINVAL, nvmm_vcpu_configure(&self->g.mach, &self->g.vcpu,
						 1, NULL));
}

static int map(struct guest *guest, size_t offset, gpaddr_t gpa, size_t size,
	       int prot)
{
	return nvmm_gpa_map(&guest->mach, (uintptr_t)guest->memory + offset,
			    gpa, size, prot);
}

TEST_F(machine, map_errors)
{
	struct guest *g = &self->g;
	int prot = PROT_READ | PROT_WRITE;

	EXPECT_ERROR(EINVAL, map(g, 1, UNMAPPED, PAGE, prot));
	EXPECT_ERROR(EINVAL, map(g, 0, UNMAPPED + 1, PAGE, prot));
	EXPECT_ERROR(EINVAL, map(g, 0, UNMAPPED, PAGE + 1, prot));
	EXPECT_ERROR(EINVAL, map(g, 0, UNMAPPED, 0, prot));
	EXPECT_ERROR(EINVAL, map(g, 0, UNMAPPED, PAGE, PROT_WRITE));
	EXPECT_ERROR(EINVAL, map(g, 0, UNMAPPED, PAGE, prot | 8));
	EXPECT_ERROR(EEXIST, map(g, 0, 0, PAGE, prot));
	EXPECT_ERROR(ERANGE, map(g, 0, -PAGE, PAGE, prot));
	EXPECT_EQ(0, map(g, 0, UNMAPPED, PAGE, prot));
}

TEST_F(machine, map_of_other_memory)
{
	EXPECT_ERROR(EINVAL, map(&self->g, MEMORY, UNMAPPED, PAGE, PROT_READ));
	EXPECT_ERROR(EINVAL, map(&self->g, MEMORY - PAGE, UNMAPPED, 2 * PAGE,
				 PROT_READ));
}

TEST_F(machine, hva_errors)
{
	struct nvmm_machine *mach = &self->g.mach;
	uintptr_t hva = (uintptr_t)self->g.memory;

	EXPECT_ERROR(EINVAL, nvmm_hva_map(mach, hva + 1, PAGE));
	EXPECT_ERROR(EINVAL, nvmm_hva_map(mach, hva, 0));
	EXPECT_ERROR(EEXIST, nvmm_hva_map(mach, hva + PAGE, PAGE));
	EXPECT_ERROR(ENOENT, nvmm_hva_unmap(mach, hva, PAGE));
	EXPECT_EQ(0, nvmm_hva_unmap(mach, hva, MEMORY));
	EXPECT_ERROR(ENOENT, nvmm_hva_unmap(mach, hva, MEMORY));
}

TEST_F(machine, unmap_errors)
{
	struct nvmm_machine *mach = &self->g.mach;

	EXPECT_ERROR(EINVAL, nvmm_gpa_unmap(mach, 0, 1, PAGE));
	EXPECT_ERROR(EINVAL, nvmm_gpa_unmap(mach, 0, 0, 0));
	EXPECT_ERROR(ENOENT, nvmm_gpa_unmap(mach, 0, UNMAPPED, PAGE));
}

TEST_F(machine, gpa_to_hva)
{
	struct nvmm_machine *mach = &self->g.mach;
	nvmm_prot_t prot;
	uintptr_t hva;

	EXPECT_ERROR(EINVAL, nvmm_gpa_to_hva(mach, 1, &hva, &prot));
	EXPECT_ERROR(ENOENT, nvmm_gpa_to_hva(mach, MEMORY, &hva, &prot));
	ASSERT_EQ(0, nvmm_gpa_to_hva(mach, CODE, &hva, &prot));
	EXPECT_EQ((uintptr_t)self->g.memory + CODE, hva);
	EXPECT_EQ(NVMM_PROT_ALL, prot);
}

TEST_F(machine, unmap_of_a_part)
{
	struct nvmm_machine *mach = &self->g.mach;
	nvmm_prot_t prot;
	uintptr_t hva;

	ASSERT_EQ(0, nvmm_gpa_unmap(mach, 0, 2 * PAGE, PAGE));
	EXPECT_EQ(0, nvmm_gpa_to_hva(mach, PAGE, &hva, &prot));
	EXPECT_ERROR(ENOENT, nvmm_gpa_to_hva(mach, 2 * PAGE, &hva, &prot));
	EXPECT_EQ(0, nvmm_gpa_to_hva(mach, 3 * PAGE, &hva, &prot));
	EXPECT_EQ((uintptr_t)self->g.memory + 3 * PAGE, hva);
}

TEST_F(machine, gva_to_gpa)
{
	struct guest *g = &self->g;
	nvmm_prot_t prot;
	gpaddr_t gpa;

	EXPECT_ERROR(EINVAL,
		     nvmm_gva_to_gpa(&g->mach, &g->vcpu, 1, &gpa, &prot));
	ASSERT_EQ(0, guest_set_long(g));
	ASSERT_EQ(0, nvmm_gva_to_gpa(&g->mach, &g->vcpu, CODE, &gpa, &prot));
	EXPECT_EQ(CODE, gpa);
	EXPECT_EQ(NVMM_PROT_ALL, prot);
	EXPECT_ERROR(EFAULT, nvmm_gva_to_gpa(&g->mach, &g->vcpu, 1ul << 30,
					     &gpa, &prot));
}

TEST_HARNESS_MAIN
