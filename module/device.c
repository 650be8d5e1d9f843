// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/svmrun and the file descriptors of VMs and vCPUs: the boundary to the program.
 * Arguments are copied and checked here; the other files take kernel types only.
 */
#include "device.h"

#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/svmrun.h>
#include <linux/uaccess.h>

#include "dirty.h"
#include "processor.h"
#include "run.h"
#include "stats.h"
#include "vcpu.h"
#include "vm.h"

/* Large enough for the argument of any call. */
union argument {
	struct {
		u32 size;
		u32 flags;
	};
	struct svmrun_info info;
	struct svmrun_create_vm create_vm;
	struct svmrun_map map;
	struct svmrun_unmap unmap;
	struct svmrun_create_vcpu create_vcpu;
	struct svmrun_protect protect;
	struct svmrun_dirty dirty;
	struct svmrun_vm_info vm_info;
};

/**
 * struct call - an ioctl
 * @cmd: its number
 * @size: size of its argument in bytes, 0 if it has none
 * @min_size: size of its argument in the first version of the call
 * @flags: flags that it supports
 * @handler: called with a copy of the argument; returns what ioctl() returns
 */
struct call {
	unsigned int cmd;
	u32 size;
	u32 min_size;
	u32 flags;
	long (*handler)(struct file *file, union argument *argument);
};

#define CALL(number, type, last, known, function)                              \
	{                                                                      \
		.cmd = number, .size = sizeof(struct type),                    \
		.min_size = offsetofend(struct type, last), .flags = known,    \
		.handler = function                                            \
	}
#define CALL_PLAIN(number, function)                                           \
	{                                                                      \
		.cmd = number, .handler = function                             \
	}

/* Compare everything except the argument's size, which may grow. */
static bool call_matches(const struct call *call, unsigned int cmd)
{
	const unsigned int size_bits = _IOC_SIZEMASK << _IOC_SIZESHIFT;

	return call->size ? (call->cmd & ~size_bits) == (cmd & ~size_bits) :
			    call->cmd == cmd;
}

static int copy_argument(const struct call *call, union argument *argument,
			 void __user *user)
{
	u32 size;
	int err;

	if (get_user(size, (u32 __user *)user))
		return -EFAULT;
	if (size < call->min_size)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	err = copy_struct_from_user(argument, call->size, user, size);
	if (err)
		return err;
	/* It was read twice. */
	argument->size = size;
	return argument->flags & ~call->flags ? -EINVAL : 0;
}

static long call_with_argument(const struct call *call, struct file *file,
			       void __user *user)
{
	union argument argument = {};
	long ret;

	ret = copy_argument(call, &argument, user);
	if (ret)
		return ret;
	ret = call->handler(file, &argument);
	if (ret < 0 || !(_IOC_DIR(call->cmd) & _IOC_READ))
		return ret;
	if (copy_to_user(user, &argument, min(argument.size, call->size)))
		return -EFAULT;
	return ret;
}

static long dispatch_call(const struct call *calls, size_t count,
			  struct file *file, unsigned int cmd,
			  unsigned long user)
{
	const struct call *call;

	for (call = calls; call < calls + count; call++) {
		if (!call_matches(call, cmd))
			continue;
		if (call->size)
			return call_with_argument(call, file,
						  (void __user *)user);
		return user ? -EINVAL : call->handler(file, NULL);
	}
	return -ENOTTY;
}

/* ---- vCPU -------------------------------------------------------------- */

static long vcpu_file_run(struct file *file, union argument *unused)
{
	struct vcpu *vcpu = file->private_data;
	long ret;

	if (!vm_is_current(vcpu->vm))
		return -EIO;
	if (!vcpu_attach(vcpu))
		return -EBUSY;
	ret = vcpu_run(vcpu);
	vcpu_detach(vcpu);
	return ret;
}

static long vcpu_file_kick(struct file *file, union argument *unused)
{
	vcpu_kick(file->private_data);
	return 0;
}

static const struct call vcpu_calls[] = {
	CALL_PLAIN(SVMRUN_RUN, vcpu_file_run),
	CALL_PLAIN(SVMRUN_KICK, vcpu_file_kick),
};

static long vcpu_file_ioctl(struct file *file, unsigned int cmd,
			    unsigned long user)
{
	/* RUN is by far the most frequent call: no search, and no indirect call. */
	if (cmd == SVMRUN_RUN && !user)
		return vcpu_file_run(file, NULL);
	return dispatch_call(vcpu_calls, ARRAY_SIZE(vcpu_calls), file, cmd,
			     user);
}

