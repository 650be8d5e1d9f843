// SPDX-License-Identifier: LGPL-2.1-or-later
/* The PC: connects the devices to ports, addresses, interrupts and time */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <svmrun/acpi.h>
#include <svmrun/pc.h>

#include "lib/array_size.h"

#define PORT_FAST_A20 0x92
#define PORT_COPROCESSOR 0xf0 /* clear its error; reset it */
#define PORT_EXIT 0xf4
#define PORT_SAVE 0xf8 /* behind those of QEMU's isa-debug-exit */
#define PORT_DEBUG 0x402
#define PORT_DEBUG_BOCHS 0xe9 /* the same port, where Bochs has it */
#define DEBUG_PRESENT 0xe9 /* read by guests to detect either port */
#define A20_RESET 0x01
#define A20_ON 0x02
#define RESET_CPU 0x04 /* of port 0xcf9; the others say how, and are kept */
#define RESET_SYSTEM 0x02
#define RESET_FULL 0x08

#define ISA_IRQS 16
#define IRQ_TIMER 0
#define IRQ_KEYBOARD 1
#define IRQ_SERIAL 4
#define IRQ_CLOCK 8
#define IRQ_AUX 12
#define IRQ_COPROCESSOR 13
#define PIN_TIMER 2 /* pin of the I/O APIC, as in the MADT */

/* Memory sizes in CMOS: in KiB, or from 16 MiB or 4 GiB on in units of 64 KiB */
#define CMOS_BASE 0x15
#define CMOS_EXTENDED 0x17
#define CMOS_EXTENDED_2 0x30
#define CMOS_16M 0x34
#define CMOS_4G 0x5b
#define BASE_KIB 640

/**
 * struct ports - a range of ports
 * @first: the first port
 * @count: number of ports
 * @widest: bytes of the widest access that the device supports
 * @read: reads a port; NULL if the ports are write-only
 * @write: writes a port; NULL if the ports are read-only
 */
struct ports {
	uint16_t first;
	uint16_t count;
	unsigned int widest;
	uint32_t (*read)(struct svmrun_pc *pc, uint16_t port, unsigned int size,
			 uint64_t now);
	void (*write)(struct svmrun_pc *pc, uint16_t port, unsigned int size,
		      uint32_t value, uint64_t now);
};

/* ---- interrupts ---------------------------------------------------------- */

/* ISA interrupts are connected to both controllers; guests mask one of the two. */
static void set_isa_irq(void *owner, unsigned int irq, bool level)
{
	struct svmrun_pc *pc = owner;

	svmrun_pic_set(&pc->pic, irq, level);
	svmrun_ioapic_set(&pc->ioapic, irq == IRQ_TIMER ? PIN_TIMER : irq,
			  level);
}

static struct svmrun_line isa_line(struct svmrun_pc *pc, unsigned int irq)
{
	return (struct svmrun_line){ set_isa_irq, pc, irq };
}

/* The 8259s are connected to LINT0 of processor 0. */
static void set_extint(void *owner, unsigned int number, bool level)
{
	struct svmrun_pc *pc = owner;

	svmrun_lapic_set_extint(&pc->lapics[0], number, level);
}

static void wake_cpu(void *owner, unsigned int cpu)
{
	struct svmrun_pc *pc = owner;

	pc->owner.wake(pc->owner.owner, cpu);
}

static void forward_eoi(void *owner, uint8_t vector)
{
	struct svmrun_pc *pc = owner;

	svmrun_ioapic_eoi(&pc->ioapic, vector);
}

static uint64_t read_tsc(void *owner, unsigned int cpu)
{
	struct svmrun_pc *pc = owner;

	return pc->owner.tsc(pc->owner.owner, cpu);
}

static uint32_t read_tsc_khz(void *owner)
{
	struct svmrun_pc *pc = owner;

	return pc->owner.tsc_khz(pc->owner.owner);
}

bool svmrun_pc_interrupts(const struct svmrun_pc *pc, unsigned int cpu)
{
	const struct svmrun_lapic *lapic = &pc->lapics[cpu];

	return svmrun_lapic_extint(lapic) || svmrun_lapic_pending(lapic) >= 0;
}

static uint8_t acknowledge_extint(struct svmrun_pc *pc,
				  struct svmrun_lapic *lapic)
{
	uint8_t vector;

