/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mappings of the one VM of fake_device.h, in the order of the calls. A call fails with
 * EEXIST if part of the range is mapped, as the module's does. With fake_maps_are_whole,
 * unmapping a part of a mapping fails, as if there were no room for the other parts.
 */
#ifndef FAKE_MAPS_H
#define FAKE_MAPS_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/svmrun.h>

#define FAKE_MAPS 64
extern struct svmrun_map fake_maps[FAKE_MAPS];
extern size_t fake_map_count;
extern bool fake_maps_are_whole;

#endif /* FAKE_MAPS_H */
