/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Calls of a guest to svmrun fuzz, for code that runs in the guest: a bare-metal program,
 * a kernel, or a program of the guest's Linux. There is nothing to link with.
 *
 *	struct svmrun_guest_areas areas;
 *	long length;
 *
 *	svmrun_guest_find(&areas);
 *	svmrun_guest_map = (uint8_t *)(uintptr_t)areas.map;
 *	length = svmrun_guest_ready(NULL, 0);
 *	parse((const uint8_t *)(uintptr_t)areas.input, length);
 *	svmrun_guest_done(0);
 *
 * A call is the instruction VMMCALL with its number in RAX and arguments in RBX and RCX;
 * the result is in RAX. It works at any privilege level. Anywhere else than in svmrun fuzz
 * the instruction causes #UD (APM volume 3).
 */
#ifndef SVMRUN_GUEST_H
#define SVMRUN_GUEST_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Numbers of the calls */
#define SVMRUN_GUEST_FIND 0x53564d00
#define SVMRUN_GUEST_READY 0x53564d01
#define SVMRUN_GUEST_DONE 0x53564d02
#define SVMRUN_GUEST_CRASH 0x53564d03
#define SVMRUN_GUEST_PRINT 0x53564d04

/*
 * Results of calls that fail, with the values of Linux's errors: memory at a virtual address
 * cannot be accessed; an argument is wrong.
 */
#define SVMRUN_GUEST_EFAULT (-14l)
#define SVMRUN_GUEST_EINVAL (-22l)

/**
 * struct svmrun_guest_areas - memory that the guest shares with the fuzzer
 * @map: guest physical address of the map of executed code, which the fuzzer clears before
 *	each run
 * @map_size: its size in bytes
 * @input: guest physical address of the input; the guest can only read it
 * @input_size: the most bytes that an input can have
 *
 * Both are outside of the guest's RAM, below 4 GiB. The map begins at a multiple of 4096.
 */
struct svmrun_guest_areas {
	uint64_t map;
	uint64_t map_size;
	uint64_t input;
	uint64_t input_size;
};

/**
 * svmrun_guest_call() - make a call with two arguments
 * @call: SVMRUN_GUEST_READY or a later one
 * @first: the first argument
 * @second: the second argument
 *
 * Return: the result of the call.
 */
static inline long svmrun_guest_call(unsigned long call, unsigned long first,
				     unsigned long second)
{
	long result;

	__asm__ volatile("vmmcall"
			 : "=a"(result)
			 : "a"(call), "b"(first), "c"(second)
			 : "memory");
	return result;
}

/**
 * svmrun_guest_find() - get the addresses of the map and of the input
 * @areas: filled in
 */
static inline void svmrun_guest_find(struct svmrun_guest_areas *areas)
{
	unsigned long map, map_size, input, input_size;

	__asm__ volatile("vmmcall"
			 : "=b"(map), "=c"(map_size), "=d"(input),
			   "=S"(input_size)
			 : "a"(SVMRUN_GUEST_FIND)
			 : "memory");
	areas->map = map;
	areas->map_size = map_size;
	areas->input = input;
	areas->input_size = input_size;
}

/**
 * svmrun_guest_ready() - wait for an input
 * @buffer: where to copy it, NULL to leave it where svmrun_guest_find() says. The memory
 *	must be present, and not shared with another process until one writes to it: write
 *	to it before
 * @room: size of @buffer in bytes; a longer input is cut
 *
 * The first call takes a snapshot of the guest. The function returns once for each input,
 * always in the state of the snapshot. A second call, before svmrun_guest_done(), has the
 * effect of svmrun_guest_done(0).
 *
 * Return: the length of the input in bytes, or SVMRUN_GUEST_EFAULT.
 */
static inline long svmrun_guest_ready(void *buffer, size_t room)
{
	return svmrun_guest_call(SVMRUN_GUEST_READY, (unsigned long)buffer,
				 room);
}

/**
 * svmrun_guest_done() - the input has been processed
 * @status: an exit status, as that of a process: 0 to 255
 */
static inline void __attribute__((noreturn)) svmrun_guest_done(uint8_t status)
{
	for (;;)
		svmrun_guest_call(SVMRUN_GUEST_DONE, status, 0);
}

