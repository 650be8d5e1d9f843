// SPDX-License-Identifier: GPL-2.0
/*
 * Misuse by programs: they close, unmap or corrupt what their running guest needs,
 * or call from several threads. Each program is a process that ends as any other
 * would, and the host is not affected.
 */
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "hostile.h"
#include "runner.h"

#define ROUNDS rounds(2000)

GUEST(count, 64, COUNT_LOOP);
GUEST(halt, 64, "1: hlt\n jmp 1b");

/* ---- a guest that counts, and the end of its program --------------------- */

WATCHED_FIXTURE(program)

struct program {
	int (*misuse)(struct machine *m, struct runner *runner);
	int signal; /* that ends the process; 0: it exits with status 0 */
};

FIXTURE_VARIANT(program)
{
	struct program program;
};

static void run_program(const struct program *program)
{
	const struct rlimit no_core = { 0, 0 };
	struct runner runner;
	struct machine m;

	if (setrlimit(RLIMIT_CORE, &no_core) || machine_create(&m))
		_exit(1);
	LOAD_HOSTILE(&m, MODE_LONG, count);
	if (runner_start(&runner, &m.vcpu))
		_exit(1);
	machine_wait_counting(&m);
	_exit(program->misuse(&m, &runner) ? 1 : 0);
}

TEST_F(program, ends_and_the_host_does_not)
{
	pid_t child = fork();
	int status;

	if (!child)
		run_program(&variant->program);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(variant->program.signal,
		  WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	if (!variant->program.signal)
		EXPECT_EQ(0, status);
}

#define PROGRAM(name, signal_)                                                 \
	FIXTURE_VARIANT_ADD(program, name)                                     \
	{                                                                      \
		.program = { .misuse = name, .signal = signal_ },              \
	}

static void on_signal(int signal)
{
}

/* By a signal, because the vCPU may no longer be accessible to kick it. */
static int end_by_signal(struct runner *runner)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGUSR1, &action, NULL);
	pthread_kill(runner->thread, SIGUSR1);
	return runner_join(runner) != -EINTR;
}

static int closes_its_descriptors(struct machine *m, struct runner *runner)
{
	close(m->vcpu.fd);
	close(m->vm.fd);
	close(m->device);
	machine_wait_counting(m);
	return end_by_signal(runner);
}
PROGRAM(closes_its_descriptors, 0);

static int unmaps_the_shared_pages(struct machine *m, struct runner *runner)
{
	int err = munmap(m->vcpu.vmcb, m->vcpu.size);

	machine_wait_counting(m);
	return err || end_by_signal(runner);
}
PROGRAM(unmaps_the_shared_pages, 0);

static int discards_the_shared_pages(struct machine *m, struct runner *runner)
{
	madvise(m->vcpu.vmcb, m->vcpu.size, MADV_DONTNEED);
	madvise(m->vcpu.vmcb, m->vcpu.size, MADV_PAGEOUT);
	machine_wait_counting(m);
	return end_by_signal(runner);
}
PROGRAM(discards_the_shared_pages, 0);

static int closes_and_unmaps_all(struct machine *m, struct runner *runner)
{
	close(m->vcpu.fd);
	close(m->vm.fd);
	munmap(m->vcpu.vmcb, m->vcpu.size);
	munmap(m->memory.base, m->memory.size);
	return runner_join(runner) != -EFAULT;
}
PROGRAM(closes_and_unmaps_all, 0);

static int exits(struct machine *m, struct runner *runner)
{
	_exit(0);
}
PROGRAM(exits, 0);

static int becomes_another_program(struct machine *m, struct runner *runner)
{
	return execlp("true", "true", NULL);
}
PROGRAM(becomes_another_program, 0);

static int aborts(struct machine *m, struct runner *runner)
{
	abort();
}
PROGRAM(aborts, SIGABRT);

