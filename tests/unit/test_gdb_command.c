// SPDX-License-Identifier: GPL-2.0
/*
 * The gdb stub's replies to packets while the machine is stopped: registers, memory,
 * breakpoints, threads, and random packets.
 */
#include "debug/watch.h"
#include "gdb/gdb.h"
#include "suites.h"
#include "vcpu_pages.h"
#include "xorshift.h"

#define PACKETS 200000
#define SIZE 8192
#define RIP 0x7c00

static struct vcpu_pages pages[2];
static struct cpu cpus[2];
static struct machine machine;
static struct run_options options;
static struct gdb gdb;
static uint8_t memory[SIZE];

static void begin(void)
{
	unsigned int i;

	machine = (struct machine){ .cpus = cpus, .cpu_count = 2 };
	options = (struct run_options){ .cpus = 2 };
	machine_init(&machine, &options);
	machine.memories[0] = (struct svmrun_memory){ memory, 0x7000, SIZE };
	machine.memory_count = 1;
	gdb = (struct gdb){ .machine = &machine, .connection = -1 };
	gdb.debug.event = -1;
	gdb.debug.paused = true;
	machine.debug = &gdb.debug;
	for (i = 0; i < 2; i++) {
		cpus[i] = (struct cpu){ .machine = &machine,
					.id = i,
					.debug = &gdb.debug.cpus[i] };
		cpus[i].vcpu = vcpu_pages_fill(&pages[i]);
		svmrun_mode_reset(&cpus[i].vcpu);
		cpus[i].vcpu.vmcb->save.rip = RIP;
	}
	memset(memory, 0x90, sizeof(memory));
}

static enum gdb_result tell(const char *packet)
{
	gdb.reader.size = strlen(packet);
	memcpy(gdb.reader.packet, packet, gdb.reader.size + 1);
	return gdb_command(&gdb);
}

static bool is_reply(const char *reply)
{
	return gdb.writer.size == strlen(reply) &&
	       !memcmp(gdb.writer.packet, reply, gdb.writer.size);
}

static void replies(const char *packet, const char *reply)
{
	ck_assert_int_eq(tell(packet), GDB_REPLY);
	ck_assert_msg(is_reply(reply), "%s: %.*s, not %s", packet,
		      (int)gdb.writer.size, gdb.writer.packet, reply);
}

START_TEST(what_is_not_known_gets_an_empty_reply)
{
	begin();
	replies("vMustReplyEmpty", "");
	replies("", "");
	replies("qXfer:auxv:read::0,10", "");
	replies("gx", "");
	replies("b", "");
}

START_TEST(registers_are_those_of_the_chosen_thread)
{
	begin();
	replies("p10", "007c000000000000");
	replies("Hg2", "OK");
	replies("qC", "QC2");
	replies("P10=8877665544332211", "OK");
	replies("p10", "8877665544332211");
	ck_assert_uint_eq(pages[1].vmcb.save.rip, 0x1122334455667788);
	ck_assert_uint_eq(pages[0].vmcb.save.rip, RIP);
	replies("Hg3", "E16");
	replies("Hg-1", "OK");
	replies("T2", "OK");
	replies("T3", "E16");
	replies("pffff", "E16");
}

START_TEST(segments_cannot_be_written)
{
	begin();
	replies("p12", "00f00000"); /* CS after a reset */
	replies("P12=00f00000", "OK");
	replies("P12=00f10000", "E16");
	ck_assert_uint_eq(pages[0].vmcb.save.cs.selector, 0xf000);
}

/*
 * Registers of a component that is not in XSTATE_BV have their values after a reset.
 * Writing one of them initializes the others.
 */
START_TEST(extended_state_may_not_be_there)
{
	begin();
	memset(pages[0].xsave, 0xa5, sizeof(pages[0].xsave));
	memset(pages[0].xsave + 512, 0, 64);
	replies("p20", "7f030000"); /* fctrl */
	replies("p22", "ffff0000"); /* ftag */
	replies("p18", "00000000000000000000"); /* st0 */
	replies("p28", "00000000000000000000000000000000"); /* xmm0 */
	replies("P28=0102030405060708090a0b0c0d0e0f10", "OK");
	replies("p28", "0102030405060708090a0b0c0d0e0f10");
	replies("p29", "00000000000000000000000000000000");
	replies("P18=0000000000000080ff3f", "OK"); /* 1.0 */
	replies("p20", "7f030000");
	replies("p19", "00000000000000000000");
	ck_assert_uint_eq(pages[0].xsave[512], 3);
	replies("P22=fcff0000", "OK");
	ck_assert_uint_eq(pages[0].xsave[4], 1);
	replies("p22", "fcff0000");
}

