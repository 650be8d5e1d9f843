/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CRC-32 (ISO 3309, the one of gzip) */
#ifndef CRC32_H
#define CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Return the CRC of bytes, continued from that of earlier ones, or from 0. */
uint32_t crc32_add(uint32_t crc, const void *bytes, size_t size);

#endif /* CRC32_H */
