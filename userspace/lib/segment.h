/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Segment attributes of a VMCB, as after a load from descriptors of these types */
#ifndef SEGMENT_H
#define SEGMENT_H

#include <linux/svm_vmcb.h>

#define TYPE_LDT	0x2
#define TYPE_BUSY_TSS	0xb
#define TYPE_DATA	0x3 /* writable, accessed */
#define TYPE_CODE	0xb /* readable, accessed */

#define CODE_16		(SVM_SEG_P | SVM_SEG_S | TYPE_CODE)
#define DATA_16		(SVM_SEG_P | SVM_SEG_S | TYPE_DATA)
#define CODE_32		(SVM_SEG_G | SVM_SEG_DB | CODE_16)
#define DATA_32		(SVM_SEG_G | SVM_SEG_DB | DATA_16)
#define CODE_64		(SVM_SEG_G | SVM_SEG_L | CODE_16)
#define LDT		(SVM_SEG_P | TYPE_LDT)
#define BUSY_TSS	(SVM_SEG_P | TYPE_BUSY_TSS)

#endif /* SEGMENT_H */
