// SPDX-License-Identifier: GPL-2.0
/*
 * The loop of svmrun fuzz implemented with KVM, to compare the cost of a run: a fork server of
 * AFL++, which shares its input and its map of executed code with the guest.
 *	kvm_fuzz GUEST
 * The guest is an ELF file for 64-bit mode that fits into 2 MiB. KVM handles VMMCALL in the
 * kernel, so the guest's calls are replaced by OUT when it is loaded.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#include <svmrun.h>
#include <svmrun_guest.h>

#include "kvm.h"

#define PAGE 4096ul
#define MEMORY_SIZE (2ul << 20)
#define LARGE_PAGE (2ul << 20)
#define TABLES 0x1000ul /* six pages, for 4 GiB */
#define STACK 0x80000ul
#define MAP_GPA 0xe0000000ul
#define INPUT_GPA 0xe8000000ul
#define CALL_PORT 0xf5

/* AFL++'s protocol: descriptors, and the old greeting with shared memory for inputs */
#define REQUESTS 198
#define ANSWERS 199
#define GREETING 0x81000001u

struct input {
	uint32_t length;
	uint8_t bytes[];
};

/* Shared memory of the fuzzer */
struct area {
	uint64_t gpa;
	void *base;
	size_t size;
};

static struct area map = { .gpa = MAP_GPA };
static struct area input = { .gpa = INPUT_GPA };

_Noreturn void fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

/* ---- the guest ----------------------------------------------------------- */

static void attach_area(struct area *area, const char *variable)
{
	const char *id = getenv(variable);
	struct shmid_ds state;

	if (!id)
		fail(variable);
	check(shmctl(atoi(id), IPC_STAT, &state), "shmctl");
	area->base = shmat(atoi(id), NULL, 0);
	if (area->base == (void *)-1)
		fail("shmat");
	area->size = (state.shm_segsz + PAGE - 1) & -PAGE;
}

static void map_areas(struct machine *m)
{
	kvm_map(m, map.gpa, map.base, map.size, false);
	kvm_map(m, input.gpa, input.base, input.size, false);
}

/* Map 4 GiB to the same addresses, in pages of 2 MiB. */
static void fill_tables(uint8_t *memory)
{
	const uint64_t flags = 0x3; /* writable, present */
	uint64_t *top = (uint64_t *)(memory + TABLES);
	uint64_t *pointers = (uint64_t *)(memory + TABLES + PAGE);
	uint64_t *directories = (uint64_t *)(memory + TABLES + 2 * PAGE);

	top[0] = (TABLES + PAGE) | flags;
	for (uint64_t i = 0; i < 4; i++)
		pointers[i] = (TABLES + (2 + i) * PAGE) | flags;
	for (uint64_t i = 0; i < 4 * 512; i++)
		directories[i] = i * LARGE_PAGE | 0x80 | flags;
}

static void replace_calls(uint8_t *memory)
{
	static const uint8_t vmmcall[] = { 0x0f, 0x01, 0xd9 };
	static const uint8_t out[] = { 0xe7, CALL_PORT, 0x90 }; /* and NOP */
	uint8_t *end = memory + MEMORY_SIZE, *at = memory;

	while ((at = memmem(at, end - at, vmmcall, sizeof(vmmcall))))
		memcpy(at, out, sizeof(out));
}

