/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libsvmrun: AMD's VMRUN instruction for ordinary programs.
 *
 * The library is thin: the VMCB is the API. It opens the device and maps its shared
 * pages (linux/svmrun.h), sets up the processor's modes, loads images, and names and
 * decodes exits.
 *
 * Functions that return int return 0 or more on success and a negative errno on
 * failure. None of them prints, exits or aborts. Errors of system calls are
 * returned unchanged; linux/svmrun.h lists them with each ioctl. Different objects may
 * be used by different threads at once, but one object only by one thread at a time,
 * except for svmrun_vcpu_kick().
 *
 * A negative file descriptor is returned as the error that it is, except for -1,
 * which gives EBADF: svmrun_vm_create(&vm, svmrun_device_open(NULL)) returns the
 * error of svmrun_device_open().
 *
 * Objects (struct svmrun_vm, svmrun_vcpu, ...) are the program's memory. A create
 * function sets the whole object, also when it fails, and the destroy function
 * accepts an object that was created, whose creation failed, that was destroyed
 * before, or that contains only zeros.
 *
 * How structs grow, so that a program works with a later library than the one it
 * was built with:
 * - the kernel's structs are passed with their size, and the library writes no
 *   more than that;
 * - others end in reserved words, which later members replace. The library sets
 *   them to zero in what it fills in. A program sets them to zero in what it fills
 *   in, as an initialiser with names does, and does not use them otherwise;
 * - those without reserved words never grow.
 */
#ifndef SVMRUN_H
#define SVMRUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/svmrun.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of svmrun and of this header, as MAJOR.MINOR.PATCH */
#define SVMRUN_VERSION_MAJOR 1
#define SVMRUN_VERSION_MINOR 0
#define SVMRUN_VERSION_PATCH 0

/* A version as a number that can be compared */
#define SVMRUN_VERSION_NUMBER(major, minor, patch)                             \
	((major) << 16 | (minor) << 8 | (patch))
#define SVMRUN_VERSION                                                         \
	SVMRUN_VERSION_NUMBER(SVMRUN_VERSION_MAJOR, SVMRUN_VERSION_MINOR,      \
			      SVMRUN_VERSION_PATCH)

/**
 * svmrun_version() - get the version of the library that the program runs with
 *
 * Return: SVMRUN_VERSION of the header that the library was built with.
 */
unsigned int svmrun_version(void);

#define SVMRUN_DEVICE "/dev/svmrun"

/* ---- device ------------------------------------------------------------ */

/**
 * svmrun_device_open() - open the device
 * @path: device node, NULL for SVMRUN_DEVICE
 *
 * Return: a file descriptor (close-on-exec), which the caller passes to close(), or a
 * negative errno; -ENOENT: the module is not loaded; -EACCES: there is no permission to use
 * the device; otherwise of open().
 */
int svmrun_device_open(const char *path);

/**
 * svmrun_device_info() - get the features of the processor and the module
 * @device: from svmrun_device_open()
 * @info: filled in
 * @size: sizeof(*@info)
 *
 * Members that an older module does not have are set to zero. The version of the
 * module's interface, @info->out_api_version, is not checked.
 *
 * Return: 0 or a negative errno; -EINVAL: @size does not include all members of the
 * first version.
 */
int svmrun_device_info(int device, struct svmrun_info *info, size_t size);

/* ---- VM and its memory -------------------------------------------------- */

/**
 * struct svmrun_vm - a VM
 * @fd: its file descriptor
 * @vcpu_size: size of a vCPU's shared pages in bytes
 * @xsave_size: size of a vCPU's XSAVE area in bytes
 * @reserved0: zero
 * @reserved: zero
 */
struct svmrun_vm {
	int fd;
	uint32_t vcpu_size;
	uint32_t xsave_size;
	uint32_t reserved0;
	uint64_t reserved[4];
};

/**
 * svmrun_vm_create() - create a VM in this process's address space
 * @vm: filled in; free it with svmrun_vm_destroy()
 * @device: from svmrun_device_open(); may be closed afterwards
 *
 * Return: 0 or a negative errno, see struct svmrun_create_vm; -EPROTONOSUPPORT: the
 * version of the module's interface is not the library's SVMRUN_API_VERSION.
 */
int svmrun_vm_create(struct svmrun_vm *vm, int device);

/**
 * svmrun_vm_destroy() - destroy a VM
 * @vm: from svmrun_vm_create(); its vCPUs may be destroyed before or after
 */
void svmrun_vm_destroy(struct svmrun_vm *vm);

