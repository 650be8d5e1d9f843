// SPDX-License-Identifier: GPL-2.0
/*
 * Generate policy.rst from the tables in linux/svmrun_policy.h, which the module
 * enforces: make policy.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/svmrun_policy.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Names and values of all SVM_* constants. The Makefile extracts them from the headers.
 */
static const struct name {
	const char *name;
	uint64_t value;
} names[] = {
#include "policy_names.h"
};

struct control_field {
	const char *field;
	size_t offset;
	size_t size;
	uint32_t clean;
	uint64_t forced, refused, required;
};

struct feature_row {
	const char *field;
	uint64_t bits;
	uint32_t feature;
};

#define CONTROL_OFFSET(field) offsetof(struct svm_vmcb, control.field)
#define CONTROL_SIZE(field) sizeof(((struct svm_vmcb *)0)->control.field)

static struct control_field controls[] = {
#define ROW(name, bit, force, refuse, require)                                 \
	{                                                                      \
		.field = #name,                                                \
		.offset = CONTROL_OFFSET(name),                                \
		.size = CONTROL_SIZE(name),                                    \
		.clean = (bit),                                                \
		.forced = (force),                                             \
		.refused = (refuse),                                           \
		.required = (require),                                         \
	},
	SVMRUN_POLICY_CONTROL(ROW)
#undef ROW
#define ROW(name, bit)                                                         \
	{                                                                      \
		.field = #name,                                                \
		.offset = CONTROL_OFFSET(name),                                \
		.size = CONTROL_SIZE(name),                                    \
		.clean = (bit),                                                \
		.refused = ~0ull,                                              \
	},
		SVMRUN_POLICY_ZERO(ROW)
#undef ROW
};

static const struct feature_row features[] = {
#define ROW(name, mask, needed)                                                \
	{                                                                      \
		.field = #name,                                                \
		.bits = (mask),                                                \
		.feature = (needed),                                           \
	},
	SVMRUN_POLICY_FEATURES(ROW)
#undef ROW
};

struct allowed_row {
	const char *name;
	const char *prefix;
	size_t offset;
	uint64_t known;
};

static const struct allowed_row allowed[] = {
#define ROW(register, bits)                                                    \
	{                                                                      \
		.name = #register,                                             \
		.prefix = "save." #register,                                   \
		.offset = offsetof(struct svm_vmcb, save.register),            \
		.known = (bits),                                               \
	},
	SVMRUN_POLICY_ALLOWED(ROW)
#undef ROW
};

struct cpuid_row {
	const char *field;
	uint64_t bit;
	uint32_t function;
	unsigned int output, feature, is;
};

static const struct cpuid_row cpuid_rows[] = {
#define ROW(field_, mask, leaf, subleaf, number, position, set)                \
	{                                                                      \
		.field = "save." field_,                                       \
		.bit = (mask),                                                 \
		.function = (leaf),                                            \
		.output = (number),                                            \
		.feature = (position),                                         \
		.is = (set),                                                   \
	},
#define ROW_CR4(...) ROW("cr4", __VA_ARGS__)
#define ROW_EFER(...) ROW("efer", __VA_ARGS__)
	SVMRUN_POLICY_CR4(ROW_CR4) SVMRUN_POLICY_EFER(ROW_EFER)
#undef ROW_EFER
#undef ROW_CR4
#undef ROW
};