static int vcpu_file_mmap(struct file *file, struct vm_area_struct *vma)
{
	return vcpu_mmap(file->private_data, vma);
}

static int vcpu_file_release(struct inode *inode, struct file *file)
{
	vcpu_destroy(file->private_data);
	return 0;
}

static void vcpu_file_show(struct seq_file *seq, struct file *file)
{
	stats_show_vcpu(seq, file->private_data);
}

static const struct file_operations vcpu_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = vcpu_file_ioctl,
	.mmap = vcpu_file_mmap,
	.release = vcpu_file_release,
	.show_fdinfo = vcpu_file_show,
	.llseek = noop_llseek,
};

/* ---- VM ---------------------------------------------------------------- */

static long check_range(const struct vm *vm, u64 gpa, u64 length)
{
	u64 end;

	if (!vm_is_current(vm))
		return -EIO;
	if (!length || !PAGE_ALIGNED(gpa) || !PAGE_ALIGNED(length))
		return -EINVAL;
	if (check_add_overflow(gpa, length, &end) ||
	    end > 1ull << processor_gpa_bits())
		return -ERANGE;
	return 0;
}

/* The range must be in user address space; there need be no memory. */
static long check_hva(u64 hva, u64 length)
{
	if (!PAGE_ALIGNED(hva) || length > TASK_SIZE ||
	    hva > TASK_SIZE - length)
		return -EINVAL;
	return 0;
}

static unsigned int map_rights(u32 flags)
{
	unsigned int rights = 0;

	if (flags & SVMRUN_MAP_WRITE)
		rights |= NPT_WRITE;
	if (flags & SVMRUN_MAP_EXEC)
		rights |= NPT_EXEC;
	return rights;
}

static long vm_file_map(struct file *file, union argument *argument)
{
	const struct svmrun_map *map = &argument->map;
	struct vm *vm = file->private_data;
	long err = check_range(vm, map->gpa, map->length);

	if (!err)
		err = check_hva(map->hva, map->length);
	if (!err && !(map->flags & SVMRUN_MAP_READ))
		err = -EINVAL;
	if (err)
		return err;
	return memory_map(&vm->memory, map->gpa, map->hva, map->length,
			  map_rights(map->flags),
			  map->flags & SVMRUN_MAP_LOG_DIRTY);
}

static long vm_file_unmap(struct file *file, union argument *argument)
{
	const struct svmrun_unmap *unmap = &argument->unmap;
	struct vm *vm = file->private_data;
	long err = check_range(vm, unmap->gpa, unmap->length);

	return err ? err : memory_unmap(&vm->memory, unmap->gpa, unmap->length);
}

static long vm_file_protect(struct file *file, union argument *argument)
{
	const struct svmrun_protect *protect = &argument->protect;
	struct vm *vm = file->private_data;
	long err = check_range(vm, protect->gpa, protect->length);

	if (!err && !(protect->flags & SVMRUN_MAP_READ))
		err = -EINVAL;
	if (err)
		return err;
	return memory_protect(&vm->memory, protect->gpa, protect->length,
			      map_rights(protect->flags));
}

/* Bytes of guest memory for one page of bits */
#define DIRTY_PIECE (PAGE_SIZE * BITS_PER_BYTE * PAGE_SIZE)

/* Size of the bitmap for a range of guest memory */
static size_t log_size(u64 length)
{
	return DIV_ROUND_UP(length >> PAGE_SHIFT, 64) * sizeof(u64);
}

static long fetch_piece(struct memory *memory, u64 gpa, u64 length, u64 *bits,
			bool clear, void __user *bitmap)
{
	size_t size = log_size(length);
	long err;

	memset(bits, 0, size);
	err = dirty_fetch(memory, gpa, length, bits, clear);
	if (!err && copy_to_user(bitmap, bits, size)) {
		dirty_mark(memory, gpa, length, bits);
		err = -EFAULT;
	}
	return err;
}

static long vm_file_dirty(struct file *file, union argument *argument)
{
	const struct svmrun_dirty *dirty = &argument->dirty;
	struct vm *vm = file->private_data;
	long err = check_range(vm, dirty->gpa, dirty->length);
	u64 at, length, *bits;

	if (err)
		return err;
	bits = kmalloc(log_size(min_t(u64, dirty->length, DIRTY_PIECE)),
		       GFP_KERNEL_ACCOUNT);
	if (!bits)
		return -ENOMEM;
	for (at = 0; !err && at < dirty->length; at += length) {
		length = min_t(u64, dirty->length - at, DIRTY_PIECE);
		err = fetch_piece(&vm->memory, dirty->gpa + at, length, bits,
				  dirty->flags & SVMRUN_DIRTY_CLEAR,
				  u64_to_user_ptr(dirty->bitmap) +
					  (at >> PAGE_SHIFT) / BITS_PER_BYTE);
	}
	kfree(bits);
	return err;
}

