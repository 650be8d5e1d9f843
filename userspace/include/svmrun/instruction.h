/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Execution of instructions after an exit: those that access a guest physical address
 * without memory (VMEXIT_NPF), I/O (VMEXIT_IOIO), and accesses to CR0, CR4 and CR8
 * (VMEXIT_CR_READ, VMEXIT_CR_WRITE, VMEXIT_CR0_SEL_WRITE). Each function clears the clean bits
 * (APM 15.15) of the fields that it changes.
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

/* EXITINFO1 of an access to CRn: MOV, not LMSW, SMSW or CLTS (APM 15.8.1) */
#define SVMRUN_ASSIST_MOV_CR (1ull << 63)

/**
 * struct svmrun_bus - memory and devices that a guest's instructions access
 * @memories: the guest's memory, see svmrun_gva_to_gpa(); must include all code and page
 *	tables
 * @memory_count: number of @memories
 * @rom_count: number of @memories, at their end, that the guest cannot write to: its
 *	writes there are passed to @mmio_write
 * @mmio_read: read 1, 2, 4 or 8 bytes where there is no memory; they are in one page, but
 *	need not be aligned
 * @mmio_write: write where there is no memory, likewise
 * @port_read: read 1, 2 or 4 bytes from a port (IN, INS)
 * @port_write: write 1, 2 or 4 bytes to a port (OUT, OUTS)
 * @stop: called between the iterations of a REP; true interrupts the instruction, which
 *	continues when the guest runs again. May be NULL
 * @owner: first argument of each
 * @translate: see struct svmrun_physical; @owner is its first argument, too. May be NULL
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
	int (*translate)(void *owner, uint64_t gpa, uint32_t access,
			 uint64_t *physical);
	uint64_t reserved[3];
};

/**
 * svmrun_instruction_execute() - execute the instruction at CS:RIP
 * @vcpu: the vCPU, after a run that ended with VMEXIT_NPF or VMEXIT_IOIO
 * @bus: memory and devices that it accesses
 *
 * The effects are those of the processor: registers, flags and memory change, RIP
 * advances, the interrupt shadow ends, and RFLAGS.TF and breakpoints of DR7 cause #DB. If
 * the instruction faults, the exception is in EVENTINJ, which must not be in use, and CR2
 * is set. Clean bits of changed fields are cleared.
 *
 * I/O requires a VMEXIT_IOIO, before which the processor has checked IOPL and the I/O
 * permission map of the TSS. If the instruction at CS:RIP has been replaced by other I/O
 * since, nothing is done, and the guest exits again when it runs. A long REP may return
 * after some iterations with RIP unchanged; the guest exits again for the rest.
 *
 * Writes to memory are those of the program and are not in the log of svmrun_vm_dirty().
 *
 * Return: 0: run the guest. -EINTR: run the guest; @stop interrupted a REP. -EOPNOTSUPP:
 * the instruction is not supported, see svmrun_instruction_bytes(), or the exit occurred
 * during delivery of an interrupt or exception (EXITINTINFO). -ENXIO: code or a page
 * table is not in memory. After the last two, nothing has changed.
 */
int svmrun_instruction_execute(struct svmrun_vcpu *vcpu,
			       const struct svmrun_bus *bus);

/**
 * svmrun_instruction_control() - execute the access to CR0, CR4 or CR8 at CS:RIP
 * @vcpu: the vCPU, after a run that ended with VMEXIT_CR0_SEL_WRITE, or with
 *	VMEXIT_CR_READ or VMEXIT_CR_WRITE of 0, 4 or 8
 * @bus: its memory; the devices are used only for a memory operand
 * @processor: its @cr4 has the bits that CR4 may have; any other causes #GP
 *
 * The instructions are MOV to and from CR0, CR4 and CR8 (V_TPR), LMSW, SMSW and CLTS. All
 * checks of the processor are made (#GP), EFER.LMA follows CR0.PG, and everything else is as for
 * svmrun_instruction_execute(). CR0.CD, CR0.NW and reserved bits of CR0 can be written
 * but stay clear, because no VMCB may have them. If the processor would flush
 * translations, the ASID in the VMCB is changed.
 *
 * The page directory pointers of legacy PAE paging are not checked.
 *
 * Return: 0: run the guest. -EOPNOTSUPP: the instruction is not supported; -ENXIO: code
 * or a page table is not in memory. After an error nothing has changed.
 */
