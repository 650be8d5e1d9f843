/* SPDX-License-Identifier: GPL-2.0 */
/* The notes of an ELF core: registers of the processors, and Linux's own note */
#ifndef NOTES_H
#define NOTES_H

#include <stddef.h>
#include <stdint.h>

#include "vcpus.h"

/**
 * struct notes - notes that are being written
 * @bytes: the notes; NULL to find out the size that they need
 * @size: bytes that have been written
 */
struct notes {
	uint8_t *bytes;
	size_t size;
};

/* Write the registers of all processors. */
void notes_put_vcpus(struct notes *notes, const struct vcpus *vcpus);

/* Write a note that is complete already. */
void notes_put_raw(struct notes *notes, const void *note, size_t size);

#endif /* NOTES_H */
