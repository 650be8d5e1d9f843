/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SVM for a guest: a guest that is a hypervisor executes VMRUN, and its guest runs on the
 * processor, too.
 *
 * As in Linux, L1 is the guest hypervisor, and L2 its guest. VMCB12 is the VMCB that L1 has
 * filled in for L2, in L1's memory. L1's vCPU is the program's. L2 runs in a vCPU of its
 * own, which the library creates: with nested paging in a VM whose memory is filled as L2
 * accesses it, by walking L1's nested page table; without it in L1's VM.
 *
 * A program runs svmrun_nested_vcpu() instead of L1's vCPU, and passes each exit to
 * svmrun_nested_exit() first. What that function does not handle is the program's, for
 * whichever vCPU has exited: CPUID in L2, for example, if L1 does not intercept it.
 */
#ifndef SVMRUN_NESTED_H
#define SVMRUN_NESTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <svmrun.h>
#include <svmrun/instruction.h>
#include <svmrun/state.h>

#ifdef __cplusplus
extern "C" {
#endif

struct svmrun_nested;

/**
 * struct svmrun_nested_refusal - a VMRUN of L1's that was refused
 * @vmcb: physical address of VMCB12 for L1
 * @rip: RIP of the VMRUN
 * @rules: the rules that VMCB12 breaks; offsets are those in a VMCB
 * @count: number of @rules
 * @reserved: zero
 */
struct svmrun_nested_refusal {
	uint64_t vmcb;
	uint64_t rip;
	const struct svmrun_broken_rule *rules;
	size_t count;
	uint64_t reserved[4];
};

/**
 * struct svmrun_nested_config - what SVM for a guest needs
 * @device: from svmrun_device_open(), for the VMs of L2; may be closed after
 *	svmrun_nested_create()
 * @vm: L1's VM
 * @vcpu: L1's vCPU. Its intercepts and MSR permission map, as of VMRUN, are in effect for
 *	L2, too
 * @memories: L1's memory, in whole pages, and writable for this program
 * @memory_count: number of @memories
 * @rom_count: number of @memories, at their end, that L1 and L2 cannot write to
 * @info: from svmrun_device_info()
 * @refused: called when a VMCB12 is refused; may be NULL
 * @suspected: called when a VMCB12 is legal, but has fields that are probably mistakes: at
 *	its first VMRUN, missing intercepts; later, fields that have changed since its last
 *	#VMEXIT although their clean bits are 1. ->rules of the argument has these
 *	fields: @bits are those that are missing or have changed. NULL saves the work
 * @owner: first argument of @refused and @suspected
 * @reserved: zero
 *
 * The objects of the other pointers must exist until svmrun_nested_destroy().
 */
struct svmrun_nested_config {
	int device;
	struct svmrun_vm *vm;
	struct svmrun_vcpu *vcpu;
	const struct svmrun_memory *memories;
	size_t memory_count;
	size_t rom_count;
	const struct svmrun_info *info;
	void (*refused)(void *owner,
			const struct svmrun_nested_refusal *refusal);
	void (*suspected)(void *owner,
			  const struct svmrun_nested_refusal *suspicion);
	void *owner;
	uint64_t reserved[8];
};

/**
 * svmrun_nested_create() - create SVM for one vCPU
 * @nested: set on success; free it with svmrun_nested_destroy()
 * @config: copied
 *
 * GIF is 1, EFER.SVME as L1 sees it is 0, and L2 is not running.
 *
 * The vCPUs and VMs for L2 are created here, so that the program needs neither the device
 * nor more file descriptors later.
 *
 * Return: 0 or a negative errno; -EOPNOTSUPP: the processor has no nested paging;
 * otherwise of svmrun_vm_create() or svmrun_vcpu_create().
 */
int svmrun_nested_create(struct svmrun_nested **nested,
			 const struct svmrun_nested_config *config);

/**
 * svmrun_nested_destroy() - free it, with the VMs of L2
 * @nested: from svmrun_nested_create(), or NULL
 */
void svmrun_nested_destroy(struct svmrun_nested *nested);

/**
 * svmrun_nested_reset() - reset SVM after RESET# or INIT (APM 14.1.3, 15.28)
 * @nested: from svmrun_nested_create()
 *
 * L2 ends without #VMEXIT, GIF is 1 and EFER.SVME 0. The program sets L1's other state.
 */
void svmrun_nested_reset(struct svmrun_nested *nested);

/**
 * svmrun_nested_vcpu() - get the vCPU to run next
 * @nested: from svmrun_nested_create()
 *
 * It changes in svmrun_nested_exit(), svmrun_nested_event() and svmrun_nested_reset().
 *
 * Return: L1's vCPU, or L2's between VMRUN and #VMEXIT.
 */
struct svmrun_vcpu *svmrun_nested_vcpu(struct svmrun_nested *nested);

/**
 * svmrun_nested_is_active() - does L2 run?
 * @nested: from svmrun_nested_create()
 *
 * Return: true between VMRUN and #VMEXIT.
 */
bool svmrun_nested_is_active(const struct svmrun_nested *nested);

/**
 * svmrun_nested_vmcb() - get VMCB12
 * @nested: from svmrun_nested_create()
 * @gpa: set to its physical address for L1; may be NULL
 *
 * Return: the VMCB in L1's memory with which L1 has executed VMRUN last, which L1 can change
 * at any time; NULL before the first VMRUN.
 */
const struct svm_vmcb *svmrun_nested_vmcb(const struct svmrun_nested *nested,
					  uint64_t *gpa);

/**
 * svmrun_nested_prepare() - prepare the next run
 * @nested: from svmrun_nested_create()
 * @window: an event of the program's waits for L2's interrupt window. The run ends when it
 *	opens; svmrun_nested_exit() returns SVMRUN_NESTED_HANDLED then
 *
 * Call it before each svmrun_vcpu_run(), after the last change of the vCPU. While L2 runs,
 * the program may clear intercepts in its vCPU, which are set again here if L1 has them,
 * but leaves the virtual interrupt and its intercept to this function.
 */
void svmrun_nested_prepare(struct svmrun_nested *nested, bool window);

/**
 * enum svmrun_nested_result - what has become of an exit
 * @SVMRUN_NESTED_NOT_HANDLED: the program has to handle the exit, for the same vCPU
 * @SVMRUN_NESTED_HANDLED: handled; the vCPU to run next may be another one
 */
enum svmrun_nested_result {
	SVMRUN_NESTED_NOT_HANDLED,
	SVMRUN_NESTED_HANDLED,
};

/**
 * svmrun_nested_exit() - handle an exit as far as SVM for L1 is concerned
 * @nested: from svmrun_nested_create()
 *
 * Call it after svmrun_vcpu_run() has returned 0, after the program has cleared EVENTINJ.
 * VMRUN and its siblings in L1 are executed. An exit of L2 that L1 intercepts becomes
 * L1's #VMEXIT; a nested page fault of L2 whose page L1 has mapped is resolved. As after
 * other exits, the program then injects the event in EXITINTINFO of the current vCPU again,
 * if there is one.
 *
 * Return: enum svmrun_nested_result, or a negative errno of svmrun_vm_map(): L2 cannot
 * run.
 */
int svmrun_nested_exit(struct svmrun_nested *nested);

/**
 * enum svmrun_nested_action - what to do with an event for L1's processor
 * @SVMRUN_NESTED_DELIVER: inject it into the current vCPU
 * @SVMRUN_NESTED_WINDOW: RFLAGS.IF or an interrupt shadow of the current vCPU holds it;
 *	wait for its interrupt window
 * @SVMRUN_NESTED_HOLD: GIF or L1's RFLAGS.IF holds it until L1 executes STGI or L2 exits
 * @SVMRUN_NESTED_EXITED: L2 has exited; the event stays pending for L1
 */
enum svmrun_nested_action {
	SVMRUN_NESTED_DELIVER,
	SVMRUN_NESTED_WINDOW,
	SVMRUN_NESTED_HOLD,
	SVMRUN_NESTED_EXITED,
};

/**
 * svmrun_nested_event() - an event is pending for L1's processor (APM 15.13, 15.17)
 * @nested: from svmrun_nested_create()
 * @exitcode: VMEXIT_INTR, VMEXIT_NMI, VMEXIT_SMI or VMEXIT_INIT; or VMEXIT_FERR_FREEZE for
 *	an x87 error while CR0.NE is clear (APM 15.14.4)
 *
 * If L2 runs, L1 intercepts the event and it is not masked, it becomes #VMEXIT. An event
 * in EVENTINJ of L2's vCPU, which has not been delivered, goes to EXITINTINFO of VMCB12.
 *
 * Return: what the program has to do.
 */
enum svmrun_nested_action svmrun_nested_event(struct svmrun_nested *nested,
					      uint64_t exitcode);

/**
 * svmrun_nested_action() - find out what svmrun_nested_event() would do
 * @nested: from svmrun_nested_create()
 * @exitcode: as for svmrun_nested_event(); or VMEXIT_VINTR for the virtual interrupt that
 *	L1 has for L2, which the processor delivers
 *
 * Return: the action; for VMEXIT_VINTR, SVMRUN_NESTED_HOLD if there is no virtual
 * interrupt.
 */
enum svmrun_nested_action
svmrun_nested_action(const struct svmrun_nested *nested, uint64_t exitcode);

/**
 * svmrun_nested_virtual_tpr() - has L2 a CR8 of its own (V_INTR_MASKING, APM 15.21.1)?
 * @nested: from svmrun_nested_create()
 *
 * Return: true if L2 runs and V_TPR of its VMCB is not the task priority of L1's local
 * APIC.
 */
bool svmrun_nested_virtual_tpr(const struct svmrun_nested *nested);

/**
 * svmrun_nested_cpuid() - add SVM to the result of CPUID
 * @nested: from svmrun_nested_create()
 * @function: EAX of the CPUID
 * @registers: EAX, EBX, ECX and EDX; SVM is added in functions 80000001h and 8000000Ah
 */
void svmrun_nested_cpuid(const struct svmrun_nested *nested, uint32_t function,
			 uint32_t registers[4]);

/**
 * svmrun_nested_read_msr() - read an MSR of SVM (APM 15.30)
 * @nested: from svmrun_nested_create()
 * @msr: VM_CR, VM_HSAVE_PA or TSC_RATIO; DBGCTL or a branch record while L2 runs with LBR
 *	virtualization; or another one
 * @value: set on success
 *
 * Return: true, or false if the MSR is not one of SVM: then it is the program's.
 */
bool svmrun_nested_read_msr(const struct svmrun_nested *nested, uint32_t msr,
			    uint64_t *value);

/**
 * svmrun_nested_write_msr() - write an MSR of SVM (APM 15.30)
 * @nested: from svmrun_nested_create()
 * @msr: as in svmrun_nested_read_msr()
 * @value: the new value
 *
 * Return: 0 or a negative errno; -ENOENT: the MSR is not one of SVM; -EINVAL: the value is
 * not permitted (#GP).
 */
int svmrun_nested_write_msr(struct svmrun_nested *nested, uint32_t msr,
			    uint64_t value);

/**
 * svmrun_nested_get_svme() - get EFER.SVME as the current vCPU sees it
 * @nested: from svmrun_nested_create()
 *
 * SVME is always 1 in the VMCB of a vCPU, because VMRUN requires it.
 *
 * Return: EFER.SVME.
 */
bool svmrun_nested_get_svme(const struct svmrun_nested *nested);

/**
 * svmrun_nested_set_svme() - set EFER.SVME as the current vCPU sees it
 * @nested: from svmrun_nested_create()
 * @svme: the new value; 0 while L2 runs ends it, with #VMEXIT or SHUTDOWN as APM 15.4 has it
 *
 * Return: 0, or -EINVAL: VM_CR.SVMDIS is set (#GP).
 */
int svmrun_nested_set_svme(struct svmrun_nested *nested, bool svme);

/**
 * svmrun_nested_translate() - translate an address of the current vCPU
 * @nested: from svmrun_nested_create()
 * @gpa: guest physical address for the current vCPU
 * @access: SVMRUN_ACCESS_*
 * @physical: set to the physical address for L1 on success
 *
 * Return: 0, or -ENXIO: L1's nested page table does not permit the access.
 */
int svmrun_nested_translate(struct svmrun_nested *nested, uint64_t gpa,
			    uint32_t access, uint64_t *physical);

/**
 * svmrun_nested_fault() - end L2's run by a translation that has failed
 * @nested: from svmrun_nested_create()
 *
 * Call it if an instruction of L2 could not be executed because svmrun_nested_translate()
 * failed.
 *
 * Return: true if that was so; then L1 has got VMEXIT_NPF.
 */
bool svmrun_nested_fault(struct svmrun_nested *nested);

/**
 * svmrun_nested_shutdown() - end L2's run because the program cannot continue it
 * @nested: from svmrun_nested_create()
 *
 * Call it after an exit of L2 that the program does not support: an instruction that it does
 * not emulate, or an access to an address without memory. L1 gets VMEXIT_SHUTDOWN, as after
 * a triple fault (APM 15.14.3), and need not end because of its guest.
 *
 * Return: true; false if L2 does not run, or if L1 does not intercept SHUTDOWN.
 */
bool svmrun_nested_shutdown(struct svmrun_nested *nested);

/**
 * svmrun_nested_save() - write the state of SVM to records
 * @nested: from svmrun_nested_create(); its vCPUs are not running
 * @state: the records
 *
 * L2's vCPU is part of it; L1's is not, see svmrun_vcpu_save().
 */
void svmrun_nested_save(const struct svmrun_nested *nested,
			struct svmrun_state *state);

/**
 * svmrun_nested_load() - read the state of SVM from records
 * @nested: from svmrun_nested_create(). Its memory and L1's vCPU have been loaded
 * @state: the records
 * @ticks: see svmrun_vcpu_load()
 *
 * As after other changes, svmrun_nested_vcpu() is the vCPU to run next.
 *
 * Return: 0 or the first error of @state, see svmrun_state_open().
 */
int svmrun_nested_load(struct svmrun_nested *nested, struct svmrun_state *state,
		       uint64_t ticks);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_NESTED_H */
