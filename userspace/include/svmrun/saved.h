/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A machine in a file, from which it is resumed later, as often as needed: records of its
 * state (svmrun/state.h), and its memory. Documentation/snapshots.rst describes the file.
 *
 * A program writes the records of which its machine consists in an order of its choice:
 * svmrun_vcpu_save() for each vCPU, svmrun_pc_save() for the devices of a PC, and records of
 * its own. svmrun_saved_write() writes them and the memory to the file.
 *
 * To resume the machine, svmrun_saved_open() checks the file, svmrun_saved_map() maps the
 * memory, and the program reads the records in the same order, into objects that it has
 * created as for a new machine. Pages that a machine only reads are shared by all machines
 * that are resumed from a file.
 *
 * The file must not be written to while a machine uses it. The library does not lock files.
 */
#ifndef SVMRUN_SAVED_H
#define SVMRUN_SAVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <svmrun.h>
#include <svmrun/state.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_SAVED_VERSION 1

/**
 * svmrun_vcpu_save() - write the state of a vCPU to a record
 * @vcpu: the vCPU, which is not running, and whose last exit has been completed
 * @state: the records
 *
 * The record has the guest's registers, its extended state, and the controls of the VMCB that
 * a program sets: intercepts, TSC offset, virtual interrupt and event to be injected. The MSR
 * permission map is not part of it.
 */
void svmrun_vcpu_save(const struct svmrun_vcpu *vcpu,
		      struct svmrun_state *state);

/**
 * svmrun_vcpu_load() - read the state of a vCPU from a record
 * @vcpu: the vCPU, which is not running; the rest of its VMCB remains
 * @state: the records
 * @ticks: by how much the host's time stamp counter has advanced while the guest's has not;
 *	subtracted from the TSC offset. 0 if the guest has not been stopped
 *
 * The module checks the state at the next run, as that of any program. XSAVE areas of
 * different sizes have the part in common that the smaller one has.
 *
 * Return: 0 or the first error of @state, see svmrun_state_open().
 */
int svmrun_vcpu_load(struct svmrun_vcpu *vcpu, struct svmrun_state *state,
		     uint64_t ticks);

/**
 * struct svmrun_saved - a file with a saved machine
 * @fd: the file
 * @version: the version of its format
 * @reserved0: zero
 * @state: its records, to be read
 * @memory: offset of the machine's memory in the file, in bytes
 * @memory_size: bytes of memory
 * @reserved: zero
 */
struct svmrun_saved {
	int fd;
	uint32_t version;
	uint64_t reserved0;
	struct svmrun_state state;
	uint64_t memory;
	uint64_t memory_size;
	uint64_t reserved[4];
};

/**
 * svmrun_saved_open() - check a file, and read its records
 * @saved: filled in; free it with svmrun_saved_close(). After an error, only @version, if it
 *	was read
 * @fd: the file, which must stay open
 *
 * Return: 0 or a negative errno; -ENODATA: the file is empty, or no machine has been saved to
 * it completely; -ENOEXEC: it is another kind of file; -EOPNOTSUPP: its format has another
 * version; -EBADMSG: it is damaged, its checksum is not correct; -EINVAL: it is damaged, its
 * header is not valid; -ENXIO: it is cut off; otherwise of pread(), lseek() or malloc().
 */
int svmrun_saved_open(struct svmrun_saved *saved, int fd);

/**
 * svmrun_saved_close() - free the records
 * @saved: from svmrun_saved_open()
 *
 * Memory stays mapped, and the file open.
 */
void svmrun_saved_close(struct svmrun_saved *saved);

/**
 * svmrun_saved_map() - map the memory privately, so that writes do not change the file
 * @saved: from svmrun_saved_open()
 * @memories: @gpa and @size of each are those of the machine, in the order of
 *	svmrun_saved_write(); @base is set, to be unmapped with munmap()
 * @count: number of @memories
 *
 * Nothing is read until it is accessed.
 *
 * Return: 0 or a negative errno, after which nothing is mapped; -EINVAL: the file has memory
 * of another size; otherwise of mmap().
 */
int svmrun_saved_map(const struct svmrun_saved *saved,
		     struct svmrun_memory *memories, size_t count);

/**
 * struct svmrun_saved_source - what svmrun_saved_write() writes
 * @fd: the file, open for reading and writing
 * @pagemap: /proc/self/pagemap, open for reading; pages that do not exist according to it are
 *	not read. -1: all are read
 * @state: the records, which have been written
 * @memories: the machine's memory, in whole pages
 * @memory_count: number of @memories
 * @base: the file that @memories have been mapped from, NULL if from none
 * @cancelled: returns true if writing is to end with -ECANCELED; it is called once per
 *	megabyte. May be NULL
 * @owner: argument of @cancelled
 * @reserved: zero
 */
struct svmrun_saved_source {
	int fd;
	int pagemap;
	const struct svmrun_state *state;
	const struct svmrun_memory *memories;
	size_t memory_count;
	const struct svmrun_saved *base;
	bool (*cancelled)(void *owner);
	void *owner;
	uint64_t reserved[4];
};

/**
 * svmrun_saved_write() - save a machine to a file
 * @source: the machine, which does not run, and the file
 *
 * A machine that the file has already is replaced by the last write, after everything else
 * has reached the disk: after an error, or if the program is killed, the file still has it.
 * It is lost only if the file system cannot punch holes. Pages that consist of zeros become
 * holes.
 *
 * Return: 0 or a negative errno; -ECANCELED: @cancelled has returned true; otherwise of
 * pwrite(), ftruncate() or fdatasync().
 */
int svmrun_saved_write(const struct svmrun_saved_source *source);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_SAVED_H */
