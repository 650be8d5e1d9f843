/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libnvmm: the programming interface of NetBSD's NVMM, on svmrun.
 *
 * Programs that were written for libnvmm(3) of NetBSD or DragonFly BSD, as QEMU's
 * accelerator nvmm was, run on Linux with this library. Names and meanings are theirs;
 * Documentation/nvmm.rst lists where they differ. The layout of structs is not
 * NetBSD's, so programs have to be compiled with this header.
 *
 * Functions return 0, or -1 with errno set. Different vCPUs of a machine may be used by
 * different threads at once, and memory may be mapped meanwhile. One vCPU may be used
 * only by one thread at a time, except for nvmm_vcpu_stop().
 */
#ifndef NVMM_H
#define NVMM_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* NetBSD's <sys/cdefs.h> has these macros for bit fields, and programs use them. */
#ifndef __BIT
#define __BIT(n) (1ull << (n))
#endif
#ifndef __LOWEST_SET_BIT
#define __LOWEST_SET_BIT(mask) ((mask) & (~(mask) + 1))
#endif
#ifndef __SHIFTOUT
#define __SHIFTOUT(value, mask) (((value) & (mask)) / __LOWEST_SET_BIT(mask))
#endif
#ifndef __SHIFTIN
#define __SHIFTIN(value, mask) ((value)*__LOWEST_SET_BIT(mask))
#endif

/* Its errno for another version of an interface, which Linux does not have */
#ifndef EPROGMISMATCH
#define EPROGMISMATCH EPROTONOSUPPORT
#endif

/* Versions of the interface */
#define NVMM_KERN_VERSION 2
#define NVMM_USER_VERSION 2

typedef uint64_t gpaddr_t;
typedef uint64_t gvaddr_t;
typedef uint32_t nvmm_machid_t;
typedef uint32_t nvmm_cpuid_t;
typedef uint64_t nvmm_prot_t;

#define NVMM_PROT_READ 0x01
#define NVMM_PROT_WRITE 0x02
#define NVMM_PROT_EXEC 0x04
#define NVMM_PROT_USER 0x08
#define NVMM_PROT_ALL 0x0f

/* ---- capabilities -------------------------------------------------------- */

/* @vcpu_conf_support of struct nvmm_cap_md */
#define NVMM_CAP_ARCH_VCPU_CONF_CPUID (1ull << 0)
#define NVMM_CAP_ARCH_VCPU_CONF_TPR (1ull << 1)

/**
 * struct nvmm_cap_md - features that depend on the architecture
 * @mach_conf_support: operations of nvmm_machine_configure(): none
 * @vcpu_conf_support: operations of nvmm_vcpu_configure(), NVMM_CAP_ARCH_VCPU_CONF_*
 * @xcr0_mask: bits that may be set in XCR0
 * @mxcsr_mask: bits that may be set in MXCSR
 * @conf_cpuid_maxops: number of leaves that NVMM_VCPU_CONF_CPUID can change
 * @rsvd: zero
 */
struct nvmm_cap_md {
	uint64_t mach_conf_support;
	uint64_t vcpu_conf_support;
	uint64_t xcr0_mask;
	uint32_t mxcsr_mask;
	uint32_t conf_cpuid_maxops;
	uint64_t rsvd[6];
};

/**
 * struct nvmm_capability - features and limits
 * @version: NVMM_KERN_VERSION of the library
 * @state_size: sizeof(struct nvmm_x64_state)
 * @max_machines: machines that a process may have
 * @max_vcpus: vCPUs that a machine may have
 * @max_ram: bytes of guest physical address space
 * @arch: features that depend on the architecture
 */
struct nvmm_capability {
	uint32_t version;
	uint32_t state_size;
	uint32_t max_machines;
	uint32_t max_vcpus;
	uint64_t max_ram;
	struct nvmm_cap_md arch;
};

/* ---- state --------------------------------------------------------------- */

