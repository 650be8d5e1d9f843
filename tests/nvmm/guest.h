/* SPDX-License-Identifier: GPL-2.0 */
/* A machine with one vCPU and 1 MiB of memory that executes a few instructions */
#ifndef GUEST_H
#define GUEST_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <kselftest_harness.h>
#include <nvmm.h>

#define PAGE 4096ul
#define MEMORY (1ul << 20)
#define CODE 0x1000
#define HANDLER 0x2000 /* of interrupts and exceptions: HLT */
#define STACK 0x8000
#define TABLES 0x10000 /* page tables of 64-bit mode: 3 pages */
#define UNMAPPED 0x200000

struct guest {
	struct nvmm_machine mach;
	struct nvmm_vcpu vcpu;
	uint8_t *memory;
	/* Arguments of the last callback, and the value that callbacks return */
	struct nvmm_io io;
	struct nvmm_mem mem;
	unsigned int calls;
	uint64_t value;
};

/* Callbacks have no argument of the program's. */
static struct guest *current;

static inline void guest_io(struct nvmm_io *io)
{
	current->io = *io;
	current->calls++;
	memcpy(io->in ? (void *)io->data : (void *)&current->value,
	       io->in ? (void *)&current->value : (void *)io->data, io->size);
}

static inline void guest_mem(struct nvmm_mem *mem)
{
	current->mem = *mem;
	current->calls++;
	memcpy(mem->write ? (void *)&current->value : (void *)mem->data,
	       mem->write ? (void *)mem->data : (void *)&current->value,
	       mem->size);
}

static inline int guest_set(struct guest *guest, uint64_t flags)
{
	return nvmm_vcpu_setstate(&guest->mach, &guest->vcpu, flags);
}

static inline struct nvmm_x64_state *guest_get(struct guest *guest,
					       uint64_t flags)
{
	if (nvmm_vcpu_getstate(&guest->mach, &guest->vcpu, flags))
		abort();
	return guest->vcpu.state;
}

static inline uint64_t guest_gpr(struct guest *guest, unsigned int gpr)
{
	return guest_get(guest, NVMM_X64_STATE_GPRS)->gprs[gpr];
}

static inline void guest_set_gpr(struct guest *guest, unsigned int gpr,
				 uint64_t value)
{
	guest_get(guest, NVMM_X64_STATE_GPRS)->gprs[gpr] = value;
	if (guest_set(guest, NVMM_X64_STATE_GPRS))
		abort();
}

/* Run until an exit that is not NONE; return its reason, or 0 after an error. */
static inline uint64_t guest_run(struct guest *guest)
{
	do {
		if (nvmm_vcpu_run(&guest->mach, &guest->vcpu))
			return 0;
	} while (guest->vcpu.exit->reason == NVMM_VCPU_EXIT_NONE);
	return guest->vcpu.exit->reason;
}

static inline int guest_inject(struct guest *guest, unsigned int type,
			       uint8_t vector, uint64_t error)
{
	*guest->vcpu.event = (struct nvmm_vcpu_event){
		.type = type,
		.vector = vector,
		.u.excp.error = error,
	};
	return nvmm_vcpu_inject(&guest->mach, &guest->vcpu);
}

/* Every vector of real mode leads to an HLT of its own. */
static inline void guest_set_vectors(struct guest *guest)
{
	unsigned int i;

	for (i = 0; i < 256; i++) {
		uint16_t entry[2] = { HANDLER + i, 0 };

		memcpy(guest->memory + 4 * i, entry, sizeof(entry));
	}
	memset(guest->memory + HANDLER, 0xf4, 256);
}

static inline void guest_load(struct guest *guest, const void *code,
			      size_t size)
{
	memcpy(guest->memory + CODE, code, size);
	guest_set_gpr(guest, NVMM_X64_GPR_RSP, STACK);
	guest_set_gpr(guest, NVMM_X64_GPR_RIP, CODE);
}

#define LOAD(guest, ...)                                                       \
	do {                                                                   \
		static const uint8_t code[] = { __VA_ARGS__ };                 \
		guest_load(guest, code, sizeof(code));                         \
	} while (0)

/* Real mode, with all segments at 0 */
static inline int guest_create(struct guest *guest)
{
	struct nvmm_assist_callbacks callbacks = { guest_io, guest_mem };
	struct nvmm_x64_state *state;

	current = guest;
	guest->memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (guest->memory == MAP_FAILED || nvmm_init() ||
	    nvmm_machine_create(&guest->mach) ||
	    nvmm_hva_map(&guest->mach, (uintptr_t)guest->memory, MEMORY) ||
	    nvmm_gpa_map(&guest->mach, (uintptr_t)guest->memory, 0, MEMORY,
			 PROT_READ | PROT_WRITE | PROT_EXEC) ||
	    nvmm_vcpu_create(&guest->mach, 0, &guest->vcpu) ||
	    nvmm_vcpu_configure(&guest->mach, &guest->vcpu,
				NVMM_VCPU_CONF_CALLBACKS, &callbacks))
		return -1;
	guest_set_vectors(guest);
	state = guest_get(guest, NVMM_X64_STATE_SEGS);
	state->segs[NVMM_X64_SEG_CS].selector = 0;
	state->segs[NVMM_X64_SEG_CS].base = 0;
	return guest_set(guest, NVMM_X64_STATE_SEGS);
}

static inline void guest_destroy(struct guest *guest)
{
	nvmm_vcpu_destroy(&guest->mach, &guest->vcpu);
	nvmm_machine_destroy(&guest->mach);
	munmap(guest->memory, MEMORY);
}

/* 64-bit mode, with the first GiB mapped 1:1 for user and supervisor */
static inline int guest_set_long(struct guest *guest)
{
	struct nvmm_x64_state *state = guest_get(guest,
						 NVMM_X64_STATE_CRS |
							 NVMM_X64_STATE_MSRS |
							 NVMM_X64_STATE_SEGS);
	uint64_t *table = (uint64_t *)(guest->memory + TABLES);
	unsigned int i;

	table[0] = (TABLES + PAGE) | 7;
	table[512] = (TABLES + 2 * PAGE) | 7;
	for (i = 0; i < 512; i++)
		table[1024 + i] = ((uint64_t)i << 21) | 0x87;
	state->segs[NVMM_X64_SEG_CS].attrib.l = 1;
	state->crs[NVMM_X64_CR_CR0] = 0x80000011;
	state->crs[NVMM_X64_CR_CR3] = TABLES;
	state->crs[NVMM_X64_CR_CR4] = 0x20;
	state->msrs[NVMM_X64_MSR_EFER] = 0x500;
	return guest_set(guest, NVMM_X64_STATE_CRS | NVMM_X64_STATE_MSRS |
					NVMM_X64_STATE_SEGS);
}

#define EXPECT_ERROR(error, call)                                              \
	do {                                                                   \
		errno = 0;                                                     \
		EXPECT_EQ(-1, call);                                           \
		EXPECT_EQ(error, errno);                                       \
	} while (0)

#endif /* GUEST_H */
