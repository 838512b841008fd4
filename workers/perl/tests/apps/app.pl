use strict;
use warnings;
use utf8;
use POSIX qw(floor);    # visible, but no event
use constant SECRET => 'no event either';

use Cocaine;

sub echo    { return $_[0] }
sub text    { return 'grüß' }
sub nothing { return }
sub nil     { return undef }
sub listed  { return ('a', 'b', 'c') }
sub array   { return ['a', 'b'] }
sub hash    { return { a => 1 } }
sub _hidden { return 'hidden' }
*made = sub { return "made $_[0]" };

sub count {
    my ($count) = @_;
    my $next = 0;
    return sub { return $next < $count ? $next++ : undef };
}

sub endless {
    my $guard = Guard->new;
    return sub { return $guard ? 'x' : undef };
}

sub raises { die "text\n" }
sub at_line { die 'where' }
sub objects { die Failure->new }

sub raises_late {
    my $begun = 0;
    return sub { return $begun++ ? die "later\n" : 'first' };
}

sub relay :Streams {
    my ($request, $response) = @_;
    while (defined(my $chunk = $request->read)) {
        $response->write("<$chunk>");
    }
}

sub refuses :Streams { $_[1]->error(77, 'mine'); return }

sub waits :Streams {
    my ($request, $response) = @_;
    $response->write('waiting');
    my $fine = eval { $request->read; 1 };
    print STDERR 'waits: ', ref $@, "\n" if !$fine;
    die $@ if !$fine;
}

sub writes :Streams {
    my ($request, $response) = @_;
    while (1) {
        $response->write('x' x 1000);
    }
}

sub who {
    my $call = Cocaine::current();
    return join ' ', $call->event, $call->app, $Cocaine::uuid, $call->trace_id, map { "$_->[0]=" . unpack 'H*', $_->[1] } $call->headers;
}

if (my $scale = $ENV{CLOCK_SCALE}) {    # a clock that runs so many times faster
    no warnings 'redefine';
    my $clock = \&Cocaine::Clock::now;
    *Cocaine::Clock::now = sub { return $clock->() * $scale };
}

# Writes without reading until SIGHUP, then reads all.
sub deaf :Streams {
    my ($request, $response) = @_;
    my $may_read = 0;
    local $SIG{HUP} = sub { $may_read = 1 };
    while (!$may_read) {
        $response->write('x');
        select undef, undef, undef, 0.002;
    }
    $response->write('read ' . length $request->body);
}

sub prints { print "to stdout\n"; return 'ok' }

package Guard;
sub new { return bless {}, shift }
sub DESTROY { print STDERR "endless was freed\n" }

package Failure;
use overload '""' => sub { 'an object' };
sub new { return bless {}, shift }
