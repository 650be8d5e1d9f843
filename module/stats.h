/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_STATS_H
#define SVMRUN_STATS_H

struct seq_file;
struct vcpu;
struct vm;

void stats_init(void);
void stats_exit(void);

void stats_show_vm(struct seq_file *seq, struct vm *vm);
void stats_show_vcpu(struct seq_file *seq, const struct vcpu *vcpu);

#endif /* SVMRUN_STATS_H */
