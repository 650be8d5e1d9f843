// SPDX-License-Identifier: GPL-2.0
/*
 * For tests only: when the machine goes down, after all other reboot notifiers have
 * run, let programs run for a moment, then log each CPU's EFER.SVME.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <linux/smp.h>

#include "compat.h"

#define MOMENT 500 /* in ms */

static void take_efer(void *efer)
{
	rdmsrq(MSR_EFER, *(u64 *)efer);
}

static int log_svm(struct notifier_block *unused, unsigned long event,
		   void *command)
{
	u64 efer;
	int cpu;

	msleep(MOMENT);
	cpus_read_lock();
	for_each_online_cpu(cpu) {
		if (!smp_call_function_single(cpu, take_efer, &efer, 1))
			pr_info("cpu%d EFER.SVME is %u\n", cpu,
				!!(efer & EFER_SVME));
	}
	cpus_read_unlock();
	return NOTIFY_DONE;
}

static struct notifier_block last = {
	.notifier_call = log_svm,
	.priority = INT_MIN,
};

static int __init lastword_init(void)
{
	return register_reboot_notifier(&last);
}

static void __exit lastword_exit(void)
{
	unregister_reboot_notifier(&last);
}

module_init(lastword_init);
module_exit(lastword_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("logs at reboot whether SVM is enabled, for svmrun's tests");
