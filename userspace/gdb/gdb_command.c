// SPDX-License-Identifier: GPL-2.0
/*
 * Packets of gdb's manual, E.2 to E.4. Its threads are the processors, numbered from 1.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/status.h"
#include "debug/memory.h"
#include "debug/pause.h"
#include "gdb.h"
#include "gdb_monitor.h"
#include "gdb_registers.h"
#include "lib/array_size.h"

#define SIGNAL_INTERRUPT 2 /* numbers of signals in gdb's protocol */
#define SIGNAL_TRAP 5
#define ALL_CPUS (-1)
#define MEMORY_MAX (GDB_PACKET_MAX / 2)

static struct cpu *cpu_of(const struct gdb *gdb)
{
	return &gdb->machine->cpus[gdb->cpu];
}

static enum gdb_result reply(struct gdb *gdb, const char *text)
{
	gdb_put_text(&gdb->writer, text);
	return GDB_REPLY;
}

/* gdb prints only the number, which is EFAULT's. */
static enum gdb_result reply_bad_address(struct gdb *gdb)
{
	return reply(gdb, "E14");
}

static enum gdb_result reply_malformed(struct gdb *gdb)
{
	return reply(gdb, "E16");
}

/* ---- the reason of a stop ------------------------------------------------ */

static void put_breakpoint(struct gdb_writer *writer,
			   const struct debug_stop *stop)
{
	static const char *const names[] = {
		[DEBUG_SOFTWARE] = "swbreak:;", [DEBUG_EXECUTE] = "hwbreak:;",
		[DEBUG_WRITE] = "watch:",	[DEBUG_READ] = "rwatch:",
		[DEBUG_ACCESS] = "awatch:",
	};

	gdb_put_text(writer, names[stop->kind]);
	if (stop->kind == DEBUG_SOFTWARE || stop->kind == DEBUG_EXECUTE)
		return;
	gdb_put_number(writer, stop->address);
	gdb_put_text(writer, ";");
}

void gdb_put_stop(struct gdb *gdb)
{
	const struct debug_stop *stop = &gdb->debug.stop;
	const uint8_t signal = stop->reason == DEBUG_INTERRUPTED ?
				       SIGNAL_INTERRUPT :
				       SIGNAL_TRAP;

	gdb->cpu = stop->cpu;
	gdb_put_text(&gdb->writer, "T");
	gdb_put_hex(&gdb->writer, &signal, 1);
	gdb_put_text(&gdb->writer, "thread:");
	gdb_put_number(&gdb->writer, stop->cpu + 1);
	gdb_put_text(&gdb->writer, ";");
	if (stop->reason == DEBUG_HIT)
		put_breakpoint(&gdb->writer, stop);
}

static enum gdb_result cmd_stop_reason(struct gdb *gdb, struct gdb_text *text)
{
	gdb_put_stop(gdb);
	return GDB_REPLY;
}

/* ---- threads ------------------------------------------------------------- */

/* Parse a thread: -1 is all of them, 0 any, for which the current one is taken. */
static bool get_thread(const struct gdb *gdb, struct gdb_text *text, int *cpu)
{
	uint64_t thread;

	if (gdb_get_text(text, "-1")) {
		*cpu = ALL_CPUS;
		return true;
	}
	if (!gdb_get_number(text, &thread) || thread > gdb->machine->cpu_count)
		return false;
	*cpu = thread ? (int)thread - 1 : (int)gdb->cpu;
	return true;
}

/* Hg sets the thread for all other packets, Hc that for c and s; they share one. */
static enum gdb_result cmd_set_thread(struct gdb *gdb, struct gdb_text *text)
{
	bool general = gdb_get_text(text, "g");
	int cpu;

	if ((!general && !gdb_get_text(text, "c")) ||
	    !get_thread(gdb, text, &cpu))
		return reply_malformed(gdb);
	if (cpu != ALL_CPUS)
		gdb->cpu = cpu;
	return reply(gdb, "OK");
}

static enum gdb_result cmd_thread_alive(struct gdb *gdb, struct gdb_text *text)
{
	int cpu;

	return get_thread(gdb, text, &cpu) ? reply(gdb, "OK") :
					     reply_malformed(gdb);
}

static enum gdb_result cmd_current_thread(struct gdb *gdb,
					  struct gdb_text *text)
{
	gdb_put_text(&gdb->writer, "QC");
	gdb_put_number(&gdb->writer, gdb->cpu + 1);
	return GDB_REPLY;
}

static enum gdb_result cmd_next_thread(struct gdb *gdb, struct gdb_text *text)
{
	if (gdb->next_cpu >= gdb->machine->cpu_count)
		return reply(gdb, "l");
	gdb_put_text(&gdb->writer, "m");
	gdb_put_number(&gdb->writer, ++gdb->next_cpu);
	return GDB_REPLY;
}

