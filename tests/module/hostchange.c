// SPDX-License-Identifier: GPL-2.0
/*
 * For tests only: change host state on one CPU from an interrupt, as other parts of
 * the kernel may do at any time, and check later whether the change is still there.
 *
 *	echo CPU >/proc/svmrun_hostchange	change state on CPU
 *	cat /proc/svmrun_hostchange		print registers without the change
 *	echo -1 >/proc/svmrun_hostchange	undo the change
 */
#include <linux/bits.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/smp.h>
#include <linux/uaccess.h>

#include "compat.h"

/* MSRs that VMSAVE and VMLOAD access and that 64-bit programs do not use */
static const struct {
	const char *name;
	u32 number;
	u64 flip;
} msrs[] = {
	{ "CSTAR", MSR_CSTAR, 16 },
	{ "SFMASK", MSR_SYSCALL_MASK, BIT(21) },
	{ "SYSENTER_CS", MSR_IA32_SYSENTER_CS, 8 },
	{ "SYSENTER_ESP", MSR_IA32_SYSENTER_ESP, 16 },
	{ "SYSENTER_EIP", MSR_IA32_SYSENTER_EIP, 16 },
};

static struct {
	int cpu;
	u64 msr[ARRAY_SIZE(msrs)];
} changed = { .cpu = -1 };

static void flip(void *unused)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(msrs); i++) {
		rdmsrq(msrs[i].number, changed.msr[i]);
		changed.msr[i] ^= msrs[i].flip;
		wrmsrq(msrs[i].number, changed.msr[i]);
	}
}

static void compare(void *file)
{
	u64 value;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(msrs); i++) {
		rdmsrq(msrs[i].number, value);
		if (value != changed.msr[i])
			seq_printf(file, "%s\n", msrs[i].name);
	}
}

static int show(struct seq_file *file, void *unused)
{
	return changed.cpu < 0 ?
		       -ENODATA :
		       smp_call_function_single(changed.cpu, compare, file, 1);
}

static ssize_t change(struct file *file, const char __user *text, size_t size,
		      loff_t *unused)
{
	int cpu, err = kstrtoint_from_user(text, size, 0, &cpu);

	if (err)
		return err;
	if (changed.cpu >= 0)
		smp_call_function_single(changed.cpu, flip, NULL, 1);
	changed.cpu = cpu;
	if (cpu >= 0)
		err = smp_call_function_single(cpu, flip, NULL, 1);
	return err ? err : size;
}

static int open(struct inode *inode, struct file *file)
{
	return single_open(file, show, NULL);
}

static const struct proc_ops operations = {
	.proc_open = open,
	.proc_read = seq_read,
	.proc_write = change,
	.proc_release = single_release,
};

static int __init hostchange_init(void)
{
	return proc_create("svmrun_hostchange", 0600, NULL, &operations) ?
		       0 :
		       -ENOMEM;
}

static void __exit hostchange_exit(void)
{
	remove_proc_entry("svmrun_hostchange", NULL);
}

module_init(hostchange_init);
module_exit(hostchange_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("changes processor state of the host, for svmrun's tests");
