/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The part of linux/svmrun.h and svmrun.h that test_older_program.c uses, as an older
 * release may have had it: the kernel's structs have fewer members than today, and
 * others have reserved words in place of later members. It must not follow the headers
 * of today, except that functions keep their prototypes and structs their names.
 */
#ifndef OLDER_SVMRUN_H
#define OLDER_SVMRUN_H

#include <stddef.h>
#include <stdint.h>

/* As the first version of the module had it */
struct svmrun_info {
	uint32_t size;
	uint32_t flags;
	uint32_t out_api_version;
	uint32_t out_svm_revision;
	uint32_t out_svm_asids;
	uint32_t out_svm_features;
	uint32_t out_forced_intercepts[6];
	uint32_t out_vcpu_size;
	uint32_t out_xsave_size;
	uint64_t out_xcr0;
	uint32_t out_gpa_bits;
	uint32_t out_npt_levels;
	uint32_t out_max_vcpus;
	uint32_t out_max_regions;
};

/* Older than any that there was */
struct svmrun_vm_info {
	uint32_t size;
	uint32_t flags;
	uint32_t out_vcpus;
	uint32_t out_regions;
};

struct svmrun_vm {
	int fd;
	uint32_t vcpu_size;
	uint32_t xsave_size;
	uint32_t reserved0;
	uint64_t reserved[4];
};

struct svmrun_vcpu {
	int fd;
	void *vmcb;
	void *regs;
	uint8_t *msrpm;
	uint8_t *xsave;
	uint32_t size;
	uint32_t xsave_size;
	uint64_t reserved[4];
};

/* Without CR0 and DBGCTL */
struct svmrun_processor {
	uint32_t svm_features;
	uint64_t cr3;
	uint64_t cr4;
	uint64_t efer;
	uint64_t s_cet;
	uint64_t xcr0;
	uint64_t reserved[10];
};

int svmrun_device_info(int device, struct svmrun_info *info, size_t size);
int svmrun_vm_create(struct svmrun_vm *vm, int device);
void svmrun_vm_destroy(struct svmrun_vm *vm);
int svmrun_vm_info(struct svmrun_vm *vm, struct svmrun_vm_info *info,
		   size_t size);
int svmrun_vcpu_create(struct svmrun_vcpu *vcpu, struct svmrun_vm *vm);
void svmrun_vcpu_destroy(struct svmrun_vcpu *vcpu);
void svmrun_processor_identify(struct svmrun_processor *processor,
			       const struct svmrun_info *info);

#endif /* OLDER_SVMRUN_H */
