// SPDX-License-Identifier: GPL-2.0
/*
 * For tests only: turn a guest's next exit into one for a machine check, as if the
 * processor had reported an uncorrectable error while the guest ran. The error is
 * written to the bank registers of the CPU, where the host's handler reads it.
 *
 *	insmod machinecheck.ko mce_flags=ADDRESS
 *	echo 1 >/sys/module/machinecheck/parameters/armed
 *
 * Linux only survives an error that it can attribute to a program, on a processor
 * with MCA recovery (succor), which emulators lack. It tests a bit of the variable
 * mce_flags, which this module sets meanwhile; /proc/kallsyms has its address.
 */
#include <linux/atomic.h>
#include <linux/module.h>
#include <linux/tracepoint.h>
#include <asm/mce.h>

#include "compat.h"
#include "vcpu.h"

#define BANK 1

/* Bit of struct mce_vendor_flags, which no header defines */
#define MCE_FLAGS_SUCCOR BIT_ULL(1)

static unsigned long mce_flags;
module_param(mce_flags, ulong, 0400);

static atomic_t armed = ATOMIC_INIT(0);
static struct tracepoint *exit_tracepoint;

static int set_armed(const char *value, const struct kernel_param *unused)
{
	atomic_set(&armed, 1);
	return 0;
}

static int get_armed(char *buffer, const struct kernel_param *unused)
{
	return sysfs_emit(buffer, "%d\n", atomic_read(&armed));
}

static const struct kernel_param_ops armed_ops = {
	.set = set_armed,
	.get = get_armed,
};

module_param_cb(armed, &armed_ops, NULL, 0600);

/* Called right after #VMEXIT, with interrupts off */
static void on_exit(void *unused, const struct vcpu *vcpu)
{
	if (vcpu->hw->control.exitcode != VMEXIT_INTR ||
	    !atomic_xchg(&armed, 0))
		return;
	vcpu->hw->control.exitcode = VMEXIT_EXCP(EXCEPTION_MC);
	wrmsrq(MSR_IA32_MCx_STATUS(BANK),
	       MCI_STATUS_VAL | MCI_STATUS_UC | MCI_STATUS_EN);
	wrmsrq(MSR_IA32_MCG_STATUS, MCG_STATUS_MCIP | MCG_STATUS_EIPV);
}

static void set_recovery(bool has)
{
	u64 *flags = (u64 *)mce_flags;
	static bool had;

	if (has)
		had = *flags & MCE_FLAGS_SUCCOR;
	if (has)
		*flags |= MCE_FLAGS_SUCCOR;
	else if (!had)
		*flags &= ~MCE_FLAGS_SUCCOR;
}

static int find_tracepoint(struct notifier_block *unused, unsigned long event,
			   void *data)
{
	const struct tp_module *loaded = data;
	struct module *module = loaded->mod;
	unsigned int i;

	if (event != MODULE_STATE_COMING || strcmp(module->name, "svmrun"))
		return NOTIFY_OK;
	for (i = 0; i < module->num_tracepoints; i++) {
		tracepoint_ptr_t *at = &module->tracepoints_ptrs[i];
		struct tracepoint *tracepoint = tracepoint_ptr_deref(at);

		if (!strcmp(tracepoint->name, "exit"))
			exit_tracepoint = tracepoint;
	}
	return NOTIFY_OK;
}

static struct notifier_block notifier = { .notifier_call = find_tracepoint };

/* svmrun.ko must be loaded before this module, and stay loaded. */
static int __init machinecheck_init(void)
{
	int err;

	if (!mce_flags)
		return -EINVAL;
	err = register_tracepoint_module_notifier(&notifier);
	if (err)
		return err;
	err = -ENOENT;
	if (exit_tracepoint)
		err = tracepoint_probe_register(exit_tracepoint, on_exit, NULL);
	if (err)
		unregister_tracepoint_module_notifier(&notifier);
	else
		set_recovery(true);
	return err;
}

static void __exit machinecheck_exit(void)
{
	tracepoint_probe_unregister(exit_tracepoint, on_exit, NULL);
	tracepoint_synchronize_unregister();
	set_recovery(false);
	unregister_tracepoint_module_notifier(&notifier);
}

module_init(machinecheck_init);
module_exit(machinecheck_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("raises machine checks in guests, for svmrun's tests");
