/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libsvmrun: AMD's VMRUN instruction for ordinary programs.
 *
 * The library is thin: the VMCB is the API. It opens and maps what the kernel
 * gives (linux/svmrun.h), knows the register values of the processor's modes,
 * loads images, and names and decodes exits.
 *
 * Functions that return int return 0 or more on success and a negative errno on
 * failure. None of them prints, exits or aborts. Errors of system calls are
 * returned unchanged; linux/svmrun.h lists them beside each ioctl. Different
 * objects may be used by different threads at once, one object only by one thread
 * at a time, except for svmrun_vcpu_kick().
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

/* The version of this header, as MAJOR.MINOR.PATCH */
#define SVMRUN_VERSION_MAJOR 0
#define SVMRUN_VERSION_MINOR 1
#define SVMRUN_VERSION_PATCH 0

/* A version as a number that can be compared */
#define SVMRUN_VERSION_NUMBER(major, minor, patch)                             \
	((major) << 16 | (minor) << 8 | (patch))
#define SVMRUN_VERSION                                                         \
	SVMRUN_VERSION_NUMBER(SVMRUN_VERSION_MAJOR, SVMRUN_VERSION_MINOR,      \
			      SVMRUN_VERSION_PATCH)

/**
 * svmrun_version() - version of the library that the program runs with
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
 * Return: a file descriptor (close-on-exec) to close(), or a negative errno:
 * ENOENT (no such node: the module is not loaded), EACCES (not for this user).
 */
int svmrun_device_open(const char *path);

/**
 * svmrun_device_info() - get the features of the processor and the module
 * @device: from svmrun_device_open()
 * @info: filled in
 * @size: sizeof(*@info)
 *
 * Members that the module does not know, because it is older, are zero. The
 * version of the module's interface, @info->out_api_version, is not checked.
 *
 * Return: 0 or a negative errno; EINVAL: @size is less than the members of the
 * first version need.
 */
int svmrun_device_info(int device, struct svmrun_info *info, size_t size);

/* ---- VM and its memory -------------------------------------------------- */

/**
 * struct svmrun_vm - a VM
 * @fd: the kernel's VM
 * @vcpu_size: bytes to map for a vCPU
 * @xsave_size: bytes of a vCPU's XSAVE area
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
 * @vm: filled in; svmrun_vm_destroy() it
 * @device: from svmrun_device_open(); may be closed afterwards
 *
 * Return: 0 or a negative errno; EBUSY: another hypervisor has the processors;
 * EPROTONOSUPPORT: the module's interface has another version than the library's,
 * SVMRUN_API_VERSION.
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
 * @hva: the memory, at a multiple of 4096
 * @length: bytes, a multiple of 4096
 * @flags: SVMRUN_MAP_*, SVMRUN_MAP_LOG_DIRTY
 *
 * Return: 0 or a negative errno, see struct svmrun_map.
 */
int svmrun_vm_map(struct svmrun_vm *vm, uint64_t gpa, void *hva, size_t length,
		  uint32_t flags);

/**
 * svmrun_vm_unmap() - unmap a range of guest physical addresses
 * @vm: the VM
 * @gpa: guest physical address, a multiple of 4096
 * @length: bytes, a multiple of 4096
 *
 * Return: 0 or a negative errno, see struct svmrun_unmap.
 */
int svmrun_vm_unmap(struct svmrun_vm *vm, uint64_t gpa, size_t length);

/**
 * svmrun_vm_protect() - change the permissions of a range
 * @vm: the VM
 * @gpa: guest physical address, a multiple of 4096
 * @length: bytes, a multiple of 4096
 * @flags: SVMRUN_MAP_READ, and SVMRUN_MAP_WRITE, SVMRUN_MAP_EXEC
 *
 * Return: 0 or a negative errno, see struct svmrun_protect.
 */
int svmrun_vm_protect(struct svmrun_vm *vm, uint64_t gpa, size_t length,
		      uint32_t flags);

