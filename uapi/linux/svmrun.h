/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * svmrun: AMD's VMRUN instruction for ordinary programs.
 *
 * This header is the specification of /dev/svmrun. A program fills in a VMCB
 * (linux/svm_vmcb.h) as the AMD64 APM volume 2, chapter 15, documents it, calls
 * SVMRUN_RUN, and reads the VMCB after #VMEXIT.
 *
 * There are three kinds of file descriptor: the device gives VMs, a VM gives
 * vCPUs. Each keeps what it needs alive, so they may be closed in any order.
 *
 * What the module lets a program do with each field of a VMCB is in
 * linux/svmrun_policy.h.
 *
 * General rules
 * - The argument of a call is a struct that begins with its size in bytes, as
 *   the caller was compiled, and flags. A size that this kernel does not know
 *   is fine as long as the bytes it does not know are zero.
 * - Unknown flags and non-zero reserved members are refused.
 * - Members named out_* are written by the call, the others only read.
 * - Calls with no argument (_IO) take 0.
 * - A VMCB that is illegal, or that asks for what svmrun cannot allow, is not
 *   an error of the call: RUN returns 0 with VMEXIT_INVALID in EXITCODE, and
 *   the registers page names the field and the reason.
 *
 * Errors that every call with an argument may return
 *   EFAULT    the argument cannot be read or written
 *   EINVAL    size is too small, or flags or reserved members are not zero
 *   E2BIG     size is larger than the kernel knows and the rest is not zero
 * and that every call may return
 *   ENOTTY    no such call on this kind of file descriptor
 *   ENOMEM    no memory
 * Each call lists its own below.
 */
#ifndef _UAPI_LINUX_SVMRUN_H
#define _UAPI_LINUX_SVMRUN_H

#include <linux/ioctl.h>
#include <linux/svm_vmcb.h>
#include <linux/types.h>

#define SVMRUN_API_VERSION 1
#define SVMRUN_TYPE 0xBB

/* ---- device ------------------------------------------------------------ */

/**
 * struct svmrun_info - what this processor and this module offer
 * @size: sizeof(struct svmrun_info)
 * @flags: 0
 * @out_api_version: SVMRUN_API_VERSION of the module
 * @out_svm_revision: CPUID Fn8000_000A EAX, as the host has it
 * @out_svm_asids: CPUID Fn8000_000A EBX
 * @out_svm_features: CPUID Fn8000_000A EDX
 * @out_forced_intercepts: bits of intercept vectors 0 to 5 that the module sets
 *	whatever the VMCB says
 * @out_vcpu_size: bytes that a vCPU's mmap has
 * @out_xsave_size: bytes of the XSAVE area in it
 * @out_xcr0: bits that a guest's XCR0 may have
 * @out_gpa_bits: guest physical addresses are below 1 << out_gpa_bits
 * @out_npt_levels: levels of the nested page table, 4 or 5
 * @out_max_vcpus: vCPUs that a VM may have
 * @out_max_regions: mapped regions that a VM may have
 * @out_cr0: bits that a VMCB's CR0 may have
 * @out_cr4: the same of CR4
 * @out_efer: the same of EFER
 * @out_dbgctl: the same of DBGCTL
 *
 * SVMRUN_INFO on the device. Works also while another hypervisor has the CPUs.
 */
struct svmrun_info {
	__u32 size;
	__u32 flags;
	__u32 out_api_version;
	__u32 out_svm_revision;
	__u32 out_svm_asids;
	__u32 out_svm_features;
	__u32 out_forced_intercepts[6];
	__u32 out_vcpu_size;
	__u32 out_xsave_size;
	__aligned_u64 out_xcr0;
	__u32 out_gpa_bits;
	__u32 out_npt_levels;
	__u32 out_max_vcpus;
	__u32 out_max_regions;
	__aligned_u64 out_cr0;
	__aligned_u64 out_cr4;
	__aligned_u64 out_efer;
	__aligned_u64 out_dbgctl;
};
#define SVMRUN_INFO _IOWR(SVMRUN_TYPE, 0x00, struct svmrun_info)

