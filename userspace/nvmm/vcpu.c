// SPDX-License-Identifier: LGPL-2.1-or-later
/* vCPUs: creation and configuration */
#include <stdlib.h>
#include <x86intrin.h>

#include <svmrun/instruction.h>

#include "assist.h"
#include "call.h"
#include "lib/vmcb_change.h"
#include "lib/x86.h"
#include "model/vmcb_msr.h"
#include "vcpu.h"

/*
 * Programs set the TSCs of all vCPUs to the same value, one after another. For so many host ticks,
 * the same value means the same time.
 */
#define TSC_SAME (1ull << 32)

unsigned int vcpu_address_width(const struct nvmm_vcpu_private *vcpu)
{
	return vcpu->machine->info.out_cr4 & SVM_CR4_LA57 ?
		       LINEAR_BITS_5_LEVELS :
		       LINEAR_BITS_4_LEVELS;
}

uint64_t vcpu_next_rip(struct nvmm_vcpu_private *vcpu, unsigned int length)
{
	const struct svm_vmcb *vmcb = vcpu->cpu.vmcb;
	int found;

	if (vcpu->machine->info.out_svm_features & SVM_FEATURE_NRIP_SAVE)
		return vmcb->control.nrip;
	found = assist_instruction_length(vcpu);
	return vmcb->save.rip + (found > 0 ? (unsigned int)found : length);
}

uint64_t vcpu_tsc(const struct nvmm_vcpu_private *vcpu)
{
	return __rdtsc() + vcpu->cpu.vmcb->control.tsc_offset;
}

void vcpu_set_tsc(struct nvmm_vcpu_private *vcpu, uint64_t value)
{
	struct nvmm_machine_private *machine = vcpu->machine;
	uint64_t now = __rdtsc();

	pthread_mutex_lock(&machine->lock);
	if (!machine->tsc_host || value != machine->tsc ||
	    now - machine->tsc_host > TSC_SAME) {
		machine->tsc = value;
		machine->tsc_host = now;
		machine->tsc_offset = value - now;
	}
	vmcb_set_tsc_offset(vcpu->cpu.vmcb, machine->tsc_offset);
	pthread_mutex_unlock(&machine->lock);
}

bool vcpu_is_xcr0(const struct nvmm_vcpu_private *vcpu, uint64_t value)
{
	const struct svmrun_processor processor = {
		.xcr0 = vcpu->machine->info.out_xcr0,
	};
	const struct svmrun_registers regs = { .xcr0 = value };

	return !svmrun_registers_explain(&regs, &processor, NULL, 0);
}

bool vcpu_take_stop(struct nvmm_vcpu_private *vcpu)
{
	return __atomic_exchange_n(&vcpu->cpu.regs->immediate_exit, 0,
				   __ATOMIC_SEQ_CST);
}

static void reset_cpu(struct nvmm_vcpu_private *vcpu)
{
	svmrun_mode_reset(&vcpu->cpu);
	vmcb_msr_permit(&vcpu->cpu);
	vcpu->cpu.vmcb->control.intercept[4] |= SVM_INTERCEPT4_RDTSCP;
	model_msr_init(&vcpu->msrs, 0, 0);
	vcpu_set_tsc(vcpu, 0);
}

/* Called with the machine's lock held. */
static int add_vcpu(struct nvmm_machine_private *machine,
		    struct nvmm_vcpu_private *vcpu)
{
	int ret;

	if (vcpu->id >= machine->info.out_max_vcpus)
		return -EINVAL;
	if (machine->vcpus[vcpu->id])
		return -EEXIST;
	ret = svmrun_vcpu_create(&vcpu->cpu, &machine->vm);
	if (ret)
		return ret;
	machine->vcpus[vcpu->id] = vcpu;
	machine->vcpu_count++;
	return 0;
}

int nvmm_vcpu_create(struct nvmm_machine *mach, nvmm_cpuid_t cpuid,
		     struct nvmm_vcpu *vcpu)
{
	struct nvmm_machine_private *machine = mach->private_data;
	struct nvmm_vcpu_private *private;
	int ret;

