// SPDX-License-Identifier: GPL-2.0
/*
 * Guests that never end: each tries one way to keep its CPU. Meanwhile the host's
 * timers wake threads on that CPU, other threads run, and a kick or SIGKILL ends
 * the guest.
 */
#include <sys/ptrace.h>
#include <sys/timerfd.h>

#include "breakpoints.h"
#include "hostile.h"
#include "runner.h"

#define VECTOR_DB 1
#define VECTOR_NMI 2
#define VECTOR_PF 14
#define VECTOR_AC 17

WATCHED_FIXTURE(endless)

struct guest {
	enum machine_mode mode;
	const char *code;
	const char *code_end;
	void (*prepare)(struct machine *m); /* may be NULL */
	/* Return the reason to skip; may be NULL. */
	const char *(*lacks)(struct machine *m);
};

FIXTURE_VARIANT(endless)
{
	struct guest guest;
};

#define ENDLESS(name, bits, prepare_, text, ...)                               \
	GUEST(name##_code, bits, text);                                        \
	FIXTURE_VARIANT_ADD(endless, name)                                     \
	{                                                                      \
		.guest = {                                                     \
			.mode = bits == 64 ? MODE_LONG :                       \
				bits == 32 ? MODE_PROTECTED :                  \
					     MODE_REAL,                        \
			.code = name##_code,                                   \
			.code_end = name##_code_end,                           \
			.prepare = prepare_,                                   \
			__VA_ARGS__                                            \
		}                                                              \
	}

static void load_endless(struct machine *m, const struct guest *guest)
{
	load_hostile(m, guest->mode, guest->code, guest->code_end);
	m->vcpu.vmcb->control.intercept[3] = 0; /* not even HLT */
	if (guest->prepare)
		guest->prepare(m);
}

/* ---- plain loops --------------------------------------------------------- */

ENDLESS(jumps_to_itself, 64, NULL, "cli\n 1: jmp 1b");
ENDLESS(jumps_with_interrupts_on, 64, NULL, "sti\n 1: jmp 1b");
ENDLESS(jumps_at_highest_task_priority, 64, NULL,
	"cli\n mov $15, %eax\n mov %rax, %cr8\n 1: jmp 1b");
ENDLESS(halts_with_interrupts_off, 64, NULL, "cli\n 1: hlt\n jmp 1b");
ENDLESS(halts_with_interrupts_on, 64, NULL, "sti\n 1: hlt\n jmp 1b");
ENDLESS(pauses, 64, NULL, "1: pause\n jmp 1b");
ENDLESS(asks_who_it_is, 64, NULL, "1: xor %eax, %eax\n cpuid\n jmp 1b");
ENDLESS(reads_the_time, 64, NULL, "1: rdtsc\n jmp 1b");
ENDLESS(saves_and_restores, 64, NULL,
	"1: fxsave64 0xa000\n fxrstor64 0xa000\n jmp 1b");
ENDLESS(rewrites_its_next_instruction, 64, NULL,
	"1: incl 2f+1(%rip)\n 2: mov $0, %eax\n jmp 1b");

/* ---- memory -------------------------------------------------------------- */

ENDLESS(locks_across_cache_lines, 64, NULL, "1: lock incl 0xa03e\n jmp 1b");
ENDLESS(locks_across_pages, 64, NULL, "1: lock incl 0xaffe\n jmp 1b");
ENDLESS(copies_onto_itself, 16, NULL,
	"1: xor %si, %si\n xor %di, %di\n mov $0xffff, %cx\n"
	"rep movsb\n jmp 1b");
ENDLESS(flushes_its_caches, 64, NULL,
	"1: clflush 0xa000\n clflush 0x8000\n jmp 1b");
ENDLESS(flushes_its_translations, 64, NULL,
	"mov %cr3, %rax\n 1: mov %rax, %cr3\n invlpg 0x8000\n jmp 1b");
ENDLESS(switches_tasks_lazily, 64, NULL,
	"mov %cr0, %rax\n 1: xor $8, %al\n mov %rax, %cr0\n clts\n jmp 1b");

static const char *lacks_virtual_gif(struct machine *m)
{
	return m->info.out_svm_features & SVM_FEATURE_VGIF ?
		       NULL :
		       "the processor has no virtual GIF";
}

static void clear_virtual_gif(struct machine *m)
{
	m->vcpu.vmcb->control.vintr = SVM_VINTR_VGIF_ENABLE;
}

ENDLESS(has_its_virtual_gif_clear, 64, clear_virtual_gif, "1: jmp 1b",
	.lacks = lacks_virtual_gif);

#define PTE_ALL 0x67ull /* present, writable, user, accessed, dirty */

/* Map every virtual address to the page of the code. */
static void map_all_to_code(struct machine *m)
{
	uint64_t *table = machine_at(m, MACHINE_TABLES);

	for (uint64_t level = 0; level < 4; level++)
		for (uint64_t i = 0; i < 512; i++)
			table[level * 512 + i] =
				PTE_ALL |
				(level == 3 ?
					 MACHINE_CODE :
					 MACHINE_TABLES + (level + 1) * PAGE);
}

/* One instruction that would take centuries */
ENDLESS(reads_all_that_has_an_address, 64, map_all_to_code,
	"xor %esi, %esi\n mov $-1, %rcx\n rep lodsb");

/*
 * One page serves as all four levels of its own page tables, and contains the code.
 */
static void map_table_by_itself(struct machine *m)
{
	uint8_t *table = machine_at(m, MACHINE_TABLES);
	uint64_t entry = MACHINE_TABLES | PTE_ALL;

	memset(table, 0, PAGE);
	memcpy(table, &entry, sizeof(entry));
	memcpy(table + 0x800, machine_at(m, MACHINE_CODE), 16);
	m->vcpu.vmcb->save.rip = 0x800;
}

ENDLESS(runs_in_its_own_page_table, 64, map_table_by_itself, "1: jmp 1b");

/* ---- interrupt shadows --------------------------------------------------- */

ENDLESS(enables_interrupts_again_and_again, 64, NULL,
	"1: .rept 1000\n sti\n .endr\n jmp 1b");
ENDLESS(loads_ss_again_and_again, 16, NULL,
	"mov %ss, %ax\n 1: .rept 1000\n mov %ax, %ss\n .endr\n jmp 1b");

/* ---- real mode, where the stack pointer wraps ---------------------------- */

#define STACK_SEGMENT 0x2000

static void set_stack(struct machine *m)
{
	m->vcpu.vmcb->save.ss.selector = STACK_SEGMENT;
	m->vcpu.vmcb->save.ss.base = STACK_SEGMENT * 16;
}

ENDLESS(calls_itself, 16, set_stack, "1: call 1b");

static void set_real_vector(struct machine *m, int vector, uint16_t offset)
{
	set_stack(m);
	*(uint32_t *)machine_at(m, vector * 4) = offset;
	m->vcpu.vmcb->save.idtr.limit = 0x3ff;
}

static void handle_by_itself(struct machine *m)
{
	for (int vector = 0; vector < 256; vector++)
		set_real_vector(m, vector, MACHINE_CODE);
}

ENDLESS(has_an_undefined_handler_of_undefined, 16, handle_by_itself, "ud2");
ENDLESS(has_a_dividing_handler_of_division, 16, handle_by_itself,
	"xor %cx, %cx\n div %cx");
ENDLESS(interrupts_itself, 16, handle_by_itself, "int $0x80");

#define HANDLER (MACHINE_CODE + 0x100)

static void handle_debug(struct machine *m)
{
	set_real_vector(m, VECTOR_DB, HANDLER);
}

ENDLESS(steps_for_ever, 16, handle_debug,
	"pushf\n mov %sp, %bp\n orw $0x100, (%bp)\n popf\n"
	"1: jmp 1b\n .org steps_for_ever_code + 0x100\n iret");

/*
 * A breakpoint on the stack frame of the #DB handler: each delivery raises another
 * #DB.
 */
static void watch_stack(struct machine *m)
{
	handle_debug(m);
	m->vcpu.vmcb->save.rsp = 0x1000;
}

GUEST(read_dr7, 16, "mov %dr7, %eax\n hlt");

static bool raises_debug(struct machine *m)
{
	struct svm_vmcb *vmcb = m->vcpu.vmcb;

	vmcb->control.intercept[2] = SVM_INTERCEPT2_EXCEPTION(VECTOR_DB);
	return !machine_run(m) &&
	       vmcb->control.exitcode == VMEXIT_EXCP(VECTOR_DB);
}

/* The length determines which bits of the address are compared (APM 13.1.1). */
GUEST(write_first_of_four, 16,
      "mov $0xa002, %eax\n mov %eax, %dr0\n"
      "mov $0x000d0703, %eax\n mov %eax, %dr7\n"
      "movb $0, 0xa000\n"
      "mov $0x400, %eax\n mov %eax, %dr7\n hlt");

/*
 * An emulator that implements data breakpoints only in part may not survive one on
 * the stack, so probe other parts of the feature.
 */
static const char *lacks_debug_exceptions(struct machine *m)
{
	bool raised;

	LOAD_HOSTILE(m, MODE_REAL, read_dr7);
	m->vcpu.vmcb->save.dr7 |= 1u << 13;
	if (!raises_debug(m))
		return "the processor does not support DR7.GD";
	LOAD_HOSTILE(m, MODE_REAL, write_first_of_four);
	raised = raises_debug(m);
	breakpoints_disarm(m, m->vcpu.vmcb->save.dr7);
	return raised ? NULL : "the length of a breakpoint is ignored";
}

ENDLESS(watches_the_stack_of_its_debug_handler, 16, watch_stack,
	"mov $0x20ffc, %eax\n mov %eax, %dr0\n"
	"mov $0x000d0703, %eax\n mov %eax, %dr7\n"
	"1: push %ax\n pop %ax\n jmp 1b\n"
	".org watches_the_stack_of_its_debug_handler_code + 0x100\n iret",
	.lacks = lacks_debug_exceptions);

static void inject_nmi(struct machine *m)
{
	set_real_vector(m, VECTOR_NMI, MACHINE_CODE);
	m->vcpu.vmcb->control.eventinj = SVM_EVENT_VALID | SVM_EVENT_TYPE_NMI |
					 VECTOR_NMI;
}

ENDLESS(does_not_return_from_nmi, 16, inject_nmi, "1: jmp 1b");

/* ---- exceptions: protected and long mode --------------------------------- */

#define GDT 0xb000ul
#define IDT 0xb100ul
#define TSS 0xc000ul
#define TSS_OTHER 0xc100ul
#define TSS_LIMIT 0x67
#define SELECTOR_CODE 0x08 /* the same as in the library's modes */
#define SELECTOR_DATA 0x10
#define SELECTOR_TSS 0x18
#define SELECTOR_TSS_OTHER 0x20
#define DESCRIPTOR_CODE_32 0x00cf9b000000ffffull
#define DESCRIPTOR_CODE_64 0x00af9b000000ffffull
#define DESCRIPTOR_DATA 0x00cf93000000ffffull
#define DESCRIPTOR_USER (3ull << 45)
#define DESCRIPTOR_TSS(base) (0x0000890000000067ull | (uint64_t)(base) << 16)
#define DESCRIPTOR_BUSY (2ull << 40)

static void set_gdt(struct machine *m, uint64_t code, uint64_t data)
{
	uint64_t *gdt = machine_at(m, GDT);

	gdt[SELECTOR_CODE / 8] = code;
	gdt[SELECTOR_DATA / 8] = data;
	gdt[SELECTOR_TSS / 8] = DESCRIPTOR_TSS(TSS) | DESCRIPTOR_BUSY;
	gdt[SELECTOR_TSS_OTHER / 8] = DESCRIPTOR_TSS(TSS_OTHER);
	m->vcpu.vmcb->save.gdtr.base = GDT;
	m->vcpu.vmcb->save.gdtr.limit = 0xff;
	m->vcpu.vmcb->save.tr.selector = SELECTOR_TSS;
	m->vcpu.vmcb->save.tr.base = TSS;
	m->vcpu.vmcb->save.tr.limit = TSS_LIMIT;
}

/* The handler runs on stack IST1, and each of its faults starts there again. */
static void handle_page_fault(struct machine *m)
{
	uint64_t *gate = machine_at(m, IDT + 16 * VECTOR_PF);
	uint64_t stack = MACHINE_STACK;

	set_gdt(m, DESCRIPTOR_CODE_64, DESCRIPTOR_DATA);
	memcpy(machine_at(m, TSS + 0x24), &stack, sizeof(stack));
	gate[0] = 0x8e01ull << 32 | SELECTOR_CODE << 16 | MACHINE_CODE;
	gate[1] = 0;
	m->vcpu.vmcb->save.idtr.base = IDT;
	m->vcpu.vmcb->save.idtr.limit = 0xfff;
}

ENDLESS(has_a_faulting_page_fault_handler, 64, handle_page_fault,
	"mov $0x7fffffff0000, %rax\n mov (%rax), %rax");

/* At CPL 3 the handler uses the same stack, at an unaligned address. */
static void handle_alignment_check(struct machine *m)
{
	struct svm_vmcb_save *save = &m->vcpu.vmcb->save;
	uint64_t *gate = machine_at(m, IDT + 8 * VECTOR_AC);

	set_gdt(m, DESCRIPTOR_CODE_32 | DESCRIPTOR_USER,
		DESCRIPTOR_DATA | DESCRIPTOR_USER);
	*gate = 0xee00ull << 32 | (SELECTOR_CODE | 3) << 16 | MACHINE_CODE;
	save->idtr.base = IDT;
	save->idtr.limit = 0xff;
	save->cpl = 3;
	save->cs.selector |= 3;
	save->cs.attrib |= SVM_SEG_DPL_MASK;
	save->ss.selector |= 3;
	save->ss.attrib |= SVM_SEG_DPL_MASK;
	save->cr0 |= 1u << 18; /* AM */
	save->rflags |= 1u << 18; /* AC */
	save->rsp = MACHINE_STACK - 1;
}

GUEST(push_only, 32, "push %eax\n hlt");

static const char *lacks_alignment_check(struct machine *m)
{
	struct svm_vmcb *vmcb = m->vcpu.vmcb;

	LOAD_HOSTILE(m, MODE_PROTECTED, push_only);
	handle_alignment_check(m);
	vmcb->control.intercept[2] = SVM_INTERCEPT2_EXCEPTION(VECTOR_AC);
	if (!machine_run(m) && vmcb->control.exitcode == VMEXIT_EXCP(VECTOR_AC))
		return NULL;
	return "the processor does not check alignment";
}

ENDLESS(handles_alignment_check_on_an_unaligned_stack, 32,
	handle_alignment_check, "push %eax", .lacks = lacks_alignment_check);

/* Fill in a 32-bit TSS (APM 12.2.4) that a task switch loads. */
static void set_task(struct machine *m, uint64_t tss, uint32_t eip)
{
	uint32_t *field = machine_at(m, tss);

	memset(field, 0, TSS_LIMIT + 1);
	field[0x20 / 4] = eip;
	field[0x24 / 4] = 2; /* EFLAGS */
	field[0x38 / 4] = MACHINE_STACK;
	for (int i = 0x48 / 4; i <= 0x5c / 4; i++)
		field[i] = SELECTOR_DATA;
	field[0x4c / 4] = SELECTOR_CODE;
}

static void switch_tasks(struct machine *m)
{
	set_gdt(m, DESCRIPTOR_CODE_32, DESCRIPTOR_DATA);
	set_task(m, TSS, MACHINE_CODE);
	set_task(m, TSS_OTHER, MACHINE_CODE + 0x10);
}

/* Each task jumps to the other, and continues there when it is resumed. */
ENDLESS(switches_tasks, 32, switch_tasks,
	"1: ljmp $0x20, $0\n jmp 1b\n .skip 7\n"
	"2: ljmp $0x18, $0\n jmp 2b");

/* ---- ways to end a guest ------------------------------------------------- */

/* Use the last CPU, because CPU 0 has most work to do for the others. */
static int last_cpu(const struct host *host)
{
	return host->witness[host->cpus - 1].cpu;
}

/*
 * Count exits after which the module enters the guest again. An exception whose
 * delivery raises it again (#AC) has no instruction boundary at which an interrupt
 * could exit.
 */
static uint64_t exits(const volatile struct svmrun_registers *regs)
{
	return regs->out_exits_interrupt + regs->out_exits_reflected;
}

/* Return after three more of these exits. */
static void wait_interrupted(struct svmrun_vcpu *vcpu)
{
	uint64_t until = exits(vcpu->regs) + 3;

	while (exits(vcpu->regs) < until)
		usleep(1000);
}

/* Return what the processor lacks for the guest, or NULL. */
static const char *missing_feature(struct machine *m, const struct guest *guest)
{
	return guest->lacks ? guest->lacks(m) : NULL;
}

TEST_F(endless, is_kicked)
{
	struct runner runner;
	const char *lacks = missing_feature(&self->m, &variant->guest);

	if (lacks)
		SKIP(return, "%s", lacks);
	load_endless(&self->m, &variant->guest);
	ASSERT_EQ(0, cpu_pin(last_cpu(&self->host)));
	ASSERT_EQ(0, runner_start(&runner, &self->m.vcpu));
	wait_interrupted(&self->m.vcpu);
	host_wait_ticks(&self->host, 5);
	EXPECT_EQ(0, runner_kick(&runner));
	EXPECT_EQ(-EINTR, runner_join(&runner));
	EXPECT_EQ(VMEXIT_INTR, self->m.vcpu.vmcb->control.exitcode);
}

/* Run the guest in a child; write a byte to @ready right before. */
static void run_endless(const struct guest *guest, int ready)
{
	struct machine m;

	if (machine_create(&m))
		_exit(1);
	load_endless(&m, guest);
	if (write(ready, "", 1) == 1)
		machine_run(&m);
	_exit(1);
}

TEST_F(endless, is_killed)
{
	const char *lacks = missing_feature(&self->m, &variant->guest);
	int status, ready[2];
	pid_t child;
	char byte;

	if (lacks)
		SKIP(return, "%s", lacks);
	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, cpu_pin(last_cpu(&self->host)));
	child = fork();
	if (!child)
		run_endless(&variant->guest, ready[1]);
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	host_wait_ticks(&self->host, 5);
	ASSERT_EQ(0, kill(child, SIGKILL));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* ---- the host's work on the same CPU ------------------------------------- */

#define ROUNDS 10

GUEST(count_at_highest_priority, 64,
      "cli\n mov $15, %eax\n mov %rax, %cr8\n" COUNT_LOOP);

FIXTURE(held)
{
	struct machine m;
	struct host host;
	struct runner runner;
};

/* A guest runs on the CPU of the test's thread. */
FIXTURE_SETUP(held)
{
	ASSERT_EQ(0, machine_create(&self->m));
	if (host_watch(&self->host))
		SKIP_SETUP("%s cannot be loaded", HOSTSTATE_MODULE);
	LOAD_HOSTILE(&self->m, MODE_LONG, count_at_highest_priority);
	ASSERT_EQ(0, cpu_pin(last_cpu(&self->host)));
	ASSERT_EQ(0, runner_start(&self->runner, &self->m.vcpu));
	machine_wait_counting(&self->m);
}

FIXTURE_TEARDOWN(held)
{
	EXPECT_EQ(0, runner_kick(&self->runner));
	EXPECT_EQ(-EINTR, runner_join(&self->runner));
	host_expect_well(_metadata, &self->host);
	machine_destroy(&self->m);
}

/* Count the turns of a thread that never sleeps, and those of the guest. */
TEST_F(held, a_busy_thread_has_its_share)
{
	volatile uint64_t *guest = machine_counter(&self->m);
	uint64_t turns = 0, changes = 0, last = *guest;

	while (changes < ROUNDS) {
		turns++;
		if (*guest == last)
			continue;
		last = *guest;
		changes++;
	}
	EXPECT_LT(ROUNDS, turns);
}

static int timer_open(void)
{
	const struct itimerspec every = {
		.it_interval.tv_nsec = 1000 * 1000,
		.it_value.tv_nsec = 1000 * 1000,
	};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	return timerfd_settime(fd, 0, &every, NULL) ? -errno : fd;
}

TEST_F(held, a_timer_expires)
{
	int timer = timer_open();
	uint64_t expired;

	ASSERT_LE(0, timer);
	for (int i = 0; i < 100; i++)
		ASSERT_EQ(sizeof(expired),
			  read(timer, &expired, sizeof(expired)));
	machine_wait_counting(&self->m);
	close(timer);
}

/* The guest runs between two readings of the timer. */
TEST_F(held, a_real_time_thread_comes_first)
{
	const struct sched_param highest = { .sched_priority = 50 };
	int timer = timer_open();
	uint64_t expired, before = *machine_counter(&self->m);

	ASSERT_LE(0, timer);
	if (sched_setscheduler(0, SCHED_FIFO, &highest))
		SKIP(return, "no permission for real-time priority");
	for (int i = 0; i < 100; i++)
		ASSERT_EQ(sizeof(expired),
			  read(timer, &expired, sizeof(expired)));
	EXPECT_NE(before, *machine_counter(&self->m));
	close(timer);
}

/* ---- a guest stops with its process -------------------------------------- */

/* Fork a child whose guest counts in memory that is shared with the test. */
static pid_t fork_counting(struct __test_metadata *_metadata,
			   volatile uint64_t *shared)
{
	pid_t child = fork();

	ASSERT_LE(0, child);
	if (!child) {
		struct machine m;

		if (machine_create(&m) ||
		    machine_unmap(&m, MACHINE_DATA, PAGE) ||
		    machine_map(&m, MACHINE_DATA, (void *)shared, PAGE,
				MAP_ALL))
			_exit(1);
		LOAD_HOSTILE(&m, MODE_LONG, count_at_highest_priority);
		while (machine_run(&m) == -EINTR)
			;
		_exit(1);
	}
	return child;
}

static void wait_counting(volatile uint64_t *counter)
{
	uint64_t before = *counter;

	while (*counter == before)
		usleep(1000);
}

FIXTURE(process)
{
	struct machine m;
	struct host host;
	volatile uint64_t *counter;
	pid_t child;
};

FIXTURE_SETUP(process)
{
	ASSERT_EQ(0, machine_create(&self->m));
	if (host_watch(&self->host))
		SKIP_SETUP("%s cannot be loaded", HOSTSTATE_MODULE);
	self->counter = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->counter);
	self->child = fork_counting(_metadata, self->counter);
	wait_counting(self->counter);
}

