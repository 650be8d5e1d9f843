// SPDX-License-Identifier: GPL-2.0
/*
 * Aliases: host memory that is mapped at several guest addresses, as a whole or in
 * part. Each alias works like a single mapping, follows changes of the program's
 * memory and has its own log. The cost of an invalidation does not depend on the
 * number of aliases.
 */
#include "files.h"
#include "hammer.h"

#define GPA GIB_1
#define PAGES 16u
#define MOST 100u /* aliases mapped at a time */

FIXTURE(alias)
{
	struct machine m;
	uint8_t *memory; /* PAGES pages */
};

FIXTURE_SETUP(alias)
{
	ASSERT_EQ(0, machine_create(&self->m));
	self->memory = pages_new(PAGES * PAGE);
	ASSERT_NE(MAP_FAILED, self->memory);
	ASSERT_EQ(0, madvise(self->memory, PAGES * PAGE, MADV_NOHUGEPAGE));
}

FIXTURE_TEARDOWN(alias)
{
	machine_destroy(&self->m);
}

static void put(void *page, uint32_t value)
{
	*(volatile uint32_t *)page = value;
}

static uint64_t gpa_of(unsigned int alias)
{
	return GPA + alias * PAGE;
}

static void map_aliases(struct __test_metadata *_metadata, struct machine *m,
			void *page, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		ASSERT_EQ(0, machine_map(m, gpa_of(i), page, PAGE, MAP_ALL));
}

/* ---- aliases of one page ------------------------------------------------- */

TEST_F(alias, writes_are_visible_at_all_addresses)
{
	map_aliases(_metadata, &self->m, self->memory, MOST);
	for (unsigned int i = 0; i < MOST; i++) {
		EXPECT_WRITE(&self->m, gpa_of(i), i + 1);
		EXPECT_READ(i + 1, &self->m, gpa_of((i + 7) % MOST));
	}
}

TEST_F(alias, taken_away_from_all)
{
	static const unsigned int counts[] = { 2, 15, 16, 17, 18, 33, MOST };
	struct machine *m = &self->m;
	unsigned int value = 0, from = 0;

	for (size_t n = 0; n < ARRAY_SIZE(counts); n++) {
		for (; from < counts[n]; from++)
			ASSERT_EQ(0, machine_map(m, gpa_of(from), self->memory,
						 PAGE, MAP_ALL));
		put(self->memory, ++value);
		for (unsigned int i = 0; i < counts[n]; i++)
			EXPECT_READ(value, m, gpa_of(i));
		ASSERT_EQ(self->memory, pages_renew(self->memory, PAGE));
		put(self->memory, ++value);
		for (unsigned int i = counts[n]; i--;)
			EXPECT_READ(value, m, gpa_of(i));
	}
}

/* The guest has accessed all aliases before every other one is unmapped. */
TEST_F(alias, unmap_leaves_the_others)
{
	map_aliases(_metadata, &self->m, self->memory, MOST);
	put(self->memory, 1);
	for (unsigned int i = 0; i < MOST; i++)
		EXPECT_READ(1, &self->m, gpa_of(i));
	for (unsigned int i = 0; i < MOST; i += 2)
		ASSERT_EQ(0, machine_unmap(&self->m, gpa_of(i), PAGE));
	ASSERT_EQ(self->memory, pages_renew(self->memory, PAGE));
	put(self->memory, 2);
	for (unsigned int i = 1; i < MOST; i += 2)
		EXPECT_READ(2, &self->m, gpa_of(i));
	EXPECT_NPF(0, &self->m, ACCESS_READ, gpa_of(0));
}

TEST_F(alias, rights_are_their_own)
{
	struct machine *m = &self->m;

	map_aliases(_metadata, m, self->memory, 3);
	for (int i = 0; i < 3; i++)
		EXPECT_WRITE(m, gpa_of(i), 1);
	ASSERT_EQ(0, machine_protect(m, gpa_of(1), PAGE, MAP_RX));
	EXPECT_WRITE(m, gpa_of(0), 5);
	EXPECT_NPF(0, m, ACCESS_WRITE, gpa_of(1));
	EXPECT_READ(5, m, gpa_of(1));
	EXPECT_WRITE(m, gpa_of(2), 6);
}