static long vm_file_info(struct file *file, union argument *argument)
{
	vm_info(file->private_data, &argument->vm_info);
	return 0;
}

static long vm_file_create_vcpu(struct file *file, union argument *argument)
{
	struct vm *vm = file->private_data;
	struct vcpu *vcpu;
	int fd;

	if (!vm_is_current(vm))
		return -EIO;
	vcpu = vcpu_create(vm);
	if (IS_ERR(vcpu))
		return PTR_ERR(vcpu);
	fd = anon_inode_getfd("[svmrun-vcpu]", &vcpu_fops, vcpu,
			      O_RDWR | O_CLOEXEC);
	if (fd < 0)
		vcpu_destroy(vcpu);
	return fd;
}

#define MAP_RIGHTS (SVMRUN_MAP_READ | SVMRUN_MAP_WRITE | SVMRUN_MAP_EXEC)

static const struct call vm_calls[] = {
	CALL(SVMRUN_MAP, svmrun_map, length, MAP_RIGHTS | SVMRUN_MAP_LOG_DIRTY,
	     vm_file_map),
	CALL(SVMRUN_UNMAP, svmrun_unmap, length, 0, vm_file_unmap),
	CALL(SVMRUN_CREATE_VCPU, svmrun_create_vcpu, flags, 0,
	     vm_file_create_vcpu),
	CALL(SVMRUN_PROTECT, svmrun_protect, length, MAP_RIGHTS,
	     vm_file_protect),
	CALL(SVMRUN_DIRTY, svmrun_dirty, bitmap, SVMRUN_DIRTY_CLEAR,
	     vm_file_dirty),
	CALL(SVMRUN_VM_INFO, svmrun_vm_info, out_pages_1g, 0, vm_file_info),
};

static long vm_file_ioctl(struct file *file, unsigned int cmd,
			  unsigned long user)
{
	return dispatch_call(vm_calls, ARRAY_SIZE(vm_calls), file, cmd, user);
}

static int vm_file_release(struct inode *inode, struct file *file)
{
	vm_put(file->private_data);
	return 0;
}

static void vm_file_show(struct seq_file *seq, struct file *file)
{
	stats_show_vm(seq, file->private_data);
}

static const struct file_operations vm_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = vm_file_ioctl,
	.release = vm_file_release,
	.show_fdinfo = vm_file_show,
	.llseek = noop_llseek,
};

/* ---- device ------------------------------------------------------------ */

static long device_file_info(struct file *file, union argument *argument)
{
	struct svmrun_info *info = &argument->info;

	info->out_api_version = SVMRUN_API_VERSION;
	processor_info(info);
	info->out_vcpu_size = vcpu_size();
	info->out_xsave_size = fpu_area_size();
	info->out_xcr0 = fpu_xcr0();
	info->out_max_vcpus = VM_MAX_VCPUS;
	info->out_max_regions = MEMORY_MAX_REGIONS;
	return 0;
}

static long device_file_create_vm(struct file *file, union argument *argument)
{
	struct vm *vm = vm_create();
	int fd;

	if (IS_ERR(vm))
		return PTR_ERR(vm);
	fd = anon_inode_getfd("[svmrun-vm]", &vm_fops, vm, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		vm_put(vm);
	return fd;
}

static const struct call device_calls[] = {
	CALL(SVMRUN_INFO, svmrun_info, out_max_regions, 0, device_file_info),
	CALL(SVMRUN_CREATE_VM, svmrun_create_vm, flags, 0,
	     device_file_create_vm),
};

static long device_file_ioctl(struct file *file, unsigned int cmd,
			      unsigned long user)
{
	return dispatch_call(device_calls, ARRAY_SIZE(device_calls), file, cmd,
			     user);
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = device_file_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "svmrun",
	.fops = &device_fops,
	.mode = 0660,
};

/**
 * device_init() - create /dev/svmrun; programs can open it from here on
 *
 * Return: 0 or a negative errno.
 */
int device_init(void)
{
	return misc_register(&device);
}

/**
 * device_exit() - remove /dev/svmrun; no file is open
 */
void device_exit(void)
{
	misc_deregister(&device);
}
