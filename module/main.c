// SPDX-License-Identifier: GPL-2.0
/*
 * svmrun: AMD's VMRUN instruction for ordinary programs.
 */
#include <linux/module.h>

#include "device.h"
#include "fpu.h"
#include "processor.h"
#include "stats.h"
#include "vcpu.h"
#include "world.h"

static int __init svmrun_init(void)
{
	int err;

	err = fpu_init();
	if (err)
		return err;
	err = processor_init();
	if (err)
		return err;
	err = world_init();
	if (err)
		goto err_world;
	err = vcpu_init();
	if (err)
		goto err_vcpu;
	err = device_init();
	if (err)
		goto err_device;
	stats_init();
	return 0;

err_device:
	vcpu_exit();
err_vcpu:
	world_exit();
err_world:
	processor_exit();
	return err;
}

static void __exit svmrun_exit(void)
{
	stats_exit();
	device_exit();
	vcpu_exit();
	world_exit();
	processor_exit();
}

module_init(svmrun_init);
module_exit(svmrun_exit);

MODULE_DESCRIPTION("AMD's VMRUN instruction for ordinary programs");
MODULE_LICENSE("GPL");