/**
 * svmrun_vm_map() - map a range of this program's memory into a VM
 * @vm: the VM
 * @gpa: guest physical address, a multiple of 4096
 * @hva: address of the memory in this process, a multiple of 4096
 * @length: bytes, a multiple of 4096, not 0
 * @flags: SVMRUN_MAP_READ, optionally with SVMRUN_MAP_WRITE, SVMRUN_MAP_EXEC and
 *	SVMRUN_MAP_LOG_DIRTY
 *
 * Return: 0 or a negative errno, see struct svmrun_map.
 */
int svmrun_vm_map(struct svmrun_vm *vm, uint64_t gpa, void *hva, size_t length,
		  uint32_t flags);

/**
 * svmrun_vm_unmap() - unmap a range of guest physical addresses
 * @vm: the VM
 * @gpa: guest physical address, a multiple of 4096
 * @length: bytes, a multiple of 4096, not 0
 *
 * Return: 0 or a negative errno, see struct svmrun_unmap.
 */
int svmrun_vm_unmap(struct svmrun_vm *vm, uint64_t gpa, size_t length);

/**
 * svmrun_vm_protect() - change the permissions of a range
 * @vm: the VM
 * @gpa: guest physical address, a multiple of 4096
 * @length: bytes, a multiple of 4096, not 0
 * @flags: SVMRUN_MAP_READ, optionally with SVMRUN_MAP_WRITE and SVMRUN_MAP_EXEC
 *
 * Return: 0 or a negative errno, see struct svmrun_protect.
 */
int svmrun_vm_protect(struct svmrun_vm *vm, uint64_t gpa, size_t length,
		      uint32_t flags);

/**
 * svmrun_vm_dirty() - get the pages that the guest has written
 * @vm: the VM
 * @gpa: guest physical address, a multiple of 4096
 * @length: bytes, a multiple of 4096, not 0
 * @bitmap: filled in: one bit per page, in (@length / 4096 + 63) / 64 words
 * @flags: 0 or SVMRUN_DIRTY_CLEAR
 *
 * Return: 0 or a negative errno, see struct svmrun_dirty.
 */
int svmrun_vm_dirty(struct svmrun_vm *vm, uint64_t gpa, size_t length,
		    uint64_t *bitmap, uint32_t flags);

/**
 * svmrun_vm_info() - get the current numbers of a VM's vCPUs, regions and pages
 * @vm: the VM
 * @info: filled in
 * @size: sizeof(*@info)
 *
 * Members that an older module does not have are set to zero.
 *
 * Return: 0 or a negative errno; -EINVAL: @size does not include all members of the
 * first version.
 */
int svmrun_vm_info(struct svmrun_vm *vm, struct svmrun_vm_info *info,
		   size_t size);

/**
 * struct svmrun_memory - a range of guest memory in this process
 * @base: address in this process
 * @gpa: guest physical address
 * @size: bytes
 *
 * It never grows.
 */
struct svmrun_memory {
	void *base;
	uint64_t gpa;
	size_t size;
};

/**
 * svmrun_memory_create() - map new, zeroed memory with all permissions
 * @memory: filled in; free it with svmrun_memory_destroy()
 * @vm: the VM that it is mapped into
 * @gpa: guest physical address, a multiple of 4096
 * @size: bytes, a multiple of 4096, not 0
 *
 * Return: 0 or a negative errno of mmap() or svmrun_vm_map().
 */
int svmrun_memory_create(struct svmrun_memory *memory, struct svmrun_vm *vm,
			 uint64_t gpa, size_t size);

/**
 * svmrun_memory_destroy() - free memory
 * @memory: from svmrun_memory_create()
 *
 * The range of the VM stays mapped: svmrun_vcpu_run() returns -EFAULT if a guest accesses
 * it afterwards.
 */
void svmrun_memory_destroy(struct svmrun_memory *memory);

/**
 * svmrun_memory_at() - translate a guest physical address to a pointer
 * @memory: the memory
 * @gpa: guest physical address
 * @length: bytes from @gpa on that must be inside @memory
 *
 * Return: the pointer, or NULL if the range is not wholly inside @memory.
 */
void *svmrun_memory_at(const struct svmrun_memory *memory, uint64_t gpa,
		       size_t length);

/* ---- vCPU --------------------------------------------------------------- */

/**
 * struct svmrun_vcpu - a vCPU and its shared pages
 * @fd: its file descriptor, -1 if it is not a vCPU of the kernel
 * @vmcb: the VMCB, which the program fills in before a run and reads after it
 * @regs: the registers that are not in the VMCB
 * @msrpm: the MSR permission map, 8 KiB (APM 15.11)
 * @xsave: the XSAVE area, standard format
 * @size: bytes mapped at @vmcb
 * @xsave_size: bytes of the XSAVE area
 * @reserved: zero
 */
struct svmrun_vcpu {
	int fd;
	struct svm_vmcb *vmcb;
	struct svmrun_registers *regs;
	uint8_t *msrpm;
	uint8_t *xsave;
	uint32_t size;
	uint32_t xsave_size;
	uint64_t reserved[4];
};

