// SPDX-License-Identifier: GPL-2.0
/*
 * A hypervisor whose guest waits for input: it adds the number of bytes that it has read to each,
 * and sends the sum, until that is a z. The bytes are added up in memory with nested paging. At
 * the end, the hypervisor executes VMRUN with a VMCB that is refused.
 */
#include "svm.h"

#define CODE_SELECTOR 0x08
#define DATA_SELECTOR 0x10
#define CODE_ATTRIB (SVM_SEG_P | SVM_SEG_S | SVM_SEG_L | 0xb)
#define DATA_ATTRIB (SVM_SEG_P | SVM_SEG_S | SVM_SEG_DB | 0x3)
#define MSR_EFER 0xc0000080
#define MSR_VM_HSAVE_PA 0xc0010117
#define PTE_ALL 7ul
#define PTE_PS (1ul << 7)

static struct svm_vmcb vmcb __attribute__((aligned(4096)));
static uint8_t hsave[4096] __attribute__((aligned(4096)));
static uint8_t iopm[3 * 4096] __attribute__((aligned(4096)));
static uint8_t msrpm[2 * 4096] __attribute__((aligned(4096)));
static uint64_t npt[3][512] __attribute__((aligned(4096)));
static volatile uint64_t sum;
struct registers svm_registers;

static __attribute__((naked)) void guest(void)
{
	asm volatile("1: mov $0x3fd, %edx\n"
		     "in %dx, %al\n"
		     "test $1, %al\n"
		     "jz 1b\n"
		     "mov $0x3f8, %edx\n"
		     "in %dx, %al\n"
		     "movzbl %al, %ecx\n"
		     "add %rcx, (%rdi)\n"
		     "inc %ebx\n"
		     "add %bl, %al\n"
		     "out %al, %dx\n"
		     "cmp $'z', %al\n"
		     "jne 1b\n"
		     "vmmcall\n");
}

static void prepare_state(struct svm_vmcb_save *save)
{
	prepare_segment(&save->cs, CODE_SELECTOR, CODE_ATTRIB);
	prepare_segment(&save->ss, DATA_SELECTOR, DATA_ATTRIB);
	save->ds = save->ss;
	save->es = save->ss;
	save->efer = read_msr(MSR_EFER);
	save->cr0 = read_cr(0);
	save->cr3 = read_cr(3);
	save->cr4 = read_cr(4);
	save->dr6 = 0xffff0ff0;
	save->dr7 = 0x400;
	save->g_pat = 0x0007040600070406;
	save->rflags = 2;
	save->rip = (uint64_t)guest;
}

/* Pages of 2 MiB, 1:1, for the first GiB */
static void prepare_control(struct svm_vmcb_control *control)
{
	unsigned int i;

	npt[0][0] = (uint64_t)npt[1] | PTE_ALL;
	npt[1][0] = (uint64_t)npt[2] | PTE_ALL;
	for (i = 0; i < 512; i++)
		npt[2][i] = (uint64_t)i << 21 | PTE_ALL | PTE_PS;
	control->nested_ctl = SVM_NESTED_NP_ENABLE;
	control->n_cr3 = (uint64_t)npt[0];
	control->iopm_base_pa = (uint64_t)iopm;
	control->msrpm_base_pa = (uint64_t)msrpm;
	control->asid = 1;
	control->intercept[3] = SVM_INTERCEPT3_SHUTDOWN;
	control->intercept[4] = SVM_INTERCEPT4_VMRUN | SVM_INTERCEPT4_VMMCALL;
}

int main(void)
{
	write_msr(MSR_EFER, read_msr(MSR_EFER) | SVM_EFER_SVME);
	write_msr(MSR_VM_HSAVE_PA, (uint64_t)hsave);
	prepare_state(&vmcb.save);
	prepare_control(&vmcb.control);
	svm_registers.rdi = (uint64_t)&sum;
	serial_puts("waits\n");
	__svm_vmrun((uint64_t)&vmcb);
	__svm_stgi();
	serial_puts("\nsum ");
	serial_put_decimal(sum);
	serial_puts(vmcb.control.exitcode == VMEXIT_VMMCALL ? "\n" :
							      " wrong\n");
	vmcb.control.asid = 0;
	__svm_vmrun((uint64_t)&vmcb);
	__svm_stgi();
	return read_msr(MSR_VM_HSAVE_PA) != (uint64_t)hsave;
}
