// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gdb_monitor.h"
#include "lib/array_size.h"
#include "vmm/guest_svm.h"

#define COMMAND_MAX 64
#define LINE_SIZE 160

struct field {
	const char *name;
	uint16_t offset;
	uint16_t size;
};

#define FIELD(member)                                                          \
	{                                                                      \
#member, offsetof(struct svm_vmcb, member),                    \
			sizeof(((struct svm_vmcb *)0)->member)                 \
	}

static const struct field fields[] = {
	FIELD(control.intercept[0]),
	FIELD(control.intercept[1]),
	FIELD(control.intercept[2]),
	FIELD(control.intercept[3]),
	FIELD(control.intercept[4]),
	FIELD(control.intercept[5]),
	FIELD(control.iopm_base_pa),
	FIELD(control.msrpm_base_pa),
	FIELD(control.tsc_offset),
	FIELD(control.asid),
	FIELD(control.tlb_control),
	FIELD(control.vintr),
	FIELD(control.interrupt_shadow),
	FIELD(control.exitcode),
	FIELD(control.exitinfo1),
	FIELD(control.exitinfo2),
	FIELD(control.exitintinfo),
	FIELD(control.nested_ctl),
	FIELD(control.eventinj),
	FIELD(control.n_cr3),
	FIELD(control.virt_ext),
	FIELD(control.clean),
	FIELD(control.nrip),
	FIELD(save.cs.selector),
	FIELD(save.cs.attrib),
	FIELD(save.cpl),
	FIELD(save.efer),
	FIELD(save.cr4),
	FIELD(save.cr3),
	FIELD(save.cr0),
	FIELD(save.cr2),
	FIELD(save.dr7),
	FIELD(save.dr6),
	FIELD(save.rflags),
	FIELD(save.rip),
	FIELD(save.rsp),
	FIELD(save.rax),
	FIELD(save.g_pat),
};

static void print(struct gdb *gdb, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void print(struct gdb *gdb, const char *format, ...)
{
	char line[LINE_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	gdb_put_hex(&gdb->writer, line, strlen(line));
}

static uint64_t field_value(const struct svm_vmcb *vmcb,
			    const struct field *field)
{
	uint64_t value = 0;

	memcpy(&value, (const char *)vmcb + field->offset, field->size);
	return value;
}

/*
 * Print VMCB12, and the VMCB with which the processor runs the guest's guest: it has the
 * intercepts of both, and the state as it is now.
 */
static void print_vmcbs(struct gdb *gdb, const struct cpu *cpu)
{
	const struct svm_vmcb *vmcb12, *running = cpu->vcpu.vmcb;
	bool active = guest_svm_is_active(cpu);
	uint64_t gpa = 0, value;
	size_t i;

	vmcb12 = guest_svm_vmcb(cpu, &gpa);
	if (!vmcb12) {
		print(gdb, "The guest has not executed VMRUN.\n");
		return;
	}
	print(gdb, "VMCB at 0x%" PRIx64 "; the guest's guest %s\n", gpa,
	      active ? "runs" : "does not run");
	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		value = field_value(vmcb12, &fields[i]);
		print(gdb, "  %-24s 0x%016" PRIx64, fields[i].name, value);
		if (active && field_value(running, &fields[i]) != value)
			print(gdb, "  now 0x%016" PRIx64,
			      field_value(running, &fields[i]));
		print(gdb, "\n");
	}
}

static void print_help(struct gdb *gdb)
{
	print(gdb, "svm vmcb      print the VMCB of the last VMRUN\n");
	print(gdb, "svm stop      stop at each VMRUN and #VMEXIT\n");
	print(gdb, "svm continue  do not stop there\n");
}

enum gdb_result gdb_monitor(struct gdb *gdb, struct gdb_text *text)
{
	struct machine *machine = gdb->machine;
	size_t size = gdb_text_size(text) / 2;
	char command[COMMAND_MAX + 1] = "";

	if (size > COMMAND_MAX || !gdb_get_hex(text, command, size))
		size = 0;
	command[size] = 0;
	if (!strcmp(command, "svm vmcb"))
		print_vmcbs(gdb, &machine->cpus[gdb->cpu]);
	else if (!strcmp(command, "svm stop"))
		machine->debug->stops_at_svm = true;
	else if (!strcmp(command, "svm continue"))
		machine->debug->stops_at_svm = false;
	else
		print_help(gdb);
	if (!gdb->writer.size)
		gdb_put_text(&gdb->writer, "OK");
	return GDB_REPLY;
}
