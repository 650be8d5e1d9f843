/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A stand-in for /dev/svmrun, for tests of what the library does with the kernel's
 * answers: ioctl() of the runner answers calls on FAKE_DEVICE and on what is created from
 * it as the module of today does, and passes on all others.
 */
#ifndef FAKE_DEVICE_H
#define FAKE_DEVICE_H

#define FAKE_DEVICE 1000000 /* no process has so many descriptors */
#define FAKE_VM 1000001

/* Each byte of members that the module fills in, except for those below */
#define FAKE_BYTE 0x5a
#define FAKE_API_VERSION 1
#define FAKE_VCPU_SIZE 0x5000
#define FAKE_XSAVE_SIZE 0x1000

#endif /* FAKE_DEVICE_H */
