/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A server of gdb's remote serial protocol (gdb's manual, appendix E), on a thread of
 * its own: one gdb at a time, each processor a thread of gdb's.
 */
#ifndef GDB_H
#define GDB_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "debug/debug.h"
#include "gdb_packet.h"

/**
 * struct gdb - the server
 * @machine: the machine that is debugged
 * @debug: its state
 * @path: of a local socket, NULL for TCP
 * @listener: where gdb connects to
 * @connection: where it has, -1 if it has not
 * @thread: the server's
 * @reader: packets from gdb
 * @writer: the packet to gdb
 * @no_acks: gdb does not want them
 * @awaits_stop: gdb has let the machine go on, and waits for it to stop
 * @cpu: which processor the packets are about
 * @next_cpu: the next to be named
 */
struct gdb {
	struct machine *machine;
	struct debug debug;
	const char *path;
	int listener;
	int connection;
	pthread_t thread;
	struct gdb_reader reader;
	struct gdb_writer writer;
	bool no_acks;
	bool awaits_stop;
	unsigned int cpu;
	unsigned int next_cpu;
};

/* "PORT" or "unix:PATH" */
bool gdb_is_place(const char *place);

/*
 * The machine waits for gdb from now on. Gives 0, or a negative errno.
 */
int gdb_open(struct gdb *gdb, struct machine *machine, const char *place);

/* After the run: tells gdb how it ended. */
void gdb_close(struct gdb *gdb);

/* What becomes of a packet */
enum gdb_answer {
	GDB_REPLY, /* the writer has the reply */
	GDB_LATER, /* it comes when the machine stops */
	GDB_REPLY_AND_LEAVE, /* and that is the end of the connection */
	GDB_LEAVE,
};

/* Carries out the packet in the reader; with the machine's lock, and paused. */
enum gdb_answer gdb_command(struct gdb *gdb);

/* The reply that says why the machine has stopped */
void gdb_put_stop(struct gdb *gdb);

#endif /* GDB_H */
