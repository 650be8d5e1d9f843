/* SPDX-License-Identifier: GPL-2.0 */
/* The numeric kernel of the sse2 guest; the host runs the same code. */
#ifndef SOLVE_H
#define SOLVE_H

#define SOLVE_SIZE 64 /* unknowns, an even number */

/* @report is called with the name of each result and the result. */
void solve(void (*report)(const char *name, const double *value));

#endif /* SOLVE_H */
