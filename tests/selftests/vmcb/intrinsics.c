// SPDX-License-Identifier: GPL-2.0
/*
 * <svmrun_intrin.h>: VMRUN, VMLOAD, VMSAVE, STGI, CLGI, INVLPGA and SKINIT as
 * functions, with one host state per thread
 */
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>

#include <svmrun_intrin.h>

#include "machine.h"

#define SECOND_LARGE_PAGE (2ul << 20)

GUEST(halt, 64, "1: hlt\n jmp 1b");
GUEST(count, 64, "1: lock incl 0xa000\n jmp 1b");
GUEST(swap, 64, "1: xchg %rax, %rbx\n xchg %r14, %r15\n hlt\n jmp 1b");
GUEST(touch, 64, "1: mov 0x200000, %eax\n hlt\n jmp 1b");

/* clang-format off */
/* Return LSTAR in RAX, and add 16 to it. */
GUEST(add_lstar, 64,
      "1: mov $0xc0000082, %ecx\n rdmsr\n"
      "mov %rdx, %rbx\n shl $32, %rbx\n or %rax, %rbx\n"
      "add $16, %eax\n wrmsr\n mov %rbx, %rax\n hlt\n jmp 1b");

/* Store an MSR in 8 bytes at @at, and add 16 to it. */
#define ADD_MSR(msr, at)                                                       \
	"mov $" #msr ", %ecx\n rdmsr\n"                                        \
	"mov %eax, " #at "\n mov %edx, 4 + " #at "\n add $16, %eax\n wrmsr\n"

/*
 * Store all state that VMLOAD loads, add 16 to each MSR, and load LDTR with null.
 */
GUEST(add_all, 64,
      "1: mov %fs, 0xa080\n mov %gs, 0xa082\n sldt 0xa084\n str 0xa086\n"
      "xor %eax, %eax\n lldt %ax\n"
      ADD_MSR(0xc0000100, 0xa000) ADD_MSR(0xc0000101, 0xa008)
      ADD_MSR(0xc0000102, 0xa010) ADD_MSR(0xc0000081, 0xa018)
      ADD_MSR(0xc0000082, 0xa020) ADD_MSR(0xc0000083, 0xa028)
      ADD_MSR(0x175, 0xa030) ADD_MSR(0x176, 0xa038)
      ADD_MSR(0xc0000084, 0xa040) ADD_MSR(0x174, 0xa048)
      "hlt\n jmp 1b");
/* clang-format on */

/*
 * A vCPU of a machine, and a VMCB that holds the state of the thread that runs it
 */
FIXTURE(intrinsics)
{
	struct machine m;
	size_t guest, thread;
	struct svmrun_vcpu *vcpu;
	struct svm_vmcb *vmcb;
};

FIXTURE_SETUP(intrinsics)
{
	ASSERT_EQ(0, machine_create(&self->m));
	ASSERT_EQ(0, svmrun_intrin_alloc(&self->guest, &self->m.vm));
	ASSERT_EQ(0, svmrun_intrin_alloc(&self->thread, NULL));
	self->vcpu = svmrun_intrin_vcpu(self->guest);
	self->vmcb = self->vcpu->vmcb;
}

FIXTURE_TEARDOWN(intrinsics)
{
	svmrun_intrin_free(self->guest);
	svmrun_intrin_free(self->thread);
	machine_destroy(&self->m);
}

static struct svm_vmcb_save *state_of(size_t physical)
{
	return &svmrun_intrin_vcpu(physical)->vmcb->save;
}

/* Set a vCPU to the beginning of a guest that may access all permitted MSRs. */
static void begin_at(struct machine *m, struct svmrun_vcpu *vcpu,
		     const char *code, const char *code_end)
{
	memcpy(machine_at(m, MACHINE_CODE), code, code_end - code);
	vcpu_begin(m, vcpu, MODE_LONG);
	memset(vcpu->msrpm, 0, 2 * PAGE);
}

