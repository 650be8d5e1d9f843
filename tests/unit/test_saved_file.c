// SPDX-License-Identifier: GPL-2.0
/*
 * Files with a machine, as a program writes and reads them: the last machine that was written
 * completely is in the file, whatever becomes of the next one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <svmrun/saved.h>

#include "suites.h"

#define PAGE 4096
#define LOW (3ul << 20)
#define HIGH (1ul << 20)
#define RECORD (SVMRUN_STATE_OWNER + 3)

static uint8_t bytes[1000];
static struct svmrun_state state;
static struct svmrun_memory memories[2];
static struct svmrun_saved_source source;
static struct svmrun_saved saved;
static unsigned int calls, last_call;
static bool kills;

static bool stop_at_last_call(void *owner)
{
	ck_assert_ptr_eq(owner, &source);
	if (calls++ < last_call)
		return false;
	if (kills)
		_exit(0);
	return true;
}

static void *map_anonymous(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(memory, MAP_FAILED);
	return memory;
}

static void create_machine(int fd)
{
	memories[0] = (struct svmrun_memory){ map_anonymous(LOW), 0, LOW };
	memories[1] = (struct svmrun_memory){ map_anonymous(HIGH), 1ul << 32,
					      HIGH };
	source = (struct svmrun_saved_source){
		.fd = fd,
		.pagemap = -1,
		.state = &state,
		.memories = memories,
		.memory_count = 2,
		.cancelled = stop_at_last_call,
		.owner = &source,
	};
	last_call = UINT32_MAX;
	kills = false;
}

static void destroy_machine(void)
{
	munmap(memories[0].base, LOW);
	munmap(memories[1].base, HIGH);
}

/* The number is in the record and in both memories. */
static void set_number(uint32_t number)
{
	svmrun_state_init(&state, bytes, sizeof(bytes));
	svmrun_state_begin(&state, RECORD, 1);
	svmrun_state_put(&state, &number, sizeof(number));
	svmrun_state_end(&state);
	memcpy((char *)memories[0].base + number * PAGE, &number,
	       sizeof(number));
	memcpy((char *)memories[1].base + HIGH - 4, &number, sizeof(number));
}

static int write_number(uint32_t number)
{
	set_number(number);
	calls = 0;
	return svmrun_saved_write(&source);
}

static uint32_t number_at(const struct svmrun_memory *memory, uint64_t offset)
{
	uint32_t number;

	memcpy(&number, (const char *)memory->base + offset, sizeof(number));
	return number;
}

/* All pages with lower numbers are there, too, and no others. */
static void expect_memory(const struct svmrun_memory memory[2], uint32_t number)
{
	uint32_t i;

	for (i = 0; i < LOW / PAGE; i++)
		ck_assert_uint_eq(number_at(&memory[0], i * PAGE),
				  i <= number ? i : 0);
	ck_assert_uint_eq(number_at(&memory[1], HIGH - 4), number);
}

static void expect_number(int fd, uint32_t number)
{
	struct svmrun_memory memory[2] = { { NULL, 0, LOW },
					   { NULL, 1ul << 32, HIGH } };
	uint32_t value;

	ck_assert_int_eq(svmrun_saved_open(&saved, fd), 0);
	ck_assert_uint_eq(svmrun_state_next(&saved.state), RECORD);
	svmrun_state_open(&saved.state, RECORD, 1);
	svmrun_state_get(&saved.state, &value, sizeof(value));
	ck_assert_int_eq(svmrun_state_close(&saved.state, true), 0);
	ck_assert_uint_eq(value, number);
	ck_assert_int_eq(svmrun_saved_map(&saved, memory, 2), 0);
	expect_memory(memory, number);
	munmap(memory[0].base, LOW);
	munmap(memory[1].base, HIGH);
	svmrun_saved_close(&saved);
}

static uint64_t blocks_of(int fd)
{
	struct stat stat;

	ck_assert_int_eq(fstat(fd, &stat), 0);
	return (uint64_t)stat.st_blocks * 512;
}

START_TEST(a_machine_replaces_the_previous_one)
{
	int fd = memfd_create("file", MFD_CLOEXEC);
	uint32_t i;

	create_machine(fd);
	for (i = 1; i < 8; i++) {
		ck_assert_int_eq(write_number(i), 0);
		ck_assert_uint_le(blocks_of(fd), (i + 5) * PAGE);
		ck_assert_int_le(lseek(fd, 0, SEEK_END),
				 2 * (LOW + HIGH + 16 * PAGE));
		expect_number(fd, i);
	}
	destroy_machine();
	close(fd);
}

