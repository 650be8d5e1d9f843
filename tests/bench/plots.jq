# SPDX-License-Identifier: GPL-2.0
# build/growth.json -> Documentation/growth.svg: growth of cost with the number of
# objects, in one plot each; both axes are logarithmic.
include "format";

def left: 90;
def inset: 36; # of the first and the last point
def width: 610;
def height: 170; # of a plot; pitch is the distance between plots
def pitch: 250;
def titles: {
	"create": "create a VM, to its first exit: by VMs that are there already",
	"exit": "OUT exit to the program and back: by regions of the VM",
	"fault": "fault on a page of 4 KiB, one in each 2 MiB: by MiB of the VM"
};
def colour: { "svmrun": "#b3441e", "kvm": "#4a6a8a" };

def text($x; $y; $anchor):
	"<text x=\"\($x)\" y=\"\($y)\" text-anchor=\"\($anchor)\">\(.)</text>";

# Position of a value between two others, on a logarithmic axis: 0 to 1
def place($low; $high):
	((. | log) - ($low | log)) / (($high | log) - ($low | log));

# A plot's points -> ends of its axes
def axes:
	(map(.x) | { x0: min, x1: max }) +
	(map(.svmrun, .kvm // empty) |
		{ y0: pow(10; min | log10 | floor), y1: pow(10; max | log10 | ceil) });

def at_x($axes): left + inset + (width - 2 * inset) * place($axes.x0; $axes.x1);
def at_y($axes; $y): $y + height * (1 - place($axes.y0; $axes.y1));

def line($engine; $axes; $y):
	[.[] | select(.[$engine] != null) |
		{ x: (.x | at_x($axes)), y: (.[$engine] | at_y($axes; $y)),
		  value: .[$engine] }] |
	"<polyline fill=\"none\" stroke-width=\"2\" stroke=\"\(colour[$engine])\"",
	" points=\"\(map("\(.x),\(.y)") | join(" "))\"/>",
	(.[] | "<circle cx=\"\(.x)\" cy=\"\(.y)\" r=\"3\" fill=\"\(colour[$engine])\"/>",
		(.x as $x | .y as $y | .value | commas | text($x; $y - 8; "middle"))),
	(last as $p | (if $engine == "kvm" then "KVM" else $engine end) |
		text(left + width + 6; $p.y + 4; "start"));

def grid($axes; $y):
	($axes | range(.y0 | log10 | round; (.y1 | log10 | round) + 1)) as $power |
	pow(10; $power) as $value | ($value | at_y($axes; $y)) as $at |
	"<path d=\"M\(left) \($at)h\(width)\" stroke=\"#ddd\"/>",
	($value | commas | text(left - 8; $at + 4; "end"));

def plot($y):
	axes as $axes |
	(titles[.[0].plot] | text(left; $y - 22; "start")),
	grid($axes; $y),
	(.[] | (.x | at_x($axes)) as $x | .x | commas |
		text($x; $y + height + 18; "middle")),
	line("kvm"; $axes; $y), line("svmrun"; $axes; $y);

[map(.plot) | to_entries | unique_by(.value) | sort_by(.key)[].value] as $plots |
. as $all | ($plots | length * pitch) as $bottom |
"<!-- SPDX-License-Identifier: GPL-2.0 -->",
"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"800\" height=\"\($bottom)\"",
" viewBox=\"0 0 800 \($bottom)\" font-family=\"sans-serif\" font-size=\"12\"",
" fill=\"#222\">",
"<rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"#fbfaf8\"/>",
($plots | to_entries[] | .key as $i | .value as $name |
	[$all[] | select(.plot == $name)] | plot(48 + $i * pitch)),
"</svg>"