	svmrun_lapic_acknowledge_extint(lapic);
	vector = svmrun_pic_acknowledge(&pc->pic);
	if (vector == svmrun_pic_vector(&pc->pic, IRQ_TIMER))
		svmrun_pit_taken(&pc->pit);
	return vector;
}

bool svmrun_pc_sends_nmi(const struct svmrun_pc *pc)
{
	return svmrun_ioapic_sends_nmi(&pc->ioapic) ||
	       svmrun_lapic_sends_nmi(&pc->lapics[0]);
}

uint8_t svmrun_pc_acknowledge(struct svmrun_pc *pc, unsigned int cpu)
{
	struct svmrun_lapic *lapic = &pc->lapics[cpu];
	int vector;

	if (svmrun_lapic_extint(lapic))
		return acknowledge_extint(pc, lapic);
	vector = svmrun_lapic_pending(lapic);
	svmrun_lapic_acknowledge(lapic, vector);
	if (vector == svmrun_ioapic_vector(&pc->ioapic, PIN_TIMER))
		svmrun_pit_taken(&pc->pit);
	return vector;
}

/* An interrupt that is masked at both controllers is not missed. */
static void advance_pit(struct svmrun_pc *pc, uint64_t now)
{
	svmrun_pit_advance(&pc->pit, now);
	if (svmrun_pic_vector(&pc->pic, IRQ_TIMER) < 0 &&
	    svmrun_ioapic_vector(&pc->ioapic, PIN_TIMER) < 0)
		svmrun_pit_forget(&pc->pit);
}

/* ---- ports --------------------------------------------------------------- */

static void end_machine(struct svmrun_pc *pc, enum svmrun_pc_end why,
			uint32_t value)
{
	pc->owner.end(pc->owner.owner, why, value);
}

static void reset_machine(struct svmrun_pc *pc, uint16_t port)
{
	end_machine(pc, SVMRUN_PC_RESET, port);
}

/* S5 is the only sleep state. */
static void enter_sleep_state(void *owner, unsigned int slp_typ)
{
	if (slp_typ == SVMRUN_ACPI_S5)
		end_machine(owner, SVMRUN_PC_OFF, slp_typ);
}

static void send_serial_byte(void *owner, uint8_t byte)
{
	struct svmrun_pc *pc = owner;

	pc->owner.send(pc->owner.owner, byte);
}

static uint32_t uart_read(struct svmrun_pc *pc, uint16_t port,
			  unsigned int size, uint64_t now)
{
	return svmrun_uart_read(&pc->uart, port & 7);
}

static void uart_write(struct svmrun_pc *pc, uint16_t port, unsigned int size,
		       uint32_t value, uint64_t now)
{
	svmrun_uart_write(&pc->uart, port & 7, value);
}

static uint32_t pic_read(struct svmrun_pc *pc, uint16_t port, unsigned int size,
			 uint64_t now)
{
	return svmrun_pic_read(&pc->pic, port);
}

static void pic_write(struct svmrun_pc *pc, uint16_t port, unsigned int size,
		      uint32_t value, uint64_t now)
{
	svmrun_pic_write(&pc->pic, port, value);
}

static uint32_t pit_read(struct svmrun_pc *pc, uint16_t port, unsigned int size,
			 uint64_t now)
{
	return svmrun_pit_read(&pc->pit, port, now);
}

static void pit_write(struct svmrun_pc *pc, uint16_t port, unsigned int size,
		      uint32_t value, uint64_t now)
{
	svmrun_pit_write(&pc->pit, port, value, now);
}

static uint32_t rtc_read(struct svmrun_pc *pc, uint16_t port, unsigned int size,
			 uint64_t now)
{
	return svmrun_rtc_read(&pc->rtc, port, now);
}

static void rtc_write(struct svmrun_pc *pc, uint16_t port, unsigned int size,
		      uint32_t value, uint64_t now)
{
	svmrun_rtc_write(&pc->rtc, port, value, now);
}

static uint32_t pm_read(struct svmrun_pc *pc, uint16_t port, unsigned int size,
			uint64_t now)
{
	return svmrun_pm_read(&pc->pm, port - SVMRUN_PC_PM_PORT, size, now);
}

static void pm_write(struct svmrun_pc *pc, uint16_t port, unsigned int size,
		     uint32_t value, uint64_t now)
{
	svmrun_pm_write(&pc->pm, port - SVMRUN_PC_PM_PORT, size, value, now);
}

