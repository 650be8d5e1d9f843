// SPDX-License-Identifier: GPL-2.0
/*
 * A target of svmrun fuzz: the parser with the planted bug. The parser is compiled with
 * -fsanitize-coverage=trace-pc. An input that begins with "request " is one of the tests,
 * which no fuzzer finds: nothing of it is in the map.
 */
#define SVMRUN_GUEST_COVERAGE
#include <svmrun_guest.h>

#include "guest.h"
#include "parser.h"

#define REQUEST "request "
#define REQUEST_LENGTH 8

#define NO_MEMORY 0xa0000000ul
#define NOT_MAPPED (1ul << 40) /* beyond what the page tables map */

static uint8_t count;
static uint8_t serial; /* status of the serial port before the snapshot */

static void __attribute__((noreturn)) loop_forever(void)
{
	for (;;)
		asm volatile("pause");
}

static void obey(uint8_t request, const uint8_t *input)
{
	switch (request) {
	case 'c':
		svmrun_guest_crash(0x1234);
	case 'd':
		svmrun_guest_done(7);
	case 'e':
		asm volatile("ud2");
		break;
	case 'f':
		*(volatile uint8_t *)NOT_MAPPED = 1;
		break;
	case 'h':
		asm volatile("cli; hlt");
		break;
	case 'i': /* which is read-only */
		*(volatile uint8_t *)input = 0;
		break;
	case 'l':
		loop_forever();
	case 'o':
		out8(0xf4, 3);
		break;
	case 'p':
		svmrun_guest_print("printed\n", 8);
		svmrun_guest_done(0);
	case 'r':
		svmrun_guest_ready(NULL, 0);
		break;
	case 's':
		svmrun_guest_done(count++);
	case 'u':
		*(volatile uint8_t *)NO_MEMORY = 1;
		break;
	case 't': /* the byte after the input, if that is only the request */
		svmrun_guest_done(input[REQUEST_LENGTH + 1]);
	case 'v': {
		uint32_t eax = 0, ebx, ecx, edx;

		asm volatile("cpuid"
			     : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
		svmrun_guest_done(0);
	}
	case 'w': /* does input wait at the serial port? */
		svmrun_guest_done(serial & 1);
	}
	svmrun_guest_crash(request);
}

static int is_request(const uint8_t *input, long length)
{
	const char *word = REQUEST;
	int i;

	if (length <= REQUEST_LENGTH)
		return 0;
	for (i = 0; i < REQUEST_LENGTH; i++)
		if (input[i] != word[i])
			return 0;
	return 1;
}

int main(void)
{
	struct svmrun_guest_areas areas;
	const uint8_t *input;
	long length;

	__sanitizer_cov_trace_pc_guard_init(__start___sancov_guards,
					    __stop___sancov_guards);
	svmrun_guest_find(&areas);
	svmrun_guest_map = (uint8_t *)areas.map;
	svmrun_guest_map_size = areas.map_size;
	input = (const uint8_t *)areas.input;
	serial = in8(0x3fd);
	length = svmrun_guest_ready(NULL, 0);
	if (is_request(input, length))
		obey(input[REQUEST_LENGTH], input);
	svmrun_guest_done(parse(input, length));
}
