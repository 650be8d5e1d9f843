// SPDX-License-Identifier: GPL-2.0
/*
 * cpuid_answer(): the values of CPUID that the tool's guests see: the host's, without the
 * features that the machine does not have, or those of the minimal model, and with the
 * overrides of the command line.
 */
#include <string.h>

#include <linux/svm_vmcb.h>

#include "cli/cpuid_option.h"
#include "suites.h"
#include "model/cpuid.h"

#define OSXSAVE (1u << 27)

/* A host that has every feature, and AVX and PKRU state at the usual offsets */
static struct cpuid host(uint32_t leaf, uint32_t subleaf)
{
	if (leaf == 0xd && subleaf == 2)
		return (struct cpuid){ .eax = 256, .ebx = 576 };
	if (leaf == 0xd && subleaf == 9)
		return (struct cpuid){ .eax = 8, .ebx = 2688, .ecx = 2 };
	return (struct cpuid){ 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff };
}

static struct cpuid small_host(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid c = host(leaf, subleaf);

	if (!(leaf & 0x7fffffff))
		c.eax = leaf + 1;
	return c;
}

static struct cpuid_guest guest = { .host = host,
				    .xcr0 = 1,
				    .xcr0_offered = 0x207,
				    .cr4_offered = ~0ull,
				    .efer_offered = ~0ull,
				    .has_apic = true,
				    .gpa_bits = 40 };

static struct cpuid answer(uint32_t leaf, uint32_t subleaf)
{
	return cpuid_answer(&guest, leaf, subleaf);
}

START_TEST(hypervisor_says_its_name)
{
	struct cpuid c = answer(0x40000000, 0);

	ck_assert_mem_eq(&c.ebx, "svmrun\0\0\0\0\0\0", 12);
	ck_assert(answer(1, 0).ecx >> 31);
}

START_TEST(frequencies_are_shown_if_the_tsc_is_trusted)
{
	ck_assert_uint_ge(answer(0x40000000, 0).eax, 0x40000010);
	ck_assert_uint_eq(answer(0x40000010, 0).eax, 0);
	ck_assert(!(answer(0x80000007, 0).edx & 1u << 8));
	guest.tsc_khz = 2300000;
	ck_assert_uint_eq(answer(0x40000010, 0).eax, 2300000);
	ck_assert_uint_eq(answer(0x40000010, 0).ebx, 1000000);
	ck_assert(answer(0x80000007, 0).edx & 1u << 8);
}

START_TEST(kvm_has_its_clock)
{
	struct cpuid c = answer(0x40000100, 0);

	ck_assert_mem_eq(&c.ebx, "KVMKVMKVM\0\0\0", 12);
	ck_assert_uint_eq(c.eax, 0x40000101);
	ck_assert_uint_eq(answer(0x40000101, 0).eax, 1u << 1 | 1u << 3);
	guest.tsc_khz = 2300000;
	ck_assert(answer(0x40000101, 0).eax & 1u << 24);
}

START_TEST(hypervisor_is_a_choice)
{
	guest.hypervisor = HYPERVISOR_SVMRUN;
	ck_assert_uint_ne(answer(0x40000000, 0).ebx, 0);
	ck_assert_uint_eq(answer(0x40000100, 0).ebx, 0);
	guest.hypervisor = HYPERVISOR_NONE;
	ck_assert_uint_eq(answer(0x40000000, 0).ebx, 0);
	ck_assert(!(answer(1, 0).ecx >> 31));
}

START_TEST(svm_is_hidden)
{
	ck_assert(!(answer(0x80000001, 0).ecx & 1u << 2));
	ck_assert_uint_eq(answer(0x8000000a, 0).edx, 0);
}

START_TEST(what_the_machine_does_not_have_is_hidden)
{
	ck_assert(!(answer(1, 0).ecx & 1u << 3)); /* MONITOR */
	ck_assert(!(answer(1, 0).ecx & 1u << 5)); /* VMX */
	ck_assert(!(answer(1, 0).ecx & 1u << 15)); /* PDCM */
	ck_assert(!(answer(7, 0).ecx & 1u << 22)); /* RDPID */
	ck_assert(!(answer(0x80000001, 0).edx & 1u << 27)); /* RDTSCP */
	ck_assert_uint_eq(answer(1, 0).ebx, 0xffff); /* one processor */
}

