/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Results of the interface's functions: 0, or -1 with errno */
#ifndef NVMM_CALL_H
#define NVMM_CALL_H

#include <errno.h>

/* Convert a negative errno. */
static inline int call_return(int ret)
{
	if (ret >= 0)
		return 0;
	errno = -ret;
	return -1;
}

#endif /* NVMM_CALL_H */
