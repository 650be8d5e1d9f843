# SPDX-License-Identifier: GPL-2.0
# Every entry point; "make help" lists them. All that is built is below build/.

MAKEFLAGS += --no-print-directory
BUILD := $(CURDIR)/build
PREFIX ?= /usr/local
running := $(shell uname -r)
LAB := $(shell tests/vm/kernel default 2>/dev/null)
KVER ?= $(if $(wildcard /lib/modules/$(running)/build/),$(running),$(LAB))
# Installed, or by tests/vm/kernel headers or build
KDIR ?= $(firstword $(wildcard /lib/modules/$(KVER)/build/ \
	$(BUILD)/kernels/$(KVER)/build/) /lib/modules/$(KVER)/build)
MODULE := $(BUILD)/module/$(KVER)

all: module lib cli examples guests

help:
	@echo 'make             the same as make all'
	@echo 'make all         module, library, tool, examples and guests'
	@echo 'make demo        install what is missing, build, run a guest in a nested VM'
	@echo 'make demo HOST=1 the same on this machine, which must have SVM; needs root'
	@echo 'make test        install what is missing, build, run every test;'
	@echo '                 LANE=... selects another of the lanes below'
	@echo 'make style, fuzz, test-all   the same as make test LANE=style, fuzz, all'
	@echo 'make bench       install what is missing, count instructions of svmrun'\''s work'
	@echo '                 and of KVM'\''s -> build/bench.json'
	@echo 'make bench-growth  the same with more and more VMs, regions, memory'
	@echo '                 -> build/growth.json'
	@echo 'make bench-boot  what it takes to start Linux, beside QEMU with KVM'
	@echo '                 -> build/boots.json'
	@echo 'make bench-resume  what it takes to resume Linux from a file, beside them'
	@echo '                 -> build/resumes.json'
	@echo 'make bench-chart both, and draws them -> Documentation/bench.svg, growth.svg'
	@echo 'make module      svmrun.ko            -> build/module/KVER'
	@echo 'make lib         libsvmrun            -> build/lib'
	@echo 'make cli         the tool svmrun      -> build/bin'
	@echo 'make examples    programs to learn from -> build/examples'
	@echo 'make guests      guest images         -> build/guests'
	@echo 'make tests       unit tests, kselftests and helpers'
	@echo 'make fuzzers     fuzzers              -> build/fuzz'
	@echo 'make policy      the field policy -> Documentation/policy.rst'
	@echo 'make picture     the picture of the parts -> Documentation/parts.svg'
	@echo 'make abi         the libraries'\'' binary interfaces -> userspace/*.abi'
	@echo 'make man         manual pages         -> build/man'
	@echo 'make htmldocs    the documents as HTML -> build/html'
	@echo 'make install     headers, library, tool, manual pages, completion for'
	@echo '                 bash, udev rule, module'
	@echo 'make uninstall   takes them away again'
	@echo 'make dkms        the module'\''s sources for DKMS -> /usr/src/svmrun-VERSION'
	@echo 'make deb         Debian packages -> build/deb'
	@echo 'make dist        tarball of the last commit, with checksums -> build/dist'
	@echo 'make clean       removes build/'
	@echo
	@echo 'Lanes, with the time they take on two processors:'
	@tests/lib/lanes help
	@echo
	@echo 'Variables: LANE     lane of make test (default)'
	@echo '           KVER     kernel release of the module ($(KVER))'
	@echo '           PREFIX   where to install ($(PREFIX)); DESTDIR: below this'
	@echo '           CC, CFLAGS, LDFLAGS'
	@echo '           TIME, RUNS, SEED  of make fuzz: seconds for the guided fuzzers,'
	@echo '                    runs and seed in the nested VM (60, 20000, 1)'

# kbuild builds where the sources are, so it gets a tree of links to them.
module:
	@[ -d '$(KDIR)/' ] || { exec >&2; echo "$(KDIR): no kernel headers;" \
		"install the package linux-headers-$(KVER), or give KVER="; exit 1; }
	@mkdir -p $(MODULE)
	@cp -rsf $(CURDIR)/Kbuild $(CURDIR)/module $(CURDIR)/uapi $(MODULE)/
	@find $(MODULE) -xtype l -delete
	MAKE=$(MAKE) tests/vm/kbuild $(KDIR) M=$(MODULE) modules

lib cli examples:
	$(MAKE) -C userspace BUILD=$(BUILD) $@

guests:
	$(MAKE) -C tests/guests BUILD=$(BUILD)

source:
	tests/vm/source

tests: selftests test-modules
	$(MAKE) -C tests/unit BUILD=$(BUILD)
	$(MAKE) -C tests/cli BUILD=$(BUILD)
	$(MAKE) -C tests/gdb BUILD=$(BUILD)
	$(MAKE) -C tests/reboot BUILD=$(BUILD)
	$(MAKE) -C tests/linux BUILD=$(BUILD) KVER=$(KVER)
	$(MAKE) -C tests/nvmm BUILD=$(BUILD)
	$(MAKE) -C tests/clean BUILD=$(BUILD)
	$(MAKE) -C tests/afl BUILD=$(BUILD)
	$(MAKE) -C tests/qemu BUILD=$(BUILD) KVER=$(KVER)

selftests: lib source
	$(MAKE) -C tests/selftests BUILD=$(BUILD)

# Kernel modules that tests load: beside the selftests, or below TESTS
TESTS := $(BUILD)/selftests
test-modules:
	$(MAKE) -C tests/module BUILD=$(BUILD) KVER=$(KVER) KDIR=$(KDIR) \
		INSTALL_PATH=$(TESTS)/svmrun

benches: lib test-modules
	$(MAKE) -C tests/bench BUILD=$(BUILD)

fuzzers: lib guests source
	$(MAKE) -C tests/fuzz BUILD=$(BUILD)

# Documentation/policy.rst is the field policy's tables in words; the check of the
# style says when it is not.
HEADERS := $(wildcard uapi/linux/*.h)
$(BUILD)/policy.rst: tests/style/policy.c $(HEADERS) Makefile
	@mkdir -p $(BUILD)/obj/policy
	sed -n 's/^#define \(SVM_[A-Za-z0-9_]*\)[[:space:]].*/{ "\1", \1 },/p' \
		$(HEADERS) >$(BUILD)/obj/policy/policy_names.h
	$(CC) -std=gnu11 -Wall -Wextra -Werror -Iuapi -I$(BUILD)/obj/policy \
		-o $(BUILD)/obj/policy/policy $<
	{ printf '.. SPDX-License-Identifier: GPL-2.0\n\n'; \
		$(BUILD)/obj/policy/policy; } >$@

