// SPDX-License-Identifier: GPL-2.0
/*
 * Solve a system of linear equations by Cholesky's method with SSE2, two doubles at
 * a time. Each report of a result causes exits while all state is in XMM registers.
 * IEEE 754 defines the exact rounding of addition, multiplication, division and
 * square root, so that every processor computes the same bits.
 */
#include "solve.h"

#define N SOLVE_SIZE

typedef double pair __attribute__((vector_size(16)));

union row {
	pair pairs[N / 2];
	double cells[N];
};

static union row a[N], x;

static double square_root(double value)
{
	pair root = { value, 0 };

	asm("sqrtpd %0, %0" : "+x"(root));
	return root[0];
}

/* Fill in a positive definite matrix: a Hilbert matrix with a large diagonal. */
static void fill(void)
{
	for (int i = 0; i < N; i++) {
		for (int j = 0; j < N; j++)
			a[i].cells[j] = 1.0 / (i + j + 1) + (i == j ? 2 : 0);
		x.cells[i] = 1.0 / (i + 3);
	}
}

/*
 * Dot product of the first @length cells; an odd last cell is not part of a pair.
 */
static double dot(const union row *u, const union row *v, int length)
{
	pair sum = { 0, 0 };

	for (int k = 0; k < length / 2; k++)
		sum += u->pairs[k] * v->pairs[k];
	if (length & 1)
		sum[0] += u->cells[length - 1] * v->cells[length - 1];
	return sum[0] + sum[1];
}

/* Replace the lower triangle of A by L, where A = L * transposed L. */
static void factor(void (*report)(const char *name, const double *value))
{
	for (int i = 0; i < N; i++) {
		for (int j = 0; j < i; j++)
			a[i].cells[j] = (a[i].cells[j] - dot(&a[i], &a[j], j)) /
					a[j].cells[j];
		a[i].cells[i] = square_root(a[i].cells[i] -
					    dot(&a[i], &a[i], i));
		if (i % 8 == 7)
			report("pivot", &a[i].cells[i]);
	}
}

static void substitute(void)
{
	for (int i = 0; i < N; i++)
		x.cells[i] = (x.cells[i] - dot(&a[i], &x, i)) / a[i].cells[i];
	for (int i = N - 1; i >= 0; i--) {
		x.cells[i] /= a[i].cells[i];
		for (int j = 0; j < i; j++)
			x.cells[j] -= a[i].cells[j] * x.cells[i];
	}
}

void solve(void (*report)(const char *name, const double *value))
{
	double norm;

	fill();
	factor(report);
	substitute();
	for (int i = 0; i < N; i += 8)
		report("x", &x.cells[i]);
	norm = square_root(dot(&x, &x, N));
	report("norm", &norm);
}
