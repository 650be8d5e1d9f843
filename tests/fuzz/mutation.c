// SPDX-License-Identifier: GPL-2.0
#include <linux/svmrun_policy.h>

#include "mutation.h"

#include <string.h>
#include <sys/mman.h>

#include "xorshift.h"
#include "code.h"
#include "guest.h"

#define PAGE GUEST_PAGE

#define HLT 0xf4

/* XSAVE area, standard format (APM 11.5.10) */
#define XSAVE_MXCSR 24
#define XSAVE_LEGACY 512
#define XSAVE_XSTATE_BV 512
#define XSAVE_HEADER_END 576

const char *const mutation_name[MUTATION_KINDS] = {
	[MUTATION_MODE] = "mode",
	[MUTATION_CODE] = "code",
	[MUTATION_TABLES] = "page tables",
	[MUTATION_CONTROL] = "control area",
	[MUTATION_EVENT] = "events",
	[MUTATION_STATE] = "state save area",
	[MUTATION_REGISTERS] = "registers page",
	[MUTATION_MSRPM] = "MSR permission map",
	[MUTATION_XSAVE] = "XSAVE area",
	[MUTATION_CLEAN] = "clean bits",
	[MUTATION_MEMORY] = "memory",
	[MUTATION_RACE] = "a second thread",
};

static uint32_t below(uint64_t *random, uint32_t limit)
{
	return xorshift_below(random, limit);
}

static bool one_in(uint64_t *random, uint32_t n)
{
	return !below(random, n);
}

static void flip(void *bytes, uint32_t bit)
{
	((uint8_t *)bytes)[bit / 8] ^= 1 << bit % 8;
}

/* Return an address, usually within guest memory. */
static uint64_t address(uint64_t *random)
{
	if (one_in(random, 8))
		return xorshift(random);
	return below(random, GUEST_SIZE);
}

static void mutate_code(struct subject *subject, uint64_t *random)
{
	code_fill(subject->memory + GUEST_CODE, GUEST_CODE_SIZE, random);
}

static void mutate_tables(struct subject *subject, uint64_t *random)
{
	uint8_t *tables = subject->memory + GUEST_TABLES;

	for (uint32_t n = 1 + below(random, 6); n; n--) {
		uint32_t page = below(random, GUEST_TABLE_PAGES);
		uint64_t *entry = (uint64_t *)(tables + page * PAGE) +
				  below(random, GUEST_PAGES);

		if (one_in(random, 2))
			*entry ^= 1ull << below(random, 64);
		else
			*entry = below(random, GUEST_PAGES) * PAGE |
				 below(random, 0x1000) |
				 (uint64_t)one_in(random, 4) << 63;
	}
}

static void mutate_control(struct subject *subject, uint64_t *random)
{
	struct svm_vmcb_control *control = &subject->vcpu.vmcb->control;

	for (uint32_t n = 1 + below(random, 4); n; n--)
		switch (below(random, 8)) {
		case 0:
			control->intercept[below(random, 6)] = xorshift(random);
			break;
		case 1:
			control->tsc_offset = xorshift(random);
			break;
		case 2:
			control->asid = xorshift(random);
			break;
		case 3:
			control->tlb_control = below(random, 2);
			break;
		case 4:
			if (one_in(random, 8))
				flip(control, below(random, 8 * 0x128));
			break;
		default:
			flip(control->intercept, below(random, 8 * 0x14));
			if (!one_in(random, 16))
				control->intercept[4] &=
					SVMRUN_POLICY_INTERCEPTS_4;
		}
}

static void mutate_event(struct subject *subject, uint64_t *random)
{
	struct svm_vmcb_control *control = &subject->vcpu.vmcb->control;
	static const uint16_t types[] = { 0, 2, 3, 3, 4 };

	if (one_in(random, 2))
		control->eventinj = SVM_EVENT_VALID |
				    types[below(random, 5)] << 8 |
				    below(random,
					  one_in(random, 4) ? 256 : 20) |
				    (uint64_t)one_in(random, 2) << 11 |
				    (uint64_t)below(random, 8) << 32;
	if (one_in(random, 2))
		control->vintr = SVM_VINTR_V_IRQ | below(random, 16) |
				 (uint64_t)below(random, 16) << 16 |
				 (uint64_t)one_in(random, 2) << 20 |
				 (uint64_t)below(random, 256) << 32;
	if (one_in(random, 4) &&
	    (subject->info.out_svm_features & SVM_FEATURE_VGIF))
		control->vintr |= SVM_VINTR_VGIF_ENABLE |
				  (xorshift(random) & SVM_VINTR_VGIF);
	control->interrupt_shadow = below(random, 4);
	if (one_in(random, 32))
		control->eventinj = xorshift(random);
}

