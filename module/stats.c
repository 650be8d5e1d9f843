// SPDX-License-Identifier: GPL-2.0
/*
 * Statistics as text: of one VM or vCPU in /proc/PID/fdinfo/FD, of all of them in
 * /sys/kernel/debug/svmrun/vms.
 */
#include "stats.h"

#include <linux/debugfs.h>
#include <linux/magic.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

#include "vcpu.h"
#include "vm.h"

static struct dentry *directory;

static void show_counter(struct seq_file *seq, const char *name, u64 value)
{
	seq_printf(seq, "%s:\t%llu\n", name, value);
}

/* The PID in the namespace of the reader of procfs; debugfs belongs to none. */
static pid_t owner_number(struct seq_file *seq, struct vm *vm)
{
	struct inode *inode = file_inode(seq->file);

	return inode->i_sb->s_magic == PROC_SUPER_MAGIC ?
		       pid_nr_ns(vm->owner, proc_pid_ns(inode->i_sb)) :
		       pid_nr(vm->owner);
}

/**
 * stats_show_vm() - print a VM's statistics, one per line
 * @seq: the output
 * @vm: the VM
 */
void stats_show_vm(struct seq_file *seq, struct vm *vm)
{
	struct svmrun_vm_info info = {};

	vm_info(vm, &info);
	show_counter(seq, "vm", vm->id);
	show_counter(seq, "owner", owner_number(seq, vm));
	show_counter(seq, "vcpus", info.out_vcpus);
	show_counter(seq, "regions", info.out_regions);
	show_counter(seq, "table_bytes", info.out_table_bytes);
	show_counter(seq, "pages_4k", info.out_pages_4k);
	show_counter(seq, "pages_2m", info.out_pages_2m);
	show_counter(seq, "pages_1g", info.out_pages_1g);
}

/**
 * stats_show_vcpu() - print a vCPU's statistics, one per line
 * @seq: the output
 * @vcpu: the vCPU; it may be running
 */
void stats_show_vcpu(struct seq_file *seq, const struct vcpu *vcpu)
{
	const struct vcpu_counters *counters = &vcpu->counters;

	show_counter(seq, "vm", vcpu->vm->id);
	show_counter(seq, "vcpu", vcpu->id);
	show_counter(seq, "runs", READ_ONCE(counters->runs));
	show_counter(seq, "entries", READ_ONCE(counters->entries));
	show_counter(seq, "exits_interrupt", READ_ONCE(counters->interrupts));
	show_counter(seq, "exits_nmi", READ_ONCE(counters->nmis));
	show_counter(seq, "exits_machine_check",
		     READ_ONCE(counters->machine_checks));
	show_counter(seq, "exits_fault", READ_ONCE(counters->faults));
	show_counter(seq, "exits_reflected", READ_ONCE(counters->reflected));
}

static void show_with_vcpus(struct vm *vm, void *seq)
{
	struct vcpu *vcpu;

	stats_show_vm(seq, vm);
	seq_putc(seq, '\n');
	mutex_lock(&vm->mutex);
	list_for_each_entry(vcpu, &vm->vcpus, all) {
		stats_show_vcpu(seq, vcpu);
		seq_putc(seq, '\n');
	}
	mutex_unlock(&vm->mutex);
}

static int vms_show(struct seq_file *seq, void *unused)
{
	vm_for_each(show_with_vcpus, seq);
	return 0;
}

DEFINE_SHOW_ATTRIBUTE(vms);

/**
 * stats_init() - create the files in debugfs; failure is ignored
 */
void stats_init(void)
{
	directory = debugfs_create_dir("svmrun", NULL);
	debugfs_create_file("vms", 0400, directory, NULL, &vms_fops);
}

/**
 * stats_exit() - remove the files in debugfs
 */
void stats_exit(void)
{
	debugfs_remove(directory);
}
