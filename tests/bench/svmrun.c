// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <svmrun.h>

#include "engine.h"

#define ALL_PERMISSIONS (SVMRUN_MAP_READ | SVMRUN_MAP_WRITE | SVMRUN_MAP_EXEC)

struct machine {
	struct svmrun_vm vm; /* unused in a clone, which has its own */
	bool is_sibling; /* shares another machine's VM */
	struct svmrun_vcpu vcpu;
	struct svmrun_clone clone;
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

static void run(struct machine *m)
{
	int err = svmrun_vcpu_run(&m->vcpu);

	if (err != -EINTR)
		check(err, "svmrun_vcpu_run");
	m->vcpu.vmcb->control.clean = SVM_CLEAN_ALL;
}

static void step(struct machine *m, unsigned int length)
{
	m->vcpu.vmcb->save.rip += length;
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
	.sibling = sibling,
	.destroy = destroy,
	.map = map,
	.protect = protect,
	.start = start,
	.run = run,
	.step = step,
	.cpuid = cpuid,
	.null = null,
	.snapshot = snapshot,
	.discard = discard,
	.clone = clone,
	.reset = reset,
};
