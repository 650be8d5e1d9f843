// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/svmrun: SVMRUN_INFO, file descriptors, and the rules for the arguments of
 * every call (linux/svmrun.h)
 */
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <x86intrin.h>

#include "machine.h"

#define BAD_POINTER ((void *)0x1000)

MACHINE_FIXTURE(device)

TEST_F(device, info_describes_host)
{
	struct svmrun_info info = { .size = sizeof(info) };

	ASSERT_EQ(0, call(self->m.device, SVMRUN_INFO, &info));
	EXPECT_EQ(sizeof(info), info.size);
	EXPECT_EQ(0, info.flags);
	EXPECT_EQ(SVMRUN_API_VERSION, info.out_api_version);
	EXPECT_NE(0, info.out_svm_asids);
	EXPECT_EQ(1, info.out_svm_features & 1); /* nested paging */
	EXPECT_EQ(1, info.out_xcr0 & 1);
	EXPECT_LE(512 + 64, info.out_xsave_size);
	EXPECT_LE(SVMRUN_VCPU_XSAVE + info.out_xsave_size, info.out_vcpu_size);
	EXPECT_EQ(0, info.out_vcpu_size % PAGE);
	EXPECT_LE(32, info.out_gpa_bits);
	EXPECT_GE(52, info.out_gpa_bits);
	EXPECT_LE(4, info.out_npt_levels);
	EXPECT_GE(5, info.out_npt_levels);
	EXPECT_NE(0, info.out_max_vcpus);
	EXPECT_NE(0, info.out_max_regions);
	EXPECT_EQ(SVM_CR0_PE, info.out_cr0 & (SVM_CR0_PE | SVM_CR0_CD));
	EXPECT_EQ(SVM_CR4_PAE, info.out_cr4 & SVM_CR4_PAE);
	EXPECT_EQ(SVM_EFER_SVME, info.out_efer & SVM_EFER_SVME);
	EXPECT_EQ(SVM_DBGCTL_LBR | SVM_DBGCTL_BTF, info.out_dbgctl);
}

#define CLOCKSOURCES "/sys/devices/system/clocksource/clocksource0/"

static void read_clocksource(const char *file, char word[32])
{
	char path[96];
	FILE *stream;

	snprintf(path, sizeof(path), CLOCKSOURCES "%s", file);
	stream = fopen(path, "re");
	if (!stream || fscanf(stream, "%31s", word) != 1)
		word[0] = '\0';
	if (stream)
		fclose(stream);
}

static uint64_t raw_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

/*
 * Read the TSC and CLOCK_MONOTONIC_RAW as close together as possible: keep the closest
 * of several readings, because the thread may be interrupted between the two.
 */
static uint64_t read_tsc_and_clock(uint64_t *clock)
{
	uint64_t tsc = 0, begin, now, width, least = ~0ull;

	for (int i = 0; i < 32; i++) {
		begin = __rdtsc();
		now = raw_clock();
		width = __rdtsc() - begin;
		if (width >= least)
			continue;
		least = width;
		tsc = begin + width / 2;
		*clock = now;
	}
	return tsc;
}

/* CLOCK_MONOTONIC_RAW is the TSC, divided by the frequency that Linux has measured. */
TEST_F(device, info_has_the_frequency_of_a_trusted_tsc)
{
	uint64_t begin = 0, end = 0, ticks, khz;
	char source[32];

	ticks = read_tsc_and_clock(&begin);
	usleep(100 * 1000);
	ticks = read_tsc_and_clock(&end) - ticks;
	khz = ticks * 1000000 / (end - begin);
	/* Linux replaces a TSC that it has found unstable a moment after it has marked it. */
	read_clocksource("current_clocksource", source);
	if (strcmp(source, "tsc"))
		SKIP(return, "the clock source is %s, not tsc", source);
	EXPECT_LT(khz - khz / 100, self->m.info.out_tsc_khz);
	EXPECT_GT(khz + khz / 100, self->m.info.out_tsc_khz);
}

