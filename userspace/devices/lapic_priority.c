// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Priorities in the local APIC (APM 16.6.4): the processor priority, which results from
 * the interrupts in service and the task priority, and the interrupt that is above it.
 */
#include "lapic_internal.h"

uint32_t lapic_processor_priority(const struct svmrun_lapic *lapic)
{
	int serviced = find_highest_vector(lapic->isr);
	uint32_t class = serviced < 0 ? 0 : serviced & 0xf0;

	return (lapic->tpr & 0xf0) >= class ? lapic->tpr : class;
}

int svmrun_lapic_pending(const struct svmrun_lapic *lapic)
{
	int vector = find_highest_vector(lapic->irr);

	if (vector < 0 ||
	    (vector & 0xf0u) <= (lapic_processor_priority(lapic) & 0xf0))
		return -1;
	return vector;
}

int svmrun_lapic_held(const struct svmrun_lapic *lapic)
{
	int vector = find_highest_vector(lapic->irr);
	int serviced = find_highest_vector(lapic->isr);

	if (svmrun_lapic_pending(lapic) >= 0 ||
	    (vector & ~0xf) <= (serviced < 0 ? 0 : serviced & ~0xf))
		return -1;
	return vector;
}

void svmrun_lapic_acknowledge(struct svmrun_lapic *lapic, uint8_t vector)
{
	if (!apic_test_vector(lapic->irr, vector))
		return;
	apic_assign_vector(lapic->irr, vector, false);
	apic_assign_vector(lapic->isr, vector, true);
}

uint32_t svmrun_lapic_tpr(const struct svmrun_lapic *lapic)
{
	return lapic->tpr;
}

void svmrun_lapic_set_tpr(struct svmrun_lapic *lapic, uint8_t tpr)
{
	lapic->tpr = tpr;
}