static void mutate_segment(struct svm_vmcb_save *save, uint64_t *random)
{
	struct svm_seg *const segments[] = {
		&save->es, &save->cs,	&save->ss,   &save->ds,	  &save->fs,
		&save->gs, &save->gdtr, &save->ldtr, &save->idtr, &save->tr,
	};
	struct svm_seg *segment = segments[below(random, 10)];

	switch (below(random, 4)) {
	case 0:
		segment->selector = below(random, 0x80);
		break;
	case 1:
		segment->attrib ^= 1u << below(random, 12);
		break;
	case 2:
		segment->limit ^= 1u << below(random, 32);
		break;
	default:
		segment->base = address(random);
	}
}

static void mutate_register(struct svm_vmcb_save *save, uint64_t *random)
{
	__u64 *const flags[] = {
		&save->cr0, &save->cr4, &save->efer,   &save->rflags,
		&save->dr6, &save->dr7, &save->dbgctl, &save->cr3,
		&save->cr0, &save->cr4, &save->rflags, &save->dr7,
	};
	__u64 *const addresses[] = {
		&save->rip,	     &save->rsp,
		&save->rax,	     &save->lstar,
		&save->star,	     &save->sfmask,
		&save->cr2,	     &save->kernel_gs_base,
		&save->sysenter_cs,  &save->cstar,
		&save->sysenter_eip, &save->sysenter_esp,
	};

	if (one_in(random, 2))
		*addresses[below(random, 12)] = address(random);
	else
		*flags[below(random, 12)] ^=
			1ull << below(random, one_in(random, 8) ? 64 : 19);
}

/* Clear bits that the module always refuses; called most of the time. */
static void keep_allowed(struct svm_vmcb_save *save,
			 const struct svmrun_info *info)
{
#define KEEP(register, known) save->register &= info->out_##register;
	SVMRUN_POLICY_ALLOWED(KEEP)
#undef KEEP
}

static void mutate_state(struct subject *subject, uint64_t *random)
{
	struct svm_vmcb_save *save = &subject->vcpu.vmcb->save;

	for (uint32_t n = 1 + below(random, 3); n; n--)
		switch (below(random, 16)) {
		case 0:
			flip(save, below(random, 8 * 0x298));
			break;
		case 1:
			save->cpl = below(random, 4);
			break;
		case 2:
			save->g_pat = xorshift(random) & 0x0707070707070707;
			break;
		case 3 ... 8:
			mutate_segment(save, random);
			break;
		default:
			mutate_register(save, random);
		}
	if (!one_in(random, 16))
		keep_allowed(save, &subject->info);
}

static void mutate_registers(struct subject *subject, uint64_t *random)
{
	struct svmrun_registers *regs = subject->vcpu.regs;
	__u64 *gpr = &regs->rbx;

	for (uint32_t i = 0; i < 14; i++)
		gpr[i] = address(random);
	for (uint32_t i = 0; i < 4; i++)
		regs->dr[i] = address(random);
	regs->xcr0 = subject->info.out_xcr0 & (xorshift(random) | 3);
	if (!one_in(random, 16))
		return;
	switch (below(random, 4)) {
	case 0:
		regs->xcr0 = xorshift(random);
		break;
	case 1:
		regs->reserved[below(random, 7)] = xorshift(random);
		break;
	case 2:
		regs->tsc_ratio = xorshift(random);
		break;
	default:
		regs->immediate_exit = 1;
	}
}

static void mutate_msrpm(struct subject *subject, uint64_t *random)
{
	uint8_t *map = subject->vcpu.msrpm;

	if (one_in(random, 2)) {
		memset(map, 0, 2 * PAGE);
		return;
	}
	for (uint32_t i = 0; i < 0xa0; i++)
		map[i] &= xorshift(random);
	for (uint32_t i = 0x800; i < 0x850; i++)
		map[i] &= xorshift(random);
}

