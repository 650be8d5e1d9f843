// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <svmrun.h>

#include "engine.h"

#define ALL_RIGHTS (SVMRUN_MAP_READ | SVMRUN_MAP_WRITE | SVMRUN_MAP_EXEC)

struct machine {
	int device;
	struct svmrun_vm vm;
	struct svmrun_vcpu vcpu;
};

static void check(int result, const char *what)
{
	if (result >= 0)
		return;
	errno = -result;
	fail(what);
}

static bool available(void)
{
	return !access(SVMRUN_DEVICE, R_OK | W_OK);
}

static struct machine *create(void)
{
	struct machine *m = calloc(1, sizeof(*m));

	if (!m)
		fail("memory");
	m->device = svmrun_device_open(NULL);
	check(m->device, SVMRUN_DEVICE);
	check(svmrun_vm_create(&m->vm, m->device), "svmrun_vm_create");
	check(svmrun_vcpu_create(&m->vcpu, &m->vm), "svmrun_vcpu_create");
	svmrun_mode_protected(&m->vcpu, 0, 0);
	return m;
}

static void destroy(struct machine *m)
{
	svmrun_vcpu_destroy(&m->vcpu);
	svmrun_vm_destroy(&m->vm);
	close(m->device);
	free(m);
}

static void map(struct machine *m, uint64_t gpa, void *hva, size_t size,
		bool log)
{
	check(svmrun_vm_map(&m->vm, gpa, hva, size,
			    ALL_RIGHTS | (log ? SVMRUN_MAP_LOG_DIRTY : 0)),
	      "svmrun_vm_map");
}

/* What changes is covered by no clean bit. */
static void start(struct machine *m, uint32_t eip, uint32_t ebx, uint32_t ecx)
{
	m->vcpu.vmcb->save.rip = eip;
	m->vcpu.regs->rbx = ebx;
	m->vcpu.regs->rcx = ecx;
}

static void run(struct machine *m)
{
	check(svmrun_vcpu_run(&m->vcpu), "svmrun_vcpu_run");
	m->vcpu.vmcb->control.clean = SVM_CLEAN_ALL;
}

static void step(struct machine *m, unsigned int length)
{
	m->vcpu.vmcb->save.rip += length;
}

static void null(struct machine *m)
{
	ioctl(m->vcpu.fd, 0, 0);
}

const struct engine svmrun_engine = {
	.name = "svmrun",
	.available = available,
	.create = create,
	.destroy = destroy,
	.map = map,
	.start = start,
	.run = run,
	.step = step,
	.null = null,
};
