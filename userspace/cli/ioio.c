// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "machine.h"
#include "status.h"

#define PORT_EXIT	0xf4
#define NOBODY		0xff /* what a bus reads where nobody drives it */

static bool is_serial(unsigned int port)
{
	return port >= SERIAL_PORT && port < SERIAL_PORT + SERIAL_PORTS;
}

static uint8_t read_byte(struct machine *machine, unsigned int port)
{
	if (is_serial(port))
		return serial_read(&machine->serial, port - SERIAL_PORT);
	machine->stats.unclaimed++;
	return NOBODY;
}

static void write_byte(struct machine *machine, unsigned int port,
		       uint8_t value)
{
	int ret;

	if (!is_serial(port)) {
		machine->stats.unclaimed++;
		return;
	}
	ret = serial_write(&machine->serial, port - SERIAL_PORT, value);
	if (ret)
		machine_end(machine, STATUS_ENVIRONMENT, "environment",
			    "standard output: %s; the guest's output goes there",
			    strerror(-ret));
}

/* The devices are 8 bits wide: a wider access is one to each port. */
static uint32_t read_port(struct machine *machine, const struct svmrun_ioio *io)
{
	uint32_t value = 0;
	unsigned int i;

	for (i = 0; i < io->size; i++)
		value |= (uint32_t)read_byte(machine, io->port + i) << (8 * i);
	return value;
}

static void write_port(struct machine *machine, const struct svmrun_ioio *io,
		       uint32_t value)
{
	unsigned int i;

	if (io->port == PORT_EXIT) {
		machine_end(machine, (2 * value + 1) & 255, "port", "%s", "");
		return;
	}
	for (i = 0; i < io->size && !machine->outcome.ended; i++)
		write_byte(machine, io->port + i, value >> (8 * i));
}

void machine_ioio(struct machine *machine)
{
	struct svm_vmcb *vmcb = machine->vcpu.vmcb;
	struct svmrun_ioio io = { 0 };
	uint32_t value = 0;

	if (svmrun_ioio_decode(&io, vmcb) || io.string) {
		machine_end(machine, STATUS_UNHANDLED, "unhandled",
			    "VMEXIT_IOIO at RIP 0x%llx: string instruction on port 0x%x; use plain IN and OUT",
			    vmcb->save.rip, io.port);
		return;
	}
	if (io.in)
		value = read_port(machine, &io);
	else
		write_port(machine, &io, svmrun_ioio_value(&io, vmcb));
	svmrun_ioio_complete(&io, vmcb, value);
}
