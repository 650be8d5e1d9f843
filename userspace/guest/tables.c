// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <svmrun/acpi.h>
#include <svmrun/bda.h>
#include <svmrun/e820.h>
#include <svmrun/smbios.h>

#include "common/message.h"
#include "common/status.h"
#include "tables.h"

#define TABLES_SIZE 0x10000
#define COMMANDS 32
#define COM1 0x3f8

/**
 * struct firmware_files - contents of the files of fw_cfg
 * @acpi: ACPI tables, with offsets in place of addresses
 * @commands: what makes addresses of them
 * @smbios: SMBIOS tables
 * @serial_console: port of the console of SeaBIOS, which the BIOS's calls for the display
 *	use as well
 */
struct firmware_files {
	uint8_t acpi[TABLES_SIZE];
	struct svmrun_acpi_command commands[COMMANDS];
	uint8_t smbios[SVMRUN_SMBIOS_SIZE];
	uint16_t serial_console;
};

static struct svmrun_acpi describe_machine(const struct run_options *options,
					   uint64_t gpa)
{
	return (struct svmrun_acpi){
		.cpus = options->cpus,
		.pm_port = SVMRUN_PC_PM_PORT,
		.virtio_gpa = SVMRUN_PC_VIRTIO_GPA,
		.virtio_pin = SVMRUN_PC_VIRTIO_PIN,
		.virtio_count = options->disk_count + machine_has_rng(options),
		.gpa = gpa,
	};
}

static int build_acpi(const struct svmrun_memory *low,
		      const struct run_options *options)
{
	const struct svmrun_acpi acpi = describe_machine(options,
							 SVMRUN_E820_BIOS);
	void *buffer = svmrun_memory_at(low, SVMRUN_E820_BIOS, TABLES_SIZE);

	return buffer ? svmrun_acpi_build(&acpi, buffer, TABLES_SIZE) : -ERANGE;
}

static struct svmrun_smbios describe_system(const struct guest *guest,
					    const struct run_options *options,
					    uint64_t gpa)
{
	uint64_t low = guest->memories[0].size;

	return (struct svmrun_smbios){
		.cpus = options->cpus,
		.low = low,
		.high = options->memory - low,
		.gpa = gpa,
	};
}

static int build_smbios(const struct guest *guest,
			const struct run_options *options)
{
	const struct svmrun_smbios smbios = describe_system(guest, options,
							    SVMRUN_SMBIOS_GPA);
	void *buffer = svmrun_memory_at(&guest->memories[0], SVMRUN_SMBIOS_GPA,
					SVMRUN_SMBIOS_SIZE);

	return buffer ? svmrun_smbios_build(&smbios, buffer,
					    SVMRUN_SMBIOS_SIZE) :
			-ERANGE;
}

int tables_build(const struct guest *guest, const struct run_options *options)
{
	const struct svmrun_memory *low = &guest->memories[0];
	int ret = build_acpi(low, options);

	if (ret >= 0)
		ret = build_smbios(guest, options);
	if (ret >= 0)
		ret = svmrun_bda_build(low);
	if (!ret)
		return 0;
	return message_fail(STATUS_USAGE,
			    "--mem %llu: too small for a PC; use more than 1M",
			    (unsigned long long)options->memory);
}

static int add_acpi(struct svmrun_fwcfg *fwcfg, struct firmware_files *files,
		    const struct run_options *options)
{
	const struct svmrun_acpi acpi = describe_machine(options, 0);
	int size = svmrun_acpi_build(&acpi, files->acpi, TABLES_SIZE);
	int count, ret;

	if (size < 0)
		return size;
	count = svmrun_acpi_build_loader(files->acpi, size, files->commands,
					 COMMANDS);
	if (count < 0)
		return count;
	ret = svmrun_fwcfg_add_file(fwcfg, SVMRUN_ACPI_FILE_TABLES, files->acpi,
				    size);
	if (ret)
		return ret;
	ret = svmrun_fwcfg_add_file(fwcfg, SVMRUN_ACPI_FILE_RSDP, files->acpi,
				    SVMRUN_ACPI_RSDP_SIZE);
	return ret ? ret :
		     svmrun_fwcfg_add_file(fwcfg, SVMRUN_ACPI_FILE_LOADER,
					   files->commands,
					   count * sizeof(files->commands[0]));
}

static int add_smbios(struct svmrun_fwcfg *fwcfg, struct firmware_files *files,
		      const struct svmrun_smbios *smbios)
{
	int size = svmrun_smbios_build(smbios, files->smbios,
				       sizeof(files->smbios));
	int ret;

	if (size < 0)
		return size;
	ret = svmrun_fwcfg_add_file(fwcfg, SVMRUN_SMBIOS_FILE_ANCHOR,
				    files->smbios + SVMRUN_SMBIOS_ANCHOR,
				    SVMRUN_SMBIOS_ANCHOR_SIZE);
	return ret ? ret :
		     svmrun_fwcfg_add_file(fwcfg, SVMRUN_SMBIOS_FILE_TABLES,
					   files->smbios +
						   SVMRUN_SMBIOS_STRUCTURES,
					   size - SVMRUN_SMBIOS_STRUCTURES);
}

int tables_add_files(struct guest *guest, struct machine *machine)
{
	const struct svmrun_smbios smbios = describe_system(guest,
							    machine->options,
							    0);
	struct svmrun_fwcfg *fwcfg = &machine->pc.fwcfg;
	struct firmware_files *files = calloc(1, sizeof(*files));
	int ret;

	guest->files = files;
	if (!files)
		return -ENOMEM;
	files->serial_console = COM1;
	ret = add_acpi(fwcfg, files, machine->options);
	if (ret)
		return ret;
	ret = add_smbios(fwcfg, files, &smbios);
	return ret ? ret :
		     svmrun_fwcfg_add_file(fwcfg, "etc/sercon-port",
					   &files->serial_console,
					   sizeof(files->serial_console));
}

void tables_free(struct guest *guest)
{
	free(guest->files);
}