policy: $(BUILD)/policy.rst
	cp $< Documentation/policy.rst

# Describe the libraries' names, types and layouts, for the check in make style.
abi: lib
	tests/style/abi write

# Needs the package graphviz.
picture:
	{ echo '<!-- SPDX-License-Identifier: GPL-2.0 -->'; \
		dot -Tsvg Documentation/parts.dot | sed -n '/^<svg/,$$p'; } \
		>Documentation/parts.svg

# A process of its own each, because KVER is known only when the packages are
# there.
demo:
	@HOST=$(HOST) tests/demo

# TIME, RUNS and SEED are for the lane fuzz, TIME for debug as well.
test:
	@TIME=$(TIME) RUNS=$(RUNS) SEED=$(SEED) tests/lib/lanes run $(LANE)

style fuzz:
	@$(MAKE) test LANE=$@

test-all:
	@$(MAKE) test LANE=all

bench:
	@tests/bench/run

bench-growth:
	@tests/bench/run growth

bench-boot:
	@tests/bench/run boots

bench-resume:
	@tests/bench/run resumes

# One after the other, whatever -j says
bench-chart:
	@tests/bench/run
	@tests/bench/run growth
	@tests/bench/chart

# Manual pages of the functions and ioctls, from the headers' kernel-doc
man:
	$(MAKE) -C Documentation BUILD=$(BUILD) KDIR=$(KDIR) man

# Needs Sphinx and mandoc (tests/vm/packages install style).
htmldocs:
	$(MAKE) -C Documentation BUILD=$(BUILD) KDIR=$(KDIR) html

install: module
	$(MAKE) -C userspace BUILD=$(BUILD) PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) install
	$(MAKE) -C Documentation BUILD=$(BUILD) KDIR=$(KDIR) PREFIX=$(PREFIX) \
		DESTDIR=$(DESTDIR) install
	$(MAKE) -C $(KDIR) M=$(MODULE) INSTALL_MOD_PATH=$(DESTDIR) \
		CONFIG_MODULE_SIG_ALL= modules_install
	$(if $(DESTDIR),,depmod $(KVER))

uninstall:
	$(MAKE) -C userspace BUILD=$(BUILD) PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) uninstall
	$(MAKE) -C Documentation BUILD=$(BUILD) KDIR=$(KDIR) PREFIX=$(PREFIX) \
		DESTDIR=$(DESTDIR) uninstall
	rm -f $(wildcard $(DESTDIR)/lib/modules/$(KVER)/*/svmrun.ko)
	$(if $(DESTDIR),,depmod $(KVER))

# The module's sources where DKMS finds them: "dkms install svmrun/VERSION" builds them.
VERSION = $(shell userspace/packaging/version)
DKMS = $(DESTDIR)/usr/src/svmrun-$(VERSION)
dkms:
	install -d $(DKMS)/module $(DKMS)/uapi/linux
	install -m 644 Kbuild $(DKMS)
	install -m 644 $(wildcard module/*) $(DKMS)/module
	install -m 644 $(wildcard uapi/linux/*) $(DKMS)/uapi/linux
	sed 's/@VERSION@/$(VERSION)/' userspace/packaging/dkms.conf.in >$(DKMS)/dkms.conf

deb:
	userspace/packaging/deb

# The release as it is committed, with checksums
TARBALL = svmrun-$(VERSION).tar.gz
dist:
	@mkdir -p $(BUILD)/dist
	git archive --format=tar --prefix=svmrun-$(VERSION)/ HEAD | \
		gzip -n >$(BUILD)/dist/$(TARBALL)
	cd $(BUILD)/dist && sha256sum $(TARBALL) >$(TARBALL).sha256

clean:
	rm -rf $(BUILD)

.PHONY: abi all help module lib cli examples guests source tests selftests \
	test-modules benches fuzzers demo test style fuzz test-all \
	bench bench-growth bench-boot bench-resume bench-chart policy picture man htmldocs install \
	uninstall dkms deb dist clean
