/* SPDX-License-Identifier: GPL-2.0 */
/* The tables that describe the machine: for kernels in memory, for firmware in fw_cfg */
#ifndef GUEST_TABLES_H
#define GUEST_TABLES_H

#include "guest.h"

/* Write the tables for a kernel. Return 0, or the exit status after a message. */
int tables_build(const struct guest *guest, const struct run_options *options);

/* Add the files for firmware, which builds the tables. Return 0 or a negative errno. */
int tables_add_files(struct guest *guest, struct machine *machine);

void tables_free(struct guest *guest);

#endif /* GUEST_TABLES_H */
