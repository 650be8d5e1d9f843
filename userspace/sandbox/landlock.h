/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LANDLOCK_H
#define LANDLOCK_H

#include "sandbox.h"

/*
 * Give up the file system and, as far as the kernel can do that, TCP ports, and signals and
 * abstract sockets of other processes; files that are open stay so. The socket can still be
 * removed, together with others in its directory, and the inputs can be read. Return the
 * version of Landlock's ABI, 0 if the kernel does not offer it, or a negative errno.
 */
int landlock_enter(const struct sandbox_needs *needs);

#endif /* LANDLOCK_H */
