// SPDX-License-Identifier: GPL-2.0
/*
 * For benchmarks only: measure how long it takes to load the program's VMCB and to
 * publish the result, with the module's vmcb.c as compiled for the kernel. With
 * --icount, ticks are instructions.
 *
 *	/sys/module/svmrun_merge/parameters/clean	with all clean bits set
 *	/sys/module/svmrun_merge/parameters/dirty	with no clean bit set
 */
#include <linux/gfp.h>
#include <linux/irqflags.h>
#include <linux/module.h>
#include <asm/msr.h>

#include "vmcb.h"

#define ROUNDS 1000

static struct svm_vmcb *user, *hw;

static struct svm_vmcb *vmcb_alloc(void)
{
	return (struct svm_vmcb *)get_zeroed_page(GFP_KERNEL);
}

static void vmcb_free(struct svm_vmcb *vmcb)
{
	free_page((unsigned long)vmcb);
}

static const struct vmcb_limits limits = {
	.cr0 = SVMRUN_POLICY_KNOWN_CR0,
	.cr4 = SVMRUN_POLICY_KNOWN_CR4,
	.efer = SVMRUN_POLICY_KNOWN_EFER,
	.cr4_hidden = SVMRUN_POLICY_CR4_HIDDEN,
};

/* Between load and publish the guest advances by one instruction. */
static int rounds(u32 clean)
{
	struct vmcb_refusal refusal;
	struct vmcb_request request;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		if (!vmcb_load(hw, user, clean, &limits, &request, &refusal))
			return -EINVAL;
		hw->save.rip++;
		vmcb_publish(user, hw, &request);
	}
	return 0;
}

/* Measure the ticks of one load and one publish, including the loop. */
static int measure(u32 clean, u64 *ticks)
{
	unsigned long flags;
	u64 begin;
	int err;

	/* The first load reads everything, whatever the clean bits are. */
	err = rounds(0);
	local_irq_save(flags);
	begin = rdtsc_ordered();
	err = err ? err : rounds(clean);
	*ticks = (rdtsc_ordered() - begin) / ROUNDS;
	local_irq_restore(flags);
	return err;
}

static int show(char *buffer, u32 clean)
{
	u64 ticks;
	int err = measure(clean, &ticks);

	return err ? err : sysfs_emit(buffer, "%llu\n", ticks);
}

static int show_clean(char *buffer, const struct kernel_param *unused)
{
	return show(buffer, SVM_CLEAN_ALL);
}

static int show_dirty(char *buffer, const struct kernel_param *unused)
{
	return show(buffer, 0);
}

static const struct kernel_param_ops clean = { .get = show_clean };
static const struct kernel_param_ops dirty = { .get = show_dirty };
module_param_cb(clean, &clean, NULL, 0444);
module_param_cb(dirty, &dirty, NULL, 0444);

static void merge_exit(void)
{
	vmcb_free(user);
	vmcb_free(hw);
}

static int __init merge_init(void)
{
	user = vmcb_alloc();
	hw = vmcb_alloc();
	if (!user || !hw) {
		merge_exit();
		return -ENOMEM;
	}
	user->control.asid = 1;
	user->control.nested_ctl = SVM_NESTED_NP_ENABLE;
	user->save.efer = SVMRUN_POLICY_EFER_REQUIRED;
	return 0;
}

module_init(merge_init);
module_exit(merge_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("measures svmrun's merge of VMCBs");