/* Return the prefix of the names of a field's bits, or NULL if they have no names. */
static const char *prefix_of(const char *field)
{
	static const struct {
		const char *field;
		const char *prefix;
	} prefixes[] = {
		{ "intercept[3]", "SVM_INTERCEPT3_" },
		{ "intercept[4]", "SVM_INTERCEPT4_" },
		{ "intercept[5]", "SVM_INTERCEPT5_" },
		{ "vintr", "SVM_VINTR_" },
		{ "interrupt_shadow", "SVM_SHADOW_" },
		{ "nested_ctl", "SVM_NESTED_" },
		{ "virt_ext", "SVM_VIRT_" },
		{ "save.cr0", "SVM_CR0_" },
		{ "save.cr4", "SVM_CR4_" },
		{ "save.efer", "SVM_EFER_" },
		{ "save.dbgctl", "SVM_DBGCTL_" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (!strcmp(prefixes[i].field, field))
			return prefixes[i].prefix;
	return NULL;
}

static const char *name_of(const char *prefix, uint64_t value)
{
	for (size_t i = 0; prefix && i < ARRAY_SIZE(names); i++)
		if (names[i].value == value &&
		    !strncmp(names[i].name, prefix, strlen(prefix)))
			return names[i].name + strlen(prefix);
	return NULL;
}

/* Return the consecutive set bits that start at the lowest one. */
static uint64_t lowest_run(uint64_t mask)
{
	uint64_t run = mask & -mask;

	while (mask & (run << 1) & ~run)
		run |= run << 1;
	return run;
}

static void print_range(uint64_t run)
{
	int first = __builtin_ctzll(run), last = 63 - __builtin_clzll(run);

	if (first == last)
		printf("bit %d", first);
	else
		printf("bits %d to %d", first, last);
}

/* Print bits by name, or by number if they have no name. */
static void print_bits(const char *field, uint64_t mask)
{
	const char *prefix = prefix_of(field), *separator = "";

	while (mask) {
		uint64_t bits = mask & -mask;
		const char *name = name_of(prefix, bits);

		if (!name) {
			bits = lowest_run(mask);
			name = name_of(prefix, bits);
		}
		printf("%s", separator);
		if (name)
			printf("%s", name);
		else
			print_range(bits);
		separator = ", ";
		mask &= ~bits;
	}
}

static uint64_t whole(const struct control_field *control)
{
	return ~0ull >> (64 - 8 * control->size);
}

static void print_features(const char *field)
{
	for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
		const struct feature_row *row = &features[i];

		if (strcmp(row->field, field))
			continue;
		printf(" Requires %s: ", name_of("SVM_FEATURE_", row->feature));
		print_bits(field, row->bits);
		printf(".");
	}
}

static void print_policy(const struct control_field *control)
{
	uint64_t refused = control->refused & whole(control);

	if (refused == whole(control)) {
		printf("Must be 0.");
		return;
	}
	printf("Set by the program.");
	if (control->forced) {
		printf(" Forced to 1: ");
		print_bits(control->field, control->forced);
		printf(".");
	}
	if (control->required) {
		printf(" Must be 1: ");
		print_bits(control->field, control->required);
		printf(".");
	}
	if (refused) {
		printf(" Must be 0: ");
		print_bits(control->field, refused);
		printf(".");
	}
	print_features(control->field);
}

static const char *clean_name(uint32_t clean)
{
	return clean ? name_of("SVM_CLEAN_", clean) : "none";
}

static int by_offset(const void *a, const void *b)
{
	const struct control_field *one = a, *other = b;

	return (one->offset > other->offset) - (one->offset < other->offset);
}

static void print_controls(void)
{
	qsort(controls, ARRAY_SIZE(controls), sizeof(controls[0]), by_offset);
	for (size_t i = 0; i < ARRAY_SIZE(controls); i++) {
		printf("   * - %03zXh\n", controls[i].offset);
		printf("     - ``%s``\n", controls[i].field);
		printf("     - %s\n     - ", clean_name(controls[i].clean));
		print_policy(&controls[i]);
		printf("\n");
	}
}

static void print_tlb_value(unsigned int value, uint32_t feature)
{
	printf("* %u, %s", value, name_of("SVM_TLB_CONTROL_", value));
	if (feature)
		printf("; requires %s", name_of("SVM_FEATURE_", feature));
	printf("\n");
}

static void print_tlb_control(void)
{
#define ROW(value, feature) print_tlb_value(value, feature);
	SVMRUN_POLICY_TLB_CONTROL(ROW)
#undef ROW
}

static void print_allowed(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
		printf("   * - %03zXh\n", allowed[i].offset);
		printf("     - ``%s``\n     - ", allowed[i].name);
		print_bits(allowed[i].prefix, allowed[i].known);
		printf(".\n");
	}
}

static const char *register_name(const struct cpuid_row *row)
{
	return strcmp(row->field, "save.cr4") ? "EFER" : "CR4";
}

static void print_cpuid(void)
{
	static const char *const outputs[] = { "EAX", "EBX", "ECX", "EDX" };

	for (size_t i = 0; i < ARRAY_SIZE(cpuid_rows); i++) {
		const struct cpuid_row *row = &cpuid_rows[i];

		printf("   * - %s.", register_name(row));
		print_bits(row->field, row->bit);
		printf("\n     - Fn%04X_%04X %s[%u]%s\n", row->function >> 16,
		       row->function & 0xffff, outputs[row->output],
		       row->feature, row->is ? "" : ", which must be 0");
	}
}

