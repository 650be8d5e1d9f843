// SPDX-License-Identifier: LGPL-2.1-or-later
/* vCPUs: their shared pages, RUN and KICK, and general-purpose registers */
#include <sys/mman.h>
#include <unistd.h>

#include <svmrun.h>

#include "call.h"
#include "vcpu.h"

/*
 * Hint for mmap(): an address that is probably free for the pages of the next vCPU.
 * Without it the kernel would search all mappings of the program.
 */
static _Atomic(void *) next_address;

void vcpu_place_below(const struct svmrun_vm *vm, void *address)
{
	next_address = (char *)address - vm->vcpu_size;
}

int svmrun_vcpu_create(struct svmrun_vcpu *vcpu, struct svmrun_vm *vm)
{
	struct svmrun_create_vcpu create = { .size = sizeof(create) };
	void *pages;
	int fd, ret;

	*vcpu = (struct svmrun_vcpu){ .fd = -1 };
	fd = call_ioctl(vm->fd, SVMRUN_CREATE_VCPU, &create);
	if (fd < 0)
		return fd;
	pages = mmap(next_address, vm->vcpu_size, PROT_READ | PROT_WRITE,
		     MAP_SHARED, fd, 0);
	if (pages == MAP_FAILED) {
		ret = -errno;
		close(fd);
		return ret;
	}
	vcpu_place_below(vm, pages);
	*vcpu = (struct svmrun_vcpu){
		.fd = fd,
		.size = vm->vcpu_size,
		.xsave_size = vm->xsave_size,
	};
	vcpu_set_pages(vcpu, pages);
	return 0;
}

void svmrun_vcpu_destroy(struct svmrun_vcpu *vcpu)
{
	if (vcpu->vmcb) {
		munmap(vcpu->vmcb, vcpu->size);
		next_address = vcpu->vmcb;
		close(vcpu->fd);
	}
	*vcpu = (struct svmrun_vcpu){ .fd = -1 };
}

int svmrun_vcpu_run(struct svmrun_vcpu *vcpu)
{
	return call_ioctl(vcpu->fd, SVMRUN_RUN, NULL);
}

int svmrun_vcpu_kick(struct svmrun_vcpu *vcpu)
{
	return call_ioctl(vcpu->fd, SVMRUN_KICK, NULL);
}

/* Offsets in the registers page. RAX and RSP are in the VMCB. */
#define AT(member) offsetof(struct svmrun_registers, member)
static const uint8_t gpr_offset[] = {
	[SVMRUN_RCX] = AT(rcx), [SVMRUN_RDX] = AT(rdx), [SVMRUN_RBX] = AT(rbx),
	[SVMRUN_RBP] = AT(rbp), [SVMRUN_RSI] = AT(rsi), [SVMRUN_RDI] = AT(rdi),
	[SVMRUN_R8] = AT(r8),	[SVMRUN_R9] = AT(r9),	[SVMRUN_R10] = AT(r10),
	[SVMRUN_R11] = AT(r11), [SVMRUN_R12] = AT(r12), [SVMRUN_R13] = AT(r13),
	[SVMRUN_R14] = AT(r14), [SVMRUN_R15] = AT(r15),
};

static __u64 *gpr_at(const struct svmrun_vcpu *vcpu, enum svmrun_gpr gpr)
{
	if (gpr == SVMRUN_RAX)
		return &vcpu->vmcb->save.rax;
	if (gpr == SVMRUN_RSP)
		return &vcpu->vmcb->save.rsp;
	if (gpr > SVMRUN_R15)
		return NULL;
	return (__u64 *)((char *)vcpu->regs + gpr_offset[gpr]);
}

uint64_t svmrun_vcpu_get_gpr(const struct svmrun_vcpu *vcpu,
			     enum svmrun_gpr gpr)
{
	const __u64 *at = gpr_at(vcpu, gpr);

	return at ? *at : 0;
}

void svmrun_vcpu_set_gpr(struct svmrun_vcpu *vcpu, enum svmrun_gpr gpr,
			 uint64_t value)
{
	__u64 *at = gpr_at(vcpu, gpr);

	if (at)
		*at = value;
}
