/* SPDX-License-Identifier: GPL-2.0 */
/* The value of --cpuid: LEAF[.SUBLEAF]=EAX,EBX,ECX,EDX */
#ifndef CPUID_OPTION_H
#define CPUID_OPTION_H

#include "model/cpuid.h"

/* Return false if the text is malformed. */
bool cpuid_parse(const char *text, struct cpuid_override *override);

#endif /* CPUID_OPTION_H */
