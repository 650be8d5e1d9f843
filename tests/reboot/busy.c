// SPDX-License-Identifier: GPL-2.0
/*
 * Run a guest on every CPU for as long as possible. Print "counting" when all of
 * them run; log to the kernel log why they ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <svmrun.h>

#define CPUS 64
#define MEMORY 0x10000
#define COUNTER 0x8000
#define CODE 0x7c00

/* 1: inc word [0x8000]; jmp 1b */
static const char guest[] = { 0xff, 0x06, 0x00, 0x80, 0xeb, 0xfa };

struct busy {
	int cpu;
	int device;
	struct svmrun_vm vm;
	struct svmrun_memory memory;
	struct svmrun_vcpu vcpu;
	pthread_t thread;
};

static void log_result(int cpu, const char *call, int error)
{
	char line[128];
	int log = open("/dev/kmsg", O_WRONLY);
	int length = snprintf(line, sizeof(line), "busy: cpu%d %s: %s\n", cpu,
			      call, error ? strerror(-error) : "done");

	if (log < 0 || write(log, line, length) < 0)
		perror("/dev/kmsg");
	close(log);
}

static void *busy_main(void *argument)
{
	struct busy *busy = argument;
	struct svmrun_vm late;
	cpu_set_t set;
	int err;

	CPU_ZERO(&set);
	CPU_SET(busy->cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	do {
		err = svmrun_vcpu_run(&busy->vcpu);
	} while (err == -EINTR);
	log_result(busy->cpu, "RUN", err);
	log_result(busy->cpu, "CREATE_VM",
		   svmrun_vm_create(&late, busy->device));
	return NULL;
}

static int busy_start(struct busy *busy, int device, int cpu)
{
	int err;

	busy->cpu = cpu;
	busy->device = device;
	err = svmrun_vm_create(&busy->vm, device);
	if (!err)
		err = svmrun_memory_create(&busy->memory, &busy->vm, 0, MEMORY);
	if (!err)
		err = svmrun_vcpu_create(&busy->vcpu, &busy->vm);
	if (err)
		return err;
	svmrun_image_load_flat(&busy->memory, guest, sizeof(guest), CODE);
	svmrun_mode_real(&busy->vcpu, 0, CODE);
	return -pthread_create(&busy->thread, NULL, busy_main, busy);
}

static void busy_wait_counting(struct busy *busy)
{
	volatile uint16_t *counter = svmrun_memory_at(&busy->memory, COUNTER,
						      sizeof(*counter));
	uint16_t before = *counter;

	while (*counter == before)
		usleep(1000);
}

int main(void)
{
	static struct busy all[CPUS];
	int device = svmrun_device_open(NULL), err = 0, cpus = 0;
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	if (device < 0)
		err = device;
	for (; !err && cpus < online && cpus < CPUS; cpus++)
		err = busy_start(&all[cpus], device, cpus);
	if (err) {
		fprintf(stderr, "busy: %s\n", strerror(-err));
		return 1;
	}
	for (int i = 0; i < cpus; i++)
		busy_wait_counting(&all[i]);
	puts("counting");
	fflush(stdout);
	for (int i = 0; i < cpus; i++)
		pthread_join(all[i].thread, NULL);
	return 0;
}