#define BEGIN(self, guest)                                                     \
	begin_at(&(self)->m, (self)->vcpu, guest, guest##_end)

/* VMRUN must end with this exit code. */
#define ASSERT_VMEXIT(code, self)                                              \
	do {                                                                   \
		__svm_vmrun((self)->guest);                                    \
		ASSERT_EQ(0, svmrun_intrin_error());                           \
		ASSERT_EQ((code), (self)->vmcb->control.exitcode);             \
	} while (0)

/* ---- VMLOAD, VMSAVE and VMRUN -------------------------------------------- */

/* In the order in which add_all stores them; from SFMASK on they are narrow. */
enum field {
	FS_BASE,
	GS_BASE,
	KERNEL_GS_BASE,
	STAR,
	LSTAR,
	CSTAR,
	SYSENTER_ESP,
	SYSENTER_EIP,
	SFMASK,
	SYSENTER_CS,
	FS,
	GS,
	LDTR,
	TR,
	FIELDS
};

/* A value that is unique to a field and a state */
static uint64_t value(unsigned int state, enum field field)
{
	uint64_t high = field < SFMASK ? (uint64_t)state << 40 : 0;

	return high | (0x400 * state + 0x20 * field);
}

static void fill(struct svm_vmcb_save *save, unsigned int state)
{
	save->fs.base = value(state, FS_BASE);
	save->gs.base = value(state, GS_BASE);
	save->kernel_gs_base = value(state, KERNEL_GS_BASE);
	save->star = value(state, STAR);
	save->lstar = value(state, LSTAR);
	save->cstar = value(state, CSTAR);
	save->sysenter_esp = value(state, SYSENTER_ESP);
	save->sysenter_eip = value(state, SYSENTER_EIP);
	save->sfmask = value(state, SFMASK);
	save->sysenter_cs = value(state, SYSENTER_CS);
	save->fs.selector = value(state, FS);
	save->gs.selector = value(state, GS);
	save->ldtr.selector = value(state, LDTR);
	save->tr.selector = value(state, TR);
}

/* Expect a state as fill() sets it, with @added added by add_all, or 0. */
static void expect_state(struct __test_metadata *_metadata,
			 const struct svm_vmcb_save *save, unsigned int state,
			 unsigned int added)
{
	EXPECT_EQ(value(state, FS_BASE) + added, save->fs.base);
	EXPECT_EQ(value(state, GS_BASE) + added, save->gs.base);
	EXPECT_EQ(value(state, KERNEL_GS_BASE) + added, save->kernel_gs_base);
	EXPECT_EQ(value(state, STAR) + added, save->star);
	EXPECT_EQ(value(state, LSTAR) + added, save->lstar);
	EXPECT_EQ(value(state, CSTAR) + added, save->cstar);
	EXPECT_EQ(value(state, SYSENTER_ESP) + added, save->sysenter_esp);
	EXPECT_EQ(value(state, SYSENTER_EIP) + added, save->sysenter_eip);
	EXPECT_EQ(value(state, SFMASK) + added, save->sfmask);
	EXPECT_EQ(value(state, SYSENTER_CS) + added, save->sysenter_cs);
	EXPECT_EQ(value(state, FS), save->fs.selector);
	EXPECT_EQ(value(state, GS), save->gs.selector);
	EXPECT_EQ(added ? 0 : value(state, LDTR), save->ldtr.selector);
	EXPECT_EQ(value(state, TR), save->tr.selector);
}

/* Expect that add_all has stored this state. */
static void expect_shown(struct __test_metadata *_metadata, struct machine *m,
			 unsigned int state)
{
	const uint64_t *msr = machine_at(m, MACHINE_DATA);
	const uint16_t *selector = machine_at(m, MACHINE_DATA + 0x80);

	for (enum field i = 0; i < FS; i++)
		EXPECT_EQ(value(state, i), msr[i]);
	for (enum field i = FS; i < FIELDS; i++)
		EXPECT_EQ(value(state, i), selector[i - FS]);
}

TEST_F(intrinsics, vmload_and_vmsave_move_a_state)
{
	fill(&self->vmcb->save, 1);
	__svm_vmload(self->guest);
	fill(&self->vmcb->save, 2);
	__svm_vmsave(self->thread);
	expect_state(_metadata, state_of(self->thread), 1, 0);
	expect_state(_metadata, &self->vmcb->save, 2, 0);
	EXPECT_EQ(0, state_of(self->thread)->rip);
}

TEST_F(intrinsics, guest_has_the_threads_state)
{
	BEGIN(self, add_all);
	fill(state_of(self->thread), 1);
	fill(&self->vmcb->save, 2);
	__svm_vmload(self->thread);
	ASSERT_VMEXIT(VMEXIT_HLT, self);
	expect_shown(_metadata, &self->m, 1);
	expect_state(_metadata, &self->vmcb->save, 2, 0);
	expect_state(_metadata, state_of(self->thread), 1, 0);
}

TEST_F(intrinsics, thread_has_what_the_guest_changed)
{
	BEGIN(self, add_all);
	fill(state_of(self->thread), 1);
	fill(&self->vmcb->save, 2);
	__svm_vmload(self->thread);
	ASSERT_VMEXIT(VMEXIT_HLT, self);
	__svm_vmsave(self->thread);
	expect_state(_metadata, state_of(self->thread), 1, 16);
	expect_state(_metadata, &self->vmcb->save, 2, 0);
}

TEST_F(intrinsics, guest_and_host_are_switched)
{
	BEGIN(self, add_all);
	fill(state_of(self->thread), 1);
	fill(&self->vmcb->save, 2);
	__svm_vmload(self->thread);
	__svm_vmsave(self->thread);
	__svm_vmload(self->guest);
	ASSERT_VMEXIT(VMEXIT_HLT, self);
	__svm_vmsave(self->guest);
	__svm_vmload(self->thread);
	expect_shown(_metadata, &self->m, 2);
	expect_state(_metadata, &self->vmcb->save, 2, 16);
	fill(state_of(self->thread), 3);
	__svm_vmsave(self->thread);
	expect_state(_metadata, state_of(self->thread), 1, 0);
}

TEST_F(intrinsics, refused_vmcb_changes_no_state)
{
	BEGIN(self, add_all);
	fill(state_of(self->thread), 1);
	fill(&self->vmcb->save, 2);
	self->vmcb->control.nested_ctl = 0;
	__svm_vmload(self->thread);
	ASSERT_VMEXIT(VMEXIT_INVALID, self);
	EXPECT_EQ(SVMRUN_INVALID_MUST_BE_SET,
		  self->vcpu->regs->out_invalid_reason);
	__svm_vmsave(self->thread);
	expect_state(_metadata, state_of(self->thread), 1, 0);
	expect_state(_metadata, &self->vmcb->save, 2, 0);
}

TEST_F(intrinsics, registers_are_shared)
{
	BEGIN(self, swap);
	self->vmcb->save.rax = 1;
	self->vcpu->regs->rbx = 2;
	self->vcpu->regs->r14 = 3;
	self->vcpu->regs->r15 = 4;
	ASSERT_VMEXIT(VMEXIT_HLT, self);
	EXPECT_EQ(2, self->vmcb->save.rax);
	EXPECT_EQ(1, self->vcpu->regs->rbx);
	EXPECT_EQ(4, self->vcpu->regs->r14);
	EXPECT_EQ(3, self->vcpu->regs->r15);
}

TEST_F(intrinsics, gif_is_clear_after_vmexit)
{
	BEGIN(self, halt);
	__svm_stgi();
	EXPECT_TRUE(svmrun_intrin_gif());
	ASSERT_VMEXIT(VMEXIT_HLT, self);
	EXPECT_FALSE(svmrun_intrin_gif());
}

/* ---- threads ------------------------------------------------------------- */

/* A thread whose guest adds to LSTAR, which no other thread may change */
struct adder {
	pthread_t thread;
	size_t guest;
	unsigned int state;
	bool right;
};

#define ADDITIONS 200

static void *adder_main(void *argument)
{
	struct adder *adder = argument;
	struct svm_vmcb *vmcb = svmrun_intrin_vcpu(adder->guest)->vmcb;
	uint64_t lstar = value(adder->state, LSTAR);

	fill(&vmcb->save, adder->state);
	__svm_vmload(adder->guest);
	adder->right = svmrun_intrin_gif();
	for (int i = 0; i < ADDITIONS && adder->right; i++) {
		__svm_vmrun(adder->guest);
		adder->right = vmcb->control.exitcode == VMEXIT_HLT &&
			       vmcb->save.rax == lstar && !svmrun_intrin_gif();
		vmcb->save.rip = MACHINE_CODE;
		lstar += 16;
	}
	return NULL;
}

TEST_F(intrinsics, threads_have_states_of_their_own)
{
	struct adder adders[2] = { { .state = 1 }, { .state = 2 } };

	fill(state_of(self->thread), 3);
	__svm_vmload(self->thread);
	for (int i = 0; i < 2; i++) {
		size_t *guest = &adders[i].guest;

		ASSERT_EQ(0, svmrun_intrin_alloc(guest, &self->m.vm));
		begin_at(&self->m, svmrun_intrin_vcpu(*guest), add_lstar,
			 add_lstar_end);
	}
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&adders[i].thread, NULL, adder_main,
					    &adders[i]));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_join(adders[i].thread, NULL));
		EXPECT_TRUE(adders[i].right);
		svmrun_intrin_free(adders[i].guest);
	}
	EXPECT_TRUE(svmrun_intrin_gif());
	__svm_vmsave(self->thread);
	expect_state(_metadata, state_of(self->thread), 3, 0);
}

