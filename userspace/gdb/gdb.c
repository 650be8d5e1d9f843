// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/message.h"
#include "common/number.h"
#include "common/signals.h"
#include "common/status.h"
#include "common/thread.h"
#include "debug/pause.h"
#include "gdb.h"

#define UNIX "unix:"
#define PORT_MAX 65535
#define SEND_TIME 5000 /* ms to wait for a gdb that does not read */

/* ---- the listening socket ------------------------------------------------ */

/**
 * struct address - where to listen
 * @socket: for bind()
 * @size: bytes of it
 */
struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in ipv4;
		struct sockaddr_in6 ipv6;
		struct sockaddr_un local;
	} socket;
	socklen_t size;
};

static const char *unix_path(const char *place)
{
	return strncmp(place, UNIX, strlen(UNIX)) ? NULL : place + strlen(UNIX);
}

static bool parse_port(const char *text, in_port_t *port)
{
	uint64_t number;

	if (!number_address(text, &number) || !number || number > PORT_MAX)
		return false;
	*port = htons(number);
	return true;
}

static bool parse_unix(const char *path, struct address *address)
{
	struct sockaddr_un *local = &address->socket.local;

	local->sun_family = AF_UNIX;
	address->size = sizeof(*local);
	if (!*path || strlen(path) >= sizeof(local->sun_path))
		return false;
	strcpy(local->sun_path, path);
	return true;
}

static bool parse_ipv4(const char *host, const char *port,
		       struct address *address)
{
	struct sockaddr_in *ipv4 = &address->socket.ipv4;

	ipv4->sin_family = AF_INET;
	address->size = sizeof(*ipv4);
	return inet_pton(AF_INET, host, &ipv4->sin_addr) == 1 &&
	       parse_port(port, &ipv4->sin_port);
}

/* @host is "[ADDRESS]". */
static bool parse_ipv6(char *host, const char *port, struct address *address)
{
	struct sockaddr_in6 *ipv6 = &address->socket.ipv6;
	size_t size = strlen(host);

	ipv6->sin6_family = AF_INET6;
	address->size = sizeof(*ipv6);
	if (host[size - 1] != ']')
		return false;
	host[size - 1] = 0;
	return inet_pton(AF_INET6, host + 1, &ipv6->sin6_addr) == 1 &&
	       parse_port(port, &ipv6->sin6_port);
}

/*
 * Without an address, accept connections only from this host: a debugger can do anything
 * to the guest.
 */
static bool parse_place(const char *place, struct address *address)
{
	char host[INET6_ADDRSTRLEN + 2]; /* and brackets */
	const char *colon = strrchr(place, ':');
	size_t size = colon ? colon - place : 0;

	memset(address, 0, sizeof(*address));
	if (unix_path(place))
		return parse_unix(unix_path(place), address);
	if (!colon)
		return parse_ipv4("127.0.0.1", place, address);
	if (!size || size >= sizeof(host))
		return false;
	memcpy(host, place, size);
	host[size] = 0;
	return *host == '[' ? parse_ipv6(host, colon + 1, address) :
			      parse_ipv4(host, colon + 1, address);
}

bool gdb_is_place(const char *place)
{
	struct address address;

	return parse_place(place, &address);
}

/* Only this user can connect to a local socket, from its creation on. */
static int bind_privately(int fd, const struct address *address)
{
	mode_t old = umask(0177);
	int ret = bind(fd, &address->socket.any, address->size);

	umask(old);
	return ret;
}

