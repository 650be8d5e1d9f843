// SPDX-License-Identifier: GPL-2.0
/*
 * The assignment of ASIDs to vCPUs: never 0, which is the host's, and never an ASID that
 * may still tag translations of another vCPU, or outdated ones (APM 15.16).
 */
#include "suites.h"

#include "../../module/asid.h"
#include "processor_model.h"
#include "xorshift.h"

#define COUNT 8

/* One vCPU on one CPU, for the tests of single rules */
static struct {
	struct asid_pool pool;
	struct asid asid;
	struct svm_vmcb_control control;
} one;

static void set_up(void)
{
	memset(&one, 0, sizeof(one));
	asid_pool_init(&one.pool, COUNT);
}

static u32 prepare(struct asid *asid, struct svm_vmcb_control *control)
{
	asid_prepare(asid, &one.pool, 0, 1, control);
	return control->asid;
}

/* Carry out a VMRUN that succeeds. */
static u32 enter(struct asid *asid, struct svm_vmcb_control *control)
{
	prepare(asid, control);
	asid_entered(&one.pool, control);
	return control->asid;
}

START_TEST(first_entry_flushes)
{
	set_up();
	ck_assert_uint_eq(prepare(&one.asid, &one.control), 1);
	ck_assert_int_eq(one.control.tlb_control, SVM_TLB_CONTROL_FLUSH_ALL);
	asid_entered(&one.pool, &one.control);
	ck_assert_uint_eq(prepare(&one.asid, &one.control), 1);
	ck_assert_int_eq(one.control.tlb_control, SVM_TLB_CONTROL_NOTHING);
}
END_TEST

START_TEST(kept_while_valid)
{
	struct svm_vmcb_control control = {};
	struct asid other = {};
	u32 number;

	set_up();
	number = enter(&one.asid, &one.control);
	ck_assert_uint_ne(enter(&other, &control), number);
	one.control.clean = SVM_CLEAN_ALL;
	ck_assert_uint_eq(enter(&one.asid, &one.control), number);
	ck_assert_uint_eq(one.control.clean, SVM_CLEAN_ALL);
}
END_TEST

START_TEST(dropped_means_fresh)
{
	u32 number;

	set_up();
	number = enter(&one.asid, &one.control);
	one.control.clean = SVM_CLEAN_ALL;
	asid_drop(&one.asid);
	ck_assert_uint_ne(enter(&one.asid, &one.control), number);
	ck_assert_uint_eq(one.control.clean, 0);
}
END_TEST

START_TEST(another_cpu_means_fresh)
{
	struct svm_vmcb_control control = {};
	struct asid_pool pool;
	struct asid first = {};

	set_up();
	asid_pool_init(&pool, COUNT);
	enter(&one.asid, &one.control);
	asid_prepare(&first, &pool, 1, 1, &control);
	/* The generations are equal; only the CPUs differ. */
	ck_assert_uint_eq(one.pool.generation, pool.generation);
	asid_prepare(&one.asid, &pool, 1, 1, &one.control);
	ck_assert_uint_ne(one.control.asid, control.asid);
}
END_TEST

START_TEST(running_out_flushes_and_begins_again)
{
	struct svm_vmcb_control control[COUNT] = {};
	struct asid asid[COUNT] = {};
	unsigned int flushes = 0;

	set_up();
	for (unsigned int i = 0; i < COUNT; i++) {
		enter(&asid[i], &control[i]);
		flushes += control[i].tlb_control == SVM_TLB_CONTROL_FLUSH_ALL;
		ck_assert_uint_ge(control[i].asid, 1);
		ck_assert_uint_lt(control[i].asid, COUNT);
	}
	/* One for the first generation, one because only COUNT - 1 ASIDs are usable */
	ck_assert_uint_eq(flushes, 2);
	ck_assert_uint_ne(enter(&asid[0], &control[0]),
			  control[COUNT - 1].asid);
}
END_TEST

/* A refused VMRUN flushes nothing. The next VMRUN on the CPU that enters a guest does. */
START_TEST(flush_is_pending_until_a_guest_is_entered)
{
	struct svm_vmcb_control control = {};
	struct asid other = {};

	set_up();
	enter(&one.asid, &one.control);
	asid_pool_reset(&one.pool);
	for (int refused = 0; refused < 3 * COUNT; refused++) {
		asid_drop(&one.asid);
		prepare(&one.asid, &one.control);
		ck_assert_int_eq(one.control.tlb_control,
				 SVM_TLB_CONTROL_FLUSH_ALL);
	}
	prepare(&other, &control);
	ck_assert_int_eq(control.tlb_control, SVM_TLB_CONTROL_FLUSH_ALL);
	asid_entered(&one.pool, &control);
	prepare(&one.asid, &one.control);
	ck_assert_int_eq(one.control.tlb_control, SVM_TLB_CONTROL_NOTHING);
}
END_TEST