static int count_entries(const char *path)
{
	DIR *directory = opendir(path);
	int count = 0;

	while (directory && readdir(directory))
		count++;
	if (directory)
		closedir(directory);
	return count;
}

static int count_lines(const char *path)
{
	FILE *file = fopen(path, "r");
	int c, count = 0;

	while (file && (c = getc(file)) != EOF)
		count += c == '\n';
	if (file)
		fclose(file);
	return count;
}

static void *use_everything(void *argument)
{
	struct svmrun_vm *vm = argument;
	size_t physical;

	if (svmrun_intrin_alloc(&physical, vm))
		return NULL;
	__svm_vmload(physical);
	__svm_vmrun(physical);
	__svm_vmsave(physical);
	__svm_stgi();
	svmrun_intrin_free(physical);
	return argument;
}

static void use_in_threads(struct __test_metadata *_metadata, struct machine *m,
			   int threads)
{
	pthread_t thread;
	void *result;

	for (int i = 0; i < threads; i++) {
		ASSERT_EQ(0, pthread_create(&thread, NULL, use_everything,
					    &m->vm));
		ASSERT_EQ(0, pthread_join(thread, &result));
		ASSERT_NE(NULL, result);
	}
}

TEST_F(intrinsics, threads_leave_nothing_behind)
{
	int files, maps;

	use_in_threads(_metadata, &self->m, 2);
	files = count_entries("/proc/self/fd");
	maps = count_lines("/proc/self/maps");
	use_in_threads(_metadata, &self->m, 100);
	EXPECT_EQ(files, count_entries("/proc/self/fd"));
	EXPECT_EQ(maps, count_lines("/proc/self/maps"));
}

