/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/**
 * DOC: svmrun - AMD's VMRUN instruction for ordinary programs
 *
 * This header is the specification of /dev/svmrun. A program fills in a VMCB
 * (linux/svm_vmcb.h) as the AMD64 APM volume 2, chapter 15, documents it, calls
 * SVMRUN_RUN, and reads the VMCB after #VMEXIT.
 *
 * There are three kinds of file descriptors: the device creates VMs, and a VM
 * creates vCPUs. Each holds references to the objects that it needs, so they may be
 * closed in any order.
 *
 * linux/svmrun_policy.h defines which values of each field of a VMCB the module
 * accepts.
 */

/**
 * DOC: General rules
 *
 * - The argument of a call is a struct that begins with its size in bytes, as the
 *   caller was compiled, and flags. The size may be larger than this kernel's
 *   struct if the additional bytes are zero.
 * - Unknown flags and reserved members that are not zero are refused.
 * - The call writes members named out_*, and only reads the others.
 * - Calls without an argument (_IO) take 0.
 * - A VMCB that is illegal, or that svmrun does not permit, is not an error of the
 *   call: RUN returns 0 with VMEXIT_INVALID in EXITCODE, and the registers page
 *   contains the offset of the field and the reason.
 */

/**
 * DOC: Errors of every call with an argument
 *
 * EFAULT: the argument cannot be read or written.
 * EINVAL: @size is too small, or @flags or reserved members are not zero.
 * E2BIG: @size is larger than this kernel's, and the additional bytes are not all
 *	zero.
 */

/**
 * DOC: Errors of every call
 *
 * ENOTTY: the file descriptor is not of the kind that the call is for.
 * ENOMEM: out of memory.
 *
 * Further errors are listed with each call.
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
 * struct svmrun_info - features and limits of the processor and the module
 * @size: sizeof(struct svmrun_info)
 * @flags: 0
 * @out_api_version: SVMRUN_API_VERSION of the module
 * @out_svm_revision: CPUID Fn8000_000A EAX, as the host has it
 * @out_svm_asids: CPUID Fn8000_000A EBX
 * @out_svm_features: CPUID Fn8000_000A EDX
 * @out_forced_intercepts: bits of intercept vectors 0 to 5 that the module sets
 *	whatever the VMCB says
 * @out_vcpu_size: bytes of a vCPU's mmap
 * @out_xsave_size: bytes of the XSAVE area in it
 * @out_xcr0: bits that may be set in a guest's XCR0
 * @out_gpa_bits: guest physical addresses are below 1 << out_gpa_bits
 * @out_npt_levels: levels of the nested page table, 4 or 5
 * @out_max_vcpus: vCPUs that a VM may have
 * @out_max_regions: mapped regions that a VM may have
 * @out_cr0: bits that may be set in a VMCB's CR0
 * @out_cr4: the same for CR4
 * @out_efer: the same for EFER
 * @out_dbgctl: the same for DBGCTL
 * @out_tsc_khz: frequency of the time stamp counter in kHz, as Linux has measured it; 0 if
 *	Linux does not use the counter as a clock, because CPUs disagree or its
 *	frequency changes
 * @out_reserved: 0
 *
 * SVMRUN_INFO on the device. It also works while another hypervisor uses SVM.
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
	__u32 out_tsc_khz;
	__u32 out_reserved;
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
 * (close-on-exec). The VM belongs to the caller's address space. SVM is enabled on
 * every CPU when the first VM is created, and disabled when the last one is
 * destroyed. It is disabled while the machine sleeps, and enabled again on resume.
 *
 * EBUSY: another hypervisor uses SVM on a CPU (EFER.SVME is set).
 * ENODEV: a CPU does not support SVM, firmware has disabled it, or the machine is
 *	shutting down.
 * EMFILE, ENFILE: too many open files.
 */
struct svmrun_create_vm {
	__u32 size;
	__u32 flags;
};
#define SVMRUN_CREATE_VM _IOW(SVMRUN_TYPE, 0x01, struct svmrun_create_vm)

/* ---- VM ---------------------------------------------------------------- */

/* Permissions of a mapping. Nested page tables cannot withhold READ. */
#define SVMRUN_MAP_READ		(1u << 0)
#define SVMRUN_MAP_WRITE	(1u << 1)
#define SVMRUN_MAP_EXEC		(1u << 2)

/* Log the pages that the guest writes, for SVMRUN_DIRTY */
#define SVMRUN_MAP_LOG_DIRTY	(1u << 3)

