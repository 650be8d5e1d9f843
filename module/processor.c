// SPDX-License-Identifier: GPL-2.0
/*
 * Detect SVM, and enable it on every CPU while there are VMs. EFER.SVME shows that a
 * hypervisor uses a CPU. Other hypervisors make the same check, so the first one has it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "processor.h"

#include <linux/cc_platform.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/reboot.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <asm/cpufeature.h>
#include <asm/processor.h>
#include <asm/tsc.h>

#include "asid.h"
#include "compat.h"
#include "fpu.h"
#include "page.h"
#include "trace.h"

#define CPUID_SVM 0x8000000a /* APM volume 3, E.4.9 */
#define VM_CR_SVMDIS (1ull << 4) /* APM 15.30.1 */

DEFINE_PER_CPU(struct processor, processors);

u32 processor_svm_features;
struct vmcb_limits processor_limits;

static u32 svm_revision, svm_asids;
static enum cpuhp_state hotplug_state;

/*
 * Guards users and going_down. Taken with the CPU hotplug lock held, and with no other.
 */
static DEFINE_MUTEX(users_mutex);
static unsigned int users; /* VMs */
static bool going_down; /* SVM stays disabled for good */

/**
 * processor_change_tsc_ratio() - slow path of processor_set_tsc_ratio()
 * @ratio: as for that
 */
void processor_change_tsc_ratio(u64 ratio)
{
	__this_cpu_write(processors.tsc_ratio, ratio);
	wrmsrq(MSR_AMD64_TSC_RATIO, ratio);
}

/**
 * processor_restore_save_area() - slow path of processor_check_save_area()
 */
void processor_restore_save_area(void)
{
	wrmsrq(MSR_VM_HSAVE_PA,
	       pages_pa(__this_cpu_read(processors.save_area)));
}

/**
 * processor_npt_levels() - depth of nested page tables
 *
 * Return: the host's own paging depth (APM 15.25.3): 4 or 5.
 */
u32 processor_npt_levels(void)
{
	return pgtable_l5_enabled() ? 5 : 4;
}

/**
 * processor_npt_page_levels() - levels at which a nested page table can map pages
 *
 * Return: 3 if 1 GiB pages are supported (APM 5.3.4), else 2.
 */
u32 processor_npt_page_levels(void)
{
	return boot_cpu_has(X86_FEATURE_GBPAGES) ? 3 : 2;
}

/**
 * processor_gpa_bits() - width of guest physical addresses
 *
 * Return: bits: the host's, as far as a nested page table covers them.
 */
u32 processor_gpa_bits(void)
{
	return min_t(u32, boot_cpu_data.x86_phys_bits,
		     pgtable_l5_enabled() ? 52 : 48);
}

/**
 * processor_info() - get the features of the processor
 * @info: these members are filled in
 */
void processor_info(struct svmrun_info *info)
{
	info->out_svm_revision = svm_revision;
	info->out_svm_asids = svm_asids;
	info->out_svm_features = processor_svm_features;
	memcpy(info->out_forced_intercepts, processor_limits.intercepts,
	       sizeof(info->out_forced_intercepts));
	info->out_cr0 = processor_limits.cr0;
	info->out_cr4 = processor_limits.cr4;
	info->out_efer = processor_limits.efer;
	info->out_dbgctl = processor_limits.dbgctl;
	info->out_gpa_bits = processor_gpa_bits();
	info->out_npt_levels = processor_npt_levels();
	info->out_tsc_khz = check_tsc_unstable() ? 0 : tsc_khz;
}

/* Enable SVM on this CPU, with preemption disabled. */
static int svm_enable(void)
{
	struct processor *processor = this_cpu_ptr(&processors);
	u64 efer, vm_cr;

	if (processor->enabled)
		return 0;
	if (!this_cpu_has(X86_FEATURE_SVM) || rdmsrq_safe(MSR_EFER, &efer) ||
	    rdmsrq_safe(MSR_VM_CR, &vm_cr) || (vm_cr & VM_CR_SVMDIS))
		return -ENODEV;
	if (efer & EFER_SVME)
		return -EBUSY;
	wrmsrq(MSR_EFER, efer | EFER_SVME);
	processor_restore_save_area();
	asid_pool_reset(&processor->asids);
	processor->tsc_ratio = PROCESSOR_TSC_RATIO_1;
	if (processor_svm_features & SVM_FEATURE_TSC_RATIO)
		wrmsrq(MSR_AMD64_TSC_RATIO, processor->tsc_ratio);
	bp_spec_reduce(true);
	processor->enabled = true;
	trace_svm_enable(smp_processor_id());
	return 0;
}