/* @out_svm_features of struct svmrun_info: CPUID Fn8000_000A EDX */
#define SVM_FEATURE_NP				(1u << 0)
#define SVM_FEATURE_LBR_VIRT			(1u << 1)
#define SVM_FEATURE_LOCK			(1u << 2)
#define SVM_FEATURE_NRIP_SAVE			(1u << 3)
#define SVM_FEATURE_TSC_RATIO			(1u << 4)
#define SVM_FEATURE_VMCB_CLEAN			(1u << 5)
#define SVM_FEATURE_FLUSH_BY_ASID		(1u << 6)
#define SVM_FEATURE_DECODE_ASSISTS		(1u << 7)
#define SVM_FEATURE_PAUSE_FILTER		(1u << 10)
#define SVM_FEATURE_PAUSE_FILTER_THRESHOLD	(1u << 12)
#define SVM_FEATURE_VGIF			(1u << 16)
#define SVM_FEATURE_VNMI			(1u << 25)
#define SVM_FEATURE_BUS_LOCK_THRESHOLD		(1u << 29)
#define SVM_FEATURE_IDLE_HLT			(1u << 30)

/**
 * struct svmrun_create_vm - create a VM
 * @size: sizeof(struct svmrun_create_vm)
 * @flags: 0
 *
 * SVMRUN_CREATE_VM on the device returns the VM's file descriptor
 * (close-on-exec). The VM belongs to the caller's address space. The first VM
 * makes the module enable SVM on every CPU, the last one to go disables it. A
 * machine that goes to sleep has it again when it wakes up.
 *
 * EBUSY: a CPU is in use by another hypervisor (EFER.SVME is set).
 * ENODEV: a CPU has no SVM, firmware has locked it, or the machine is going
 *	down.
 * EMFILE, ENFILE: too many open files.
 */
struct svmrun_create_vm {
	__u32 size;
	__u32 flags;
};
#define SVMRUN_CREATE_VM _IOW(SVMRUN_TYPE, 0x01, struct svmrun_create_vm)

/* ---- VM ---------------------------------------------------------------- */

/* Rights of a mapping. The architecture has no mapping without READ. */
#define SVMRUN_MAP_READ		(1u << 0)
#define SVMRUN_MAP_WRITE	(1u << 1)
#define SVMRUN_MAP_EXEC		(1u << 2)

/* Keep a log of pages that the guest writes, for SVMRUN_DIRTY */
#define SVMRUN_MAP_LOG_DIRTY	(1u << 3)

/**
 * struct svmrun_map - give a VM a range of the caller's memory
 * @size: sizeof(struct svmrun_map)
 * @flags: SVMRUN_MAP_READ, and SVMRUN_MAP_WRITE, SVMRUN_MAP_EXEC,
 *	SVMRUN_MAP_LOG_DIRTY
 * @gpa: guest physical address, a multiple of 4096
 * @hva: address in the caller's memory, a multiple of 4096
 * @length: bytes, a multiple of 4096, not 0
 *
 * SVMRUN_MAP on a VM. The memory is touched only when the guest touches it, is
 * never pinned, and follows what the program does to it from then on. There
 * need be no memory at @hva until then.
 *
 * EINVAL: an address or the length is not a multiple of 4096, the length is 0,
 *	READ is missing, or the range at @hva is not one a program can have.
 * ERANGE: the range does not end below 1 << out_gpa_bits.
 * EEXIST: part of the guest range is mapped already.
 * ENOSPC: the VM has out_max_regions regions.
 * EIO: the caller's address space is not the VM's.
 * EINTR: a fatal signal.
 */
struct svmrun_map {
	__u32 size;
	__u32 flags;
	__aligned_u64 gpa;
	__aligned_u64 hva;
	__aligned_u64 length;
};
#define SVMRUN_MAP _IOW(SVMRUN_TYPE, 0x02, struct svmrun_map)

/**
 * struct svmrun_unmap - take a range of guest physical addresses away
 * @size: sizeof(struct svmrun_unmap)
 * @flags: 0
 * @gpa: guest physical address, a multiple of 4096
 * @length: bytes, a multiple of 4096, not 0
 *
 * SVMRUN_UNMAP on a VM. Any range: regions partly inside are cut. When the call
 * has returned, no guest access reaches the memory any more.
 *
 * EINVAL: the address or the length is not a multiple of 4096, or is 0.
 * ERANGE: the range does not end below 1 << out_gpa_bits.
 * ENOENT: nothing is mapped in the range.
 * ENOSPC: cutting needs more than out_max_regions regions.
 * EIO: the caller's address space is not the VM's.
 * EINTR: a fatal signal.
 */
struct svmrun_unmap {
	__u32 size;
	__u32 flags;
	__aligned_u64 gpa;
	__aligned_u64 length;
};
#define SVMRUN_UNMAP _IOW(SVMRUN_TYPE, 0x03, struct svmrun_unmap)

