// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "afl.h"
#include "common/message.h"
#include "common/status.h"
#include "sandbox/sandbox.h"

#define REQUESTS 198
#define ANSWERS 199

/* The old greeting is one word with options; shared memory is confirmed with the same. */
#define OLD_OPTIONS 0x80000001u
#define OLD_MAP_SIZE 0x40000000u
#define OLD_SHARED_INPUT 0x01000000u
#define OLD_SIZE(size) ((uint32_t)((size)-1) << 1)

/*
 * The new one is the version, which the parent answers with its complement, options, a word
 * for each that has one, and the version again.
 */
#define NEW_VERSION 0x41464c01u
#define NEW_MAP_SIZE 0x1u
#define NEW_SHARED_INPUT 0x2u

/* The sandbox closes other descriptors that have no FD_CLOEXEC flag. */
static bool has_descriptors(void)
{
	return !fcntl(REQUESTS, F_SETFD, FD_CLOEXEC) &&
	       !fcntl(ANSWERS, F_SETFD, FD_CLOEXEC);
}

bool afl_is_parent(void)
{
	return getenv("__AFL_SHM_ID") && has_descriptors();
}

bool afl_runs_once(void)
{
	return getenv("__AFL_SHM_ID") && !has_descriptors();
}

/* ---- words --------------------------------------------------------------- */

static int read_word(uint32_t *word)
{
	ssize_t got;

	do {
		got = read(REQUESTS, word, sizeof(*word));
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	return got == sizeof(*word) ? 0 : -EPIPE;
}

static int write_word(uint32_t word)
{
	ssize_t written;

	do {
		written = write(ANSWERS, &word, sizeof(word));
	} while (written < 0 && errno == EINTR);
	if (written < 0)
		return -errno;
	return written == sizeof(word) ? 0 : -EPIPE;
}

/* ---- the greeting -------------------------------------------------------- */

/*
 * Versions before 4.20 do not know the new greeting, and later ones accept the old one. A
 * variable that only later ones set, although not the first of these, tells them apart.
 */
static bool knows_new_greeting(void)
{
	return getenv("__AFL_SHM_FUZZ_MAP_SIZE") &&
	       !getenv("AFL_OLD_FORKSERVER");
}

static int greet_new(const struct target *target)
{
	uint32_t options = NEW_MAP_SIZE;
	uint32_t answer;
	int ret = write_word(NEW_VERSION);

	if (target->input.is_shared)
		options |= NEW_SHARED_INPUT;
	if (!ret)
		ret = read_word(&answer);
	if (!ret && answer != ~NEW_VERSION)
		ret = -EPROTO;
	if (!ret)
		ret = write_word(options);
	if (!ret)
		ret = write_word(target->map_size);
	return ret ? ret : write_word(NEW_VERSION);
}

static int greet_old(const struct target *target)
{
	uint32_t options = OLD_OPTIONS | OLD_MAP_SIZE |
			   OLD_SIZE(target->map_size);
	uint32_t answer;
	int ret;

	if (!target->input.is_shared)
		return write_word(options);
	ret = write_word(options | OLD_SHARED_INPUT);
	if (!ret)
		ret = read_word(&answer);
	if (!ret && answer != (OLD_OPTIONS | OLD_SHARED_INPUT))
		ret = -EPROTO;
	return ret;
}

/* ---- requests ------------------------------------------------------------ */

static void kill_run(void *owner)
{
	target_kill(owner);
}

/* The process of the run before has been killed, or is about to be. */
static int replace_helper(struct target *target, struct helper *helper)
{
	int ret = helper_replace(helper);

	target->killed = false;
	return ret;
}

static int run_input(struct target *target, const char *file, uint32_t *status)
{
	struct verdict verdict;
	int ret = target->input.is_shared ?
			  0 :
			  area_read_input(&target->input, file);

	if (ret)
		return ret;
	pthread_mutex_lock(&target->machine.lock);
	verdict = target_run(target);
	pthread_mutex_unlock(&target->machine.lock);
	*status = verdict_wait_status(&verdict);
	return verdict.kind == INPUT_FAILED ? -EIO : 0;
}

static int reset_target(struct target *target)
{
	int ret;

	pthread_mutex_lock(&target->machine.lock);
	ret = target_reset(target);
	pthread_mutex_unlock(&target->machine.lock);
	return ret;
}

/* Serve one request. The reset is done while the parent examines the map. */
static int serve_request(struct target *target, struct helper *helper,
			 const char *file, bool was_killed)
{
	uint32_t status;
	int ret = was_killed || target->killed ?
			  replace_helper(target, helper) :
			  0;

	if (!ret)
		ret = write_word(helper->pid);
	if (!ret)
		ret = run_input(target, file, &status);
	if (!ret)
		ret = write_word(status);
	return ret ? ret : reset_target(target);
}

static int serve_failed(const struct target *target, int error)
{
	const struct outcome *outcome = &target->machine.outcome;

	if (error == EPIPE)
		return 0;
	return message_fail(STATUS_ENVIRONMENT, "cannot run an input: %s",
			    outcome->ended && *outcome->message ?
				    outcome->message :
				    strerror(error));
}

static int serve_requests(struct target *target, const char *file)
{
	struct helper helper;
	uint32_t was_killed;
	int ret = helper_start(&helper, kill_run, target);
	int status = ret ? 0 : sandbox_confine_thread(SANDBOX_FUZZ);

	if (status)
		return status;
	/* The first request has been read. */
	for (was_killed = 0; !ret;) {
		ret = serve_request(target, &helper, file, was_killed);
		if (!ret)
			ret = read_word(&was_killed);
	}
	return serve_failed(target, -ret);
}

static int prepare(struct target *target)
{
	int status;

	pthread_mutex_lock(&target->machine.lock);
	status = target_prepare(target);
	pthread_mutex_unlock(&target->machine.lock);
	return status;
}

int afl_serve(struct target *target, const char *file)
{
	uint32_t request;
	int ret = knows_new_greeting() ? greet_new(target) : greet_old(target);
	int status;

	if (!ret)
		ret = read_word(&request);
	if (ret)
		return serve_failed(target, -ret);
	status = prepare(target);
	return status ? status : serve_requests(target, file);
}
