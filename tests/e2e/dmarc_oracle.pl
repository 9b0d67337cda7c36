#!/usr/bin/perl
# Verdicts of Mail::DMARC. Arguments: address and port of a name server, the public suffix list. Each line of input is a
# JSON object {from, spf: [domain, result], dkim: [[domain, result], ...]}; each of output {result, disposition}.
use strict;
use warnings;
use JSON::PP;
use Mail::DMARC::PurePerl;
use Net::DNS::Resolver;

my ($address, $port, $list) = @ARGV;
my $resolver = Net::DNS::Resolver->new(nameservers => [$address], port => $port, recurse => 0, dnsrch => 0, defnames => 0);
$resolver->udp_timeout(5);
$SIG{__WARN__} = sub { };
while (my $line = <STDIN>) {
    my $case = decode_json($line);
    my $out = eval {
        my $dmarc = Mail::DMARC::PurePerl->new;
        $dmarc->config->{dns}{public_suffix_list} = $list;
        $dmarc->config->{report_store}{auto_save} = 0;
        $dmarc->set_resolver($resolver);
        $dmarc->source_ip('192.0.2.1');
        $dmarc->envelope_to('receiver.com');
        $dmarc->envelope_from($case->{spf}[0]);
        $dmarc->header_from($case->{from});
        $dmarc->dkim([map { { domain => $_->[0], selector => 's', result => $_->[1], human_result => '' } } @{ $case->{dkim} }]);
        $dmarc->spf({ domain => $case->{spf}[0], scope => 'mfrom', result => $case->{spf}[1] });
        my $result = $dmarc->validate;
        my $applied = eval { $result->published } ? 1 : 0;
        { result => $result->result, disposition => $result->disposition, published => $applied,
          reason => join(' ', map { $_->comment || $_->type } @{ $result->reason || [] }) };
    };
    $out ||= { result => 'error', reason => "$@" };
    print JSON::PP->new->canonical->encode($out), "\n";
}
