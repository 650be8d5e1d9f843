// SPDX-License-Identifier: GPL-2.0
/* libnvmm: exits, the assists, events, and nvmm_vcpu_stop() */
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "guest.h"

FIXTURE(exits)
{
	struct guest g;
	struct nvmm_vcpu_exit *exit;
};

FIXTURE_SETUP(exits)
{
	ASSERT_EQ(0, guest_create(&self->g));
	self->exit = self->g.vcpu.exit;
}

FIXTURE_TEARDOWN(exits)
{
	guest_destroy(&self->g);
}

static int configure(struct guest *guest, uint64_t op, void *conf)
{
	return nvmm_vcpu_configure(&guest->mach, &guest->vcpu, op, conf);
}

/* ---- exits ---------------------------------------------------------------- */

TEST_F(exits, halted)
{
	LOAD(&self->g, 0xf4 /* hlt */);
	EXPECT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
	EXPECT_EQ(CODE + 1, guest_gpr(&self->g, NVMM_X64_GPR_RIP));
	EXPECT_EQ(2, self->exit->exitstate.rflags);
	EXPECT_EQ(0, +self->exit->exitstate.evt_pending);
}

/* A #UD whose handler cannot be called */
TEST_F(exits, shutdown)
{
	guest_get(&self->g, NVMM_X64_STATE_SEGS)->segs[NVMM_X64_SEG_IDT].limit =
		0;
	ASSERT_EQ(0, guest_set(&self->g, NVMM_X64_STATE_SEGS));
	LOAD(&self->g, 0x0f, 0x0b /* ud2 */);
	EXPECT_EQ(NVMM_VCPU_EXIT_SHUTDOWN, guest_run(&self->g));
}

TEST_F(exits, invalid)
{
	guest_get(&self->g, NVMM_X64_STATE_DRS)->drs[NVMM_X64_DR_DR7] = 1ull
									<< 32;
	ASSERT_EQ(0, guest_set(&self->g, NVMM_X64_STATE_DRS));
	EXPECT_EQ(NVMM_VCPU_EXIT_INVALID, guest_run(&self->g));
	EXPECT_EQ(~0ull, self->exit->u.inv.hwcode);
}

TEST_F(exits, out)
{
	LOAD(&self->g, 0xe7, 0x80 /* out %ax, $0x80 */, 0xf4);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RAX, 0x1234);
	ASSERT_EQ(NVMM_VCPU_EXIT_IO, guest_run(&self->g));
	EXPECT_FALSE(self->exit->u.io.in);
	EXPECT_EQ(0x80, self->exit->u.io.port);
	EXPECT_EQ(2, self->exit->u.io.operand_size);
	EXPECT_FALSE(self->exit->u.io.str);
	EXPECT_EQ(CODE + 2, self->exit->u.io.npc);
	ASSERT_EQ(0, nvmm_assist_io(&self->g.mach, &self->g.vcpu));
	EXPECT_EQ(1, self->g.calls);
	EXPECT_EQ(0x80, self->g.io.port);
	EXPECT_EQ(2, self->g.io.size);
	EXPECT_FALSE(self->g.io.in);
	EXPECT_EQ(&self->g.vcpu, self->g.io.vcpu);
	EXPECT_EQ(0x1234, self->g.value);
	EXPECT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
}

TEST_F(exits, in)
{
	LOAD(&self->g, 0xec /* in %dx, %al */, 0xf4);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RDX, 0x3f8);
	ASSERT_EQ(NVMM_VCPU_EXIT_IO, guest_run(&self->g));
	EXPECT_TRUE(self->exit->u.io.in);
	EXPECT_EQ(-1, self->exit->u.io.seg);
	self->g.value = 0x5a;
	ASSERT_EQ(0, nvmm_assist_io(&self->g.mach, &self->g.vcpu));
	EXPECT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
	EXPECT_EQ(0x5a, guest_gpr(&self->g, NVMM_X64_GPR_RAX) & 0xff);
}

TEST_F(exits, rep_outs)
{
	LOAD(&self->g, 0xf3, 0x6e /* rep outsb */, 0xf4);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RCX, 3);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RDX, 0x10);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RSI, CODE);
	ASSERT_EQ(NVMM_VCPU_EXIT_IO, guest_run(&self->g));
	EXPECT_TRUE(self->exit->u.io.str);
	EXPECT_TRUE(self->exit->u.io.rep);
	/* QEMU's emulation of SVM does not report these. */
	if (self->exit->u.io.address_size) {
		EXPECT_EQ(NVMM_X64_SEG_DS, self->exit->u.io.seg);
		EXPECT_EQ(2, self->exit->u.io.address_size);
	}
	ASSERT_EQ(0, nvmm_assist_io(&self->g.mach, &self->g.vcpu));
	EXPECT_EQ(3, self->g.calls);
	EXPECT_EQ(0xf4, self->g.value & 0xff);
	EXPECT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
}

