/* SPDX-License-Identifier: GPL-2.0 */
/* The computation of the sse2 guest, which also runs on the host */
#ifndef SOLVE_H
#define SOLVE_H

#define SOLVE_SIZE 64 /* unknowns, an even number */

/* @report is called with the name and value of each result. */
void solve(void (*report)(const char *name, const double *value));

#endif /* SOLVE_H */
