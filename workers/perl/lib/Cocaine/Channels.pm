package Cocaine::Channels;

# The channels that are open: takes the node's messages into them, and ends them. Runs no handler, so it may be called from one.
#
# open       channels by number, until both sides have ended
# running    of them, those that we have not ended
# last       the highest channel so far
# gate       lets them begin
# ready      channels whose handler may run once they may begin
# answering  channels whose iterator makes chunks; they take turns
# has_flow   the node has flow control of one channel
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
use Cocaine::Frames qw(CONTROL WRITE ERROR CLOSE HEARTBEAT TERMINATE FLOW RECALL NODE_CATEGORY APP_ERROR CLOSE_TAIL);
use Cocaine::Limits qw(GO_ON_BYTES HEARTBEAT_SECONDS HOLD_BYTES LISTEN_BYTES MESSAGE_BYTES QUICK_SECONDS);

use constant BROKEN => 70;    # exit code: the node wrote what it must not

sub new {
    my ($class, $app, $link, $output, $heartbeat, $gate) = @_;
    return bless {
        app => $app, link => $link, gate => $gate, output => $output, heartbeat => $heartbeat, open => {}, running => 0, last => CONTROL,
        ready => [], answering => [], has_flow => 0, draining => 0, need => 0, listened => 0,
    }, $class;
}

sub has_whole_message {
    my ($self) = @_;
    my $length = length $self->{link}{in};
    return $length && $length >= $self->{need};
}