	*vcpu = (struct nvmm_vcpu){ .cpuid = cpuid };
	if (!machine)
		return call_return(-ENOENT);
	private = calloc(1, sizeof(*private));
	if (!private)
		return call_return(-ENOMEM);
	private->machine = machine;
	private->id = cpuid;
	pthread_mutex_lock(&machine->lock);
	ret = add_vcpu(machine, private);
	pthread_mutex_unlock(&machine->lock);
	if (ret) {
		free(private);
		return call_return(ret);
	}
	reset_cpu(private);
	vcpu->state = &private->state;
	vcpu->event = &private->event;
	vcpu->exit = &private->exit;
	vcpu->private_data = private;
	return 0;
}

int nvmm_vcpu_destroy(struct nvmm_machine *mach, struct nvmm_vcpu *vcpu)
{
	struct nvmm_vcpu_private *private = vcpu->private_data;

	if (!private)
		return call_return(-ENOENT);
	pthread_mutex_lock(&private->machine->lock);
	private->machine->vcpus[private->id] = NULL;
	private->machine->vcpu_count--;
	pthread_mutex_unlock(&private->machine->lock);
	svmrun_vcpu_destroy(&private->cpu);
	free(private);
	*vcpu = (struct nvmm_vcpu){ .cpuid = vcpu->cpuid };
	return 0;
}

static int remove_cpuid(struct nvmm_vcpu_private *vcpu, unsigned int i)
{
	if (i < vcpu->cpuid_count)
		vcpu->cpuid[i] = vcpu->cpuid[--vcpu->cpuid_count];
	return 0;
}

static int configure_cpuid(struct nvmm_vcpu_private *vcpu, const void *argument)
{
	const struct nvmm_vcpu_conf_cpuid *conf = argument;
	unsigned int i;

	if (conf->rsvd || (conf->mask && conf->exit))
		return -EINVAL;
	for (i = 0; i < vcpu->cpuid_count; i++)
		if (vcpu->cpuid[i].leaf == conf->leaf)
			break;
	if (!conf->mask && !conf->exit)
		return remove_cpuid(vcpu, i);
	if (i == VCPU_CPUID_LEAVES)
		return -ENOBUFS;
	if (i == vcpu->cpuid_count)
		vcpu->cpuid_count++;
	vcpu->cpuid[i] = *conf;
	return 0;
}

static int configure_tpr(struct nvmm_vcpu_private *vcpu, const void *argument)
{
	const struct nvmm_vcpu_conf_tpr *conf = argument;

	if (conf->rsvd)
		return -EINVAL;
	vcpu->exit_tpr = conf->exit_changed;
	vmcb_set_intercept(vcpu->cpu.vmcb, 0, SVM_INTERCEPT0_CR_WRITE(8),
			   vcpu->exit_tpr);
	return 0;
}

static int configure_callbacks(struct nvmm_vcpu_private *vcpu,
			       const void *argument)
{
	vcpu->callbacks = *(const struct nvmm_assist_callbacks *)argument;
	return 0;
}

int nvmm_vcpu_configure(struct nvmm_machine *mach, struct nvmm_vcpu *vcpu,
			uint64_t op, void *conf)
{
	struct nvmm_vcpu_private *private = vcpu->private_data;

	switch (op) {
	case NVMM_VCPU_CONF_CALLBACKS:
		return call_return(configure_callbacks(private, conf));
	case NVMM_VCPU_CONF_CPUID:
		return call_return(configure_cpuid(private, conf));
	case NVMM_VCPU_CONF_TPR:
		return call_return(configure_tpr(private, conf));
	default:
		return call_return(-EINVAL);
	}
}

/*
 * In the thread that runs the vCPU, this is called before a run or by a signal handler. Then
 * @immediate_exit or the signal ends the run, and a kick would end the next one, too.
 */
int nvmm_vcpu_stop(struct nvmm_vcpu *vcpu)
{
	struct nvmm_vcpu_private *private = vcpu->private_data;
	int saved = errno;

	__atomic_store_n(&private->cpu.regs->immediate_exit, 1,
			 __ATOMIC_SEQ_CST);
	if (atomic_load(&private->in_run) &&
	    !pthread_equal(private->thread, pthread_self()))
		svmrun_vcpu_kick(&private->cpu);
	errno = saved;
	return 0;
}
