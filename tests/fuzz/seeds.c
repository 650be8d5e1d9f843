// SPDX-License-Identifier: GPL-2.0
/*
 * Write initial scripts for merge.c, one per file: seeds DIR. Each field of the
 * policy's tables is changed once, so that the fuzzer need not find it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <linux/svmrun_policy.h>

#include "merge.h"

#define ALL_FEATURES 0xffffffffull

static const char *dir;
static FILE *seed;

static void put(uint64_t value, unsigned int size)
{
	fwrite(&value, 1, size, seed);
}

static void seed_open(const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	seed = fopen(path, "w");
	if (!seed) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	put(ALL_FEATURES, 4);
}

static void seed_close(void)
{
	if (fclose(seed)) {
		perror(dir);
		exit(EXIT_FAILURE);
	}
}

static void set(unsigned int offset, unsigned int size, uint64_t value)
{
	put(MERGE_SET, 1);
	put(offset, 2);
	put(size - 1, 1);
	put(value, 8);
}

/* A run that ends at once, and the load of another one */
static void run_twice(void)
{
	put(MERGE_LOAD, 1);
	put(MERGE_NOTE, 1);
	put(MERGE_RESUME, 1);
	put(MERGE_PUBLISH, 1);
	put(MERGE_LOAD, 1);
}

static void seed_field(const char *name, unsigned int offset, unsigned int size)
{
	seed_open(name);
	set(offset, size < 8 ? size : 8, ~0ull);
	run_twice();
	seed_close();
}

/*
 * A software event with its instruction's length, delivered at the second attempt
 */
static void seed_software(const char *name, uint64_t type, unsigned int vector)
{
	seed_open(name);
	set(offsetof(struct svm_vmcb, control.nrip), 1, 1);
	put(MERGE_INJECT, 1);
	put(type >> 8, 1);
	put(vector, 1);
	put(MERGE_LOAD, 1);
	put(MERGE_NOTE, 1);
	put(MERGE_CUT_SHORT, 1);
	put(0, 1);
	put(MERGE_RESUME, 1);
	put(MERGE_PUBLISH, 1);
	seed_close();
}

static void seed_exception(const char *name, unsigned int vector)
{
	seed_open(name);
	set(offsetof(struct svm_vmcb, control.eventinj), 8,
	    SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCEPTION | vector);
	put(MERGE_LOAD, 1);
	put(MERGE_NOTE, 1);
	put(MERGE_REFLECT, 1);
	put(vector, 1);
	run_twice();
	seed_close();
}

static void seed_permission(void)
{
	seed_open("permission");
	for (unsigned int i = 0; i < 2; i++) {
		put(MERGE_REQUEST, 1);
		put(0x1d9 / 32, 2);
		put(0, 8);
		put(MERGE_PERMIT, 1);
		put(i, 1);
	}
	seed_close();
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return EXIT_FAILURE;
	dir = argv[1];
#define SEED(field, ...)                                                       \
	seed_field(#field, offsetof(struct svm_vmcb, control.field),           \
		   sizeof(((struct svm_vmcb *)0)->control.field));
	SVMRUN_POLICY_CONTROL(SEED)
	SVMRUN_POLICY_ZERO(SEED)
#undef SEED
#define SEED(field)                                                            \
	seed_field(#field, offsetof(struct svm_vmcb, save.field),              \
		   sizeof(((struct svm_vmcb *)0)->save.field));
#define SEED_GROUP(group, clean) SVMRUN_POLICY_STATE_##group(SEED)
	SVMRUN_POLICY_STATE(SEED_GROUP)
	SVMRUN_POLICY_VMLOAD(SEED)
#undef SEED_GROUP
#undef SEED
	seed_exception("debug", 1);
	seed_exception("alignment_check", 17);
	seed_software("int3", SVM_EVENT_TYPE_EXCEPTION, 3);
	seed_software("into", SVM_EVENT_TYPE_EXCEPTION, 4);
	seed_software("intn", SVM_EVENT_TYPE_SOFT_INTERRUPT, 0x80);
	seed_permission();
	return EXIT_SUCCESS;
}
