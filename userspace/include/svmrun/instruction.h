/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Instructions that the processor leaves to the program: those that reach for a
 * guest physical address without memory (VMEXIT_NPF), I/O (VMEXIT_IOIO), and
 * accesses to CR0 and CR4 (VMEXIT_CR_READ, VMEXIT_CR_WRITE, VMEXIT_CR0_SEL_WRITE).
 */
#ifndef SVMRUN_INSTRUCTION_H
#define SVMRUN_INSTRUCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <svmrun.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_INSTRUCTION_MAX 15 /* bytes */

/**
 * struct svmrun_bus - what a guest's instructions reach
 * @memories: the guest's memory, see svmrun_gva_to_gpa(); all of it that has code or
 *	page tables
 * @memory_count: how many
 * @rom_count: how many of them, the last ones, the guest cannot write to: what it
 *	writes there goes to @mmio_write
 * @mmio_read: read where there is no memory; 1, 2, 4 or 8 bytes, aligned or not,
 *	within a page
 * @mmio_write: write where there is no memory, the same
 * @port_read: IN; 1, 2 or 4 bytes
 * @port_write: OUT, the same
 * @stop: asked between the iterations of a REP: is there something more urgent?
 *	The instruction goes on when the guest runs again. May be NULL
 * @owner: first argument of each
 * @reserved: zero
 */
struct svmrun_bus {
	const struct svmrun_memory *memories;
	size_t memory_count;
	size_t rom_count;
	uint64_t (*mmio_read)(void *owner, uint64_t gpa, unsigned int size);
	void (*mmio_write)(void *owner, uint64_t gpa, unsigned int size,
			   uint64_t value);
	uint32_t (*port_read)(void *owner, uint16_t port, unsigned int size);
	void (*port_write)(void *owner, uint16_t port, unsigned int size,
			   uint32_t value);
	bool (*stop)(void *owner);
	void *owner;
	uint64_t reserved[4];
};

/**
 * svmrun_instruction_execute() - execute the instruction at CS:RIP
 * @vcpu: the vCPU, after a run that ended with VMEXIT_NPF or VMEXIT_IOIO
 * @bus: what it reaches
 *
 * As the processor would: registers, flags and memory change, RIP goes on, the
 * interrupt shadow ends, RFLAGS.TF leads to #DB. Or the guest gets the fault that
 * the instruction makes: it is in EVENTINJ, which was free, and in CR2 when this
 * returns. The clean bits of what has changed are cleared.
 *
 * I/O needs a VMEXIT_IOIO, before which the processor has checked IOPL and the task's
 * permission map; if by now there is other I/O at CS:RIP, nothing is done, and the
 * guest runs into it by itself. A long REP may return with some of its iterations
 * done, and RIP where it was: the guest comes back.
 *
 * Data breakpoints (DR7) are not looked at. What is written to memory is written by
 * the program: it is not in the log of svmrun_vm_dirty().
 *
 * Return: 0: run the guest. -EINTR: the same, but @stop said so in the midst of a
 * REP. -EOPNOTSUPP: not an instruction that this knows, see
 * svmrun_instruction_bytes(), or the guest was taking an interrupt or exception
 * (EXITINTINFO). -ENXIO: code or a page table is where there is no memory. After
 * the last two nothing has changed.
 */
int svmrun_instruction_execute(struct svmrun_vcpu *vcpu,
			       const struct svmrun_bus *bus);

/**
 * svmrun_instruction_control() - execute the access to CR0 or CR4 at CS:RIP
 * @vcpu: the vCPU, after a run that ended with VMEXIT_CR0_SEL_WRITE, or with
 *	VMEXIT_CR_READ or VMEXIT_CR_WRITE of 0 or 4
 * @bus: its memory; what else it reaches matters if the operand is memory
 * @processor: bits that CR4 may have; another is #GP, as a reserved bit
 *
 * MOV to and from CR0 and CR4, LMSW, SMSW and CLTS, as the processor would execute
 * them: with its checks (#GP), EFER.LMA with CR0.PG, and the rest as
 * svmrun_instruction_execute(). CR0.CD and CR0.NW, and bits of CR0 without a meaning,
 * may be written and stay clear: no VMCB may have them. Where the processor would
 * drop its translations, the VMCB has another ASID when this returns.
 *
 * The page directory pointers of legacy PAE paging are not checked.
 *
 * Return: 0: run the guest. -EOPNOTSUPP: another instruction, -ENXIO: as
 * svmrun_instruction_execute(); nothing has changed.
 */
int svmrun_instruction_control(struct svmrun_vcpu *vcpu,
			       const struct svmrun_bus *bus,
			       const struct svmrun_processor *processor);

/**
 * svmrun_instruction_length() - length of the instruction at CS:RIP
 * @vcpu: the vCPU
 * @bus: its memory
 *
 * For any instruction: to go on after an exit, on a processor without
 * SVM_FEATURE_NRIP_SAVE. Nothing is changed.
 *
 * Return: bytes, or -EILSEQ if it is none, -EFAULT if it cannot be fetched (the
 * guest would get a fault), -ENXIO as svmrun_instruction_execute().
 */
int svmrun_instruction_length(const struct svmrun_vcpu *vcpu,
			      const struct svmrun_bus *bus);

/**
 * svmrun_instruction_bytes() - what lies at CS:RIP
 * @vcpu: the vCPU
 * @bus: its memory
 * @bytes: filled in
 *
 * Not all need belong to one instruction. Nothing is changed.
 *
 * Return: how many bytes, at least 1: fewer than SVMRUN_INSTRUCTION_MAX if what
 * follows cannot be fetched. Or a negative errno of svmrun_instruction_length().
 */
int svmrun_instruction_bytes(const struct svmrun_vcpu *vcpu,
			     const struct svmrun_bus *bus,
			     uint8_t bytes[SVMRUN_INSTRUCTION_MAX]);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_INSTRUCTION_H */
