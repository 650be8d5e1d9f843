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
struct snapshot;

/**
 * struct engine - svmrun or KVM
 * @name: its name
 * @cuts: @protect takes any page; otherwise the one that was mapped last, alone
 * @open: its device, for all VMs; false if there is none
 * @close: the mirror of @open
 * @create: a VM without memory and vCPU
 * @vcpu: its vCPU, in 32-bit protected mode, flat, without paging
 * @long_mode: it is in 64-bit mode instead, with page tables at @cr3
 * @sibling: another vCPU of the same VM, to be destroyed before that one
 * @destroy: the mirror of @create, @sibling and @clone
 * @map: give the VM a range of memory, with a log of what it writes if asked
 * @protect: a page of it can be written to by the guest, or cannot any more
 * @start: where the guest goes on, and its EBX and ECX
 * @run: until the guest leaves for a reason that is the program's; or a signal comes,
 *	which only smp.c sends
 * @step: over the instruction that it left at, of @length bytes
 * @cpuid: if it left because of CPUID, answer that, and true
 * @null: the least that a call on the vCPU's file descriptor costs
 * @snapshot: the vCPU's state, and @memory, which the guest has from address 0 on
 * @discard: the mirror of @snapshot, when it has no clones any more
 * @clone: a VM that begins as the snapshot, its memory copied when written to
 * @reset: a clone is the snapshot again, in all that the guest can have changed
 */
struct engine {
	const char *name;
	bool cuts;
	bool (*open)(void);
	void (*close)(void);
	struct machine *(*create)(void);
	void (*vcpu)(struct machine *machine);
	void (*long_mode)(struct machine *machine, uint32_t cr3);
	struct machine *(*sibling)(struct machine *machine);
	void (*destroy)(struct machine *machine);
	void (*map)(struct machine *machine, uint64_t gpa, void *hva,
		    size_t size, bool log);
	void (*protect)(struct machine *machine, uint64_t gpa, void *hva,
			bool writable);
	void (*start)(struct machine *machine, uint32_t eip, uint32_t ebx,
		      uint32_t ecx);
	void (*run)(struct machine *machine);
	void (*step)(struct machine *machine, unsigned int length);
	bool (*cpuid)(struct machine *machine);
	void (*null)(struct machine *machine);
	struct snapshot *(*snapshot)(struct machine *machine, void *memory,
				     size_t size);
	void (*discard)(struct snapshot *snapshot);
	struct machine *(*clone)(const struct snapshot *snapshot);
	void (*reset)(struct machine *machine);
};

extern const struct engine svmrun_engine;
extern const struct engine kvm_engine;

/* Says what failed, with errno, and ends the program. */
_Noreturn void fail(const char *what);

#endif /* ENGINE_H */