TEST_F(exits, mem_read)
{
	ASSERT_EQ(0, guest_set_long(&self->g));
	LOAD(&self->g, 0x48, 0x8b, 0x03 /* mov (%rbx), %rax */, 0xf4);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RBX, UNMAPPED + 8);
	ASSERT_EQ(NVMM_VCPU_EXIT_MEMORY, guest_run(&self->g));
	EXPECT_EQ(PROT_READ, self->exit->u.mem.prot);
	EXPECT_EQ(UNMAPPED + 8, self->exit->u.mem.gpa);
	self->g.value = 0x1122334455667788;
	ASSERT_EQ(0, nvmm_assist_mem(&self->g.mach, &self->g.vcpu));
	EXPECT_EQ(UNMAPPED + 8, self->g.mem.gpa);
	EXPECT_EQ(8, self->g.mem.size);
	EXPECT_FALSE(self->g.mem.write);
	EXPECT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
	EXPECT_EQ(0x1122334455667788, guest_gpr(&self->g, NVMM_X64_GPR_RAX));
}

/* Memory that is mapped without PROT_WRITE */
TEST_F(exits, mem_write_to_rom)
{
	ASSERT_EQ(0, nvmm_gpa_map(&self->g.mach,
				  (uintptr_t)self->g.memory + 0x20000, UNMAPPED,
				  PAGE, PROT_READ | PROT_EXEC));
	ASSERT_EQ(0, guest_set_long(&self->g));
	LOAD(&self->g, 0x89, 0x03 /* mov %eax, (%rbx) */, 0xf4);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RBX, UNMAPPED);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RAX, 0xabcdef);
	ASSERT_EQ(NVMM_VCPU_EXIT_MEMORY, guest_run(&self->g));
	EXPECT_EQ(PROT_WRITE, self->exit->u.mem.prot);
	ASSERT_EQ(0, nvmm_assist_mem(&self->g.mach, &self->g.vcpu));
	EXPECT_EQ(1, self->g.calls);
	EXPECT_TRUE(self->g.mem.write);
	EXPECT_EQ(4, self->g.mem.size);
	EXPECT_EQ(0xabcdef, self->g.value);
	EXPECT_EQ(0, self->g.memory[0x20000]);
	EXPECT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
}

TEST_F(exits, fetch_outside_of_memory)
{
	ASSERT_EQ(0, guest_set_long(&self->g));
	guest_set_gpr(&self->g, NVMM_X64_GPR_RIP, UNMAPPED);
	ASSERT_EQ(NVMM_VCPU_EXIT_MEMORY, guest_run(&self->g));
	EXPECT_EQ(PROT_EXEC, self->exit->u.mem.prot);
	EXPECT_ERROR(ENXIO, nvmm_assist_mem(&self->g.mach, &self->g.vcpu));
}

TEST_F(exits, assist_after_other_exit)
{
	LOAD(&self->g, 0xf4);
	ASSERT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
	EXPECT_ERROR(EINVAL, nvmm_assist_io(&self->g.mach, &self->g.vcpu));
	EXPECT_ERROR(EINVAL, nvmm_assist_mem(&self->g.mach, &self->g.vcpu));
}

TEST_F(exits, assist_without_callback)
{
	struct nvmm_assist_callbacks none = { NULL };

	ASSERT_EQ(0, configure(&self->g, NVMM_VCPU_CONF_CALLBACKS, &none));
	LOAD(&self->g, 0xec);
	ASSERT_EQ(NVMM_VCPU_EXIT_IO, guest_run(&self->g));
	EXPECT_ERROR(EINVAL, nvmm_assist_io(&self->g.mach, &self->g.vcpu));
}

/* A callback may change the mappings that the emulator uses. */
static void remap(struct nvmm_io *io)
{
	if (nvmm_gpa_unmap(io->mach, 0, 0x20000, PAGE) ||
	    nvmm_gpa_map(io->mach, (uintptr_t)current->memory, 0x20000, PAGE,
			 PROT_READ))
		abort();
}