#define NVMM_X64_SEG_ES 0
#define NVMM_X64_SEG_CS 1
#define NVMM_X64_SEG_SS 2
#define NVMM_X64_SEG_DS 3
#define NVMM_X64_SEG_FS 4
#define NVMM_X64_SEG_GS 5
#define NVMM_X64_SEG_GDT 6
#define NVMM_X64_SEG_IDT 7
#define NVMM_X64_SEG_LDT 8
#define NVMM_X64_SEG_TR 9
#define NVMM_X64_NSEG 10

#define NVMM_X64_GPR_RAX 0
#define NVMM_X64_GPR_RCX 1
#define NVMM_X64_GPR_RDX 2
#define NVMM_X64_GPR_RBX 3
#define NVMM_X64_GPR_RSP 4
#define NVMM_X64_GPR_RBP 5
#define NVMM_X64_GPR_RSI 6
#define NVMM_X64_GPR_RDI 7
#define NVMM_X64_GPR_R8 8
#define NVMM_X64_GPR_R9 9
#define NVMM_X64_GPR_R10 10
#define NVMM_X64_GPR_R11 11
#define NVMM_X64_GPR_R12 12
#define NVMM_X64_GPR_R13 13
#define NVMM_X64_GPR_R14 14
#define NVMM_X64_GPR_R15 15
#define NVMM_X64_GPR_RIP 16
#define NVMM_X64_GPR_RFLAGS 17
#define NVMM_X64_NGPR 18

#define NVMM_X64_CR_CR0 0
#define NVMM_X64_CR_CR2 1
#define NVMM_X64_CR_CR3 2
#define NVMM_X64_CR_CR4 3
#define NVMM_X64_CR_CR8 4
#define NVMM_X64_CR_XCR0 5
#define NVMM_X64_NCR 6

#define NVMM_X64_DR_DR0 0
#define NVMM_X64_DR_DR1 1
#define NVMM_X64_DR_DR2 2
#define NVMM_X64_DR_DR3 3
#define NVMM_X64_DR_DR6 4
#define NVMM_X64_DR_DR7 5
#define NVMM_X64_NDR 6

#define NVMM_X64_MSR_EFER 0
#define NVMM_X64_MSR_STAR 1
#define NVMM_X64_MSR_LSTAR 2
#define NVMM_X64_MSR_CSTAR 3
#define NVMM_X64_MSR_SFMASK 4
#define NVMM_X64_MSR_KERNELGSBASE 5
#define NVMM_X64_MSR_SYSENTER_CS 6
#define NVMM_X64_MSR_SYSENTER_ESP 7
#define NVMM_X64_MSR_SYSENTER_EIP 8
#define NVMM_X64_MSR_PAT 9
#define NVMM_X64_MSR_TSC 10
#define NVMM_X64_NMSR 11

/**
 * struct nvmm_x64_state_seg - a segment register, GDTR or IDTR
 * @selector: the selector
 * @attrib: attributes of the descriptor
 * @limit: the limit in bytes
 * @base: the base address
 */
struct nvmm_x64_state_seg {
	uint16_t selector;
	struct {
		uint16_t type : 4;
		uint16_t s : 1;
		uint16_t dpl : 2;
		uint16_t p : 1;
		uint16_t avl : 1;
		uint16_t l : 1;
		uint16_t def : 1;
		uint16_t g : 1;
		uint16_t rsvd : 4;
	} attrib;
	uint32_t limit;
	uint64_t base;
};

/**
 * struct nvmm_x64_state_intr - state of events
 * @int_shadow: the guest is in an interrupt shadow
 * @int_window_exiting: NVMM_VCPU_EXIT_INT_READY is requested
 * @nmi_window_exiting: NVMM_VCPU_EXIT_NMI_READY is requested; set by an injected NMI
 * @evt_pending: an event will be injected when the guest runs; read only
 * @rsvd: zero
 */
