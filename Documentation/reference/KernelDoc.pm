# SPDX-License-Identifier: GPL-2.0
#
# The kernel-doc comments of the public headers, as the kernel's scripts/kernel-doc
# prints them in reStructuredText.
package KernelDoc;

use strict;
use warnings;

# The errors of a call, as the headers list them: -EINVAL: ..., or EMFILE, ENFILE: ...
my $errno = qr/-?\bE[A-Z0-9]{2,}\b/;
our $errnos = qr/$errno(?:, $errno)*(?=:\s)/;

# read_header(SCRIPT, HEADER): the list of what is described in HEADER, in its order.
# Each has: kind (function, struct, enum or doc), name, purpose, declaration (of a
# function; or the lines of a type), members (names and texts of parameters, members or
# constants), and sections (Description, Return and others).
sub read_header
{
	my ($script, $header) = @_;
	my @entries;

	open(my $in, '-|', $script, '-rst', '-sphinx-version', '5.3.0', $header)
		or die "$script: $!\n";
	my @lines = <$in>;
	close($in) or die "$script: failed for $header\n";
	chomp @lines;
	for my $chunk (split_entries(@lines)) {
		push @entries, parse_entry($header, @$chunk);
	}
	return @entries;
}

# An entry begins with the directive that declares it, or the label of a DOC section.
sub split_entries
{
	my @chunks;

	for my $line (@_) {
		push @chunks, []
			if $line =~ /^\.\. (?:c:(?:function|struct|enum|type)::|_.*:$)/;
		push @{$chunks[-1]}, $line if @chunks;
	}
	return @chunks;
}

sub parse_entry
{
	my ($header, $first, @lines) = @_;
	my %entry = (header => $header, sections => {}, members => [],
		     declaration => '', purpose => '');

	if ($first =~ /^\.\. _(.*):$/) {
		my ($name, $purpose) = split / - /, $1, 2;

		@entry{qw(kind name purpose)} = ('doc', $name, $purpose // '');
		shift @lines while @lines && $lines[0] =~ /^(?:\*\*.*\*\*)?$/;
		$entry{sections}{Description} = join "\n", trim(@lines);
		return \%entry;
	}
	$first =~ /^\.\. c:(\w+):: (.*)$/ or die "$header: $first\n";
	$entry{kind} = $1;
	if ($1 eq 'function') {
		$entry{declaration} = $2;
		($entry{name}) = $2 =~ /(\w+) \(/;
	} else {
		($entry{name}) = $2 =~ /(\w+)$/;
	}
	parse_body(\%entry, unindent(@lines));
	return \%entry;
}

# Newer versions of kernel-doc indent what follows the purpose.
sub unindent
{
	my @lines = @_;
	my $inside = 0;

	for my $line (@lines) {
		$inside = 1 if $line =~ s/^\.\. container:: kernelindent$//;
		$line =~ s/^  // if $inside;
	}
	return @lines;
}

sub parse_body
{
	my ($entry, @lines) = @_;
	my $section = 'purpose';
	my %body;

	for my $line (@lines) {
		if ($line =~ /^\*\*([A-Z]\w+)\*\*(?:::)?$/) {
			$section = $1;
			next;
		}
		push @{$body{$section}}, $line;
	}
	$entry->{purpose} = join ' ', map { s/^\s+//r } trim(@{delete $body{purpose}});
	for my $name (keys %body) {
		my @text = trim(@{$body{$name}});

		if ($name =~ /^(?:Parameters|Members|Constants)$/) {
			$entry->{members} = parse_members(@text);
		} elsif ($name eq 'Definition') {
			shift @text while @text && $text[0] =~ /^(?:::)?$/;
			$entry->{declaration} = join "\n", map { s/^  //r } @text;
		} else {
			$entry->{sections}{$name} = join "\n", @text;
		}
	}
}

# ``DECLARATION`` and, indented, its text
sub parse_members
{
	my @members;

	for my $line (@_) {
		if ($line =~ /^``(.*)``$/) {
			push @members, { declaration => $1, text => '',
					 name => variable($1) };
		} elsif ($line =~ /\S/) {
			$members[-1]{text} .= ($line =~ s/^\s+//r) . "\n";
		}
	}
	return \@members;
}

# The name in a declaration of C
sub variable
{
	my ($declaration) = @_;

	return $1 if $declaration =~ /\(\*\s*(\w+)\)/;
	return $1 if $declaration =~ /(\w+)(?:\[.*\])?$/;
	return $declaration;
}

# parameters(DECLARATION): split the parameters of a function
sub parameters
{
	my ($list) = $_[0] =~ /^[^(]*\((.*)\)$/;
	my ($depth, @parameters) = (0, '');

	for my $part (split /([,()])/, $list) {
		$depth += $part eq '(' ? 1 : $part eq ')' ? -1 : 0;
		if ($part eq ',' && !$depth) {
			push @parameters, '';
		} else {
			$parameters[-1] .= $part;
		}
	}
	return map { s/^\s+//r } @parameters;
}

# errors(TEXT): what precedes the first error, the errors as pairs of names and texts,
# and the sentence that follows the last one.
sub errors
{
	my ($text) = @_;
	my ($before, @parts) = split /(?:;?\s+|^)($errnos):\s+/, $text;
	my (@errors, $after);

	while (my ($names, $what) = splice @parts, 0, 2) {
		$what =~ s/[;.]?(?:\s+(?:and|or))?\s*$//;
		if (!@parts) {
			$after = ucfirst $1 if $what =~ s/[;.]\s+(otherwise.*)$//s;
			$after = $1 if $what =~ s/\.\s+(After.*|Further.*)$//s;
		}
		push @errors, [$names, $what];
	}
	return ($before // '', \@errors, $after // '');
}

sub trim
{
	my @lines = @_;

	shift @lines while @lines && $lines[0] !~ /\S/;
	pop @lines while @lines && $lines[-1] !~ /\S/;
	return @lines;
}

1;