static int touches_no_memory(struct machine *m, struct runner *runner)
{
	volatile int *nothing = mmap(NULL, PAGE, PROT_NONE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return *nothing;
}
PROGRAM(touches_no_memory, SIGSEGV);

static int runs_out_of_time(struct machine *m, struct runner *runner)
{
	const struct rlimit second = { 1, 1 };

	setrlimit(RLIMIT_CPU, &second);
	return runner_join(runner);
}
PROGRAM(runs_out_of_time, SIGKILL);

/* The child has a copy of the memory, and can neither run nor stop the guest. */
static void be_child(struct machine *m)
{
	int result = call(m->vcpu.fd, SVMRUN_RUN, NULL);

	memset(machine_at(m, MACHINE_CODE), 0xf4, PAGE);
	munmap(m->memory.base, m->memory.size);
	_exit(result != -EIO);
}

static int forks(struct machine *m, struct runner *runner)
{
	for (int i = 0; i < 20; i++) {
		pid_t child = fork();
		int status;

		if (!child)
			be_child(m);
		machine_wait_counting(m);
		if (waitpid(child, &status, 0) != child || status)
			return 1;
	}
	machine_wait_counting(m);
	return end_by_signal(runner);
}
PROGRAM(forks, 0);

/* ---- concurrent calls ---------------------------------------------------- */

WATCHED_FIXTURE(misuse)

#define VMCB (self->m.vcpu.vmcb)
#define REGS (self->m.vcpu.regs)

struct helper {
	pthread_t thread;
	struct machine *m;
	volatile bool stop;
	uint64_t count;
};

static int helper_start(struct helper *helper, struct machine *m,
			void *(*work)(void *))
{
	*helper = (struct helper){ .m = m };
	return -pthread_create(&helper->thread, NULL, work, helper);
}

static int helper_stop(struct helper *helper)
{
	helper->stop = true;
	return -pthread_join(helper->thread, NULL);
}

static void *kick_without_end(void *argument)
{
	struct helper *helper = argument;

	for (; !helper->stop; helper->count++)
		call(helper->m->vcpu.fd, SVMRUN_KICK, NULL);
	return NULL;
}

TEST_F(misuse, kicks_without_end)
{
	struct helper helper;

	LOAD_HOSTILE(&self->m, MODE_LONG, count);
	ASSERT_EQ(0, helper_start(&helper, &self->m, kick_without_end));
	for (int i = 0; i < ROUNDS / 4; i++)
		ASSERT_EQ(-EINTR, machine_run(&self->m));
	EXPECT_EQ(0, helper_stop(&helper));
	EXPECT_NE(0, helper.count);
}

static void *run_too(void *argument)
{
	struct helper *helper = argument;

	while (!helper->stop)
		helper->count += machine_run(helper->m) == -EBUSY;
	return NULL;
}

/* One of the two threads runs the vCPU, and the other fails with -EBUSY. */
TEST_F(misuse, runs_a_vcpu_from_two_threads)
{
	struct helper helper;
	uint64_t done = 0;

	LOAD_HOSTILE(&self->m, MODE_LONG, halt);
	ASSERT_EQ(0, helper_start(&helper, &self->m, run_too));
	for (int i = 0; done < ROUNDS || i < ROUNDS; i++) {
		int result = machine_run(&self->m);

		ASSERT_TRUE(result == 0 || result == -EBUSY);
		done += !result;
	}
	EXPECT_EQ(0, helper_stop(&helper));
	EXPECT_EQ(VMEXIT_HLT, VMCB->control.exitcode);
}

static void *map_and_unmap(void *argument)
{
	struct helper *helper = argument;
	void *page = machine_at(helper->m, MACHINE_DATA);

	for (; !helper->stop; helper->count++) {
		machine_unmap(helper->m, MACHINE_DATA, PAGE);
		machine_map(helper->m, MACHINE_DATA, page, PAGE, MAP_ALL);
	}
	return NULL;
}

/* The guest exits when its memory is not mapped. */
TEST_F(misuse, maps_and_unmaps_without_end)
{
	uint64_t missed = 0;
	struct helper helper;

	LOAD_HOSTILE(&self->m, MODE_LONG, count);
	ASSERT_EQ(0, helper_start(&helper, &self->m, map_and_unmap));
	for (int i = 0; i < ROUNDS; i++) {
		ASSERT_EXIT(VMEXIT_NPF, &self->m);
		ASSERT_EQ(MACHINE_DATA, VMCB->control.exitinfo2);
		missed++;
	}
	EXPECT_EQ(0, helper_stop(&helper));
	EXPECT_EQ(ROUNDS, missed);
}

/* ---- changes of the shared pages while they are read --------------------- */

static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return *state >> 33;
}

/*
 * Set a field, usually to a valid value, sometimes to one that the module must
 * refuse.
 */
static void change_one(struct machine *m, uint64_t random)
{
	struct svm_vmcb_control *control = &m->vcpu.vmcb->control;
	bool bad = random % 8 == 0;

	switch (random / 8 % 10) {
	case 0:
		control->intercept[3] = bad ? 0 : ~0u;
		break;
	case 1:
		control->intercept[4] = bad ? 0 : ~0u;
		break;
	case 2:
		control->iopm_base_pa = bad ? random << 12 : 0;
		break;
	case 3:
		control->msrpm_base_pa = bad ? random << 12 : 0;
		break;
	case 4:
		control->n_cr3 = bad ? random << 12 : 0;
		break;
	case 5:
		control->nested_ctl = bad ? random : SVM_NESTED_NP_ENABLE;
		break;
	case 6:
		control->vintr = bad ? SVM_VINTR_AVIC_ENABLE : 0;
		break;
	case 7:
		control->clean = random;
		break;
	case 8:
		m->vcpu.regs->xcr0 = bad ? random : 1;
		break;
	default:
		control->asid = !bad;
	}
}

static void *change_without_end(void *argument)
{
	struct helper *helper = argument;
	uint64_t random = 1;

	for (; !helper->stop; helper->count++)
		change_one(helper->m, next_random(&random));
	return NULL;
}

GUEST(ports_and_msrs, 64,
      "1: mov $0xf4, %edx\n outb %al, %dx\n hlt\n .skip 9\n"
      "2: mov $0xc0000080, %ecx\n wrmsr\n hlt\n");