TEST_F(exits, callback_maps_memory)
{
	struct nvmm_assist_callbacks callbacks = { remap, NULL };

	ASSERT_EQ(0, configure(&self->g, NVMM_VCPU_CONF_CALLBACKS, &callbacks));
	LOAD(&self->g, 0xee /* out %al, %dx */, 0xf4);
	ASSERT_EQ(NVMM_VCPU_EXIT_IO, guest_run(&self->g));
	EXPECT_EQ(0, nvmm_assist_io(&self->g.mach, &self->g.vcpu));
	EXPECT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
}

TEST_F(exits, rdmsr)
{
	LOAD(&self->g, 0x0f, 0x32 /* rdmsr */, 0xf4);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RCX, 0x1b);
	ASSERT_EQ(NVMM_VCPU_EXIT_RDMSR, guest_run(&self->g));
	EXPECT_EQ(0x1b, self->exit->u.rdmsr.msr);
	EXPECT_EQ(CODE + 2, self->exit->u.rdmsr.npc);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RIP, self->exit->u.rdmsr.npc);
	EXPECT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
}

TEST_F(exits, wrmsr)
{
	LOAD(&self->g, 0x0f, 0x30 /* wrmsr */, 0xf4);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RCX, 0x2ff);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RAX, 0x800);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RDX, 1);
	ASSERT_EQ(NVMM_VCPU_EXIT_WRMSR, guest_run(&self->g));
	EXPECT_EQ(0x2ff, self->exit->u.wrmsr.msr);
	EXPECT_EQ(0x100000800, self->exit->u.wrmsr.val);
	EXPECT_EQ(CODE + 2, self->exit->u.wrmsr.npc);
}

/* EFER, PAT and others of the state are the library's. */
TEST_F(exits, msrs_of_the_state)
{
	LOAD(&self->g, 0x0f, 0x30 /* wrmsr */, 0xf4);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RCX, 0xc0000080);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RAX, 0x801);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RDX, 0);
	ASSERT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
	EXPECT_EQ(0x801, guest_get(&self->g, NVMM_X64_STATE_MSRS)
				 ->msrs[NVMM_X64_MSR_EFER]);
}

TEST_F(exits, illegal_msr_is_a_fault)
{
	LOAD(&self->g, 0x0f, 0x30 /* wrmsr */, 0xf4);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RCX, 0x277);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RAX, 2);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RDX, 0);
	ASSERT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
	EXPECT_EQ(HANDLER + 13 + 1, guest_gpr(&self->g, NVMM_X64_GPR_RIP));
}

TEST_F(exits, monitor_and_mwait)
{
	LOAD(&self->g, 0x0f, 0x01, 0xc8 /* monitor */, 0x0f, 0x01,
	     0xc9 /* mwait */);
	ASSERT_EQ(NVMM_VCPU_EXIT_MONITOR, guest_run(&self->g));
	EXPECT_EQ(CODE + 3, self->exit->u.insn.npc);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RIP, CODE + 3);
	ASSERT_EQ(NVMM_VCPU_EXIT_MWAIT, guest_run(&self->g));
	EXPECT_EQ(CODE + 6, self->exit->u.insn.npc);
}

/* ---- configuration -------------------------------------------------------- */

TEST_F(exits, cpuid_mask)
{
	struct nvmm_vcpu_conf_cpuid conf = {
		.mask = 1,
		.leaf = 1,
		.u.mask.set = { .edx = 1 << 12 },
		.u.mask.del = { .edx = 1 },
	};

	ASSERT_EQ(0, configure(&self->g, NVMM_VCPU_CONF_CPUID, &conf));
	LOAD(&self->g, 0x0f, 0xa2 /* cpuid */, 0xf4);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RAX, 1);
	ASSERT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
	EXPECT_EQ(1 << 12,
		  guest_gpr(&self->g, NVMM_X64_GPR_RDX) & (1 << 12 | 1));
	/* x2APIC and the deadline timer are features that no program has. */
	EXPECT_EQ(0,
		  guest_gpr(&self->g, NVMM_X64_GPR_RCX) & (1 << 21 | 1 << 24));
}

TEST_F(exits, cpuid_exit)
{
	struct nvmm_vcpu_conf_cpuid conf = { .exit = 1, .leaf = 0x40000000 };

	ASSERT_EQ(0, configure(&self->g, NVMM_VCPU_CONF_CPUID, &conf));
	LOAD(&self->g, 0x0f, 0xa2 /* cpuid */, 0xf4);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RAX, 0x40000000);
	ASSERT_EQ(NVMM_VCPU_EXIT_CPUID, guest_run(&self->g));
	EXPECT_EQ(CODE + 2, self->exit->u.insn.npc);
	conf.exit = 0;
	ASSERT_EQ(0, configure(&self->g, NVMM_VCPU_CONF_CPUID, &conf));
	EXPECT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
}

