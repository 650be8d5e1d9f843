/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LANDLOCK_H
#define LANDLOCK_H

/*
 * Give up the file system and, as far as the kernel can do that, TCP ports, and signals and
 * abstract sockets of other processes; files that are open stay so. @socket is a file that
 * can still be removed, together with others in its directory, or NULL. Return the version
 * of Landlock's ABI, 0 if the kernel does not offer it, or a negative errno.
 */
int landlock_enter(const char *socket);

#endif /* LANDLOCK_H */
