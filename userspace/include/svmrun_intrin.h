/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libsvmrun: the SVM instructions as functions with the names and signatures of
 * Microsoft's <intrin.h>, for a hypervisor that is an ordinary process.
 *
 * A program allocates VMCBs. Each has a physical address, the operand of the
 * instructions. It is a number, not a pointer: a multiple of 4096, below 1 << 48, not 0,
 * and never reused. With any other operand an instruction raises #GP, as on the processor
 * (APM 15.5.1): the program gets SIGSEGV with the number in RAX.
 *
 * Each thread has a virtual processor, which starts in the state after RESET# (APM
 * 14.1.3). It has the registers that VMLOAD and VMSAVE move (FS, GS, TR, LDTR and the
 * system call MSRs, APM 15.5.2), and GIF. The library keeps them; they are not those of
 * the real processor. VMRUN neither loads nor saves them: a guest runs with those of
 * its thread, and its changes stay in effect for the thread. EFER.SVME and VM_HSAVE_PA
 * are managed by the module.
 *
 * The intrinsics must not be called in signal handlers; svmrun_vcpu_kick() may.
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

/* Number of VMCBs that a program may have at a time */
#define SVMRUN_INTRIN_VMCBS 4096

/**
 * svmrun_intrin_alloc() - allocate a VMCB
 * @physical: set to its physical address; free it with svmrun_intrin_free()
 * @vm: the VM whose memory the guest uses; NULL for a VMCB that is never run, such as the
 *	host's, for VMLOAD and VMSAVE
 *
 * The VMCB contains only zeros. svmrun_intrin_vcpu() returns the pointer to it.
 *
 * Return: 0 or a negative errno; -ENOSPC: there are SVMRUN_INTRIN_VMCBS already;
 * otherwise of svmrun_vcpu_create() or mmap().
 */
int svmrun_intrin_alloc(size_t *physical, struct svmrun_vm *vm);

/**
 * svmrun_intrin_free() - free a VMCB
 * @physical: from svmrun_intrin_alloc(); ignored if there is no such VMCB
 *
 * No thread may be running it.
 */
void svmrun_intrin_free(size_t physical);

/**
 * svmrun_intrin_vcpu() - get the vCPU of a VMCB
 * @physical: from svmrun_intrin_alloc()
 *
 * VMRUN loads the guest's registers other than RAX and RSP from ->regs, and saves them
 * there, because C has no access to those of the processor; RAX and RSP are in ->vmcb.
 * ->msrpm is the MSR permission map. For a VMCB without a VM only ->vmcb is set. The
 * functions that set a mode and svmrun_vcpu_kick() accept the vCPU; svmrun_vcpu_run() and
 * svmrun_vcpu_destroy() must not be called with it.
 *
 * Return: the vCPU, valid until svmrun_intrin_free(), or NULL if there is no such VMCB.
 */
struct svmrun_vcpu *svmrun_intrin_vcpu(size_t physical);

/* ---- the instructions --------------------------------------------------- */

/**
 * __svm_vmrun() - VMRUN (APM 15.5): run a guest until #VMEXIT
 * @VmcbPhysicalAddress: from svmrun_intrin_alloc(), with a VM
 *
 * GIF is 0 afterwards. EXITCODE contains the reason for the exit. Some exits are not
 * caused by the guest; svmrun_intrin_error() tells them apart:
 *
 * VMEXIT_INTR: a signal, whose handler has run, or a kick. The guest may not
 * have been entered.
 *
 * VMEXIT_NPF: also if the program's memory that backs the page cannot be accessed.
 *
 * VMEXIT_INVALID: also if the VMCB has no VM, or its VM belongs to another process.
 *
 * An event whose delivery was interrupted is in EXITINTINFO (APM 15.7.2). If the error is
 * -EBUSY, another thread is running the VMCB, and it is unchanged.
 */
void __svm_vmrun(size_t VmcbPhysicalAddress);

/**
 * __svm_vmload() - VMLOAD (APM 15.5.2): load FS, GS, TR, LDTR and system call MSRs
 * @VmcbPhysicalAddress: address of the VMCB that they are loaded from
 */
void __svm_vmload(size_t VmcbPhysicalAddress);

/**
 * __svm_vmsave() - VMSAVE (APM 15.5.2): save FS, GS, TR, LDTR and system call MSRs
 * @VmcbPhysicalAddress: address of the VMCB that they are saved to
 */
void __svm_vmsave(size_t VmcbPhysicalAddress);

/**
 * __svm_stgi() - STGI (APM 15.17): set GIF
 *
 * GIF is only stored. It does not block signals: a thread that cannot be interrupted
 * could not be stopped. A kick corresponds to an interrupt; it stays pending until the
 * next VMRUN.
 */
void __svm_stgi(void);

/**
 * __svm_clgi() - CLGI (APM 15.17): clear GIF
 */
void __svm_clgi(void);

/**
 * __svm_invlpga() - INVLPGA (APM 15.16.3): invalidate a translation of an ASID
 * @Va: virtual address in the page
 * @ASID: the ASID
 *
 * All translations of each VMCB with this ASID are flushed when it is run next, and also
 * those of a VMCB whose ASID has changed.
 */
void __svm_invlpga(void *Va, int ASID);

/**
 * __svm_skinit() - SKINIT (APM 15.27), which a process cannot execute
 * @BlockPhysicalAddress: address of the secure loader block
 *
 * The instruction is executed, and the processor raises #GP or #UD: the program gets
 * SIGSEGV or SIGILL.
 */
void __svm_skinit(int BlockPhysicalAddress);

/* ---- the thread's virtual processor -------------------------------------- */

/**
 * svmrun_intrin_gif() - get GIF of the calling thread's virtual processor
 *
 * Return: true after RESET# and STGI, false after CLGI and #VMEXIT.
 */
bool svmrun_intrin_gif(void);

/**
 * svmrun_intrin_error() - get the error of the calling thread's last VMRUN
 *
 * Return: 0: the guest caused the exit, or its VMCB was refused (see struct
 * svmrun_registers). -EINTR, -EFAULT, -ENOMEM, -EBUSY, -EIO, -ENODEV: see SVMRUN_RUN.
 * -EBADF: the VMCB has no VM.
 */
int svmrun_intrin_error(void);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_INTRIN_H */