static uint32_t fwcfg_read(struct svmrun_pc *pc, uint16_t port,
			   unsigned int size, uint64_t now)
{
	return svmrun_fwcfg_read(&pc->fwcfg, port - SVMRUN_FWCFG_PORT, size);
}

static void fwcfg_write(struct svmrun_pc *pc, uint16_t port, unsigned int size,
			uint32_t value, uint64_t now)
{
	svmrun_fwcfg_write(&pc->fwcfg, port - SVMRUN_FWCFG_PORT, size, value);
}

/* One byte in the range is the reset control register, if it is accessed as a byte. */
static bool is_reset_control(uint16_t port, unsigned int size)
{
	return port == SVMRUN_ACPI_RESET_PORT && size == 1;
}

static void write_reset_control(struct svmrun_pc *pc, uint32_t value)
{
	pc->reset_control = value & (RESET_SYSTEM | RESET_FULL);
	if (value & RESET_CPU)
		reset_machine(pc, SVMRUN_ACPI_RESET_PORT);
}

static uint32_t pci_read(struct svmrun_pc *pc, uint16_t port, unsigned int size,
			 uint64_t now)
{
	if (is_reset_control(port, size))
		return pc->reset_control;
	return svmrun_pci_read(&pc->pci, port - SVMRUN_PCI_PORT, size);
}

static void pci_write(struct svmrun_pc *pc, uint16_t port, unsigned int size,
		      uint32_t value, uint64_t now)
{
	if (is_reset_control(port, size))
		write_reset_control(pc, value);
	else
		svmrun_pci_write(&pc->pci, port - SVMRUN_PCI_PORT, size, value);
}

static uint32_t debug_read(struct svmrun_pc *pc, uint16_t port,
			   unsigned int size, uint64_t now)
{
	return DEBUG_PRESENT;
}

static void debug_write(struct svmrun_pc *pc, uint16_t port, unsigned int size,
			uint32_t value, uint64_t now)
{
	pc->owner.debug(pc->owner.owner, value);
}

static void exit_write(struct svmrun_pc *pc, uint16_t port, unsigned int size,
		       uint32_t value, uint64_t now)
{
	end_machine(pc, SVMRUN_PC_EXIT, value);
}

static uint32_t save_read(struct svmrun_pc *pc, uint16_t port,
			  unsigned int size, uint64_t now)
{
	uint32_t number = pc->owner.resumed(pc->owner.owner);

	return size == 1 && number > UINT8_MAX ? UINT8_MAX : number;
}

static void save_write(struct svmrun_pc *pc, uint16_t port, unsigned int size,
		       uint32_t value, uint64_t now)
{
	pc->owner.save(pc->owner.owner);
}

static uint32_t a20_read(struct svmrun_pc *pc, uint16_t port, unsigned int size,
			 uint64_t now)
{
	return svmrun_i8042_a20(&pc->i8042) ? A20_ON : 0;
}

static void a20_write(struct svmrun_pc *pc, uint16_t port, unsigned int size,
		      uint32_t value, uint64_t now)
{
	svmrun_i8042_set_a20(&pc->i8042, value & A20_ON);
	if (value & A20_RESET)
		reset_machine(pc, port);
}

void svmrun_pc_coprocessor_error(struct svmrun_pc *pc)
{
	set_isa_irq(pc, IRQ_COPROCESSOR, true);
}

static void coprocessor_write(struct svmrun_pc *pc, uint16_t port,
			      unsigned int size, uint32_t value, uint64_t now)
{
	set_isa_irq(pc, IRQ_COPROCESSOR, false);
}

static void reset_by_i8042(void *owner)
{
	reset_machine(owner, SVMRUN_I8042_COMMAND);
}

static uint32_t i8042_read(struct svmrun_pc *pc, uint16_t port,
			   unsigned int size, uint64_t now)
{
	return svmrun_i8042_read(&pc->i8042, port);
}

static void i8042_write(struct svmrun_pc *pc, uint16_t port, unsigned int size,
			uint32_t value, uint64_t now)
{
	svmrun_i8042_write(&pc->i8042, port, value);
}

static uint32_t testdev_read(struct svmrun_pc *pc, uint16_t port,
			     unsigned int size, uint64_t now)
{
	return svmrun_testdev_in(pc->testdev, port);
}

