// SPDX-License-Identifier: LGPL-2.1-or-later
/* Registers of the local APIC, by memory (xAPIC) and by MSR (x2APIC); initialization */
#include <stddef.h>

#include "lapic_internal.h"
#include "lib/x86.h"

/* Register numbers: the offset in the page / 16, or the MSR number - 0x800 */
enum {
	REG_ID = 0x02,
	REG_VERSION = 0x03,
	REG_TPR = 0x08,
	REG_APR = 0x09,
	REG_PPR = 0x0a,
	REG_EOI = 0x0b,
	REG_REMOTE_READ = 0x0c,
	REG_LDR = 0x0d,
	REG_DFR = 0x0e,
	REG_SVR = 0x0f,
	REG_ISR = 0x10,
	REG_TMR = 0x18,
	REG_IRR = 0x20,
	REG_ESR = 0x28,
	REG_ICR = 0x30,
	REG_ICR_HIGH = 0x31,
	REG_LVT = 0x32,
	REG_LVT_LAST = 0x37,
	REG_INITIAL_COUNT = 0x38,
	REG_CURRENT_COUNT = 0x39,
	REG_DIVIDE = 0x3e,
	REG_SELF_IPI = 0x3f,
	REG_COUNT
};

#define VERSION_VALUE (0x14 | (LVT_ENTRIES - 1) << 16)

static uint32_t read_id(const struct svmrun_lapic *lapic,
			const struct lapic_access *access)
{
	return lapic_is_x2apic(lapic) ? lapic->id : lapic->id << 24;
}

static uint32_t read_version(const struct svmrun_lapic *lapic,
			     const struct lapic_access *access)
{
	return VERSION_VALUE;
}

static uint32_t read_tpr(const struct svmrun_lapic *lapic,
			 const struct lapic_access *access)
{
	return lapic->tpr;
}

static void write_tpr(struct svmrun_lapic *lapic,
		      const struct lapic_access *access)
{
	lapic->tpr = access->value & 0xff;
}

static uint32_t read_ppr(const struct svmrun_lapic *lapic,
			 const struct lapic_access *access)
{
	return lapic_processor_priority(lapic);
}

static void write_eoi(struct svmrun_lapic *lapic,
		      const struct lapic_access *access)
{
	const struct svmrun_apics_owner *owner = &lapic->apics->owner;
	int vector = find_highest_vector(lapic->isr);

	if (vector < 0)
		return;
	apic_assign_vector(lapic->isr, vector, false);
	if (!apic_test_vector(lapic->tmr, vector))
		return;
	lapic_end_lint(lapic, 0, vector);
	lapic_end_lint(lapic, 1, vector);
	if (owner->eoi)
		owner->eoi(owner->owner, vector);
}

static uint32_t read_ldr(const struct svmrun_lapic *lapic,
			 const struct lapic_access *access)
{
	return lapic_is_x2apic(lapic) ? lapic_x2apic_ldr(lapic) : lapic->ldr;
}

static void write_ldr(struct svmrun_lapic *lapic,
		      const struct lapic_access *access)
{
	lapic->ldr = access->value & 0xff000000;
}

static uint32_t read_dfr(const struct svmrun_lapic *lapic,
			 const struct lapic_access *access)
{
	return lapic->dfr;
}

static void write_dfr(struct svmrun_lapic *lapic,
		      const struct lapic_access *access)
{
	lapic->dfr = access->value | 0x0fffffff;
}

static uint32_t read_svr(const struct svmrun_lapic *lapic,
			 const struct lapic_access *access)
{
	return lapic->svr;
}

/* A software-disabled APIC keeps its requests, but masks its own sources (APM 16.4.7). */
static void write_svr(struct svmrun_lapic *lapic,
		      const struct lapic_access *access)
{
	lapic->svr = access->value & SVR_BITS;
	if (lapic_is_software_enabled(lapic))
		return;
	for (unsigned int i = 0; i < LVT_ENTRIES; i++)
		lapic->lvt[i] |= LVT_MASKED;
}

static uint32_t read_vectors(const struct svmrun_lapic *lapic,
			     const struct lapic_access *access)
{
	if (access->reg < REG_TMR)
		return lapic->isr[access->reg - REG_ISR];
	if (access->reg < REG_IRR)
		return lapic->tmr[access->reg - REG_TMR];
	return lapic->irr[access->reg - REG_IRR];
}

static uint32_t read_esr(const struct svmrun_lapic *lapic,
			 const struct lapic_access *access)
{
	return lapic->esr;
}

