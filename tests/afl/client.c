// SPDX-License-Identifier: GPL-2.0
/*
 * The part of AFL++'s tools that talks to a fork server, to test svmrun fuzz without them:
 * both greetings, inputs in shared memory and in a file, the map, statuses, and time-outs.
 * Prints TAP.
 *
 *	client SVMRUN GUEST SILENT	SILENT: a guest that makes no calls, beside its symbols
 *	client --cost RUNS COMMAND...	print the ticks of the TSC per run of a fork server
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define REQUESTS 198
#define ANSWERS 199
#define MAP_SIZE 65536
#define INPUT_SIZE (1 << 20)
#define PATIENCE                                                               \
	120000 /* ms until a fork server that does not answer is given up */
#define INPUT "SVMPW1E"
#define WARM_UP 20 /* runs */
#define TIMEOUT 500 /* ms for a run that does not end */

#define OLD_GREETING 0xc0000001u
#define OLD_SHARED_INPUT 0x01000000u
#define NEW_GREETING 0x41464c01u
#define INPUT_FILE "client.input"
#define BREAK_FILE "client.break"

struct input {
	uint32_t length;
	uint8_t bytes[INPUT_SIZE];
};

/**
 * struct server - a fork server
 * @pid: its process
 * @requests: pipe to it
 * @answers: pipe from it
 * @map: the map of executed code
 * @map_id: its ID as shared memory
 * @input: the input, NULL if it is in a file
 * @input_id: its ID
 * @run: the process of the last run
 * @was_killed: the run before timed out
 */
struct server {
	pid_t pid;
	int requests;
	int answers;
	uint8_t *map;
	int map_id;
	struct input *input;
	int input_id;
	pid_t run;
	uint32_t was_killed;
};

static char **command; /* of the fork server */
static unsigned int tests, failures;

static void check(bool good, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void check(bool good, const char *format, ...)
{
	va_list arguments;

	printf("%sok %u ", good ? "" : "not ", ++tests);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	fflush(stdout);
	failures += !good;
}

/* ---- the process --------------------------------------------------------- */

static void *share(size_t size, const char *variable, int *id)
{
	char text[16];

	*id = shmget(IPC_PRIVATE, size, IPC_CREAT | IPC_EXCL | 0600);
	if (*id < 0) {
		perror("shmget");
		exit(1);
	}
	snprintf(text, sizeof(text), "%d", *id);
	setenv(variable, text, 1);
	return shmat(*id, NULL, 0);
}

static void become_server(const int *requests, const int *answers)
{
	dup2(requests[0], REQUESTS);
	dup2(answers[1], ANSWERS);
	close(requests[0]);
	close(requests[1]);
	close(answers[0]);
	close(answers[1]);
	execvp(*command, command);
	perror(*command);
	_exit(127);
}

/* @shared: inputs are in shared memory; @is_new: announce the new greeting */
static void start(struct server *server, bool shared, bool is_new)
{
	int requests[2], answers[2];

	*server = (struct server){ .input_id = -1 };
	server->map = share(MAP_SIZE, "__AFL_SHM_ID", &server->map_id);
	unsetenv("__AFL_SHM_FUZZ_ID");
	unsetenv("__AFL_SHM_FUZZ_MAP_SIZE");
	if (shared)
		server->input = share(sizeof(struct input), "__AFL_SHM_FUZZ_ID",
				      &server->input_id);
	if (is_new)
		setenv("__AFL_SHM_FUZZ_MAP_SIZE", "1048580", 1);
	if (pipe2(requests, 0) || pipe2(answers, 0))
		exit(1);
	server->pid = fork();
	if (!server->pid)
		become_server(requests, answers);
	close(requests[0]);
	close(answers[1]);
	server->requests = requests[1];
	server->answers = answers[0];
}

/* The end of the pipe ends the server. */
static int stop(struct server *server)
{
	int status;

	close(server->requests);
	close(server->answers);
	waitpid(server->pid, &status, 0);
	shmdt(server->map);
	shmctl(server->map_id, IPC_RMID, NULL);
	if (server->input) {
		shmdt(server->input);
		shmctl(server->input_id, IPC_RMID, NULL);
	}
	return status;
}

/* ---- words --------------------------------------------------------------- */

static bool wait_for_answer(const struct server *server, int timeout)
{
	struct pollfd fd = { .fd = server->answers, .events = POLLIN };

	return poll(&fd, 1, timeout) > 0;
}

/* Return 0xffffffff, which is no answer, after an error. */
static uint32_t answer(const struct server *server)
{
	uint32_t word;

	if (!wait_for_answer(server, PATIENCE) ||
	    read(server->answers, &word, sizeof(word)) != sizeof(word))
		return 0xffffffff;
	return word;
}

static void request(const struct server *server, uint32_t word)
{
	if (write(server->requests, &word, sizeof(word)) != sizeof(word))
		perror("write");
}

/* ---- runs ---------------------------------------------------------------- */

static void give_input(const struct server *server, const char *text)
{
	size_t length = strlen(text);
	int fd;

	if (server->input) {
		server->input->length = length;
		memcpy(server->input->bytes, text, length);
		return;
	}
	unlink(INPUT_FILE); /* as afl-fuzz does */
	fd = open(INPUT_FILE, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0 || write(fd, text, length) != (ssize_t)length)
		perror(INPUT_FILE);
	close(fd);
}

/* Return the status as of wait(). A run that does not end is killed, as by afl-fuzz. */
static int run(struct server *server, const char *text, int timeout)
{
	pid_t pid;

	memset(server->map, 0, MAP_SIZE);
	give_input(server, text);
	request(server, server->was_killed);
	server->was_killed = 0;
	pid = answer(server);
	if (pid <= 0 || kill(pid, 0))
		return -1;
	server->run = pid;
	if (!wait_for_answer(server, timeout)) {
		kill(pid, SIGKILL);
		server->was_killed = 1;
	}
	return answer(server);
}

static unsigned int count_places(const struct server *server)
{
	unsigned int count = 0;
	size_t i;

	for (i = 0; i < MAP_SIZE; i++)
		count += server->map[i] != 0;
	return count;
}

/* ---- the tests ----------------------------------------------------------- */

static void test_old_greeting(const struct server *server)
{
	uint32_t greeting = answer(server);
	uint32_t options = OLD_GREETING | (MAP_SIZE - 1) << 1;

	if (server->input)
		options |= OLD_SHARED_INPUT;
	check(greeting == options, "old greeting: 0x%08x", greeting);
	if (server->input)
		request(server, 0x80000001 | OLD_SHARED_INPUT);
}

static void test_new_greeting(const struct server *server)
{
	uint32_t greeting = answer(server), options, size, last;

	check(greeting == NEW_GREETING, "new greeting: 0x%08x", greeting);
	request(server, ~greeting);
	options = answer(server);
	check(options == (server->input ? 3 : 1), "options: 0x%x", options);
	size = answer(server);
	check(size == MAP_SIZE, "size of the map: %u", size);
	last = answer(server);
	check(last == NEW_GREETING, "end of the greeting: 0x%08x", last);
}

static const struct {
	const char *input;
	int status;
} ends[] = {
	{ "SVMPW1E", 0 },	 { "SVMPX", 2 << 8 },
	{ "request d", 7 << 8 }, { "request o", 7 << 8 },
	{ "request h", 0 },	 { "request c", SIGABRT },
	{ "request e", SIGILL }, { "request f", SIGSEGV },
	{ "request u", SIGBUS }, { "request r", 0 },
	{ "request i", SIGBUS }, { "SVMPC\xffL\xfc\x08\x45", SIGBUS },
};

static void test_ends(struct server *server)
{
	int status;
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		status = run(server, ends[i].input, PATIENCE);
		check(status == ends[i].status, "input %zu: status 0x%x", i,
		      status);
	}
}