/**
 * svmrun_guest_crash() - the input has caused a crash
 * @reason: a number for the report of svmrun fuzz
 */
static inline void __attribute__((noreturn))
svmrun_guest_crash(unsigned long reason)
{
	for (;;)
		svmrun_guest_call(SVMRUN_GUEST_CRASH, reason, 0);
}

/**
 * svmrun_guest_print() - print text to the standard output of svmrun fuzz
 * @text: the text
 * @length: bytes, 4096 at most
 *
 * Return: 0, SVMRUN_GUEST_EFAULT or SVMRUN_GUEST_EINVAL.
 */
static inline long svmrun_guest_print(const char *text, size_t length)
{
	return svmrun_guest_call(SVMRUN_GUEST_PRINT, (unsigned long)text,
				 length);
}

#if defined(__linux__) && __STDC_HOSTED__ && defined(SVMRUN_GUEST_LINUX)
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/**
 * svmrun_guest_map_area() - map an area into a program of the guest's Linux
 * @address: guest physical address, from svmrun_guest_find()
 * @size: bytes
 * @protection: PROT_READ, and for the map PROT_WRITE
 *
 * It needs /dev/mem and the right to open it. Define SVMRUN_GUEST_LINUX before this header
 * is included.
 *
 * Return: a pointer to @address, or NULL, see errno.
 */
static inline void *svmrun_guest_map_area(uint64_t address, size_t size,
					  int protection)
{
	uint64_t skip = address % 4096;
	int fd = open("/dev/mem", protection & PROT_WRITE ? O_RDWR : O_RDONLY);
	void *page;

	if (fd < 0)
		return NULL;
	page = mmap(NULL, size + skip, protection, MAP_SHARED, fd,
		    (off_t)(address - skip));
	close(fd);
	return page == MAP_FAILED ? NULL : (char *)page + skip;
}
#endif

/*
 * Functions that compilers call for coverage. One source file defines SVMRUN_GUEST_COVERAGE
 * before it includes this header; it must not be compiled with the option itself:
 *
 *	gcc -fsanitize-coverage=trace-pc
 *	clang -fsanitize-coverage=trace-pc-guard
 */
extern uint8_t *svmrun_guest_map; /* the map, NULL for none */
extern size_t svmrun_guest_map_size; /* a power of 2 */

#ifdef SVMRUN_GUEST_COVERAGE

#define SVMRUN_GUEST_MAP_SIZE 65536

uint8_t *svmrun_guest_map;
size_t svmrun_guest_map_size = SVMRUN_GUEST_MAP_SIZE;

/**
 * svmrun_guest_count() - count one execution
 * @place: index of the place in the map, of which excess bits are ignored
 *
 * A count that overflows becomes 1, because 0 means never executed.
 */
static inline void svmrun_guest_count(size_t place)
{
	uint8_t *count;

	if (!svmrun_guest_map)
		return;
	count = &svmrun_guest_map[place & (svmrun_guest_map_size - 1)];
	*count = *count == UINT8_MAX ? 1 : *count + 1;
}

/* gcc calls it at the beginning of each basic block. The place stands for an edge. */
void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
	static uint32_t before;
	uint32_t here = (uint32_t)(uintptr_t)__builtin_return_address(0);

	here = here * 0x9e3779b1u >> 8;
	svmrun_guest_count(here ^ before);
	before = here >> 1;
}

/* clang calls it at each edge, whose number is @guard. */
void __sanitizer_cov_trace_pc_guard(uint32_t *guard);
void __sanitizer_cov_trace_pc_guard(uint32_t *guard)
{
	svmrun_guest_count(*guard);
}

/*
 * Constructors call it with the numbers of a file's edges. A guest that has no constructors
 * calls it with &__start___sancov_guards and &__stop___sancov_guards.
 */
void __sanitizer_cov_trace_pc_guard_init(uint32_t *start, uint32_t *stop);
void __sanitizer_cov_trace_pc_guard_init(uint32_t *start, uint32_t *stop)
{
	static uint32_t last;

	if (start == stop || *start)
		return;
	while (start < stop)
		*start++ = ++last;
}

#endif /* SVMRUN_GUEST_COVERAGE */

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_GUEST_H */
