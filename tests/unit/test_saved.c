// SPDX-License-Identifier: GPL-2.0
/*
 * Files with saved machines: a machine returns from one; what is damaged, cut off or of
 * another version is refused with a message.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/status.h"
#include "saved/header.h"
#include "suites.h"
#include "vcpu_pages.h"
#include "vmm/machine.h"
#include "vmm/saved.h"
#include "xorshift.h"

#define MEMORY 0x4000

static struct vcpu_pages pages;
static struct cpu cpu;
static struct machine machine;
static struct run_options options, loaded;
static struct saved saved = { .name = "file" };
static uint8_t records[1 << 18];
static struct svmrun_state state;
static struct saved_header header;
static char *ram;

static void create_machine(struct run_options *of)
{
	machine = (struct machine){ .cpus = &cpu, .cpu_count = 1 };
	machine_init(&machine, of);
	machine.info.out_xcr0 = 7;
	machine.info.out_gpa_bits = 40;
	machine.open_bus = true;
	machine.memories[0] = (struct svmrun_memory){ ram, 0, MEMORY };
	machine.memory_count = 1;
	machine_attach_rng(&machine);
	cpu = (struct cpu){ .machine = &machine,
			    .vcpu = vcpu_pages_fill(&pages) };
	svmrun_mode_reset(&cpu.vcpu);
}

static void seal(void)
{
	header = (struct saved_header){
		.magic = SAVED_MAGIC,
		.version = SVMRUN_SAVED_VERSION,
		.records = 4096,
		.records_size = state.used,
		.memory = (4096 + state.used + 4095) / 4096 * 4096,
	};
	header.end = header.memory + MEMORY;
	header.crc = saved_header_crc(&header, records);
}

static void make_records(void)
{
	svmrun_state_init(&state, records, sizeof(records));
	ck_assert_int_eq(machine_state_save(&machine, "/folder", &state), 0);
	seal();
}

/* Write the file, and return it. */
static int write_file(void)
{
	int fd = memfd_create("saved", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, MEMORY + sizeof(records)), 0);
	ck_assert_int_eq(pwrite(fd, &header, sizeof(header), 0),
			 sizeof(header));
	ck_assert_int_eq(pwrite(fd, records, state.used, 4096), state.used);
	ck_assert_int_eq(pwrite(fd, "memory", 6, header.memory + 0x1000), 6);
	return fd;
}

static int save_machine_to_file(void)
{
	ram = calloc(1, MEMORY);
	options = (struct run_options){ .cpus = 1,
					.memory = MEMORY,
					.msr = MSR_IGNORE };
	create_machine(&options);
	pages.vmcb.save.rip = 0x1234;
	pages.regs.rbx = 77;
	cpu.halted = true;
	make_records();
	return write_file();
}

static int read_file(int fd)
{
	loaded = (struct run_options){ .trace = true };
	return saved_read(&saved, fd, &loaded);
}

START_TEST(a_machine_returns)
{
	struct svmrun_memory memories[MACHINE_MEMORIES];
	int fd = save_machine_to_file();

	ck_assert_int_eq(read_file(fd), 0);
	ck_assert_uint_eq(loaded.memory, MEMORY);
	ck_assert_uint_eq(loaded.cpus, 1);
	ck_assert_int_eq(loaded.msr, MSR_IGNORE);
	ck_assert(loaded.trace);
	ck_assert(saved.plan.is_pc);
	ck_assert_int_eq(saved_map_memory(&saved, memories), 0);
	ck_assert_str_eq((char *)memories[0].base + 0x1000, "memory");
	create_machine(&loaded);
	ck_assert_int_eq(saved_load(&saved, &machine), 0);
	ck_assert_uint_eq(pages.vmcb.save.rip, 0x1234);
	ck_assert_uint_eq(pages.regs.rbx, 77);
	ck_assert(cpu.halted);
	munmap(memories[0].base, MEMORY);
	saved_close(&saved);
	free(ram);
}

static void refuses(int fd)
{
	ck_assert_int_eq(read_file(fd), STATUS_USAGE);
}

START_TEST(a_damaged_header_is_refused)
{
	const struct saved_header good = (save_machine_to_file(), header);

	header = good;
	header.magic[0] ^= 1;
	refuses(write_file());
	header = good;
	header.version++;
	refuses(write_file());
	header = good;
	header.crc ^= 1;
	refuses(write_file());
	header = good;
	header.records = 1ull << 60;
	refuses(write_file());
	header = good;
	header.memory += 1;
	refuses(write_file());
	header = good;
	header.memory = 0;
	refuses(write_file());
	header = good;
	header.records = 63;
	refuses(write_file());
	header = good;
	header.records_size = 1ull << 60;
	refuses(write_file());
	header = good;
	header.end += 1 << 20;
	refuses(write_file());
	header = good;
	header.end = header.memory - 4096;
	refuses(write_file());
	free(ram);
}

START_TEST(a_file_that_is_cut_off_is_refused)
{
	int fd = save_machine_to_file();
	off_t size = header.end;

	for (; size; size -= size > 4096 ? 4096 : 16) {
		ck_assert_int_eq(ftruncate(fd, size - 1), 0);
		refuses(dup(fd));
	}
	close(fd);
	free(ram);
}

START_TEST(a_file_that_is_being_written_is_refused)
{
	int fd = memfd_create("saved", MFD_CLOEXEC);

	refuses(fd);
}

/* With a correct checksum: whatever is changed, there is an error or a machine. */
START_TEST(changed_records_are_refused_or_valid)
{
	static uint8_t good[sizeof(records)];
	uint64_t seed = 6;
	size_t i, size;

	close(save_machine_to_file());
	size = state.used;
	memcpy(good, records, size);
	for (i = 0; i < size; i += 1 + xorshift_below(&seed, 4)) {
		memcpy(records, good, size);
		records[i] ^= 1 << xorshift_below(&seed, 8);
		seal();
		if (read_file(write_file()))
			continue;
		if (loaded.memory == MEMORY && loaded.cpus == 1 &&
		    !loaded.disk_count && !loaded.testdev) {
			create_machine(&loaded);
			saved_load(&saved, &machine);
		}
		saved_close(&saved);
	}
	free(ram);
}

START_TEST(time_stands_still_or_goes_on)
{
	uint64_t then;

	close(save_machine_to_file());
	then = clock_now();
	make_records();
	usleep(20000);
	ck_assert_int_eq(read_file(write_file()), 0);
	create_machine(&loaded);
	clock_continue(5);
	ck_assert_int_eq(saved_load(&saved, &machine), 0);
	ck_assert_uint_ge(clock_now(), then);
	saved_close(&saved);
	ck_assert_int_eq(read_file(write_file()), 0);
	loaded.clock = CLOCK_CONTINUE;
	create_machine(&loaded);
	clock_continue(5);
	ck_assert_int_eq(saved_load(&saved, &machine), 0);
	ck_assert_uint_ge(clock_now(), then + 20000000);
	saved_close(&saved);
	free(ram);
}

static const TTest **const tests[] = {
	&a_machine_returns,
	&a_damaged_header_is_refused,
	&a_file_that_is_cut_off_is_refused,
	&a_file_that_is_being_written_is_refused,
	&changed_records_are_refused_or_valid,
	&time_stands_still_or_goes_on,
};

Suite *saved_suite(void)
{
	return suite_of("saved", tests, ARRAY_SIZE(tests));
}
