// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Walk the guest's page tables as the processor does: APM volume 2, chapter 5 for formats
 * and checks, 8.4.2 for the error code.
 */
#include <cpuid.h>
#include <errno.h>
#include <string.h>

#include <svmrun.h>

#include "memories.h"
#include "x86.h"

#define ROOT_PAE 0xffffffe0ull
#define ROOT_32 0xfffff000ull

/* In @rights of struct walk: the entries do not have NX. 32-bit ones never have it. */
#define RIGHT_X PTE_NX

#define LEVELS_MAX 5
#define KEY_AD (1u << 0) /* of PKRU: no access */
#define KEY_WD (1u << 1) /* no writes */

#define BITS(high, low) ((~0ull >> (63 - (high))) & (~0ull << (low)))

enum format { NO_PAGING, LEGACY, PAE, LONG };

/**
 * struct walk - a walk through the guest's page tables
 * @vcpu: the vCPU whose tables they are
 * @physical: the memory that they are in
 * @gva: the address to be translated
 * @access: SVMRUN_ACCESS_*
 * @format: format of the tables
 * @levels: number of the highest level; the lowest one is 1
 * @index_bits: bits of the address that are the index into a table
 * @reserved: bits that are reserved in the entries of all levels
 * @leaf: level of the entry with the page's address
 * @rights: W, U and RIGHT_X if all levels have them
 * @entry: address of the entry of each level down to @leaf
 * @value: its contents
 */
struct walk {
	const struct svmrun_vcpu *vcpu;
	const struct svmrun_physical *physical;
	uint64_t gva;
	uint32_t access;
	enum format format;
	unsigned int levels;
	unsigned int index_bits;
	uint64_t reserved;
	unsigned int leaf;
	uint64_t rights;
	void *entry[LEVELS_MAX + 1];
	uint64_t value[LEVELS_MAX + 1];
};

/* Features of the processor that paging depends on */
#define FEATURE_ADDRESS_BITS 0xffu
#define ADDRESS_BITS_MAX 52
#define FEATURE_1G_PAGES (1u << 8) /* pages of 1 GiB */
#define FEATURE_PKRU_SHIFT 16 /* offset of PKRU in the XSAVE area, 0 if none */

static uint32_t query_processor(void)
{
	uint32_t eax, ebx, ecx, edx, features = 36;

	if (__get_cpuid(CPUID_SIZES, &eax, &ebx, &ecx, &edx))
		features = eax & FEATURE_ADDRESS_BITS;
	if (features > ADDRESS_BITS_MAX)
		features = ADDRESS_BITS_MAX;
	if (__get_cpuid(CPUID_EXTENDED_FEATURES, &eax, &ebx, &ecx, &edx) &&
	    (edx & CPUID_EDX_1G_PAGES))
		features |= FEATURE_1G_PAGES;
	if (__get_cpuid_count(CPUID_XSAVE, XSTATE_PKRU, &eax, &ebx, &ecx, &edx))
		features |= ebx << FEATURE_PKRU_SHIFT;
	return features;
}

/* Cache the features, because CPUID is slow in a VM. All threads get the same ones. */
static uint32_t paging_features(void)
{
	static _Atomic uint32_t known;

	if (!known)
		known = query_processor();
	return known;
}

static const struct svm_vmcb_save *walk_save(const struct walk *walk)
{
	return &walk->vcpu->vmcb->save;
}

static void set_format(struct walk *walk)
{
	const struct svm_vmcb_save *save = walk_save(walk);

	walk->index_bits = 9;
	if (!(save->cr0 & SVM_CR0_PG)) {
		walk->format = NO_PAGING;
	} else if (!(save->cr4 & SVM_CR4_PAE)) {
		walk->format = LEGACY;
		walk->levels = 2;
		walk->index_bits = 10;
	} else if (!(save->efer & SVM_EFER_LMA)) {
		walk->format = PAE;
		walk->levels = 3;
	} else {
		walk->format = LONG;
		walk->levels = 4 + !!(save->cr4 & SVM_CR4_LA57);
	}
	if (walk->format != LONG)
		walk->gva = (uint32_t)walk->gva;
}

static bool gva_is_canonical(const struct walk *walk)
{
	return walk->format != LONG ||
	       is_canonical(walk->gva, 12 + 9 * walk->levels);
}

static unsigned int walk_shift(const struct walk *walk, unsigned int level)
{
	return 12 + walk->index_bits * (level - 1);
}