static void write_esr(struct svmrun_lapic *lapic,
		      const struct lapic_access *access)
{
	lapic->esr = lapic->errors;
	lapic->errors = 0;
}

static uint32_t read_icr(const struct svmrun_lapic *lapic,
			 const struct lapic_access *access)
{
	return access->reg == REG_ICR ? lapic->icr : lapic->icr >> 32;
}

static void write_icr(struct svmrun_lapic *lapic,
		      const struct lapic_access *access)
{
	uint32_t high = lapic->icr >> 32;
	uint32_t low = lapic->icr;

	if (access->reg == REG_ICR)
		low = access->value & ICR_BITS & ~ICR_STATUS;
	else
		high = access->value & ICR_DESTINATION;
	lapic->icr = (uint64_t)high << 32 | low;
	if (access->reg == REG_ICR)
		lapic_send_ipi(lapic);
}

static uint32_t read_lvt(const struct svmrun_lapic *lapic,
			 const struct lapic_access *access)
{
	return lapic->lvt[access->reg - REG_LVT];
}

static uint32_t lvt_bits(const struct svmrun_lapic *lapic, unsigned int number);

static void store_lvt(struct svmrun_lapic *lapic, unsigned int number,
		      uint32_t value)
{
	uint32_t *entry = &lapic->lvt[number];

	value &= lvt_bits(lapic, number) & ~LVT_READ_ONLY;
	*entry = value | (*entry & LVT_REMOTE_IRR);
	if (!lvt_is_level(*entry))
		*entry &= ~LVT_REMOTE_IRR;
	if (!lapic_is_software_enabled(lapic))
		*entry |= LVT_MASKED;
}

/* A change to or from TSC-deadline mode disarms the timer. */
static void write_timer(struct svmrun_lapic *lapic,
			const struct lapic_access *access)
{
	unsigned int old = lapic_timer_mode(lapic->lvt[LVT_TIMER]);
	unsigned int new;

	svmrun_lapic_advance(lapic, access->now);
	store_lvt(lapic, LVT_TIMER, access->value);
	new = lapic_timer_mode(lapic->lvt[LVT_TIMER]);
	if (old != new && (old | new) & TIMER_DEADLINE)
		lapic_timer_disarm(lapic);
}

static void write_lvt(struct svmrun_lapic *lapic,
		      const struct lapic_access *access)
{
	unsigned int number = access->reg - REG_LVT;
	bool is_pin = number == LVT_LINT0 || number == LVT_LINT1;

	store_lvt(lapic, number, access->value);
	if (is_pin && lapic->lint[number - LVT_LINT0] &&
	    lvt_is_level(lapic->lvt[number]))
		lapic_raise_lvt(lapic, number);
}

static void write_self_ipi(struct svmrun_lapic *lapic,
			   const struct lapic_access *access)
{
	lapic_accept(lapic, SVMRUN_APIC_FIXED, access->value, false);
}

#define IN_XAPIC 1
#define IN_X2APIC 2
#define IN_BOTH (IN_XAPIC | IN_X2APIC)

/* @bits: bits that can be written by MSR; any other causes #GP */
struct lapic_register {
	uint8_t modes;
	uint32_t bits;
	uint32_t (*read)(const struct svmrun_lapic *lapic,
			 const struct lapic_access *access);
	void (*write)(struct svmrun_lapic *lapic,
		      const struct lapic_access *access);
};

