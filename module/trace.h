/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints, as /sys/kernel/tracing/events/svmrun. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM svmrun

#if !defined(SVMRUN_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define SVMRUN_TRACE_H

#include <linux/tracepoint.h>

#include "vcpu.h"
#include "vm.h"

/* clang-format off */
/* The hardware is about to be told this. */
TRACE_EVENT(enter, TP_PROTO(const struct vcpu *vcpu), TP_ARGS(vcpu),
	    TP_STRUCT__entry(__field(u64, vm)
			     __field(const void *, vcpu)
			     __field(u64, rip)
			     __field(u64, eventinj)
			     __field(u32, asid)
			     __field(u32, clean)
			     __field(u8, tlb_control)),
	    TP_fast_assign(__entry->vm = vcpu->vm->id;
			   __entry->vcpu = vcpu;
			   __entry->rip = vcpu->hw->save.rip;
			   __entry->eventinj = vcpu->hw->control.eventinj;
			   __entry->asid = vcpu->hw->control.asid;
			   __entry->clean = vcpu->hw->control.clean;
			   __entry->tlb_control =
				vcpu->hw->control.tlb_control;),
	    TP_printk("vm=%llu vcpu=%p rip=0x%llx eventinj=0x%llx asid=%u clean=0x%x tlb_control=%u",
		      __entry->vm, __entry->vcpu, __entry->rip,
		      __entry->eventinj, __entry->asid, __entry->clean,
		      __entry->tlb_control)
);
/* clang-format on */

#endif /* SVMRUN_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
