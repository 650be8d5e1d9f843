// SPDX-License-Identifier: GPL-2.0
/*
 * What svmrun's work costs. Under --icount the TSC counts instructions, the
 * same number each time; without, it is what the clock makes of it. In the
 * current directory: svmrun_merge.ko (tests/module/merge.c).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <x86intrin.h>

#include <svmrun.h>

#define ROUNDS 1000
#define CLONES 100
#define MERGE "/sys/module/svmrun_merge/parameters/"
#define CODE 0x7c00

struct machine {
	int device;
	struct svmrun_vm vm;
	struct svmrun_memory memory;
	struct svmrun_vcpu vcpu;
};

/* 1: hlt; jmp 1b, and 1: out %al, $0x80; jmp 1b */
static const char halt[] = { 0xf4, 0xeb, 0xfd };
static const char out[] = { 0xe6, 0x80, 0xeb, 0xfc };
/* 1: mov %ax, %es; incw %es:0; add $0x100, %ax; loop 1b; hlt */
static const char write_pages[] = { 0x8e, 0xc0, 0x26, 0xff, 0x06, 0x00, 0x00,
				    0x05, 0x00, 0x01, 0xe2, 0xf4, 0xf4 };

static void fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void machine_create(struct machine *m)
{
	m->device = svmrun_device_open(NULL);
	if (m->device < 0 || svmrun_vm_create(&m->vm, m->device) ||
	    svmrun_memory_create(&m->memory, &m->vm, 0, 1 << 20) ||
	    svmrun_vcpu_create(&m->vcpu, &m->vm))
		fail("a VM");
}

static void machine_load(struct machine *m, const char *code, size_t size)
{
	svmrun_image_load_flat(&m->memory, code, size, CODE);
	svmrun_mode_real(&m->vcpu, 0, CODE);
}

static void run(struct machine *m)
{
	if (svmrun_vcpu_run(&m->vcpu))
		fail("RUN");
}

/* Ticks from one exit to the next; the guest steps over it by itself. */
static unsigned long long exits(struct machine *m, unsigned int length,
				uint32_t clean)
{
	struct svm_vmcb *vmcb = m->vcpu.vmcb;
	unsigned long long begin;

	vmcb->control.clean = 0;
	run(m);
	begin = __rdtsc();
	for (int i = 0; i < ROUNDS; i++) {
		vmcb->control.clean = clean;
		vmcb->save.rip = CODE + length;
		run(m);
	}
	return (__rdtsc() - begin) / ROUNDS;
}

static unsigned long long null_ioctl(struct machine *m)
{
	unsigned long long begin = __rdtsc();

	for (int i = 0; i < ROUNDS; i++)
		ioctl(m->vcpu.fd, 0, 0);
	return (__rdtsc() - begin) / ROUNDS;
}

static void merge_load(void)
{
	int fd = open("svmrun_merge.ko", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		fail("svmrun_merge.ko");
	close(fd);
}

static unsigned long long merge(const char *path)
{
	FILE *file = fopen(path, "r");
	unsigned long long ticks;

	if (!file || fscanf(file, "%llu", &ticks) != 1)
		fail(path);
	fclose(file);
	return ticks;
}

static void print(const char *work, unsigned long long ticks)
{
	printf("%-58s %8llu\n", work, ticks);
}

/* ---- clones -------------------------------------------------------------- */

static void clone_create(struct svmrun_clone *clone,
			 const struct svmrun_snapshot *snapshot, int device)
{
	if (svmrun_clone(clone, snapshot, device))
		fail("a clone");
}

static void clone_run(struct svmrun_clone *clone)
{
	if (svmrun_vcpu_run(&clone->vcpus[0]))
		fail("RUN");
}

/* Ticks to make one, run it if it is to, and throw it away */
static unsigned long long clones(const struct svmrun_snapshot *snapshot,
				 int device, bool running)
{
	unsigned long long begin = __rdtsc();
	struct svmrun_clone clone;

	for (int i = 0; i < CLONES; i++) {
		clone_create(&clone, snapshot, device);
		if (running)
			clone_run(&clone);
		svmrun_clone_destroy(&clone);
	}
	return (__rdtsc() - begin) / CLONES;
}

static void run_and_reset(struct svmrun_clone *clone, unsigned int pages)
{
	clone->vcpus[0].regs->rcx = pages;
	if (pages)
		clone_run(clone);
	if (svmrun_reset(clone))
		fail("a reset");
}

/* Ticks of a run that writes to so many pages, and of a reset after it */
static unsigned long long resets(const struct svmrun_snapshot *snapshot,
				 int device, unsigned int pages)
{
	unsigned long long ticks;
	struct svmrun_clone clone;

	clone_create(&clone, snapshot, device);
	run_and_reset(&clone, pages); /* the first write makes the copy */
	ticks = __rdtsc();
	for (int i = 0; i < ROUNDS; i++)
		run_and_reset(&clone, pages);
	ticks = __rdtsc() - ticks;
	svmrun_clone_destroy(&clone);
	return ticks / ROUNDS;
}

static void print_clones(struct machine *m)
{
	struct svmrun_snapshot snapshot;

	machine_load(m, write_pages, sizeof(write_pages));
	m->vcpu.vmcb->save.rax = 0x2000;
	m->vcpu.regs->rcx = 1;
	if (svmrun_snapshot_take(&snapshot, &m->memory, 1, &m->vcpu, 1))
		fail("a snapshot");
	print("clone made and destroyed", clones(&snapshot, m->device, false));
	print("clone made, run and destroyed, one page written",
	      clones(&snapshot, m->device, true));
	print("reset, nothing written", resets(&snapshot, m->device, 0));
	print("run and reset, one page written",
	      resets(&snapshot, m->device, 1));
	print("run and reset, 101 pages written",
	      resets(&snapshot, m->device, 101));
	svmrun_snapshot_destroy(&snapshot);
}

int main(void)
{
	struct machine m;

	machine_create(&m);
	merge_load();
	print("merge and publish, all vouched for by clean bits",
	      merge(MERGE "clean"));
	print("merge and publish, nothing vouched for", merge(MERGE "dirty"));
	print("null ioctl", null_ioctl(&m));
	machine_load(&m, halt, sizeof(halt));
	print("HLT exit and back, all vouched for",
	      exits(&m, 1, SVM_CLEAN_ALL));
	print("HLT exit and back, nothing vouched for", exits(&m, 1, 0));
	machine_load(&m, out, sizeof(out));
	print("OUT exit and back, all vouched for",
	      exits(&m, 2, SVM_CLEAN_ALL));
	print("OUT exit and back, nothing vouched for", exits(&m, 2, 0));
	print_clones(&m);
	return 0;
}