static void print_state(void)
{
	const char *separator;

#define FIELD(field)                                                           \
	printf("%s``%s``", separator, #field);                                 \
	separator = ", ";
#define GROUP(group, clean)                                                    \
	printf("   * - %s\n     - ", clean_name(clean));                       \
	separator = "";                                                        \
	SVMRUN_POLICY_STATE_##group(FIELD) printf("\n");
	SVMRUN_POLICY_STATE(GROUP)
#undef GROUP
	printf("   * - none: VMLOAD and VMSAVE load and store them in the program's VMCB\n"
	       "     - ");
	separator = "";
	SVMRUN_POLICY_VMLOAD(FIELD)
	printf("\n");
#undef FIELD
}

static const char head[] =
	".. Generated by \"make policy\" from the tables in linux/svmrun_policy.h.\n"
	"\n"
	"================\n"
	"The field policy\n"
	"================\n"
	"\n"
	"The field policy determines which values the fields of a program's VMCB may have when\n"
	"the program calls RUN, and which values the module uses instead. If a field breaks a\n"
	"rule, RUN returns 0 with EXITCODE = VMEXIT_INVALID. The registers page then contains the\n"
	"offset of the field (``out_invalid_offset``) and the reason (``out_invalid_reason``):\n"
	"SVMRUN_INVALID_MUST_BE_ZERO, SVMRUN_INVALID_MUST_BE_SET, SVMRUN_INVALID_VALUE, or\n"
	"SVMRUN_INVALID_UNSUPPORTED if the processor lacks a feature (CPUID Fn8000_000A EDX,\n"
	"which SVMRUN_INFO and ``svmrun info`` show). The processor makes its own checks\n"
	"afterwards (APM 15.5.1): SVMRUN_INVALID_PROCESSOR.\n"
	"\n"
	"A program sets a clean bit if none of the fields that belong to it has changed since the\n"
	"last RUN of this vCPU. The module does not read these fields then. Intercept vectors 0\n"
	"and 1 have one bit for reads and one for writes of each register, vector 2 has one bit\n"
	"for each exception.\n"
	"\n"
	"The control area\n"
	"================\n"
	"\n"
	".. list-table::\n"
	"   :header-rows: 1\n"
	"   :widths: 8 22 10 60\n"
	"\n"
	"   * - Offset\n"
	"     - Field\n"
	"     - Clean bit\n"
	"     - Policy\n";

static const char tlb[] =
	"\n"
	"ASID (058h, clean bit ASID) must not be 0, which is the host's. The module assigns the\n"
	"ASID that is really used; if the field changes, the vCPU drops its translations.\n"
	"\n"
	"TLB_CONTROL (05Ch) must have one of these values, which apply only to this vCPU's\n"
	"translations. Other values are refused with SVMRUN_INVALID_VALUE:\n"
	"\n";

static const char state[] =
	"\n"
	"The exit code and related fields (070h to 08Fh, nRIP, instruction bytes) are written at\n"
	"each exit. The module neither reads nor writes fields that are not listed here; they\n"
	"belong to the program.\n"
	"\n"
	"The state save area\n"
	"===================\n"
	"\n"
	"The program sets the state, and the processor checks it. EFER.SVME must be 1. The\n"
	"following registers may have only the bits that are listed (another bit is refused with\n"
	"SVMRUN_INVALID_MUST_BE_ZERO) and that the processor supports\n"
	"(SVMRUN_INVALID_UNSUPPORTED). SVMRUN_INFO and ``svmrun info`` show the bits that remain.\n"
	"\n"
	".. list-table::\n"
	"   :header-rows: 1\n"
	"   :widths: 8 12 80\n"
	"\n"
	"   * - Offset\n"
	"     - Field\n"
	"     - Allowed bits\n";

static const char cpuid[] =
	"\n"
	"CPUID determines whether the processor supports a bit of CR4 or EFER. In addition,\n"
	"OSXSAVE and PKE must be set in the host's CR4, and PKE requires PKRU in the host's XCR0:\n"
	"otherwise the corresponding state would not be switched.\n"
	"\n"
	".. list-table::\n"
	"   :header-rows: 1\n"
	"   :widths: 30 70\n"
	"\n"
	"   * - Bit\n"
	"     - CPUID\n";

static const char fields[] =
	"\n"
	"A guest cannot change these registers by itself: reads and writes of CR4, writes to CR0\n"
	"that change bits other than TS and MP, and accesses to EFER cause an exit, and the program\n"
	"emulates them. CR4.MCE is set while the guest runs if the host has it set; the program's\n"
	"VMCB retains its own value.\n"
	"\n"
	"The intercept of HLT is also forced on processors with the bug SMT_RSB, unless SMT is\n"
	"disabled permanently (``nosmt=force``).\n"
	"\n"
	"The following table shows which clean bit each field of the state save area belongs to.\n"
	"\n"
	".. list-table::\n"
	"   :header-rows: 1\n"
	"   :widths: 15 85\n"
	"\n"
	"   * - Clean bit\n"
	"     - Fields\n";

int main(void)
{
	fputs(head, stdout);
	print_controls();
	fputs(tlb, stdout);
	print_tlb_control();
	fputs(state, stdout);
	print_allowed();
	fputs(cpuid, stdout);
	print_cpuid();
	fputs(fields, stdout);
	print_state();
	return 0;
}
