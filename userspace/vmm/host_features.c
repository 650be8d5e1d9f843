// SPDX-License-Identifier: GPL-2.0
#include "host_features.h"
#include "lib/array_size.h"
#include "machine.h"
#include "processor.h"

enum reg { EAX, EBX, ECX, EDX };

/* Registers of CPUID that consist of features */
static const struct {
	uint32_t leaf;
	uint32_t subleaf;
	enum reg reg;
	const char *name;
} words[] = {
	{ 1, 0, ECX, "leaf 1, ECX" },
	{ 1, 0, EDX, "leaf 1, EDX" },
	{ 7, 0, EBX, "leaf 7, EBX" },
	{ 7, 0, ECX, "leaf 7, ECX" },
	{ 7, 0, EDX, "leaf 7, EDX" },
	{ 7, 1, EAX, "leaf 7.1, EAX" },
	{ 0xd, 0, EAX, "leaf 0xd, EAX" },
	{ 0xd, 1, EAX, "leaf 0xd.1, EAX" },
	{ 0x80000001, 0, ECX, "leaf 0x80000001, ECX" },
	{ 0x80000001, 0, EDX, "leaf 0x80000001, EDX" },
	{ 0x80000008, 0, EBX, "leaf 0x80000008, EBX" },
	{ 0x8000000a, 0, EDX, "leaf 0x8000000a, EDX" },
};
_Static_assert(ARRAY_SIZE(words) == HOST_FEATURES, "one name per word");

/* The guest's own settings, which some bits reflect, are not the host's features. */
void host_features_find(const struct machine *machine,
			struct host_features *features)
{
	struct cpuid_guest guest = processor_cpuid(&machine->cpus[0]);
	size_t i;

	guest.cr4 = 0;
	guest.has_apic = true;
	for (i = 0; i < HOST_FEATURES; i++) {
		struct cpuid c = cpuid_answer(&guest, words[i].leaf,
					      words[i].subleaf);
		const uint32_t registers[] = { c.eax, c.ebx, c.ecx, c.edx };

		features->words[i] = registers[words[i].reg];
	}
}

int host_features_missing(const struct host_features *wanted,
			  const struct host_features *has)
{
	int i;

	for (i = 0; i < HOST_FEATURES; i++)
		if (wanted->words[i] & ~has->words[i])
			return i;
	return -1;
}

const char *host_features_name(int word)
{
	return words[word].name;
}