/**
 * svmrun_vcpu_create() - create a vCPU and map its shared pages
 * @vcpu: filled in; free it with svmrun_vcpu_destroy()
 * @vm: the VM
 *
 * The VMCB contains only zeros. Set a mode before the first run, for example with
 * svmrun_mode_long().
 *
 * Return: 0 or a negative errno, see struct svmrun_create_vcpu, or of mmap().
 */
int svmrun_vcpu_create(struct svmrun_vcpu *vcpu, struct svmrun_vm *vm);

/**
 * svmrun_vcpu_destroy() - destroy a vCPU
 * @vcpu: from svmrun_vcpu_create()
 */
void svmrun_vcpu_destroy(struct svmrun_vcpu *vcpu);

/**
 * svmrun_vcpu_run() - run the guest until #VMEXIT (APM 15.5, 15.6)
 * @vcpu: the vCPU
 *
 * After an exit a program can set all clean bits (SVM_CLEAN_ALL, APM 15.15), which makes the
 * next run faster. It then has to clear those of the fields that it changes.
 *
 * Return: 0 after an exit, whose reason is in vcpu->vmcb->control.exitcode, or a negative
 * errno, see SVMRUN_RUN. After -EINTR, the result of a signal or of svmrun_vcpu_kick(), it
 * can be called again.
 */
int svmrun_vcpu_run(struct svmrun_vcpu *vcpu);

/**
 * svmrun_vcpu_kick() - make the run in progress, or the next one, return -EINTR
 * @vcpu: the vCPU
 *
 * It may be called from any thread, and from a signal handler.
 *
 * Return: 0 or a negative errno, see SVMRUN_KICK.
 */
int svmrun_vcpu_kick(struct svmrun_vcpu *vcpu);

/**
 * enum svmrun_gpr - general-purpose registers, as instructions encode them
 * @SVMRUN_RAX: RAX
 * @SVMRUN_RCX: RCX
 * @SVMRUN_RDX: RDX
 * @SVMRUN_RBX: RBX
 * @SVMRUN_RSP: RSP
 * @SVMRUN_RBP: RBP
 * @SVMRUN_RSI: RSI
 * @SVMRUN_RDI: RDI
 * @SVMRUN_R8: R8
 * @SVMRUN_R9: R9
 * @SVMRUN_R10: R10
 * @SVMRUN_R11: R11
 * @SVMRUN_R12: R12
 * @SVMRUN_R13: R13
 * @SVMRUN_R14: R14
 * @SVMRUN_R15: R15
 */
enum svmrun_gpr {
	SVMRUN_RAX,
	SVMRUN_RCX,
	SVMRUN_RDX,
	SVMRUN_RBX,
	SVMRUN_RSP,
	SVMRUN_RBP,
	SVMRUN_RSI,
	SVMRUN_RDI,
	SVMRUN_R8,
	SVMRUN_R9,
	SVMRUN_R10,
	SVMRUN_R11,
	SVMRUN_R12,
	SVMRUN_R13,
	SVMRUN_R14,
	SVMRUN_R15,
};

/**
 * svmrun_vcpu_get_gpr() - read a general-purpose register
 * @vcpu: the vCPU
 * @gpr: the register
 *
 * RAX and RSP are in the VMCB, the others in the registers page.
 *
 * Return: its value; 0 if there is no such register.
 */
uint64_t svmrun_vcpu_get_gpr(const struct svmrun_vcpu *vcpu,
			     enum svmrun_gpr gpr);

/**
 * svmrun_vcpu_set_gpr() - write a general-purpose register
 * @vcpu: the vCPU
 * @gpr: the register; nothing is written if there is no such register
 * @value: all 64 bits of it
 */
void svmrun_vcpu_set_gpr(struct svmrun_vcpu *vcpu, enum svmrun_gpr gpr,
			 uint64_t value);

/* ---- guest virtual addresses --------------------------------------------- */

/* Access types, with the bits that they have in the error code of #PF (APM 8.4.2) */
#define SVMRUN_ACCESS_WRITE	(1u << 1)
#define SVMRUN_ACCESS_USER	(1u << 2)
#define SVMRUN_ACCESS_FETCH	(1u << 4)
/* To @translate of struct svmrun_physical: an access to a page table */
#define SVMRUN_ACCESS_TABLE	(1u << 29)
/* An implicit access of the processor, as to the GDT: SMAP ignores RFLAGS.AC */
#define SVMRUN_ACCESS_IMPLICIT	(1u << 30)
/* Do not set accessed and dirty bits */
#define SVMRUN_ACCESS_PROBE	(1u << 31)

