// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "callers.h"
#include "lib/memories.h"
#include "lib/x86.h"
#include "vmm/machine.h"

#define CALLERS_MAX 10 /* 20 characters each */

/**
 * struct frame - a stack frame, as a function begins it with PUSH RBP
 * @next: the frame pointer of the caller
 * @rip: the address to which the function returns
 */
struct frame {
	uint64_t next;
	uint64_t rip;
};

/* Return the size of a word of the guest's code, 0 in 16-bit modes. */
static size_t word_size(const struct svm_vmcb_save *save)
{
	if ((save->efer & SVM_EFER_LMA) && (save->cs.attrib & SVM_SEG_L))
		return 8;
	return save->cs.attrib & SVM_SEG_DB ? 4 : 0;
}

/* Do not set accessed bits: the guest has not read it. */
static bool read_word(const struct cpu *cpu, uint64_t gva, size_t size,
		      uint64_t *word)
{
	const struct machine *machine = cpu->machine;
	uint64_t gpa;
	const void *at;

	if (svmrun_gva_to_gpa(&cpu->vcpu, machine->memories,
			      machine->memory_count, gva, SVMRUN_ACCESS_PROBE,
			      &gpa, NULL))
		return false;
	at = memories_at(machine->memories, machine->memory_count, gpa, size);
	if (!at)
		return false;
	*word = 0;
	memcpy(word, at, size);
	return true;
}

static bool read_frame(const struct cpu *cpu, uint64_t gva, size_t size,
		       struct frame *frame)
{
	return !(gva % size) && read_word(cpu, gva, size, &frame->next) &&
	       read_word(cpu, gva + size, size, &frame->rip);
}

/* The stack grows down, so a caller's frame is at a higher address: the chain ends. */
void callers_write(const struct cpu *cpu, char text[CALLERS_SIZE])
{
	size_t word = word_size(&cpu->vcpu.vmcb->save);
	uint64_t at = cpu->vcpu.regs->rbp;
	struct frame frame;
	unsigned int i;
	int used = 0;

	*text = '\0';
	for (i = 0; word && i < CALLERS_MAX; i++) {
		if (!read_frame(cpu, at, word, &frame) || !frame.rip)
			return;
		used += snprintf(text + used, CALLERS_SIZE - used,
				 "%s 0x%" PRIx64, i ? "," : ", called from",
				 frame.rip);
		if (frame.next <= at)
			return;
		at = frame.next;
	}
}
