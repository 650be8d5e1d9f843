#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Prints conftest.h, the features of the kernel's headers:
#	conftest.sh conftest.c COMPILER [FLAG]...
# Fails if the compiler does, or if an error is not in one of the probes; with one line if
# the kernel lacks what the module needs.

probes=$1
shift
messages=$(LC_ALL=C "$@" -fsyntax-only "$probes" 2>&1)
status=$?
echo "$messages" | awk -v probes="$probes" -v status="$status" '
	function written(name) {
		return name ~ /^config_/ ? toupper(name) : name
	}
	FILENAME == probes && match($0, /(have|need)_[a-z0-9_]+\(/) {
		probe = substr($0, RSTART, RLENGTH - 1)
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
			if (missing[order[i]] && sub(/^need_/, "", order[i]))
				lacks = lacks ", " written(order[i])
		if (lacks) {
			print "svmrun: this kernel lacks " substr(lacks, 3) \
				", which the module needs" >"/dev/stderr"
			exit 2
		}
		for (i = 1; i <= count; i++)
			if (!missing[order[i]] && order[i] ~ /^have_/)
				print "#define " toupper(order[i])
	}' "$probes" - && exit
[ $? = 2 ] || echo "$messages" >&2
exit 1
