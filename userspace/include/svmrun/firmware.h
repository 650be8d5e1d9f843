/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The firmware of a PC: a flash chip that ends at 4 GiB, where the processor starts (APM
 * volume 2, 14.1.5). Its end also appears at the end of the first MiB.
 * svmrun_mode_reset() sets the state in which it is entered.
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
#define SVMRUN_FIRMWARE_COPY (256u << 10) /* bytes that appear below 1 MiB */

/**
 * svmrun_firmware_check() - can an image of this size be firmware?
 * @size: size of the image in bytes
 *
 * The caller maps the image at SVMRUN_FIRMWARE_END - @size.
 *
 * Return: 0 or a negative errno; -ENODATA: the image is empty; -EFBIG: it has more than
 * 16 MiB; -EINVAL: its size is not a multiple of 4 KiB, so it cannot be mapped to end
 * at 4 GiB.
 */
int svmrun_firmware_check(size_t size);

/**
 * svmrun_firmware_copy() - copy the end of the firmware to the end of the first MiB
 * @low: the memory from address 0 on
 * @image: the image
 * @size: its size in bytes
 *
 * The last SVMRUN_FIRMWARE_COPY bytes are copied, or all if the image has fewer. On a PC,
 * larger firmware copies this part itself, after it has made the memory writable.
 *
 * Return: 0 or a negative errno of svmrun_firmware_check(); -ERANGE: @low does not
 * include the end of the first MiB.
 */
int svmrun_firmware_copy(const struct svmrun_memory *low, const void *image,
			 size_t size);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_FIRMWARE_H */
