// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Save a machine to a file, and resume it twice. The guest prints letters; it has the next
 * one in a register, and their number in its memory. Without an error, this prints
 *
 *	created: a1 b2 c3
 *	resumed: d4 e5 f6
 *	resumed: d4 e5 f6
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <svmrun.h>
#include <svmrun/saved.h>

#define MEMORY (1 << 20)
#define LETTERS 3
#define NUMBER 0x9000 /* address of the number in the guest's memory */

struct machine {
	struct svmrun_vm vm;
	struct svmrun_memory memory;
	struct svmrun_vcpu vcpu;
};

static void check(int error, const char *what)
{
	if (error >= 0)
		return;
	fprintf(stderr, "save: %s: %s\n", what, strerror(-error));
	exit(1);
}

/* mov al, 'a'; next: inc byte [0x9000]; out 0x80, al; inc ax; jmp next */
static const char guest[] = "\xb0\x61\xfe\x06\x00\x90\xe6\x80\x40\xeb\xf7";

/* A vCPU is created in the same way for a new machine and for one that is resumed. */
static void create_vcpu(struct machine *machine)
{
	check(svmrun_vcpu_create(&machine->vcpu, &machine->vm), "vCPU");
	svmrun_mode_real(&machine->vcpu, 0, 0x7c00);
}

static void create(struct machine *machine, int device)
{
	check(svmrun_vm_create(&machine->vm, device), "VM");
	check(svmrun_memory_create(&machine->memory, &machine->vm, 0, MEMORY),
	      "memory");
	check(svmrun_image_load_flat(&machine->memory, guest, sizeof(guest) - 1,
				     0x7c00),
	      "guest");
	create_vcpu(machine);
}

static void run(struct machine *machine, const char *name)
{
	struct svm_vmcb *vmcb = machine->vcpu.vmcb;
	const char *number = svmrun_memory_at(&machine->memory, NUMBER, 1);
	struct svmrun_ioio io;
	int i;

	printf("%s:", name);
	for (i = 0; i < LETTERS; i++) {
		check(svmrun_vcpu_run(&machine->vcpu), "run");
		check(svmrun_ioio_decode(&io, vmcb), "exit");
		printf(" %c%d", svmrun_ioio_value(&io, vmcb), *number);
		svmrun_ioio_complete(&io, vmcb, 0);
	}
	putchar('\n');
}

static void destroy(struct machine *machine)
{
	svmrun_vcpu_destroy(&machine->vcpu);
	svmrun_vm_destroy(&machine->vm);
	svmrun_memory_destroy(&machine->memory);
}

/* The last exit has been completed, so that nothing of it remains to be done. */
static void save(const struct machine *machine, int file)
{
	char records[1 << 16];
	struct svmrun_state state;
	const struct svmrun_saved_source source = {
		.fd = file,
		.pagemap = -1,
		.state = &state,
		.memories = &machine->memory,
		.memory_count = 1,
	};

	svmrun_state_init(&state, records, sizeof(records));
	svmrun_vcpu_save(&machine->vcpu, &state);
	check(state.error, "records");
	check(svmrun_saved_write(&source), "file");
}

static void resume(struct machine *machine, int device, int file)
{
	struct svmrun_saved saved;

	check(svmrun_saved_open(&saved, file), "file");
	machine->memory = (struct svmrun_memory){ .size = MEMORY };
	check(svmrun_saved_map(&saved, &machine->memory, 1), "memory");
	check(svmrun_vm_create(&machine->vm, device), "VM");
	check(svmrun_vm_map(&machine->vm, 0, machine->memory.base, MEMORY,
			    SVMRUN_MAP_READ | SVMRUN_MAP_WRITE |
				    SVMRUN_MAP_EXEC),
	      "memory");
	create_vcpu(machine);
	check(svmrun_vcpu_load(&machine->vcpu, &saved.state, 0), "vCPU");
	svmrun_saved_close(&saved);
}

int main(void)
{
	int device = svmrun_device_open(NULL), file;
	struct machine machine;
	int i;

	check(device, SVMRUN_DEVICE);
	file = memfd_create("saved", MFD_CLOEXEC);
	check(file, "file");
	create(&machine, device);
	run(&machine, "created");
	save(&machine, file);
	destroy(&machine);
	for (i = 0; i < 2; i++) {
		resume(&machine, device, file);
		run(&machine, "resumed");
		destroy(&machine);
	}
	close(file);
	close(device);
	return 0;
}