START_TEST(an_error_keeps_the_previous_machine)
{
	int fd = memfd_create("file", MFD_CLOEXEC), ret;
	uint64_t blocks;

	create_machine(fd);
	ck_assert_int_eq(write_number(1), 0);
	/* Reading holes fills them in this file system. */
	expect_number(fd, 1);
	blocks = blocks_of(fd);
	for (last_call = 0; (ret = write_number(2)); last_call++) {
		ck_assert_int_eq(ret, -ECANCELED);
		expect_number(fd, 1);
		ck_assert_uint_eq(blocks_of(fd), blocks);
	}
	ck_assert_uint_ge(last_call, 5);
	expect_number(fd, 2);
	destroy_machine();
	close(fd);
}

/* The child is killed at each step, of a file that has its machine in front or behind. */
START_TEST(an_end_of_the_program_keeps_the_previous_machine)
{
	int fd = memfd_create("file", MFD_CLOEXEC), status;
	uint32_t number = 1;

	create_machine(fd);
	ck_assert_int_eq(write_number(number), 0);
	kills = true;
	for (last_call = 0; number < 3; last_call++) {
		pid_t child = fork();

		if (!child)
			_exit(write_number(number + 1) ? 2 : 1);
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert_int_le(WEXITSTATUS(status), 256);
		if (WEXITSTATUS(status)) {
			set_number(++number);
			last_call = 0;
		}
		expect_number(fd, number);
	}
	destroy_machine();
	close(fd);
}

START_TEST(an_error_leaves_an_empty_file_empty)
{
	int fd = memfd_create("file", MFD_CLOEXEC);

	create_machine(fd);
	last_call = 3;
	ck_assert_int_eq(write_number(1), -ECANCELED);
	ck_assert_int_eq(lseek(fd, 0, SEEK_END), 0);
	ck_assert_int_eq(svmrun_saved_open(&saved, fd), -ENODATA);
	destroy_machine();
	close(fd);
}

START_TEST(another_file_is_overwritten)
{
	int fd = memfd_create("file", MFD_CLOEXEC);
	uint32_t i;

	for (i = 0; i < 10000; i++)
		ck_assert_int_eq(write(fd, "no machine", 10), 10);
	ck_assert_int_eq(svmrun_saved_open(&saved, fd), -ENOEXEC);
	create_machine(fd);
	ck_assert_int_eq(write_number(1), 0);
	expect_number(fd, 1);
	destroy_machine();
	close(fd);
}

/* Pages that the process has not read exist only in the base. */
START_TEST(a_machine_from_a_file_is_written_to_another)
{
	int fd = memfd_create("file", MFD_CLOEXEC);
	int other = memfd_create("other", MFD_CLOEXEC);

	create_machine(fd);
	write_number(1);
	destroy_machine();
	ck_assert_int_eq(svmrun_saved_open(&saved, fd), 0);
	ck_assert_int_eq(svmrun_saved_map(&saved, memories, 2), 0);
	source.base = &saved;
	source.fd = other;
	source.pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(write_number(2), 0);
	close(source.pagemap);
	svmrun_saved_close(&saved);
	ck_assert_uint_le(blocks_of(other), 8 * PAGE);
	expect_number(other, 2);
	expect_number(fd, 1);
	destroy_machine();
	close(fd);
	close(other);
}

START_TEST(memory_of_another_size_is_not_mapped)
{
	struct svmrun_memory memory = { NULL, 0, LOW };
	int fd = memfd_create("file", MFD_CLOEXEC);

	create_machine(fd);
	write_number(1);
	ck_assert_int_eq(svmrun_saved_open(&saved, fd), 0);
	ck_assert_int_eq(svmrun_saved_map(&saved, &memory, 1), -EINVAL);
	ck_assert_ptr_null(memory.base);
	svmrun_saved_close(&saved);
	destroy_machine();
	close(fd);
}

static const TTest **const tests[] = {
	&a_machine_replaces_the_previous_one,
	&an_error_keeps_the_previous_machine,
	&an_end_of_the_program_keeps_the_previous_machine,
	&an_error_leaves_an_empty_file_empty,
	&another_file_is_overwritten,
	&a_machine_from_a_file_is_written_to_another,
	&memory_of_another_size_is_not_mapped,
};

Suite *saved_file_suite(void)
{
	return suite_of("saved_file", tests, ARRAY_SIZE(tests));
}