START_TEST(all_registers_go_round)
{
	static char packet[2048];

	begin();
	ck_assert_int_eq(tell("g"), GDB_REPLY);
	packet[0] = 'G';
	memcpy(packet + 1, gdb.writer.packet, gdb.writer.size);
	replies(packet, "OK");
	ck_assert_int_eq(tell("g"), GDB_REPLY);
	ck_assert_mem_eq(packet + 1, gdb.writer.packet, gdb.writer.size);
	packet[gdb.writer.size] = 0; /* one digit is missing */
	replies(packet, "E16");
}

START_TEST(memory_is_read_and_written)
{
	begin();
	replies("M7c00,3:0102ff", "OK");
	replies("m7c00,4", "0102ff90");
	replies("X7c00,2:ab", "OK");
	replies("m7c00,3", "6162ff");
	replies("X7c00,0:", "OK");
	replies("m9000,1", "E14");
	replies("m8ffe,4", "9090"); /* up to the end of memory */
	replies("M8ffe,4:01020304", "E14");
	replies("M7c00,2:01", "E16");
	replies("m7c00", "E16");
	replies("mffffffffffffffff,2", "E14");
}

START_TEST(breakpoints_are_hidden_from_reads)
{
	begin();
	replies("Z0,7c00,1", "OK");
	replies("Z0,7c00,1", "OK");
	ck_assert_uint_eq(memory[0xc00], 0xcc);
	replies("m7bff,3", "909090");
	replies("M7c00,1:f4", "OK");
	ck_assert_uint_eq(memory[0xc00], 0xcc);
	replies("m7c00,1", "f4");
	replies("z0,7c00,1", "OK");
	ck_assert_uint_eq(memory[0xc00], 0xf4);
	replies("z0,7c00,1", "OK");
	replies("Z0,9000,1", "E14");
	replies("Z5,7c00,1", "E16");
}

START_TEST(overwritten_breakpoint_is_not_removed)
{
	begin();
	replies("Z0,7c00,1", "OK");
	memory[0xc00] = 0x55;
	replies("z0,7c00,1", "OK");
	ck_assert_uint_eq(memory[0xc00], 0x55);
}

START_TEST(four_debug_registers_are_there)
{
	struct debug_cpu registers = { 0 };

	begin();
	replies("Z1,7c01,1", "OK");
	replies("Z2,7000,8", "OK");
	replies("Z3,7104,4", "OK");
	replies("Z4,7002,2", "OK");
	replies("Z4,7002,2", "OK");
	replies("Z2,7008,1", "E16");
	debug_watch_registers(&gdb.debug, &registers);
	ck_assert_uint_eq(registers.dr[0], 0x7c01);
	ck_assert_uint_eq(registers.dr[3], 0x7002);
	/* Lengths and conditions of 3 to 0, G3 to G0 (APM 13.1.1.4) */
	ck_assert_uint_eq(registers.dr7, 0x7f9004aa);
	replies("z2,7000,8", "OK");
	replies("Z2,7001,2", "E16"); /* not aligned */
	replies("Z2,7000,3", "E16");
	replies("Z2,7008,1", "OK");
	debug_release(&machine);
	ck_assert_uint_eq(gdb.debug.watch_count, 0);
}

START_TEST(each_thread_has_its_own_action)
{
	begin();
	replies("vCont?", "vCont;c;C;s;S");
	ck_assert_int_eq(tell("vCont;s:2;c"), GDB_NO_REPLY);
	ck_assert_int_eq(cpus[0].debug->action, DEBUG_CONTINUE);
	ck_assert_int_eq(cpus[1].debug->action, DEBUG_STEP);
	ck_assert(!gdb.debug.paused && gdb.awaits_stop);
	begin();
	ck_assert_int_eq(tell("vCont;S05:1"), GDB_NO_REPLY);
	ck_assert_int_eq(cpus[0].debug->action, DEBUG_STEP);
	ck_assert_int_eq(cpus[1].debug->action, DEBUG_STOP);
	begin();
	replies("vCont;s:3", "E16");
	replies("vCont;t", "E16");
	replies("vCont", "E16");
	ck_assert(gdb.debug.paused);
	ck_assert_int_eq(tell("c7d00"), GDB_NO_REPLY);
	ck_assert_uint_eq(pages[0].vmcb.save.rip, 0x7d00);
}