struct nvmm_x64_state_intr {
	uint64_t int_shadow : 1;
	uint64_t int_window_exiting : 1;
	uint64_t nmi_window_exiting : 1;
	uint64_t evt_pending : 1;
	uint64_t rsvd : 60;
};

/**
 * union nvmm_x64_fpu_address - an address of the last x87 instruction or its operand
 * @fa_64: its 64-bit form
 * @fa_32: its 32-bit form: offset, selector
 */
union nvmm_x64_fpu_address {
	uint64_t fa_64;
	struct {
		uint32_t fa_off;
		uint16_t fa_seg;
		uint16_t fa_opcode;
	} fa_32;
};

/**
 * struct nvmm_x64_state_fpu - x87 and SSE state, as FXSAVE writes it in 64-bit mode
 * @fx_cw: control word
 * @fx_sw: status word
 * @fx_tw: abridged tag word
 * @fx_zero: zero
 * @fx_opcode: last opcode
 * @fx_ip: address of the last instruction
 * @fx_dp: address of its operand
 * @fx_mxcsr: MXCSR
 * @fx_mxcsr_mask: bits that may be set in it; ignored by nvmm_vcpu_setstate()
 * @fx_87_ac: ST(0) to ST(7)
 * @fx_xmm: XMM0 to XMM15
 * @fx_rsvd: ignored
 */
struct nvmm_x64_state_fpu {
	uint16_t fx_cw;
	uint16_t fx_sw;
	uint8_t fx_tw;
	uint8_t fx_zero;
	uint16_t fx_opcode;
	union nvmm_x64_fpu_address fx_ip;
	union nvmm_x64_fpu_address fx_dp;
	uint32_t fx_mxcsr;
	uint32_t fx_mxcsr_mask;
	struct {
		uint8_t r_bytes[16];
	} fx_87_ac[8];
	struct {
		uint8_t xmm_bytes[16];
	} fx_xmm[16];
	uint8_t fx_rsvd[96];
};

/* Parts of struct nvmm_x64_state, for nvmm_vcpu_getstate() and nvmm_vcpu_setstate() */
#define NVMM_X64_STATE_SEGS 0x01
#define NVMM_X64_STATE_GPRS 0x02
#define NVMM_X64_STATE_CRS 0x04
#define NVMM_X64_STATE_DRS 0x08
#define NVMM_X64_STATE_MSRS 0x10
#define NVMM_X64_STATE_INTR 0x20
#define NVMM_X64_STATE_FPU 0x40
#define NVMM_X64_STATE_ALL 0x7f

/**
 * struct nvmm_x64_state - state of a vCPU
 * @segs: NVMM_X64_SEG_*
 * @gprs: NVMM_X64_GPR_*
 * @crs: NVMM_X64_CR_*
 * @drs: NVMM_X64_DR_*
 * @msrs: NVMM_X64_MSR_*
 * @intr: state of events
 * @fpu: x87 and SSE
 */
struct nvmm_x64_state {
	struct nvmm_x64_state_seg segs[NVMM_X64_NSEG];
	uint64_t gprs[NVMM_X64_NGPR];
	uint64_t crs[NVMM_X64_NCR];
	uint64_t drs[NVMM_X64_NDR];
	uint64_t msrs[NVMM_X64_NMSR];
	struct nvmm_x64_state_intr intr;
	struct nvmm_x64_state_fpu fpu;
};
#define nvmm_vcpu_state nvmm_x64_state

/* ---- exits --------------------------------------------------------------- */

