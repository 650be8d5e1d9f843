// SPDX-License-Identifier: GPL-2.0
/* A saved machine as an ELF core */
#include <elf.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/procfs.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <unistd.h>

#undef PAGE_SIZE /* lib/x86.h defines it, too */

#include "common/status.h"
#include "dump/core.h"
#include "dump/dump.h"
#include "suites.h"
#include "vcpu_pages.h"

#define MEMORY (8ul << 20)
#define INFO "OSRELEASE=6.1\nKERNELOFFSET=1e000000\n"

static uint8_t *ram, *core;
static uint8_t records[1 << 18];
static struct svmrun_state state;
static struct vcpu_pages pages[2];
static struct cpu cpus[2];
static struct machine machine;
static struct run_options options;
static struct saved saved = { .name = "file" };
static size_t core_size;

static void create_machine(void)
{
	unsigned int i;

	ram = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	options = (struct run_options){ .cpus = 2, .memory = MEMORY };
	machine = (struct machine){ .cpus = cpus, .cpu_count = 2 };
	machine_init(&machine, &options);
	machine.memories[0] = (struct svmrun_memory){ ram, 0, MEMORY };
	machine.memory_count = 1;
	for (i = 0; i < 2; i++) {
		cpus[i] = (struct cpu){ .machine = &machine, .id = i };
		cpus[i].vcpu = vcpu_pages_fill(&pages[i]);
		svmrun_mode_reset(&cpus[i].vcpu);
		pages[i].vmcb.save.rip = 0x1000 + i;
		pages[i].regs.r15 = 0x15;
	}
}

static void read_machine(void)
{
	struct svmrun_saved_source source = {
		.fd = memfd_create("saved", MFD_CLOEXEC),
		.pagemap = -1,
		.state = &state,
		.memories = machine.memories,
		.memory_count = 1,
	};

	svmrun_state_init(&state, records, sizeof(records));
	ck_assert_int_eq(machine_state_save(&machine, "/", &state), 0);
	ck_assert_int_eq(svmrun_saved_write(&source), 0);
	ck_assert_int_eq(saved_read(&saved, source.fd, &options), 0);
}

static void dump(void)
{
	char name[] = "/tmp/core.XXXXXX";
	int fd = mkstemp(name);
	struct stat stat;

	ck_assert_int_eq(dump_machine(&saved, options.cpus, name), 0);
	ck_assert_int_eq(fstat(fd, &stat), 0);
	core_size = stat.st_size;
	ck_assert_uint_lt((uint64_t)stat.st_blocks * 512, 1 << 16);
	core = mmap(NULL, core_size, PROT_READ, MAP_PRIVATE, fd, 0);
	ck_assert_ptr_ne(core, MAP_FAILED);
	unlink(name);
	close(fd);
}

static void destroy(void)
{
	munmap(core, core_size);
	munmap(ram, MEMORY);
	saved_close(&saved);
}

static const Elf64_Phdr *segment_at(unsigned int i)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)core;

	ck_assert_uint_lt(i, header->e_phnum);
	return (const Elf64_Phdr *)(core + header->e_phoff) + i;
}

/* Return the contents of a note of this type, the first, or the one after it. */
static const uint8_t *find_note(uint32_t type, unsigned int which)
{
	const Elf64_Phdr *segment = segment_at(0);
	const uint8_t *at = core + segment->p_offset;
	const uint8_t *end = at + segment->p_filesz, *contents;
	Elf64_Nhdr note;

	ck_assert_uint_eq(segment->p_type, PT_NOTE);
	while (at < end) {
		memcpy(&note, at, sizeof(note));
		contents = at + sizeof(note) + ((note.n_namesz + 3) & ~3);
		if (note.n_type == type && !which--)
			return contents;
		at = contents + ((note.n_descsz + 3) & ~3);
	}
	ck_assert_ptr_eq(at, end);
	return NULL;
}

static void expect_segment(unsigned int i, uint64_t gva, uint64_t gpa,
			   uint64_t size)
{
	const Elf64_Phdr *segment = segment_at(i);

	ck_assert_uint_eq(segment->p_type, PT_LOAD);
	ck_assert_uint_eq(segment->p_vaddr, gva);
	ck_assert_uint_eq(segment->p_paddr, gpa);
	ck_assert_uint_eq(segment->p_filesz, size);
	ck_assert_mem_eq(core + segment->p_offset, ram + gpa, size);
}