/* ---- exits that the guest does not cause --------------------------------- */

/* A thread that executes VMRUN once */
struct vmrun {
	pthread_t thread;
	size_t guest;
	int error;
};

static void *vmrun_main(void *argument)
{
	struct vmrun *vmrun = argument;

	__svm_vmrun(vmrun->guest);
	vmrun->error = svmrun_intrin_error();
	return NULL;
}

static volatile uint32_t *counter(struct machine *m)
{
	return machine_at(m, MACHINE_DATA);
}

/* Return when the guest, count, is running. */
static void vmrun_start(struct __test_metadata *_metadata, struct vmrun *vmrun,
			struct machine *m, size_t guest)
{
	uint32_t before = *counter(m);

	vmrun->guest = guest;
	ASSERT_EQ(0, pthread_create(&vmrun->thread, NULL, vmrun_main, vmrun));
	while (*counter(m) == before)
		sched_yield();
}

/* End the thread; return its svmrun_intrin_error(). */
static int vmrun_end(struct vmrun *vmrun)
{
	svmrun_vcpu_kick(svmrun_intrin_vcpu(vmrun->guest));
	pthread_join(vmrun->thread, NULL);
	return vmrun->error;
}

static void on_signal(int signal)
{
}

TEST_F(intrinsics, signal_is_an_interrupt)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct vmrun vmrun;

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	BEGIN(self, count);
	vmrun_start(_metadata, &vmrun, &self->m, self->guest);
	ASSERT_EQ(0, pthread_kill(vmrun.thread, SIGUSR1));
	ASSERT_EQ(0, pthread_join(vmrun.thread, NULL));
	EXPECT_EQ(-EINTR, vmrun.error);
	EXPECT_EQ(VMEXIT_INTR, self->vmcb->control.exitcode);
}