#define WRMSR_PART 16 /* offset of the second part */

/* RUN one part; expect that it is refused, or that it exits where it must. */
static bool run_part(struct __test_metadata *_metadata, struct machine *m,
		     uint64_t part, uint64_t exit)
{
	struct svm_vmcb *vmcb = m->vcpu.vmcb;

	vmcb->save.rip = MACHINE_CODE + part;
	ASSERT_EQ(0, machine_run(m));
	if (vmcb->control.exitcode == VMEXIT_INVALID)
		return false;
	ASSERT_EQ(exit, vmcb->control.exitcode);
	return true;
}

TEST_F_TIMEOUT(misuse, changes_the_vmcb_while_it_is_read, 60)
{
	uint64_t ran = 0, refused = 0;
	struct helper helper;

	LOAD_HOSTILE(&self->m, MODE_LONG, ports_and_msrs);
	ASSERT_EQ(0, helper_start(&helper, &self->m, change_without_end));
	while (ran < ROUNDS || refused < ROUNDS) {
		if (run_part(_metadata, &self->m, 0, VMEXIT_IOIO))
			ran++;
		else
			refused++;
		run_part(_metadata, &self->m, WRMSR_PART, VMEXIT_MSR);
	}
	EXPECT_EQ(0, helper_stop(&helper));
}

/* ---- memory that must not become guest memory ---------------------------- */

#define GPA 0x100000ul

GUEST(read_rbx, 64, "mov (%rbx), %rax\n hlt");
GUEST(write_rbx, 64, "movq $0, (%rbx)\n hlt");
GUEST(rewrite_vmcb, 64,
      "movq $0, 0x08(%rbx)\n movq $0, 0x10(%rbx)\n"
      "movq $0x1000, 0x40(%rbx)\n movq $0x1000, 0xb0(%rbx)\n"
      "outb %al, $0xf4\n hlt");

#define ON_GPA(m, guest)                                                       \
	(LOAD_HOSTILE(m, MODE_LONG, guest), (m)->vcpu.regs->rbx = GPA,         \
	 machine_run(m))

/*
 * Some kernels let the guest access the page, but the processor uses another VMCB.
 */
TEST_F(misuse, maps_the_vmcb_into_the_guest)
{
	int result;

	ASSERT_EQ(0, machine_map(&self->m, GPA, VMCB, PAGE, MAP_ALL));
	result = ON_GPA(&self->m, rewrite_vmcb);
	ASSERT_TRUE(result == 0 || result == -EFAULT);
	EXPECT_EQ(result ? VMEXIT_NPF : VMEXIT_IOIO, VMCB->control.exitcode);
}

TEST_F(misuse, maps_kernel_code_into_the_guest)
{
	uint64_t vdso = getauxval(AT_SYSINFO_EHDR);
	uint64_t before;

	if (!vdso)
		SKIP(return, "no vDSO");
	before = *(uint64_t *)vdso;
	ASSERT_EQ(0, machine_map(&self->m, GPA, (void *)vdso, PAGE, MAP_ALL));
	EXPECT_EQ(-EFAULT, ON_GPA(&self->m, write_rbx));
	EXPECT_EQ(before, *(uint64_t *)vdso);
}

TEST_F(misuse, maps_a_device_into_the_guest)
{
	int memory = open("/dev/mem", O_RDWR | O_CLOEXEC);
	void *screen = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			    memory, 0xa0000);

	if (screen == MAP_FAILED)
		SKIP(return, "/dev/mem cannot be mapped");
	ASSERT_EQ(0, machine_map(&self->m, GPA, screen, PAGE, MAP_ALL));
	EXPECT_EQ(-EFAULT, ON_GPA(&self->m, read_rbx));
	EXPECT_EQ(-EFAULT, ON_GPA(&self->m, write_rbx));
}

/* ---- calls from 32-bit code ---------------------------------------------- */

#define IOCTL_32 54

static long ioctl_32(int fd, unsigned long request)
{
	long result = IOCTL_32;

	asm volatile("int $0x80"
		     : "+a"(result)
		     : "b"((long)fd), "c"(request), "d"(0l)
		     : "memory", "r8", "r9", "r10", "r11");
	return result;
}

static bool has_calls_of_32_bit(void)
{
	pid_t child = fork();
	int status;

	if (!child)
		_exit(ioctl_32(-1, 0) != -EBADF);
	return waitpid(child, &status, 0) == child && !status;
}

TEST_F(misuse, calls_as_a_32_bit_program)
{
	if (!has_calls_of_32_bit())
		SKIP(return, "this kernel does not support 32-bit programs");
	LOAD_HOSTILE(&self->m, MODE_LONG, halt);
	EXPECT_EQ(-ENOTTY, ioctl_32(self->m.vcpu.fd, SVMRUN_RUN));
	EXPECT_EQ(0, VMCB->control.exitcode);
	ASSERT_EXIT(VMEXIT_HLT, &self->m);
}

TEST_HARNESS_MAIN