/**
 * struct svmrun_create_vcpu - create a vCPU
 * @size: sizeof(struct svmrun_create_vcpu)
 * @flags: 0
 *
 * SVMRUN_CREATE_VCPU on a VM returns the vCPU's file descriptor
 * (close-on-exec). Its shared pages begin as zeros, but for the MSR permission
 * map, which intercepts everything, and XCR0, which is 1.
 *
 * ENOSPC: the VM has out_max_vcpus vCPUs.
 * EIO: the caller's address space is not the VM's.
 * EMFILE, ENFILE: too many open files.
 */
struct svmrun_create_vcpu {
	__u32 size;
	__u32 flags;
};
#define SVMRUN_CREATE_VCPU _IOW(SVMRUN_TYPE, 0x04, struct svmrun_create_vcpu)

/**
 * struct svmrun_protect - change a guest's rights
 * @size: sizeof(struct svmrun_protect)
 * @flags: SVMRUN_MAP_READ, and SVMRUN_MAP_WRITE, SVMRUN_MAP_EXEC
 * @gpa: guest physical address, a multiple of 4096
 * @length: bytes, a multiple of 4096, not 0
 *
 * SVMRUN_PROTECT on a VM. Any range: regions partly inside are cut, those that
 * have become alike are joined. What is not mapped in the range stays so. When
 * the call has returned, no guest access uses other rights; one without them
 * ends in VMEXIT_NPF with EXITINFO1 and EXITINFO2 as the processor gave them.
 *
 * EINVAL: the address or the length is not a multiple of 4096, or is 0; READ is
 *	missing.
 * ERANGE: the range does not end below 1 << out_gpa_bits.
 * ENOENT: nothing is mapped in the range.
 * ENOSPC: cutting needs more than out_max_regions regions.
 * EIO: the caller's address space is not the VM's.
 * EINTR: a fatal signal.
 */
struct svmrun_protect {
	__u32 size;
	__u32 flags;
	__aligned_u64 gpa;
	__aligned_u64 length;
};
#define SVMRUN_PROTECT _IOW(SVMRUN_TYPE, 0x07, struct svmrun_protect)

/* Begin the log anew. */
#define SVMRUN_DIRTY_CLEAR	(1u << 0)

/**
 * struct svmrun_dirty - which pages has the guest written?
 * @size: sizeof(struct svmrun_dirty)
 * @flags: 0 or SVMRUN_DIRTY_CLEAR
 * @gpa: guest physical address, a multiple of 4096
 * @length: bytes, a multiple of 4096, not 0
 * @bitmap: address of the caller's (length / 4096 + 63) / 64 u64: bit n % 64 of
 *	u64 n / 64 is set if the guest may have written to page n of the range
 *	since it was mapped or the log was last cleared, otherwise clear
 *
 * SVMRUN_DIRTY on a VM, for a range that is mapped with SVMRUN_MAP_LOG_DIRTY. It
 * may be called while guests run: with SVMRUN_DIRTY_CLEAR, what they wrote to
 * pages whose bits are cleared is in memory when the call has returned, and
 * what they write afterwards is in the log again. The program's own writes are
 * not in it.
 *
 * EFAULT: also if @bitmap cannot be written. After this and other errors, bits of
 *	a first part of the range may be in @bitmap and off the log.
 * EINVAL: the address or the length is not a multiple of 4096, or is 0.
 * ERANGE: the range does not end below 1 << out_gpa_bits.
 * ENOENT: part of the range is not mapped, or without SVMRUN_MAP_LOG_DIRTY.
 * EIO: the caller's address space is not the VM's.
 * EINTR: a fatal signal.
 */
struct svmrun_dirty {
	__u32 size;
	__u32 flags;
	__aligned_u64 gpa;
	__aligned_u64 length;
	__aligned_u64 bitmap;
};
#define SVMRUN_DIRTY _IOW(SVMRUN_TYPE, 0x08, struct svmrun_dirty)

/**
 * struct svmrun_vm_info - what a VM has at the moment
 * @size: sizeof(struct svmrun_vm_info)
 * @flags: 0
 * @out_vcpus: vCPUs
 * @out_regions: mapped regions
 * @out_table_bytes: kernel memory of the nested page table
 * @out_pages_4k: pages of 4 KiB that are mapped in it: that the guest has touched
 *	and Linux has not taken away since
 * @out_pages_2m: the same of 2 MiB
 * @out_pages_1g: the same of 1 GiB
 *
 * SVMRUN_VM_INFO on a VM.
 */
struct svmrun_vm_info {
	__u32 size;
	__u32 flags;
	__u32 out_vcpus;
	__u32 out_regions;
	__aligned_u64 out_table_bytes;
	__aligned_u64 out_pages_4k;
	__aligned_u64 out_pages_2m;
	__aligned_u64 out_pages_1g;
};
#define SVMRUN_VM_INFO _IOWR(SVMRUN_TYPE, 0x09, struct svmrun_vm_info)

