// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A hypervisor that is written like one for the bare processor, with the SVM intrinsics
 * and a VMCB as described in the AMD64 Architecture Programmer's Manual. libsvmrun
 * provides the memory of the guest and the VMCBs. It prints:
 *
 *	host: CPUID 40000000h
 *	guest: running under a hypervisor.
 *	host: RDMSR c0000080h
 *	host: WRMSR c0000080h
 *	guest: in the system call handler.
 *	host: VMMCALL
 *	host: LSTAR in the guest's VMCB: 8100h
 *	host: LSTAR of the processor: 11110000h
 */
#include <stdio.h>
#include <string.h>

#include <svmrun_intrin.h>

#define CODE		0x8000
#define CODE_SIZE	0x200
#define TABLES		0x10000
#define STACK 0x20000 /* top of the stack, and end of the memory */

#define CONSOLE_PORT	0xe9
#define MSR_EFER	0xc0000080
#define MSR_LSTAR 0xc0000082

/* ---- the guest ------------------------------------------------------------- */

/* clang-format off */
/* Copied to guest memory, and never called */
static __attribute__((naked)) void guest(void)
{
	asm("mov $0x40000000, %eax\n"	/* name of the hypervisor */
	    "cpuid\n"
	    "mov %ebx, name(%rip)\n"
	    "mov %ecx, name + 4(%rip)\n"
	    "mov %edx, name + 8(%rip)\n"
	    "lea greeting(%rip), %rsi\n"
	    "call print\n"
	    "mov $0xc0000080, %ecx\n"	/* EFER.SCE enables SYSCALL */
	    "rdmsr\n"
	    "or $1, %eax\n"
	    "wrmsr\n"
	    "mov $0xc0000082, %ecx\n"	/* LSTAR: address of the handler */
	    "lea handler(%rip), %eax\n"
	    "xor %edx, %edx\n"
	    "wrmsr\n"
	    "syscall\n"
	    ".org guest + 0x100\n"
	    "handler:\n"
	    "lea called(%rip), %rsi\n"
	    "call print\n"
	    "vmmcall\n"			/* end */
	    "print:\n"
	    "lodsb\n"
	    "out %al, $0xe9\n"
	    "cmpb $0, (%rsi)\n"
	    "jne print\n"
	    "ret\n"
	    "greeting: .ascii \"guest: running under \"\n"
	    "name: .asciz \".............\\n\"\n"
	    "called: .asciz \"guest: in the system call handler.\\n\"\n"
	    ".org guest + 0x200\n");
}

/* clang-format on */

/* ---- exits ------------------------------------------------------------------ */

/*
 * RAX and RSP are in the VMCB. Other registers are in vcpu->regs; on the bare processor
 * guest and hypervisor would share them.
 */
static bool handle_cpuid(struct svmrun_vcpu *vcpu)
{
	uint32_t name[3];

	printf("host: CPUID %xh\n", (uint32_t)vcpu->vmcb->save.rax);
	memcpy(name, "a hypervisor", sizeof(name));
	vcpu->regs->rbx = name[0];
	vcpu->regs->rcx = name[1];
	vcpu->regs->rdx = name[2];
	vcpu->vmcb->save.rip += 2;
	return true;
}

/* EXITINFO1 is 1 for WRMSR. EFER.SVME is hidden from the guest. */
static bool handle_msr(struct svmrun_vcpu *vcpu)
{
	struct svm_vmcb_save *save = &vcpu->vmcb->save;
	bool write = vcpu->vmcb->control.exitinfo1;
	uint32_t msr = vcpu->regs->rcx;

	printf("host: %s %xh\n", write ? "WRMSR" : "RDMSR", msr);
	if (msr != MSR_EFER)
		return false;
	if (write) {
		save->efer = (uint32_t)save->rax | SVM_EFER_SVME;
	} else {
		save->rax = save->efer & ~SVM_EFER_SVME;
		vcpu->regs->rdx = 0;
	}
	save->rip += 2;
	return true;
}