/**
 * svmrun_vm_dirty() - get the pages that the guest has written
 * @vm: the VM
 * @gpa: guest physical address, a multiple of 4096
 * @length: bytes, a multiple of 4096
 * @bitmap: one bit per page, (@length / 4096 + 63) / 64 numbers
 * @flags: 0 or SVMRUN_DIRTY_CLEAR
 *
 * Return: 0 or a negative errno, see struct svmrun_dirty.
 */
int svmrun_vm_dirty(struct svmrun_vm *vm, uint64_t gpa, size_t length,
		    uint64_t *bitmap, uint32_t flags);

/**
 * svmrun_vm_info() - get the present numbers of a VM's vCPUs, regions and pages
 * @vm: the VM
 * @info: filled in
 * @size: sizeof(*@info)
 *
 * Members that the module does not know, because it is older, are zero.
 *
 * Return: 0 or a negative errno; EINVAL: @size is less than the members of the
 * first version need.
 */
int svmrun_vm_info(struct svmrun_vm *vm, struct svmrun_vm_info *info,
		   size_t size);

/**
 * struct svmrun_memory - a range of guest memory that this program holds
 * @base: where the program sees it
 * @gpa: where the guest sees it
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
 * @memory: filled in; svmrun_memory_destroy() it
 * @vm: the VM that it is mapped into
 * @gpa: guest physical address, a multiple of 4096
 * @size: bytes, a multiple of 4096
 *
 * Return: 0 or a negative errno.
 */
int svmrun_memory_create(struct svmrun_memory *memory, struct svmrun_vm *vm,
			 uint64_t gpa, size_t size);

/**
 * svmrun_memory_destroy() - free memory
 * @memory: from svmrun_memory_create()
 *
 * A guest that touches it afterwards faults: RUN returns EFAULT.
 */
void svmrun_memory_destroy(struct svmrun_memory *memory);

/**
 * svmrun_memory_at() - guest physical address to pointer
 * @memory: the memory
 * @gpa: guest physical address
 * @length: bytes that must be there
 *
 * Return: the pointer, or NULL if the range is not wholly inside @memory.
 */
void *svmrun_memory_at(const struct svmrun_memory *memory, uint64_t gpa,
		       size_t length);

/* ---- vCPU --------------------------------------------------------------- */

/**
 * struct svmrun_vcpu - a vCPU and its shared pages
 * @fd: the kernel's vCPU
 * @vmcb: the VMCB: fill it in, run, read it
 * @regs: the registers that the VMCB does not hold
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
 * @vcpu: filled in; svmrun_vcpu_destroy() it
 * @vm: the VM
 *
 * The vCPU is as the kernel makes it, all zeros: give it a mode.
 *
 * Return: 0 or a negative errno.
 */
int svmrun_vcpu_create(struct svmrun_vcpu *vcpu, struct svmrun_vm *vm);

/**
 * svmrun_vcpu_destroy() - destroy a vCPU
 * @vcpu: from svmrun_vcpu_create()
 */
void svmrun_vcpu_destroy(struct svmrun_vcpu *vcpu);

/**
 * svmrun_vcpu_run() - VMRUN
 * @vcpu: the vCPU
 *
 * Return: 0: read vcpu->vmcb->control.exitcode. -EINTR: a signal or a kick;
 * run again. Otherwise a negative errno, see SVMRUN_RUN.
 */
int svmrun_vcpu_run(struct svmrun_vcpu *vcpu);

/**
 * svmrun_vcpu_kick() - make a run in flight, or the next one, return -EINTR
 * @vcpu: the vCPU; from any thread, and from a signal handler
 *
 * Return: 0 or a negative errno.
 */
int svmrun_vcpu_kick(struct svmrun_vcpu *vcpu);

/* General-purpose registers, numbered as in instructions */
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

