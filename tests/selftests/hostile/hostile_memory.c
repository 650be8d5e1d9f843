// SPDX-License-Identifier: GPL-2.0
/*
 * Hostile guests: accesses outside guest memory, and corruption of the guest's own
 * memory and page tables
 */
#include "hostile.h"

WATCHED_FIXTURE(hostile_memory)

#define VMCB (self->m.vcpu.vmcb)
#define REGS (self->m.vcpu.regs)

/* ---- guest physical addresses -------------------------------------------- */

GUEST(read_rbx, 64, "mov (%rbx), %rax\n hlt");

#define LARGE_PAGE (2ul << 20)
#define LOW_4G (4ul << 30)
/* The entry of MODE_LONG's tables for the second 2 MiB */
#define SECOND_ENTRY (MACHINE_TABLES + 2 * PAGE + 8)
#define PTE_LARGE 0x83ull /* present, writable */

/* Whatever the host has below 4 GiB: RAM, BIOS, PCI, APICs */
TEST_F(hostile_memory, reads_host_physical_addresses)
{
	LOAD_HOSTILE(&self->m, MODE_LONG, read_rbx);
	for (uint64_t gpa = LARGE_PAGE; gpa < LOW_4G; gpa += LARGE_PAGE) {
		REGS->rbx = gpa;
		ASSERT_EQ(VMEXIT_NPF, exit_at_code(&self->m));
		ASSERT_EQ(gpa, VMCB->control.exitinfo2);
	}
}

TEST_F(hostile_memory, reads_devices)
{
	static const uint64_t devices[] = {
		0xa0000,    0xc0000,	0xf0000,    0xfec00000,
		0xfed00000, 0xfee00000, 0xfee00300, 0xfffffff0,
	};

	LOAD_HOSTILE(&self->m, MODE_LONG, read_rbx);
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		REGS->rbx = devices[i];
		ASSERT_EQ(VMEXIT_NPF, exit_at_code(&self->m));
		ASSERT_EQ(devices[i], VMCB->control.exitinfo2);
	}
}

/*
 * An entry wider than the processor's addresses is illegal in the guest's own
 * table.
 */
TEST_F(hostile_memory, reads_physical_addresses_of_every_width)
{
	uint64_t *entry = machine_at(&self->m, SECOND_ENTRY);
	uint32_t bits = self->m.info.out_gpa_bits;

	LOAD_HOSTILE(&self->m, MODE_LONG, read_rbx);
	VMCB->control.intercept[2] = SVM_INTERCEPT2_EXCEPTION(14);
	REGS->rbx = LARGE_PAGE + 8;
	for (uint32_t bit = 21; bit < 52; bit++) {
		*entry = 1ull << bit | PTE_LARGE;
		VMCB->control.tlb_control = SVM_TLB_CONTROL_FLUSH_ALL;
		exit_at_code(&self->m);
		if (bit >= bits && VMCB->control.exitcode == VMEXIT_EXCP(14))
			continue;
		ASSERT_EQ(VMEXIT_NPF, VMCB->control.exitcode);
		ASSERT_EQ((1ull << bit) + 8, VMCB->control.exitinfo2);
	}
}

/* Outside guest memory, or where memory contains no page table */
TEST_F(hostile_memory, page_tables_at_every_physical_address)
{
	LOAD_HOSTILE(&self->m, MODE_LONG, read_rbx);
	for (uint32_t bit = 12; bit < self->m.info.out_gpa_bits; bit++) {
		if (1ul << bit == MACHINE_TABLES)
			continue;
		VMCB->save.cr3 = 1ull << bit;
		exit_at_code(&self->m);
		if (1ul << bit < MACHINE_SIZE) {
			ASSERT_EQ(VMEXIT_SHUTDOWN, VMCB->control.exitcode);
			continue;
		}
		ASSERT_EQ(VMEXIT_NPF, VMCB->control.exitcode);
		ASSERT_EQ(1ull << bit, VMCB->control.exitinfo2 & -PAGE);
		ASSERT_NE(0, VMCB->control.exitinfo1 & SVM_NPF_TABLE);
	}
}

GUEST(load_cr3, 64, "mov %rbx, %cr3\n hlt");

TEST_F(hostile_memory, page_tables_in_the_local_apic)
{
	LOAD_HOSTILE(&self->m, MODE_LONG, load_cr3);
	REGS->rbx = 0xfee00000;
	ASSERT_EXIT(VMEXIT_NPF, &self->m);
	EXPECT_EQ(0xfee00000, VMCB->control.exitinfo2 & -PAGE);
	EXPECT_NE(0, VMCB->control.exitinfo1 & SVM_NPF_TABLE);
}

TEST_F(hostile_memory, runs_off_the_end_of_memory)
{
	uint8_t *last = machine_at(&self->m, MACHINE_SIZE - 1);

	LOAD_HOSTILE(&self->m, MODE_LONG, read_rbx);
	*last = 0x90; /* NOP */
	VMCB->save.rip = MACHINE_SIZE - 1;
	ASSERT_EXIT(VMEXIT_NPF, &self->m);
	EXPECT_EQ(MACHINE_SIZE, VMCB->control.exitinfo2);
	EXPECT_EQ(MACHINE_SIZE, VMCB->save.rip);

	*last = 0xb8; /* MOV with 4 bytes that are not mapped */
	VMCB->save.rip = MACHINE_SIZE - 1;
	ASSERT_EXIT(VMEXIT_NPF, &self->m);
	EXPECT_EQ(MACHINE_SIZE, VMCB->control.exitinfo2);
	EXPECT_EQ(MACHINE_SIZE - 1, VMCB->save.rip);
}

GUEST(fill, 32,
      "mov $0x9000, %edi\n mov $-1, %ecx\n mov $-1, %eax\n"
      "rep stosb");

TEST_F(hostile_memory, fills_its_memory_and_more)
{
	const uint8_t *filled = machine_at(&self->m, 0x9000);

	LOAD_HOSTILE(&self->m, MODE_PROTECTED, fill);
	ASSERT_EXIT(VMEXIT_NPF, &self->m);
	EXPECT_EQ(MACHINE_SIZE, VMCB->control.exitinfo2);
	for (uint64_t i = 0; i < MACHINE_SIZE - 0x9000; i++)
		ASSERT_EQ(0xff, filled[i]);
}

GUEST(lose_tables, 64,
      "movq $0, 0x10000\n mov %cr3, %rax\n mov %rax, %cr3\n"
      "hlt");

TEST_F(hostile_memory, unmaps_its_page_tables)
{
	LOAD_HOSTILE(&self->m, MODE_LONG, lose_tables);
	ASSERT_EXIT(VMEXIT_SHUTDOWN, &self->m);
}

#define APIC_PAGE 0xfee00000ul
#define APIC_ICR 0x300

GUEST(send_init, 64,
      "mov $0xfee00000, %eax\n movl $0xc4500, 0x300(%rax)\n hlt");

/* Memory that the program maps at the local APIC's address is ordinary memory. */
TEST_F(hostile_memory, sends_init_to_all)
{
	uint8_t *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, page);
	ASSERT_EQ(0, machine_map(&self->m, APIC_PAGE, page, PAGE, MAP_ALL));
	LOAD_HOSTILE(&self->m, MODE_LONG, send_init);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
	EXPECT_EQ(0xc4500, *(uint32_t *)(page + APIC_ICR));
}

TEST_HARNESS_MAIN
