// SPDX-License-Identifier: GPL-2.0
/*
 * For tests only: the N-th allocation of the next module's initialisation fails.
 * Allocations of the kernel itself while it loads a module do not fail, because it
 * would warn.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/sched.h>

static unsigned int nth;
module_param(nth, uint, 0600);
MODULE_PARM_DESC(nth, "which; 0: none");

static unsigned int left;
module_param(left, uint, 0400);
MODULE_PARM_DESC(left, "what was left of nth afterwards; 0: it has failed");

static int begin(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	if (!nth)
		return -ENOENT;
	current->fail_nth = nth;
	nth = 0;
	return 0;
}

static int end(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	left = current->fail_nth;
	current->fail_nth = 0;
	return 0;
}

static struct kretprobe initialisation = {
	.kp.symbol_name = "do_one_initcall",
	.entry_handler = begin,
	.handler = end,
};

static int __init failinit_init(void)
{
	return register_kretprobe(&initialisation);
}

static void __exit failinit_exit(void)
{
	unregister_kretprobe(&initialisation);
}

module_init(failinit_init);
module_exit(failinit_exit);

MODULE_DESCRIPTION("Fails an allocation of another module's initialisation");
MODULE_LICENSE("GPL");
