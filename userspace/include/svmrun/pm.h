/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ACPI's fixed hardware: power management registers and timer (ACPI 6.4, 4.8) */
#ifndef SVMRUN_PM_H
#define SVMRUN_PM_H

#include <svmrun/line.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_PM_EVENT 0 /* offsets: PM1a_EVT_BLK, 4 bytes */
#define SVMRUN_PM_CONTROL 4 /* PM1a_CNT_BLK, 2 bytes */
#define SVMRUN_PM_TIMER 8 /* PM_TMR_BLK, 4 bytes */
#define SVMRUN_PM_PORTS 12

/**
 * struct svmrun_pm - power management
 * @sci: its interrupt
 * @sleep: told which state the guest wants
 * @owner: first argument of @sleep
 * @status: PM1 status
 * @enable: PM1 enable
 * @control: PM1 control, but SCI_EN, which is set
 * @begin: when the timer was 0
 * @carry: when its highest bit changes next
 * @reserved: zero
 */
struct svmrun_pm {
	struct svmrun_line sci;
	void (*sleep)(void *owner, unsigned int slp_typ);
	void *owner;
	uint16_t status;
	uint16_t enable;
	uint16_t control;
	uint64_t begin;
	uint64_t carry;
	uint64_t reserved[4];
};

/**
 * svmrun_pm_init() - power management after reset, in ACPI mode, the only one
 * @pm: filled in
 * @sci: its interrupt
 * @sleep: told SLP_TYP when the guest sets SLP_EN
 * @owner: first argument of @sleep
 * @now: the time
 */
void svmrun_pm_init(struct svmrun_pm *pm, struct svmrun_line sci,
		    void (*sleep)(void *owner, unsigned int slp_typ),
		    void *owner, uint64_t now);

/**
 * svmrun_pm_read() - read registers
 * @pm: power management
 * @offset: 0 to SVMRUN_PM_PORTS - 1
 * @size: bytes: 1, 2 or 4
 * @now: the time
 *
 * Return: the registers.
 */
uint32_t svmrun_pm_read(const struct svmrun_pm *pm, unsigned int offset,
			unsigned int size, uint64_t now);

/**
 * svmrun_pm_write() - write registers
 * @pm: power management
 * @offset: 0 to SVMRUN_PM_PORTS - 1
 * @size: bytes: 1, 2 or 4
 * @value: what
 * @now: the time
 */
void svmrun_pm_write(struct svmrun_pm *pm, unsigned int offset,
		     unsigned int size, uint32_t value, uint64_t now);

/**
 * svmrun_pm_press_power() - somebody presses the power button
 * @pm: power management
 */
void svmrun_pm_press_power(struct svmrun_pm *pm);

/**
 * svmrun_pm_deadline() - when the timer interrupts
 * @pm: power management
 *
 * Return: the time, or SVMRUN_NEVER.
 */
uint64_t svmrun_pm_deadline(const struct svmrun_pm *pm);

/**
 * svmrun_pm_advance() - the time has come
 * @pm: power management
 * @now: the time
 */
void svmrun_pm_advance(struct svmrun_pm *pm, uint64_t now);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_PM_H */
