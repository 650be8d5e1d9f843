/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interface to svmrun or KVM that runs guests, so that each measurement is
 * written once. Errors end the program.
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
 * @cuts: @protect supports any page; otherwise only the one that was mapped last
 * @open: open the device for all VMs; false if there is none
 * @close: close the device
 * @create: create a VM without memory and vCPU
 * @vcpu: create the vCPU, in 32-bit protected mode, flat, without paging
 * @long_mode: switch the vCPU to 64-bit mode, with page tables at @cr3
 * @nested: give the vCPU SVM, with EFER.SVME set, after all memory has been mapped
 * @sibling: create another vCPU of the same VM, to be destroyed before the first one
 * @destroy: destroy the result of @create, @sibling or @clone
 * @map: map a range of memory, with a dirty log if @log is set
 * @protect: permit the guest to write to a page, or not
 * @start: set EIP, EBX and ECX
 * @run: run until an exit to the program, or until a signal, which only smp.c sends
 * @step: skip the instruction of @length bytes that has exited
 * @interrupt: after an exit of the guest's own guest for OUT, let an interrupt be pending
 *	for the guest, which gets a #VMEXIT in the next run, but not the interrupt
 * @cpuid: after an exit for CPUID, handle it and return true
 * @null: the cheapest call on the vCPU's file descriptor
 * @snapshot: save the vCPU's state and @memory, which is mapped at address 0
 * @discard: free a snapshot without clones
 * @clone: create a VM from the snapshot, with memory copied on write
 * @reset: restore a clone to the snapshot
 */
struct engine {
	const char *name;
	bool cuts;
	bool (*open)(void);
	void (*close)(void);
	struct machine *(*create)(void);
	void (*vcpu)(struct machine *machine);
	void (*long_mode)(struct machine *machine, uint32_t cr3);
	void (*nested)(struct machine *machine);
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
	void (*interrupt)(struct machine *machine);
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

/* Print what failed, with errno, and exit. */
_Noreturn void fail(const char *what);

#endif /* ENGINE_H */