static void svm_disable(void *unused)
{
	struct processor *processor = this_cpu_ptr(&processors);
	u64 efer;

	if (!processor->enabled)
		return;
	processor->enabled = false;
	bp_spec_reduce(false);
	processor_set_tsc_ratio(PROCESSOR_TSC_RATIO_1);
	wrmsrq(MSR_VM_HSAVE_PA, 0);
	rdmsrq(MSR_EFER, efer);
	wrmsrq(MSR_EFER, efer & ~EFER_SVME);
	trace_svm_disable(smp_processor_id());
}

static void enable_call(void *first_error)
{
	int err = svm_enable();

	if (err)
		cmpxchg((int *)first_error, 0, err);
}

static int enable_all(void)
{
	int err = 0;

	on_each_cpu(enable_call, &err, 1);
	if (err)
		on_each_cpu(svm_disable, NULL, 1);
	return err;
}

/* Log why SVM is not available; the program only gets EBUSY. */
static void say_taken(void)
{
	static DEFINE_RATELIMIT_STATE(limit, 5 * HZ, 1);

	if (__ratelimit(&limit))
		pr_info("another hypervisor has a CPU (EFER.SVME is set): end its VMs; if it is KVM of Linux 6.12 or newer, unload kvm_amd or load kvm with enable_virt_at_load=0\n");
}

/**
 * processor_get() - enable SVM on every CPU, for one more VM
 *
 * Return: 0; -EBUSY if another hypervisor uses a CPU; -ENODEV if a CPU does not
 * support SVM, firmware has disabled it, or the machine is shutting down.
 */
int processor_get(void)
{
	int err = 0;

	cpus_read_lock();
	mutex_lock(&users_mutex);
	if (going_down)
		err = -ENODEV;
	else if (!users)
		err = enable_all();
	if (!err)
		users++;
	mutex_unlock(&users_mutex);
	cpus_read_unlock();
	if (err == -EBUSY)
		say_taken();
	return err;
}

/**
 * processor_put() - undo processor_get(): with the last VM, disable SVM
 */
void processor_put(void)
{
	cpus_read_lock();
	mutex_lock(&users_mutex);
	if (!--users)
		on_each_cpu(svm_disable, NULL, 1);
	mutex_unlock(&users_mutex);
	cpus_read_unlock();
}

/* Call it with users_mutex held, or while nothing else runs. */
static bool is_wanted(void)
{
	return users && !going_down;
}

/* While there are VMs, a CPU on which SVM cannot be enabled must not come online. */
static int processor_cpu_online(unsigned int cpu)
{
	int err = 0;

	mutex_lock(&users_mutex);
	if (is_wanted()) {
		preempt_disable();
		err = svm_enable();
		preempt_enable();
	}
	mutex_unlock(&users_mutex);
	if (err)
		pr_warn("CPU %u stays offline: it cannot run the VMs there are (%d)\n",
			cpu, err);
	return err;
}

static int processor_cpu_offline(unsigned int cpu)
{
	preempt_disable();
	svm_disable(NULL);
	preempt_enable();
	return 0;
}

/*
 * Disable SVM on the CPU that suspends the machine: it stays online, so
 * processor_cpu_offline() is not called for it. The kernel calls this when the other CPUs
 * are offline and programs are frozen, before it saves EFER. If SVME were set in the saved
 * value, the CPU would resume with SVM enabled and without a valid VM_HSAVE_PA.
 */
static int processor_suspend(SYSCORE_PARAMETERS)
{
	svm_disable(NULL);
	return 0;
}

/* Called before processor_cpu_online() for the other CPUs, and before any program runs. */
static void processor_resume(SYSCORE_PARAMETERS)
{
	int err = is_wanted() ? svm_enable() : 0;

	if (err)
		pr_warn("CPU %d woke up without SVM: it cannot run the VMs there are (%d)\n",
			smp_processor_id(), err);
}

SYSCORE(syscore, processor_suspend, processor_resume);