/* The guest is not entered; the fields must not repeat the previous exit. */
TEST_F(intrinsics, kick_before_vmrun_is_an_interrupt)
{
	struct svm_vmcb_control *control = &self->vmcb->control;

	BEGIN(self, halt);
	ASSERT_VMEXIT(VMEXIT_HLT, self);
	control->exitinfo1 = 1;
	control->exitinfo2 = 2;
	control->exitintinfo = SVM_EVENT_VALID | 0x20;
	ASSERT_EQ(0, svmrun_vcpu_kick(self->vcpu));
	__svm_vmrun(self->guest);
	EXPECT_EQ(-EINTR, svmrun_intrin_error());
	EXPECT_EQ(VMEXIT_INTR, control->exitcode);
	EXPECT_EQ(0, control->exitinfo1);
	EXPECT_EQ(0, control->exitinfo2);
	EXPECT_EQ(0, control->exitintinfo);
	EXPECT_FALSE(svmrun_intrin_gif());
	self->vmcb->save.rip = MACHINE_CODE;
	ASSERT_VMEXIT(VMEXIT_HLT, self);
}

/*
 * The manual defines EXITINTINFO (APM 15.7.2); the module's RUN keeps it in
 * EVENTINJ.
 */
TEST_F(intrinsics, interrupted_event_is_in_exitintinfo)
{
	const uint64_t event = SVM_EVENT_VALID | SVM_EVENT_TYPE_INTR | 0x20;
	struct svm_vmcb_control *control = &self->vmcb->control;

	BEGIN(self, halt);
	control->eventinj = event;
	ASSERT_EQ(0, svmrun_vcpu_kick(self->vcpu));
	__svm_vmrun(self->guest);
	EXPECT_EQ(VMEXIT_INTR, control->exitcode);
	EXPECT_EQ(event, control->exitintinfo);
	EXPECT_EQ(0, control->eventinj);
	/* Without an IDT, its delivery ends in a triple fault. */
	control->eventinj = control->exitintinfo;
	ASSERT_VMEXIT(VMEXIT_SHUTDOWN, self);
}

TEST_F(intrinsics, memory_that_cannot_be_had)
{
	void *memory = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);

	ASSERT_NE(MAP_FAILED, memory);
	BEGIN(self, touch);
	ASSERT_VMEXIT(VMEXIT_NPF, self);
	ASSERT_EQ(0, machine_map(&self->m, SECOND_LARGE_PAGE, memory, PAGE,
				 MAP_ALL));
	__svm_vmrun(self->guest);
	EXPECT_EQ(-EFAULT, svmrun_intrin_error());
	EXPECT_EQ(VMEXIT_NPF, self->vmcb->control.exitcode);
	EXPECT_EQ(SECOND_LARGE_PAGE, self->vmcb->control.exitinfo2);
	ASSERT_EQ(0, mprotect(memory, PAGE, PROT_READ));
	ASSERT_VMEXIT(VMEXIT_HLT, self);
	munmap(memory, PAGE);
}

