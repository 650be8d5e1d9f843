/* SPDX-License-Identifier: GPL-2.0 */
/* Code of the guests in nested.c, which is in assembly language */
#ifndef NESTED_H
#define NESTED_H

extern const char nested_l1[], nested_l1_end[];
extern const char nested_cpuids[], nested_cpuids_end[];
extern const char nested_outs[], nested_outs_end[];
extern const char nested_reads[], nested_reads_end[];

#endif /* NESTED_H */