/* ---- random operations on model processors ------------------------------- */

#define CPUS 3
#define VMS 3
#define VCPUS MODEL_VMCBS
#define ROUNDS 300000

static struct {
	uint64_t random;
	uint64_t next_frame;
	struct model_cpu cpu[CPUS];
	struct asid_pool pool[CPUS];
	struct {
		uint64_t tlb_generation;
		uint64_t frame[MODEL_PAGES];
	} vm[VMS];
	struct {
		unsigned int vm;
		struct asid asid;
		struct svm_vmcb_control control;
		/* state of the guest's own page tables: added to each frame */
		uint64_t view;
	} vcpu[VCPUS];
	unsigned int entered, refused;
} world;

static uint32_t below(uint32_t limit)
{
	return xorshift_below(&world.random, limit);
}

/* A frame that was never mapped */
static uint64_t junk(void)
{
	return ~0ull - below(1000);
}

static void cpu_online(unsigned int cpu)
{
	model_cpu_reset(&world.cpu[cpu], junk());
	asid_pool_reset(&world.pool[cpu]);
}

static void world_create(uint64_t seed)
{
	memset(&world, 0, sizeof(world));
	world.random = xorshift_seed(seed);
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		asid_pool_init(&world.pool[cpu], 2 + below(MODEL_ASIDS - 1));
		model_cpu_reset(&world.cpu[cpu], junk());
	}
	for (unsigned int vcpu = 0; vcpu < VCPUS; vcpu++)
		world.vcpu[vcpu].vm = below(VMS);
	for (unsigned int vm = 0; vm < VMS; vm++)
		for (unsigned int page = 0; page < MODEL_PAGES; page++)
			world.vm[vm].frame[page] = ++world.next_frame << 20;
}

/* Replace a page that Linux takes away, as memory_flush() does. */
static void change_page(void)
{
	unsigned int vm = below(VMS);

	world.vm[vm].frame[below(MODEL_PAGES)] = ++world.next_frame << 20;
	world.vm[vm].tlb_generation++;
}

/* The guest's page tables change, and its program requests a flush in TLB_CONTROL. */
static void change_view(void)
{
	unsigned int vcpu = below(VCPUS);

	world.vcpu[vcpu].view++;
	asid_drop(&world.vcpu[vcpu].asid);
}

static void touch_pages(struct model_cpu *cpu, unsigned int vcpu, uint32_t asid)
{
	unsigned int vm = world.vcpu[vcpu].vm;

	for (int i = 0; i < 4; i++) {
		unsigned int page = below(MODEL_PAGES);
		uint64_t table = world.vm[vm].frame[page] +
				 (world.vcpu[vcpu].view << 4) + vcpu + 1;

		ck_assert_uint_eq(model_translate(cpu, asid, page, table),
				  table);
	}
}

/* Do what vcpu_enter_irqoff() does. */
static void run(void)
{
	unsigned int cpu = below(CPUS), vcpu = below(VCPUS);
	struct svm_vmcb_control *control = &world.vcpu[vcpu].control;
	bool is_legal = below(4);
	uint32_t asid;

	asid_prepare(&world.vcpu[vcpu].asid, &world.pool[cpu], cpu,
		     world.vm[world.vcpu[vcpu].vm].tlb_generation, control);
	if (!model_vmrun(&world.cpu[cpu], vcpu, control, is_legal, &asid)) {
		ck_assert(!is_legal);
		control->clean = 0; /* the next RUN loads all of the VMCB */
		world.refused++;
		return;
	}
	control->clean = SVM_CLEAN_ALL;
	asid_entered(&world.pool[cpu], control);
	ck_assert_uint_eq(asid, control->asid);
	touch_pages(&world.cpu[cpu], vcpu, asid);
	world.entered++;
}

static void step(void)
{
	uint32_t dice = below(100);

	if (dice < 80)
		run();
	else if (dice < 90)
		change_page();
	else if (dice < 99)
		change_view();
	else
		cpu_online(below(CPUS));
}

START_TEST(no_translation_is_outdated)
{
	for (uint64_t seed = 1; seed <= 10; seed++) {
		world_create(seed);
		for (int round = 0; round < ROUNDS / 10; round++)
			step();
		ck_assert_uint_gt(world.entered, ROUNDS / 20);
		ck_assert_uint_gt(world.refused, ROUNDS / 100);
	}
}
END_TEST

Suite *asid_suite(void)
{
	static const TTest **const tests[] = {
		&first_entry_flushes,
		&kept_while_valid,
		&dropped_means_fresh,
		&another_cpu_means_fresh,
		&running_out_flushes_and_begins_again,
		&flush_is_pending_until_a_guest_is_entered,
		&no_translation_is_outdated,
	};

	return suite_of("asid", tests, ARRAY_SIZE(tests));
}
