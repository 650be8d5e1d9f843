/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A PC's firmware: a flash chip that ends at 4 GiB, where the processor begins
 * (APM volume 2, 14.1.5), and whose end is also seen at the end of the first MiB.
 * svmrun_mode_reset() is how it is entered.
 */
#ifndef SVMRUN_FIRMWARE_H
#define SVMRUN_FIRMWARE_H

#include <stddef.h>
#include <stdint.h>

#include <svmrun.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_FIRMWARE_END  0x100000000ull
#define SVMRUN_FIRMWARE_MAX  (16u << 20)
#define SVMRUN_FIRMWARE_COPY (128u << 10) /* of it, below 1 MiB */

/**
 * svmrun_firmware_check() - can an image of this size be firmware?
 * @size: bytes
 *
 * Its owner maps it at SVMRUN_FIRMWARE_END - @size.
 *
 * Return: 0, or -ENODATA if it is empty, -EFBIG if it is more than 16 MiB, -EINVAL
 * if it is not a multiple of 4 KiB: it would not end where it must.
 */
int svmrun_firmware_check(size_t size);

/**
 * svmrun_firmware_copy() - its end to the end of the first MiB
 * @low: the memory from 0 on
 * @image: the image
 * @size: bytes
 *
 * The last 128 KiB, or all if it has less.
 *
 * Return: 0, or an error of svmrun_firmware_check(), or -ERANGE if @low has not
 * got the first MiB.
 */
int svmrun_firmware_copy(const struct svmrun_memory *low, const void *image,
			 size_t size);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_FIRMWARE_H */
