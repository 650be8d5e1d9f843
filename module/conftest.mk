# SPDX-License-Identifier: GPL-2.0
# conftest.h: what the kernel's headers declare. It is checked in each build, which
# takes half a second, and changes only when they do.
#	CONFTEST	where conftest.c and conftest.sh are

filechk_conftest = sh $(CONFTEST)/conftest.sh $(CONFTEST)/conftest.c $(CC) \
	$(NOSTDINC_FLAGS) $(LINUXINCLUDE) $(KBUILD_CPPFLAGS) $(KBUILD_CFLAGS) \
	$(KBUILD_CFLAGS_MODULE)

$(obj)/conftest.h: FORCE
	$(call filechk,conftest)