/* APR and the remote read register exist, but always read as 0. */
static const struct lapic_register registers[REG_COUNT] = {
	[REG_ID] = { IN_BOTH, 0, read_id, NULL },
	[REG_VERSION] = { IN_BOTH, 0, read_version, NULL },
	[REG_TPR] = { IN_BOTH, 0xff, read_tpr, write_tpr },
	[REG_APR] = { IN_XAPIC, 0, NULL, NULL },
	[REG_PPR] = { IN_BOTH, 0, read_ppr, NULL },
	[REG_EOI] = { IN_BOTH, 0, NULL, write_eoi },
	[REG_REMOTE_READ] = { IN_XAPIC, 0, NULL, NULL },
	[REG_LDR] = { IN_XAPIC, 0, read_ldr, write_ldr },
	[REG_DFR] = { IN_XAPIC, 0, read_dfr, write_dfr },
	[REG_SVR] = { IN_BOTH, SVR_BITS, read_svr, write_svr },
	[REG_ISR... REG_ESR - 1] = { IN_BOTH, 0, read_vectors, NULL },
	[REG_ESR] = { IN_BOTH, 0, read_esr, write_esr },
	[REG_ICR] = { IN_BOTH, ICR_BITS, read_icr, write_icr },
	[REG_ICR_HIGH] = { IN_XAPIC, 0, read_icr, write_icr },
	[REG_LVT + LVT_TIMER] = { IN_BOTH, 0x710ff, read_lvt, write_timer },
	[REG_LVT + LVT_THERMAL] = { IN_BOTH, 0x117ff, read_lvt, write_lvt },
	[REG_LVT + LVT_PERFORMANCE] = { IN_BOTH, 0x117ff, read_lvt, write_lvt },
	[REG_LVT + LVT_LINT0] = { IN_BOTH, 0x1f7ff, read_lvt, write_lvt },
	[REG_LVT + LVT_LINT1] = { IN_BOTH, 0x1f7ff, read_lvt, write_lvt },
	[REG_LVT + LVT_ERROR] = { IN_BOTH, 0x110ff, read_lvt, write_lvt },
	[REG_INITIAL_COUNT] = { IN_BOTH, UINT32_MAX, lapic_timer_read_initial,
				lapic_timer_write_initial },
	[REG_CURRENT_COUNT] = { IN_BOTH, 0, lapic_timer_read_current, NULL },
	[REG_DIVIDE] = { IN_BOTH, 0xb, lapic_timer_read_divide,
			 lapic_timer_write_divide },
	[REG_SELF_IPI] = { IN_X2APIC, 0xff, NULL, write_self_ipi },
};

/* The TSC-deadline mode bit is reserved if the machine has no TSC. */
static uint32_t lvt_bits(const struct svmrun_lapic *lapic, unsigned int number)
{
	uint32_t bits = registers[REG_LVT + number].bits;

	if (number == LVT_TIMER && !lapic_timer_has_deadlines(lapic))
		bits &= ~(TIMER_DEADLINE << 17);
	return bits;
}

static const struct lapic_register *find_register(unsigned int reg,
						  unsigned int mode)
{
	if (reg < REG_COUNT && registers[reg].modes & mode)
		return &registers[reg];
	return NULL;
}

/* ---- by memory ------------------------------------------------------------ */

bool svmrun_lapic_is_at(const struct svmrun_lapic *lapic, uint64_t gpa)
{
	return lapic_is_xapic(lapic) &&
	       (gpa & ~0xfffull) == (lapic->base & BASE_ADDRESS);
}

uint32_t svmrun_lapic_read(struct svmrun_lapic *lapic, unsigned int offset,
			   uint64_t now)
{
	const struct lapic_access access = { .reg = offset / 16, .now = now };
	const struct lapic_register *reg = find_register(access.reg, IN_XAPIC);

	if (!lapic_is_xapic(lapic))
		return UINT32_MAX;
	if (offset % 16 >= 4)
		return 0;
	if (!reg)
		lapic_record_error(lapic, ESR_ILLEGAL_REGISTER);
	if (!reg || !reg->read)
		return 0;
	return reg->read(lapic, &access) >> 8 * (offset % 16);
}

void svmrun_lapic_write(struct svmrun_lapic *lapic, unsigned int offset,
			uint32_t value, uint64_t now)
{
	const struct lapic_access access = { offset / 16, value, now };
	const struct lapic_register *reg = find_register(access.reg, IN_XAPIC);

	if (!lapic_is_xapic(lapic) || offset % 16)
		return;
	if (!reg)
		lapic_record_error(lapic, ESR_ILLEGAL_REGISTER);
	else if (reg->write)
		reg->write(lapic, &access);
}

/* ---- by MSR --------------------------------------------------------------- */

enum { DISABLED, INVALID, XAPIC, X2APIC };

static unsigned int base_mode(uint64_t base)
{
	return (base & BASE_MODE) / BASE_X2APIC;
}

/* One bit per mode that may follow (SDM 10.12.5) */
static const uint8_t follows[] = {
	[DISABLED] = 1 << DISABLED | 1 << XAPIC,
	[XAPIC] = 1 << DISABLED | 1 << XAPIC | 1 << X2APIC,
	[X2APIC] = 1 << DISABLED | 1 << X2APIC,
};