/* Error code of #PF (APM 8.4.2) */
#define SVMRUN_FAULT_PRESENT	(1u << 0)
#define SVMRUN_FAULT_WRITE	(1u << 1)
#define SVMRUN_FAULT_USER	(1u << 2)
#define SVMRUN_FAULT_RESERVED	(1u << 3)
#define SVMRUN_FAULT_FETCH	(1u << 4)
#define SVMRUN_FAULT_KEY	(1u << 5)

/**
 * struct svmrun_page_fault - a #PF that the guest should get
 * @address: for CR2
 * @error_code: SVMRUN_FAULT_*
 *
 * It never grows.
 */
struct svmrun_page_fault {
	uint64_t address;
	uint32_t error_code;
};

/**
 * svmrun_gva_to_gpa() - walk the guest's page tables as the processor would
 * @vcpu: the vCPU, whose CR0, CR3, CR4, EFER, RFLAGS.AC and PKRU are used
 * @memories: the guest's memory, in whole pages, and writable for this program
 * @memory_count: number of @memories
 * @gva: linear address; bits 63:32 are ignored outside of long mode
 * @access: SVMRUN_ACCESS_*, 0 for a supervisor read
 * @gpa: set to the guest physical address on success; the translation holds up to the
 *	end of the 4 KiB page
 * @fault: filled in for -EFAULT; may be NULL
 *
 * All modes of APM chapter 5 are supported: no paging, 32-bit paging with and without
 * large pages, PAE, 4 and 5 levels; NX, SMEP, SMAP, protection keys and reserved bits.
 * This processor determines which address bits are reserved, as it does for the guest. If
 * the access is permitted, accessed bits, and for a write the dirty bit, are set
 * atomically, because other vCPUs may use the same tables.
 *
 * Return: 0 or a negative errno; -EFAULT: the guest should get @fault; -ERANGE: @gva is
 * not canonical (#GP, or #SS for a stack access); -ENXIO: a table is not in @memories.
 */
int svmrun_gva_to_gpa(const struct svmrun_vcpu *vcpu,
		      const struct svmrun_memory *memories, size_t memory_count,
		      uint64_t gva, uint32_t access, uint64_t *gpa,
		      struct svmrun_page_fault *fault);

/**
 * struct svmrun_physical - memory as a walk of page tables accesses it
 * @memories: the memory, in whole pages, and writable for this program
 * @memory_count: number of @memories
 * @translate: translate a guest physical address to that in @memories, for the tables and
 *	for the result: return 0, or a negative errno, which ends the walk. NULL if the
 *	addresses are the same
 * @owner: first argument of @translate
 * @reserved: zero
 */
struct svmrun_physical {
	const struct svmrun_memory *memories;
	size_t memory_count;
	int (*translate)(void *owner, uint64_t gpa, uint32_t access,
			 uint64_t *physical);
	void *owner;
	uint64_t reserved[2];
};

/* Rights of struct svmrun_translation */
#define SVMRUN_RIGHT_WRITE	(1u << 0)
#define SVMRUN_RIGHT_EXECUTE	(1u << 1)

/**
 * struct svmrun_translation - the result of a walk of page tables
 * @gpa: the guest physical address
 * @physical: its address in the memory of struct svmrun_physical; holds up to the end of
 *	the 4 KiB page
 * @page_size: bytes of the guest's page
 * @rights: accesses that the tables permit as they are now, SVMRUN_RIGHT_*; writing only
 *	if the dirty bit is set. Only the bits W and NX of the tables determine them
 * @reserved0: zero
 * @reserved: zero
 */
struct svmrun_translation {
	uint64_t gpa;
	uint64_t physical;
	uint64_t page_size;
	uint32_t rights;
	uint32_t reserved0;
	uint64_t reserved[2];
};

/**
 * svmrun_translate() - walk page tables, as svmrun_gva_to_gpa() does
 * @vcpu: the vCPU, see svmrun_gva_to_gpa(); only ->vmcb->save is used, unless CR4.PKE is set
 * @physical: memory with the tables
 * @gva: linear address; bits 63:32 are ignored outside of long mode
 * @access: SVMRUN_ACCESS_*, 0 for a supervisor read
 * @translation: filled in on success
 * @fault: filled in for -EFAULT; may be NULL
 *
 * Return: as svmrun_gva_to_gpa(), or the error of @physical->translate.
 */
int svmrun_translate(const struct svmrun_vcpu *vcpu,
		     const struct svmrun_physical *physical, uint64_t gva,
		     uint32_t access, struct svmrun_translation *translation,
		     struct svmrun_page_fault *fault);

/* ---- snapshots and clones ------------------------------------------------ */

