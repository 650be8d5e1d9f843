// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's output: order, a reader that is slow or does not read at all, errors, and
 * the end of the run.
 */
#include <fcntl.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/status.h"
#include "suites.h"
#include "backend/output.h"

#define MANY (200u << 10)
#define LONG_TIME (60 * NANOSECONDS)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct outcome outcome;
static struct output output;
static pthread_cond_t woken = PTHREAD_COND_INITIALIZER;
static int ends[2];

static void wake(void *owner)
{
	ck_assert_ptr_eq(owner, &output);
	pthread_cond_broadcast(&woken);
}

static void begin(int fd)
{
	const struct output_machine machine = {
		.lock = &lock,
		.outcome = &outcome,
		.wake = wake,
		.owner = &output,
	};

	output_init(&output, fd, &machine);
	ck_assert_int_eq(output_start(&output), 0);
}

static void begin_pipe(void)
{
	ck_assert_int_eq(pipe(ends), 0);
	begin(ends[1]);
}

static void end(void)
{
	output_end(&output);
	ck_assert(output_wait(&output, clock_now() + LONG_TIME));
	close(ends[0]);
	close(ends[1]);
}

static char letter(unsigned int i)
{
	return 'a' + i % 23;
}

static void add_text(const char *text)
{
	pthread_mutex_lock(&lock);
	while (*text)
		output_add(&output, *text++);
	output_flush(&output);
	pthread_mutex_unlock(&lock);
}

static void expect_text(const char *want)
{
	char got[64] = "";

	ck_assert_int_eq(read(ends[0], got, sizeof(got) - 1), strlen(want));
	ck_assert_str_eq(got, want);
}

START_TEST(lines_are_written_at_once)
{
	begin_pipe();
	add_text("first\n");
	expect_text("first\n");
	add_text("second\n");
	expect_text("second\n");
	end();
}

START_TEST(incomplete_line_is_written_at_the_end)
{
	begin_pipe();
	pthread_mutex_lock(&lock);
	output_add(&output, '>');
	pthread_mutex_unlock(&lock);
	output_end(&output);
	ck_assert(output_wait(&output, clock_now() + LONG_TIME));
	expect_text(">");
}

/* Add more than there is room for, as a processor does: it waits while the buffer is full. */
static void *add_many(void *argument)
{
	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < MANY; i++) {
		while (output_is_full(&output))
			pthread_cond_wait(&woken, &lock);
		output_add(&output, letter(i));
		output_flush(&output);
	}
	while (!output_is_empty(&output))
		pthread_cond_wait(&woken, &lock);
	pthread_mutex_unlock(&lock);
	return NULL;
}

START_TEST(slow_reader_gets_all_output)
{
	pthread_t thread;
	char byte;

	begin_pipe();
	ck_assert_int_eq(pthread_create(&thread, NULL, add_many, NULL), 0);
	for (unsigned int i = 0; i < MANY; i++)
		if (read(ends[0], &byte, 1) != 1 || byte != letter(i))
			ck_abort_msg("byte %u", i);
	pthread_join(thread, NULL);
	end();
}

START_TEST(non_blocking_file_gets_all_output)
{
	pthread_t thread;
	char byte;

	begin_pipe();
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	ck_assert_int_eq(pthread_create(&thread, NULL, add_many, NULL), 0);
	for (unsigned int i = 0; i < MANY; i++)
		if (read(ends[0], &byte, 1) != 1 || byte != letter(i))
			ck_abort_msg("byte %u", i);
	pthread_join(thread, NULL);
	end();
}

static void fill(void)
{
	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < OUTPUT_SIZE; i++)
		output_add(&output, letter(i));
	output_flush(&output);
	pthread_mutex_unlock(&lock);
}

/* The lock is free all the time, and the end of the run does not wait. */
START_TEST(stuck_reader_does_not_hold_the_lock)
{
	size_t room;

	begin_pipe();
	room = fcntl(ends[1], F_SETPIPE_SZ, 4096);
	fill();
	fill();
	fill();
	pthread_mutex_lock(&lock);
	ck_assert(output_is_full(&output));
	output_add(&output, 'x');
	ck_assert_uint_le(output.size, OUTPUT_SIZE);
	pthread_mutex_unlock(&lock);
	output_end(&output);
	ck_assert(!output_wait(&output, clock_now() + NANOSECONDS / 20));
	ck_assert(!output_wait(&output, clock_now() + NANOSECONDS / 20));
	ck_assert_uint_ge(output_abandon(&output), OUTPUT_SIZE - room);
	close(ends[0]);
	pthread_mutex_lock(&lock);
	while (!output.ended)
		pthread_cond_wait(&output.ended_changed, &lock);
	pthread_mutex_unlock(&lock);
	close(ends[1]);
}

START_TEST(write_error_ends_the_run)
{
	begin(-1);
	add_text("text");
	pthread_mutex_lock(&lock);
	while (!output_is_empty(&output))
		pthread_cond_wait(&woken, &lock);
	ck_assert(outcome.ended);
	ck_assert_int_eq(outcome.status, STATUS_ENVIRONMENT);
	ck_assert_str_eq(outcome.message,
			 "standard output: Bad file descriptor");
	output_add(&output, 'x');
	ck_assert(output_is_empty(&output));
	pthread_mutex_unlock(&lock);
	output_end(&output);
	ck_assert(output_wait(&output, clock_now() + LONG_TIME));
}

START_TEST(wait_without_thread_returns)
{
	const struct output_machine machine = { .lock = &lock };

	output_init(&output, -1, &machine);
	output_end(&output);
	ck_assert(output_wait(&output, 0));
}

Suite *output_suite(void)
{
	Suite *suite = suite_create("output");
	TCase *tcase = tcase_create("output");

	tcase_add_test(tcase, lines_are_written_at_once);
	tcase_add_test(tcase, incomplete_line_is_written_at_the_end);
	tcase_add_test(tcase, slow_reader_gets_all_output);
	tcase_add_test(tcase, non_blocking_file_gets_all_output);
	tcase_add_test(tcase, stuck_reader_does_not_hold_the_lock);
	tcase_add_test(tcase, write_error_ends_the_run);
	tcase_add_test(tcase, wait_without_thread_returns);
	suite_add_tcase(suite, tcase);
	return suite;
}
