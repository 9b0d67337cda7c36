#!/usr/bin/perl
# Address lists, in hexadecimal one a line, read by Email::Address::XS: "ok|malformed PHRASE,USER,HOST;..." a line.
use strict;
use warnings;
use Email::Address::XS;

$| = 1;
binmode STDIN;
while (my $line = <STDIN>) {
	chomp $line;
	my $value = pack("H*", $line);
	my @all = Email::Address::XS->parse($value);
	my $valid = !grep { !$_->is_valid } @all;
	my @parts = map {
		my $a = $_;
		join(",", map { defined $_ ? unpack("H*", $_) : "" } $a->phrase, $a->user, $a->host)
	} @all;
	print(($valid ? "ok" : "malformed"), @parts ? " " : "", join(";", @parts), "\n");
}
