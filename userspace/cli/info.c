// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "common/feature.h"
#include "common/json.h"
#include "common/status.h"
#include "environment.h"
#include "intercept.h"
#include "lib/array_size.h"
#include "options.h"

#define LABEL_WIDTH 24
#define LINE_WIDTH 80

static const char *const xcr0_names[64] = {
	[0] = "x87",	   [1] = "SSE",	   [2] = "AVX",	      [3] = "BNDREGS",
	[4] = "BNDCSR",	   [5] = "opmask", [6] = "ZMM_Hi256", [7] = "Hi16_ZMM",
	[9] = "PKRU",	   [11] = "CET_U", [12] = "CET_S",    [17] = "TILECFG",
	[18] = "TILEDATA",
};

static const char *const cr0_names[64] = {
	[0] = "PE",  [1] = "MP",  [2] = "EM",  [3] = "TS",
	[4] = "ET",  [5] = "NE",  [16] = "WP", [18] = "AM",
	[29] = "NW", [30] = "CD", [31] = "PG",
};

static const char *const cr4_names[64] = {
	[0] = "VME",   [1] = "PVI",	  [2] = "TSD",	       [3] = "DE",
	[4] = "PSE",   [5] = "PAE",	  [6] = "MCE",	       [7] = "PGE",
	[8] = "PCE",   [9] = "OSFXSR",	  [10] = "OSXMMEXCPT", [11] = "UMIP",
	[12] = "LA57", [16] = "FSGSBASE", [17] = "PCIDE",      [18] = "OSXSAVE",
	[20] = "SMEP", [21] = "SMAP",	  [22] = "PKE",	       [23] = "CET",
};

static const char *const efer_names[64] = {
	[0] = "SCE",	  [8] = "LME",	  [10] = "LMA",	  [11] = "NXE",
	[12] = "SVME",	  [13] = "LMSLE", [14] = "FFXSR", [15] = "TCE",
	[17] = "MCOMMIT", [18] = "INTWB", [20] = "UAIE",  [21] = "AIBRSE",
};

static const char *const dbgctl_names[64] = {
	[0] = "LBR",
	[1] = "BTF",
	[2] = "BLCKDB",
};

/**
 * struct list - words after a label, wrapped into lines of equal indentation
 * @label: the label, NULL once it has been printed
 * @column: column of the next character
 */
struct list {
	const char *label;
	unsigned int column;
};

static void list_word(struct list *list, const char *word)
{
	unsigned int length = strlen(word);

	if (list->label) {
		printf("%-*s", LABEL_WIDTH, list->label);
		list->label = NULL;
		list->column = LABEL_WIDTH;
	} else if (list->column + 1 + length > LINE_WIDTH) {
		printf("\n%*s", LABEL_WIDTH, "");
		list->column = LABEL_WIDTH;
	} else {
		putchar(' ');
		list->column++;
	}
	fputs(word, stdout);
	list->column += length;
}

static void list_end(struct list *list)
{
	if (list->label)
		list_word(list, "none");
	putchar('\n');
}

static void print_features(const char *label, uint32_t features)
{
	struct list list = { .label = label };
	unsigned int bit;

	for (bit = 0; bit < 32; bit++)
		if (feature_name(bit) && (features >> bit & 1))
			list_word(&list, feature_name(bit));
	list_end(&list);
}

static void print_intercepts(const struct svmrun_info *info)
{
	struct list list = { .label = "forced intercepts" };
	char name[INTERCEPT_NAME_SIZE];
	unsigned int i;

	for (i = 0; i < INTERCEPT_VECTORS * 32; i++) {
		if (!(info->out_forced_intercepts[i / 32] >> (i % 32) & 1))
			continue;
		intercept_name(name, i / 32, i % 32);
		list_word(&list, name);
	}
	list_end(&list);
}

/* Print the names of the bits that are set. */
static void print_register(const char *label, uint64_t bits,
			   const char *const names[64])
{
	struct list list = { .label = label };
	unsigned int bit;

	for (bit = 0; bit < 64; bit++)
		if ((bits >> bit & 1) && names[bit])
			list_word(&list, names[bit]);
	list_end(&list);
}

static void print_number(const char *label, uint32_t value, const char *unit)
{
	printf("%-*s%" PRIu32 "%s\n", LABEL_WIDTH, label, value, unit);
}

