// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Messages between local APICs, and from an I/O APIC: the processors that a destination
 * matches (APM 16.6.1), lowest-priority arbitration (APM 16.6.2), and the interrupt
 * command register (APM 16.5).
 */
#include <stddef.h>

#include "lapic_internal.h"

#define DFR_FLAT 0xf
#define DFR_CLUSTER 0x0

#define BROADCAST_X2APIC 0xffffffffu
#define BROADCAST_XAPIC 0xffu

/* A message that is being sent. @excluded, if not NULL, does not get it. */
struct apic_message {
	uint32_t destination;
	bool everyone;
	bool logical;
	unsigned int mode;
	uint8_t vector;
	bool level;
	const struct svmrun_lapic *excluded;
};

static bool matches_x2apic_logical(const struct svmrun_lapic *lapic,
				   uint32_t destination)
{
	uint32_t own = lapic_x2apic_ldr(lapic);

	return own >> 16 == destination >> 16 && own & destination & 0xffff;
}

/* One bit per processor, or clusters of four processors and 15 for all (APM 16.6.1) */
static bool matches_xapic_logical(const struct svmrun_lapic *lapic,
				  uint32_t destination)
{
	uint32_t own = lapic->ldr >> 24;

	if (destination > 0xff)
		return false;
	if (lapic->dfr >> 28 == DFR_FLAT)
		return own & destination;
	if (lapic->dfr >> 28 != DFR_CLUSTER)
		return false;
	return (own >> 4 == destination >> 4 || destination >> 4 == 0xf) &&
	       own & destination & 0xf;
}

static bool matches_message(const struct svmrun_lapic *lapic,
			    const struct apic_message *message)
{
	if (!lapic_is_enabled(lapic) || lapic == message->excluded)
		return false;
	if (message->everyone)
		return true;
	if (!message->logical)
		return lapic->id == message->destination;
	if (lapic_is_x2apic(lapic))
		return matches_x2apic_logical(lapic, message->destination);
	return matches_xapic_logical(lapic, message->destination);
}

/* Start after the last winner, so that equal processors take turns (APM 16.6.2). */
static bool send_lowest_priority(struct svmrun_apics *apics,
				 const struct apic_message *message)
{
	struct svmrun_lapic *best = NULL;

	for (unsigned int i = 1; i <= apics->count; i++) {
		struct svmrun_lapic *lapic =
			&apics->lapics[(apics->turn + i) % apics->count];

		if (matches_message(lapic, message) &&
		    lapic_is_software_enabled(lapic) &&
		    (!best || lapic_processor_priority(lapic) <
				      lapic_processor_priority(best)))
			best = lapic;
	}
	if (!best)
		return false;
	apics->turn = best->id;
	return lapic_accept(best, message->mode, message->vector,
			    message->level);
}

static bool send_message(struct svmrun_apics *apics,
			 const struct apic_message *message)
{
	bool accepted = false;

	if (message->mode == SVMRUN_APIC_LOWEST)
		return send_lowest_priority(apics, message);
	for (unsigned int i = 0; i < apics->count; i++)
		if (matches_message(&apics->lapics[i], message))
			accepted |= lapic_accept(&apics->lapics[i],
						 message->mode, message->vector,
						 message->level);
	return accepted;
}

bool svmrun_apics_message(struct svmrun_apics *apics, uint32_t destination,
			  bool logical, unsigned int delivery_mode,
			  uint8_t vector, bool level_triggered)
{
	const struct apic_message message = {
		.destination = destination,
		.everyone = destination == BROADCAST_X2APIC ||
			    destination == BROADCAST_XAPIC,
		.logical = logical,
		.mode = delivery_mode,
		.vector = vector,
		.level = level_triggered,
	};

	if (delivery_mode > SVMRUN_APIC_EXTINT ||
	    delivery_mode == SVMRUN_APIC_SIPI)
		return false;
	return send_message(apics, &message);
}

/* Destination shorthands, and the delivery modes that each permits (APM 16.5) */
enum { TO_DESTINATION, TO_SELF, TO_ALL, TO_OTHERS };

#define SENDS_FIXED (1 << SVMRUN_APIC_FIXED)
#define SENDS_ANY                                                              \
	(SENDS_FIXED | 1 << SVMRUN_APIC_LOWEST | 1 << SVMRUN_APIC_SMI |        \
	 1 << SVMRUN_APIC_NMI | 1 << SVMRUN_APIC_INIT | 1 << SVMRUN_APIC_SIPI)

static const uint8_t sendable_modes[] = {
	[TO_DESTINATION] = SENDS_ANY,
	[TO_SELF] = SENDS_FIXED,
	[TO_ALL] = SENDS_FIXED,
	[TO_OTHERS] = SENDS_ANY,
};

/* An INIT level de-assert only has an effect on old APIC buses. */
static bool is_deassert(uint32_t command)
{
	return lapic_delivery_mode(command) == SVMRUN_APIC_INIT &&
	       command & ICR_LEVEL && !(command & ICR_ASSERT);
}

static void set_destination(const struct svmrun_lapic *lapic,
			    struct apic_message *message)
{
	bool wide = lapic_is_x2apic(lapic);

	message->destination = lapic->icr >> (wide ? 32 : 56);
	message->everyone = message->destination ==
			    (wide ? BROADCAST_X2APIC : BROADCAST_XAPIC);
	message->logical = lapic->icr & ICR_LOGICAL;
}

void lapic_send_ipi(struct svmrun_lapic *lapic)
{
	uint32_t command = lapic->icr;
	unsigned int shorthand = command >> 18 & 3;
	struct apic_message message = {
		.everyone = shorthand == TO_ALL || shorthand == TO_OTHERS,
		.mode = lapic_delivery_mode(command),
		.vector = command,
		.excluded = shorthand == TO_OTHERS ? lapic : NULL,
	};

	if (!(sendable_modes[shorthand] >> message.mode & 1) ||
	    is_deassert(command))
		return;
	if (message.mode <= SVMRUN_APIC_LOWEST && message.vector < VECTOR_MIN) {
		lapic_record_error(lapic, ESR_SENT_ILLEGAL_VECTOR);
		return;
	}
	if (shorthand == TO_DESTINATION)
		set_destination(lapic, &message);
	else if (shorthand == TO_SELF)
		message.destination = lapic->id;
	send_message(lapic->apics, &message);
}
