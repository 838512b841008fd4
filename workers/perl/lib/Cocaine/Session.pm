package Cocaine::Session;

# One worker's conversation with the node: runs the handlers of what comes, and keeps the heartbeat.

use 5.030;
use strict;
use warnings;

use Cocaine;
use Cocaine::Begin;
use Cocaine::Channels;
use Cocaine::Clock;
use Cocaine::Exits;
use Cocaine::Forks;
use Cocaine::Frames qw(BARE INVOKE_BYTE);
use Cocaine::Heartbeat;
use Cocaine::Limits qw(LISTEN_BYTES PROVEN_RUNS QUICK_SECONDS);
use Cocaine::Output;
use Cocaine::Bursts;
use Cocaine::Streams;

sub new {
    my ($class, $app, $link, $page) = @_;
    my $output = Cocaine::Output->new($link);
    my $heartbeat = Cocaine::Heartbeat->new($link, $output);
    my $gate = Cocaine::Begin->new($page);
    my $channels = Cocaine::Channels->new($app, $link, $output, $heartbeat, $gate);
    my $self = bless { link => $link, output => $output, heartbeat => $heartbeat, channels => $channels, gate => $gate }, $class;
    $self->{bursts} = Cocaine::Bursts->new($channels, sub { $self->_begin_iterator(@_) });
    return $self;
}

# Until the node says terminate and everything is answered.
sub serve {
    my ($self, $uuid) = @_;
    my ($link, $output, $heartbeat, $channels) = @$self{qw(link output heartbeat channels)};
    $output->{bytes} = Cocaine::Frames::handshake($uuid, defined $self->{gate}{page});
    $output->flush;
    $channels->greet;
    while (1) {
        $heartbeat->beat(Cocaine::Clock::now());
        $self->_parse;
        $self->_step_answers;
        $output->flush;
        last if $channels->{draining} && !$channels->{running};
        $link->await($heartbeat->{next} - Cocaine::Clock::now())
            if !@{ $channels->{answering} } && !$self->_can_begin && !$channels->has_whole_message;
        $link->fetch(1);
        $output->{unheard} = 0;
    }
    delete $self->{bursts};    # it holds this object
    return;
}

# A call waits and may begin, as it seems.
sub _can_begin {
    my ($self) = @_;
    return @{ $self->{channels}{ready} } && $self->{gate}->room > 0;
}

# Everything that is here. Small whole requests to proven handlers are answered on the way.
sub _parse {
    my ($self) = @_;
    my ($link, $output, $channels, $bursts) = @$self{qw(link output channels bursts)};
    my ($ready, $in) = ($channels->{ready}, \$link->{in});
    $output->{due} = Cocaine::Clock::now() + QUICK_SECONDS if $output->{bytes} eq '';
    while (1) {
        $self->_run_ready;
        return if length $$in < $channels->{need} || $$in eq '';
        next if !@$ready && ord $$in == INVOKE_BYTE && $bursts->burst;
        $channels->step or return;
        $self->_step_answers if @{ $self->{channels}{answering} } && Cocaine::Clock::now() > $output->{due};
    }
}

# Those that wait, as far as they may begin: in their order.
sub _run_ready {
    my ($self) = @_;
    my $ready = $self->{channels}{ready};
    while (@$ready) {
        if (!$ready->[0]{ended}) {
            return if $self->{gate}->room <= 0 || !$self->{gate}->begin($ready->[0]{number});
            $self->{channels}->begin($ready->[0]);
        }
        $self->_run(shift @$ready);
    }
    return;
}

