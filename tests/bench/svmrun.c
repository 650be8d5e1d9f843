// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <svmrun.h>
#include <svmrun/nested.h>

#include "engine.h"

#define ALL_PERMISSIONS (SVMRUN_MAP_READ | SVMRUN_MAP_WRITE | SVMRUN_MAP_EXEC)

#define MEMORIES 4 /* that are known to the guest's SVM */

struct machine {
	struct svmrun_vm vm; /* unused in a clone, which has its own */
	bool is_sibling; /* shares another machine's VM */
	struct svmrun_vcpu vcpu;
	struct svmrun_clone clone;
	struct svmrun_memory memories[MEMORIES];
	size_t memory_count;
	struct svmrun_info info;
	struct svmrun_nested *nested; /* or NULL */
};

struct snapshot {
	struct svmrun_snapshot kept;
};

static void check(int result, const char *what)
{
	if (result >= 0)
		return;
	errno = -result;
	fail(what);
}

static int device = -1;

static bool open_device(void)
{
	device = svmrun_device_open(NULL);
	return device >= 0;
}

static void close_device(void)
{
	close(device);
}

static struct machine *machine_alloc(void)
{
	struct machine *m = calloc(1, sizeof(*m));

	if (!m)
		fail("memory");
	return m;
}

static struct machine *create(void)
{
	struct machine *m = machine_alloc();

	check(svmrun_vm_create(&m->vm, device), "svmrun_vm_create");
	return m;
}

static void vcpu(struct machine *m)
{
	check(svmrun_vcpu_create(&m->vcpu, &m->vm), "svmrun_vcpu_create");
	svmrun_mode_protected(&m->vcpu, 0, 0);
}

static void long_mode(struct machine *m, uint32_t cr3)
{
	struct svm_vmcb_save *save = &m->vcpu.vmcb->save;

	save->cs.attrib = 0xa9b; /* G, L, P, S, code */
	save->cr3 = cr3;
	save->cr4 |= 0x20; /* PAE */
	save->efer |= 0x500; /* LMA, LME */
	save->cr0 |= 0x80000000; /* PG */
}

static void give_svm(struct machine *m)
{
	const struct svmrun_nested_config config = {
		.device = device,
		.vm = &m->vm,
		.vcpu = &m->vcpu,
		.memories = m->memories,
		.memory_count = m->memory_count,
		.info = &m->info,
	};

	check(svmrun_device_info(device, &m->info, sizeof(m->info)),
	      "svmrun_device_info");
	check(svmrun_nested_create(&m->nested, &config),
	      "svmrun_nested_create");
	check(svmrun_nested_set_svme(m->nested, true), "EFER.SVME");
}

static struct machine *sibling(struct machine *m)
{
	struct machine *other = machine_alloc();

	other->vm = m->vm;
	other->is_sibling = true;
	vcpu(other);
	return other;
}

static void destroy(struct machine *m)
{
	svmrun_nested_destroy(m->nested);
	if (m->clone.snapshot) {
		svmrun_clone_destroy(&m->clone);
	} else {
		svmrun_vcpu_destroy(&m->vcpu);
		if (!m->is_sibling)
			svmrun_vm_destroy(&m->vm);
	}
	free(m);
}

static void map(struct machine *m, uint64_t gpa, void *hva, size_t size,
		bool log)
{
	check(svmrun_vm_map(&m->vm, gpa, hva, size,
			    ALL_PERMISSIONS | (log ? SVMRUN_MAP_LOG_DIRTY : 0)),
	      "svmrun_vm_map");
	if (m->memory_count < MEMORIES)
		m->memories[m->memory_count++] = (struct svmrun_memory){
			.base = hva, .gpa = gpa, .size = size
		};
}

static void protect(struct machine *m, uint64_t gpa, void *hva, bool writable)
{
	const uint32_t rights = SVMRUN_MAP_READ | SVMRUN_MAP_EXEC;

	check(svmrun_vm_protect(&m->vm, gpa, 4096,
				rights | (writable ? SVMRUN_MAP_WRITE : 0)),
	      "svmrun_vm_protect");
}

