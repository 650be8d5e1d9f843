/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BAR_H
#define BAR_H

#include <stdbool.h>
#include <stdint.h>

#define BAR_WIDTH 30
#define BAR_SIZE (BAR_WIDTH * 3 + 1) /* bytes: three a block in UTF-8 */

/* Draws @part of @whole as a bar; in eighths of a column with @utf8. */
void bar_draw(char bar[BAR_SIZE], uint64_t part, uint64_t whole, bool utf8);

#endif /* BAR_H */