#define LOGGED (MAP_ALL | SVMRUN_MAP_LOG_DIRTY)

TEST_F(alias, logs_are_their_own)
{
	struct machine *m = &self->m;
	uint64_t bits;

	for (unsigned int i = 0; i < MOST; i++)
		ASSERT_EQ(0, machine_map(m, gpa_of(i), self->memory, PAGE,
					 i ? LOGGED : MAP_ALL));
	for (unsigned int i = 0; i < MOST; i += 3)
		EXPECT_WRITE(m, gpa_of(i), i);
	for (unsigned int i = 1; i < MOST; i++) {
		bits = 0;
		ASSERT_EQ(0, machine_dirty(m, gpa_of(i), PAGE, &bits,
					   SVMRUN_DIRTY_CLEAR));
		EXPECT_EQ(i % 3 == 0, bits);
	}
	EXPECT_EQ(-ENOENT, machine_dirty(m, gpa_of(0), PAGE, &bits, 0));
}

/* ---- random ranges at random addresses ----------------------------------- */

#define SLOTS 128u /* pages of guest memory */
#define STEPS 1500

/* The page that is mapped at a guest page */
struct slot {
	int page; /* page of the program's memory, or -1 */
	bool writable;
	bool logged;
	bool dirty;
};

struct model {
	struct slot slots[SLOTS];
	uint32_t values[PAGES];
	uint32_t last;
};

static uint32_t below(uint32_t bound)
{
	static uint64_t state = 88172645463325252ull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 16) % bound;
}

static void step_map(struct __test_metadata *_metadata,
		     FIXTURE_DATA(alias) * self, struct model *model)
{
	unsigned int page = below(PAGES), length = 1 + below(PAGES - page);
	unsigned int slot = below(SLOTS - length);
	bool logged = below(2), taken = false;

	for (unsigned int i = 0; i < length; i++)
		taken |= model->slots[slot + i].page >= 0;
	ASSERT_EQ(taken ? -EEXIST : 0,
		  machine_map(&self->m, gpa_of(slot),
			      self->memory + page * PAGE, length * PAGE,
			      logged ? LOGGED : MAP_ALL));
	for (unsigned int i = 0; !taken && i < length; i++)
		model->slots[slot + i] = (struct slot){
			.page = page + i,
			.writable = true,
			.logged = logged,
		};
}

static void step_change(struct __test_metadata *_metadata,
			FIXTURE_DATA(alias) * self, struct model *model)
{
	unsigned int slot = below(SLOTS), length = 1 + below(6);
	bool writable = below(2), unmap = below(3) == 0, any = false;

	if (slot + length > SLOTS)
		length = SLOTS - slot;
	for (unsigned int i = slot; i < slot + length; i++) {
		any |= model->slots[i].page >= 0;
		model->slots[i].writable = writable;
		if (unmap)
			model->slots[i] = (struct slot){ .page = -1 };
	}
	ASSERT_EQ(any ? 0 : -ENOENT,
		  unmap ? machine_unmap(&self->m, gpa_of(slot), length * PAGE) :
			  machine_protect(&self->m, gpa_of(slot), length * PAGE,
					  writable ? MAP_RW : MAP_RX));
}

static void step_renew(struct __test_metadata *_metadata,
		       FIXTURE_DATA(alias) * self, struct model *model)
{
	unsigned int page = below(PAGES), length = 1 + below(PAGES - page);
	uint8_t *begin = self->memory + page * PAGE;

	ASSERT_EQ(begin, pages_renew(begin, length * PAGE));
	for (unsigned int i = page; i < page + length; i++) {
		model->values[i] = ++model->last;
		put(self->memory + i * PAGE, model->last);
	}
}