#define NVMM_VCPU_EXIT_NONE 0x0000000000000000ull
#define NVMM_VCPU_EXIT_STOPPED 0xfffffffffffffffeull
#define NVMM_VCPU_EXIT_INVALID 0xffffffffffffffffull
#define NVMM_VCPU_EXIT_MEMORY 0x0000000000000001ull
#define NVMM_VCPU_EXIT_IO 0x0000000000000002ull
#define NVMM_VCPU_EXIT_SHUTDOWN 0x0000000000001000ull
#define NVMM_VCPU_EXIT_INT_READY 0x0000000000001001ull
#define NVMM_VCPU_EXIT_NMI_READY 0x0000000000001002ull
#define NVMM_VCPU_EXIT_HALTED 0x0000000000001003ull
#define NVMM_VCPU_EXIT_TPR_CHANGED 0x0000000000001004ull
#define NVMM_VCPU_EXIT_RDMSR 0x0000000000002000ull
#define NVMM_VCPU_EXIT_WRMSR 0x0000000000002001ull
#define NVMM_VCPU_EXIT_MONITOR 0x0000000000002002ull
#define NVMM_VCPU_EXIT_MWAIT 0x0000000000002003ull
#define NVMM_VCPU_EXIT_CPUID 0x0000000000002004ull

/**
 * struct nvmm_x86_exit_memory - of NVMM_VCPU_EXIT_MEMORY
 * @prot: PROT_READ, PROT_WRITE or PROT_EXEC: the access
 * @gpa: its guest physical address
 * @inst_len: 0: nvmm_assist_mem() fetches the instruction
 * @inst_bytes: zero
 */
struct nvmm_x86_exit_memory {
	int prot;
	gpaddr_t gpa;
	uint8_t inst_len;
	uint8_t inst_bytes[15];
};

/**
 * struct nvmm_x86_exit_io - of NVMM_VCPU_EXIT_IO
 * @in: IN or INS, otherwise OUT or OUTS
 * @port: the port
 * @seg: segment register of OUTS, NVMM_X64_SEG_*; -1 for others
 * @address_size: bytes of an address, for INS and OUTS
 * @operand_size: bytes of one access
 * @rep: REP prefix
 * @str: INS or OUTS
 * @npc: RIP of the next instruction
 */
struct nvmm_x86_exit_io {
	bool in;
	uint16_t port;
	int8_t seg;
	uint8_t address_size;
	uint8_t operand_size;
	bool rep;
	bool str;
	uint64_t npc;
};

/**
 * struct nvmm_x86_exit_rdmsr - of NVMM_VCPU_EXIT_RDMSR
 * @msr: the MSR
 * @npc: RIP of the next instruction
 */
struct nvmm_x86_exit_rdmsr {
	uint32_t msr;
	uint64_t npc;
};

/**
 * struct nvmm_x86_exit_wrmsr - of NVMM_VCPU_EXIT_WRMSR
 * @msr: the MSR
 * @val: the value
 * @npc: RIP of the next instruction
 */
struct nvmm_x86_exit_wrmsr {
	uint32_t msr;
	uint64_t val;
	uint64_t npc;
};

/**
 * struct nvmm_x86_exit_insn - of exits for other instructions
 * @npc: RIP of the next instruction
 */
struct nvmm_x86_exit_insn {
	uint64_t npc;
};

/**
 * struct nvmm_x86_exit_invalid - of NVMM_VCPU_EXIT_INVALID
 * @hwcode: EXITCODE of the VMCB
 */
struct nvmm_x86_exit_invalid {
	uint64_t hwcode;
};

/**
 * struct nvmm_vcpu_exit - why nvmm_vcpu_run() has returned
 * @reason: NVMM_VCPU_EXIT_*
 * @u: details, which depend on @reason
 * @exitstate: a part of the vCPU's state, as struct nvmm_x64_state has it
 */
struct nvmm_vcpu_exit {
	uint64_t reason;
	union {
		struct nvmm_x86_exit_memory mem;
		struct nvmm_x86_exit_io io;
		struct nvmm_x86_exit_rdmsr rdmsr;
		struct nvmm_x86_exit_wrmsr wrmsr;
		struct nvmm_x86_exit_insn insn;
		struct nvmm_x86_exit_invalid inv;
	} u;
	struct {
		uint64_t rflags;
		uint64_t cr8;
		uint64_t int_shadow : 1;
		uint64_t int_window_exiting : 1;
		uint64_t nmi_window_exiting : 1;
		uint64_t evt_pending : 1;
		uint64_t rsvd : 60;
	} exitstate;
};

