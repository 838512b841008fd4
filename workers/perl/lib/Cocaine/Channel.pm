package Cocaine::Channel;

# One request and its answer. Each side ends once: `closed` is the node's end, `ended` ours; then the number is forgotten.
#
# number, head   the number, and what every message that we write on the channel begins with
# handler, items its handler and its headers as they came
# chunks         of the request, not read yet
# closed         the node has ended its side           ended     we have ended ours
# cancelled      the caller gave up                    started   the handler runs, or has run
# next           the iterator that makes the answer, while it runs

use 5.030;
use strict;
use warnings;
use parent -norequire, 'Cocaine::Call';

use Cocaine::Guard;

sub new {
    my ($class, $number, $head, $handler, $items) = @_;
    return bless {
        number => $number, head => $head, handler => $handler, items => $items, chunks => [], closed => 0, ended => 0, cancelled => 0,
        started => 0, next => undef,
    }, $class;
}

# The whole request; valid when closed.
sub body {
    my ($self) = @_;
    my $chunks = $self->{chunks};
    my $body = @$chunks == 1 ? $chunks->[0] : join '', @$chunks;
    @$chunks = ();
    return $body;
}

sub cancelled {
    my ($self) = @_;
    die Cocaine::Guard::IN_THREAD if $Cocaine::Guard::is_thread;
    Cocaine::Session::take_in() if !$self->{cancelled} && !$self->{ended};
    return $self->{cancelled};
}

# What a handler can ask about the call that it answers. Headers are decoded only when it asks.
package Cocaine::Call;

sub new {
    my ($class, $handler) = @_;
    return bless { handler => $handler, items => [80, 81, 82] }, $class;
}

sub event { return $_[0]{handler}{event} }
sub app   { return $_[0]{handler}{app} }

sub headers {
    my ($self) = @_;
    require Cocaine::Headers;
    return Cocaine::Headers::pairs($self->{items});
}

sub header {
    my ($self, $name) = @_;
    for my $pair ($self->headers) {
        return $pair->[1] if $pair->[0] eq $name;
    }
    return;
}

sub trace_id { return Cocaine::Headers::number($_[0]->header('trace_id')) }

sub cancelled { return 0 }    # a request that came whole and is answered at once

# The two streams that a handler with :Streams gets.
package Cocaine::Request;

sub new {
    my ($class, $channel) = @_;
    return bless { channel => $channel }, $class;
}

sub event     { return $_[0]{channel}->event }
sub app       { return $_[0]{channel}->app }
sub headers   { return $_[0]{channel}->headers }
sub header    { return $_[0]{channel}->header($_[1]) }
sub trace_id  { return $_[0]{channel}->trace_id }
sub cancelled { return $_[0]{channel}->cancelled }

sub read {
    my ($self) = @_;
    die Cocaine::Guard::IN_THREAD if $Cocaine::Guard::is_thread;
    my $channel = $self->{channel};
    while (!@{ $channel->{chunks} }) {
        die Cocaine::Cancelled->new if $channel->{cancelled};
        return if $channel->{closed};
        Cocaine::Session::hear();
    }
    return shift @{ $channel->{chunks} };
}

sub body {
    my ($self) = @_;
    my @chunks;
    while (defined(my $chunk = $self->read)) {
        push @chunks, $chunk;
    }
    return join '', @chunks;
}

package Cocaine::Response;

sub new {
    my ($class, $channel) = @_;
    return bless { channel => $channel }, $class;
}

sub write {
    my ($self, $chunk) = @_;
    die Cocaine::Guard::IN_THREAD if $Cocaine::Guard::is_thread;
    my $channel = $self->{channel};
    die Cocaine::Cancelled->new       if $channel->{cancelled};
    die "the response has ended\n"    if $channel->{ended};
    Cocaine::Session::write_chunk($channel->{head}, $chunk);
    Cocaine::Session::written();
    return;
}

sub error {
    my ($self, $code, $text, $category) = @_;
    die Cocaine::Guard::IN_THREAD if $Cocaine::Guard::is_thread;
    Cocaine::Session::end_with_error($self->{channel}, $category // 42, $code, $text // '');
    Cocaine::Session::flush();
    return;
}

sub close {
    my ($self) = @_;
    die Cocaine::Guard::IN_THREAD if $Cocaine::Guard::is_thread;
    Cocaine::Session::end($self->{channel});
    Cocaine::Session::flush();
    return;
}

# What reading and writing die with when the caller has given up: nobody reads this answer any more.
package Cocaine::Cancelled;

use overload '""' => sub { "the caller gave up\n" }, 'bool' => sub { 1 }, fallback => 1;

sub new { return bless {}, $_[0] }

1;