/* No clean bit covers the fields that change. */
static void start(struct machine *m, uint32_t eip, uint32_t ebx, uint32_t ecx)
{
	m->vcpu.vmcb->save.rip = eip;
	m->vcpu.regs->rbx = ebx;
	m->vcpu.regs->rcx = ecx;
}

/* Run the guest, or its own guest, until an exit that is the program's. */
static void run_nested(struct machine *m)
{
	struct svmrun_vcpu *vcpu;
	int ret;

	do {
		vcpu = svmrun_nested_vcpu(m->nested);
		svmrun_nested_prepare(m->nested, false);
		ret = svmrun_vcpu_run(vcpu);
		if (ret == -EINTR)
			continue;
		check(ret, "svmrun_vcpu_run");
		vcpu->vmcb->control.eventinj = 0;
		if (vcpu == &m->vcpu)
			vcpu->vmcb->control.clean = SVM_CLEAN_ALL;
		ret = svmrun_nested_exit(m->nested);
		check(ret, "svmrun_nested_exit");
		vcpu = svmrun_nested_vcpu(m->nested);
		if (ret && vcpu->vmcb->control.exitintinfo)
			vcpu->vmcb->control.eventinj =
				vcpu->vmcb->control.exitintinfo;
	} while (ret);
}

static void run(struct machine *m)
{
	int err;

	if (m->nested) {
		run_nested(m);
		return;
	}
	err = svmrun_vcpu_run(&m->vcpu);

	if (err != -EINTR)
		check(err, "svmrun_vcpu_run");
	m->vcpu.vmcb->control.clean = SVM_CLEAN_ALL;
}

static void step(struct machine *m, unsigned int length)
{
	m->vcpu.vmcb->save.rip += length;
}

static void pend_interrupt(struct machine *m)
{
	struct svm_vmcb *vmcb = svmrun_nested_vcpu(m->nested)->vmcb;

	vmcb->save.rip = vmcb->control.exitinfo2;
	if (svmrun_nested_event(m->nested, VMEXIT_INTR) != SVMRUN_NESTED_EXITED)
		fail("an interrupt that is no #VMEXIT");
}

static bool cpuid(struct machine *m)
{
	if (m->vcpu.vmcb->control.exitcode != VMEXIT_CPUID)
		return false;
	m->vcpu.vmcb->save.rax = 0;
	m->vcpu.regs->rbx = 0;
	m->vcpu.regs->rcx = 0;
	m->vcpu.regs->rdx = 0;
	step(m, 2);
	return true;
}

static void null(struct machine *m)
{
	ioctl(m->vcpu.fd, 0, 0);
}

static struct snapshot *snapshot(struct machine *m, void *memory, size_t size)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
	struct svmrun_memory low = { .base = memory, .size = size };

	if (!snapshot)
		fail("memory");
	check(svmrun_snapshot_take(&snapshot->kept, &low, 1, &m->vcpu, 1),
	      "svmrun_snapshot_take");
	return snapshot;
}

static void discard(struct snapshot *snapshot)
{
	svmrun_snapshot_destroy(&snapshot->kept);
	free(snapshot);
}

static struct machine *clone(const struct snapshot *snapshot)
{
	struct machine *m = machine_alloc();

	check(svmrun_clone(&m->clone, &snapshot->kept, device), "svmrun_clone");
	m->vcpu = m->clone.vcpus[0];
	return m;
}

static void reset(struct machine *m)
{
	check(svmrun_reset(&m->clone), "svmrun_reset");
}

const struct engine svmrun_engine = {
	.name = "svmrun",
	.cuts = true,
	.open = open_device,
	.close = close_device,
	.create = create,
	.vcpu = vcpu,
	.long_mode = long_mode,
	.nested = give_svm,
	.sibling = sibling,
	.destroy = destroy,
	.map = map,
	.protect = protect,
	.start = start,
	.run = run,
	.step = step,
	.interrupt = pend_interrupt,
	.cpuid = cpuid,
	.null = null,
	.snapshot = snapshot,
	.discard = discard,
	.clone = clone,
	.reset = reset,
};
