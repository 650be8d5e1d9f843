/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_KERNEL_H
#define SHIM_KERNEL_H

#include_next <linux/kernel.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#endif /* SHIM_KERNEL_H */