/* Software cannot change the bootstrap processor bit. */
static bool write_apic_base(struct svmrun_lapic *lapic, uint64_t value)
{
	unsigned int old = base_mode(lapic->base);
	unsigned int new = base_mode(value);

	if (value & ~(BASE_BSP | BASE_MODE | BASE_ADDRESS) ||
	    !(follows[old] >> new & 1))
		return false;
	if (new == DISABLED && old != DISABLED)
		lapic_reset(lapic);
	if (new == X2APIC && old != X2APIC)
		lapic->icr = (uint32_t)lapic->icr;
	lapic->base = (value & ~BASE_BSP) | (lapic->base & BASE_BSP);
	return true;
}

static bool write_wide_icr(struct svmrun_lapic *lapic, uint64_t value)
{
	if ((uint32_t)value & ~ICR_BITS)
		return false;
	lapic->icr = value & ~(uint64_t)ICR_STATUS;
	lapic_send_ipi(lapic);
	return true;
}

static bool read_x2apic_msr(struct svmrun_lapic *lapic, unsigned int number,
			    uint64_t *value, uint64_t now)
{
	const struct lapic_access access = { .reg = number, .now = now };
	const struct lapic_register *reg = find_register(number, IN_X2APIC);

	if (number == REG_LDR) {
		*value = lapic_x2apic_ldr(lapic);
		return true;
	}
	if (!reg || !reg->read)
		return false;
	*value = number == REG_ICR ? lapic->icr : reg->read(lapic, &access);
	return true;
}

static bool write_x2apic_msr(struct svmrun_lapic *lapic, unsigned int number,
			     uint64_t value, uint64_t now)
{
	const struct lapic_access access = { number, value, now };
	const struct lapic_register *reg = find_register(number, IN_X2APIC);
	uint32_t bits;

	if (!reg || !reg->write)
		return false;
	if (number == REG_ICR)
		return write_wide_icr(lapic, value);
	bits = reg->bits;
	if (number == REG_LVT + LVT_TIMER)
		bits = lvt_bits(lapic, LVT_TIMER);
	if (value & ~(uint64_t)bits)
		return false;
	reg->write(lapic, &access);
	return true;
}

bool svmrun_lapic_read_msr(struct svmrun_lapic *lapic, uint32_t msr,
			   uint64_t *value, uint64_t now)
{
	if (msr == MSR_APIC_BASE) {
		*value = lapic->base;
		return true;
	}
	if (msr == MSR_TSC_DEADLINE) {
		svmrun_lapic_advance(lapic, now);
		*value = lapic->tsc_deadline;
		return lapic_timer_has_deadlines(lapic);
	}
	return msr >= MSR_X2APIC && lapic_is_x2apic(lapic) &&
	       read_x2apic_msr(lapic, msr - MSR_X2APIC, value, now);
}

bool svmrun_lapic_write_msr(struct svmrun_lapic *lapic, uint32_t msr,
			    uint64_t value, uint64_t now)
{
	if (msr == MSR_APIC_BASE)
		return write_apic_base(lapic, value);
	if (msr == MSR_TSC_DEADLINE) {
		lapic_timer_write_deadline(lapic, value, now);
		return lapic_timer_has_deadlines(lapic);
	}
	return msr >= MSR_X2APIC && lapic_is_x2apic(lapic) &&
	       write_x2apic_msr(lapic, msr - MSR_X2APIC, value, now);
}

bool svmrun_lapic_enabled(const struct svmrun_lapic *lapic)
{
	return lapic_is_enabled(lapic);
}

/* ---- initialization ------------------------------------------------------- */

static void init_lapic(struct svmrun_lapic *lapic, struct svmrun_apics *apics,
		       unsigned int id)
{
	*lapic = (struct svmrun_lapic){
		.apics = apics,
		.id = id,
		.base = SVMRUN_LAPIC_GPA | BASE_ENABLE | (id ? 0 : BASE_BSP),
		.waits = id,
		.sipi = -1,
	};
	lapic_reset(lapic);
}

static void set_virtual_wire(struct svmrun_lapic *lapic)
{
	lapic->svr |= SVR_ENABLE;
	lapic->lvt[LVT_LINT0] = SVMRUN_APIC_EXTINT << 8;
	lapic->lvt[LVT_LINT1] = SVMRUN_APIC_NMI << 8;
}

void svmrun_apics_init(struct svmrun_apics *apics, struct svmrun_lapic *lapics,
		       unsigned int count,
		       const struct svmrun_apics_owner *owner)
{
	*apics = (struct svmrun_apics){
		.lapics = lapics,
		.count = count,
		.turn = count - 1,
		.owner = *owner,
	};
	for (unsigned int i = 0; i < count; i++)
		init_lapic(&lapics[i], apics, i);
	set_virtual_wire(&lapics[0]);
}