START_TEST(registers_and_memory_are_in_the_core)
{
	struct elf_prstatus status;
	struct user_regs_struct registers;
	unsigned int i;

	create_machine();
	strcpy((char *)ram + 0x12345, "some words");
	read_machine();
	dump();
	ck_assert_mem_eq(core, ELFMAG, SELFMAG);
	ck_assert_uint_eq(((Elf64_Ehdr *)core)->e_type, ET_CORE);
	ck_assert_uint_eq(((Elf64_Ehdr *)core)->e_phnum, 3);
	for (i = 0; i < 2; i++) {
		memcpy(&status, find_note(NT_PRSTATUS, i), sizeof(status));
		memcpy(&registers, &status.pr_reg, sizeof(registers));
		ck_assert_uint_eq(status.pr_pid, i + 1);
		ck_assert_uint_eq(registers.rip, 0x1000 + i);
		ck_assert_uint_eq(registers.r15, 0x15);
	}
	ck_assert_ptr_nonnull(find_note(NT_X86_XSTATE, 1));
	ck_assert_ptr_null(find_note(NT_PRSTATUS, 2));
	expect_segment(1, 0, 0, MEMORY);
	expect_segment(2, CORE_PHYSICAL, 0, MEMORY);
	destroy();
}

/* The second processor uses paging; the first one waits to be started. */
START_TEST(virtual_addresses_are_those_of_page_tables)
{
	const uint64_t table = 0x5000 | 3;

	create_machine();
	memcpy(ram + 0x4000 + 8 * 511, &table, 8);
	memcpy(ram + 0x5000 + 8 * 510, &(uint64_t){ 0x6000 | 3 }, 8);
	memcpy(ram + 0x6000 + 8, &(uint64_t){ 0x200000 | 0x83 }, 8);
	pages[1].vmcb.save.cr0 |= SVM_CR0_PG;
	pages[1].vmcb.save.cr3 = 0x4000;
	pages[1].vmcb.save.cr4 |= SVM_CR4_PAE;
	pages[1].vmcb.save.efer |= SVM_EFER_LMA | SVM_EFER_LME;
	strcpy((char *)ram + 0x212345, "some words");
	read_machine();
	dump();
	expect_segment(1, 0xffffffff80200000, 0x200000, 0x200000);
	expect_segment(2, CORE_PHYSICAL, 0, MEMORY);
	destroy();
}

START_TEST(vmcoreinfo_is_found)
{
	const Elf64_Nhdr note = { 11, sizeof(INFO) - 1, 0 };

	create_machine();
	memcpy(ram + 0x3ff000, &note, sizeof(note));
	strcpy((char *)ram + 0x3ff000 + sizeof(note), "VMCOREINFO");
	strcpy((char *)ram + 0x3ff000 + sizeof(note) + 12, INFO);
	read_machine();
	dump();
	ck_assert_mem_eq(find_note(0, 0), INFO, sizeof(INFO) - 1);
	destroy();
}

START_TEST(a_note_that_is_too_large_is_none)
{
	const Elf64_Nhdr note = { 11, 0xfffffff8, 0 };

	create_machine();
	memcpy(ram + MEMORY - 0x1000, &note, sizeof(note));
	strcpy((char *)ram + MEMORY - 0x1000 + sizeof(note), "VMCOREINFO");
	strcpy((char *)ram + MEMORY - 0x1000 + sizeof(note) + 12, INFO);
	read_machine();
	dump();
	ck_assert_ptr_null(find_note(0, 0));
	destroy();
}

START_TEST(a_file_that_cannot_be_written_is_an_error)
{
	create_machine();
	read_machine();
	ck_assert_int_eq(dump_machine(&saved, 2, "/nowhere/core"),
			 STATUS_ENVIRONMENT);
	saved_close(&saved);
	read_machine();
	ck_assert_int_eq(dump_machine(&saved, 2, "/dev/null"), STATUS_USAGE);
	munmap(ram, MEMORY);
	saved_close(&saved);
}

static const TTest **const tests[] = {
	&registers_and_memory_are_in_the_core,
	&virtual_addresses_are_those_of_page_tables,
	&vmcoreinfo_is_found,
	&a_note_that_is_too_large_is_none,
	&a_file_that_cannot_be_written_is_an_error,
};

Suite *dump_suite(void)
{
	return suite_of("dump", tests, ARRAY_SIZE(tests));
}
