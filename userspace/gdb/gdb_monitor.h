/* SPDX-License-Identifier: GPL-2.0 */
/* gdb's command "monitor", for a guest that is a hypervisor */
#ifndef GDB_MONITOR_H
#define GDB_MONITOR_H

#include "gdb.h"

/* Packet qRcmd: @text has the command as hexadecimal digits. */
enum gdb_result gdb_monitor(struct gdb *gdb, struct gdb_text *text);

#endif /* GDB_MONITOR_H */
