/* SPDX-License-Identifier: GPL-2.0 */
/* Start of another processor: see start_ap.S */
#ifndef START_AP_H
#define START_AP_H

#include <stdint.h>

#define AP_CODE 0x8000ul

/* Code to copy to AP_CODE, and the CR0, CR3, CR4 and EFER that it loads */
extern char ap_begin[], ap_end[];
extern uint32_t ap_state[4];

/* The guest's function that the processor executes */
void ap_main(void);

#endif /* START_AP_H */