/* The memory holds the IDT, so that a fault on it interrupts the delivery. */
TEST_F(intrinsics, event_interrupted_by_a_fault_is_in_exitintinfo)
{
	const uint64_t event = SVM_EVENT_VALID | SVM_EVENT_TYPE_INTR | 0x20;
	struct svm_vmcb_control *control = &self->vmcb->control;
	void *memory = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);

	ASSERT_NE(MAP_FAILED, memory);
	ASSERT_EQ(0, machine_map(&self->m, SECOND_LARGE_PAGE, memory, PAGE,
				 MAP_ALL));
	BEGIN(self, halt);
	self->vmcb->save.idtr.base = SECOND_LARGE_PAGE;
	self->vmcb->save.idtr.limit = PAGE - 1;
	control->eventinj = event;
	__svm_vmrun(self->guest);
	EXPECT_EQ(-EFAULT, svmrun_intrin_error());
	EXPECT_EQ(VMEXIT_NPF, control->exitcode);
	EXPECT_EQ(event, control->exitintinfo);
	EXPECT_EQ(0, control->eventinj);
	munmap(memory, PAGE);
}

TEST_F(intrinsics, vmcb_that_runs_is_busy)
{
	struct vmrun vmrun;
	struct svm_vmcb before;

	BEGIN(self, count);
	vmrun_start(_metadata, &vmrun, &self->m, self->guest);
	before = *self->vmcb;
	__svm_vmrun(self->guest);
	EXPECT_EQ(-EBUSY, svmrun_intrin_error());
	EXPECT_EQ(0, memcmp(&before, self->vmcb, sizeof(before)));
	EXPECT_EQ(-EINTR, vmrun_end(&vmrun));
	EXPECT_EQ(VMEXIT_INTR, self->vmcb->control.exitcode);
}