static uint64_t root_table(const struct walk *walk)
{
	static const uint64_t mask[] = {
		[LEGACY] = ROOT_32,
		[PAE] = ROOT_PAE,
		[LONG] = PTE_ADDRESS,
	};

	return walk_save(walk)->cr3 & mask[walk->format];
}

static int walk_physical(const struct walk *walk, uint64_t gpa, uint32_t access,
			 uint64_t *address)
{
	const struct svmrun_physical *physical = walk->physical;

	*address = gpa;
	return physical->translate ? physical->translate(physical->owner, gpa,
							 access, address) :
				     0;
}

/*
 * The processor writes to the tables that it walks, so that nested paging must permit it
 * (APM 15.25.5); a probe does not. Return 0 or a negative errno.
 */
static int find_entry(struct walk *walk, uint64_t table, unsigned int level)
{
	const struct svmrun_physical *physical = walk->physical;
	size_t size = walk->format == LEGACY ? 4 : 8;
	uint64_t index = walk->gva >> walk_shift(walk, level), address;
	uint32_t probe = walk->access & SVMRUN_ACCESS_PROBE;
	int ret = walk_physical(walk, table + index % (PAGE_SIZE / size) * size,
				SVMRUN_ACCESS_TABLE |
					(probe ? probe : SVMRUN_ACCESS_WRITE),
				&address);

	if (ret)
		return ret;
	walk->entry[level] = memories_at(physical->memories,
					 physical->memory_count, address, size);
	return walk->entry[level] ? 0 : -ENXIO;
}

static uint64_t entry_load(const struct walk *walk, const void *entry)
{
	if (walk->format == LEGACY)
		return __atomic_load_n((const uint32_t *)entry,
				       __ATOMIC_ACQUIRE);
	return __atomic_load_n((const uint64_t *)entry, __ATOMIC_ACQUIRE);
}

