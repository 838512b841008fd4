package Cocaine::Channels;

# The channels that are open: takes the node's messages into them, and ends them. Runs no handler, so it may be called from one.
#
# open       channels by number, until both sides have ended
# running    of them, those that we have not ended
# last       the highest channel so far
# ready      channels whose handler may run
# draining   the node wants us to end
# need       bytes that must be there before the next message is whole
# listened   when the node was last listened to from within a handler

use 5.030;
use strict;
use warnings;
use POSIX        ();
use Scalar::Util qw(blessed);

use Cocaine::Channel;
use Cocaine::Clock;
use Cocaine::Forks;
use Cocaine::Frames qw(CONTROL WRITE ERROR CLOSE HEARTBEAT TERMINATE NODE_CATEGORY NOT_FOUND APP_ERROR CLOSE_TAIL);
use Cocaine::Limits qw(MESSAGE_BYTES QUICK_SECONDS);

use constant BROKEN => 70;    # exit code: the node wrote what it must not

sub new {
    my ($class, $app, $link, $output, $heartbeat) = @_;
    return bless {
        app => $app, link => $link, output => $output, heartbeat => $heartbeat, open => {}, running => 0, last => CONTROL, ready => [],
        draining => 0, need => 0, listened => 0,
    }, $class;
}

sub has_whole_message {
    my ($self) = @_;
    my $length = length $self->{link}{in};
    return $length && $length >= $self->{need};
}

