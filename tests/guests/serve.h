/* SPDX-License-Identifier: GPL-2.0 */
/* The guest's side of userspace/examples/service.h */
#ifndef SERVE_H
#define SERVE_H

#include "guest.h"
#include "service.h"

/* Wait for input; return its length. */
static inline size_t serve_wait(void *input, size_t room, const void *map,
				size_t map_size)
{
	size_t length = 0;

	asm volatile("out %%al, %[port]"
		     : "+a"(length)
		     : [port] "i"(SERVICE_WAIT), "D"(input), "S"(room),
		       "d"(map), "c"(map_size)
		     : "memory");
	return length;
}

/* @wrong: 0, or the error in the input */
static inline void __attribute__((noreturn))
serve_done(uint8_t wrong, const void *answer, size_t length)
{
	for (;;)
		asm volatile("out %%al, %[port]"
			     :
			     : [port] "i"(SERVICE_DONE), "a"(wrong),
			       "D"(answer), "S"(length)
			     : "memory");
}

#endif /* SERVE_H */