static void step_access(struct __test_metadata *_metadata,
			FIXTURE_DATA(alias) * self, struct model *model)
{
	unsigned int number = below(SLOTS);
	struct slot *slot = &model->slots[number];
	uint64_t gpa = gpa_of(number);
	bool write = below(2);

	if (slot->page < 0) {
		EXPECT_NPF(0, &self->m, ACCESS_READ, gpa);
	} else if (!write) {
		EXPECT_READ(model->values[slot->page], &self->m, gpa);
	} else if (!slot->writable) {
		EXPECT_NPF(0, &self->m, ACCESS_WRITE, gpa);
	} else {
		EXPECT_WRITE(&self->m, gpa, ++model->last);
		model->values[slot->page] = model->last;
		slot->dirty = true;
	}
}

static void step_log(struct __test_metadata *_metadata,
		     FIXTURE_DATA(alias) * self, struct model *model)
{
	unsigned int number = below(SLOTS);
	struct slot *slot = &model->slots[number];
	uint64_t bits = 0;
	int err = machine_dirty(&self->m, gpa_of(number), PAGE, &bits,
				SVMRUN_DIRTY_CLEAR);

	ASSERT_EQ(slot->page >= 0 && slot->logged ? 0 : -ENOENT, err);
	if (err)
		return;
	EXPECT_EQ(slot->dirty, bits);
	slot->dirty = false;
}

TEST_F_TIMEOUT(alias, agree_with_a_model, 120)
{
	static void (*const steps[])(struct __test_metadata *,
				     FIXTURE_DATA(alias) *, struct model *) = {
		step_map,    step_map,	  step_change, step_renew, step_access,
		step_access, step_access, step_access, step_log,
	};
	struct model model = {};

	for (unsigned int i = 0; i < SLOTS; i++)
		model.slots[i].page = -1;
	for (int i = 0; i < STEPS; i++)
		steps[below(ARRAY_SIZE(steps))](_metadata, self, &model);
}

/* ---- several vCPUs, while pages are invalidated -------------------------- */

#define ROUNDS 60

GUEST(count_up, 32,
      "1: mov %ebx, %edi\n mov %ecx, %esi\n"
      "2: lock incl (%edi)\n add $4096, %edi\n dec %esi\n jnz 2b\n"
      "dec %edx\n jnz 1b\n hlt");

TEST_F_TIMEOUT(alias, no_write_is_lost, 120)
{
	struct machine *m = &self->m;
	struct svmrun_vcpu other;
	struct runner runners[2];

	map_aliases(_metadata, m, self->memory, MOST);
	MACHINE_LOAD(m, MODE_PROTECTED, count_up);
	ASSERT_EQ(0, svmrun_vcpu_create(&other, &m->vm));
	ASSERT_EQ(0, vcpu_begin(m, &other, MODE_PROTECTED));
	for (int i = 0; i < 2; i++) {
		struct svmrun_vcpu *vcpu = i ? &other : &m->vcpu;

		vcpu->regs->rbx = GPA;
		vcpu->regs->rcx = MOST;
		vcpu->regs->rdx = ROUNDS;
		ASSERT_EQ(0, runner_start(&runners[i], vcpu));
	}
	while (!runners[0].ended || !runners[1].ended) {
		ASSERT_EQ(0, mprotect(self->memory, PAGE,
				      PROT_READ | PROT_WRITE | PROT_EXEC));
		ASSERT_EQ(0,
			  mprotect(self->memory, PAGE, PROT_READ | PROT_WRITE));
	}
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(0, runner_join(&runners[i]));
	EXPECT_EQ(2 * ROUNDS * MOST, *(uint32_t *)self->memory);
	svmrun_vcpu_destroy(&other);
}

/* ---- cost ---------------------------------------------------------------- */

#define TRACING "/sys/kernel/tracing/"
#define MANY 2000

static int trace_begin(const char *functions)
{
	int err = file_write(TRACING "set_ftrace_filter", functions);

	return err ? err : file_write(TRACING "current_tracer", "function");
}