static enum gdb_result cmd_first_thread(struct gdb *gdb, struct gdb_text *text)
{
	gdb->next_cpu = 0;
	return cmd_next_thread(gdb, text);
}

static const char *cpu_state(const struct cpu *cpu)
{
	if (cpu_waits_for_sipi(cpu))
		return "waiting for SIPI";
	return cpu->halted ? "halted" : "running";
}

static enum gdb_result cmd_thread_info(struct gdb *gdb, struct gdb_text *text)
{
	char words[64];
	int cpu;

	if (!get_thread(gdb, text, &cpu) || cpu == ALL_CPUS)
		return reply_malformed(gdb);
	snprintf(words, sizeof(words), "CPU %d, %s", cpu,
		 cpu_state(&gdb->machine->cpus[cpu]));
	gdb_put_hex(&gdb->writer, words, strlen(words));
	return GDB_REPLY;
}

/* ---- registers ----------------------------------------------------------- */

static void put_register(struct gdb *gdb, unsigned int number)
{
	uint8_t bytes[GDB_REGISTER_MAX];
	size_t size = gdb_register_read(&cpu_of(gdb)->vcpu, number, bytes);

	gdb_put_hex(&gdb->writer, bytes, size);
}

static enum gdb_result cmd_read_registers(struct gdb *gdb,
					  struct gdb_text *text)
{
	unsigned int i;

	for (i = 0; i < gdb_register_count(); i++)
		put_register(gdb, i);
	return GDB_REPLY;
}

static enum gdb_result cmd_write_registers(struct gdb *gdb,
					   struct gdb_text *text)
{
	uint8_t bytes[GDB_REGISTER_MAX];
	unsigned int i;

	for (i = 0; i < gdb_register_count(); i++) {
		if (!gdb_get_hex(text, bytes, gdb_register_size(i)))
			return reply_malformed(gdb);
		gdb_register_write(&cpu_of(gdb)->vcpu, i, bytes);
	}
	return reply(gdb, "OK");
}

static enum gdb_result cmd_read_register(struct gdb *gdb, struct gdb_text *text)
{
	uint64_t number;

	if (!gdb_get_number(text, &number) || number >= gdb_register_count())
		return reply_malformed(gdb);
	put_register(gdb, number);
	return GDB_REPLY;
}

static enum gdb_result cmd_write_register(struct gdb *gdb,
					  struct gdb_text *text)
{
	uint8_t bytes[GDB_REGISTER_MAX];
	uint64_t number;

	if (!gdb_get_number(text, &number) || !gdb_get_text(text, "=") ||
	    number >= gdb_register_count() ||
	    !gdb_get_hex(text, bytes, gdb_register_size(number)) ||
	    !gdb_register_write(&cpu_of(gdb)->vcpu, number, bytes))
		return reply_malformed(gdb);
	return reply(gdb, "OK");
}

/* ---- memory -------------------------------------------------------------- */

static bool get_range(struct gdb_text *text, uint64_t *address, uint64_t *size)
{
	return gdb_get_number(text, address) && gdb_get_text(text, ",") &&
	       gdb_get_number(text, size);
}

static enum gdb_result cmd_read_memory(struct gdb *gdb, struct gdb_text *text)
{
	uint8_t bytes[MEMORY_MAX];
	uint64_t address, size;
	size_t done;

	if (!get_range(text, &address, &size))
		return reply_malformed(gdb);
	done = debug_read(cpu_of(gdb), address, bytes,
			  size < MEMORY_MAX ? size : MEMORY_MAX);
	if (!done && size)
		return reply_bad_address(gdb);
	gdb_put_hex(&gdb->writer, bytes, done);
	return GDB_REPLY;
}

static enum gdb_result write_bytes(struct gdb *gdb, uint64_t address,
				   const void *bytes, size_t size)
{
	if (debug_write(cpu_of(gdb), address, bytes, size) < size)
		return reply_bad_address(gdb);
	return reply(gdb, "OK");
}

static enum gdb_result cmd_write_memory(struct gdb *gdb, struct gdb_text *text)
{
	uint8_t bytes[MEMORY_MAX];
	uint64_t address, size;

	if (!get_range(text, &address, &size) || !gdb_get_text(text, ":") ||
	    size > MEMORY_MAX || !gdb_get_hex(text, bytes, size))
		return reply_malformed(gdb);
	return write_bytes(gdb, address, bytes, size);
}

static enum gdb_result cmd_write_binary(struct gdb *gdb, struct gdb_text *text)
{
	uint64_t address, size;

