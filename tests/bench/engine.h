/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What runs a guest: svmrun or KVM, with the same calls, so that the work that is
 * measured is written once. What fails ends the program.
 */
#ifndef ENGINE_H
#define ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct machine;

/**
 * struct engine - svmrun or KVM
 * @name: its name
 * @available: can VMs be created here?
 * @create: a VM with one vCPU in 32-bit protected mode, flat, without paging
 * @destroy: the mirror of @create
 * @map: give the VM a range of memory, with a log of what it writes if asked
 * @start: where the guest goes on, and its EBX and ECX
 * @run: until the guest leaves for a reason that is the program's
 * @step: over the instruction that it left at, of @length bytes
 * @null: the least that a call on the vCPU's file descriptor costs
 */
struct engine {
	const char *name;
	bool (*available)(void);
	struct machine *(*create)(void);
	void (*destroy)(struct machine *machine);
	void (*map)(struct machine *machine, uint64_t gpa, void *hva,
		    size_t size, bool log);
	void (*start)(struct machine *machine, uint32_t eip, uint32_t ebx,
		      uint32_t ecx);
	void (*run)(struct machine *machine);
	void (*step)(struct machine *machine, unsigned int length);
	void (*null)(struct machine *machine);
};

extern const struct engine svmrun_engine;
extern const struct engine kvm_engine;

/* Says what failed, with errno, and ends the program. */
_Noreturn void fail(const char *what);

#endif /* ENGINE_H */
