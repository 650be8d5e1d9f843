// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include <svmrun/saved.h>

#include "common/status.h"
#include "guest_svm.h"
#include "invalid.h"
#include "machine.h"
#include "nmi.h"

/* The guest decides how often it executes VMRUN: limit what that prints. */
static bool may_report(struct cpu *cpu)
{
	struct machine *machine = cpu->machine;

	if (!machine->options->explain || machine->reports > MACHINE_REPORTS)
		return false;
	machine->reports++;
	if (machine->reports <= MACHINE_REPORTS)
		return true;
	invalid_print_last(MACHINE_REPORTS, machine->options->json);
	return false;
}

static void explain(void *owner, const struct svmrun_nested_refusal *refusal)
{
	struct cpu *cpu = owner;

	if (may_report(cpu))
		invalid_print_refusal(refusal, cpu->machine->options->json);
}

static void suspect(void *owner, const struct svmrun_nested_refusal *suspicion)
{
	struct cpu *cpu = owner;

	if (may_report(cpu))
		invalid_print_suspicion(suspicion, cpu->machine->options->json);
}

int guest_svm_create(struct cpu *cpu, int device)
{
	struct machine *machine = cpu->machine;
	const struct svmrun_nested_config config = {
		.device = device,
		.vm = &machine->vm,
		.vcpu = &cpu->own,
		.memories = machine->memories,
		.memory_count = machine->memory_count,
		.rom_count = machine->rom_count,
		.info = &machine->info,
		.refused = explain,
		.suspected = machine->options->explain ? suspect : NULL,
		.owner = cpu,
	};

	cpu->own = cpu->vcpu;
	if (!machine->options->nested)
		return 0;
	return svmrun_nested_create(&cpu->svm, &config);
}

/*
 * Make the vCPU that is to be run next the processor's. The timer's signal handler may run
 * at any time: the request that it leaves in the other vCPU must not be lost.
 */
static void switch_vcpu(struct cpu *cpu)
{
	const struct svmrun_vcpu *next = svmrun_nested_vcpu(cpu->svm);
	struct svmrun_registers *old = cpu->vcpu.regs;

	if (cpu->vcpu.fd == next->fd)
		return;
	cpu->vcpu = *next;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	cpu->vcpu.regs->immediate_exit |= old->immediate_exit;
	nmi_switch(cpu);
}

void guest_svm_destroy(struct cpu *cpu)
{
	svmrun_nested_destroy(cpu->svm);
	cpu->svm = NULL;
	cpu->vcpu = cpu->own;
}

void guest_svm_reset(struct cpu *cpu)
{
	if (!cpu->svm)
		return;
	svmrun_nested_reset(cpu->svm);
	switch_vcpu(cpu);
}

void guest_svm_save(const struct cpu *cpu, struct svmrun_state *state)
{
	svmrun_vcpu_save(cpu->svm ? &cpu->own : &cpu->vcpu, state);
	if (cpu->svm)
		svmrun_nested_save(cpu->svm, state);
}

void guest_svm_load(struct cpu *cpu, struct svmrun_state *state, uint64_t ticks)
{
	svmrun_vcpu_load(&cpu->vcpu, state, ticks);
	if (!cpu->svm)
		return;
	svmrun_nested_load(cpu->svm, state, ticks);
	cpu->vcpu = *svmrun_nested_vcpu(cpu->svm);
	nmi_switch(cpu);
}

bool guest_svm_is_active(const struct cpu *cpu)
{
	return cpu->svm && svmrun_nested_is_active(cpu->svm);
}

bool guest_svm_virtual_tpr(const struct cpu *cpu)
{
	return cpu->svm && svmrun_nested_virtual_tpr(cpu->svm);
}

bool guest_svm_has_interrupt(const struct cpu *cpu)
{
	return cpu->svm && svmrun_nested_action(cpu->svm, VMEXIT_VINTR) ==
				   SVMRUN_NESTED_DELIVER;
}