static void print_info_text(const struct svmrun_info *info, int error)
{
	printf("%-*s%s\n", LABEL_WIDTH, "guests",
	       error ? "cannot run now" : "can run");
	print_number("API version", info->out_api_version, "");
	print_number("SVM revision", info->out_svm_revision & 0xff, "");
	print_number("ASIDs", info->out_svm_asids, "");
	print_features("SVM features", info->out_svm_features);
	print_features("not on this processor", ~info->out_svm_features);
	print_intercepts(info);
	print_register("CR0 of a guest", info->out_cr0, cr0_names);
	print_register("CR4 of a guest", info->out_cr4, cr4_names);
	print_register("EFER of a guest", info->out_efer, efer_names);
	print_register("DBGCTL of a guest", info->out_dbgctl, dbgctl_names);
	print_register("XCR0 of a guest", info->out_xcr0, xcr0_names);
	print_number("XSAVE area", info->out_xsave_size, " bytes");
	print_number("vCPU's shared pages", info->out_vcpu_size, " bytes");
	print_number("guest physical address", info->out_gpa_bits, " bits");
	print_number("nested page table", info->out_npt_levels, " levels");
	if (info->out_tsc_khz)
		print_number("TSC", info->out_tsc_khz, " kHz");
	print_number("vCPUs of a VM", info->out_max_vcpus, " at most");
	print_number("regions of a VM", info->out_max_regions, " at most");
}

static void print_features_json(struct json *json, uint32_t features)
{
	unsigned int bit;

	json_object_begin(json, "svm_features");
	for (bit = 0; bit < 32; bit++)
		if (feature_name(bit))
			json_bool(json, feature_name(bit), features >> bit & 1);
	json_object_end(json);
}

static void print_intercepts_json(struct json *json, const __u32 *vectors)
{
	char name[INTERCEPT_NAME_SIZE];
	unsigned int i;

	json_array_begin(json, "forced_intercepts");
	for (i = 0; i < INTERCEPT_VECTORS * 32; i++) {
		if (!(vectors[i / 32] >> (i % 32) & 1))
			continue;
		intercept_name(name, i / 32, i % 32);
		json_string(json, NULL, name);
	}
	json_array_end(json);
}

static void print_info_json(const struct svmrun_info *info, int error)
{
	struct json json = { .file = stdout };

	json_object_begin(&json, NULL);
	json_string(&json, "condition", environment_word(error));
	json_number(&json, "api_version", info->out_api_version);
	json_number(&json, "svm_revision", info->out_svm_revision & 0xff);
	json_number(&json, "svm_asids", info->out_svm_asids);
	print_features_json(&json, info->out_svm_features);
	print_intercepts_json(&json, info->out_forced_intercepts);
	json_hex(&json, "cr0", info->out_cr0);
	json_hex(&json, "cr4", info->out_cr4);
	json_hex(&json, "efer", info->out_efer);
	json_hex(&json, "dbgctl", info->out_dbgctl);
	json_hex(&json, "xcr0", info->out_xcr0);
	json_number(&json, "xsave_size", info->out_xsave_size);
	json_number(&json, "vcpu_size", info->out_vcpu_size);
	json_number(&json, "gpa_bits", info->out_gpa_bits);
	json_number(&json, "npt_levels", info->out_npt_levels);
	json_number(&json, "tsc_khz", info->out_tsc_khz);
	json_number(&json, "max_vcpus", info->out_max_vcpus);
	json_number(&json, "max_regions", info->out_max_regions);
	json_object_end(&json);
	putchar('\n');
}

/* Create a VM for a moment: only that shows whether SVM is free. Return 0 or an errno. */
static int try_vm(int device)
{
	struct svmrun_vm vm;
	int ret = svmrun_vm_create(&vm, device);

	if (!ret)
		svmrun_vm_destroy(&vm);
	return -ret;
}

int info_main(int argc, char **argv)
{
	struct info_options options;
	struct svmrun_info info;
	int ret, error, device;

	ret = options_parse_info(&options, argc, argv);
	if (ret)
		return ret;
	device = environment_open(&info);
	if (device < 0)
		return -device;
	error = try_vm(device);
	close(device);
	if (options.json)
		print_info_json(&info, error);
	else
		print_info_text(&info, error);
	return error ? environment_vm_failed(error) : STATUS_HALTED;
}