/* A program that was built before @out_cr0 to @out_dbgctl were added */
TEST_F(device, info_of_an_older_program)
{
	struct svmrun_info info;

	memset(&info, 0xaa, sizeof(info));
	info.size = offsetof(struct svmrun_info, out_cr0);
	info.flags = 0;
	ASSERT_EQ(0, call(self->m.device, SVMRUN_INFO, &info));
	EXPECT_EQ(80, info.size);
	EXPECT_EQ(self->m.info.out_max_regions, info.out_max_regions);
	EXPECT_EQ(0xaaaaaaaaaaaaaaaa, info.out_cr0);
	EXPECT_EQ(0xaaaaaaaaaaaaaaaa, info.out_dbgctl);
}

TEST_F(device, info_names_forced_intercepts)
{
	const uint32_t forced[6] = {
		[0] = SVM_INTERCEPT0_CR_READ(4) | SVM_INTERCEPT0_CR_WRITE(4),
		[2] = SVM_INTERCEPT2_EXCEPTION(1) |
		      SVM_INTERCEPT2_EXCEPTION(17) |
		      SVM_INTERCEPT2_EXCEPTION(18),
		[3] = SVM_INTERCEPT3_INTR | SVM_INTERCEPT3_NMI |
		      SVM_INTERCEPT3_SMI | SVM_INTERCEPT3_INIT |
		      SVM_INTERCEPT3_CR0_SEL_WRITE | SVM_INTERCEPT3_RDPMC |
		      SVM_INTERCEPT3_INVD | SVM_INTERCEPT3_IOIO |
		      SVM_INTERCEPT3_MSR | SVM_INTERCEPT3_FERR_FREEZE |
		      SVM_INTERCEPT3_INVLPGA | SVM_INTERCEPT3_SHUTDOWN,
		[4] = SVM_INTERCEPT4_VMRUN | SVM_INTERCEPT4_VMLOAD |
		      SVM_INTERCEPT4_VMSAVE | SVM_INTERCEPT4_STGI |
		      SVM_INTERCEPT4_CLGI | SVM_INTERCEPT4_SKINIT |
		      SVM_INTERCEPT4_WBINVD | SVM_INTERCEPT4_MONITOR |
		      SVM_INTERCEPT4_MWAIT | SVM_INTERCEPT4_XSETBV |
		      SVM_INTERCEPT4_RDPRU,
		[5] = SVM_INTERCEPT5_INVLPGB | SVM_INTERCEPT5_TLBSYNC,
	};

	for (int i = 0; i < 6; i++) {
		uint32_t out = self->m.info.out_forced_intercepts[i];

		EXPECT_EQ(forced[i], out & forced[i]);
	}
}

TEST_F(device, opens_many_times)
{
	int first = device_open(), second = device_open();

	ASSERT_LE(0, first);
	ASSERT_LE(0, second);
	EXPECT_LE(0, vm_create(first));
	EXPECT_LE(0, vm_create(second));
}

TEST_F(device, fds_close_on_exec)
{
	int vm = vm_create(self->m.device);
	int vcpu = vcpu_create(vm);

	ASSERT_LE(0, vm);
	ASSERT_LE(0, vcpu);
	EXPECT_EQ(FD_CLOEXEC, fcntl(vm, F_GETFD));
	EXPECT_EQ(FD_CLOEXEC, fcntl(vcpu, F_GETFD));
}

/* Fill the table of open files up to @highest. */
static void fill_fds(struct __test_metadata *_metadata, int highest)
{
	struct rlimit limit = { highest + 1, highest + 1 };

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	while (dup(highest) >= 0)
		;
	ASSERT_EQ(EMFILE, errno);
}

TEST_F(device, too_many_open_files)
{
	fill_fds(_metadata, self->m.vcpu.fd);
	EXPECT_EQ(-EMFILE, vm_create(self->m.device));
	EXPECT_EQ(-EMFILE, vcpu_create(self->m.vm.fd));
}