static void testdev_write(struct svmrun_pc *pc, uint16_t port,
			  unsigned int size, uint32_t value, uint64_t now)
{
	svmrun_testdev_out(pc->testdev, port, size, value);
}

static const struct ports port_table[] = {
	{ 0x3f8, 8, 1, uart_read, uart_write },
	{ 0x20, 2, 1, pic_read, pic_write },
	{ 0xa0, 2, 1, pic_read, pic_write },
	{ 0x4d0, 2, 1, pic_read, pic_write },
	{ 0x40, 4, 1, pit_read, pit_write },
	{ 0x61, 1, 1, pit_read, pit_write },
	{ 0x70, 2, 1, rtc_read, rtc_write },
	{ SVMRUN_PC_PM_PORT, SVMRUN_PM_PORTS, 4, pm_read, pm_write },
	{ SVMRUN_PCI_PORT, SVMRUN_PCI_PORTS, 4, pci_read, pci_write },
	{ SVMRUN_FWCFG_PORT, SVMRUN_FWCFG_PORTS, 2, fwcfg_read, fwcfg_write },
	{ PORT_DEBUG, 1, 1, debug_read, debug_write },
	{ PORT_DEBUG_BOCHS, 1, 1, debug_read, debug_write },
	{ PORT_EXIT, 1, 4, NULL, exit_write },
	{ PORT_FAST_A20, 1, 1, a20_read, a20_write },
	{ PORT_COPROCESSOR, 2, 1, NULL, coprocessor_write },
	{ SVMRUN_I8042_DATA, 1, 1, i8042_read, i8042_write },
	{ SVMRUN_I8042_COMMAND, 1, 1, i8042_read, i8042_write },
};

/* These come before those of the other table. */
static const struct ports testdev_table[] = {
	{ 0xe0, 4, 1, testdev_read, testdev_write },
	{ 0xe4, 4, 4, NULL, testdev_write },
	{ 0xe8, 4, 1, testdev_read, testdev_write },
	{ 0x2000, SVMRUN_TESTDEV_IRQS, 1, NULL, testdev_write },
};

/* Present if the owner can save the machine */
static const struct ports save_table[] = {
	{ PORT_SAVE, 1, 4, save_read, save_write },
};

static const struct ports *find_in_table(const struct ports *table,
					 size_t count, uint16_t port)
{
	size_t i;

	for (i = 0; i < count; i++)
		if ((uint16_t)(port - table[i].first) < table[i].count)
			return &table[i];
	return NULL;
}

static const struct ports *find_ports(const struct svmrun_pc *pc, uint16_t port)
{
	const struct ports *found = NULL;

	if (pc->testdev)
		found = find_in_table(testdev_table, ARRAY_SIZE(testdev_table),
				      port);
	if (!found && pc->owner.save)
		found = find_in_table(save_table, ARRAY_SIZE(save_table), port);
	return found ? found :
		       find_in_table(port_table, ARRAY_SIZE(port_table), port);
}

static bool is_one_access(const struct ports *ports, unsigned int size)
{
	return size == 1 || (ports && size <= ports->widest);
}

static uint32_t read_one_access(struct svmrun_pc *pc, const struct ports *ports,
				uint16_t port, unsigned int size, uint64_t now)
{
	if (ports && ports->read)
		return ports->read(pc, port, size, now);
	pc->unclaimed += size;
	return UINT32_MAX >> (32 - 8 * size);
}

static void write_one_access(struct svmrun_pc *pc, const struct ports *ports,
			     uint16_t port, unsigned int size, uint32_t value,
			     uint64_t now)
{
	if (ports && ports->write)
		ports->write(pc, port, size, value, now);
	else
		pc->unclaimed += size;
}

/* The bus splits accesses that are wider than the device supports into single bytes. */
static uint32_t port_read(struct svmrun_pc *pc, uint16_t port,
			  unsigned int size, uint64_t now)
{
	const struct ports *ports = find_ports(pc, port);
	uint32_t value = 0;
	unsigned int i;

	if (is_one_access(ports, size))
		return read_one_access(pc, ports, port, size, now);
	for (i = 0; i < size; i++, port++)
		value |= read_one_access(pc, find_ports(pc, port), port, 1, now)
			 << (8 * i);
	return value;
}

