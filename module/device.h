/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_DEVICE_H
#define SVMRUN_DEVICE_H

int device_init(void);
void device_exit(void);

#endif /* SVMRUN_DEVICE_H */
