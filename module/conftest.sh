#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Prints conftest.h, the features of the kernel's headers:
#	conftest.sh conftest.c COMPILER [FLAG]...
# Fails if the compiler does, or if an error is not in one of the probes.

probes=$1
shift
messages=$(LC_ALL=C "$@" -fsyntax-only "$probes" 2>&1)
status=$?
echo "$messages" | awk -v probes="$probes" -v status="$status" '
	FILENAME == probes && match($0, /have_[a-z_]+\(/) {
		probe = toupper(substr($0, RSTART, RLENGTH - 1))
		order[++count] = probe
	}
	FILENAME == probes {
		probe_at[FNR] = probe
		next
	}
	/(^|: )(fatal )?error: / {
		split($0, place, ":")
		if (place[1] != probes || !probe_at[place[2]])
			exit lost = 1
		missing[probe_at[place[2]]] = errors = 1
	}
	END {
		if (lost || (status != 0 && !errors))
			exit 1
		for (i = 1; i <= count; i++)
			if (!missing[order[i]])
				print "#define " order[i]
	}' "$probes" - || {
	echo "$messages" >&2
	exit 1
}
