// SPDX-License-Identifier: GPL-2.0
/*
 * Check the clean bits of each VMCB that a program runs: abort if a field differs from what
 * it was after the last run although the clean bit of its group is set. This is a library to
 * be preloaded (LD_PRELOAD): a program that is linked with libsvmrun.so calls the
 * svmrun_vcpu_run() of this file, which calls the real one.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/svmrun_policy.h>
#include <svmrun.h>

#define VMCBS 256

/* VMCBs, by the address where they are mapped, as they were after their last run */
static struct seen {
	const struct svm_vmcb *vmcb;
	struct svm_vmcb copy;
} seen[VMCBS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct seen *find_seen(const struct svm_vmcb *vmcb)
{
	struct seen *found = seen;

	pthread_mutex_lock(&lock);
	while (found->vmcb && found->vmcb != vmcb)
		if (++found == seen + VMCBS)
			abort();
	if (!found->vmcb) {
		found->copy = *vmcb;
		found->vmcb = vmcb;
	}
	pthread_mutex_unlock(&lock);
	return found;
}

static bool is_same(const char *name, const void *field, const void *old,
		    size_t size)
{
	if (!memcmp(field, old, size))
		return true;
	fprintf(stderr, "%s has changed, but its clean bit is set\n", name);
	return false;
}

#define SAME(area, field)                                                      \
	is_same(#field, &new->area.field, &old->area.field,                    \
		sizeof(new->area.field))

static bool control_is_clean(const struct svm_vmcb *new,
			     const struct svm_vmcb *old, uint32_t clean)
{
	/* clang-format off */
#define AND_SAME(field, bit, ...) && (!(clean & (bit)) || SAME(control, field))
	/* clang-format on */
	return true SVMRUN_POLICY_CONTROL(AND_SAME) SVMRUN_POLICY_ZERO(AND_SAME)
		AND_SAME(asid, SVM_CLEAN_ASID);
#undef AND_SAME
}

static bool save_is_clean(const struct svm_vmcb *new,
			  const struct svm_vmcb *old, uint32_t clean)
{
	/* clang-format off */
#define AND_SAME(field) && SAME(save, field)
#define AND_GROUP(group, bit) \
	&& (!(clean & (bit)) || (true SVMRUN_POLICY_STATE_##group(AND_SAME)))
	/* clang-format on */
	return true SVMRUN_POLICY_STATE(AND_GROUP);
#undef AND_GROUP
#undef AND_SAME
}

typedef int run_function(struct svmrun_vcpu *vcpu);

static run_function *next_run(void)
{
	return dlsym(RTLD_NEXT, "svmrun_vcpu_run");
}

int svmrun_vcpu_run(struct svmrun_vcpu *vcpu)
{
	struct seen *before = find_seen(vcpu->vmcb);
	uint32_t clean = vcpu->vmcb->control.clean;
	int ret;

	if (!control_is_clean(vcpu->vmcb, &before->copy, clean) ||
	    !save_is_clean(vcpu->vmcb, &before->copy, clean))
		abort();
	ret = next_run()(vcpu);
	before->copy = *vcpu->vmcb;
	return ret;
}
