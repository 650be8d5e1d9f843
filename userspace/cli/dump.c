// SPDX-License-Identifier: GPL-2.0
#include "command.h"
#include "dump/dump.h"
#include "options.h"
#include "vmm/saved.h"

int dump_main(int argc, char **argv)
{
	static struct saved saved; /* too large for the stack */
	struct run_options machine = { 0 };
	struct dump_options options;
	int status = options_parse_dump(&options, argc, argv);

	if (status)
		return status;
	status = saved_open(&saved, options.file, &machine);
	if (status)
		return status;
	status = dump_machine(&saved, machine.cpus, options.core);
	saved_close(&saved);
	return status;
}