/* Types of events. An interrupt with vector 2 is an NMI. */
#define NVMM_VCPU_EVENT_EXCP 0
#define NVMM_VCPU_EVENT_INTR 1

/**
 * struct nvmm_vcpu_event - an event for nvmm_vcpu_inject()
 * @type: NVMM_VCPU_EVENT_*
 * @vector: its vector
 * @u: the error code of an exception that has one
 */
struct nvmm_vcpu_event {
	unsigned int type;
	uint8_t vector;
	union {
		struct {
			uint64_t error;
		} excp;
	} u;
};

/* ---- configuration ------------------------------------------------------- */

/* Operations of nvmm_machine_configure() would begin here; there are none. */
#define NVMM_MACH_CONF_LIBNVMM_BEGIN 0
#define NVMM_MACH_CONF_MI_BEGIN 100
#define NVMM_MACH_CONF_MD_BEGIN 200

/* Operations of nvmm_vcpu_configure() */
#define NVMM_VCPU_CONF_CALLBACKS 0
#define NVMM_VCPU_CONF_CPUID 200
#define NVMM_VCPU_CONF_TPR 201

/**
 * struct nvmm_vcpu_conf_cpuid - NVMM_VCPU_CONF_CPUID: change the guest's CPUID
 * @mask: set and clear bits of the result
 * @exit: exit with NVMM_VCPU_EXIT_CPUID instead
 * @rsvd: zero
 * @leaf: EAX of CPUID; with neither @mask nor @exit, earlier changes of it are undone
 * @u: for @mask: bits that are set, and bits that are cleared
 */
struct nvmm_vcpu_conf_cpuid {
	uint32_t mask : 1;
	uint32_t exit : 1;
	uint32_t rsvd : 30;
	uint32_t leaf;
	union {
		struct {
			struct {
				uint32_t eax;
				uint32_t ebx;
				uint32_t ecx;
				uint32_t edx;
			} set;
			struct {
				uint32_t eax;
				uint32_t ebx;
				uint32_t ecx;
				uint32_t edx;
			} del;
		} mask;
	} u;
};

/**
 * struct nvmm_vcpu_conf_tpr - NVMM_VCPU_CONF_TPR: exits for CR8
 * @exit_changed: exit with NVMM_VCPU_EXIT_TPR_CHANGED after the guest has changed CR8
 * @rsvd: zero
 */
struct nvmm_vcpu_conf_tpr {
	uint32_t exit_changed : 1;
	uint32_t rsvd : 31;
};

/* ---- machines and vCPUs --------------------------------------------------- */

struct nvmm_io;
struct nvmm_mem;

/**
 * struct nvmm_assist_callbacks - NVMM_VCPU_CONF_CALLBACKS: devices of the program
 * @io: access a port; called by nvmm_assist_io()
 * @mem: access memory that is not mapped; called by nvmm_assist_mem() and, for string
 *	instructions, by nvmm_assist_io()
 */
struct nvmm_assist_callbacks {
	void (*io)(struct nvmm_io *io);
	void (*mem)(struct nvmm_mem *mem);
};

struct nvmm_machine_private;
struct nvmm_vcpu_private;

/**
 * struct nvmm_machine - a virtual machine
 * @machid: number of the machine in this process
 * @private_data: of the library
 */
struct nvmm_machine {
	nvmm_machid_t machid;
	struct nvmm_machine_private *private_data;
};

/**
 * struct nvmm_vcpu - a virtual CPU
 * @cpuid: its number, and its APIC ID
 * @state: for nvmm_vcpu_getstate() and nvmm_vcpu_setstate()
 * @event: for nvmm_vcpu_inject()
 * @exit: set by nvmm_vcpu_run()
 * @private_data: of the library
 */
