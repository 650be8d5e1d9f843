// SPDX-License-Identifier: LGPL-2.1-or-later
/* Moves between memory and XMM registers in the XSAVE area (APM 11.5) */
#include <string.h>

#include "access.h"
#include "operand.h"
#include "vector.h"

#define VECTOR_SIZE 16

#define XMM_COUNT 16

/* Exceptions if SSE is not enabled (APM volume 4, 1.2.6) */
static int check_sse(struct execution *execution)
{
	const struct svm_vmcb_save *save = execution->save;

	if ((save->cr0 & SVM_CR0_EM) || !(save->cr4 & SVM_CR4_OSFXSR))
		return fault_set(&execution->fault, VECTOR_UD);
	if (save->cr0 & SVM_CR0_TS)
		return fault_set(&execution->fault, VECTOR_NM);
	return 0;
}

/* If XSTATE_BV says that SSE is in its initial state, all XMM registers are zero. */
static uint8_t *xmm_register(const struct svmrun_vcpu *vcpu, ZydisRegister name)
{
	uint8_t *area = vcpu->xsave;
	uint64_t valid;

	memcpy(&valid, area + XSAVE_XSTATE_BV, sizeof(valid));
	if (!(valid & XCR0_SSE)) {
		memset(area + XSAVE_XMM, 0, XMM_COUNT * VECTOR_SIZE);
		valid |= XCR0_SSE;
		memcpy(area + XSAVE_XSTATE_BV, &valid, sizeof(valid));
	}
	return area + XSAVE_XMM + (name - ZYDIS_REGISTER_XMM0) * VECTOR_SIZE;
}

static bool is_xmm(const struct execution *execution, unsigned int i)
{
	const ZydisDecodedOperand *operand = &execution->operand[i];

	return operand->type == ZYDIS_OPERAND_TYPE_REGISTER &&
	       operand->reg.value >= ZYDIS_REGISTER_XMM0 &&
	       operand->reg.value < ZYDIS_REGISTER_XMM0 + XMM_COUNT;
}

int vector_move(struct execution *execution, bool aligned)
{
	unsigned int memory = operand_is_memory(execution, 0) ? 0 : 1;
	struct memory_access access;
	uint64_t linear;
	uint8_t *xmm;
	int ret;

	if (!operand_is_memory(execution, memory) ||
	    !is_xmm(execution, !memory) ||
	    operand_size(execution, memory) != VECTOR_SIZE)
		return -EOPNOTSUPP;
	ret = check_sse(execution);
	if (!ret)
		ret = operand_linear(execution, memory, 0, !memory, &linear);
	if (ret)
		return ret;
	if (aligned && linear % VECTOR_SIZE)
		return fault_set(&execution->fault, VECTOR_GP);
	ret = access_translate(execution, linear, VECTOR_SIZE, !memory,
			       &access);
	if (ret)
		return ret;
	xmm = xmm_register(execution->vcpu,
			   execution->operand[!memory].reg.value);
	if (memory)
		access_load(execution->bus, &access, xmm);
	else
		access_store(execution->bus, &access, xmm);
	return 0;
}
