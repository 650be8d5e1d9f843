// SPDX-License-Identifier: GPL-2.0
/*
 * Try to hold the machine. A letter on the serial port selects how; see main(). Most of
 * these never end by themselves.
 */
#include "descriptors.h"
#include "guest.h"

#define COM1 0x3f8
#define COM1_LINE_STATUS (COM1 + 5)
#define LINE_STATUS_DATA 1

/* Local APIC and PIT */
#define APIC 0xfee00000
#define APIC_EOI 0x0b0
#define APIC_SPURIOUS 0x0f0
#define APIC_ICR 0x300
#define APIC_TIMER 0x320
#define APIC_LINT0 0x350
#define APIC_INITIAL 0x380
#define APIC_DIVIDE 0x3e0
#define PERIODIC (1 << 17)
#define MASKED (1 << 16)
#define TIMER_VECTOR 0x40
#define PIT_CONTROL 0x43
#define PIT_COUNTER 0x40

/* The first disk (Virtual I/O Device 1.2, 4.2.2, 5.2) */
#define DISK 0xd0000000
#define DRIVER_FEATURES 0x020
#define DRIVER_FEATURES_SEL 0x024
#define QUEUE_SEL 0x030
#define QUEUE_NUM 0x038
#define QUEUE_READY 0x044
#define QUEUE_NOTIFY 0x050
#define STATUS 0x070
#define QUEUE_DESC 0x080
#define QUEUE_DRIVER 0x090
#define QUEUE_DEVICE 0x0a0

#define ENTRIES 128
#define SECTOR 512
#define NEXT 1
#define WRITE 2
#define READ_SECTORS 0
#define WRITE_SECTORS 1
#define UNKNOWN 3

#define LARGE_AT 0x1000000ul
#define LARGE_SIZE (4u << 20)
#define LARGE_BUFFERS 126

static struct {
	uint64_t gpa;
	uint32_t size;
	uint16_t flags;
	uint16_t next;
} table[ENTRIES] __attribute__((aligned(16)));

static struct {
	uint16_t flags;
	uint16_t index;
	uint16_t ring[ENTRIES];
} available __attribute__((aligned(4)));

static volatile struct {
	uint16_t flags;
	uint16_t index;
	uint32_t ring[2 * ENTRIES];
} used __attribute__((aligned(4)));

static struct {
	uint32_t type;
	uint32_t reserved;
	uint64_t sector;
} header;

static uint8_t sector[SECTOR];
static volatile uint8_t status;

static void write32(uint64_t at, uint32_t value)
{
	*(volatile uint32_t *)at = value;
}

static void disk_set(unsigned int offset, uint64_t value)
{
	write32(DISK + offset, value);
}

static void disk_set_address(unsigned int offset, volatile void *at)
{
	disk_set(offset, (uintptr_t)at);
	disk_set(offset + 4, (uintptr_t)at >> 32);
}

static void begin_disk(void)
{
	disk_set(STATUS, 0);
	disk_set(DRIVER_FEATURES_SEL, 1);
	disk_set(DRIVER_FEATURES, 1);
	disk_set(STATUS, 0x0b);
	available.index = 0;
	used.index = 0;
	disk_set(QUEUE_SEL, 0);
	disk_set(QUEUE_NUM, ENTRIES);
	disk_set_address(QUEUE_DESC, table);
	disk_set_address(QUEUE_DRIVER, &available);
	disk_set_address(QUEUE_DEVICE, &used);
	disk_set(QUEUE_READY, 1);
	disk_set(STATUS, 0x0f);
}

static void describe(unsigned int number, volatile void *at, uint32_t size,
		     uint16_t flags)
{
	table[number].gpa = (uintptr_t)at;
	table[number].size = size;
	table[number].flags = flags;
	table[number].next = number + 1;
}

/* Describe a request of one sector, which all entries of the ring refer to. */
static void describe_request(uint32_t type)
{
	header.type = type;
	header.sector = 1;
	describe(0, &header, sizeof(header), NEXT);
	describe(1, sector, SECTOR, NEXT | (type == READ_SECTORS ? WRITE : 0));
	describe(2, &status, 1, WRITE);
}

/* Fill all entries that the disk has used, and notify it. */
static void refill(void)
{
	available.index = used.index + ENTRIES;
	asm volatile("" : : : "memory");
	disk_set(QUEUE_NOTIFY, 0);
}

/* ---- disks ----------------------------------------------------------------- */

static void refill_reads(void)
{
	begin_disk();
	describe_request(READ_SECTORS);
	for (;;)
		refill();
}