struct nvmm_vcpu {
	nvmm_cpuid_t cpuid;
	struct nvmm_vcpu_state *state;
	struct nvmm_vcpu_event *event;
	struct nvmm_vcpu_exit *exit;
	struct nvmm_vcpu_private *private_data;
};

/**
 * struct nvmm_io - an access to a port
 * @mach: the machine
 * @vcpu: the vCPU
 * @port: the port
 * @in: the guest reads @data, otherwise it has written it
 * @size: bytes: 1, 2 or 4
 * @data: the bytes
 */
struct nvmm_io {
	struct nvmm_machine *mach;
	struct nvmm_vcpu *vcpu;
	uint16_t port;
	bool in;
	size_t size;
	uint8_t *data;
};

/**
 * struct nvmm_mem - an access to memory that is not mapped, or to write-protected memory
 * @mach: the machine
 * @vcpu: the vCPU
 * @gpa: guest physical address
 * @write: the guest has written @data, otherwise it reads it
 * @size: bytes: 1, 2, 4 or 8
 * @data: the bytes
 */
struct nvmm_mem {
	struct nvmm_machine *mach;
	struct nvmm_vcpu *vcpu;
	gpaddr_t gpa;
	bool write;
	size_t size;
	uint8_t *data;
};

/**
 * nvmm_init() - open the device
 *
 * It must be called before all other functions. The device remains open until the process
 * ends.
 *
 * Return: 0, or -1 with errno of open(); ENOENT: the module is not loaded.
 */
int nvmm_init(void);

/**
 * nvmm_root_init() - the same as nvmm_init()
 *
 * Return: see nvmm_init().
 */
int nvmm_root_init(void);

/**
 * nvmm_capability() - get features and limits
 * @cap: filled in
 *
 * Return: 0, or -1 with errno.
 */
int nvmm_capability(struct nvmm_capability *cap);

/**
 * nvmm_machine_create() - create a machine
 * @mach: filled in; free it with nvmm_machine_destroy()
 *
 * Return: 0, or -1 with errno; EBUSY: another hypervisor uses SVM; ENODEV: SVM is not
 * available.
 */
int nvmm_machine_create(struct nvmm_machine *mach);

/**
 * nvmm_machine_destroy() - destroy a machine
 * @mach: from nvmm_machine_create(); its vCPUs must have been destroyed
 *
 * Return: 0, or -1 with errno; EBUSY: the machine has vCPUs; ENOENT: it does not exist.
 */
int nvmm_machine_destroy(struct nvmm_machine *mach);

/**
 * nvmm_machine_configure() - configure a machine
 * @mach: the machine
 * @op: an operation
 * @conf: its argument
 *
 * Return: -1 with errno; EINVAL: there are no operations.
 */
int nvmm_machine_configure(struct nvmm_machine *mach, uint64_t op, void *conf);

/**
 * nvmm_vcpu_create() - create a vCPU in the state after RESET#
 * @mach: the machine
 * @cpuid: its number and initial APIC ID, less than @max_vcpus of struct
 *	nvmm_capability
 * @vcpu: filled in; free it with nvmm_vcpu_destroy()
 *
 * Return: 0, or -1 with errno; EEXIST: the machine has a vCPU of this number; EINVAL:
 * the number is too large; ENOENT: there is no such machine.
 */
int nvmm_vcpu_create(struct nvmm_machine *mach, nvmm_cpuid_t cpuid,
		     struct nvmm_vcpu *vcpu);

/**
 * nvmm_vcpu_destroy() - destroy a vCPU
 * @mach: its machine
 * @vcpu: from nvmm_vcpu_create()
 *
 * Return: 0, or -1 with errno; ENOENT: there is no such vCPU.
 */
