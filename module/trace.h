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
/* Before VMRUN: the event to be injected, and where the guest continues */
TRACE_EVENT(enter, TP_PROTO(const struct vcpu *vcpu), TP_ARGS(vcpu),
	    TP_STRUCT__entry(__field(u64, vm)
			     __field(u32, vcpu)
			     __field(u64, rip)
			     __field(u64, cr4)
			     __field(u64, eventinj)
			     __field(u32, asid)
			     __field(u32, clean)
			     __field(u8, tlb_control)),
	    TP_fast_assign(__entry->vm = vcpu->vm->id;
			   __entry->vcpu = vcpu->id;
			   __entry->rip = vcpu->hw->save.rip;
			   __entry->cr4 = vcpu->hw->save.cr4;
			   __entry->eventinj = vcpu->hw->control.eventinj;
			   __entry->asid = vcpu->hw->control.asid;
			   __entry->clean = vcpu->hw->control.clean;
			   __entry->tlb_control =
				vcpu->hw->control.tlb_control;),
	    TP_printk("vm=%llu vcpu=%u rip=0x%llx cr4=0x%llx eventinj=0x%llx asid=%u clean=0x%x tlb_control=%u",
		      __entry->vm, __entry->vcpu, __entry->rip,
		      __entry->cr4, __entry->eventinj, __entry->asid, __entry->clean,
		      __entry->tlb_control)
);

/* After each #VMEXIT: the hardware's VMCB */
TRACE_EVENT(exit, TP_PROTO(const struct vcpu *vcpu), TP_ARGS(vcpu),
	    TP_STRUCT__entry(__field(u64, vm)
			     __field(u32, vcpu)
			     __field(u64, rip)
			     __field(u64, exitcode)
			     __field(u64, exitinfo1)
			     __field(u64, exitinfo2)
			     __field(u64, exitintinfo)),
	    TP_fast_assign(__entry->vm = vcpu->vm->id;
			   __entry->vcpu = vcpu->id;
			   __entry->rip = vcpu->hw->save.rip;
			   __entry->exitcode = vcpu->hw->control.exitcode;
			   __entry->exitinfo1 = vcpu->hw->control.exitinfo1;
			   __entry->exitinfo2 = vcpu->hw->control.exitinfo2;
			   __entry->exitintinfo =
				vcpu->hw->control.exitintinfo;),
	    TP_printk("vm=%llu vcpu=%u rip=0x%llx exitcode=0x%llx exitinfo1=0x%llx exitinfo2=0x%llx exitintinfo=0x%llx",
		      __entry->vm, __entry->vcpu, __entry->rip,
		      __entry->exitcode, __entry->exitinfo1,
		      __entry->exitinfo2, __entry->exitintinfo)
);

/* A nested page fault: result is 0 (handled), 1 (the program's) or a negative errno. */
TRACE_EVENT(fault, TP_PROTO(const struct vcpu *vcpu, int result),
	    TP_ARGS(vcpu, result),
	    TP_STRUCT__entry(__field(u64, vm)
			     __field(u32, vcpu)
			     __field(u64, gpa)
			     __field(u64, error_code)
			     __field(int, result)),
	    TP_fast_assign(__entry->vm = vcpu->vm->id;
			   __entry->vcpu = vcpu->id;
			   __entry->gpa = vcpu->hw->control.exitinfo2;
			   __entry->error_code = vcpu->hw->control.exitinfo1;
			   __entry->result = result;),
	    TP_printk("vm=%llu vcpu=%u gpa=0x%llx error_code=0x%llx result=%d",
		      __entry->vm, __entry->vcpu, __entry->gpa,
		      __entry->error_code, __entry->result)
);

/*
 * SVM has been enabled or disabled on the CPU of the event. An event cannot be called
 * "enable", because tracefs has a file of that name.
 */
DECLARE_EVENT_CLASS(processor, TP_PROTO(unsigned int cpu), TP_ARGS(cpu),
		    TP_STRUCT__entry(__field(u32, cpu)),
		    TP_fast_assign(__entry->cpu = cpu;),
		    TP_printk("cpu=%u", __entry->cpu)
);
DEFINE_EVENT(processor, svm_enable, TP_PROTO(unsigned int cpu), TP_ARGS(cpu));
DEFINE_EVENT(processor, svm_disable, TP_PROTO(unsigned int cpu), TP_ARGS(cpu));

/*
 * Linux invalidates host memory at hva, which is unmapped from guest physical addresses
 * from gpa to end. One event per region; none for a region without mapped pages.
 */
TRACE_EVENT(invalidate,
	    TP_PROTO(const struct memory *memory, u64 hva, u64 gpa, u64 end),
	    TP_ARGS(memory, hva, gpa, end),
	    TP_STRUCT__entry(__field(u64, vm)
			     __field(u64, hva)
			     __field(u64, gpa)
			     __field(u64, end)),
	    TP_fast_assign(__entry->vm =
				container_of(memory, struct vm, memory)->id;
			   __entry->hva = hva;
			   __entry->gpa = gpa;
			   __entry->end = end;),
	    TP_printk("vm=%llu hva=0x%llx gpa=0x%llx end=0x%llx", __entry->vm,
		      __entry->hva, __entry->gpa, __entry->end)
);
/* clang-format on */

#endif /* SVMRUN_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