int svmrun_instruction_control(struct svmrun_vcpu *vcpu,
			       const struct svmrun_bus *bus,
			       const struct svmrun_processor *processor);

/**
 * svmrun_instruction_complete() - complete an instruction that the program has executed
 * @vcpu: the vCPU, after an exit for the instruction
 * @next: RIP of the next instruction
 *
 * For instructions such as CPUID, RDMSR or HLT. RIP is set, to 32 bits outside of 64-bit
 * mode; RFLAGS.RF is cleared, the interrupt shadow ends, and #DB is injected if RFLAGS.TF
 * is set.
 */
void svmrun_instruction_complete(struct svmrun_vcpu *vcpu, uint64_t next);

/**
 * svmrun_instruction_fault() - inject the fault that an instruction raises
 * @vcpu: the vCPU, after an exit for the instruction
 * @vector: vector of an exception that is a fault, except #PF
 * @error_code: its error code; ignored if it has none, or in real mode
 *
 * RIP stays at the instruction; RFLAGS.RF is set for the frame, and the interrupt shadow
 * ends.
 */
void svmrun_instruction_fault(struct svmrun_vcpu *vcpu, unsigned int vector,
			      uint32_t error_code);

/**
 * svmrun_instruction_length() - get the length of the instruction at CS:RIP
 * @vcpu: the vCPU
 * @bus: its memory
 *
 * It works for every instruction, and serves to skip one after an exit on a processor
 * without SVM_FEATURE_NRIP_SAVE. Nothing is changed.
 *
 * Return: the length in bytes, or a negative errno; -EILSEQ: it is not an instruction;
 * -EFAULT: fetching it would cause a fault; -ENXIO: code or a page table is not in
 *  memory.
 */
int svmrun_instruction_length(const struct svmrun_vcpu *vcpu,
			      const struct svmrun_bus *bus);

/**
 * svmrun_instruction_assist() - get EXITINFO1 as decode assists have it (APM 15.8)
 * @vcpu: the vCPU, after an exit for an access to CRn or DRn, I/O, INT n, INVLPG or INVLPGA
 * @bus: its memory
 * @info: set to the number of the general-purpose register of MOV CRn, with
 *	SVMRUN_ASSIST_MOV_CR, or of MOV DRn; the vector of INT n; the linear address of INVLPG
 *	or INVLPGA; EXITINFO1 of I/O, with the segment of OUTS; 0 if the instruction is not
 *	the one of the exit
 *
 * It serves on a processor without SVM_FEATURE_DECODE_ASSISTS. Nothing is changed.
 *
 * Return: 0 or a negative errno of svmrun_instruction_length().
 */
int svmrun_instruction_assist(const struct svmrun_vcpu *vcpu,
			      const struct svmrun_bus *bus, uint64_t *info);

/**
 * svmrun_instruction_bytes() - get the bytes at CS:RIP
 * @vcpu: the vCPU
 * @bus: its memory
 * @bytes: filled in; the instruction may have fewer bytes
 *
 * Nothing is changed.
 *
 * Return: the number of bytes, at least 1, and less than SVMRUN_INSTRUCTION_MAX if the
 * next one cannot be fetched; or a negative errno of svmrun_instruction_length().
 */
int svmrun_instruction_bytes(const struct svmrun_vcpu *vcpu,
			     const struct svmrun_bus *bus,
			     uint8_t bytes[SVMRUN_INSTRUCTION_MAX]);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_INSTRUCTION_H */
