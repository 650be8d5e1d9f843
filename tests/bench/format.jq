# SPDX-License-Identifier: GPL-2.0
# Number formats

# 1234567 -> 1,234,567
def commas:
	round | tostring |
	[while(length > 0; .[:-3]) | .[-3:]] | reverse | join(",");

# With this number of decimals
def fixed($digits):
	(pow(10; $digits)) as $scale | (. * $scale | round) as $n |
	"\($n / $scale | floor).\(($scale + $n % $scale) | tostring | .[1:])";

# A ratio; small ones need another digit.
def ratio: if . < 0.1 then fixed(3) else fixed(2) end;

def measured($unit): if $unit == "times" then fixed(2) else commas end;