TEST_F(exits, configuration_errors)
{
	struct nvmm_vcpu_conf_cpuid cpuid = { .mask = 1, .exit = 1 };
	struct nvmm_vcpu_conf_tpr tpr = { .rsvd = 1 };
	unsigned int i;

	EXPECT_ERROR(EINVAL, configure(&self->g, NVMM_VCPU_CONF_CPUID, &cpuid));
	EXPECT_ERROR(EINVAL, configure(&self->g, NVMM_VCPU_CONF_TPR, &tpr));
	cpuid = (struct nvmm_vcpu_conf_cpuid){ .exit = 1, .rsvd = 1 };
	EXPECT_ERROR(EINVAL, configure(&self->g, NVMM_VCPU_CONF_CPUID, &cpuid));
	cpuid.rsvd = 0;
	for (i = 0; i < 32; i++) {
		cpuid.leaf = i;
		ASSERT_EQ(0, configure(&self->g, NVMM_VCPU_CONF_CPUID, &cpuid));
	}
	cpuid.leaf = i;
	EXPECT_ERROR(ENOBUFS,
		     configure(&self->g, NVMM_VCPU_CONF_CPUID, &cpuid));
}

TEST_F(exits, tpr_changed)
{
	struct nvmm_vcpu_conf_tpr tpr = { .exit_changed = 1 };

	ASSERT_EQ(0, guest_set_long(&self->g));
	LOAD(&self->g, 0x44, 0x0f, 0x22, 0xc0 /* mov %rax, %cr8 */, 0xf4);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RAX, 9);
	ASSERT_EQ(0, configure(&self->g, NVMM_VCPU_CONF_TPR, &tpr));
	ASSERT_EQ(NVMM_VCPU_EXIT_TPR_CHANGED, guest_run(&self->g));
	EXPECT_EQ(9, self->exit->exitstate.cr8);
	EXPECT_EQ(CODE + 4, guest_gpr(&self->g, NVMM_X64_GPR_RIP));
	guest_set_gpr(&self->g, NVMM_X64_GPR_RIP, CODE);
	EXPECT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
	EXPECT_EQ(9, self->exit->exitstate.cr8);
}

/* ---- events --------------------------------------------------------------- */

TEST_F(exits, interrupt)
{
	LOAD(&self->g, 0xf4);
	ASSERT_EQ(0, guest_inject(&self->g, NVMM_VCPU_EVENT_INTR, 0x30, 0));
	EXPECT_EQ(1,
		  +guest_get(&self->g, NVMM_X64_STATE_INTR)->intr.evt_pending);
	ASSERT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
	EXPECT_EQ(HANDLER + 0x30 + 1, guest_gpr(&self->g, NVMM_X64_GPR_RIP));
}

TEST_F(exits, exception)
{
	LOAD(&self->g, 0xf4);
	ASSERT_EQ(0, guest_inject(&self->g, NVMM_VCPU_EVENT_EXCP, 6, 0));
	ASSERT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
	EXPECT_EQ(HANDLER + 6 + 1, guest_gpr(&self->g, NVMM_X64_GPR_RIP));
}

TEST_F(exits, illegal_events)
{
	EXPECT_ERROR(EINVAL, guest_inject(&self->g, 2, 6, 0));
	EXPECT_ERROR(EINVAL,
		     guest_inject(&self->g, NVMM_VCPU_EVENT_EXCP, 32, 0));
	EXPECT_ERROR(EINVAL,
		     guest_inject(&self->g, NVMM_VCPU_EVENT_EXCP, 2, 0));
}

static void request_window(struct guest *guest)
{
	guest_get(guest, NVMM_X64_STATE_INTR)->intr.int_window_exiting = 1;
	if (guest_set(guest, NVMM_X64_STATE_INTR))
		abort();
}

/* The window opens after the instruction that follows STI. */
TEST_F(exits, interrupt_window)
{
	LOAD(&self->g, 0xfb /* sti */, 0x90, 0x90, 0xf4);
	request_window(&self->g);
	ASSERT_EQ(NVMM_VCPU_EXIT_INT_READY, guest_run(&self->g));
	EXPECT_EQ(CODE + 2, guest_gpr(&self->g, NVMM_X64_GPR_RIP));
	EXPECT_EQ(0, +self->exit->exitstate.int_window_exiting);
	EXPECT_EQ(0x202, self->exit->exitstate.rflags);
	EXPECT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
}