static void test_map(struct server *server)
{
	unsigned int little, more, again;

	run(server, "S", PATIENCE);
	little = count_places(server);
	run(server, "SVMPW1C2L12E", PATIENCE);
	more = count_places(server);
	run(server, "S", PATIENCE);
	again = count_places(server);
	check(little && more > little, "the map counts code: %u, %u", little,
	      more);
	check(again == little, "the map depends on the input only: %u", again);
}

/* The guest returns a counter in its memory. */
static void test_reset(struct server *server)
{
	int i, status = 0;

	for (i = 0; i < 20 && !status; i++)
		status = run(server, "request s", PATIENCE);
	check(!status, "each run finds the same memory: status 0x%x", status);
	status = run(server, "request tx", PATIENCE);
	check(status == 'x' << 8 && !run(server, "request t", PATIENCE),
	      "no run finds the end of a longer input: status 0x%x", status);
}

/* The process that is killed if a run takes too long has no pages of the vCPU. */
static void test_process(const struct server *server)
{
	char path[64], line[512];
	unsigned int count = 0, found = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", server->run);
	maps = fopen(path, "re");
	for (; maps && fgets(line, sizeof(line), maps); count++)
		found += !!strstr(line, "svmrun-vcpu");
	if (maps)
		fclose(maps);
	check(count && !found, "the process of a run does not keep the VM");
}

static void test_timeout(struct server *server)
{
	int i, status, good = 0;

	for (i = 0; i < 3; i++) {
		status = run(server, "request l", TIMEOUT);
		good += status == SIGKILL && server->was_killed &&
			!run(server, "SVMPW1E", PATIENCE);
	}
	check(good == 3, "runs that do not end are killed: %d of 3", good);
}

static void test_server(bool shared, bool is_new)
{
	struct server server;
	int status;

	printf("# inputs in %s, %s greeting\n",
	       shared ? "shared memory" : "a file", is_new ? "new" : "old");
	start(&server, shared, is_new);
	if (is_new)
		test_new_greeting(&server);
	else
		test_old_greeting(&server);
	test_ends(&server);
	test_map(&server);
	test_reset(&server);
	test_process(&server);
	test_timeout(&server);
	status = stop(&server);
	check(!status, "the server ends with the pipe: status 0x%x", status);
}