/*
 * Reboot, halt, power-off and kexec: leave the CPUs as firmware did. Programs still run,
 * so SVM must stay disabled: a run that is interrupted here finds it disabled. It is a
 * notifier because kexec of Linux 6.1 calls no other hook.
 */
static int go_down(struct notifier_block *unused, unsigned long event,
		   void *command)
{
	cpus_read_lock();
	mutex_lock(&users_mutex);
	going_down = true;
	on_each_cpu(svm_disable, NULL, 1);
	mutex_unlock(&users_mutex);
	cpus_read_unlock();
	return NOTIFY_DONE;
}

static struct notifier_block reboot_notifier = { .notifier_call = go_down };

/* Log the reason of a refusal: the caller of init_module() gets only an errno. */
static int processor_probe(void)
{
	u32 ecx;
	u64 vm_cr;

	if (cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT)) {
		pr_err("this machine is a VM with encrypted memory: its hypervisor could not read a VMCB\n");
		return -ENODEV;
	}
	if (!boot_cpu_has(X86_FEATURE_NX)) {
		pr_err("this kernel does not use NX, which nested page tables need: boot it without noexec=off\n");
		return -ENODEV;
	}
	if (!boot_cpu_has(X86_FEATURE_SVM)) {
		pr_err("this processor has no SVM: an AMD processor with SVM enabled in the firmware is needed\n");
		return -ENODEV;
	}
	if (rdmsrq_safe(MSR_VM_CR, &vm_cr) || (vm_cr & VM_CR_SVMDIS)) {
		pr_err("SVM is locked by the firmware (VM_CR.SVMDIS): enable it in the firmware's set-up\n");
		return -ENODEV;
	}
	cpuid(CPUID_SVM, &svm_revision, &svm_asids, &ecx,
	      &processor_svm_features);
	if (!(processor_svm_features & SVM_FEATURE_NP) || svm_asids < 2) {
		pr_err("this processor has no nested paging: a newer one is needed\n");
		return -ENODEV;
	}
	return 0;
}

static void read_cpuid(u32 function, u32 subfunction, u32 outputs[4])
{
	cpuid_count(function, subfunction, &outputs[SVMRUN_CPUID_EAX],
		    &outputs[SVMRUN_CPUID_EBX], &outputs[SVMRUN_CPUID_ECX],
		    &outputs[SVMRUN_CPUID_EDX]);
}

/* Read CPUID itself: the host's kernel may not use a feature that a guest can use. */
static void find_limits(void)
{
	const struct vmcb_limits_host host = {
		.cpuid = read_cpuid,
		.cr4 = native_read_cr4(),
		.xcr0 = fpu_xcr0(),
		.smt_rsb = smt_rsb_is_possible(),
	};

	vmcb_limits_find(&processor_limits, &host);
}

static void free_save_areas(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		pages_free(per_cpu(processors, cpu).save_area, 0);
		per_cpu(processors, cpu).save_area = NULL;
	}
}

static int alloc_save_areas(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct processor *processor = &per_cpu(processors, cpu);
		void *page = page_alloc_for_svm(cpu_to_node(cpu), GFP_KERNEL);

		asid_pool_init(&processor->asids, svm_asids);
		processor->save_area = page;
		if (!page) {
			free_save_areas();
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * processor_init() - detect SVM, without enabling it
 *
 * Return: 0; -ENODEV if SVM cannot be used; another negative
 * errno.
 */
int processor_init(void)
{
	int err;

	err = processor_probe();
	if (err)
		return err;
	find_limits();
	err = alloc_save_areas();
	if (err)
		return err;
	err = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "svmrun:online",
					processor_cpu_online,
					processor_cpu_offline);
	if (err < 0)
		goto err_hotplug;
	hotplug_state = err;
	err = register_reboot_notifier(&reboot_notifier);
	if (err)
		goto err_reboot;
	register_syscore(&syscore);
	return 0;

err_reboot:
	cpuhp_remove_state_nocalls(hotplug_state);
err_hotplug:
	free_save_areas();
	return err;
}

/**
 * processor_exit() - undo processor_init()
 */
void processor_exit(void)
{
	unregister_syscore(&syscore);
	unregister_reboot_notifier(&reboot_notifier);
	cpuhp_remove_state_nocalls(hotplug_state);
	free_save_areas();
}
