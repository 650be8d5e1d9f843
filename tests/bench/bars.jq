# SPDX-License-Identifier: GPL-2.0
# build/bench.json -> Documentation/bench.svg: svmrun relative to KVM, one bar per work
# and boot
include "format";

def left: 190;
def full: 400; # length for KVM
def top: 64;
def height: 15; # of a bar
def colour: { "default": "#b3441e", "off": "#e0a15a" };

def text($x; $y; $anchor):
	"<text x=\"\($x)\" y=\"\($y)\" text-anchor=\"\($anchor)\">\(.)</text>";

def bar($y):
	"<rect x=\"\(left)\" y=\"\($y)\" height=\"\(height - 2)\"",
	" width=\"\([.ratio * full, 1] | max)\" fill=\"\(colour[.mitigations])\"/>",
	("\(.ratio | ratio) (\(.svmrun | commas) : \(.kvm | commas))" |
		text(left + full + 12; $y + 11; "start"));

# The bars of one work, one per boot, below one another
def group($y):
	length as $bars |
	(.[0].work + (if .[0].unit == "KiB" then " *" else "" end) |
		text(left - 8; $y + 4 + $bars * height / 2; "end")),
	(to_entries[] | .key as $i | .value | bar($y + $i * height));

def legend($x; $mitigations; $words):
	"<rect x=\"\($x)\" y=\"30\" width=\"13\" height=\"13\"",
	" fill=\"\(colour[$mitigations])\"/>",
	($words | text($x + 18; 41; "start"));

def line($part; $bottom; $colour; $words): (left + $part * full) as $x |
	"<path d=\"M\($x) \(top - 2)V\($bottom)\" stroke=\"\($colour)\"/>",
	($words | text($x; 58; "middle"));

[.[] | select(.kvm != null and (.unit == "instructions" or .unit == "KiB"))] |
[map(.work) | to_entries | unique_by(.value) | sort_by(.key)[].value] as $works |
. as $all | (height * 2 + 8) as $step |
(top + $step * ($works | length)) as $bottom |
"<!-- SPDX-License-Identifier: GPL-2.0 -->",
"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"840\" height=\"\($bottom + 36)\"",
" viewBox=\"0 0 840 \($bottom + 36)\" font-family=\"sans-serif\" font-size=\"12\"",
" fill=\"#222\">",
"<rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"#fbfaf8\"/>",
("svmrun relative to KVM; instructions (* KiB), svmrun : KVM" |
	text(left; 20; "start")),
legend(left; "default"; "mitigations by default"),
legend(left + 180; "off"; "mitigations=off"),
line(1; $bottom; "#888"; "KVM"),
(0.25, 0.5, 0.75 | line(.; $bottom; "#ddd"; tostring)),
line(0; $bottom; "#888"; "0"),
($works | to_entries[] | .key as $i | .value as $work |
	[$all[] | select(.work == $work)] | group(top + $i * $step)),
("measured by make bench-chart, in the nested VM" |
	text(left; $bottom + 22; "start")),
"</svg>"
