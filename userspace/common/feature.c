// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>

#include "feature.h"

static const char *const names[32] = {
	[0] = "NP",
	[1] = "LbrVirt",
	[2] = "SVML",
	[3] = "NRIPS",
	[4] = "TscRateMsr",
	[5] = "VmcbClean",
	[6] = "FlushByAsid",
	[7] = "DecodeAssists",
	[8] = "PmcVirt",
	[10] = "PauseFilter",
	[12] = "PauseFilterThreshold",
	[13] = "AVIC",
	[15] = "V_VMSAVE_VMLOAD",
	[16] = "vGIF",
	[17] = "GMET",
	[18] = "x2AVIC",
	[19] = "SSSCheck",
	[20] = "SpecCtrl",
	[21] = "ROGPT",
	[23] = "HOST_MCE_OVERRIDE",
	[24] = "TlbiCtl",
	[25] = "VNMI",
	[26] = "IbsVirt",
	[27] = "ExtLvtAvicAccessChg",
	[28] = "NestedVirtVmcbAddrChk",
	[29] = "BusLockThreshold",
	[30] = "IdleHltIntercept",
};

const char *feature_name(unsigned int bit)
{
	return bit < 32 ? names[bit] : NULL;
}
