// SPDX-License-Identifier: GPL-2.0
/* Keep a KVM VM, and with it the processors, until killed. */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(void)
{
	int kvm = open("/dev/kvm", O_RDWR);

	if (kvm < 0 || ioctl(kvm, KVM_CREATE_VM, 0) < 0) {
		perror("/dev/kvm");
		return 1;
	}
	puts("held");
	fflush(stdout);
	pause();
	return 0;
}
