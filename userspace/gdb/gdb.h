/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A stub for gdb's remote serial protocol (gdb's manual, appendix E). It has its own
 * thread, and serves one gdb at a time. Each processor is a thread for gdb.
 */
#ifndef GDB_H
#define GDB_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "debug/debug.h"
#include "gdb_packet.h"

/**
 * struct gdb - the stub
 * @machine: the machine that is debugged
 * @debug: its debugging state
 * @path: path of a local socket, NULL for TCP
 * @listener: the listening socket
 * @connection: the connection to gdb, -1 if there is none
 * @has_begun: this connection has sent something of gdb's protocol
 * @thread: the stub's thread, if @has_thread
 * @has_thread: the thread has been started
 * @reader: packets from gdb
 * @writer: the packet to gdb
 * @no_acks: packets are not acknowledged
 * @awaits_stop: gdb has resumed the machine, and waits for a stop reply
 * @cpu: the processor that packets apply to
 * @next_cpu: the next one for qsThreadInfo
 */
struct gdb {
	struct machine *machine;
	struct debug debug;
	const char *path;
	int listener;
	int connection;
	bool has_begun;
	pthread_t thread;
	bool has_thread;
	struct gdb_reader reader;
	struct gdb_writer writer;
	bool no_acks;
	bool awaits_stop;
	unsigned int cpu;
	unsigned int next_cpu;
};

/* Return whether it is "unix:PATH", "PORT", "ADDRESS:PORT" or "[ADDRESS]:PORT". */
bool gdb_is_place(const char *place);

/*
 * Listen, and pause the machine until gdb resumes it. Then start the thread. Both return 0
 * or a negative errno.
 */
int gdb_open(struct gdb *gdb, struct machine *machine, const char *place);
int gdb_start(struct gdb *gdb);

/* Call it after the run, or without one. It waits until gdb has been notified of the end. */
void gdb_close(struct gdb *gdb);

/* Result of a packet */
enum gdb_result {
	GDB_REPLY, /* send the reply in the writer */
	GDB_NO_REPLY, /* a stop reply follows when the machine stops */
	GDB_REPLY_AND_CLOSE, /* send the reply, and close the connection */
	GDB_CLOSE,
};

/*
 * Execute the packet in the reader. Call it with the machine's lock held, while it is
 * paused.
 */
enum gdb_result gdb_command(struct gdb *gdb);

/* Write the stop reply: why the machine has stopped. */
void gdb_put_stop(struct gdb *gdb);

#endif /* GDB_H */