/**
 * struct svmrun_snapshot - saved memory and vCPU states of a VM
 * @fd: a memfd that contains the memory, sealed against changes
 * @size: its size in bytes
 * @memories: the ranges of guest memory; @base is a read-only view of the memfd
 * @memory_count: number of @memories
 * @vcpus: the vCPU states, with which clones begin and to which they are reset. The
 *	program may change them. @fd is -1, because they are not vCPUs of the kernel
 * @vcpu_count: number of @vcpus
 * @reserved: zero
 *
 * It depends neither on the VM that it was taken from nor on one address space: after
 * fork() the child can use it, too.
 */
struct svmrun_snapshot {
	int fd;
	size_t size;
	struct svmrun_memory *memories;
	size_t memory_count;
	struct svmrun_vcpu *vcpus;
	size_t vcpu_count;
	uint64_t reserved[4];
};

/**
 * svmrun_snapshot_take() - save the present state of a VM
 * @snapshot: filled in; free it with svmrun_snapshot_destroy()
 * @memories: the memory that clones should have; may be a clone's
 * @memory_count: number of @memories, at least 1
 * @vcpus: the vCPUs, none of which may be running; may be a clone's
 * @vcpu_count: number of @vcpus, at least 1
 *
 * All of the memory is read, and pages that are not zero are copied. Memory that the
 * guest sees at two addresses is duplicated.
 *
 * Return: 0 or a negative errno; -EINVAL: there is no memory or no vCPU, a size is 0, or
 * an address or size is not a multiple of 4096; -EEXIST: two ranges overlap in the guest;
 * -EOVERFLOW: they are too large; otherwise of memfd_create(), ftruncate(), pwrite(),
 * fcntl() or mmap().
 */
int svmrun_snapshot_take(struct svmrun_snapshot *snapshot,
			 const struct svmrun_memory *memories,
			 size_t memory_count, const struct svmrun_vcpu *vcpus,
			 size_t vcpu_count);

/**
 * svmrun_snapshot_destroy() - destroy a snapshot
 * @snapshot: from svmrun_snapshot_take(); its clones must have been destroyed
 */
void svmrun_snapshot_destroy(struct svmrun_snapshot *snapshot);

/**
 * struct svmrun_clone - a VM created from a snapshot
 * @vm: the VM
 * @memories: its memory, a copy-on-write view of the snapshot
 * @memory_count: number of @memories
 * @vcpus: its vCPUs
 * @vcpu_count: number of @vcpus
 * @snapshot: the snapshot, to which svmrun_reset() resets it
 * @touched: one bit per page of @snapshot, set if the program may have written to it
 * @logged: the same for writes of the guest, as of the last svmrun_reset()
 * @reserved: zero
 */
struct svmrun_clone {
	struct svmrun_vm vm;
	struct svmrun_memory *memories;
	size_t memory_count;
	struct svmrun_vcpu *vcpus;
	size_t vcpu_count;
	const struct svmrun_snapshot *snapshot;
	uint64_t *touched;
	uint64_t *logged;
	uint64_t reserved[4];
};

/**
 * svmrun_clone() - create a VM from a snapshot
 * @clone: filled in; free it with svmrun_clone_destroy()
 * @snapshot: from svmrun_snapshot_take(); must exist until the clone is destroyed
 * @device: from svmrun_device_open(), which may have been called before a fork(); may
 *	be closed afterwards
 *
 * The clone belongs to this process, even if another one took the snapshot. It shares
 * each page with the snapshot and its other clones until the page is written. Its memory
 * starts with all permissions; svmrun_vm_protect() can remove some.
 *
 * Return: 0 or a negative errno of svmrun_vm_create(), svmrun_vm_map(),
 * svmrun_vcpu_create() or mmap().
 */
int svmrun_clone(struct svmrun_clone *clone,
		 const struct svmrun_snapshot *snapshot, int device);

/**
 * svmrun_clone_destroy() - destroy a clone
 * @clone: from svmrun_clone()
 */
void svmrun_clone_destroy(struct svmrun_clone *clone);

/**
 * svmrun_clone_touch() - get a pointer to write to a clone's memory
 * @clone: the clone
 * @gpa: guest physical address
 * @length: bytes that this program, or a system call, will write
 *
 * Writes of the guest are logged, those of the program are not. So the program must call
 * this function before it writes to a range, and again after each svmrun_reset();
 * otherwise its changes survive the reset. It may read without it.
 *
 * Return: the pointer, valid for writing until the clone is reset, or NULL if the range
 * is not wholly inside one range of @clone->memories.
 */
void *svmrun_clone_touch(struct svmrun_clone *clone, uint64_t gpa,
			 size_t length);