/* The system-wide limit does not apply to root. */
TEST_F(device, too_many_open_files_in_the_system)
{
	int limit = open("/proc/sys/fs/file-max", O_RDWR | O_CLOEXEC);
	char before[32];
	ssize_t length = read(limit, before, sizeof(before));

	if (pwrite(limit, "0", 1, 0) != 1)
		SKIP(return, "needs root");
	EXPECT_LE(0, vm_create(self->m.device));
	EXPECT_EQ(0, seteuid(65534));
	EXPECT_EQ(-ENFILE, vm_create(self->m.device));
	EXPECT_EQ(-ENFILE, vcpu_create(self->m.vm.fd));
	EXPECT_EQ(0, seteuid(0));
	ASSERT_EQ(length, pwrite(limit, before, length, 0));
}

TEST_F(device, calls_belong_to_their_kind_of_fd)
{
	int device = self->m.device, vm = self->m.vm.fd, vcpu = self->m.vcpu.fd;
	const struct {
		int fd;
		unsigned long request;
	} wrong[] = {
		{ device, SVMRUN_MAP },	  { device, SVMRUN_UNMAP },
		{ device, SVMRUN_RUN },	  { device, SVMRUN_CREATE_VCPU },
		{ device, SVMRUN_KICK },  { vm, SVMRUN_INFO },
		{ vm, SVMRUN_CREATE_VM }, { vm, SVMRUN_RUN },
		{ vm, SVMRUN_KICK },	  { vcpu, SVMRUN_INFO },
		{ vcpu, SVMRUN_MAP },	  { vcpu, SVMRUN_CREATE_VM },
		{ vcpu, SVMRUN_UNMAP },	  { vcpu, SVMRUN_CREATE_VCPU },
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		EXPECT_EQ(-ENOTTY, call(wrong[i].fd, wrong[i].request, NULL))
		{
			TH_LOG("pair %zu of the table", i);
		}
	}
}

TEST_F(device, calls_that_do_not_exist)
{
	const int fds[] = { self->m.device, self->m.vm.fd, self->m.vcpu.fd };
	const unsigned long requests[] = {
		0,
		~0ul,
		_IO(SVMRUN_TYPE, 0xff),
		_IO(SVMRUN_TYPE ^ 1, 5),
		_IOWR(SVMRUN_TYPE, 0x7f, struct svmrun_info),
	};

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		for (size_t j = 0; j < ARRAY_SIZE(requests); j++)
			EXPECT_EQ(-ENOTTY, call(fds[i], requests[j], NULL));
}

TEST_F(device, no_read_write_mmap)
{
	char byte = 0;

	EXPECT_EQ(-1, read(self->m.device, &byte, 1));
	EXPECT_EQ(-1, write(self->m.device, &byte, 1));
	EXPECT_EQ(MAP_FAILED,
		  mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->m.device, 0));
	EXPECT_EQ(MAP_FAILED,
		  mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->m.vm.fd, 0));
}

/* ---- each call with an argument, valid except for one error -------------- */

enum fd_kind { ON_DEVICE, ON_VM };

union argument {
	struct {
		uint32_t size;
		uint32_t flags;
	};
	struct svmrun_info info;
	struct svmrun_create_vm create_vm;
	struct svmrun_map map;
	struct svmrun_unmap unmap;
	struct svmrun_create_vcpu create_vcpu;
	struct svmrun_protect protect;
	struct svmrun_vm_info vm_info;
	uint8_t bytes[256];
};

FIXTURE(argument)
{
	struct machine m;
	int fd;
	union argument *argument;
	void *end; /* end of the memory that begins with the argument */
};

FIXTURE_VARIANT(argument)
{
	enum fd_kind on;
	unsigned long request;
	union argument argument;
	uint32_t least; /* size when the call was introduced, if it has grown since */
};