int nvmm_vcpu_destroy(struct nvmm_machine *mach, struct nvmm_vcpu *vcpu);

/**
 * nvmm_vcpu_configure() - configure a vCPU
 * @mach: its machine
 * @vcpu: the vCPU
 * @op: NVMM_VCPU_CONF_*
 * @conf: its argument, see the struct of the operation
 *
 * Return: 0, or -1 with errno; EINVAL: there is no such operation, reserved bits are set,
 * or both options of a leaf of CPUID; ENOBUFS: more than @conf_cpuid_maxops leaves.
 */
int nvmm_vcpu_configure(struct nvmm_machine *mach, struct nvmm_vcpu *vcpu,
			uint64_t op, void *conf);

/**
 * nvmm_vcpu_setstate() - set parts of a vCPU's state from @vcpu->state
 * @mach: its machine
 * @vcpu: the vCPU
 * @flags: the parts, NVMM_X64_STATE_*
 *
 * Bits that the processor or svmrun does not permit are cleared in CR0, CR4 and EFER.
 *
 * Return: 0, or -1 with errno; EINVAL: there is no such part, or XCR0, PAT or MXCSR is
 * illegal; then nothing is changed.
 */
int nvmm_vcpu_setstate(struct nvmm_machine *mach, struct nvmm_vcpu *vcpu,
		       uint64_t flags);

/**
 * nvmm_vcpu_getstate() - get parts of a vCPU's state to @vcpu->state
 * @mach: its machine
 * @vcpu: the vCPU
 * @flags: the parts, NVMM_X64_STATE_*
 *
 * Return: 0, or -1 with errno; EINVAL: there is no such part.
 */
int nvmm_vcpu_getstate(struct nvmm_machine *mach, struct nvmm_vcpu *vcpu,
		       uint64_t flags);

/**
 * nvmm_vcpu_inject() - inject the event @vcpu->event
 * @mach: its machine
 * @vcpu: the vCPU
 *
 * An interrupt is delivered even if RFLAGS.IF is 0; the program waits for
 * NVMM_VCPU_EXIT_INT_READY. If another event is to be delivered first, an interrupt or NMI
 * is delivered as soon as the guest can take it.
 *
 * Return: 0, or -1 with errno; EINVAL: there is no such event.
 */
int nvmm_vcpu_inject(struct nvmm_machine *mach, struct nvmm_vcpu *vcpu);

/**
 * nvmm_vcpu_run() - run the guest
 * @mach: its machine
 * @vcpu: the vCPU; @vcpu->exit is filled in
 *
 * Return: 0, or -1 with errno of svmrun_vcpu_run() except for EINTR; EFAULT: there is no
 * memory at the address that is mapped into the guest.
 */
int nvmm_vcpu_run(struct nvmm_machine *mach, struct nvmm_vcpu *vcpu);

/**
 * nvmm_vcpu_stop() - make the run in progress, or the next one, end
 * @vcpu: the vCPU
 *
 * nvmm_vcpu_run() returns with NVMM_VCPU_EXIT_STOPPED, once. The function may be called
 * from any thread, and from a signal handler.
 *
 * Return: 0.
 */
int nvmm_vcpu_stop(struct nvmm_vcpu *vcpu);

/* ---- memory --------------------------------------------------------------- */

/**
 * nvmm_hva_map() - permit to map a range of the program's memory into a machine
 * @mach: the machine
 * @hva: its address, a multiple of 4096
 * @size: bytes, a multiple of 4096, not 0
 *
 * The contents of the memory do not change, and there need be no memory yet.
 *
 * Return: 0, or -1 with errno; EINVAL: a number is not a multiple of 4096, or 0; EEXIST:
 * part of the range is permitted already.
 */
int nvmm_hva_map(struct nvmm_machine *mach, uintptr_t hva, size_t size);