/**
 * struct svmrun_map - map a range of the caller's memory into a VM
 * @size: sizeof(struct svmrun_map)
 * @flags: SVMRUN_MAP_READ, and SVMRUN_MAP_WRITE, SVMRUN_MAP_EXEC,
 *	SVMRUN_MAP_LOG_DIRTY
 * @gpa: guest physical address, a multiple of 4096
 * @hva: address in the caller's memory, a multiple of 4096
 * @length: bytes, a multiple of 4096, not 0
 *
 * SVMRUN_MAP on a VM. A page is faulted in when the guest first accesses it, is never
 * pinned, and follows later changes of the caller's mapping. There need be no
 * memory at @hva before the guest accesses it.
 *
 * EINVAL: an address or the length is not a multiple of 4096, the length is 0,
 *	READ is missing, or the range at @hva is not in user address space.
 * ERANGE: the range extends beyond 1 << out_gpa_bits.
 * EEXIST: part of the guest range is already mapped.
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
 * struct svmrun_unmap - unmap a range of guest physical addresses
 * @size: sizeof(struct svmrun_unmap)
 * @flags: 0
 * @gpa: guest physical address, a multiple of 4096
 * @length: bytes, a multiple of 4096, not 0
 *
 * SVMRUN_UNMAP on a VM. The range need not match earlier calls of SVMRUN_MAP: a region
 * that is partly inside is split. After the call the guest cannot access the memory.
 *
 * EINVAL: the address or the length is not a multiple of 4096, or is 0.
 * ERANGE: the range extends beyond 1 << out_gpa_bits.
 * ENOENT: nothing is mapped in the range.
 * ENOSPC: splitting needs more than out_max_regions regions.
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
 * (close-on-exec). Its shared pages are zero at first, except for the MSR permission
 * map, which intercepts every access, and XCR0, which is 1.
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
 * struct svmrun_protect - change the permissions of a range
 * @size: sizeof(struct svmrun_protect)
 * @flags: SVMRUN_MAP_READ, and SVMRUN_MAP_WRITE, SVMRUN_MAP_EXEC
 * @gpa: guest physical address, a multiple of 4096
 * @length: bytes, a multiple of 4096, not 0
 *
 * SVMRUN_PROTECT on a VM. The range need not match earlier calls of SVMRUN_MAP: a
 * region that is partly inside is split, and neighbours with equal permissions are
 * joined. Unmapped parts of the range stay unmapped. After the call the new
 * permissions hold for every access; one that they forbid is VMEXIT_NPF with
 * EXITINFO1 and EXITINFO2 as the processor sets them.
 *
 * EINVAL: the address or the length is not a multiple of 4096, or is 0; READ is
 *	missing.
 * ERANGE: the range extends beyond 1 << out_gpa_bits.
 * ENOENT: nothing is mapped in the range.
 * ENOSPC: splitting needs more than out_max_regions regions.
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

/* Clear the log of the range. */
#define SVMRUN_DIRTY_CLEAR	(1u << 0)

/**
 * struct svmrun_dirty - get the pages that the guest has written
 * @size: sizeof(struct svmrun_dirty)
 * @flags: 0 or SVMRUN_DIRTY_CLEAR
 * @gpa: guest physical address, a multiple of 4096
 * @length: bytes, a multiple of 4096, not 0
 * @bitmap: address of the caller's (length / 4096 + 63) / 64 u64: bit n % 64 of
 *	u64 n / 64 is set if the guest may have written to page n of the range
 *	since it was mapped or the log was last cleared, otherwise clear
 *
 * SVMRUN_DIRTY on a VM, for a range that is mapped with SVMRUN_MAP_LOG_DIRTY. It may be
 * called while guests run. With SVMRUN_DIRTY_CLEAR, each write to a page is either
 * in memory when the call returns, or in the log afterwards. Writes of the program
 * are not logged.
 *
 * EFAULT: also if @bitmap cannot be written. After this and other errors, bits of
 *	the first part of the range may be in @bitmap and cleared in the log.
 * EINVAL: the address or the length is not a multiple of 4096, or is 0.
 * ERANGE: the range extends beyond 1 << out_gpa_bits.
 * ENOENT: part of the range is not mapped, or mapped without SVMRUN_MAP_LOG_DIRTY.
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
 * struct svmrun_vm_info - present numbers of a VM's vCPUs, regions and pages
 * @size: sizeof(struct svmrun_vm_info)
 * @flags: 0
 * @out_vcpus: vCPUs
 * @out_regions: mapped regions
 * @out_table_bytes: kernel memory of the nested page table
 * @out_pages_4k: 4 KiB pages that are present in it: that the guest has accessed and
 *	Linux has not reclaimed since
 * @out_pages_2m: the same for 2 MiB pages
 * @out_pages_1g: the same for 1 GiB pages
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

/**
 * DOC: mmap of a vCPU
 *
 * The pages that a vCPU shares with the program are mapped with mmap(): out_vcpu_size
 * bytes at offset 0, or whole pages of them, with MAP_SHARED. The call fails with EINVAL
 * if the range is larger, or the mapping is private.
 *
 * The MSR permission map is all ones at first. It is allocated when the program first
 * accesses it. If that fails, the program gets SIGBUS, or EFAULT from a system call.
 *
 * The XSAVE area is loaded and written by each RUN once the guest has used extended
 * state, CR0 or CPUID, or has CR4.OSXSAVE, PKE or CET set. From then on an area for
 * which XRSTOR would fault is refused, even in a RUN that has entered the guest.
 */