	if (!get_range(text, &address, &size) || !gdb_get_text(text, ":") ||
	    size != gdb_text_size(text))
		return reply_malformed(gdb);
	return write_bytes(gdb, address, text->at, size);
}

/* ---- breakpoints --------------------------------------------------------- */

static bool get_breakpoint(struct gdb_text *text, uint64_t *kind,
			   uint64_t *address, uint64_t *size)
{
	return gdb_get_number(text, kind) && *kind <= DEBUG_ACCESS &&
	       gdb_get_text(text, ",") && get_range(text, address, size) &&
	       *size <= 8;
}

static enum gdb_result cmd_insert_breakpoint(struct gdb *gdb,
					     struct gdb_text *text)
{
	uint64_t kind, address, size;

	if (!get_breakpoint(text, &kind, &address, &size))
		return reply_malformed(gdb);
	switch (debug_insert(cpu_of(gdb), kind, address, size)) {
	case 0:
		return reply(gdb, "OK");
	case -EFAULT:
		return reply_bad_address(gdb);
	default:
		return reply_malformed(gdb);
	}
}

static enum gdb_result cmd_remove_breakpoint(struct gdb *gdb,
					     struct gdb_text *text)
{
	uint64_t kind, address, size;

	if (!get_breakpoint(text, &kind, &address, &size))
		return reply_malformed(gdb);
	debug_remove(gdb->machine, kind, address, size);
	return reply(gdb, "OK");
}

/* ---- resuming ------------------------------------------------------------ */

static enum gdb_result resume_machine(struct gdb *gdb)
{
	gdb->awaits_stop = true;
	debug_resume(gdb->machine);
	return GDB_NO_REPLY;
}

static void set_all_actions(struct gdb *gdb, enum debug_action action)
{
	unsigned int i;

	for (i = 0; i < gdb->machine->cpu_count; i++)
		gdb->machine->cpus[i].debug->action = action;
}

static enum gdb_result resume_cpu(struct gdb *gdb, struct gdb_text *text,
				  enum debug_action action)
{
	uint64_t address;

	if (gdb_get_number(text, &address))
		cpu_of(gdb)->vcpu.vmcb->save.rip = address;
	if (gdb_text_size(text))
		return reply_malformed(gdb);
	set_all_actions(gdb, DEBUG_CONTINUE);
	cpu_of(gdb)->debug->action = action;
	return resume_machine(gdb);
}

static enum gdb_result cmd_continue(struct gdb *gdb, struct gdb_text *text)
{
	return resume_cpu(gdb, text, DEBUG_CONTINUE);
}

static enum gdb_result cmd_step(struct gdb *gdb, struct gdb_text *text)
{
	return resume_cpu(gdb, text, DEBUG_STEP);
}

static enum gdb_result cmd_vcont_query(struct gdb *gdb, struct gdb_text *text)
{
	return reply(gdb, "vCont;c;C;s;S");
}

/* Parse an action. A guest receives no signals: those of C and S are ignored. */
static bool get_action(struct gdb_text *text, enum debug_action *action)
{
	uint64_t signal;

	if (gdb_get_text(text, ";c"))
		*action = DEBUG_CONTINUE;
	else if (gdb_get_text(text, ";s"))
		*action = DEBUG_STEP;
	else if (gdb_get_text(text, ";C") && gdb_get_number(text, &signal))
		*action = DEBUG_CONTINUE;
	else if (gdb_get_text(text, ";S") && gdb_get_number(text, &signal))
		*action = DEBUG_STEP;
	else
		return false;
	return true;
}

/* If several actions apply to a processor, the first one counts. */
static void set_action(struct gdb *gdb, int cpu, enum debug_action action)
{
	unsigned int i;

	for (i = 0; i < gdb->machine->cpu_count; i++)
		if ((cpu == ALL_CPUS || cpu == (int)i) &&
		    gdb->machine->cpus[i].debug->action == DEBUG_STOP)
			gdb->machine->cpus[i].debug->action = action;
}

static bool get_actions(struct gdb *gdb, struct gdb_text *text)
{
	enum debug_action action;
	int cpu;

	while (gdb_text_size(text)) {
		cpu = ALL_CPUS;
		if (!get_action(text, &action) ||
		    (gdb_get_text(text, ":") && !get_thread(gdb, text, &cpu)))
			return false;
		set_action(gdb, cpu, action);
	}
	return true;
}

static enum gdb_result cmd_vcont(struct gdb *gdb, struct gdb_text *text)
{
	set_all_actions(gdb, DEBUG_STOP);
	if (!gdb_text_size(text) || !get_actions(gdb, text)) {
		set_all_actions(gdb, DEBUG_STOP);
		return reply_malformed(gdb);
	}
	return resume_machine(gdb);
}