FIXTURE_TEARDOWN(process)
{
	int status;

	EXPECT_EQ(0, kill(self->child, SIGKILL));
	EXPECT_EQ(self->child, waitpid(self->child, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	host_expect_well(_metadata, &self->host);
	machine_destroy(&self->m);
}

static void expect_stopped(struct __test_metadata *_metadata, struct host *host,
			   volatile uint64_t *counter)
{
	uint64_t before = *counter;

	host_wait_ticks(host, 20);
	EXPECT_EQ(before, *counter);
}

TEST_F(process, is_stopped_and_goes_on)
{
	int status;

	for (int i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, kill(self->child, SIGSTOP));
		ASSERT_EQ(self->child,
			  waitpid(self->child, &status, WUNTRACED));
		ASSERT_TRUE(WIFSTOPPED(status));
		expect_stopped(_metadata, &self->host, self->counter);
		ASSERT_EQ(0, kill(self->child, SIGCONT));
		wait_counting(self->counter);
	}
}

TEST_F(process, is_traced)
{
	int status;

	if (ptrace(PTRACE_SEIZE, self->child, 0, 0))
		SKIP(return, "no permission to trace a child");
	for (int i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, self->child, 0, 0));
		ASSERT_EQ(self->child, waitpid(self->child, &status, __WALL));
		ASSERT_TRUE(WIFSTOPPED(status));
		expect_stopped(_metadata, &self->host, self->counter);
		ASSERT_EQ(0, ptrace(PTRACE_CONT, self->child, 0, 0));
		wait_counting(self->counter);
	}
}

TEST_HARNESS_MAIN