#define SVMRUN_VCPU_VMCB	0x0000 /* struct svm_vmcb */
#define SVMRUN_VCPU_REGISTERS	0x1000 /* struct svmrun_registers */
#define SVMRUN_VCPU_MSRPM	0x2000 /* MSR permission map (APM 15.11) */
#define SVMRUN_VCPU_XSAVE	0x4000 /* XSAVE area, standard format */

/* Why a VMCB was refused: svmrun_registers.out_invalid_reason */
#define SVMRUN_INVALID_NONE		0 /* not refused */
#define SVMRUN_INVALID_PROCESSOR	1 /* the processor's own checks (APM 15.5.1) */
#define SVMRUN_INVALID_MUST_BE_ZERO	2 /* svmrun does not permit it */
#define SVMRUN_INVALID_MUST_BE_SET	3 /* SVM or svmrun requires it */
#define SVMRUN_INVALID_VALUE		4 /* the manual does not define the value */
#define SVMRUN_INVALID_UNSUPPORTED	5 /* the processor does not support it */

/**
 * struct svmrun_registers - guest state that is not in the VMCB
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
 * @dr: DR0 to DR3; loaded by each RUN once the guest has accessed one of them or DR7
 *	without an intercept in the VMCB, or if DR7 enables a breakpoint
 * @xcr0: XCR0 for the guest (APM 11.5.2), a subset of out_xcr0
 * @tsc_ratio: guest TSC ticks per host TSC tick (APM 15.30.5): 8 bits of integer, 32
 *	of fraction; 0 means 1.0. Requires SVM_FEATURE_TSC_RATIO
 * @immediate_exit: if not 0, RUN returns EINTR before entering the guest
 * @reserved: 0
 * @out_invalid_offset: after VMEXIT_INVALID, offset in the vCPU's mmap of the field
 *	that was refused
 * @out_invalid_reason: after a RUN that returned 0: SVMRUN_INVALID_*
 * @out_exits_interrupt: exits that the module handled itself since the vCPU was
 *	created: physical interrupts
 * @out_exits_nmi: the same: NMI, SMI, INIT
 * @out_exits_machine_check: the same: #MC
 * @out_exits_fault: the same: nested page faults on mapped memory
 * @out_exits_reflected: the same: #DB and #AC that were injected again
 *
 * Members that are not out_* are read when RUN begins. Those that the guest can change
 * are written when RUN returns, and are undefined in between; writing to them
 * meanwhile affects only the guest.
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

/**
 * DOC: SVMRUN_RUN - run a guest until #VMEXIT
 *
 * SVMRUN_RUN on a vCPU is VMRUN with the vCPU's shared pages. It returns 0 after an exit
 * that the program has to handle; EXITCODE in the VMCB contains the reason.
 *
 * EINTR: a signal is pending; SVMRUN_KICK or immediate_exit requested it; or the
 *	machine was suspended. A machine check in the guest is a signal too: SIGBUS.
 *	EXITCODE is VMEXIT_INTR, and an event whose delivery was interrupted is in
 *	EVENTINJ. Call RUN again.
 * EFAULT: the guest accessed a mapped address, but there is no memory at its HVA, or the
 *	caller's mapping does not permit the access. EXITCODE is VMEXIT_NPF, and an
 *	event whose delivery was interrupted is in EVENTINJ. RUN can be called again.
 * ENOMEM: as EFAULT; out of memory for the page or for the nested page table.
 * EHWPOISON: as EFAULT; the page has an uncorrectable memory error.
 * EBUSY: another thread is running this vCPU.
 * EIO: the caller's address space is not the VM's.
 * EINVAL: the argument is not 0.
 * ENODEV: SVM is not enabled on this CPU: the machine is shutting down, or has resumed
 *	without it. EXITCODE is VMEXIT_INTR.
 */
#define SVMRUN_RUN _IO(SVMRUN_TYPE, 0x05)

/**
 * DOC: SVMRUN_KICK - interrupt a vCPU
 *
 * SVMRUN_KICK on a vCPU may be called from any thread. The RUN in progress, or the next
 * one, returns EINTR, once.
 *
 * EINVAL: the argument is not 0.
 */
#define SVMRUN_KICK _IO(SVMRUN_TYPE, 0x06)

SVM_PROVE(sizeof(struct svmrun_info) == 120);
SVM_PROVE(offsetof(struct svmrun_info, out_forced_intercepts) == 24);
SVM_PROVE(offsetof(struct svmrun_info, out_vcpu_size) == 48);
SVM_PROVE(offsetof(struct svmrun_info, out_xcr0) == 56);
SVM_PROVE(offsetof(struct svmrun_info, out_max_regions) == 76);
SVM_PROVE(offsetof(struct svmrun_info, out_cr0) == 80);
SVM_PROVE(offsetof(struct svmrun_info, out_dbgctl) == 104);
SVM_PROVE(offsetof(struct svmrun_info, out_tsc_khz) == 112);
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