static int listen_at(const struct address *address)
{
	const int on = 1;
	int ret, fd = socket(address->socket.any.sa_family,
			     SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	/* Without it the port could not be used again for some time. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!bind_privately(fd, address) && !listen(fd, 1))
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

static int listen_for_gdb(struct gdb *gdb, const char *place)
{
	struct address address;

	gdb->path = unix_path(place);
	return parse_place(place, &address) ? listen_at(&address) : -EINVAL;
}

static void close_listener(struct gdb *gdb)
{
	close(gdb->listener);
	if (gdb->path)
		unlink(gdb->path);
}

/* ---- a connection -------------------------------------------------------- */

/*
 * Wait without the lock until gdb reads. Return false if it does not, or if a signal ends
 * the run meanwhile.
 */
static bool wait_for_reader(struct gdb *gdb)
{
	struct pollfd fds[] = {
		{ .fd = gdb->connection, .events = POLLOUT },
		{ .fd = signals_fd(), .events = POLLIN },
	};
	int ret;

	pthread_mutex_unlock(&gdb->machine->lock);
	ret = poll(fds, 2, SEND_TIME);
	pthread_mutex_lock(&gdb->machine->lock);
	return ret > 0 && !fds[1].revents;
}

static bool send_bytes(struct gdb *gdb, const char *bytes, size_t size)
{
	ssize_t done;

	while (size) {
		done = send(gdb->connection, bytes, size,
			    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (done < 0 && errno == EAGAIN && wait_for_reader(gdb))
			continue;
		if (done <= 0)
			return false;
		bytes += done;
		size -= done;
	}
	return true;
}

static bool send_packet(struct gdb *gdb)
{
	char frame[GDB_FRAME_MAX];

	return send_bytes(gdb, frame, gdb_frame(&gdb->writer, frame));
}

static void accept_connection(struct gdb *gdb)
{
	const int on = 1;

	gdb->connection = accept4(gdb->listener, NULL, NULL, SOCK_CLOEXEC);
	if (gdb->connection < 0)
		return;
	setsockopt(gdb->connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	memset(&gdb->reader, 0, sizeof(gdb->reader));
	gdb->has_begun = false;
	gdb->no_acks = false;
	gdb->awaits_stop = false;
	gdb->cpu = 0;
}

static void begin_session(struct gdb *gdb)
{
	if (gdb->has_begun)
		return;
	gdb->has_begun = true;
	gdb->debug.stop = (struct debug_stop){ .reason = DEBUG_STEPPED };
	debug_pause(gdb->machine);
}

/* A connection that was not gdb's has no effect on the machine. */
static void drop_connection(struct gdb *gdb)
{
	close(gdb->connection);
	gdb->connection = -1;
	if (gdb->has_begun)
		debug_release(gdb->machine);
}

/* Standard error may block, so print the message without the lock. */
static void report_foreign(struct gdb *gdb, uint8_t byte)
{
	pthread_mutex_unlock(&gdb->machine->lock);
	message_warn("--gdb %s: connection closed: byte 0x%02x is not of gdb's protocol",
		     gdb->machine->options->gdb, byte);
	pthread_mutex_lock(&gdb->machine->lock);
}

/* ---- packets ------------------------------------------------------------- */

static bool send_ack(struct gdb *gdb, const char *sign)
{
	return gdb->no_acks || send_bytes(gdb, sign, 1);
}

static bool execute_packet(struct gdb *gdb)
{
	/* QStartNoAckMode itself is still acknowledged, so do this first. */
	if (!send_ack(gdb, "+"))
		return false;
	switch (gdb_command(gdb)) {
	case GDB_REPLY:
		return send_packet(gdb);
	case GDB_NO_REPLY:
		return true;
	case GDB_REPLY_AND_CLOSE:
		send_packet(gdb);
		return false;
	default:
		return false;
	}
}

/* Handle Ctrl-C. If the machine has paused already, that reason is kept. */
static void interrupt_machine(struct gdb *gdb)
{
	struct machine *machine = gdb->machine;

	if (gdb->debug.paused)
		return;
	gdb->debug.stop = (struct debug_stop){ .reason = DEBUG_INTERRUPTED,
					       .cpu = gdb->cpu };
	debug_pause(machine);
	debug_notify(machine);
}

static bool take_byte(struct gdb *gdb, uint8_t byte)
{
	enum gdb_event event = gdb_reader_take(&gdb->reader, byte);

	/* Another program may have connected, such as a browser. */
	if (event == GDB_FOREIGN || (!gdb->has_begun && event == GDB_NAK)) {
		report_foreign(gdb, byte);
		return false;
	}
	begin_session(gdb);
	switch (event) {
	case GDB_PACKET:
		/* gdb sends no packets while the machine runs; ignore them. */
		return gdb->awaits_stop || execute_packet(gdb);
	case GDB_BROKEN:
		return send_ack(gdb, "-");
	case GDB_NAK:
		return gdb->awaits_stop || send_packet(gdb);
	case GDB_BREAK:
		interrupt_machine(gdb);
		return true;
	default:
		return true;
	}
}

static void receive_bytes(struct gdb *gdb)
{
	uint8_t bytes[4096];
	ssize_t i, got;

	got = recv(gdb->connection, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	for (i = 0; i < got && !gdb->machine->outcome.ended; i++)
		if (!take_byte(gdb, bytes[i]))
			break;
	if (got <= 0 || i < got)
		drop_connection(gdb);
}

/* ---- stop replies -------------------------------------------------------- */

static void put_exit(struct gdb *gdb)
{
	const uint8_t status = gdb->machine->outcome.status;
	const uint8_t signal = status - STATUS_SIGNAL;
	bool by_signal = !strcmp(gdb->machine->outcome.kind, "signal");

	gdb_put_text(&gdb->writer, by_signal ? "X" : "W");
	gdb_put_hex(&gdb->writer, by_signal ? &signal : &status, 1);
}

static void report_stop(struct gdb *gdb)
{
	struct machine *machine = gdb->machine;

	if (gdb->connection < 0 || !gdb->awaits_stop)
		return;
	gdb->writer.size = 0;
	if (machine->outcome.ended) {
		put_exit(gdb);
	} else if (gdb->debug.paused) {
		debug_pause(machine);
		gdb_put_stop(gdb);
	} else {
		return;
	}
	gdb->awaits_stop = false;
	if (!send_packet(gdb))
		drop_connection(gdb);
}

/* ---- the server ---------------------------------------------------------- */

/*
 * Wait without the lock for gdb or the machine. Return true if gdb has sent something or
 * has connected.
 */
static bool wait_for_gdb(struct gdb *gdb)
{
	struct machine *machine = gdb->machine;
	struct pollfd fds[] = {
		{ .fd = gdb->connection < 0 ? gdb->listener : gdb->connection,
		  .events = POLLIN },
		{ .fd = gdb->debug.event, .events = POLLIN },
	};
	uint64_t count;

	pthread_mutex_unlock(&machine->lock);
	poll(fds, 2, -1);
	if (fds[1].revents && read(fds[1].fd, &count, sizeof(count)) < 0)
		fds[1].revents = 0;
	pthread_mutex_lock(&machine->lock);
	return fds[0].revents;
}

static void *serve_gdb(void *argument)
{
	struct gdb *gdb = argument;
	struct machine *machine = gdb->machine;
	bool readable;

	pthread_mutex_lock(&machine->lock);
	outcome_confine(&machine->outcome, SANDBOX_GDB);
	while (!machine->outcome.ended) {
		readable = wait_for_gdb(gdb);
		if (readable && !machine->outcome.ended) {
			if (gdb->connection < 0)
				accept_connection(gdb);
			else
				receive_bytes(gdb);
		}
		report_stop(gdb);
	}
	report_stop(gdb);
	pthread_mutex_unlock(&machine->lock);
	return NULL;
}

int gdb_start(struct gdb *gdb)
{
	int ret = thread_start(&gdb->thread, 0, serve_gdb, gdb);

	gdb->has_thread = !ret;
	return ret;
}

int gdb_open(struct gdb *gdb, struct machine *machine, const char *place)
{
	int ret;

	memset(gdb, 0, sizeof(*gdb));
	gdb->machine = machine;
	gdb->connection = -1;
	gdb->listener = listen_for_gdb(gdb, place);
	if (gdb->listener < 0)
		return gdb->listener;
	ret = debug_open(&gdb->debug, machine);
	if (ret)
		close_listener(gdb);
	return ret;
}

void gdb_close(struct gdb *gdb)
{
	if (gdb->has_thread)
		pthread_join(gdb->thread, NULL);
	if (gdb->connection >= 0)
		close(gdb->connection);
	close_listener(gdb);
	debug_close(gdb->machine);
}