static void trace_end(void)
{
	file_write(TRACING "current_tracer", "nop");
	fclose(fopen(TRACING "set_ftrace_filter", "we"));
}

static void trace_clear(void)
{
	fclose(fopen(TRACING "trace", "we"));
}

static int traced(void)
{
	FILE *trace = fopen(TRACING "trace", "re");
	char line[256];
	int count = 0;

	while (trace && fgets(line, sizeof(line), trace))
		count += line[0] != '#';
	if (trace)
		fclose(trace);
	return count;
}

/* Return the number of notifiers that MAP registers. */
static int notifiers(struct __test_metadata *_metadata, struct machine *m,
		     uint64_t gpa, void *hva, size_t length)
{
	trace_clear();
	EXPECT_EQ(0, machine_map(m, gpa, hva, length, MAP_ALL));
	return traced();
}

TEST_F(alias, notifier_is_shared)
{
	struct machine *m = &self->m;
	uint8_t *memory = self->memory;
	int err = trace_begin("mmu_interval_notifier_insert");

	if (err)
		SKIP(return, "cannot trace functions: %s", strerror(-err));
	EXPECT_EQ(1, notifiers(_metadata, m, GPA, memory, 4 * PAGE));
	/* the whole backing, a part of it, and up to its end */
	EXPECT_EQ(0, notifiers(_metadata, m, 2 * GPA, memory, 4 * PAGE));
	EXPECT_EQ(0, notifiers(_metadata, m, 2 * GPA + MIB_2, memory, PAGE));
	EXPECT_EQ(0, notifiers(_metadata, m, 2 * GPA + 2 * MIB_2,
			       memory + 3 * PAGE, PAGE));
	/*
	 * Memory that grows needs a new backing, which then also serves the old
	 * ranges.
	 */
	EXPECT_EQ(1, notifiers(_metadata, m, GPA + MIB_2, memory + 4 * PAGE,
			       2 * PAGE));
	EXPECT_EQ(1, notifiers(_metadata, m, GPA + 2 * MIB_2, memory + 8 * PAGE,
			       PAGE));
	EXPECT_EQ(1, notifiers(_metadata, m, GPA + 3 * MIB_2, memory,
			       PAGES * PAGE));
	EXPECT_EQ(0, notifiers(_metadata, m, GPA + 4 * MIB_2, memory + 7 * PAGE,
			       PAGE));
	/* A backing without regions is not kept. */
	EXPECT_EQ(0, machine_unmap(m, GPA, 2 * GIB_1));
	EXPECT_EQ(1, notifiers(_metadata, m, GPA, memory, PAGE));
	trace_end();
}

/* Return the number of calls of module functions when the page is taken away. */
static int cost(struct __test_metadata *_metadata, FIXTURE_DATA(alias) * self,
		unsigned int touched)
{
	put(self->memory, 1);
	for (unsigned int i = 0; i < touched; i++)
		EXPECT_READ(1, &self->m, gpa_of(i));
	trace_clear();
	EXPECT_EQ(0, madvise(self->memory, PAGE, MADV_DONTNEED));
	return traced();
}

TEST_F(alias, cost_does_not_grow)
{
	int err = trace_begin("*:mod:svmrun"), one, untouched, few, many;

	if (err)
		SKIP(return, "cannot trace functions: %s", strerror(-err));
	map_aliases(_metadata, &self->m, self->memory, 1);
	one = cost(_metadata, self, 1);
	for (unsigned int i = 1; i < MANY; i++)
		ASSERT_EQ(0, machine_map(&self->m, gpa_of(i), self->memory,
					 PAGE, MAP_ALL));
	untouched = cost(_metadata, self, 1);
	few = cost(_metadata, self, 10);
	many = cost(_metadata, self, 500);
	trace_end();
	TH_LOG("%d calls; %d with others untouched; %d for 10, %d for 500", one,
	       untouched, few, many);
	EXPECT_LT(3, one);
	EXPECT_EQ(one, untouched);
	EXPECT_GT(2 * few, many);
}

TEST_HARNESS_MAIN