/**
 * svmrun_reset() - reset a clone to its snapshot
 * @clone: the clone; none of its vCPUs may be running
 *
 * Memory and the pages of each vCPU (VMCB, registers, MSR permission map, XSAVE area)
 * become those of the snapshot, byte by byte. Clean bits are 0, and translations are
 * flushed. The time that it takes is proportional to the number of pages that were
 * written or touched. Not reset are a pending kick, permissions that
 * svmrun_vm_protect() changed, and the time stamp counter.
 *
 * Return: 0 or a negative errno of svmrun_vm_dirty(), for example -EIO: the clone belongs
 * to another process; -ENOENT: part of its memory was unmapped with svmrun_vm_unmap().
 * After an error the clone is unchanged, and svmrun_reset() can be called again.
 */
int svmrun_reset(struct svmrun_clone *clone);

/* ---- modes: the state in which a guest starts ---------------------------- */

/**
 * svmrun_mode_reset() - set the state after RESET#, and the usual intercepts
 * @vcpu: the vCPU
 *
 * The state is that of APM 14.1.3: real mode at F000:FFF0 with CS base FFFF0000h. Only
 * CR0.CD and CR0.NW are clear, because no VMCB may have them. HLT, CPUID and SHUTDOWN are
 * intercepted besides the intercepts that the module forces; nested paging is enabled;
 * the ASID is 1.
 */
void svmrun_mode_reset(struct svmrun_vcpu *vcpu);

/**
 * svmrun_mode_init() - set the state after INIT
 * @vcpu: the vCPU, which has run before
 *
 * The state is that of APM 14.1.3. It differs from the state after RESET# in that INIT
 * keeps x87, SSE and other extended state, XCR0, the time stamp counter, and MSRs other
 * than EFER and the bases of FS and GS. Intercepts are unchanged; translations are
 * flushed.
 */
void svmrun_mode_init(struct svmrun_vcpu *vcpu);

/**
 * svmrun_mode_real() - set 16-bit real mode
 * @vcpu: the vCPU
 * @segment: CS, DS, ES, SS, FS and GS; their bases are @segment * 16
 * @ip: IP
 *
 * SP is 0: the stack begins at the top of the segment.
 */
void svmrun_mode_real(struct svmrun_vcpu *vcpu, uint16_t segment, uint16_t ip);

/**
 * svmrun_mode_protected() - set 32-bit protected mode, flat segments, no paging
 * @vcpu: the vCPU
 * @eip: entry point
 * @esp: top of the stack
 *
 * Interrupts are disabled. The descriptor tables are empty: a guest must load its own
 * before it loads a segment register.
 */
void svmrun_mode_protected(struct svmrun_vcpu *vcpu, uint32_t eip,
			   uint32_t esp);

/* Size of the page tables that svmrun_mode_long() writes, in bytes */
#define SVMRUN_LONG_TABLES_SIZE (6 * 4096)

/**
 * svmrun_mode_long() - set 64-bit mode, flat segments, the low 4 GiB mapped 1:1
 * @vcpu: the vCPU
 * @memory: the memory that the page tables are written to
 * @tables: their guest physical address, a multiple of 4096;
 *	SVMRUN_LONG_TABLES_SIZE bytes
 * @rip: entry point, canonical
 * @rsp: top of the stack
 *
 * SSE is enabled (CR4.OSFXSR). Interrupts are disabled, and the descriptor tables are
 * empty.
 *
 * Return: 0 or a negative errno; -EINVAL: @tables is not a multiple of 4096; -ERANGE: the
 * tables are not wholly inside @memory, or @rip is not canonical.
 */
int svmrun_mode_long(struct svmrun_vcpu *vcpu, struct svmrun_memory *memory,
		     uint64_t tables, uint64_t rip, uint64_t rsp);

/* ---- images ------------------------------------------------------------- */

/**
 * svmrun_image_is_elf() - does the image begin with ELF's magic number?
 * @image: the contents of the file
 * @size: bytes
 *
 * Return: true if it does.
 */
bool svmrun_image_is_elf(const void *image, size_t size);

/**
 * svmrun_image_load_flat() - copy an image to guest memory unchanged
 * @memory: the memory that it is copied to
 * @image: the contents of the file
 * @size: bytes
 * @gpa: guest physical address of its first byte
 *
 * Return: 0 or a negative errno; -ENODATA: the image is empty; -ERANGE: it is not wholly
 * inside @memory.
 */
int svmrun_image_load_flat(struct svmrun_memory *memory, const void *image,
			   size_t size, uint64_t gpa);

/**
 * svmrun_image_load_elf64() - load the segments of an x86-64 ELF executable
 * @memory: the memory that they are loaded to, at their physical addresses
 * @image: the contents of the file
 * @size: bytes
 * @entry: set to the entry point
 *
 * A position-independent executable is loaded at 1 MiB or, if @memory does not include this
 * address, at the start of @memory, aligned as its segments require. Its relative
 * relocations are applied.
 *
 * Nothing is written unless the whole image is valid.
 *
 * Return: 0 or a negative errno; -ENOEXEC: it is not a 64-bit little-endian ELF
 * executable, or it is truncated; -EMEDIUMTYPE: it is for another machine; -ERANGE: a
 * segment or a relocation is not wholly inside @memory; -ENODATA: there is no segment to
 * load; -EOPNOTSUPP: a position-independent executable needs a dynamic linker, or has
 * relocations that are not relative.
 */
