# The contract's events in Perl: what a binding must do, see the page on the worker protocol.
use strict;
use warnings;

use Cocaine;

$| = 1;

sub echo { return $_[0] }

sub relay :Streams {
    my ($request, $response) = @_;
    while (defined(my $chunk = $request->read)) {
        $response->write($chunk);
    }
}

sub count {
    my ($count) = @_;
    my $next = 0;
    return sub { return $next < $count ? $next++ : undef };
}

sub raises { die "$_[0]\n" }

sub raises_late {
    my ($text) = @_;
    my $begun = 0;
    return sub { $begun++ ? die "$text\n" : 'first' };
}

sub refuses :Streams {
    my ($request, $response) = @_;
    $response->error(77, 'mine');
}

sub waits :Streams {
    my ($request, $response) = @_;
    $response->write('waiting');
    if (!eval { $request->body; 1 }) {
        my $failure = $@;
        printf STDERR "waits was cancelled by [%d, %d]: %s\n", $failure->category, $failure->code, $failure->reason
            if ref $failure && $failure->isa('Cocaine::Cancelled');
        die $failure;
    }
    $response->write('done');
}

sub sleeps {
    select undef, undef, undef, $_[0] / 1000;
    return 'slept';
}

sub prints {
    print "$_[0]\n";
    print STDERR "$_[0]\n";
    return 'printed';
}

sub headers {
    return join '', map { "$_->[0]=" . unpack('H*', $_->[1]) . "\n" } Cocaine::current()->headers;
}

sub whoami {
    my $call = Cocaine::current();
    return join ' ', $call->app, $Cocaine::uuid, $call->event, $Cocaine::app_version;
}

# What every SDK can: the table of docs/languages.md.

sub body :Streams { my ($request, $response) = @_; $response->write($request->body); return }

sub header { return Cocaine::current()->header($_[0]) // 'none' }

sub ids {
    my $call = Cocaine::current();
    return join ' ', $call->trace_id, $call->span_id, $call->parent_id;
}

sub category :Streams { $_[1]->error(78, 'own category', 43); return }

sub cancelled :Streams {
    my ($request, $response) = @_;
    $response->write('waiting');
    select undef, undef, undef, 0.001 while !Cocaine::current()->cancelled;
    print STDERR "cancelled was seen\n";
}

1;
