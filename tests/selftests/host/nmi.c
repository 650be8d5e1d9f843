// SPDX-License-Identifier: GPL-2.0
/*
 * NMIs while a guest runs are handled by the host, and the guest continues. QEMU's
 * monitor raises them.
 */
#include "files.h"
#include "monitor.h"
#include "runner.h"

/* NMIs while in the guest; others occur while the host runs on that CPU. */
#define NMIS 10
#define NMIS_SENT_MAX 1000

/* QEMU raises them at LINT1, where Linux lets CPU 0 handle NMIs. */
#define CPU 0
#define OTHER_CPU "1"

/* Guests that count with interrupts on and off */
GUEST(count_on, 64, "sti\n" COUNT_LOOP);
GUEST(count_off, 64, "cli\n" COUNT_LOOP);

FIXTURE(nmi)
{
	struct machine m;
	struct runner runner;
	struct monitor monitor;
};

FIXTURE_VARIANT(nmi)
{
	const char *guest, *end;
};

FIXTURE_VARIANT_ADD(nmi, interrupts_on){
	.guest = count_on,
	.end = count_on_end,
};

FIXTURE_VARIANT_ADD(nmi, interrupts_off){
	.guest = count_off,
	.end = count_off_end,
};

/*
 * The monitor is reached through a serial port. Direct its interrupts to the other
 * CPU; otherwise CPU 0 would always be in their handler when an NMI occurs.
 */
static int move_port(void)
{
	const char *port = strrchr(getenv("SVMRUN_MONITOR"), '/');
	char path[128];

	snprintf(path, sizeof(path), "/sys/class/tty%s/irq", port);
	snprintf(path, sizeof(path), "/proc/irq/%ld/smp_affinity_list",
		 file_number(path));
	return file_write(path, OTHER_CPU);
}

FIXTURE_SETUP(nmi)
{
	int err = monitor_open(&self->monitor);

	if (err == -ENODEV)
		SKIP_SETUP("no QEMU monitor; use tests/vm/run --monitor");
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, move_port());
	ASSERT_EQ(0, machine_create(&self->m));
	ASSERT_EQ(0, machine_load(&self->m, MODE_LONG, variant->guest,
				  variant->end));
	ASSERT_EQ(0, runner_start(&self->runner, &self->m.vcpu));
	ASSERT_EQ(0, pin(self->runner.thread, CPU));
	machine_wait_counting(&self->m);
}

FIXTURE_TEARDOWN(nmi)
{
	EXPECT_EQ(0, runner_kick(&self->runner));
	EXPECT_EQ(-EINTR, runner_join(&self->runner));
	machine_destroy(&self->m);
	monitor_close(&self->monitor);
}

/*
 * Return the number of NMIs that the host has handled on the CPU, or a negative
 * errno.
 */
static long nmis_of_host(void)
{
	FILE *file = fopen("/proc/interrupts", "re");
	long count = -ENOENT;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		sscanf(line, " NMI: %ld", &count);
	if (file)
		fclose(file);
	return count;
}

TEST_F(nmi, is_the_hosts)
{
	const volatile __u64 *exits = &self->m.vcpu.regs->out_exits_nmi;
	uint64_t wanted = *exits + NMIS;
	long before = nmis_of_host();

	ASSERT_LE(0, before);
	for (int sent = 1; *exits < wanted; sent++) {
		ASSERT_GT(NMIS_SENT_MAX, sent);
		ASSERT_EQ(0, monitor_command(&self->monitor, "nmi"));
		ASSERT_STREQ("", self->monitor.answer);
		for (int i = 0; i < 1000 && nmis_of_host() < before + sent; i++)
			usleep(1000);
		ASSERT_EQ(before + sent, nmis_of_host());
		machine_wait_counting(&self->m);
		ASSERT_FALSE(self->runner.ended);
	}
}

TEST_HARNESS_MAIN