/* A fuzzer that dies leaves neither the server nor the process whose ID it was told. */
static void test_orphan(void)
{
	struct server server;
	pid_t pid = 0;
	int i;

	start(&server, true, false);
	answer(&server);
	request(&server, 0x80000001 | OLD_SHARED_INPUT);
	request(&server, 0);
	pid = answer(&server);
	answer(&server);
	kill(server.pid, SIGKILL);
	for (i = 0; i < 100 && !kill(pid, 0); i++)
		usleep(50000);
	check(pid > 0 && kill(pid, 0), "no process is left behind");
	stop(&server);
}

/* ---- a guest that makes no calls ----------------------------------------- */

/* Return the address of a symbol as text, which is never freed. */
static char *symbol(const char *guest, const char *name)
{
	char path[256], address[32], other[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s.symbols", guest);
	file = fopen(path, "r");
	if (!file)
		exit(1);
	while (strcmp(other, name))
		if (fscanf(file, "%31s %63s", address, other) != 2)
			exit(1);
	fclose(file);
	return strdup(address);
}

/* The last address is not mapped, and has to be skipped. */
static void write_break_file(const char *guest)
{
	static const char *const names[] = { "second_part", "handle",
					     "first_part", "trap", "handle" };
	FILE *file = fopen(BREAK_FILE, "w");
	size_t i;

	if (!file)
		exit(1);
	fputs("# basic blocks\n\n", file);
	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		fprintf(file, " %s:\tnop\n", symbol(guest, names[i]));
	fputs("10000000000\n", file);
	fclose(file);
}

static void use_silent_guest(char *tool, char *guest)
{
	static char input[64];
	static char *words[16];

	snprintf(input, sizeof(input), "%s,4K,rsi", symbol(guest, "input"));
	words[0] = tool;
	words[1] = "fuzz";
	words[2] = "--mem";
	words[3] = "16M";
	words[4] = "--start";
	words[5] = symbol(guest, "handle");
	words[6] = "--input";
	words[7] = input;
	words[8] = "--end";
	words[9] = symbol(guest, "handled");
	words[10] = "--break";
	words[11] = BREAK_FILE;
	words[12] = guest;
	command = words;
}

static const struct {
	const char *input;
	int status;
	unsigned int places;
} silent_runs[] = {
	{ "x", 0, 1 },	      { "p", 0, 2 },	  { "q", 0, 3 },
	{ "x", 0, 1 },	      { "q", 0, 3 },	  { "b", 7 << 8, 2 },
	{ "l12", 7 << 8, 1 }, { "b", 7 << 8, 2 },
};

static void test_breakpoints(char *tool, char *guest)
{
	struct server server;
	unsigned int count, want;
	int status;
	size_t i;

	printf("# a guest that makes no calls, with breakpoints\n");
	write_break_file(guest);
	use_silent_guest(tool, guest);
	start(&server, true, false);
	test_old_greeting(&server);
	for (i = 0; i < sizeof(silent_runs) / sizeof(*silent_runs); i++) {
		status = run(&server, silent_runs[i].input, PATIENCE);
		count = count_places(&server);
		want = silent_runs[i].places;
		check(status == silent_runs[i].status && count == want,
		      "input %s: status 0x%x, %u places in the map",
		      silent_runs[i].input, status, count);
	}
	stop(&server);
}

/* The greeting may have options, of which only shared memory for inputs is answered. */
static int print_cost(unsigned long runs)
{
	const uint32_t options = 0x80000001 | OLD_SHARED_INPUT;
	struct server server;
	unsigned long i;
	uint64_t before;
	int status = 0;

	start(&server, true, false);
	if ((answer(&server) & options) == options)
		request(&server, options);
	for (i = 0; i < WARM_UP && !status; i++)
		status = run(&server, INPUT, PATIENCE);
	before = __rdtsc();
	for (i = 0; i < runs && !status; i++)
		status = run(&server, INPUT, PATIENCE);
	printf("%llu ticks per run, %u places in the map\n",
	       (unsigned long long)(__rdtsc() - before) / runs,
	       count_places(&server));
	stop(&server);
	return status != 0;
}

static void use_tool(char *tool, char *guest)
{
	static char *words[7];

	words[0] = tool;
	words[1] = "fuzz";
	words[2] = "--mem";
	words[3] = "16M";
	words[4] = guest;
	words[5] = INPUT_FILE;
	command = words;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc > 3 && !strcmp(argv[1], "--cost")) {
		command = argv + 3;
		return print_cost(strtoul(argv[2], NULL, 0));
	}
	if (argc != 4)
		return 2;
	use_tool(argv[1], argv[2]);
	test_server(true, false);
	test_server(false, false);
	test_server(true, true);
	test_server(false, true);
	test_orphan();
	test_breakpoints(argv[1], argv[3]);
	printf("1..%u\n", tests);
	return failures != 0;
}