START_TEST(stop_replies_have_a_reason)
{
	begin();
	gdb.debug.stop = (struct debug_stop){ .reason = DEBUG_HIT,
					      .cpu = 1,
					      .kind = DEBUG_WRITE,
					      .address = 0x9000 };
	replies("?", "T05thread:2;watch:9000;");
	gdb.debug.stop.kind = DEBUG_SOFTWARE;
	replies("?", "T05thread:2;swbreak:;");
	gdb.debug.stop = (struct debug_stop){ .reason = DEBUG_INTERRUPTED };
	replies("?", "T02thread:1;");
}

START_TEST(threads_are_listed)
{
	begin();
	replies("qfThreadInfo", "m1");
	replies("qsThreadInfo", "m2");
	replies("qsThreadInfo", "l");
	replies("qThreadExtraInfo,1", "43505520302c2072756e6e696e67");
}

START_TEST(description_comes_in_parts)
{
	size_t first;

	begin();
	ck_assert_int_eq(tell("qXfer:features:read:target.xml:0,20"),
			 GDB_REPLY);
	ck_assert_mem_eq(gdb.writer.packet, "m<?xml", 6);
	ck_assert_int_eq(tell("qXfer:features:read:target.xml:0,2000"),
			 GDB_REPLY);
	first = gdb.writer.size;
	ck_assert_uint_gt(first, 4000);
	replies("qXfer:features:read:target.xml:fffff,2000", "E16");
}

/* Make a packet of commands and their parts in random order. */
static void random_packet(uint64_t *random)
{
	static const char *const words[] = {
		"?",
		"g",
		"G",
		"p",
		"P",
		"m",
		"M",
		"X",
		"Z0,",
		"Z1,",
		"Z2,",
		"z0,",
		"z4,",
		"c",
		"s",
		"vCont",
		";c",
		";s:",
		"Hg",
		"T",
		"D",
		"k",
		"7c00",
		",",
		":",
		"=",
		"1",
		"ff",
		"7fff",
		"-1",
		"8fff,",
		"7c00,4",
		"ffffffff",
		"7c00,1:",
		"fffffffff",
		"\xff",
		"qThreadExtraInfo,",
		"qXfer:features:read:target.xml:",
	};
	unsigned int i, count = 1 + xorshift_below(random, 6);
	const char *word;

	gdb.reader.size = 0;
	for (i = 0; i < count; i++) {
		word = words[xorshift_below(random, ARRAY_SIZE(words))];
		memcpy(gdb.reader.packet + gdb.reader.size, word, strlen(word));
		gdb.reader.size += strlen(word);
	}
	gdb.reader.packet[gdb.reader.size] = 0;
}

START_TEST(random_packets_do_no_harm)
{
	uint64_t random = xorshift_seed(3);
	unsigned int i, seen[GDB_CLOSE + 1] = { 0 };

	begin();
	for (i = 0; i < PACKETS; i++) {
		random_packet(&random);
		seen[gdb_command(&gdb)]++;
		gdb.debug.paused = true;
		ck_assert_uint_le(gdb.writer.size, GDB_PACKET_MAX);
		ck_assert_uint_lt(gdb.cpu, 2);
	}
	for (i = 0; i <= GDB_CLOSE; i++)
		ck_assert_uint_ne(seen[i], 0);
	debug_release(&machine);
	ck_assert_uint_eq(gdb.debug.breakpoint_count, 0);
}

static const TTest **const tests[] = {
	&what_is_not_known_gets_an_empty_reply,
	&registers_are_those_of_the_chosen_thread,
	&segments_cannot_be_written,
	&extended_state_may_not_be_there,
	&all_registers_go_round,
	&memory_is_read_and_written,
	&breakpoints_are_hidden_from_reads,
	&overwritten_breakpoint_is_not_removed,
	&four_debug_registers_are_there,
	&each_thread_has_its_own_action,
	&stop_replies_have_a_reason,
	&threads_are_listed,
	&description_comes_in_parts,
	&random_packets_do_no_harm,
};

Suite *gdb_command_suite(void)
{
	return suite_of("gdb_command", tests, ARRAY_SIZE(tests));
}