/* ---- vCPU -------------------------------------------------------------- */

/*
 * mmap on a vCPU: out_vcpu_size bytes from offset 0, or whole pages of them,
 * MAP_SHARED. EINVAL: outside of that, or a private mapping.
 *
 * The MSR permission map is all ones and takes no memory until the program first
 * touches it, which gives SIGBUS (or EFAULT, to a call) if there is no memory.
 */
#define SVMRUN_VCPU_VMCB	0x0000 /* struct svm_vmcb */
#define SVMRUN_VCPU_REGISTERS	0x1000 /* struct svmrun_registers */
#define SVMRUN_VCPU_MSRPM	0x2000 /* MSR permission map (APM 15.11) */
#define SVMRUN_VCPU_XSAVE	0x4000 /* XSAVE area, standard format */

/*
 * The XSAVE area is loaded and written at each RUN from when the guest first uses
 * extended state, or can: reads or writes CR0, or has CR4.OSXSAVE, PKE or CET set.
 * An area that XRSTOR does not take is refused then; the guest may have run before.
 */

/* Why a VMCB was refused: svmrun_registers.out_invalid_reason */
#define SVMRUN_INVALID_NONE		0 /* it was not */
#define SVMRUN_INVALID_PROCESSOR	1 /* the processor's own checks (APM 15.5.1) */
#define SVMRUN_INVALID_MUST_BE_ZERO	2 /* svmrun does not let a program use it */
#define SVMRUN_INVALID_MUST_BE_SET	3 /* SVM or svmrun cannot do without it */
#define SVMRUN_INVALID_VALUE		4 /* not a value that the manual defines */
#define SVMRUN_INVALID_UNSUPPORTED	5 /* this processor does not have it */

/**
 * struct svmrun_registers - what the VMCB does not hold
 * @rbx: general-purpose registers; RAX and RSP are in the VMCB
 * @rcx: see @rbx
 * @rdx: see @rbx
 * @rbp: see @rbx
 * @rsi: see @rbx
 * @rdi: see @rbx
 * @r8: see @rbx
 * @r9: see @rbx
 * @r10: see @rbx
 * @r11: see @rbx
 * @r12: see @rbx
 * @r13: see @rbx
 * @r14: see @rbx
 * @r15: see @rbx
 * @dr: DR0 to DR3, loaded from when the guest first reaches for any of them, which
 *	it does not while the VMCB has each access to them and to DR7 intercepted
 * @xcr0: XCR0 for the guest (APM 11.5.2), a subset of out_xcr0
 * @tsc_ratio: the guest's TSC ticks by the host's (APM 15.30.5): 8 bits of
 *	integer, 32 of fraction; 0 for 1.0. Needs SVM_FEATURE_TSC_RATIO
 * @immediate_exit: if not 0, RUN returns EINTR before entering the guest
 * @reserved: 0
 * @out_invalid_offset: after VMEXIT_INVALID, where in the vCPU's mmap the
 *	offending field is
 * @out_invalid_reason: after a RUN that returned 0: SVMRUN_INVALID_*
 * @out_exits_interrupt: exits that the module dealt with itself, since the vCPU
 *	was created: physical interrupts
 * @out_exits_nmi: the same: NMI, SMI, INIT
 * @out_exits_machine_check: the same: #MC
 * @out_exits_fault: the same: nested page faults on mapped memory
 * @out_exits_reflected: the same: #DB and #AC given back to the guest
 *
 * The members that are not out_* are read when RUN begins. What the guest can
 * change is written when RUN returns; in between it is undefined, and what a
 * program writes there can only hurt its own guest.
 */
struct svmrun_registers {
	__u64 rbx;
	__u64 rcx;
	__u64 rdx;
	__u64 rbp;
	__u64 rsi;
	__u64 rdi;
	__u64 r8;
	__u64 r9;
	__u64 r10;
	__u64 r11;
	__u64 r12;
	__u64 r13;
	__u64 r14;
	__u64 r15;
	__u64 dr[4];
	__u64 xcr0;
	__u64 tsc_ratio;
	__u8 immediate_exit;
	__u8 reserved[7];
	__u32 out_invalid_offset;
	__u32 out_invalid_reason;
	__u64 out_exits_interrupt;
	__u64 out_exits_nmi;
	__u64 out_exits_machine_check;
	__u64 out_exits_fault;
	__u64 out_exits_reflected;
};