START_TEST(what_it_has_is_left)
{
	ck_assert(answer(1, 0).edx & 1u << 26); /* SSE2 */
	ck_assert(answer(1, 0).ecx & 1u << 26); /* XSAVE */
	ck_assert(answer(7, 0).ebx & 1u << 5); /* AVX2 */
	ck_assert_uint_eq(answer(1, 0).edx & 0x5080,
			  0x5080); /* MCA, MTRR, MCE */
	ck_assert(answer(0x80000001, 0).edx & 1u << 29); /* long mode */
	ck_assert_uint_eq(answer(0x80000003, 0).ebx, 0xffffffff);
}

START_TEST(local_apic_is_shown)
{
	ck_assert(answer(1, 0).ecx & 1u << 21); /* x2APIC */
	ck_assert(answer(1, 0).ecx & 1u << 24); /* TSC deadline */
	ck_assert(answer(1, 0).edx & 1u << 9); /* APIC */
	ck_assert(answer(0x80000001, 0).edx & 1u << 9);
}

START_TEST(local_apic_is_hidden_if_disabled)
{
	guest.has_apic = false;
	ck_assert(!(answer(1, 0).edx & 1u << 9));
	ck_assert(!(answer(0x80000001, 0).edx & 1u << 9));
}

START_TEST(processors_are_numbered)
{
	guest.cpus = 3;
	guest.id = 2;
	ck_assert_uint_eq(answer(1, 0).ebx >> 16, 0x0203);
	ck_assert(answer(1, 0).edx & 1u << 28); /* HTT */
	ck_assert(answer(0x80000001, 0).ecx & 2); /* CmpLegacy */
	ck_assert_uint_eq(answer(0x80000008, 0).ecx, 0x2002);
	guest.cpus = 1;
	guest.id = 0;
}

START_TEST(minimal_is_what_all_have)
{
	guest.minimal = true;
	guest.cr4 = SVM_CR4_OSXSAVE;
	ck_assert_uint_eq(answer(1, 0).ecx, 0x81202001);
	ck_assert_uint_eq(answer(1, 0).edx, 0x078bfbff);
	ck_assert_uint_eq(answer(7, 0).ebx, 0);
	ck_assert_uint_eq(answer(0x0d, 0).eax, 0);
	ck_assert_uint_eq(answer(0x80000001, 0).ecx, 1);
	guest.minimal = false;
	guest.cr4 = 0;
}

START_TEST(overrides_are_read)
{
	static const char *const wrong[] = {
		"",	"1",	"1=",	"=1",	 "1=x",		 "1=1,2,3,4,5",
		"1.=1", "-1=1", "1=1 ", "1=,,,", "0x100000000=1"
	};
	struct cpuid_override o;
	size_t i;

	ck_assert(cpuid_parse("0x80000008.2=1,,0x30", &o));
	ck_assert_uint_eq(o.leaf, 0x80000008);
	ck_assert_uint_eq(o.subleaf, 2);
	ck_assert_uint_eq(o.given, 5);
	ck_assert_uint_eq(o.answer.eax, 1);
	ck_assert_uint_eq(o.answer.ecx, 0x30);
	ck_assert(cpuid_parse("7=,0,0,0", &o));
	ck_assert_uint_eq(o.given, 14);
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		ck_assert_msg(!cpuid_parse(wrong[i], &o), "%s", wrong[i]);
}

START_TEST(overrides_replace_registers)
{
	struct cpuid_override o;
	uint32_t eax = answer(1, 0).eax;

	ck_assert(cpuid_parse("1=,0x12345678", &o));
	guest.overrides = &o;
	guest.override_count = 1;
	ck_assert_uint_eq(answer(1, 0).ebx, 0x12345678);
	ck_assert_uint_eq(answer(1, 0).eax, eax);
	ck_assert_uint_ne(answer(0, 0).ebx, 0x12345678);
	guest.override_count = 0;
}

START_TEST(osxsave_follows_cr4)
{
	guest.cr4 = 0;
	ck_assert(!(answer(1, 0).ecx & OSXSAVE));
	guest.cr4 = SVM_CR4_OSXSAVE;
	ck_assert(answer(1, 0).ecx & OSXSAVE);
}

START_TEST(ospke_follows_cr4_and_pku_the_offer)
{
	guest.cr4 = 1ull << 22;
	ck_assert_uint_eq(answer(7, 0).ecx >> 3 & 3, 3);
	guest.cr4 = 0;
	ck_assert_uint_eq(answer(7, 0).ecx >> 3 & 3, 1);
	guest.cr4_offered = ~SVM_CR4_PKE;
	ck_assert_uint_eq(answer(7, 0).ecx >> 3 & 3, 0);
}

