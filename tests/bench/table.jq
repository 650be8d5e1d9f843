# SPDX-License-Identifier: GPL-2.0
# build/bench.json -> the table of Documentation/performance.rst
include "format";

def widths: [24, 9, 10, 6, 9, 10, 6];

def padded($n): . + " " * ($n - length) // .;
def behind($n): (" " * ($n - length) // "") + .;

def row: [., widths] | transpose |
	[(.[0] | .[0] as $word | .[1] as $n | $word | padded($n)),
	 (.[1:][] | .[0] as $word | .[1] as $n | $word | behind($n))] |
	join(" ") | sub(" +$"; "");
def rule: [widths[] | "=" * .] | join(" ");

def cells: if . == null then ["", "", ""] else
	.unit as $unit |
	[(.svmrun | measured($unit)),
	 (if .kvm == null then "" else .kvm | measured($unit) end),
	 (if .ratio == null then "" else .ratio | ratio end)]
	end;

. as $all |
rule,
(["", "default", "", "", "off", "", ""] | row),
(["work", "svmrun", "KVM", "ratio", "svmrun", "KVM", "ratio"] | row),
rule,
([map(.work) | to_entries | unique_by(.value) | sort_by(.key)[].value][] as $work |
	[$work] +
	([$all[] | select(.work == $work and .mitigations == "default")][0] | cells) +
	([$all[] | select(.work == $work and .mitigations == "off")][0] | cells) | row),
rule