#define ARGUMENT_VARIANT(member, kind, number, ...)                            \
	FIXTURE_VARIANT_ADD(argument, member)                                  \
	{                                                                      \
		.on = kind, .request = number,                                 \
		.argument.member = { .size = sizeof(struct svmrun_##member),   \
				     ##__VA_ARGS__ },                          \
	}

FIXTURE_VARIANT_ADD(argument, info){
	.on = ON_DEVICE,
	.request = SVMRUN_INFO,
	.argument.info.size = sizeof(struct svmrun_info),
	.least = offsetof(struct svmrun_info, out_cr0),
};
ARGUMENT_VARIANT(create_vm, ON_DEVICE, SVMRUN_CREATE_VM);
ARGUMENT_VARIANT(map, ON_VM, SVMRUN_MAP, .flags = MAP_ALL, .gpa = MACHINE_SIZE,
		 .hva = 0x10000, .length = PAGE);
ARGUMENT_VARIANT(unmap, ON_VM, SVMRUN_UNMAP, .gpa = 0, .length = PAGE);
ARGUMENT_VARIANT(create_vcpu, ON_VM, SVMRUN_CREATE_VCPU);
ARGUMENT_VARIANT(protect, ON_VM, SVMRUN_PROTECT, .flags = MAP_ALL, .gpa = 0,
		 .length = PAGE);
ARGUMENT_VARIANT(vm_info, ON_VM, SVMRUN_VM_INFO);

FIXTURE_SETUP(argument)
{
	char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_EQ(0, machine_create(&self->m));
	ASSERT_NE(MAP_FAILED, pages);
	ASSERT_EQ(0, munmap(pages + PAGE, PAGE));
	self->fd = variant->on == ON_DEVICE ? self->m.device : self->m.vm.fd;
	self->argument = (void *)pages;
	self->end = pages + PAGE;
	*self->argument = variant->argument;
}

FIXTURE_TEARDOWN(argument)
{
	machine_destroy(&self->m);
}

TEST_F(argument, good)
{
	EXPECT_LE(0, call(self->fd, variant->request, self->argument));
}

TEST_F(argument, null)
{
	EXPECT_EQ(-EFAULT, call(self->fd, variant->request, NULL));
}

TEST_F(argument, no_memory_there)
{
	EXPECT_EQ(-EFAULT, call(self->fd, variant->request, BAD_POINTER));
	EXPECT_EQ(-EFAULT, call(self->fd, variant->request, self->end));
	EXPECT_EQ(-EFAULT, call(self->fd, variant->request, (void *)-PAGE));
}

TEST_F(argument, memory_ends_inside)
{
	char *late = (char *)self->end - variant->argument.size + 4;

	memcpy(late, self->argument, variant->argument.size - 4);
	EXPECT_EQ(-EFAULT, call(self->fd, variant->request, late));
}

TEST_F(argument, memory_ends_after)
{
	char *late = (char *)self->end - variant->argument.size;

	memcpy(late, self->argument, variant->argument.size);
	EXPECT_LE(0, call(self->fd, variant->request, late));
}

TEST_F(argument, read_only)
{
	int result;

	ASSERT_EQ(0, mprotect(self->argument, PAGE, PROT_READ));
	result = call(self->fd, variant->request, self->argument);
	/* Some calls write their argument, others only read it. */
	EXPECT_EQ(_IOC_DIR(variant->request) & _IOC_READ ? -EFAULT : 0,
		  result < 0 ? result : 0);
}

TEST_F(argument, size_too_small)
{
	uint32_t least = variant->least ? variant->least :
					  variant->argument.size;
	const uint32_t sizes[] = { 0, 4, least - 4 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		self->argument->size = sizes[i];
		EXPECT_EQ(-EINVAL,
			  call(self->fd, variant->request, self->argument));
	}
}

TEST_F(argument, size_larger_rest_zero)
{
	self->argument->size += 64;
	EXPECT_LE(0, call(self->fd, variant->request, self->argument));
}

TEST_F(argument, size_larger_rest_not_zero)
{
	self->argument->bytes[variant->argument.size + 63] = 1;
	self->argument->size += 64;
	EXPECT_EQ(-E2BIG, call(self->fd, variant->request, self->argument));
}

TEST_F(argument, unknown_flags)
{
	self->argument->flags |= 1u << 31;
	EXPECT_EQ(-EINVAL, call(self->fd, variant->request, self->argument));
	self->argument->flags = variant->argument.flags | 1u << 4;
	EXPECT_EQ(-EINVAL, call(self->fd, variant->request, self->argument));
}

TEST_HARNESS_MAIN
