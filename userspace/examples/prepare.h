/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Load a guest with the protocol of service.h, run it until it waits for input, and take
 * a snapshot, so that its start-up is done only once.
 */
#ifndef PREPARE_H
#define PREPARE_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <svmrun.h>

#include "service.h"

#define MEMORY_SIZE (4ul << 20)
#define TABLES 0x10000ul
#define STACK 0x80000ul /* top of the stack; guests are linked to 1 MiB */

/**
 * struct prepared_guest - a guest that waits for input
 * @device: the device, for clones
 * @snapshot: the guest
 * @input: guest physical address of its input buffer
 * @room: size of the input buffer in bytes
 * @map: guest physical address of its map of executed code
 * @map_size: size of the map in bytes
 */
struct prepared_guest {
	int device;
	struct svmrun_snapshot snapshot;
	uint64_t input, room;
	uint64_t map, map_size;
};

#define STATUS_FAILED 2

/* Print a message and exit if @ret is a negative errno. */
static inline int must(const char *what, int ret)
{
	if (ret >= 0)
		return ret;
	fprintf(stderr, "%s: %s\n", what, strerror(-ret));
	exit(STATUS_FAILED);
}

/* Read a stream of up to @room bytes. The caller frees the result. */
static inline void *read_all(const char *name, FILE *file, size_t room,
			     size_t *size)
{
	char *bytes = malloc(room + 1);

	must(name, bytes ? 0 : -ENOMEM);
	*size = fread(bytes, 1, room + 1, file);
	must(name, ferror(file) ? -EIO : 0);
	must(name, *size > room ? -EFBIG : 0);
	return bytes;
}

/* Run the guest until an exit that a signal did not cause. */
static inline int run_until_exit(struct svmrun_vcpu *vcpu)
{
	int ret;

	do {
		ret = svmrun_vcpu_run(vcpu);
	} while (ret == -EINTR);
	return ret;
}

/* Complete an OUT to @port, and return its value, or -EPROTO for any other exit. */
static inline int finish_out(struct svmrun_vcpu *vcpu, uint16_t port)
{
	struct svmrun_ioio io;
	int value;

	if (svmrun_ioio_decode(&io, vcpu->vmcb) || io.in || io.port != port)
		return -EPROTO;
	value = svmrun_ioio_value(&io, vcpu->vmcb) & 0xff;
	svmrun_ioio_complete(&io, vcpu->vmcb, 0);
	return value;
}

static inline uint64_t load_guest(struct svmrun_memory *memory,
				  const char *path)
{
	FILE *file = fopen(path, "re");
	uint64_t entry;
	size_t size;
	void *image;

	must(path, file ? 0 : -errno);
	image = read_all(path, file, MEMORY_SIZE, &size);
	must(path, svmrun_image_load_elf64(memory, image, size, &entry));
	free(image);
	fclose(file);
	return entry;
}

/* Take the snapshot of the guest, which waits for input. */
static inline void keep_snapshot(struct prepared_guest *prepared,
				 const struct svmrun_memory *memory,
				 const struct svmrun_vcpu *vcpu)
{
	prepared->input = vcpu->regs->rdi;
	prepared->room = vcpu->regs->rsi;
	prepared->map = vcpu->regs->rdx;
	prepared->map_size = vcpu->regs->rcx;
	must("cannot take a snapshot",
	     svmrun_snapshot_take(&prepared->snapshot, memory, 1, vcpu, 1));
}

/**
 * prepare_guest() - load a guest, run it until it waits for input, and take a snapshot
 * @prepared: filled in; free it with destroy_prepared_guest()
 * @path: the guest, an ELF image
 *
 * The VM in which the guest has run is destroyed.
 */
static inline void prepare_guest(struct prepared_guest *prepared,
				 const char *path)
{
	struct svmrun_memory memory;
	struct svmrun_vcpu vcpu;
	struct svmrun_vm vm;
	uint64_t entry;

	prepared->device = must(SVMRUN_DEVICE, svmrun_device_open(NULL));
	must("cannot create a VM", svmrun_vm_create(&vm, prepared->device));
	must("cannot map memory",
	     svmrun_memory_create(&memory, &vm, 0, MEMORY_SIZE));
	must("cannot create a vCPU", svmrun_vcpu_create(&vcpu, &vm));
	entry = load_guest(&memory, path);
	must(path, svmrun_mode_long(&vcpu, &memory, TABLES, entry, STACK));
	must("cannot run the guest", run_until_exit(&vcpu));
	must(path, finish_out(&vcpu, SERVICE_WAIT));
	keep_snapshot(prepared, &memory, &vcpu);
	svmrun_vcpu_destroy(&vcpu);
	svmrun_memory_destroy(&memory);
	svmrun_vm_destroy(&vm);
}

/**
 * destroy_prepared_guest() - destroy a prepared guest
 * @prepared: from prepare_guest(); its clones must have been destroyed
 */
static inline void destroy_prepared_guest(struct prepared_guest *prepared)
{
	svmrun_snapshot_destroy(&prepared->snapshot);
	close(prepared->device);
}

#endif /* PREPARE_H */