TEST_F(exits, interrupt_window_of_halted_processor)
{
	LOAD(&self->g, 0xfb /* sti */, 0xf4);
	request_window(&self->g);
	ASSERT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
	EXPECT_EQ(0, +self->exit->exitstate.int_window_exiting);
	EXPECT_EQ(0, +self->exit->exitstate.int_shadow);
}

TEST_F(exits, nmi)
{
	LOAD(&self->g, 0xf4);
	self->g.memory[HANDLER + 2] = 0xcf; /* iret */
	ASSERT_EQ(0, guest_inject(&self->g, NVMM_VCPU_EVENT_INTR, 2, 0));
	EXPECT_EQ(1, +guest_get(&self->g, NVMM_X64_STATE_INTR)
			      ->intr.nmi_window_exiting);
	ASSERT_EQ(NVMM_VCPU_EXIT_NMI_READY, guest_run(&self->g));
	EXPECT_EQ(0, +self->exit->exitstate.nmi_window_exiting);
	ASSERT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
	EXPECT_EQ(CODE + 1, guest_gpr(&self->g, NVMM_X64_GPR_RIP));
}

/* An exception is delivered first, and the interrupt when its handler permits it. */
TEST_F(exits, interrupt_after_exception)
{
	LOAD(&self->g, 0xf4);
	memcpy(self->g.memory + HANDLER + 6, "\xfb\x90\xf4", 3); /* sti; nop */
	ASSERT_EQ(0, guest_inject(&self->g, NVMM_VCPU_EVENT_EXCP, 6, 0));
	ASSERT_EQ(0, guest_inject(&self->g, NVMM_VCPU_EVENT_INTR, 0x40, 0));
	ASSERT_EQ(0, guest_inject(&self->g, NVMM_VCPU_EVENT_INTR, 0x41, 0));
	ASSERT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
	EXPECT_EQ(HANDLER + 0x41 + 1, guest_gpr(&self->g, NVMM_X64_GPR_RIP));
	guest_set_gpr(&self->g, NVMM_X64_GPR_RFLAGS, 0x202);
	ASSERT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
	EXPECT_EQ(HANDLER + 0x40 + 1, guest_gpr(&self->g, NVMM_X64_GPR_RIP));
}

/* Setting RIP after an instruction ends a single step. */
TEST_F(exits, single_step)
{
	LOAD(&self->g, 0x0f, 0x32 /* rdmsr */, 0xf4);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RCX, 0x1b);
	guest_set_gpr(&self->g, NVMM_X64_GPR_RFLAGS, 0x102);
	ASSERT_EQ(NVMM_VCPU_EXIT_RDMSR, guest_run(&self->g));
	guest_set_gpr(&self->g, NVMM_X64_GPR_RIP, CODE + 2);
	ASSERT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
	EXPECT_EQ(HANDLER + 1 + 1, guest_gpr(&self->g, NVMM_X64_GPR_RIP));
}

/* ---- stop ----------------------------------------------------------------- */

TEST_F(exits, stop_before_the_run)
{
	LOAD(&self->g, 0xf4);
	ASSERT_EQ(0, nvmm_vcpu_stop(&self->g.vcpu));
	EXPECT_EQ(NVMM_VCPU_EXIT_STOPPED, guest_run(&self->g));
	EXPECT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
}

static void on_alarm(int number)
{
	nvmm_vcpu_stop(&current->vcpu);
}

TEST_F(exits, stop_in_a_signal_handler)
{
	const struct itimerval soon = { .it_value = { .tv_usec = 20000 } };

	signal(SIGALRM, on_alarm);
	LOAD(&self->g, 0xeb, 0xfe /* jmp . */);
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &soon, NULL));
	EXPECT_EQ(NVMM_VCPU_EXIT_STOPPED, guest_run(&self->g));
	LOAD(&self->g, 0xf4);
	EXPECT_EQ(NVMM_VCPU_EXIT_HALTED, guest_run(&self->g));
}

static void *stop_thread(void *argument)
{
	usleep(20000);
	nvmm_vcpu_stop(argument);
	return NULL;
}

TEST_F(exits, stop_by_another_thread)
{
	pthread_t thread;

	LOAD(&self->g, 0xeb, 0xfe /* jmp . */);
	ASSERT_EQ(0, pthread_create(&thread, NULL, stop_thread, &self->g.vcpu));
	EXPECT_EQ(NVMM_VCPU_EXIT_STOPPED, guest_run(&self->g));
	pthread_join(thread, NULL);
}

TEST_HARNESS_MAIN
