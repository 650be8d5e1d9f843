/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_PERMISSION_H
#define SVMRUN_PERMISSION_H

#include <linux/svmrun.h>
#include <linux/types.h>

#define PERMISSION_IOPM_SIZE 0x3000 /* APM 15.10.1 */
#define PERMISSION_MSRPM_SIZE 0x2000 /* APM 15.11 */

void permission_load(u64 *hw, const u64 *user, bool lbr);

#endif /* SVMRUN_PERMISSION_H */