/* Return the entry point. */
static uint64_t load_guest(uint8_t *memory, const char *file)
{
	struct svmrun_memory guest = { .base = memory, .size = MEMORY_SIZE };
	int fd = check(open(file, O_RDONLY), file);
	struct stat state;
	uint64_t entry;
	void *image;

	check(fstat(fd, &state), file);
	image = mmap(NULL, state.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (image == MAP_FAILED)
		fail(file);
	errno = -svmrun_image_load_elf64(&guest, image, state.st_size, &entry);
	if (errno)
		fail(file);
	munmap(image, state.st_size);
	close(fd);
	return entry;
}

static struct kvm_regs *registers(struct machine *m)
{
	m->run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
	return &m->run->s.regs.regs;
}

/* Return the number of the guest's next call, or 0 after another exit. */
static uint64_t run_to_call(struct machine *m)
{
	m->run->kvm_valid_regs = KVM_SYNC_X86_REGS;
	check(ioctl(m->vcpu, KVM_RUN, 0), "KVM_RUN");
	if (m->run->exit_reason != KVM_EXIT_IO || m->run->io.port != CALL_PORT)
		return 0;
	return m->run->s.regs.regs.rax;
}

static void answer_find(struct machine *m)
{
	struct kvm_regs *regs = registers(m);

	regs->rbx = map.gpa;
	regs->rcx = map.size;
	regs->rdx = input.gpa + offsetof(struct input, bytes);
	regs->rsi = input.size - offsetof(struct input, bytes);
}

/* KVM completes the OUT, which skips it, when the guest is to run the next time. */
static void complete_call(struct machine *m)
{
	m->run->immediate_exit = 1;
	if (!ioctl(m->vcpu, KVM_RUN, 0) || errno != EINTR)
		fail("KVM_RUN");
	m->run->immediate_exit = 0;
}

/* Let the guest run until it is ready for an input. */
static struct machine *boot(uint8_t *memory, const char *file)
{
	const struct engine *engine = &kvm_engine;
	uint64_t entry = load_guest(memory, file), call;
	struct machine *m = engine->create();

	fill_tables(memory);
	replace_calls(memory);
	kvm_map(m, 0, memory, MEMORY_SIZE, false);
	map_areas(m);
	engine->vcpu(m);
	engine->long_mode(m, TABLES);
	engine->start(m, entry, 0, 0);
	registers(m)->rsp = STACK;
	for (;;) {
		call = run_to_call(m);
		if (call == SVMRUN_GUEST_READY)
			break;
		if (call == SVMRUN_GUEST_FIND)
			answer_find(m);
		else if (m->run->exit_reason != KVM_EXIT_IO) /* no device */
			fail("the guest is not ready for an input");
	}
	complete_call(m);
	return m;
}

static struct machine *clone_guest(const char *file)
{
	uint8_t *memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct machine *m, *clone;

	if (memory == MAP_FAILED)
		fail("mmap");
	m = boot(memory, file);
	clone = kvm_clone(kvm_snapshot(m, memory, MEMORY_SIZE));
	check(ioctl(m->vcpu, KVM_GET_REGS, registers(clone)), "KVM_GET_REGS");
	kvm_engine.destroy(m);
	munmap(memory, MEMORY_SIZE);
	map_areas(clone);
	return clone;
}

/* ---- the protocol -------------------------------------------------------- */

static void write_word(uint32_t word)
{
	if (write(ANSWERS, &word, sizeof(word)) != sizeof(word))
		fail("write");
}

static bool read_word(uint32_t *word)
{
	return read(REQUESTS, word, sizeof(*word)) == sizeof(*word);
}

/* Return the status, as of wait(). */
static uint32_t run_input(struct machine *m, const struct kvm_regs *ready)
{
	const struct input *test = input.base;
	struct kvm_regs *regs = registers(m);

	*regs = *ready;
	regs->rax = test->length;
	switch (run_to_call(m)) {
	case SVMRUN_GUEST_DONE:
		return (m->run->s.regs.regs.rbx & 0xff) << 8;
	case SVMRUN_GUEST_CRASH:
		return SIGABRT;
	default:
		return SIGSEGV;
	}
}

static void serve(struct machine *m)
{
	const struct kvm_regs ready = *registers(m);
	uint32_t request;

	while (read_word(&request)) {
		write_word(getpid());
		write_word(run_input(m, &ready));
		kvm_reset(m);
	}
}

int main(int argc, char **argv)
{
	uint32_t answer;

	if (argc != 2) {
		fputs("usage: kvm_fuzz GUEST\n", stderr);
		return 2;
	}
	if (!kvm_engine.open())
		fail("/dev/kvm");
	attach_area(&map, "__AFL_SHM_ID");
	attach_area(&input, "__AFL_SHM_FUZZ_ID");
	write_word(GREETING);
	if (!read_word(&answer))
		return 1;
	serve(clone_guest(argv[1]));
	return 0;
}