/* EXITINFO2 is the RIP of the next instruction. */
static bool handle_ioio(struct svmrun_vcpu *vcpu)
{
	struct svm_vmcb *vmcb = vcpu->vmcb;

	if (vmcb->control.exitinfo1 >> SVM_IOIO_PORT_SHIFT == CONSOLE_PORT)
		putchar(vmcb->save.rax & 0xff);
	vmcb->save.rip = vmcb->control.exitinfo2;
	return true;
}

/* Return true if the guest should continue. */
static bool handle_exit(struct svmrun_vcpu *vcpu)
{
	struct svm_vmcb_control *control = &vcpu->vmcb->control;

	/* Inject an event whose delivery the exit has interrupted (APM 15.20). */
	control->eventinj = control->exitintinfo;
	switch (control->exitcode) {
	case VMEXIT_INTR:
		return true;
	case VMEXIT_CPUID:
		return handle_cpuid(vcpu);
	case VMEXIT_MSR:
		return handle_msr(vcpu);
	case VMEXIT_IOIO:
		return handle_ioio(vcpu);
	case VMEXIT_VMMCALL:
		puts("host: VMMCALL");
		return false;
	default:
		printf("host: exit code %llxh\n", control->exitcode);
		return false;
	}
}

/* ---- world switch ------------------------------------------------------------- */

/*
 * VMRUN switches most of the state. FS, GS, TR, LDTR and the system call MSRs must be
 * switched around it, with interrupts disabled by GIF (APM 15.5.2, 15.17).
 */
static void run_to_end(size_t guest_pa, size_t host_pa)
{
	do {
		__svm_vmsave(host_pa);
		__svm_clgi();
		__svm_vmload(guest_pa);
		__svm_vmrun(guest_pa);
		__svm_vmsave(guest_pa);
		__svm_vmload(host_pa);
		__svm_stgi();
	} while (handle_exit(svmrun_intrin_vcpu(guest_pa)));
}

/* The map has two bits per MSR; those from C0000000h on start at 800h (APM 15.11). */
static void permit_msr(uint8_t *msrpm, uint32_t msr)
{
	uint32_t number = msr - 0xc0000000;

	msrpm[0x800 + number / 4] &= ~(3 << number % 4 * 2);
}

static int create_guest(struct svmrun_vm *vm, size_t *guest_pa, size_t *host_pa)
{
	struct svmrun_memory memory;
	struct svmrun_vcpu *vcpu;

	if (svmrun_vm_create(vm, svmrun_device_open(NULL)) ||
	    svmrun_memory_create(&memory, vm, 0, STACK) ||
	    svmrun_intrin_alloc(guest_pa, vm) ||
	    svmrun_intrin_alloc(host_pa, NULL))
		return -1;
	vcpu = svmrun_intrin_vcpu(*guest_pa);
	svmrun_image_load_flat(&memory, guest, CODE_SIZE, CODE);
	svmrun_mode_long(vcpu, &memory, TABLES, CODE, STACK);
	vcpu->vmcb->control.intercept[3] |= SVM_INTERCEPT3_IOIO |
					    SVM_INTERCEPT3_MSR;
	vcpu->vmcb->control.intercept[4] |= SVM_INTERCEPT4_VMRUN |
					    SVM_INTERCEPT4_VMMCALL;
	permit_msr(vcpu->msrpm, MSR_LSTAR); /* switched by VMLOAD and VMSAVE */
	return 0;
}

int main(void)
{
	size_t guest_pa, host_pa;
	struct svm_vmcb *host;
	struct svmrun_vm vm;

	if (create_guest(&vm, &guest_pa, &host_pa)) {
		puts("cannot create a VM: is svmrun.ko loaded?");
		return 1;
	}
	/* Set LSTAR of the processor, as a kernel does when it boots. */
	host = svmrun_intrin_vcpu(host_pa)->vmcb;
	host->save.lstar = 0x11110000;
	__svm_vmload(host_pa);
	run_to_end(guest_pa, host_pa);
	__svm_vmsave(host_pa);
	printf("host: LSTAR in the guest's VMCB: %llxh\n",
	       svmrun_intrin_vcpu(guest_pa)->vmcb->save.lstar);
	printf("host: LSTAR of the processor: %llxh\n", host->save.lstar);
	return 0;
}