# The next message: its channel, type, arguments and headers. Nothing when it is not all here.
sub _take_message {
    my ($self) = @_;
    my $in = \$self->{link}{in};
    my ($number, $type, $args, $items, $end) = eval { Cocaine::Frames::read_message($in) };
    broken($@ =~ s/\s+\z//r) if $@;
    if (!defined $end) {
        broken(sprintf 'a message of more than %d bytes', MESSAGE_BYTES) if length $$in > MESSAGE_BYTES;
        $self->{need} = Cocaine::Frames::bytes_needed($in);
        return;
    }
    substr $$in, 0, $end, '';
    $self->{need} = 0;
    return ($number, $type, $args, $items);
}

# Waits for the handshake's answer, [1, 0, [{…}]], which comes before all else and says what the node can do.
sub greet {
    my ($self) = @_;
    my $link = $self->{link};
    my @message;
    while (!$self->has_whole_message || !(@message = $self->_take_message)) {
        $link->await(HEARTBEAT_SECONDS);
        $link->fetch(1);
    }
    my ($number, $type, $args) = @message;
    if ($number != CONTROL || $type != HEARTBEAT || @$args != 1 || ref $args->[0] ne 'HASH') {
        broken("the handshake's answer is a message of type $type on channel $number");
    }
    $self->{has_flow} = ($args->[0]{flow} // 0) eq 1;
    $self->{gate}->open(($args->[0]{begin} // 0) eq 1);
    $link->{most} = 9**9**9 if $self->{has_flow};    # no bound: each channel has one
    return;
}

# One message into channels and queues. False when it is not all here.
sub step {
    my ($self) = @_;
    my ($number, $type, $args, $items) = $self->_take_message or return 0;
    if (my $channel = $self->{open}{$number}) {
        $self->_on_channel($channel, $type, $args);
    }
    elsif ($number == CONTROL) {
        $self->_on_control($type, $args);
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

# The category, code and reason of an error's arguments; nothing when they are of another form.
sub _error_of {
    my ($args) = @_;
    return [] if @$args != 2 || ref $args->[0] ne 'ARRAY' || @{ $args->[0] } != 2 || !_is_text($args->[1]);
    return [] if grep { !_is_text($_) || !/^-?[0-9]+\z/ } @{ $args->[0] };
    return [@{ $args->[0] }, $args->[1]];
}

sub _is_text { return defined $_[0] && !ref $_[0] }

# Ends at once. Not by an exception: that would pass through a handler that reads its request, and the app could swallow it.
sub broken {
    print STDERR "cocaine: the node broke the protocol: $_[0]\n";
    return POSIX::_exit(BROKEN);
}

sub _on_control {
    my ($self, $type, $args) = @_;
    if ($type == HEARTBEAT) {
        $self->{heartbeat}->answered;
    }
    elsif ($type == TERMINATE) {
        $self->{draining} = 1;
    }
    elsif ($type == FLOW && $self->{has_flow} && Cocaine::Frames::is_flow($args)) {
        my ($number, $holds) = @$args;
        my $channel = $self->{open}{$number};
        if ($channel && !$channel->{ended} && !$channel->{is_cancelled}) {
            $holds ? $channel->{is_held} = 1 : $self->_let_go($channel);
        }
    }
    elsif ($type == RECALL && $self->{gate}{is_kept} && Cocaine::Frames::is_recall($args)) {
        $self->{gate}->recalled($args->[0]);
        $self->_void($args->[1]);
    }
    else {
        broken("a message of type $type on the control channel");
    }
    return;
}

# The node has taken back what has not begun from this channel on: it was never here.
sub _void {
    my ($self, $from) = @_;
    for my $channel (grep { $_->{number} >= $from && !$_->{begun} } values %{ $self->{open} }) {
        delete $self->{open}{ $channel->{number} };
        next if $channel->{ended};
        $channel->{ended} = 1;
        $self->whole($channel) if @{ $channel->{chunks} };
        $self->{running}--;
    }
    @{ $self->{ready} } = grep { !$_->{ended} } @{ $self->{ready} };
    return;
}

# Its writer goes on: the node has said so, or it finds out why it cannot.
sub _let_go {
    my ($self, $channel) = @_;
    $channel->{is_held} = 0;
    push @{ $self->{answering} }, $channel if $channel->{is_parked};
    $channel->{is_parked} = 0;
    return;
}

# Asks the node to hold the chunks of a channel, or to go on.
sub _ask {
    my ($self, $channel, $holds) = @_;
    $channel->{holds} = $holds;
    $self->{output}{bytes} .= Cocaine::Frames::flow_message($channel->{head}, $holds);
    $self->{output}->flush;
    return;
}

sub _on_invoke {
    my ($self, $number, $event, $items) = @_;
    my $handler = $self->{app}->find($event) // $self->{app}->missing($event);
    my $channel = $self->add($number, Cocaine::Frames::head($number), $handler, $items);
    push @{ $self->{ready} }, $channel if $handler->{streams};
    return;
}

sub add {
    my ($self, $number, $head, $handler, $items) = @_;
    $self->{running}++;
    return $self->{open}{$number} = Cocaine::Channel->new($self, $number, $head, $handler, $items);
}

# It runs from here on, whatever the node takes back.
sub begin {
    my ($self, $channel) = @_;
    $channel->{begun} = 1;
    $self->{gate}{under_way}++;
    return;
}

sub _on_channel {
    my ($self, $channel, $type, $args) = @_;
    if ($type == WRITE) {
        broken('a chunk without data') if !_is_text($args->[0]);
        if (!$channel->{ended} && !$channel->{closed}) {
            push @{ $channel->{chunks} }, $args->[0];
            $self->{link}{unread} += length $args->[0];
            if ($channel->{handler}{streams}) {
                $channel->{unread} += length $args->[0];
                $self->_ask($channel, 1) if $channel->{unread} > HOLD_BYTES && !$channel->{holds} && $self->{has_flow};
            }
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
            $channel->{is_cancelled} = 1;
            $channel->{given_up} = _error_of($args);
            $self->_let_go($channel);        # a handler that runs finds out by itself; one that does not is not started
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
    $channel->{unread} -= length $chunk;
    $self->_ask($channel, 0) if $channel->{holds} && $channel->{unread} < GO_ON_BYTES && !$channel->{closed};
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

# What has come, as far as there is room for it. True when there was something: bytes that came now, or messages that stood in the buffer.
sub take_in {
    my ($self, $must) = @_;
    my $came = $self->{heartbeat}->beat(Cocaine::Clock::now());
    $came = 1 if $self->{link}->fetch($must);
    while ($self->has_whole_message) {
        $self->step or last;
        $came = 1;
    }
    $self->{listened} = Cocaine::Clock::now();
    $self->{output}{unheard} = 0;
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
    $self->take_in if $self->{output}{unheard} > LISTEN_BYTES || Cocaine::Clock::now() > $self->{listened} + QUICK_SECONDS;
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
    $self->{gate}{under_way}-- if $channel->{begun};
    $self->{output}{bytes} .= $channel->{head} . $tail;
    delete $self->{open}{ $channel->{number} } if $channel->{closed};
    return;
}

1;
