package Cocaine::Streams;

# The two streams that a handler with :Streams gets of its channel.

use 5.030;
use strict;
use warnings;

use Cocaine::Forks;
use Cocaine::Frames qw(APP_CATEGORY);

sub of { my ($channel) = @_; return (Cocaine::Request->new($channel), Cocaine::Response->new($channel)) }

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
sub span_id   { return $_[0]{channel}->span_id }
sub parent_id { return $_[0]{channel}->parent_id }
sub cancelled { return $_[0]{channel}->cancelled }
sub cancellation { return $_[0]{channel}->cancellation }

# The next chunk, undef at the end. Waits for it.
sub read {
    my ($self) = @_;
    die Cocaine::Forks::IN_THREAD if $Cocaine::Forks::is_thread;
    my $channel = $self->{channel};
    my $channels = $channel->{channels};
    while (!@{ $channel->{chunks} }) {
        die $channel->cancellation if $channel->{is_cancelled};
        return if $channel->{closed};
        $channels->hear;
    }
    return $channels->next_chunk($channel);
}

# All the rest.
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
    die Cocaine::Forks::IN_THREAD if $Cocaine::Forks::is_thread;
    my $channel = $self->{channel};
    $channel->{channels}->hear while $channel->{is_held};    # the caller is slow to take the answer
    die $channel->cancellation        if $channel->{is_cancelled};
    die "the response has ended\n"    if $channel->{ended};
    $channel->{channels}->write($channel, $chunk);
    return;
}

# Ends the answer with an error of the app's own.
sub error {
    my ($self, $code, $text, $category) = @_;
    die Cocaine::Forks::IN_THREAD if $Cocaine::Forks::is_thread;
    my $channels = $self->{channel}{channels};
    $channels->end_with_error($self->{channel}, $category // Cocaine::Streams::APP_CATEGORY, $code, $text // '');
    $channels->{output}->flush;
    return;
}

sub close {
    my ($self) = @_;
    die Cocaine::Forks::IN_THREAD if $Cocaine::Forks::is_thread;
    my $channels = $self->{channel}{channels};
    $channels->end($self->{channel});
    $channels->{output}->flush;
    return;
}

1;