int svmrun_image_load_elf64(struct svmrun_memory *memory, const void *image,
			    size_t size, uint64_t *entry);

/**
 * svmrun_image_elf64_tables() - get the size of the page tables for virtual addresses
 * @image: the contents of the file
 * @size: bytes
 *
 * Return: the bytes that svmrun_image_elf64_map() needs, 0 if all segments have virtual
 * addresses below 4 GiB, or a negative errno; -ENOEXEC: it is not a 64-bit little-endian
 * ELF executable, it is truncated, or the offsets in a page of a segment's virtual and
 * physical address differ; otherwise of svmrun_image_load_elf64().
 */
int64_t svmrun_image_elf64_tables(const void *image, size_t size);

/**
 * svmrun_image_elf64_map() - map an executable at its virtual addresses
 * @memory: memory with the page tables
 * @image: the contents of the file
 * @size: bytes
 * @root: guest physical address of the root table, as svmrun_mode_long() writes it
 * @tables: guest physical address of svmrun_image_elf64_tables() bytes for more tables, a
 *	multiple of 4096
 *
 * Segments whose virtual addresses are 4 GiB or above are mapped in addition to the 1:1
 * mapping of svmrun_mode_long(), which writes the root and must be called before.
 *
 * Return: 0 or a negative errno; -EINVAL: @root or @tables is not a multiple of 4096;
 * -ERANGE: the tables or a segment are not wholly inside @memory; otherwise of
 * svmrun_image_elf64_tables().
 */
int svmrun_image_elf64_map(struct svmrun_memory *memory, const void *image,
			   size_t size, uint64_t root, uint64_t tables);

/* ---- exits -------------------------------------------------------------- */

/**
 * svmrun_exit_name() - get the manual's name of an exit code
 * @exitcode: EXITCODE
 *
 * Return: a static string, for example "VMEXIT_IOIO" (APM appendix C), or NULL if the
 * code has no name.
 */
const char *svmrun_exit_name(uint64_t exitcode);

/**
 * svmrun_invalid_reason() - describe why the module refused a VMCB
 * @reason: SVMRUN_INVALID_*
 *
 * Return: a static string, for example "must be zero", or NULL if there is no such
 * reason.
 */
const char *svmrun_invalid_reason(uint32_t reason);

/**
 * struct svmrun_ioio - a decoded VMEXIT_IOIO (APM 15.10.2)
 * @port: the port
 * @size: bytes of one access: 1, 2 or 4
 * @in: the instruction is IN or INS, otherwise OUT or OUTS
 * @string: it is INS or OUTS
 * @rep: it has a REP prefix
 * @address_size: bytes of an address, for string instructions: 2, 4 or 8
 * @segment: segment register, for OUTS: 0 to 5 for ES, CS, SS, DS, FS, GS
 * @next_rip: RIP of the next instruction
 * @reserved: zero
 */
struct svmrun_ioio {
	uint16_t port;
	uint8_t size;
	bool in;
	bool string;
	bool rep;
	uint8_t address_size;
	uint8_t segment;
	uint64_t next_rip;
	uint64_t reserved[2];
};

/**
 * svmrun_ioio_decode() - decode a VMEXIT_IOIO
 * @io: filled in
 * @vmcb: the VMCB after the exit
 *
 * Return: 0 or a negative errno; -EINVAL: EXITCODE is not VMEXIT_IOIO, or EXITINFO1 has
 * no operand size.
 */
int svmrun_ioio_decode(struct svmrun_ioio *io, const struct svm_vmcb *vmcb);

/**
 * svmrun_ioio_value() - get the value that an OUT writes
 * @io: the decoded exit of an OUT
 * @vmcb: its VMCB
 *
 * Return: AL, AX or EAX.
 */
uint32_t svmrun_ioio_value(const struct svmrun_ioio *io,
			   const struct svm_vmcb *vmcb);

/**
 * svmrun_ioio_complete() - complete an IN or OUT that the program has carried out
 * @io: the decoded exit; not of a string instruction
 * @vmcb: its VMCB
 * @value: the value that an IN reads; ignored for an OUT
 *
 * RIP advances to the next instruction, and the interrupt shadow ends. An IN sets AL, AX
 * or EAX; as the architecture requires, 4 bytes also clear the upper half of RAX.
 */
void svmrun_ioio_complete(const struct svmrun_ioio *io, struct svm_vmcb *vmcb,
			  uint32_t value);