# Runs a handler to its end, or to the iterator that it gives.
sub _run {
    my ($self, $channel) = @_;
    return if $channel->{ended};    # cancelled before it began
    my $channels = $self->{channels};
    $channel->{started} = 1;
    my $handler = $channel->{handler};
    $self->{output}->flush if $handler->{streak} < PROVEN_RUNS;
    my $before = $Cocaine::call;
    $Cocaine::call = $channel;
    my $then = Cocaine::Clock::now();
    my @answer;
    my $fine = eval {
        if ($handler->{streams}) {
            Cocaine::Exits::contained($handler->{code}, Cocaine::Streams::of($channel));
        }
        else {
            @answer = Cocaine::Exits::contained($handler->{code}, $channels->whole($channel));
        }
        1;
    };
    my $failure = $@;
    Cocaine::Forks::end_child(!$fine, $failure) if Cocaine::Forks::is_child();
    _judge($handler, Cocaine::Clock::now() - $then);
    $fine &&= eval { $self->_give($channel, @answer); 1 } || do { $failure = $@; 0 };
    $channels->end_with_failure($channel, $failure) if !$fine;
    $channels->end($channel) if !$channel->{next};
    $Cocaine::call = $before;
    return;
}

# The iterator that answers a request which needed no channel until now.
sub _begin_iterator {
    my ($self, $number, $head, $handler, $next) = @_;
    my $channel = $self->{channels}->add($number, $head, $handler, BARE);
    $self->{channels}->begin($channel);
    @$channel{qw(closed started next)} = (1, 1, $next);
    push @{ $self->{channels}{answering} }, $channel;
    return;
}

# What a handler gave back: strings, arrays of them, or an iterator.
sub _give {
    my ($self, $channel, @answer) = @_;
    my $next = @answer == 1 && ref $answer[0] eq 'CODE' ? $answer[0] : Cocaine::Output::parted(\@answer);
    if ($next) {
        $channel->{next} = $next;
        push @{ $self->{channels}{answering} }, $channel;
        return;
    }
    $self->{output}->chunks($channel->{head}, \@answer);
    return;
}

# Every iterator gets a turn.
sub _step_answers {
    my ($self) = @_;
    my ($output, $channels) = @$self{qw(output channels)};
    for my $channel (splice @{ $self->{channels}{answering} }) {
        $Cocaine::call = $channel;
        my $is_over = $self->_iterate($channel);
        $channels->end_cancelled($channel) if $channel->{is_cancelled};
        $channels->end($channel) if $is_over;
        undef $channel->{next} if $channel->{ended};
        undef $Cocaine::call;
        $output->flush if Cocaine::Clock::now() > $output->{due} || $channel->{handler}{streak} < PROVEN_RUNS;
    }
    return;
}

# Until the iterator has taken a moment, or given much, or the node holds its channel, or it ends: then it is true.
sub _iterate {
    my ($self, $channel) = @_;
    my $output = $self->{output};
    my $handler = $channel->{handler};
    my $then = Cocaine::Clock::now();
    my $until = $then + QUICK_SECONDS;
    while (!$channel->{is_cancelled} && !$channel->{ended} && !$channel->{is_held}) {
        $output->flush if $handler->{streak} < PROVEN_RUNS;
        my $chunk;
        my $fine = eval {
            ($chunk) = Cocaine::Exits::contained($channel->{next});
            Cocaine::Forks::end_child() if $Cocaine::Forks::forked;
            $output->chunk($channel->{head}, $chunk) if defined $chunk;
            1;
        };
        if (!$fine) {
            $self->{channels}->end_with_failure($channel, $@);
            return 0;
        }
        my $now = Cocaine::Clock::now();
        _judge($handler, $now - $then);
        $then = $now;
        return 1 if !defined $chunk;
        last if $now > $until || $channel->{is_held} || length $output->{bytes} > LISTEN_BYTES || $output->{unheard} > LISTEN_BYTES;
    }
    return 0 if $channel->{is_cancelled} || $channel->{ended};
    if ($channel->{is_held}) {
        $channel->{is_parked} = 1;
    }
    else {
        push @{ $self->{channels}{answering} }, $channel;
    }
    return 0;
}

sub _judge {
    my ($handler, $seconds) = @_;
    $handler->{streak} = $seconds > QUICK_SECONDS ? 0 : $handler->{streak} + 1;
    return;
}

1;