static void mutate_xsave(struct subject *subject, uint64_t *random)
{
	uint8_t *area = subject->vcpu.xsave;
	uint64_t present = xorshift(random) & subject->info.out_xcr0;
	uint32_t mxcsr = xorshift(random) & 0xffff;

	xorshift_fill(random, area, XSAVE_LEGACY);
	memcpy(area + XSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
	memcpy(area + XSAVE_XSTATE_BV, &present, sizeof(present));
	for (uint32_t n = below(random, 16); n; n--)
		area[XSAVE_HEADER_END +
		     below(random, subject->info.out_xsave_size -
					   XSAVE_HEADER_END)] = xorshift(random);
	if (one_in(random, 16))
		flip(area + XSAVE_XSTATE_BV, below(random, 8 * 64));
}

static void mutate_clean(struct subject *subject, uint64_t *random)
{
	uint32_t clean = xorshift(random);

	if (one_in(random, 2))
		clean |= xorshift(random);
	if (one_in(random, 4))
		clean = SVM_CLEAN_ALL;
	subject->vcpu.vmcb->control.clean = clean;
}

/* Unmap or protect one page, until mutation_undo(). */
static void mutate_memory(struct subject *subject, uint64_t *random)
{
	uint32_t gpa = below(random, GUEST_PAGES) * PAGE;
	uint8_t *page = subject->memory + gpa;

	switch (below(random, 4)) {
	case 0:
		svmrun_vm_unmap(&subject->vm, gpa, PAGE);
		subject->unmapped = page;
		break;
	case 1:
		madvise(page, PAGE, MADV_DONTNEED);
		break;
	default:
		mprotect(page, PAGE, one_in(random, 2) ? PROT_READ : PROT_NONE);
		subject->protected = page;
	}
}

/* Undo mutate_memory(). */
void mutation_undo(struct subject *subject)
{
	if (subject->protected)
		mprotect(subject->protected, PAGE, PROT_READ | PROT_WRITE);
	if (subject->unmapped)
		guest_map(&subject->vm, subject->memory,
			  subject->unmapped - subject->memory);
	subject->protected = NULL;
	subject->unmapped = NULL;
}

static void lay_ground(struct subject *subject, uint32_t kinds,
		       uint64_t *random)
{
	struct guest_ground ground = {
		.mode = GUEST_LONG,
		.handlers = true,
	};
	static uint8_t image[GUEST_SIZE];

	if (kinds & 1u << MUTATION_MODE) {
		ground.mode = below(random, GUEST_MODES);
		ground.user = one_in(random, 3);
		ground.handlers = !one_in(random, 4);
	}
	if (!image[GUEST_GDT + 8])
		guest_fill(image);
	memcpy(subject->memory, image, GUEST_SIZE);
	memset(subject->memory + GUEST_CODE, HLT, GUEST_CODE_SIZE);
	guest_begin(&subject->vcpu, &ground);
}

/* The same @seed and @kinds result in the same guest and VMCB. */
void mutate(struct subject *subject, uint32_t kinds, uint64_t seed)
{
	static void (*const mutations[MUTATION_KINDS])(struct subject *,
						       uint64_t *) = {
		[MUTATION_CODE] = mutate_code,
		[MUTATION_TABLES] = mutate_tables,
		[MUTATION_CONTROL] = mutate_control,
		[MUTATION_EVENT] = mutate_event,
		[MUTATION_STATE] = mutate_state,
		[MUTATION_REGISTERS] = mutate_registers,
		[MUTATION_MSRPM] = mutate_msrpm,
		[MUTATION_XSAVE] = mutate_xsave,
		[MUTATION_CLEAN] = mutate_clean,
		[MUTATION_MEMORY] = mutate_memory,
	};
	uint64_t random = xorshift_seed(seed ^ MUTATION_MODE);

	lay_ground(subject, kinds, &random);
	for (uint32_t kind = 0; kind < MUTATION_KINDS; kind++) {
		random = xorshift_seed(seed ^ kind);
		if ((kinds & 1u << kind) && mutations[kind])
			mutations[kind](subject, &random);
	}
}