static void port_write(struct svmrun_pc *pc, uint16_t port, unsigned int size,
		       uint32_t value, uint64_t now)
{
	const struct ports *ports = find_ports(pc, port);
	unsigned int i;

	if (is_one_access(ports, size)) {
		write_one_access(pc, ports, port, size, value, now);
		return;
	}
	for (i = 0; i < size; i++, port++)
		write_one_access(pc, find_ports(pc, port), port, 1,
				 (uint8_t)(value >> (8 * i)), now);
}

static uint64_t min_time(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Deadline of the timers that belong to no processor, which processor 0 serves */
static uint64_t timers_deadline(const struct svmrun_pc *pc)
{
	uint64_t first = svmrun_pit_deadline(&pc->pit);

	first = min_time(first, svmrun_rtc_deadline(&pc->rtc));
	return min_time(first, svmrun_pm_deadline(&pc->pm));
}

/* Wake processor 0, which may wait for a later deadline, if there is an earlier one. */
static void wake_timer_cpu(struct svmrun_pc *pc, uint64_t before)
{
	if (timers_deadline(pc) < before)
		wake_cpu(pc, 0);
}

uint32_t svmrun_pc_port_read(struct svmrun_pc *pc, uint16_t port,
			     unsigned int size, uint64_t now)
{
	uint64_t before = timers_deadline(pc);
	uint32_t value = port_read(pc, port, size, now);

	wake_timer_cpu(pc, before);
	return value;
}

void svmrun_pc_port_write(struct svmrun_pc *pc, uint16_t port,
			  unsigned int size, uint32_t value, uint64_t now)
{
	uint64_t before = timers_deadline(pc);

	port_write(pc, port, size, value, now);
	wake_timer_cpu(pc, before);
}

/* ---- memory -------------------------------------------------------------- */

static bool is_ioapic(uint64_t gpa)
{
	return gpa - SVMRUN_IOAPIC_GPA < SVMRUN_IOAPIC_SIZE;
}

/* Return the virtio device at an address, or NULL. */
static struct svmrun_virtio *virtio_at(const struct svmrun_pc *pc, uint64_t gpa)
{
	uint64_t number = (gpa - SVMRUN_PC_VIRTIO_GPA) / SVMRUN_VIRTIO_SIZE;

	return gpa >= SVMRUN_PC_VIRTIO_GPA && number < pc->virtio_count ?
		       pc->virtio[number] :
		       NULL;
}

static bool is_testdev(const struct svmrun_pc *pc, uint64_t gpa)
{
	return pc->testdev && gpa - SVMRUN_TESTDEV_GPA < SVMRUN_TESTDEV_SIZE;
}

bool svmrun_pc_has(const struct svmrun_pc *pc, unsigned int cpu, uint64_t gpa)
{
	return svmrun_lapic_is_at(&pc->lapics[cpu], gpa) || is_ioapic(gpa) ||
	       virtio_at(pc, gpa) || is_testdev(pc, gpa);
}

uint64_t svmrun_pc_mmio_read(struct svmrun_pc *pc, unsigned int cpu,
			     uint64_t gpa, unsigned int size, uint64_t now)
{
	const struct svmrun_virtio *virtio = virtio_at(pc, gpa);

	if (svmrun_lapic_is_at(&pc->lapics[cpu], gpa))
		return svmrun_lapic_read(&pc->lapics[cpu], gpa & 0xfff, now);
	if (is_ioapic(gpa))
		return svmrun_ioapic_read(&pc->ioapic, gpa & 0xfff);
	if (virtio)
		return svmrun_virtio_read(virtio, gpa % SVMRUN_VIRTIO_SIZE,
					  size);
	if (is_testdev(pc, gpa))
		return svmrun_testdev_read(pc->testdev,
					   gpa - SVMRUN_TESTDEV_GPA, size);
	return UINT64_MAX;
}

void svmrun_pc_mmio_write(struct svmrun_pc *pc, unsigned int cpu, uint64_t gpa,
			  unsigned int size, uint64_t value, uint64_t now)
{
	struct svmrun_virtio *virtio = virtio_at(pc, gpa);

	if (svmrun_lapic_is_at(&pc->lapics[cpu], gpa))
		svmrun_lapic_write(&pc->lapics[cpu], gpa & 0xfff, value, now);
	else if (is_ioapic(gpa))
		svmrun_ioapic_write(&pc->ioapic, gpa & 0xfff, value);
	else if (virtio)
		svmrun_virtio_write(virtio, gpa % SVMRUN_VIRTIO_SIZE, size,
				    value);
	else if (is_testdev(pc, gpa))
		svmrun_testdev_write(pc->testdev, gpa - SVMRUN_TESTDEV_GPA,
				     size, value);
}

/* ---- time ---------------------------------------------------------------- */

uint64_t svmrun_pc_deadline(const struct svmrun_pc *pc, unsigned int cpu)
{
	uint64_t first = svmrun_lapic_deadline(&pc->lapics[cpu]);

	return cpu ? first : min_time(first, timers_deadline(pc));
}

void svmrun_pc_advance(struct svmrun_pc *pc, unsigned int cpu, uint64_t now)
{
	if (svmrun_pc_deadline(pc, cpu) > now)
		return;
	svmrun_lapic_advance(&pc->lapics[cpu], now);
	if (cpu)
		return;
	advance_pit(pc, now);
	svmrun_rtc_advance(&pc->rtc, now);
	svmrun_pm_advance(&pc->pm, now);
}

/* ---- initialization ------------------------------------------------------ */

static void init_apics(struct svmrun_pc *pc)
{
	const struct svmrun_apics_owner owner = {
		.wake = wake_cpu,
		.tsc = pc->owner.tsc ? read_tsc : NULL,
		.tsc_khz = read_tsc_khz,
		.eoi = forward_eoi,
		.owner = pc,
	};

	svmrun_apics_init(&pc->apics, pc->lapics, pc->cpus, &owner);
	svmrun_ioapic_init(&pc->ioapic, &pc->apics);
}

/* Initialize the devices of which nothing survives a reset. */
static void init_devices(struct svmrun_pc *pc, uint64_t now)
{
	init_apics(pc);
	svmrun_pic_init(&pc->pic, (struct svmrun_line){ set_extint, pc, 0 });
	svmrun_pit_init(&pc->pit, isa_line(pc, IRQ_TIMER), now);
	svmrun_uart_init(&pc->uart, isa_line(pc, IRQ_SERIAL), send_serial_byte,
			 pc);
	svmrun_pm_init(&pc->pm, isa_line(pc, SVMRUN_ACPI_SCI),
		       enter_sleep_state, pc, now);
	svmrun_i8042_init(&pc->i8042, isa_line(pc, IRQ_KEYBOARD),
			  isa_line(pc, IRQ_AUX), reset_by_i8042, pc);
	pc->pci = (struct svmrun_pci){ 0 };
	pc->reset_control = 0;
}

void svmrun_pc_init(struct svmrun_pc *pc, unsigned int cpus,
		    const struct svmrun_pc_owner *owner, int64_t unix_seconds,
		    uint64_t now)
{
	*pc = (struct svmrun_pc){ .owner = *owner, .cpus = cpus };
	init_devices(pc, now);
	svmrun_rtc_init(&pc->rtc, isa_line(pc, IRQ_CLOCK), unix_seconds, now);
	svmrun_fwcfg_init(&pc->fwcfg);
}

void svmrun_pc_reset(struct svmrun_pc *pc, uint64_t now)
{
	unsigned int i;

	init_devices(pc, now);
	svmrun_rtc_reset(&pc->rtc, now);
	svmrun_fwcfg_reset(&pc->fwcfg);
	for (i = 0; i < pc->virtio_count; i++)
		svmrun_virtio_reset(pc->virtio[i]);
	if (pc->testdev)
		svmrun_testdev_reset(pc->testdev);
}

int svmrun_pc_attach(struct svmrun_pc *pc, struct svmrun_virtio *virtio)
{
	unsigned int number = pc->virtio_count;

	if (number == SVMRUN_PC_VIRTIO_MAX)
		return -ENOSPC;
	virtio->line = (struct svmrun_line){
		.set = svmrun_ioapic_set,
		.owner = &pc->ioapic,
		.number = SVMRUN_PC_VIRTIO_PIN + number,
	};
	pc->virtio[number] = virtio;
	pc->virtio_count++;
	return 0;
}

/* Lines of ISA are also connected to the 8259s. */
static void set_interrupt_line(void *owner, unsigned int number, bool level)
{
	struct svmrun_pc *pc = owner;

	if (number < ISA_IRQS)
		set_isa_irq(pc, number, level);
	else
		svmrun_ioapic_set(&pc->ioapic, number, level);
}

void svmrun_pc_attach_testdev(struct svmrun_pc *pc,
			      struct svmrun_testdev *testdev)
{
	testdev->irq = (struct svmrun_line){ set_interrupt_line, pc, 0 };
	pc->testdev = testdev;
}

static void set_cmos_word(struct svmrun_pc *pc, uint8_t index, uint64_t value)
{
	if (value > UINT16_MAX)
		value = UINT16_MAX;
	svmrun_rtc_set_cmos(&pc->rtc, index, value);
	svmrun_rtc_set_cmos(&pc->rtc, index + 1, value >> 8);
}

static uint64_t size_above(uint64_t size, uint64_t start)
{
	return size > start ? size - start : 0;
}

void svmrun_pc_memory(struct svmrun_pc *pc, uint64_t low, uint64_t high)
{
	set_cmos_word(pc, CMOS_BASE, BASE_KIB);
	set_cmos_word(pc, CMOS_EXTENDED, size_above(low, 1 << 20) >> 10);
	set_cmos_word(pc, CMOS_EXTENDED_2, size_above(low, 1 << 20) >> 10);
	set_cmos_word(pc, CMOS_16M, size_above(low, 16 << 20) >> 16);
	set_cmos_word(pc, CMOS_4G,
		      high >> 16 & UINT16_MAX); /* the third byte follows */
	svmrun_rtc_set_cmos(&pc->rtc, CMOS_4G + 2, high >> 32);
}

/* ---- state --------------------------------------------------------------- */

#define STATE_VERSION 1

static const struct svmrun_state_member pc_members[] = {
	SVMRUN_STATE_MEMBER(struct svmrun_pc, unclaimed),
	SVMRUN_STATE_MEMBER(struct svmrun_pc, reset_control),
};

/* Parts that a PC must have in the same number as the one that was saved */
struct pc_parts {
	uint32_t cpus;
	uint32_t virtio_count;
	uint32_t has_testdev;
};

static struct pc_parts pc_parts(const struct svmrun_pc *pc)
{
	return (struct pc_parts){
		.cpus = pc->cpus,
		.virtio_count = pc->virtio_count,
		.has_testdev = !!pc->testdev,
	};
}

int svmrun_pc_save(const struct svmrun_pc *pc, struct svmrun_state *state)
{
	const struct pc_parts parts = pc_parts(pc);

	svmrun_state_begin(state, SVMRUN_STATE_PC, STATE_VERSION);
	svmrun_state_put(state, &parts, sizeof(parts));
	svmrun_state_put_members(state, pc, pc_members, ARRAY_SIZE(pc_members));
	svmrun_state_end(state);
	svmrun_uart_save(&pc->uart, state);
	svmrun_pic_save(&pc->pic, state);
	svmrun_pit_save(&pc->pit, state);
	svmrun_rtc_save(&pc->rtc, state);
	svmrun_pm_save(&pc->pm, state);
	svmrun_fwcfg_save(&pc->fwcfg, state);
	svmrun_pci_save(&pc->pci, state);
	svmrun_apics_save(&pc->apics, state);
	svmrun_ioapic_save(&pc->ioapic, state);
	return svmrun_i8042_save(&pc->i8042, state);
}

static void load_pc_record(struct svmrun_pc *pc, struct svmrun_state *state)
{
	const struct pc_parts parts = pc_parts(pc);
	struct pc_parts saved;

	svmrun_state_open(state, SVMRUN_STATE_PC, STATE_VERSION);
	svmrun_state_get(state, &saved, sizeof(saved));
	svmrun_state_get_members(state, pc, pc_members, ARRAY_SIZE(pc_members));
	svmrun_state_close(state, !memcmp(&saved, &parts, sizeof(parts)));
}

int svmrun_pc_load(struct svmrun_pc *pc, struct svmrun_state *state,
		   uint64_t now)
{
	load_pc_record(pc, state);
	svmrun_uart_load(&pc->uart, state);
	svmrun_pic_load(&pc->pic, state);
	svmrun_pit_load(&pc->pit, state);
	svmrun_rtc_load(&pc->rtc, state, now);
	svmrun_pm_load(&pc->pm, state, now);
	svmrun_fwcfg_load(&pc->fwcfg, state);
	svmrun_pci_load(&pc->pci, state);
	svmrun_apics_load(&pc->apics, state);
	svmrun_ioapic_load(&pc->ioapic, state);
	return svmrun_i8042_load(&pc->i8042, state);
}
