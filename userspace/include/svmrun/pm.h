/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ACPI fixed hardware: power management registers and timer (ACPI 6.4, 4.8) */
#ifndef SVMRUN_PM_H
#define SVMRUN_PM_H

#include <svmrun/line.h>
#include <svmrun/state.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVMRUN_PM_EVENT 0 /* offset of PM1a_EVT_BLK, 4 bytes */
#define SVMRUN_PM_CONTROL 4 /* offset of PM1a_CNT_BLK, 2 bytes */
#define SVMRUN_PM_TIMER 8 /* offset of PM_TMR_BLK, 4 bytes */
#define SVMRUN_PM_PORTS 12

/**
 * struct svmrun_pm - power management
 * @sci: the system control interrupt
 * @sleep: called with SLP_TYP when the guest sets SLP_EN
 * @owner: first argument of @sleep
 * @status: PM1 status register
 * @enable: PM1 enable register
 * @control: PM1 control register without SCI_EN, which always reads as 1
 * @begin: time at which the timer was 0
 * @carry: time at which its highest bit changes next
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
 * svmrun_pm_init() - initialize power management, in ACPI mode
 * @pm: filled in
 * @sci: the system control interrupt
 * @sleep: called with SLP_TYP when the guest sets SLP_EN
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
 * Return: the value.
 */
uint32_t svmrun_pm_read(const struct svmrun_pm *pm, unsigned int offset,
			unsigned int size, uint64_t now);

/**
 * svmrun_pm_write() - write registers
 * @pm: power management
 * @offset: 0 to SVMRUN_PM_PORTS - 1
 * @size: bytes: 1, 2 or 4
 * @value: the value
 * @now: the time
 */
void svmrun_pm_write(struct svmrun_pm *pm, unsigned int offset,
		     unsigned int size, uint32_t value, uint64_t now);

/**
 * svmrun_pm_press_power() - press the power button
 * @pm: power management
 */
void svmrun_pm_press_power(struct svmrun_pm *pm);

/**
 * svmrun_pm_deadline() - get the time of the timer's next interrupt
 * @pm: power management
 *
 * Return: the time at which svmrun_pm_advance() must be called, or SVMRUN_NEVER.
 */
uint64_t svmrun_pm_deadline(const struct svmrun_pm *pm);

/**
 * svmrun_pm_advance() - raise the timer's interrupt if it is due
 * @pm: power management
 * @now: the time
 */
void svmrun_pm_advance(struct svmrun_pm *pm, uint64_t now);

/**
 * svmrun_pm_save() - write the state of power management to a record
 * @pm: power management
 * @state: the records
 *
 * Return: 0 or a negative errno, see svmrun_state_end().
 */
int svmrun_pm_save(const struct svmrun_pm *pm, struct svmrun_state *state);

/**
 * svmrun_pm_load() - read the state of power management from a record
 * @pm: initialized power management; after an error, it must be initialized again
 * @state: the records
 * @now: the time, which is not before that at which the state was saved
 *
 * Return: 0 or a negative errno; -EINVAL: this is no such state; -EOPNOTSUPP: it is of
 * another version.
 */
int svmrun_pm_load(struct svmrun_pm *pm, struct svmrun_state *state,
		   uint64_t now);

#ifdef __cplusplus
}
#endif

#endif /* SVMRUN_PM_H */
