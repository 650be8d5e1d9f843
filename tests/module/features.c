// SPDX-License-Identifier: GPL-2.0
/*
 * For tests only: set CPU features that the processor does not have, so that a
 * module that is loaded meanwhile is patched for them, and show whether the kernel
 * would execute a branch prediction barrier before it returns to userspace.
 *
 *	insmod features.ko names=ibpb,...	names from the table below
 *	/sys/module/features/parameters/ibpb_before_user	on the reader's CPU
 */
#include <linux/bitops.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/string.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>

static struct {
	const char *name;
	unsigned int bit;
	bool added;
} features[] = {
	{ "ibpb", X86_FEATURE_IBPB },
	{ "rsb_vmexit", X86_FEATURE_RSB_VMEXIT },
	{ "unret", X86_FEATURE_UNRET },
	{ "ibpb_on_vmexit", X86_FEATURE_IBPB_ON_VMEXIT },
	{ "clear_cpu_buf_vm", X86_FEATURE_CLEAR_CPU_BUF_VM },
	{ "ibpb_exit_to_user", X86_FEATURE_IBPB_EXIT_TO_USER },
	{ "div0", X86_BUG_DIV0 },
#ifdef X86_FEATURE_SEV_SNP
	{ "sev_snp", X86_FEATURE_SEV_SNP },
#endif
#ifdef X86_FEATURE_SRSO_BP_SPEC_REDUCE
	{ "srso_bp_spec_reduce", X86_FEATURE_SRSO_BP_SPEC_REDUCE },
#endif
};

static char *names[ARRAY_SIZE(features)];
static unsigned int count;

module_param_array(names, charp, &count, 0444);
MODULE_PARM_DESC(names, "features to set");

static int get_ibpb_before_user(char *buffer, const struct kernel_param *unused)
{
	return sysfs_emit(buffer, "%d\n", raw_cpu_read(x86_ibpb_exit_to_user));
}

/* Any write clears the flag. */
static int set_ibpb_before_user(const char *value,
				const struct kernel_param *unused)
{
	raw_cpu_write(x86_ibpb_exit_to_user, false);
	return 0;
}

static const struct kernel_param_ops ibpb_before_user = {
	.get = get_ibpb_before_user,
	.set = set_ibpb_before_user,
};
module_param_cb(ibpb_before_user, &ibpb_before_user, NULL, 0600);

static unsigned long *capability(void)
{
	return (unsigned long *)boot_cpu_data.x86_capability;
}

/*
 * At each exit of a guest, the kernel writes PRED_CMD without handling an exception, while GIF
 * is 0: a processor that refuses the MSR would hang.
 */
static bool can_execute(unsigned int bit)
{
	return bit != X86_FEATURE_IBPB_ON_VMEXIT ||
	       !wrmsr_safe(MSR_IA32_PRED_CMD, PRED_CMD_IBPB, 0);
}

static int add_feature(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(features); i++)
		if (!strcmp(features[i].name, name)) {
			if (!can_execute(features[i].bit))
				return -EOPNOTSUPP;
			features[i].added = !test_and_set_bit(features[i].bit,
							      capability());
			return 0;
		}
	return -EINVAL;
}

static void features_exit(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(features); i++)
		if (features[i].added)
			clear_bit(features[i].bit, capability());
}

static int __init features_init(void)
{
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < count; i++)
		err = add_feature(names[i]);
	if (err)
		features_exit();
	return err;
}

module_init(features_init);
module_exit(features_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("sets processor features, for svmrun's tests");