/*
 * SVMRUN_RUN on a vCPU: VMRUN with the vCPU's shared pages. Returns 0 when the
 * guest left for a reason that is the program's: see EXITCODE.
 *
 * EINTR: a signal is pending, or SVMRUN_KICK or immediate_exit asked for it, or
 *	the machine was asleep, which freezes programs as a signal would.
 *	A machine check that the guest met is such a signal: SIGBUS.
 *	Nothing is lost: EXITCODE is VMEXIT_INTR, an event that was interrupted is
 *	in EVENTINJ again. Run again.
 * EFAULT: the guest touched a mapped address whose memory cannot be had: there
 *	is none at its HVA, or not with this right. EXITCODE is VMEXIT_NPF, an
 *	event that was interrupted is in EVENTINJ again. Can be run again.
 * ENOMEM: as EFAULT; no memory, or none for the nested page table.
 * EHWPOISON: as EFAULT; the memory is broken, the hardware says.
 * EBUSY: another thread is running this vCPU.
 * EIO: the caller's address space is not the VM's.
 * EINVAL: the argument is not 0.
 * ENODEV: SVM is not enabled on this CPU: the machine is going down, or it woke
 *	up without. EXITCODE is VMEXIT_INTR.
 */
#define SVMRUN_RUN _IO(SVMRUN_TYPE, 0x05)

/*
 * SVMRUN_KICK on a vCPU, from any thread: makes a RUN in flight, or the next
 * one, return EINTR, once.
 *
 * EINVAL: the argument is not 0.
 */
#define SVMRUN_KICK _IO(SVMRUN_TYPE, 0x06)

SVM_PROVE(sizeof(struct svmrun_info) == 112);
SVM_PROVE(offsetof(struct svmrun_info, out_forced_intercepts) == 24);
SVM_PROVE(offsetof(struct svmrun_info, out_vcpu_size) == 48);
SVM_PROVE(offsetof(struct svmrun_info, out_xcr0) == 56);
SVM_PROVE(offsetof(struct svmrun_info, out_max_regions) == 76);
SVM_PROVE(offsetof(struct svmrun_info, out_cr0) == 80);
SVM_PROVE(offsetof(struct svmrun_info, out_dbgctl) == 104);
SVM_PROVE(sizeof(struct svmrun_create_vm) == 8);
SVM_PROVE(sizeof(struct svmrun_map) == 32);
SVM_PROVE(offsetof(struct svmrun_map, gpa) == 8);
SVM_PROVE(offsetof(struct svmrun_map, hva) == 16);
SVM_PROVE(offsetof(struct svmrun_map, length) == 24);
SVM_PROVE(sizeof(struct svmrun_unmap) == 24);
SVM_PROVE(offsetof(struct svmrun_unmap, gpa) == 8);
SVM_PROVE(offsetof(struct svmrun_unmap, length) == 16);
SVM_PROVE(sizeof(struct svmrun_create_vcpu) == 8);
SVM_PROVE(sizeof(struct svmrun_protect) == 24);
SVM_PROVE(offsetof(struct svmrun_protect, gpa) == 8);
SVM_PROVE(offsetof(struct svmrun_protect, length) == 16);
SVM_PROVE(sizeof(struct svmrun_dirty) == 32);
SVM_PROVE(offsetof(struct svmrun_dirty, gpa) == 8);
SVM_PROVE(offsetof(struct svmrun_dirty, length) == 16);
SVM_PROVE(offsetof(struct svmrun_dirty, bitmap) == 24);
SVM_PROVE(sizeof(struct svmrun_vm_info) == 48);
SVM_PROVE(offsetof(struct svmrun_vm_info, out_vcpus) == 8);
SVM_PROVE(offsetof(struct svmrun_vm_info, out_table_bytes) == 16);
SVM_PROVE(offsetof(struct svmrun_vm_info, out_pages_1g) == 40);
SVM_PROVE(sizeof(struct svmrun_registers) == 216);
SVM_PROVE(offsetof(struct svmrun_registers, r15) == 104);
SVM_PROVE(offsetof(struct svmrun_registers, dr) == 112);
SVM_PROVE(offsetof(struct svmrun_registers, xcr0) == 144);
SVM_PROVE(offsetof(struct svmrun_registers, tsc_ratio) == 152);
SVM_PROVE(offsetof(struct svmrun_registers, immediate_exit) == 160);
SVM_PROVE(offsetof(struct svmrun_registers, out_invalid_offset) == 168);
SVM_PROVE(offsetof(struct svmrun_registers, out_invalid_reason) == 172);
SVM_PROVE(offsetof(struct svmrun_registers, out_exits_interrupt) == 176);
SVM_PROVE(offsetof(struct svmrun_registers, out_exits_reflected) == 208);

#endif /* _UAPI_LINUX_SVMRUN_H */