/* A feature is hidden if the guest may not set the bit of CR4 or EFER that enables it. */
START_TEST(features_follow_what_registers_may_have)
{
	guest.cr4_offered = ~(SVM_CR4_OSXSAVE | SVM_CR4_PCIDE);
	ck_assert_uint_eq(answer(1, 0).ecx & (1 << 26 | 1 << 17), 0);
	ck_assert_uint_eq(answer(7, 0).ebx >> 7 & 1, 1);
	guest.cr4_offered = ~(SVM_CR4_LA57 | SVM_CR4_SMEP);
	ck_assert_uint_eq(answer(1, 0).ecx >> 26 & 1, 1);
	ck_assert_uint_eq(answer(7, 0).ecx >> 16 & 1, 0);
	ck_assert_uint_eq(answer(7, 0).ebx >> 7 & 1, 0);
	ck_assert_uint_eq(answer(0x80000001, 0).edx >> 20 & 1, 1);
	ck_assert_uint_eq(answer(0x80000008, 0).ebx >> 20 & 1, 0);
	guest.efer_offered = ~(SVM_EFER_NXE | SVM_EFER_LMSLE);
	ck_assert_uint_eq(answer(0x80000001, 0).edx >> 20 & 1, 0);
	/* This bit says that EFER.LMSLE is not supported. */
	ck_assert_uint_eq(answer(0x80000008, 0).ebx >> 20 & 1, 1);
}

START_TEST(xsave_sizes_follow_xcr0)
{
	struct cpuid c = answer(0xd, 0);

	ck_assert_uint_eq(c.eax, 0x207);
	ck_assert_uint_eq(c.edx, 0);
	ck_assert_uint_eq(c.ebx, 576);
	ck_assert_uint_eq(c.ecx, 2696);
	guest.xcr0 = 7;
	ck_assert_uint_eq(answer(0xd, 0).ebx, 832);
	guest.xcr0 = 0x207;
	ck_assert_uint_eq(answer(0xd, 0).ebx, 2696);
	ck_assert_uint_eq(answer(0xd, 1).ebx, 840);
}

START_TEST(xsave_components_are_those_offered)
{
	ck_assert_uint_eq(answer(0xd, 2).eax, 256);
	ck_assert_uint_eq(answer(0xd, 5).eax, 0);
	ck_assert_uint_eq(answer(0xd, 64).eax, 0);
	ck_assert_uint_eq(answer(0xd, 0xffffffff).eax, 0);
	ck_assert(!(answer(0xd, 1).eax & 1u << 3)); /* XSAVES */
}

START_TEST(addresses_have_the_guests_width)
{
	ck_assert_uint_eq(answer(0x80000008, 0).eax, 0xff00 | 40);
}

START_TEST(other_leaves_are_zero)
{
	static const struct cpuid zero;
	static const uint32_t leaves[] = { 2,	       5,	   6,
					   0xa,	       0xb,	   0x14,
					   0x40000001, 0x8000001f, 0xffffffff };
	struct cpuid c;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(leaves); i++) {
		c = answer(leaves[i], 0);
		ck_assert_mem_eq(&c, &zero, sizeof(c));
	}
	c = answer(7, 1);
	ck_assert_mem_eq(&c, &zero, sizeof(c));
}

START_TEST(leaves_that_the_host_lacks_are_zero)
{
	guest.host = small_host;
	ck_assert_uint_eq(answer(1, 0).eax, 0xffffffff);
	ck_assert_uint_eq(answer(7, 0).ebx, 0);
	ck_assert_uint_eq(answer(0xd, 0).eax, 0);
	ck_assert_uint_eq(answer(0x80000008, 0).eax, 0);
}

static const TTest **const tests[] = {
	&hypervisor_says_its_name,
	&frequencies_are_shown_if_the_tsc_is_trusted,
	&kvm_has_its_clock,
	&hypervisor_is_a_choice,
	&svm_is_hidden,
	&what_the_machine_does_not_have_is_hidden,
	&what_it_has_is_left,
	&local_apic_is_shown,
	&local_apic_is_hidden_if_disabled,
	&processors_are_numbered,
	&minimal_is_what_all_have,
	&overrides_are_read,
	&overrides_replace_registers,
	&osxsave_follows_cr4,
	&ospke_follows_cr4_and_pku_the_offer,
	&features_follow_what_registers_may_have,
	&xsave_sizes_follow_xcr0,
	&xsave_components_are_those_offered,
	&addresses_have_the_guests_width,
	&other_leaves_are_zero,
	&leaves_that_the_host_lacks_are_zero,
};

Suite *cpuid_suite(void)
{
	return suite_of("cpuid", tests, ARRAY_SIZE(tests));
}