/* ---- why VMRUN failed ---------------------------------------------------- */

/**
 * struct svmrun_processor - properties of the processor that the rules for a VMCB use
 * @svm_features: CPUID Fn8000_000A EDX
 * @cr3: bits that may be set in CR3 in long mode (APM 3.1.2)
 * @cr4: bits that may be set in CR4
 * @efer: bits that may be set in EFER
 * @s_cet: bits that may be set in S_CET, or are not checked
 * @xcr0: bits that may be set in a guest's XCR0
 * @cr0: bits that may be set in CR0
 * @dbgctl: bits that may be set in DBGCTL
 * @reserved: zero
 */
struct svmrun_processor {
	uint32_t svm_features;
	uint64_t cr3;
	uint64_t cr4;
	uint64_t efer;
	uint64_t s_cet;
	uint64_t xcr0;
	uint64_t cr0;
	uint64_t dbgctl;
	uint64_t reserved[8];
};

/**
 * svmrun_processor_identify() - get the properties of this processor
 * @processor: filled in
 * @info: from svmrun_device_info(). Without a device, a struct that has only
 *	@out_svm_features and @out_xcr0: if @size does not include the bits of CR0, CR4,
 *	EFER and DBGCTL, or they are 0, CPUID determines these bits
 */
void svmrun_processor_identify(struct svmrun_processor *processor,
			       const struct svmrun_info *info);

/**
 * struct svmrun_broken_rule - a rule for VMRUN, and the field that breaks it
 * @field: the member, for example "save.cr0" of struct svm_vmcb, or "xcr0" of struct
 *	svmrun_registers
 * @offset: its offset in the vCPU's mmap, as in out_invalid_offset
 * @reason: SVMRUN_INVALID_PROCESSOR if the processor refuses it, another
 *	SVMRUN_INVALID_* if the module does
 * @value: the value of the field
 * @bits: the bits of the value that are wrong: they must be clear but are set, or the
 *	other way round
 * @why: the rule in words
 * @source: the section of the manual, for example "APM 15.5.1", or the header that
 *	contains the rule
 * @reserved: zero
 *
 * The strings are static.
 */
struct svmrun_broken_rule {
	const char *field;
	uint32_t offset;
	uint32_t reason;
	uint64_t value;
	uint64_t bits;
	const char *why;
	const char *source;
	uint64_t reserved[2];
};

/**
 * svmrun_vmcb_explain() - find all rules for VMRUN that a VMCB breaks
 * @vmcb: the VMCB, before a run, or after one that ended with VMEXIT_INVALID
 * @processor: from svmrun_processor_identify()
 * @rules: filled in with the first @count broken rules; may be NULL if @count is 0
 * @count: number of rules that @rules has room for
 *
 * The module's rules come first, in the order in which it checks them, then those of the
 * processor (APM 15.5.1). Clean bits are ignored. There are no rules for fields that the
 * module sets itself (intercepts, ASID, N_CR3, permission maps), because a program cannot
 * break them, nor for registers that are not in the VMCB (U_CET).
 *
 * Return: the number of broken rules, which may be greater than @count.
 */
int svmrun_vmcb_explain(const struct svm_vmcb *vmcb,
			const struct svmrun_processor *processor,
			struct svmrun_broken_rule *rules, size_t count);

/**
 * svmrun_vmrun_explain() - find all rules of the processor for VMRUN that a VMCB breaks
 * @vmcb: the VMCB of a hypervisor that executes VMRUN itself
 * @processor: properties of the processor that it runs on; @svm_features, @cr3, @cr4,
 *	@efer and @s_cet are used
 * @rules: filled in with the first @count broken rules; may be NULL if @count is 0
 * @count: number of rules that @rules has room for
 *
 * The rules are those of APM 15.5.1, 15.20 and 15.25.4, without the module's. Clean bits
 * are ignored.
 *
 * Return: the number of broken rules, which may be greater than @count.
 */
int svmrun_vmrun_explain(const struct svm_vmcb *vmcb,
			 const struct svmrun_processor *processor,
			 struct svmrun_broken_rule *rules, size_t count);

/**
 * svmrun_registers_explain() - find all rules for VMRUN that a registers page breaks
 * @regs: the registers page
 * @processor: from svmrun_processor_identify()
 * @rules: filled in with the first @count broken rules; may be NULL if @count is 0
 * @count: number of rules that @rules has room for
 *
 * The module checks the registers page only if the VMCB breaks no rule.
 *
 * Return: the number of broken rules, which may be greater than @count.
 */
int svmrun_registers_explain(const struct svmrun_registers *regs,
			     const struct svmrun_processor *processor,
			     struct svmrun_broken_rule *rules, size_t count);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_H */
