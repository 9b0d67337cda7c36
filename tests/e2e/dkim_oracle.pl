#!/usr/bin/perl
# Verdicts of Mail::DKIM. Arguments: a JSON file, name -> list of records; then messages. One line for each:
# the file, a tab, the results of its signatures from the top, with a comma between.
use strict;
use warnings;
use JSON::PP;
use Mail::DKIM::DNS;
use Mail::DKIM::Verifier;
use Net::DNS::RR;

local $/;
open(my $zone_file, '<:raw', shift @ARGV) or die "zone: $!";
my $zone = decode_json(<$zone_file>);

no warnings 'redefine';
*Mail::DKIM::DNS::query = sub {
    my ($name, $type) = @_;
    my $records = $zone->{ lc $name };
    if (!ref $records) {
        die "$records\n" if $records;
        $@ = 'NXDOMAIN';
        return;
    }
    return map { Net::DNS::RR->new(name => $name, type => 'TXT', txtdata => $_) } @$records;
};
*Mail::DKIM::DNS::query_async = sub {
    my ($name, $type, %p) = @_;
    my @answer = eval { Mail::DKIM::DNS::query($name, $type) };
    my $error = $@;
    return sub {
        die $error if !@answer && $error && $error ne 'NXDOMAIN';
        return $p{Callbacks}{Success} ? $p{Callbacks}{Success}->(@answer) : @answer;
    };
};

for my $path (@ARGV) {
    open(my $f, '<:raw', $path) or die "$path: $!";
    my $message = <$f>;
    my @results = eval {
        my $dkim = Mail::DKIM::Verifier->new;
        $dkim->PRINT($message);
        $dkim->CLOSE;
        my @found = map { $_->result || 'none' } $dkim->signatures;
        @found ? @found : ($dkim->result || 'none');
    };
    @results = ('error') if $@;
    print "$path\t", join(',', @results), "\n";
}