const struct svm_vmcb *guest_svm_vmcb(const struct cpu *cpu, uint64_t *gpa)
{
	return cpu->svm ? svmrun_nested_vmcb(cpu->svm, gpa) : NULL;
}

void guest_svm_enter(struct cpu *cpu, bool window)
{
	if (cpu->svm)
		svmrun_nested_prepare(cpu->svm, window);
}

bool guest_svm_exit(struct cpu *cpu)
{
	int ret;

	if (!cpu->svm)
		return false;
	ret = svmrun_nested_exit(cpu->svm);
	if (ret < 0)
		cpu_end(cpu, STATUS_ENVIRONMENT, "environment",
			"cannot map memory of the guest's guest: %s",
			strerror(-ret));
	switch_vcpu(cpu);
	return ret != SVMRUN_NESTED_NOT_HANDLED;
}

bool guest_svm_fault(struct cpu *cpu)
{
	if (!cpu->svm || !svmrun_nested_fault(cpu->svm))
		return false;
	switch_vcpu(cpu);
	return true;
}

bool guest_svm_shutdown(struct cpu *cpu, const char *why)
{
	const struct svm_vmcb *vmcb = cpu->vcpu.vmcb;
	uint64_t code = vmcb->control.exitcode, rip = vmcb->save.rip;

	if (!cpu->svm || !svmrun_nested_shutdown(cpu->svm))
		return false;
	if (may_report(cpu))
		invalid_print_shutdown(code, rip, why,
				       cpu->machine->options->json);
	switch_vcpu(cpu);
	return true;
}

static enum svmrun_nested_action plain_action(const struct cpu *cpu,
					      uint64_t exitcode)
{
	const struct svm_vmcb *vmcb = cpu->vcpu.vmcb;

	if (exitcode == VMEXIT_INIT)
		return SVMRUN_NESTED_DELIVER;
	if ((vmcb->control.interrupt_shadow & SVM_SHADOW_INTERRUPT_SHADOW) ||
	    (exitcode == VMEXIT_INTR && !(vmcb->save.rflags & RFLAGS_IF)))
		return SVMRUN_NESTED_WINDOW;
	return SVMRUN_NESTED_DELIVER;
}

enum svmrun_nested_action guest_svm_action(const struct cpu *cpu,
					   uint64_t exitcode)
{
	return cpu->svm ? svmrun_nested_action(cpu->svm, exitcode) :
			  plain_action(cpu, exitcode);
}

enum svmrun_nested_action guest_svm_event(struct cpu *cpu, uint64_t exitcode)
{
	enum svmrun_nested_action action;

	if (!cpu->svm)
		return plain_action(cpu, exitcode);
	action = svmrun_nested_event(cpu->svm, exitcode);
	switch_vcpu(cpu);
	return action;
}

bool guest_svm_read_msr(const struct cpu *cpu, uint32_t msr, uint64_t *value)
{
	return cpu->svm && svmrun_nested_read_msr(cpu->svm, msr, value);
}

bool guest_svm_write_msr(struct cpu *cpu, uint32_t msr, uint64_t value)
{
	return cpu->svm && !svmrun_nested_write_msr(cpu->svm, msr, value);
}

bool guest_svm_has_msr(const struct cpu *cpu, uint32_t msr)
{
	uint64_t value;

	return guest_svm_read_msr(cpu, msr, &value);
}

bool guest_svm_get_svme(const struct cpu *cpu)
{
	return cpu->svm && svmrun_nested_get_svme(cpu->svm);
}

bool guest_svm_set_svme(struct cpu *cpu, bool svme)
{
	if (!cpu->svm)
		return !svme;
	if (svmrun_nested_set_svme(cpu->svm, svme))
		return false;
	switch_vcpu(cpu);
	return true;
}

int guest_svm_translate(void *owner, uint64_t gpa, uint32_t access,
			uint64_t *physical)
{
	const struct cpu *cpu = owner;

	*physical = gpa;
	return cpu->svm ? svmrun_nested_translate(cpu->svm, gpa, access,
						  physical) :
			  0;
}
