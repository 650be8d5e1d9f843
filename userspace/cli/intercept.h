/* SPDX-License-Identifier: GPL-2.0 */
/* Names of intercept bits (linux/svm_vmcb.h) */
#ifndef INTERCEPT_H
#define INTERCEPT_H

#define INTERCEPT_VECTORS 6
#define INTERCEPT_NAME_SIZE 24

/* Write the name of a bit of an intercept vector, or both numbers if it has no name. */
void intercept_name(char name[INTERCEPT_NAME_SIZE], unsigned int vector,
		    unsigned int bit);

#endif /* INTERCEPT_H */
