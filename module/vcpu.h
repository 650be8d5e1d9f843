/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_VCPU_H
#define SVMRUN_VCPU_H

#include <linux/list.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "asid.h"
#include "debugreg.h"
#include "event.h"
#include "fpu.h"
#include "fault.h"
#include "lazy.h"
#include "vmcb.h"

struct task_struct;
struct vm;
struct vm_area_struct;

/**
 * struct vcpu_counters - events since the vCPU was created
 * @runs: RUNs
 * @entries: entries into the guest
 * @interrupts: exits for the host's interrupts
 * @nmis: exits for the host's NMI, SMI and INIT
 * @machine_checks: exits for machine checks
 * @faults: nested page faults that were handled
 * @reflected: exceptions that were injected again
 *
 * The registers page has some of them too, but the program can write to it.
 */
struct vcpu_counters {
	u64 runs;
	u64 entries;
	u64 interrupts;
	u64 nmis;
	u64 machine_checks;
	u64 faults;
	u64 reflected;
};

/**
 * struct vcpu - a vCPU
 * @thread: the thread that runs it, or NULL. The members below belong to that thread,
 *	except @kicked and @kick_lock
 * @vm: its VM
 * @all: in the list of the VM's vCPUs
 * @id: its number in the VM, which no other vCPU of it has had
 * @serial: its number since the module was loaded, which no other vCPU has had
 * @counters: statistics
 * @user: shared with the program (SVMRUN_VCPU_*): its VMCB
 * @user_pa: its physical address: VMLOAD and VMSAVE use it directly, because the program
 *	may choose the state that they switch
 * @regs: shared: the registers; the XSAVE area is @fpu's
 * @hw: the hardware's VMCB, never shared
 * @hw_pa: its physical address
 * @msrpm: shared: the program's MSR permission map; the hardware's, never shared,
 *	behind it; NULL until the program first accesses its own
 * @request: what the program's VMCB asks of the module
 * @refusal: why that VMCB was refused
 * @lazy: its lazily switched state
 * @handled: exits, by intercept vector, that the module may handle
 * @loaded: @hw was loaded from @user before, so clean bits are valid
 * @lbr: the hardware's MSR permission map is for a guest with LBR virtualization
 * @injected: what the last entry injected
 * @tsc_ratio: MSR TSC_RATIO for the guest
 * @asid: the ASID
 * @fault: state between nested page faults
 * @fpu: extended state
 * @debugreg: the host's debug registers during a run
 * @kicked: a kick is pending
 * @kick_lock: held by vcpu_kick() while it notifies @thread
 */
struct vcpu {
	struct task_struct *thread;
	struct vm *vm;
	struct list_head all;
	unsigned int id;
	u64 serial;
	struct vcpu_counters counters;
	struct svm_vmcb *user;
	u64 user_pa;
	struct svmrun_registers *regs;
	struct svm_vmcb *hw;
	u64 hw_pa;
	u64 *msrpm;
	struct vmcb_request request;
	struct vmcb_refusal refusal;
	struct lazy lazy;
	u32 handled[LAZY_VECTORS];
	bool loaded;
	bool lbr;
	struct event_injection injected;
	u64 tsc_ratio;
	struct asid asid;
	struct fault_state fault;
	struct guest_fpu fpu;
	struct debugreg_host debugreg;
	int kicked;
	spinlock_t kick_lock; /* notification of thread */
};

int vcpu_init(void);
void vcpu_exit(void);

struct vcpu *vcpu_create(struct vm *vm);
void vcpu_destroy(struct vcpu *vcpu);

u32 vcpu_size(void);
int vcpu_mmap(struct vcpu *vcpu, struct vm_area_struct *vma);
void vcpu_load_msrpm(struct vcpu *vcpu, bool lbr);
void vcpu_kick(struct vcpu *vcpu);

/**
 * vcpu_attach() - make the current thread the one that runs a vCPU
 * @vcpu: the vCPU, to vcpu_detach()
 *
 * Return: false if another thread is running it.
 */
static inline bool vcpu_attach(struct vcpu *vcpu)
{
	return !cmpxchg(&vcpu->thread, NULL, current);
}

/**
 * vcpu_detach() - undo vcpu_attach()
 * @vcpu: the vCPU
 *
 * A vcpu_kick() that has seen this thread notifies it before this returns, so that no
 * later system call of the thread is interrupted. One that comes afterwards does not
 * see it. The lock is taken once at most, and spinlocks are fair: kicks that keep
 * coming cannot hold the thread here.
 */
static inline void vcpu_detach(struct vcpu *vcpu)
{
	/* Pairs with spin_lock() in vcpu_kick(): this sees the lock, or that sees no thread. */
	xchg(&vcpu->thread, NULL);
	if (unlikely(spin_is_locked(&vcpu->kick_lock))) {
		spin_lock(&vcpu->kick_lock);
		spin_unlock(&vcpu->kick_lock);
	}
}

#endif /* SVMRUN_VCPU_H */