/* An access, in the bits that the error code of #PF has for it (APM 8.4.2) */
#define SVMRUN_ACCESS_WRITE	(1u << 1)
#define SVMRUN_ACCESS_USER	(1u << 2)
#define SVMRUN_ACCESS_FETCH	(1u << 4)
/* The processor's own, as to a descriptor table: RFLAGS.AC is no excuse (SMAP) */
#define SVMRUN_ACCESS_IMPLICIT	(1u << 30)
/* Only look: accessed and dirty bits stay as they are */
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
 * @vcpu: whose CR0, CR3, CR4, EFER, RFLAGS.AC and PKRU count
 * @memories: the guest's memory; pages of it as svmrun_vm_map() takes them, and
 *	writable for this program
 * @memory_count: how many
 * @gva: linear address; of no account above bit 31 outside of long mode
 * @access: SVMRUN_ACCESS_*, 0 for a supervisor's read
 * @gpa: filled in if there is one; good as far as the end of the 4 KiB page
 * @fault: filled in for -EFAULT; may be NULL
 *
 * All modes of APM chapter 5: no paging, 32-bit with and without large pages, PAE,
 * 4 and 5 levels; NX, SMEP, SMAP, protection keys, reserved bits. Which bits of an
 * address are reserved depends on this processor, as it does for the guest. If the
 * access is allowed, the entries become accessed and the page of a write dirty,
 * atomically, since other vCPUs may be at them too.
 *
 * Return: 0, -EFAULT if the guest should get @fault, -ERANGE if @gva is not
 * canonical (#GP or #SS, the caller knows), -ENXIO if a table is not in @memories.
 */
int svmrun_gva_to_gpa(const struct svmrun_vcpu *vcpu,
		      const struct svmrun_memory *memories, size_t memory_count,
		      uint64_t gva, uint32_t access, uint64_t *gpa,
		      struct svmrun_page_fault *fault);

/* ---- snapshots and clones ------------------------------------------------ */

/**
 * struct svmrun_snapshot - a VM as it was: its memory and its vCPUs
 * @fd: a memfd that holds the memory, sealed: nobody can change it any more
 * @size: bytes of it
 * @memories: where the guest saw the memory; @base is a view that can be read
 * @memory_count: how many
 * @vcpus: the vCPUs' states, which clones begin with and go back to: a program may
 *	change them; @fd is -1, since they are no kernel's
 * @vcpu_count: how many
 * @reserved: zero
 *
 * Nothing of it belongs to the VM that it was taken of, nor to one address space:
 * after fork() the child can use it just as well.
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
 * svmrun_snapshot_take() - keep a VM as it is now
 * @snapshot: filled in; svmrun_snapshot_destroy() it
 * @memories: all of its memory, or as much as clones shall have; of a clone too
 * @memory_count: how many, at least 1
 * @vcpus: its vCPUs, none of which is running; of a clone too
 * @vcpu_count: how many, at least 1
 *
 * All of the memory is read, and what is not zero is copied. Memory that the
 * guest sees at two addresses becomes two memories.
 *
 * Return: 0, or -EINVAL if there is no memory or no vCPU, or an address or size
 * of a memory is not a multiple of 4096 or 0, -EEXIST if two overlap in the
 * guest, -EOVERFLOW if they are too large, another negative errno: of
 * memfd_create(), mmap() and the like.
 */
int svmrun_snapshot_take(struct svmrun_snapshot *snapshot,
			 const struct svmrun_memory *memories,
			 size_t memory_count, const struct svmrun_vcpu *vcpus,
			 size_t vcpu_count);

/**
 * svmrun_snapshot_destroy() - destroy a snapshot
 * @snapshot: from svmrun_snapshot_take(); it has no clones any more
 */
void svmrun_snapshot_destroy(struct svmrun_snapshot *snapshot);

/**
 * struct svmrun_clone - a VM that began as a snapshot
 * @vm: the VM
 * @memories: its memory, a view of the snapshot that is copied when written to
 * @memory_count: how many
 * @vcpus: its vCPUs
 * @vcpu_count: how many
 * @snapshot: what it goes back to
 * @touched: one bit per page of @snapshot: the program may have written to it
 * @logged: the same of the guest, as svmrun_reset() last found it
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
 * svmrun_clone() - a new VM that goes on where a snapshot was taken
 * @clone: filled in; svmrun_clone_destroy() it
 * @snapshot: from svmrun_snapshot_take(); stays until the clone is destroyed
 * @device: from svmrun_device_open(), also before a fork(); may be closed
 *	afterwards
 *
 * The clone is this process's, whoever took the snapshot. It shares each page
 * with the snapshot and its other clones until it is written to. All of its
 * memory has all rights: svmrun_vm_protect() takes some away.
 *
 * Return: 0 or a negative errno: of svmrun_vm_create(), svmrun_vm_map(),
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
 * svmrun_clone_touch() - where this program may write to a clone's memory
 * @clone: the clone
 * @gpa: guest physical address
 * @length: bytes that will be written, by this program or a system call of its
 *
 * What the guest writes is logged, what the program writes is not: it writes only
 * to what it has touched since the clone was made or last reset. Anything else
 * stays there when the clone is reset. Reading needs no touch.
 *
 * Return: the pointer, good until the clone is reset, or NULL if the range is not
 * wholly inside one memory.
 */
void *svmrun_clone_touch(struct svmrun_clone *clone, uint64_t gpa,
			 size_t length);

/**
 * svmrun_reset() - a clone back to its snapshot
 * @clone: the clone; none of its vCPUs is running
 *
 * Memory, and the pages of each vCPU (VMCB, registers, MSR permission map, XSAVE
 * area), are as they are in the snapshot, byte by byte. Clean bits are 0, and
 * translations are dropped. It takes time for each page that was written to or
 * touched, and next to none for the others. A kick that no run has seen is still
 * to be seen, rights are as svmrun_vm_protect() left them, and the time stamp
 * counter goes on.
 *
 * Return: 0, or -EIO if it is another process's clone, -ENOENT if part of its
 * memory was taken away with svmrun_vm_unmap(), another negative errno of
 * svmrun_vm_dirty(). After an error nothing has been put back, and nothing is
 * forgotten.
 */
int svmrun_reset(struct svmrun_clone *clone);

/* ---- modes: the state after which a guest's code runs ------------------- */

/**
 * svmrun_mode_reset() - the state after RESET#, and the usual intercepts
 * @vcpu: the vCPU
 *
 * Everything as APM 14.1.3 gives it, except that CR0.CD and CR0.NW are clear, which
 * no VMCB may have: real mode at F000:FFF0 with CS base FFFF0000h. Intercepts HLT, CPUID,
 * SHUTDOWN and what the module forces; nested paging on; ASID 1.
 */
void svmrun_mode_reset(struct svmrun_vcpu *vcpu);

/**
 * svmrun_mode_real() - 16-bit real mode
 * @vcpu: the vCPU
 * @segment: CS, DS, ES, SS (and FS, GS); bases are @segment * 16
 * @ip: IP; SP is 0, the top of the segment
 */
void svmrun_mode_real(struct svmrun_vcpu *vcpu, uint16_t segment, uint16_t ip);

/**
 * svmrun_mode_protected() - 32-bit protected mode, flat segments, no paging
 * @vcpu: the vCPU
 * @eip: entry point
 * @esp: top of the stack
 *
 * Interrupts are off and there is no descriptor table: a guest that loads a
 * segment register brings its own.
 */
void svmrun_mode_protected(struct svmrun_vcpu *vcpu, uint32_t eip,
			   uint32_t esp);

/* Bytes that svmrun_mode_long() needs for page tables. */
#define SVMRUN_LONG_TABLES_SIZE (6 * 4096)

/**
 * svmrun_mode_long() - 64-bit mode, flat segments, the low 4 GiB mapped 1:1
 * @vcpu: the vCPU
 * @memory: the memory that the page tables are written into
 * @tables: their guest physical address, a multiple of 4096;
 *	SVMRUN_LONG_TABLES_SIZE bytes
 * @rip: entry point, canonical
 * @rsp: top of the stack
 *
 * SSE is enabled (CR4.OSFXSR). Interrupts are off and there is no descriptor
 * table.
 *
 * Return: 0, or -EINVAL if @tables is not aligned, -ERANGE if they are not
 * wholly inside @memory or @rip is not canonical.
 */
int svmrun_mode_long(struct svmrun_vcpu *vcpu, struct svmrun_memory *memory,
		     uint64_t tables, uint64_t rip, uint64_t rsp);

/* ---- images ------------------------------------------------------------- */

/**
 * svmrun_image_is_elf() - does the image begin with ELF's magic number?
 * @image: the file's bytes
 * @size: how many
 *
 * Return: true if it does.
 */
bool svmrun_image_is_elf(const void *image, size_t size);

/**
 * svmrun_image_load_flat() - copy an image as it is
 * @memory: where to
 * @image: the file's bytes
 * @size: how many
 * @gpa: guest physical address of its first byte
 *
 * Return: 0, or -ENODATA if the image is empty, -ERANGE if it is not wholly
 * inside @memory.
 */
int svmrun_image_load_flat(struct svmrun_memory *memory, const void *image,
			   size_t size, uint64_t gpa);

/**
 * svmrun_image_load_elf64() - load the segments of an x86-64 ELF executable
 * @memory: where to; segments go to their physical addresses
 * @image: the file's bytes
 * @size: how many
 * @entry: its entry point
 *
 * Nothing is written unless the whole image is fit to be loaded.
 *
 * Return: 0, or -ENOEXEC if it is not a 64-bit little-endian ELF executable or
 * is cut off, -EMEDIUMTYPE if it is for another machine, -ERANGE if a segment
 * is not wholly inside @memory, -ENODATA if there is nothing to load.
 */
int svmrun_image_load_elf64(struct svmrun_memory *memory, const void *image,
			    size_t size, uint64_t *entry);

/* ---- exits -------------------------------------------------------------- */

/**
 * svmrun_exit_name() - the manual's name of an exit code
 * @exitcode: EXITCODE
 *
 * Return: for instance "VMEXIT_IOIO" (APM appendix C), or NULL if there is none.
 */
const char *svmrun_exit_name(uint64_t exitcode);

/**
 * svmrun_invalid_reason() - why the module refused a VMCB, in words
 * @reason: SVMRUN_INVALID_*
 *
 * Return: for instance "must be zero", or NULL if there is no such reason.
 */
const char *svmrun_invalid_reason(uint32_t reason);

/**
 * struct svmrun_ioio - a decoded VMEXIT_IOIO (APM 15.10.2)
 * @port: the port
 * @size: bytes of one access: 1, 2 or 4
 * @in: IN or INS; otherwise OUT or OUTS
 * @string: INS or OUTS
 * @rep: with a REP prefix
 * @address_size: bytes of an address, for string instructions: 2, 4 or 8
 * @segment: segment register, for OUTS: 0 to 5 for ES, CS, SS, DS, FS, GS
 * @next_rip: RIP of the instruction that follows
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
 * @vmcb: a VMCB whose EXITCODE is VMEXIT_IOIO
 *
 * Return: 0, or -EINVAL if it is another exit or names no operand size.
 */
int svmrun_ioio_decode(struct svmrun_ioio *io, const struct svm_vmcb *vmcb);

/**
 * svmrun_ioio_value() - what an OUT writes
 * @io: the decoded exit, of OUT
 * @vmcb: its VMCB
 *
 * Return: AL, AX or EAX.
 */
uint32_t svmrun_ioio_value(const struct svmrun_ioio *io,
			   const struct svm_vmcb *vmcb);

/**
 * svmrun_ioio_complete() - finish an IN or OUT that the program has carried out
 * @io: the decoded exit; not of a string instruction
 * @vmcb: its VMCB: RIP goes on to the next instruction, an IN sets AL, AX or EAX
 * @value: what an IN reads; of no account for an OUT
 *
 * As the architecture has it: IN of 4 bytes clears the upper half of RAX, of 1
 * or 2 leaves the rest of it; the interrupt shadow ends.
 */
void svmrun_ioio_complete(const struct svmrun_ioio *io, struct svm_vmcb *vmcb,
			  uint32_t value);

/* ---- why VMRUN failed ---------------------------------------------------- */

/**
 * struct svmrun_processor - what the rules for a VMCB depend on
 * @svm_features: CPUID Fn8000_000A EDX
 * @cr3: bits that CR3 may have in long mode (APM 3.1.2)
 * @cr4: bits that CR4 may have
 * @efer: bits that EFER may have
 * @s_cet: bits that S_CET may have, or that are not looked at
 * @xcr0: bits that a guest's XCR0 may have
 * @cr0: bits that CR0 may have
 * @dbgctl: bits that DBGCTL may have
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
 * svmrun_processor_identify() - get what the rules for a VMCB depend on
 * @processor: filled in
 * @info: from svmrun_device_info(). Without a device, a struct that has only
 *	@out_svm_features and @out_xcr0: if @size does not include the bits of CR0, CR4,
 *	EFER and DBGCTL, or they are 0, CPUID determines these bits
 */
void svmrun_processor_identify(struct svmrun_processor *processor,
			       const struct svmrun_info *info);

/**
 * struct svmrun_broken_rule - a rule, and the field that breaks it
 * @field: the member, as "save.cr0" of struct svm_vmcb, or "xcr0" of struct
 *	svmrun_registers
 * @offset: where in the vCPU's mmap it is, as out_invalid_offset has it
 * @reason: SVMRUN_INVALID_PROCESSOR for what the processor refuses, another
 *	SVMRUN_INVALID_* for what the module does before it
 * @value: what the field has
 * @bits: those of its bits that are wrong: set or, if they must be, clear
 * @why: the rule in words
 * @source: where it is written: a section of the manual, as "APM 15.5.1", or a
 *	header
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
 * svmrun_vmcb_explain() - every rule for VMRUN that a VMCB breaks
 * @vmcb: the VMCB, of a run that ended with VMEXIT_INVALID or of one to come
 * @processor: from svmrun_processor_identify()
 * @rules: filled in with the first @count of them; may be NULL if that is 0
 * @count: how many there is room for
 *
 * The module's rules come first, in the order in which it goes through them, then
 * those of the processor (APM 15.5.1). Clean bits are ignored. Rules on fields that
 * the module sets itself (intercepts, ASID, N_CR3, permission maps) cannot be broken
 * by a program; those on registers that are not in the VMCB (U_CET) are left out.
 *
 * Return: how many are broken, which can be more than @count; 0 if none is known
 * to be.
 */
int svmrun_vmcb_explain(const struct svm_vmcb *vmcb,
			const struct svmrun_processor *processor,
			struct svmrun_broken_rule *rules, size_t count);

/**
 * svmrun_registers_explain() - the same for the registers page
 * @regs: the registers page
 * @processor: from svmrun_processor_identify()
 * @rules: filled in with the first @count of them; may be NULL if that is 0
 * @count: how many there is room for
 *
 * The module looks at it when it has found nothing wrong with the VMCB.
 *
 * Return: as svmrun_vmcb_explain().
 */
int svmrun_registers_explain(const struct svmrun_registers *regs,
			     const struct svmrun_processor *processor,
			     struct svmrun_broken_rule *rules, size_t count);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_H */