static bool entry_replace(const struct walk *walk, void *entry, uint64_t old,
			  uint64_t new)
{
	uint32_t old_32 = old;

	if (walk->format == LEGACY)
		return __atomic_compare_exchange_n((uint32_t *)entry, &old_32,
						   (uint32_t) new, false,
						   __ATOMIC_ACQ_REL,
						   __ATOMIC_RELAXED);
	return __atomic_compare_exchange_n((uint64_t *)entry, &old, new, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* Legacy paging ignores PS without CR4.PSE; PS is reserved where no large page exists. */
static bool is_leaf_entry(const struct walk *walk, unsigned int level,
			  uint64_t entry)
{
	if (level == 1)
		return true;
	if (!(entry & PTE_PS))
		return false;
	if (walk->format == LEGACY)
		return walk_save(walk)->cr4 & SVM_CR4_PSE;
	return level == 2 || (level == 3 && walk->format == LONG &&
			      (paging_features() & FEATURE_1G_PAGES));
}

/* Address bits that the processor does not have, and NX while it is disabled */
static uint64_t reserved_everywhere(const struct walk *walk)
{
	unsigned int bits = paging_features() & FEATURE_ADDRESS_BITS;
	uint64_t reserved = PTE_ADDRESS & (~0ull << bits);

	if (walk->format == LEGACY)
		return 0;
	if (walk->format == PAE)
		reserved |= BITS(62, 52);
	if (!(walk_save(walk)->efer & SVM_EFER_NXE))
		reserved |= PTE_NX;
	return reserved;
}

/* Reserved bits of large pages, and of upper levels including G (APM 5.3.3, 5.3.4) */
static uint64_t reserved_on_level(const struct walk *walk, unsigned int level,
				  bool leaf)
{
	if (walk->format == LEGACY)
		return leaf && level == 2 ? BITS(21, 21) : 0;
	if (walk->format == PAE && level == 3) /* figure 5-10 */
		return PTE_NX | BITS(8, 5) | BITS(2, 1);
	if (leaf && level > 1)
		return BITS(walk_shift(walk, level) - 1, 13);
	if (level > 3)
		return PTE_PS | BITS(8, 8);
	if (level == 3)
		return (leaf ? 0 : PTE_PS) | BITS(8, 8);
	return 0;
}

/* Combine the rights of all levels. Entries of PAE's highest level have none. */
static void combine_rights(struct walk *walk, unsigned int level)
{
	if (walk->format != PAE || level != 3)
		walk->rights &= walk->value[level] ^ PTE_NX;
}

static uint32_t guest_pkru(const struct svmrun_vcpu *vcpu)
{
	uint32_t offset = paging_features() >> FEATURE_PKRU_SHIFT, pkru;
	uint64_t valid;

	if (!offset || offset + sizeof(pkru) > vcpu->xsave_size)
		return 0;
	memcpy(&valid, vcpu->xsave + XSAVE_XSTATE_BV, sizeof(valid));
	if (!(valid >> XSTATE_PKRU & 1))
		return 0;
	memcpy(&pkru, vcpu->xsave + offset, sizeof(pkru));
	return pkru;
}

/* Protection keys apply to data accesses to user pages (APM 5.6.7). */
static bool violates_protection_key(const struct walk *walk)
{
	const struct svm_vmcb_save *save = walk_save(walk);
	uint64_t entry = walk->value[walk->leaf];
	uint32_t key = entry >> PTE_KEY_SHIFT & PTE_KEY_MASK, rights;

	if (walk->format != LONG || !(save->cr4 & SVM_CR4_PKE) ||
	    !(walk->rights & PTE_U) || (walk->access & SVMRUN_ACCESS_FETCH))
		return false;
	rights = guest_pkru(walk->vcpu) >> (2 * key);
	if (rights & KEY_AD)
		return true;
	if (!(walk->access & SVMRUN_ACCESS_WRITE) || !(rights & KEY_WD))
		return false;
	return (walk->access & SVMRUN_ACCESS_USER) || (save->cr0 & SVM_CR0_WP);
}

/* SMEP and SMAP restrict supervisor accesses to user pages (APM 5.6.5, 5.6.6). */
static bool violates_smep_smap(const struct walk *walk)
{
	const struct svm_vmcb_save *save = walk_save(walk);

	if (walk->access & SVMRUN_ACCESS_FETCH)
		return save->cr4 & SVM_CR4_SMEP;
	if (!(save->cr4 & SVM_CR4_SMAP))
		return false;
	return (walk->access & SVMRUN_ACCESS_IMPLICIT) ||
	       !(save->rflags & RFLAGS_AC);
}

/* APM 5.6 */
static bool violates_rights(const struct walk *walk)
{
	bool user = walk->access & SVMRUN_ACCESS_USER;

	if ((walk->access & SVMRUN_ACCESS_FETCH) && !(walk->rights & RIGHT_X))
		return true;
	if (user && !(walk->rights & PTE_U))
		return true;
	if (!user && (walk->rights & PTE_U) && violates_smep_smap(walk))
		return true;
	return (walk->access & SVMRUN_ACCESS_WRITE) &&
	       !(walk->rights & PTE_W) &&
	       (user || (walk_save(walk)->cr0 & SVM_CR0_WP));
}

/* The error code has the fetch bit only if NX or SMEP distinguish fetches. */
static int page_fault(const struct walk *walk, uint32_t cause,
		      struct svmrun_page_fault *fault)
{
	const struct svm_vmcb_save *save = walk_save(walk);
	uint32_t reported = SVMRUN_FAULT_WRITE | SVMRUN_FAULT_USER;

	if ((save->cr4 & SVM_CR4_SMEP) ||
	    ((save->cr4 & SVM_CR4_PAE) && (save->efer & SVM_EFER_NXE)))
		reported |= SVMRUN_FAULT_FETCH;
	if (fault)
		*fault = (struct svmrun_page_fault){
			.address = walk->gva,
			.error_code = cause | (walk->access & reported),
		};
	return -EFAULT;
}

/* Walk from the root to the page. */
static int walk_levels(struct walk *walk, struct svmrun_page_fault *fault)
{
	uint64_t table = root_table(walk), value;
	unsigned int level;
	bool leaf = false;
	int ret;

	walk->rights = PTE_W | PTE_U | RIGHT_X;
	walk->reserved = reserved_everywhere(walk);
	for (level = walk->levels; !leaf; level--) {
		ret = find_entry(walk, table, level);
		if (ret)
			return ret;
		value = entry_load(walk, walk->entry[level]);
		if (!(value & PTE_P))
			return page_fault(walk, 0, fault);
		leaf = is_leaf_entry(walk, level, value);
		if (value &
		    (walk->reserved | reserved_on_level(walk, level, leaf)))
			return page_fault(walk,
					  SVMRUN_FAULT_PRESENT |
						  SVMRUN_FAULT_RESERVED,
					  fault);
		walk->value[level] = value;
		walk->leaf = level;
		combine_rights(walk, level);
		table = value & PTE_ADDRESS;
	}
	return 0;
}

/*
 * Set accessed and dirty bits. Return false if an entry has changed since it was read:
 * the walk must be repeated.
 */
static bool set_accessed_dirty(const struct walk *walk)
{
	unsigned int top = walk->format == PAE ? 2 : walk->levels, level;

	for (level = top; level >= walk->leaf; level--) {
		uint64_t old = walk->value[level], new = old | PTE_A;

		if (level == walk->leaf && (walk->access & SVMRUN_ACCESS_WRITE))
			new |= PTE_D;
		if (new != old &&
		    !entry_replace(walk, walk->entry[level], old, new))
			return false;
	}
	return true;
}

/* A large page of 32-bit paging has address bits 39:32 in bits 20:13 of the entry. */
static uint64_t translated_address(const struct walk *walk)
{
	uint64_t offset = BITS(walk_shift(walk, walk->leaf) - 1, 0);
	uint64_t entry = walk->value[walk->leaf];
	uint64_t gpa = (entry & PTE_ADDRESS & ~offset) | (walk->gva & offset);

	if (walk->format == LEGACY && walk->leaf == 2)
		gpa |= (entry & BITS(20, 13)) << (32 - 13);
	return gpa;
}

static int walk_tables(struct walk *walk, struct svmrun_page_fault *fault)
{
	int ret;

	do {
		ret = walk_levels(walk, fault);
		if (ret)
			return ret;
		if (violates_rights(walk))
			return page_fault(walk, SVMRUN_FAULT_PRESENT, fault);
		if (violates_protection_key(walk))
			return page_fault(walk,
					  SVMRUN_FAULT_PRESENT |
						  SVMRUN_FAULT_KEY,
					  fault);
	} while (!(walk->access & SVMRUN_ACCESS_PROBE) &&
		 !set_accessed_dirty(walk));
	return 0;
}

/* Writing is not permitted yet while the processor would have to set the dirty bit. */
static uint32_t permitted_rights(const struct walk *walk)
{
	uint32_t rights = walk->rights & RIGHT_X ? SVMRUN_RIGHT_EXECUTE : 0;
	bool dirty = (walk->value[walk->leaf] & PTE_D) ||
		     (walk->access & SVMRUN_ACCESS_WRITE);

	if ((walk->rights & PTE_W) && dirty)
		rights |= SVMRUN_RIGHT_WRITE;
	return rights;
}

static int translate_paged(struct walk *walk,
			   struct svmrun_translation *translation,
			   struct svmrun_page_fault *fault)
{
	int ret;

	if (!gva_is_canonical(walk))
		return -ERANGE;
	ret = walk_tables(walk, fault);
	if (ret)
		return ret;
	translation->gpa = translated_address(walk);
	translation->page_size = 1ull << walk_shift(walk, walk->leaf);
	translation->rights = permitted_rights(walk);
	return 0;
}

int svmrun_translate(const struct svmrun_vcpu *vcpu,
		     const struct svmrun_physical *physical, uint64_t gva,
		     uint32_t access, struct svmrun_translation *translation,
		     struct svmrun_page_fault *fault)
{
	struct walk walk; /* zeroing it would take as long as a level */
	int ret = 0;

	walk.vcpu = vcpu;
	walk.physical = physical;
	walk.gva = gva;
	walk.access = access;

	*translation = (struct svmrun_translation){
		.page_size = PAGE_SIZE,
		.rights = SVMRUN_RIGHT_WRITE | SVMRUN_RIGHT_EXECUTE,
	};
	set_format(&walk);
	translation->gpa = walk.gva;
	if (walk.format != NO_PAGING)
		ret = translate_paged(&walk, translation, fault);
	if (ret)
		return ret;
	return walk_physical(&walk, translation->gpa, access,
			     &translation->physical);
}

int svmrun_gva_to_gpa(const struct svmrun_vcpu *vcpu,
		      const struct svmrun_memory *memories, size_t memory_count,
		      uint64_t gva, uint32_t access, uint64_t *gpa,
		      struct svmrun_page_fault *fault)
{
	const struct svmrun_physical physical = {
		.memories = memories,
		.memory_count = memory_count,
	};
	struct svmrun_translation translation;
	int ret = svmrun_translate(vcpu, &physical, gva, access, &translation,
				   fault);

	if (!ret)
		*gpa = translation.gpa;
	return ret;
}