# One message into channels and queues. False when it is not all here.
sub step {
    my ($self) = @_;
    my $in = \$self->{link}{in};
    my ($number, $type, $args, $items, $end) = eval { Cocaine::Frames::read_message($in) };
    broken($@ =~ s/\s+\z//r) if $@;
    if (!defined $end) {
        broken(sprintf 'a message of more than %d bytes', MESSAGE_BYTES) if length $$in > MESSAGE_BYTES;
        $self->{need} = Cocaine::Frames::bytes_needed($in);
        return 0;
    }
    substr $$in, 0, $end, '';
    $self->{need} = 0;
    if (my $channel = $self->{open}{$number}) {
        $self->_on_channel($channel, $type, $args);
    }
    elsif ($number == CONTROL) {
        $self->_on_control($type);
    }
    elsif ($number > $self->{last}) {
        broken("a message of type $type on channel $number, which is not open") if $type != WRITE || !_is_text($args->[0]);
        $self->{last} = $number;
        $self->_on_invoke($number, $args->[0], $items);
    }
    elsif ($type > CLOSE) {
        broken("a message of type $type");
    }
    return 1;    # else it is late: for a channel that both sides have ended
}

sub _is_text { return defined $_[0] && !ref $_[0] }

# Ends at once. Not by an exception: that would pass through a handler that reads its request, and the app could swallow it.
sub broken {
    print STDERR "cocaine: the node broke the protocol: $_[0]\n";
    return POSIX::_exit(BROKEN);
}

sub _on_control {
    my ($self, $type) = @_;
    if ($type == HEARTBEAT) {
        $self->{heartbeat}->answered;
    }
    elsif ($type == TERMINATE) {
        $self->{draining} = 1;
    }
    else {
        broken("a message of type $type on the control channel");
    }
    return;
}

sub _on_invoke {
    my ($self, $number, $event, $items) = @_;
    my $app = $self->{app};
    my $handler = $app->find($event);
    my $channel = $self->add($number, Cocaine::Frames::head($number), $handler, $items);
    if (!$handler) {
        $self->end_with_error($channel, NODE_CATEGORY, NOT_FOUND, "there is no event '$event' in app '$app->{name}'");
    }
    elsif ($handler->{streams}) {
        push @{ $self->{ready} }, $channel;
    }
    return;
}

sub add {
    my ($self, $number, $head, $handler, $items) = @_;
    $self->{running}++;
    return $self->{open}{$number} = Cocaine::Channel->new($self, $number, $head, $handler, $items);
}

sub _on_channel {
    my ($self, $channel, $type, $args) = @_;
    if ($type == WRITE) {
        broken('a chunk without data') if !_is_text($args->[0]);
        if (!$channel->{ended} && !$channel->{closed}) {
            push @{ $channel->{chunks} }, $args->[0];
            $self->{link}{unread} += length $args->[0];
        }
    }
    elsif ($type == CLOSE) {
        my $again = $channel->{closed};
        $channel->{closed} = 1;
        if ($channel->{ended}) {
            delete $self->{open}{ $channel->{number} };
        }
        elsif (!$again && !$channel->{handler}{streams}) {
            push @{ $self->{ready} }, $channel;
        }
    }
    elsif ($type == ERROR) {
        $channel->{closed} = 1;
        if ($channel->{ended}) {
            delete $self->{open}{ $channel->{number} };
        }
        else {
            $channel->{is_cancelled} = 1;    # a handler that runs finds out by itself; one that does not is not started
            $self->end_cancelled($channel) if !$channel->{started};
        }
    }
    else {
        broken("a message of type $type on a channel");
    }
    return;
}

# Of a channel that has some.
sub next_chunk {
    my ($self, $channel) = @_;
    my $chunk = shift @{ $channel->{chunks} };
    $self->{link}{unread} -= length $chunk;
    return $chunk;
}

# The whole request of a channel that is closed.
sub whole {
    my ($self, $channel) = @_;
    my $chunks = $channel->{chunks};
    my $body = @$chunks == 1 ? $chunks->[0] : join '', @$chunks;
    $self->{link}{unread} -= length $body;
    @$chunks = ();
    return $body;
}

# From within a handler.

# What has come, as far as there is room for it. True when there was something.
sub take_in {
    my ($self, $must) = @_;
    my $came = $self->{heartbeat}->beat(Cocaine::Clock::now());
    $came = 1 if $self->{link}->fetch($must);
    while ($self->has_whole_message) {
        $self->step or last;
    }
    $self->{listened} = Cocaine::Clock::now();
    return $came;
}

# The same, but waits for something: the handler wants its request, and there is nothing left of that, however much others have not read.
sub hear {
    my ($self) = @_;
    $self->{output}->flush;
    $self->{link}->await($self->{heartbeat}{next} - Cocaine::Clock::now()) if !$self->take_in(1);
    return;
}

# A chunk of a handler that may take its time: sent at once, and now and then the node is listened to.
sub write {
    my ($self, $channel, $chunk) = @_;
    $self->{output}->chunk($channel->{head}, $chunk);
    $self->{output}->flush;
    $self->take_in if Cocaine::Clock::now() > $self->{listened} + QUICK_SECONDS;
    return;
}

# Our one terminal message, unless it has been sent.
sub end            { return _finish(@_, CLOSE_TAIL) }
sub end_with_error { my ($self, $channel, @error) = @_; return _finish($self, $channel, Cocaine::Frames::error_tail(@error)) }
sub end_cancelled  { return end_with_error(@_, NODE_CATEGORY, APP_ERROR, 'cancelled') }

sub end_with_failure {
    my ($self, $channel, $failure) = @_;
    Cocaine::Forks::end_child(1, $failure) if Cocaine::Forks::is_child();
    return $self->end_cancelled($channel)
        if $channel->{is_cancelled} && blessed $failure && UNIVERSAL::isa($failure, 'Cocaine::Cancelled');
    return _finish($self, $channel, Cocaine::Frames::failure_tail($failure));    # too late for the caller perhaps, not for the log
}

sub _finish {
    my ($self, $channel, $tail) = @_;
    return if $channel->{ended};
    $channel->{ended} = 1;
    $self->whole($channel) if @{ $channel->{chunks} };    # nobody reads them any more
    $self->{running}--;
    $self->{output}{bytes} .= $channel->{head} . $tail;
    delete $self->{open}{ $channel->{number} } if $channel->{closed};
    return;
}

1;