TEST_F(intrinsics, vmcb_of_another_process_is_invalid)
{
	int status;
	pid_t child;

	BEGIN(self, halt);
	child = fork();
	if (!child) {
		__svm_vmrun(self->guest);
		_exit(-svmrun_intrin_error());
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(EIO, WEXITSTATUS(status));
	EXPECT_EQ(VMEXIT_INVALID, self->vmcb->control.exitcode);
	ASSERT_VMEXIT(VMEXIT_HLT, self);
}

TEST_F(intrinsics, vmcb_without_a_vm_is_invalid)
{
	__svm_vmrun(self->thread);
	EXPECT_EQ(-EBADF, svmrun_intrin_error());
	EXPECT_EQ(VMEXIT_INVALID,
		  svmrun_intrin_vcpu(self->thread)->vmcb->control.exitcode);
}

/* ---- clean bits, TLB ----------------------------------------------------- */

TEST_F(intrinsics, state_is_loaded_whatever_the_clean_bits_say)
{
	BEGIN(self, add_all);
	fill(state_of(self->thread), 1);
	__svm_vmload(self->thread);
	ASSERT_VMEXIT(VMEXIT_HLT, self);
	fill(state_of(self->thread), 3);
	__svm_vmload(self->thread);
	self->vmcb->control.clean = SVM_CLEAN_ALL;
	self->vmcb->save.rip = MACHINE_CODE;
	__svm_invlpga(NULL, self->vmcb->control.asid);
	ASSERT_VMEXIT(VMEXIT_HLT, self);
	expect_shown(_metadata, &self->m, 3);
}

/*
 * Fields without a clean bit: FS, GS, LDTR, TR, STAR to SYSENTER_EIP; and
 * TLB_CONTROL
 */
static bool may_differ(size_t offset)
{
	return offset == 0x05c || (offset >= 0x440 && offset < 0x460) ||
	       (offset >= 0x470 && offset < 0x480) ||
	       (offset >= 0x490 && offset < 0x4a0) ||
	       (offset >= 0x600 && offset < 0x640);
}

/* Groups whose clean bits are set are not changed, even while the guest runs. */
TEST_F(intrinsics, nothing_else_of_the_vmcb_changes)
{
	struct svm_vmcb before, during;
	struct vmrun vmrun;

	BEGIN(self, count);
	fill(&self->vmcb->save, 2);
	self->vmcb->control.clean = SVM_CLEAN_ALL;
	before = *self->vmcb;
	vmrun_start(_metadata, &vmrun, &self->m, self->guest);
	during = *self->vmcb;
	ASSERT_EQ(-EINTR, vmrun_end(&vmrun));
	EXPECT_NE(0, memcmp(&before, &during, sizeof(before)));
	for (size_t i = 0; i < sizeof(before); i++)
		if (!may_differ(i))
			EXPECT_EQ(((char *)&before)[i], ((char *)&during)[i]);
}

/* Return the TLB_CONTROL that the guest runs with. */
static int tlb_control(struct __test_metadata *_metadata, struct machine *m,
		       size_t guest)
{
	struct svmrun_vcpu *vcpu = svmrun_intrin_vcpu(guest);
	struct vmrun vmrun;
	int value;

	begin_at(m, vcpu, count, count_end);
	vmrun_start(_metadata, &vmrun, m, guest);
	value = vcpu->vmcb->control.tlb_control;
	EXPECT_EQ(-EINTR, vmrun_end(&vmrun));
	EXPECT_EQ(SVM_TLB_CONTROL_NOTHING, vcpu->vmcb->control.tlb_control);
	return value;
}

#define TLB_CONTROL(self) tlb_control(_metadata, &(self)->m, (self)->guest)

TEST_F(intrinsics, invlpga_flushes_at_the_next_vmrun)
{
	BEGIN(self, halt);
	ASSERT_VMEXIT(VMEXIT_HLT, self);
	EXPECT_EQ(SVM_TLB_CONTROL_NOTHING, TLB_CONTROL(self));
	__svm_invlpga(NULL, self->vmcb->control.asid);
	EXPECT_EQ(SVM_TLB_CONTROL_FLUSH_ALL, TLB_CONTROL(self));
	BEGIN(self, halt);
	ASSERT_VMEXIT(VMEXIT_HLT, self);
	EXPECT_EQ(SVM_TLB_CONTROL_NOTHING, TLB_CONTROL(self));
}

/* A run that did not enter the guest has flushed nothing. */
TEST_F(intrinsics, invlpga_is_not_forgotten)
{
	BEGIN(self, halt);
	ASSERT_VMEXIT(VMEXIT_HLT, self);
	__svm_invlpga(NULL, self->vmcb->control.asid);
	self->vcpu->regs->immediate_exit = 1;
	__svm_vmrun(self->guest);
	self->vcpu->regs->immediate_exit = 0;
	self->vmcb->control.nested_ctl = 0;
	ASSERT_VMEXIT(VMEXIT_INVALID, self);
	EXPECT_EQ(SVM_TLB_CONTROL_FLUSH_ALL, TLB_CONTROL(self));
}

/* On a processor, another ASID has other translations. */
TEST_F(intrinsics, another_asid_flushes)
{
	BEGIN(self, halt);
	self->vmcb->control.asid = 2;
	ASSERT_VMEXIT(VMEXIT_HLT, self);
	EXPECT_EQ(SVM_TLB_CONTROL_FLUSH_ALL, TLB_CONTROL(self)); /* ASID 1 */
}

TEST_F(intrinsics, invlpga_needs_no_feature)
{
	struct svm_vmcb_control *control = &self->vmcb->control;

	if (self->m.info.out_svm_features & SVM_FEATURE_FLUSH_BY_ASID)
		SKIP(return, "the processor supports FlushByASID");
	BEGIN(self, halt);
	ASSERT_VMEXIT(VMEXIT_HLT, self);
	__svm_invlpga(NULL, control->asid);
	control->tlb_control = SVM_TLB_CONTROL_FLUSH_GUEST_NON_GLOBAL;
	ASSERT_VMEXIT(VMEXIT_INVALID, self);
	EXPECT_EQ(SVMRUN_INVALID_UNSUPPORTED,
		  self->vcpu->regs->out_invalid_reason);
	EXPECT_EQ(SVM_TLB_CONTROL_FLUSH_GUEST_NON_GLOBAL, control->tlb_control);
}

/* Map the page that the guest touches to @gpa, in the guest's own page table. */
static void map_touched(struct machine *m, uint64_t gpa)
{
	uint64_t *directory = machine_at(m, MACHINE_TABLES + 2 * PAGE);

	directory[1] = gpa | 0x83; /* P, W, PS */
}

TEST_F(intrinsics, guest_sees_its_page_table_after_invlpga)
{
	const uint64_t other = 4ul << 20;
	uint32_t *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, memory);
	ASSERT_EQ(0, machine_map(&self->m, other, memory, PAGE, MAP_ALL));
	BEGIN(self, touch);
	*(uint32_t *)machine_at(&self->m, 0) = 0x1111;
	*memory = 0x2222;
	map_touched(&self->m, 0);
	ASSERT_VMEXIT(VMEXIT_HLT, self);
	EXPECT_EQ(0x1111, self->vmcb->save.rax);
	map_touched(&self->m, other);
	__svm_invlpga((void *)SECOND_LARGE_PAGE, self->vmcb->control.asid);
	self->vmcb->save.rip = MACHINE_CODE;
	ASSERT_VMEXIT(VMEXIT_HLT, self);
	EXPECT_EQ(0x2222, self->vmcb->save.rax);
	munmap(memory, PAGE);
}