static enum gdb_result cmd_detach(struct gdb *gdb, struct gdb_text *text)
{
	gdb_put_text(&gdb->writer, "OK");
	return GDB_REPLY_AND_CLOSE;
}

static enum gdb_result cmd_kill(struct gdb *gdb, struct gdb_text *text)
{
	outcome_end(&gdb->machine->outcome, 0, STATUS_HALTED, "quit", "%s", "");
	return GDB_CLOSE;
}

/* ---- features of the stub ------------------------------------------------ */

static enum gdb_result cmd_supported(struct gdb *gdb, struct gdb_text *text)
{
	gdb_put_text(&gdb->writer, "PacketSize=");
	gdb_put_number(&gdb->writer, GDB_PACKET_MAX);
	return reply(gdb, ";QStartNoAckMode+;qXfer:features:read+;"
			  "vContSupported+;swbreak+;hwbreak+");
}

static enum gdb_result cmd_start_no_ack(struct gdb *gdb, struct gdb_text *text)
{
	gdb->no_acks = true;
	return reply(gdb, "OK");
}

static enum gdb_result cmd_attached(struct gdb *gdb, struct gdb_text *text)
{
	return reply(gdb, "1"); /* quit in gdb detaches, and does not kill */
}

static enum gdb_result put_part(struct gdb *gdb, const struct gdb_writer *whole,
				uint64_t offset, uint64_t size)
{
	uint64_t left;

	if (offset > whole->size)
		return reply_malformed(gdb);
	left = whole->size - offset;
	if (size > MEMORY_MAX - 1)
		size = MEMORY_MAX - 1; /* each byte may need an escape */
	gdb_put_text(&gdb->writer, left > size ? "m" : "l");
	gdb_put_binary(&gdb->writer, whole->packet + offset,
		       left > size ? size : left);
	return GDB_REPLY;
}

static enum gdb_result cmd_read_features(struct gdb *gdb, struct gdb_text *text)
{
	struct gdb_writer whole = { .size = 0 };
	uint64_t offset, size;

	if (!get_range(text, &offset, &size))
		return reply_malformed(gdb);
	gdb_registers_describe(&whole);
	return put_part(gdb, &whole, offset, size);
}

static enum gdb_result cmd_unknown(struct gdb *gdb, struct gdb_text *text)
{
	return GDB_REPLY; /* an empty one */
}

/* @whole: the packet has no arguments; a longer one is another packet */
static const struct command {
	const char *name;
	enum gdb_result (*execute)(struct gdb *gdb, struct gdb_text *text);
	bool whole;
} commands[] = {
	{ "?", cmd_stop_reason, true },
	{ "g", cmd_read_registers, true },
	{ "G", cmd_write_registers, false },
	{ "p", cmd_read_register, false },
	{ "P", cmd_write_register, false },
	{ "m", cmd_read_memory, false },
	{ "M", cmd_write_memory, false },
	{ "X", cmd_write_binary, false },
	{ "Z", cmd_insert_breakpoint, false },
	{ "z", cmd_remove_breakpoint, false },
	{ "c", cmd_continue, false },
	{ "s", cmd_step, false },
	{ "vCont?", cmd_vcont_query, true },
	{ "vCont", cmd_vcont, false },
	{ "vMustReplyEmpty", cmd_unknown, true },
	{ "H", cmd_set_thread, false },
	{ "T", cmd_thread_alive, false },
	{ "D", cmd_detach, false },
	{ "k", cmd_kill, true },
	{ "qC", cmd_current_thread, true },
	{ "qfThreadInfo", cmd_first_thread, true },
	{ "qsThreadInfo", cmd_next_thread, true },
	{ "qThreadExtraInfo,", cmd_thread_info, false },
	{ "qAttached", cmd_attached, false },
	{ "qSupported", cmd_supported, false },
	{ "qRcmd,", gdb_monitor, false },
	{ "qXfer:features:read:target.xml:", cmd_read_features, false },
	{ "QStartNoAckMode", cmd_start_no_ack, true },
};

enum gdb_result gdb_command(struct gdb *gdb)
{
	const struct command *command;
	struct gdb_text text;
	size_t i;

	gdb->writer.size = 0;
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		command = &commands[i];
		text = (struct gdb_text){ gdb->reader.packet,
					  gdb->reader.packet +
						  gdb->reader.size };
		if (gdb_get_text(&text, command->name) &&
		    !(command->whole && gdb_text_size(&text)))
			return command->execute(gdb, &text);
	}
	return GDB_REPLY;
}
