// SPDX-License-Identifier: GPL-2.0
/*
 * For tests only: /proc/svmrun_hoststate lists processor state of each online CPU
 * that must be the same before and after guests run, one item per line. EFER.SVME
 * and VM_HSAVE_PA differ while there are VMs.
 */
#include <linux/cpu.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/fpu/xcr.h>
#include <asm/special_insns.h>

#include "compat.h"

static const struct {
	const char *name;
	u32 number;
} msrs[] = {
	{ "APIC_BASE", MSR_IA32_APICBASE },
	{ "SPEC_CTRL", MSR_IA32_SPEC_CTRL },
	{ "SYSENTER_CS", MSR_IA32_SYSENTER_CS },
	{ "SYSENTER_ESP", MSR_IA32_SYSENTER_ESP },
	{ "SYSENTER_EIP", MSR_IA32_SYSENTER_EIP },
	{ "DEBUGCTL", MSR_IA32_DEBUGCTLMSR },
	{ "PAT", MSR_IA32_CR_PAT },
	{ "MTRRdefType", MSR_MTRRdefType },
	{ "MCG_CTL", MSR_IA32_MCG_CTL },
	{ "PERF_CTL0", MSR_K7_EVNTSEL0 },
	{ "HWCR", MSR_K7_HWCR },
	{ "XSS", MSR_IA32_XSS },
	{ "EFER", MSR_EFER },
	{ "STAR", MSR_STAR },
	{ "LSTAR", MSR_LSTAR },
	{ "CSTAR", MSR_CSTAR },
	{ "SFMASK", MSR_SYSCALL_MASK },
	{ "GS.base", MSR_GS_BASE },
	{ "TSC_AUX", MSR_TSC_AUX },
	{ "TSC_RATIO", MSR_AMD64_TSC_RATIO },
	{ "SYSCFG", MSR_AMD64_SYSCFG },
	{ "VM_CR", MSR_VM_CR },
	{ "VM_HSAVE_PA", MSR_VM_HSAVE_PA },
};

/* State of one CPU; all of it in the CPU's own registers */
struct state {
	u64 cr0, cr4, cr8, dr6, dr7, xcr0;
	u16 tr, ldtr;
	struct desc_ptr gdtr, idtr;
	u64 msr[ARRAY_SIZE(msrs)];
	bool has_msr[ARRAY_SIZE(msrs)];
};

static void take(void *result)
{
	struct state *state = result;
	unsigned long value;
	unsigned int i;

	state->cr0 = read_cr0();
	state->cr4 = __read_cr4();
	asm volatile("mov %%cr8, %0" : "=r"(state->cr8));
	get_debugreg(value, 6);
	state->dr6 = value;
	get_debugreg(value, 7);
	/*
	 * Linux leaves this bit set after it has removed a breakpoint; it has no
	 * effect.
	 */
	state->dr7 = value & ~DR_GLOBAL_SLOWDOWN;
	state->xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
	store_tr(state->tr);
	store_ldt(state->ldtr);
	native_store_gdt(&state->gdtr);
	store_idt(&state->idtr);
	for (i = 0; i < ARRAY_SIZE(msrs); i++)
		state->has_msr[i] = !rdmsrq_safe(msrs[i].number,
						 &state->msr[i]);
}

static void show_cpu(struct seq_file *file, int cpu, const struct state *state)
{
	unsigned int i;

	seq_printf(file, "cpu%d CR0 %llx\n", cpu, state->cr0);
	seq_printf(file, "cpu%d CR4 %llx\n", cpu, state->cr4);
	seq_printf(file, "cpu%d CR8 %llx\n", cpu, state->cr8);
	seq_printf(file, "cpu%d DR6 %llx\n", cpu, state->dr6);
	seq_printf(file, "cpu%d DR7 %llx\n", cpu, state->dr7);
	seq_printf(file, "cpu%d XCR0 %llx\n", cpu, state->xcr0);
	seq_printf(file, "cpu%d TR %x\n", cpu, state->tr);
	seq_printf(file, "cpu%d LDTR %x\n", cpu, state->ldtr);
	seq_printf(file, "cpu%d GDTR %lx %x\n", cpu, state->gdtr.address,
		   state->gdtr.size);
	seq_printf(file, "cpu%d IDTR %lx %x\n", cpu, state->idtr.address,
		   state->idtr.size);
	for (i = 0; i < ARRAY_SIZE(msrs); i++)
		if (state->has_msr[i])
			seq_printf(file, "cpu%d %s %llx\n", cpu, msrs[i].name,
				   state->msr[i]);
}

static int show(struct seq_file *file, void *unused)
{
	struct state *state = kzalloc(sizeof(*state), GFP_KERNEL);
	int cpu, err = 0;

	if (!state)
		return -ENOMEM;
	cpus_read_lock();
	for_each_online_cpu(cpu) {
		err = smp_call_function_single(cpu, take, state, 1);
		if (err)
			break;
		show_cpu(file, cpu, state);
	}
	cpus_read_unlock();
	kfree(state);
	return err;
}

static int __init hoststate_init(void)
{
	return proc_create_single("svmrun_hoststate", 0400, NULL, show) ?
		       0 :
		       -ENOMEM;
}

static void __exit hoststate_exit(void)
{
	remove_proc_entry("svmrun_hoststate", NULL);
}

module_init(hoststate_init);
module_exit(hoststate_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("shows the processor state of the host, for svmrun's tests");
