/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libsvmrun: SVM's instructions, with the names and signatures of Microsoft's
 * <intrin.h>, for a hypervisor that is an ordinary process.
 *
 * A program allocates VMCBs; each has a physical address, which is what the
 * instructions take. It is a number, not a pointer: a multiple of 4096, below
 * 1 << 48, never 0, and never given twice. An instruction that is given any
 * other raises #GP, as the processor does (APM 15.5.1): the program gets SIGSEGV
 * with the number in RAX.
 *
 * Each thread has a processor of its own, as RESET# leaves it (APM 14.1.3): FS,
 * GS, TR, LDTR and the system call MSRs that VMLOAD and VMSAVE move (APM
 * 15.5.2), and GIF. They are the library's, not the thread's real ones. VMRUN
 * neither loads nor saves them: a guest runs with those that its thread has,
 * and what it changes of them its thread has afterwards. EFER.SVME and
 * VM_HSAVE_PA are the module's business.
 *
 * The intrinsics are not for signal handlers; svmrun_vcpu_kick() is.
 */
#ifndef SVMRUN_INTRIN_H
#define SVMRUN_INTRIN_H

#include <stdbool.h>
#include <stddef.h>

#include <svmrun.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- VMCBs -------------------------------------------------------------- */

/* VMCBs that a program may have at a time */
#define SVMRUN_INTRIN_VMCBS 4096

/**
 * svmrun_intrin_alloc() - allocate a VMCB
 * @physical: its physical address; svmrun_intrin_free() it
 * @vm: the VM whose memory its guest has; NULL for a VMCB that is never run,
 *	such as the host's, for VMLOAD and VMSAVE
 *
 * It begins as zeros. svmrun_intrin_vcpu() has the pointer to it.
 *
 * Return: 0 or a negative errno; ENOSPC: there are SVMRUN_INTRIN_VMCBS already;
 * otherwise see svmrun_vcpu_create().
 */
int svmrun_intrin_alloc(size_t *physical, struct svmrun_vm *vm);

/**
 * svmrun_intrin_free() - give a VMCB back
 * @physical: from svmrun_intrin_alloc(); no thread may be running it. Left alone
 *	if it is no VMCB's
 */
void svmrun_intrin_free(size_t physical);

/**
 * svmrun_intrin_vcpu() - what goes with a VMCB
 * @physical: from svmrun_intrin_alloc()
 *
 * VMRUN takes the guest's RBX to R15 from ->regs and leaves them there, since C
 * has no other place for them; RAX and RSP are in ->vmcb. ->msrpm is the MSR
 * permission map. A VMCB without a VM has ->vmcb alone. Modes and
 * svmrun_vcpu_kick() take it as any vCPU, but it is not for svmrun_vcpu_run()
 * and svmrun_vcpu_destroy().
 *
 * Return: the vCPU, until svmrun_intrin_free(), or NULL if @physical is no
 * VMCB's.
 */
struct svmrun_vcpu *svmrun_intrin_vcpu(size_t physical);

/* ---- the instructions --------------------------------------------------- */

/**
 * __svm_vmrun() - VMRUN (APM 15.5): run a guest until #VMEXIT
 * @VmcbPhysicalAddress: from svmrun_intrin_alloc(), with a VM
 *
 * GIF is 0 afterwards. EXITCODE says why the guest left; if that was not the
 * guest's doing, svmrun_intrin_error() says more:
 *
 * VMEXIT_INTR: a signal, whose handler has run, or a kick. The guest may not
 * have been entered.
 *
 * VMEXIT_NPF: also if memory that the VM has cannot be had.
 *
 * VMEXIT_INVALID: also if the VMCB has no VM, or its VM is another process's.
 *
 * An event that these kept from being delivered is in EXITINTINFO (APM 15.7.2).
 * With EBUSY another thread is running the VMCB, which is left to it as it is.
 */
void __svm_vmrun(size_t VmcbPhysicalAddress);

/**
 * __svm_vmload() - VMLOAD (APM 15.5.2): FS, GS, TR, LDTR and system call MSRs
 * @VmcbPhysicalAddress: of the VMCB to load them from
 */
void __svm_vmload(size_t VmcbPhysicalAddress);

/**
 * __svm_vmsave() - VMSAVE (APM 15.5.2): the mirror of __svm_vmload()
 * @VmcbPhysicalAddress: of the VMCB to save them to
 */
void __svm_vmsave(size_t VmcbPhysicalAddress);

/**
 * __svm_stgi() - STGI (APM 15.17): set GIF
 *
 * GIF is kept, and holds nothing back: signals are not interrupts, and a thread
 * that could not be interrupted could not be stopped. What an interrupt is to a
 * processor, a kick is to VMRUN: it waits for the next one.
 */
void __svm_stgi(void);

/**
 * __svm_clgi() - CLGI (APM 15.17): clear GIF
 */
void __svm_clgi(void);

/**
 * __svm_invlpga() - INVLPGA (APM 15.16.3): drop a translation of an ASID
 * @Va: virtual address in the page
 * @ASID: whose translation
 *
 * Each VMCB with this ASID has its translations dropped, all of them, when it is
 * next run. So has one whose ASID has changed.
 */
void __svm_invlpga(void *Va, int ASID);

/**
 * __svm_skinit() - SKINIT (APM 15.27): no process may
 * @BlockPhysicalAddress: of the secure loader block
 *
 * The processor is given the instruction, and raises #GP or #UD: SIGSEGV or
 * SIGILL.
 */
void __svm_skinit(int BlockPhysicalAddress);

/* ---- the thread's processor --------------------------------------------- */

/**
 * svmrun_intrin_gif() - GIF of the calling thread's processor
 *
 * Return: true after RESET# and STGI, false after CLGI and #VMEXIT.
 */
bool svmrun_intrin_gif(void);

/**
 * svmrun_intrin_error() - why the calling thread's last VMRUN ended
 *
 * Return: 0: an exit of the guest's own, or a VMCB that was refused (see struct
 * svmrun_registers). -EINTR, -EFAULT, -ENOMEM, -EBUSY, -EIO, -ENODEV: as
 * SVMRUN_RUN has it. -EBADF: the VMCB has no VM.
 */
int svmrun_intrin_error(void);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_INTRIN_H */
