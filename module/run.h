/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVMRUN_RUN_H
#define SVMRUN_RUN_H

struct vcpu;

int vcpu_run(struct vcpu *vcpu);

#endif /* SVMRUN_RUN_H */