/* ---- allocation, and operands that are no VMCB --------------------------- */

TEST_F(intrinsics, free_releases_all_memory)
{
	int files = count_entries("/proc/self/fd");
	size_t others[3];

	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0, svmrun_intrin_alloc(&others[i], &self->m.vm));
	EXPECT_EQ(files + 3, count_entries("/proc/self/fd"));
	for (int i = 0; i < 3; i++)
		svmrun_intrin_free(others[i]);
	EXPECT_EQ(files, count_entries("/proc/self/fd"));
	BEGIN(self, halt);
	ASSERT_VMEXIT(VMEXIT_HLT, self);
}

TEST_F(intrinsics, no_vm_no_vmcb)
{
	struct svmrun_vm none = { .fd = self->m.device };
	size_t physical = 1;

	EXPECT_EQ(-ENOTTY, svmrun_intrin_alloc(&physical, &none));
	EXPECT_EQ(1, physical);
}

/* Return the signal that the instruction ends a process with, or 0. */
static int signal_of(void (*instruction)(size_t), size_t operand)
{
	int status = 0;
	pid_t child = fork();

	if (!child) {
		instruction(operand);
		_exit(0);
	}
	waitpid(child, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST_F(intrinsics, what_is_no_vmcb_is_general_protection)
{
	size_t freed;

	ASSERT_EQ(0, svmrun_intrin_alloc(&freed, &self->m.vm));
	EXPECT_EQ(0, signal_of(__svm_vmload, freed));
	svmrun_intrin_free(freed);

	const size_t wrong[] = { 0, (size_t)self->vmcb, self->guest + 8,
				 self->guest + 64 * PAGE, freed };

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		EXPECT_EQ(SIGSEGV, signal_of(__svm_vmrun, wrong[i]));
		EXPECT_EQ(SIGSEGV, signal_of(__svm_vmload, wrong[i]));
		EXPECT_EQ(SIGSEGV, signal_of(__svm_vmsave, wrong[i]));
	}
	EXPECT_EQ(0, signal_of(__svm_vmsave, self->guest));
}

static void skinit(size_t block)
{
	__svm_skinit(block);
}

TEST_F(intrinsics, skinit_is_the_processors_to_refuse)
{
	int signal = signal_of(skinit, 0x10000);

	EXPECT_TRUE(signal == SIGSEGV || signal == SIGILL);
}

TEST_HARNESS_MAIN
