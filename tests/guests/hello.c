// SPDX-License-Identifier: GPL-2.0
/* Print a greeting and what the guest sees of its machine. */
#include "guest.h"

/* An unused port: reads return all ones, as on a bus without a device. */
#define UNUSED_PORT 0x2f0

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static struct cpuid cpuid(uint32_t leaf)
{
	struct cpuid id;

	asm volatile("cpuid"
		     : "=a"(id.eax), "=b"(id.ebx), "=c"(id.ecx), "=d"(id.edx)
		     : "a"(leaf), "c"(0));
	return id;
}

static void put_register(uint32_t value)
{
	for (int i = 0; i < 4; i++, value >>= 8)
		if (value & 0xff)
			serial_putc(value & 0xff);
}

static void put_vendor(uint32_t leaf)
{
	struct cpuid id = cpuid(leaf);
	int hypervisor = leaf >> 28 == 4;

	put_register(id.ebx);
	put_register(hypervisor ? id.ecx : id.edx);
	put_register(hypervisor ? id.edx : id.ecx);
}

static void put_brand(void)
{
	for (uint32_t leaf = 0x80000002; leaf <= 0x80000004; leaf++) {
		struct cpuid id = cpuid(leaf);

		put_register(id.eax);
		put_register(id.ebx);
		put_register(id.ecx);
		put_register(id.edx);
	}
}

int main(void)
{
	serial_puts("Hello from a guest in 64-bit mode.\n");
	serial_puts("Processor:  ");
	put_vendor(0);
	serial_puts(", ");
	put_brand();
	serial_puts("\nHypervisor: ");
	put_vendor(0x40000000);
	serial_puts("\n");
	if (in8(UNUSED_PORT) != 0xff)
		return 1;
	return 0;
}