/**
 * nvmm_hva_unmap() - undo nvmm_hva_map()
 * @mach: the machine
 * @hva: as it was mapped
 * @size: as it was mapped
 *
 * The memory, and mappings of it in the machine, do not change.
 *
 * Return: 0, or -1 with errno; ENOENT: there is no such range.
 */
int nvmm_hva_unmap(struct nvmm_machine *mach, uintptr_t hva, size_t size);

/**
 * nvmm_gpa_map() - map a range of the program's memory into a machine
 * @mach: the machine
 * @hva: its address, a multiple of 4096; in a range of nvmm_hva_map()
 * @gpa: guest physical address, a multiple of 4096
 * @size: bytes, a multiple of 4096, not 0
 * @prot: PROT_READ, optionally with PROT_WRITE and PROT_EXEC
 *
 * Return: 0, or -1 with errno; EINVAL: see above; EEXIST: part of the range is mapped;
 * ERANGE: it is outside the guest physical address space; ENOSPC: too many ranges.
 */
int nvmm_gpa_map(struct nvmm_machine *mach, uintptr_t hva, gpaddr_t gpa,
		 size_t size, int prot);

/**
 * nvmm_gpa_unmap() - unmap a range of guest physical addresses
 * @mach: the machine
 * @hva: ignored
 * @gpa: guest physical address, a multiple of 4096
 * @size: bytes, a multiple of 4096, not 0
 *
 * Return: 0, or -1 with errno; EINVAL: see above; ENOENT: nothing is mapped there.
 */
int nvmm_gpa_unmap(struct nvmm_machine *mach, uintptr_t hva, gpaddr_t gpa,
		   size_t size);

/**
 * nvmm_gva_to_gpa() - translate a guest virtual address
 * @mach: the machine
 * @vcpu: the vCPU, whose page tables are used
 * @gva: the address, a multiple of 4096
 * @gpa: set to the guest physical address
 * @prot: set to the accesses that the vCPU's mode and page tables permit, NVMM_PROT_*
 *
 * Return: 0, or -1 with errno; EINVAL: @gva is not a multiple of 4096; EFAULT: it is not
 * mapped.
 */
int nvmm_gva_to_gpa(struct nvmm_machine *mach, struct nvmm_vcpu *vcpu,
		    gvaddr_t gva, gpaddr_t *gpa, nvmm_prot_t *prot);

/**
 * nvmm_gpa_to_hva() - translate a guest physical address
 * @mach: the machine
 * @gpa: the address, a multiple of 4096
 * @hva: set to the address in the program
 * @prot: set to the permissions of the mapping, NVMM_PROT_*
 *
 * Return: 0, or -1 with errno; EINVAL: @gpa is not a multiple of 4096; ENOENT: it is not
 * mapped.
 */
int nvmm_gpa_to_hva(struct nvmm_machine *mach, gpaddr_t gpa, uintptr_t *hva,
		    nvmm_prot_t *prot);

/* ---- assists --------------------------------------------------------------- */

/**
 * nvmm_assist_io() - execute an IN, OUT, INS or OUTS
 * @mach: the machine
 * @vcpu: the vCPU, after NVMM_VCPU_EXIT_IO; its callbacks are called
 *
 * Return: 0, or -1 with errno; EINVAL: it was another exit, or there is no callback;
 * EOPNOTSUPP: the instruction is not supported; ENXIO: the instruction or a page table is
 * not in memory.
 */
int nvmm_assist_io(struct nvmm_machine *mach, struct nvmm_vcpu *vcpu);

/**
 * nvmm_assist_mem() - execute an instruction that accesses unmapped memory
 * @mach: the machine
 * @vcpu: the vCPU, after NVMM_VCPU_EXIT_MEMORY; its callbacks are called
 *
 * Return: see nvmm_assist_io().
 */
int nvmm_assist_mem(struct nvmm_machine *mach, struct nvmm_vcpu *vcpu);

#ifdef __cplusplus
}
#endif

#endif /* NVMM_H */
