// SPDX-License-Identifier: GPL-2.0
#include "bus.h"
#include "model/cpuid.h"
#include "machine.h"
#include "processor.h"

#include <svmrun/nested.h>

#define CPUID_LENGTH 2
#define XSETBV_LENGTH 3
#define RDTSCP_LENGTH 3
#define RDPMC_LENGTH 2
#define PERFORMANCE_COUNTERS 4 /* without PerfCtrExtCore */

static void add_svm(const void *owner, uint32_t leaf, struct cpuid *c)
{
	uint32_t registers[] = { c->eax, c->ebx, c->ecx, c->edx };

	svmrun_nested_cpuid(owner, leaf, registers);
	*c = (struct cpuid){ registers[0], registers[1], registers[2],
			     registers[3] };
}

struct cpuid_guest processor_cpuid(const struct cpu *cpu)
{
	const struct run_options *options = cpu->machine->options;
	const struct svmrun_lapic *lapic = &cpu->machine->pc.lapics[cpu->id];

	return (struct cpuid_guest){
		.host = cpuid_host,
		.minimal = options->cpu == CPU_MINIMAL,
		.hypervisor = options->hypervisor,
		.svm = cpu->svm ? add_svm : NULL,
		.svm_owner = cpu->svm,
		.tsc_khz = cpu->machine->info.out_tsc_khz,
		.overrides = options->cpuid,
		.override_count = options->cpuid_count,
		.id = cpu->id,
		.cpus = options->cpus,
		.cr4 = cpu->vcpu.vmcb->save.cr4,
		.cr4_offered = cpu->machine->info.out_cr4,
		.efer_offered = CPU_EFER & cpu->machine->info.out_efer,
		.xcr0 = cpu->vcpu.regs->xcr0,
		.xcr0_offered = cpu->machine->info.out_xcr0,
		.has_apic = svmrun_lapic_enabled(lapic),
		.gpa_bits = cpu->machine->info.out_gpa_bits,
	};
}

void exit_cpuid(struct cpu *cpu)
{
	struct svm_vmcb_save *save = &cpu->vcpu.vmcb->save;
	struct svmrun_registers *regs = cpu->vcpu.regs;
	const struct cpuid_guest guest = processor_cpuid(cpu);
	struct cpuid c = cpuid_answer(&guest, save->rax, regs->rcx);

	save->rax = c.eax;
	regs->rbx = c.ebx;
	regs->rcx = c.ecx;
	regs->rdx = c.edx;
	bus_complete(cpu, CPUID_LENGTH);
}

/* The upper half of RCX is cleared (APM volume 3, RDTSCP). */
void exit_rdtscp(struct cpu *cpu)
{
	struct svm_vmcb_save *save = &cpu->vcpu.vmcb->save;
	uint64_t tsc = cpu_tsc(cpu);

	save->rax = (uint32_t)tsc;
	cpu->vcpu.regs->rdx = tsc >> 32;
	cpu->vcpu.regs->rcx = cpu->tsc_aux;
	bus_complete(cpu, RDTSCP_LENGTH);
}

/* The counters of model_msr.h do not count. */
void exit_rdpmc(struct cpu *cpu)
{
	struct svm_vmcb_save *save = &cpu->vcpu.vmcb->save;
	struct svmrun_registers *regs = cpu->vcpu.regs;

	if ((save->cpl && !(save->cr4 & SVM_CR4_PCE)) ||
	    (uint32_t)regs->rcx >= PERFORMANCE_COUNTERS) {
		cpu_inject_gp(cpu);
		return;
	}
	save->rax = 0;
	regs->rdx = 0;
	bus_complete(cpu, RDPMC_LENGTH);
}

/* Return whether the module allows this XCR0 for a guest. */
static bool is_valid_xcr0(uint64_t value, uint64_t offered)
{
	const struct svmrun_processor processor = { .xcr0 = offered };
	const struct svmrun_registers regs = { .xcr0 = value };

	return !svmrun_registers_explain(&regs, &processor, NULL, 0);
}

void exit_xsetbv(struct cpu *cpu)
{
	const struct svm_vmcb_save *save = &cpu->vcpu.vmcb->save;
	struct svmrun_registers *regs = cpu->vcpu.regs;
	uint64_t value = regs->rdx << 32 | (uint32_t)save->rax;

	if (save->cpl || (uint32_t)regs->rcx ||
	    !is_valid_xcr0(value, cpu->machine->info.out_xcr0)) {
		cpu_inject_gp(cpu);
		return;
	}
	regs->xcr0 = value;
	bus_complete(cpu, XSETBV_LENGTH);
}