static void refill_errors(void)
{
	begin_disk();
	describe_request(UNKNOWN);
	for (;;)
		refill();
}

/* Read into as many and as large buffers as the queue permits, all at one address. */
static void read_large(void)
{
	begin_disk();
	header.type = READ_SECTORS;
	describe(0, &header, sizeof(header), NEXT);
	for (unsigned int i = 1; i <= LARGE_BUFFERS; i++)
		describe(i, (void *)LARGE_AT, LARGE_SIZE, NEXT | WRITE);
	describe(LARGE_BUFFERS + 1, &status, 1, WRITE);
	for (;;)
		refill();
}

/* Do something else during a request. */
static int leave_read_in_progress(void)
{
	begin_disk();
	describe_request(READ_SECTORS);
	refill();
	return 3;
}

static void reset_busy_disk(void)
{
	for (;;) {
		begin_disk();
		describe_request(READ_SECTORS);
		refill();
	}
}

/* Leave a write in progress at the end of the run. */
static void halt_during_write(void)
{
	begin_disk();
	describe_request(WRITE_SECTORS);
	memset(sector, 'w', SECTOR);
	available.index = 1;
	asm volatile("" : : : "memory");
	disk_set(QUEUE_NOTIFY, 0);
}

/* ---- timers ---------------------------------------------------------------- */

static volatile uint64_t interrupts;

static __attribute__((interrupt)) void on_timer(struct frame *frame)
{
	(void)frame;
	interrupts++;
	write32(APIC + APIC_EOI, 0);
}

/* Interrupts load CS and SS from the GDT, but the guest was started without one. */
static void load_tables(void)
{
	for (unsigned int i = 32; i < 256; i++)
		set_gate(i, on_timer);
	load_descriptor_tables();
}

/* Let all timers expire as often as they can, with a handler for the interrupts. */
static void program_timers(void)
{
	load_tables();
	write32(APIC + APIC_SPURIOUS, 0x1ff);
	write32(APIC + APIC_LINT0, MASKED);
	write32(APIC + APIC_DIVIDE, 0xb);
	write32(APIC + APIC_TIMER, PERIODIC | TIMER_VECTOR);
	write32(APIC + APIC_INITIAL, 1);
	out8(PIT_CONTROL, 0x34); /* counter 0, rate generator */
	out8(PIT_COUNTER, 2);
	out8(PIT_COUNTER, 0);
	for (;;)
		asm volatile("sti; hlt");
}

static void spin_with_timers(void)
{
	asm volatile("cli");
	write32(APIC + APIC_SPURIOUS, 0x1ff);
	write32(APIC + APIC_DIVIDE, 0xb);
	write32(APIC + APIC_TIMER, PERIODIC | TIMER_VECTOR);
	write32(APIC + APIC_INITIAL, 1);
	for (;;)
		asm volatile("pause");
}

/* ---- other processors ------------------------------------------------------ */

/* mov dx, 0x3f8; mov cx, 0xf000; rep outsb; jmp to the mov cx */
static const uint8_t flood[] = { 0xba, 0xf8, 0x03, 0xb9, 0x00,
				 0xf0, 0xf3, 0x6e, 0xeb, 0xf9 };

/* in al, 0x80; jmp to the in */
static const uint8_t exits[] = { 0xe4, 0x80, 0xeb, 0xfc };

/* Run real-mode code on all other processors. */
static void start_others(const void *code, size_t size)
{
	memcpy((void *)0x8000, code, size);
	write32(APIC + APIC_ICR, 0xc4500);
	write32(APIC + APIC_ICR, 0xc4608);
}

static void exit_on_all(void)
{
	start_others(exits, sizeof(exits));
	for (;;)
		in8(0x80);
}

/* Let the other processor print for ever, and go on alone. */
static int flood_on_another(void)
{
	start_others(flood, sizeof(flood));
	for (unsigned int i = 0; i < 30000; i++)
		in8(0x80);
	return 3;
}

int main(void)
{
	while (!(in8(COM1_LINE_STATUS) & LINE_STATUS_DATA))
		;
	switch (in8(COM1)) {
	case 'r':
		refill_reads();
		break;
	case 'e':
		refill_errors();
		break;
	case 'l':
		read_large();
		break;
	case 'd':
		return leave_read_in_progress();
	case 'x':
		reset_busy_disk();
		break;
	case 'w':
		halt_during_write();
		break;
	case 't':
		program_timers();
		break;
	case 's':
		spin_with_timers();
		break;
	case 'p':
		exit_on_all();
		break;
	case 'f':
		return flood_on_another();
	}
	return 0;
}
