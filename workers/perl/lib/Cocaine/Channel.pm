package Cocaine::Channel;

# One request and its answer. Each side ends once: `closed` is the node's end, `ended` ours; then the number is forgotten.
#
# channels       the table that it stands in
# number, head   the number, and what every message that we write on the channel begins with
# handler, items its handler and its headers as they came
# chunks         of the request, not read yet
# unread         bytes in them, of a stream            holds     the node was asked to hold its chunks
# begun          the node takes it back no more
# closed         the node has ended its side           ended     we have ended ours
# is_cancelled   the caller gave up                    started   the handler runs, or has run
# given_up       the category, code and reason of the caller's error; valid when it is cancelled
# is_held        the node has asked to hold our chunks is_parked its iterator has no turns until the node lets it go
# next           the iterator that makes the answer, while it runs

use 5.030;
use strict;
use warnings;
use parent 'Cocaine::Call';

use Cocaine::Cancelled;
use Cocaine::Forks;

sub new {
    my ($class, $channels, $number, $head, $handler, $items) = @_;
    return bless {
        channels => $channels, number => $number, head => $head, handler => $handler, items => $items, chunks => [], unread => 0,
        holds => 0, closed => 0, ended => 0, is_cancelled => 0, begun => 0, started => 0, is_held => 0, is_parked => 0,
    }, $class;
}

# What says that the caller gave up, with the caller's error; undef before that.
sub cancellation {
    my ($self) = @_;
    return $self->{is_cancelled} ? Cocaine::Cancelled->new(@{ $self->{given_up} }) : undef;
}

# Looks whether the caller has given up meanwhile.
sub cancelled {
    my ($self) = @_;
    die Cocaine::Forks::IN_THREAD if $Cocaine::Forks::is_thread;
    $self->{channels}->take_in if !$self->{is_cancelled} && !$self->{ended};
    return $self->{is_cancelled};
}

1;
