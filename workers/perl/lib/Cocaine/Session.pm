package Cocaine::Session;

# One worker's conversation with the node: takes messages apart, runs handlers, keeps the heartbeat. A process has one, so its state is in
# this file's variables, which cost less than fields.
#
# Answers are collected in $out and sent together, because a send for each costs more than a small handler does. But an answer must not wait
# for other code that takes long: so a handler has to prove itself. Only after PROVEN quick runs in a row are its answers collected;
# before each step of any other one, everything written so far is sent.

use 5.030;
use strict;
use warnings;
use Errno        qw(EAGAIN EINTR);
use List::Util   qw(min);
use POSIX        ();
use Scalar::Util qw(blessed);
use overload     ();
use Socket       qw(MSG_NOSIGNAL);
use Time::HiRes  qw(clock_gettime CLOCK_MONOTONIC);

use Cocaine::Channel;
use Cocaine::Guard;
use Cocaine::MessagePack;
use Cocaine::Protocol;
use Cocaine::Shapes;

use constant {
    READ_BYTES => 1 << 18,
    BATCH_BYTES => 1 << 18,          # more than this is not collected
    MAX_MESSAGE_BYTES => (64 << 20) + (1 << 16),    # the node's bound for a message, and room for its frame
    QUICK_SECONDS => 0.001,          # answers wait no longer than this for others
    PROVEN => 16,
    BEAT_SECONDS => min(5, ($ENV{COCAINE_HEARTBEAT_MS} || 5000) / 1000),    # the node may want one more often
    SILENCE_SECONDS => 30,           # a node that reads our heartbeats says something within this time
    BROKEN => 70,                    # exit code: the node wrote what it must not
    UNREAD_BYTES => 0x5411,          # SIOCOUTQ: bytes sent and not read yet; see unix(7)
    CONTROL => 1,                    # the channel of handshake, heartbeat and terminate
    WRITE => 0, ERROR => 1, CLOSE => 2,    # types on a channel; an invoke is the first write
    CATEGORY => 1000, NOT_FOUND => 404, APP_ERROR => 502,
};

my ($app, $socket);
my $in   = '';         # what came and was not looked at yet
my $need = 0;          # bytes that $in must have before it holds its first message whole
my $out  = '';         # messages, not sent yet
my $due  = 0;          # when what is written must be sent
my %channels;          # by number: until both sides have ended
my $running = 0;       # channels that we have not ended
my $last = CONTROL;    # the highest channel so far
my @ready;             # channels whose handler may run
my @answering;         # channels whose iterator makes chunks; they take turns
my $draining = 0;
my $next_beat = 0;
my $listened = 0;      # when the node was last listened to from within a handler
my $unanswered;        # since when a heartbeat waits for its answer, and nothing else has come
my $heard = 0;         # something has come since the last beat

sub now { return clock_gettime(CLOCK_MONOTONIC) }

# Until the node says terminate and everything is answered.
sub serve {
    ($app, $socket, my $uuid) = @_;
    $out = "\x93\x01\x00\x91" . Cocaine::MessagePack::binary_head(length $uuid) . $uuid;    # as bin: so we get bin
    while (1) {
        beat(now());
        parse();
        step_answers();
        flush();
        last if $draining && !$running;
        await($next_beat - now()) if !@answering && !@ready && !has_whole_message();
        fetch();
    }
    return;
}

sub has_whole_message { return length $in && length $in >= $need }

# Bytes in and out.

sub fetch {
    Cocaine::Guard::end_child() if Cocaine::Guard::is_child();
    my $count = sysread $socket, $in, READ_BYTES, length $in;
    return $heard = 1 if $count;
    node_gone() if defined $count || !($!{EAGAIN} || $!{EINTR});
    return 0;
}

sub flush {
    Cocaine::Guard::end_writing_child() if $Cocaine::Guard::forked;
    die Cocaine::Guard::IN_THREAD       if $Cocaine::Guard::is_thread;
    while (length $out) {
        my $sent = send $socket, $out, MSG_NOSIGNAL;
        if (defined $sent) {
            substr $out, 0, $sent, '';
        }
        elsif ($!{EAGAIN}) {
            await_room();
        }
        elsif (!$!{EINTR}) {
            node_gone();
        }
    }
    $due = now() + QUICK_SECONDS;
    return;
}

# Reads on meanwhile: were both sides to write only, neither would get on.
sub await_room {
    vec(my $readable = '', fileno $socket, 1) = 1;
    vec(my $writable = '', fileno $socket, 1) = 1;
    select $readable, $writable, undef, BEAT_SECONDS;
    fetch() if vec $readable // '', fileno $socket, 1;
    return;
}

sub await {
    my ($seconds) = @_;
    vec(my $readable = '', fileno $socket, 1) = 1;
    select $readable, undef, undef, $seconds > 0 ? $seconds : 0;
    return;
}

# True when something has come.
sub beat {
    my ($now) = @_;
    return 0 if $now < $next_beat;
    $next_beat = $now + BEAT_SECONDS;

    # First what waits to be read: a handler that took long has read nothing, and an answer may stand behind a long message.
    my $came = fetch();
    my $unread = pack 'i', 0;
    ioctl $socket, UNREAD_BYTES, $unread;
    if (!defined $unanswered || $heard) {
        $unanswered = $now;
        $heard = 0;
    }
    elsif (unpack('i', $unread) > 0) {
        $unanswered = $now;    # it does not read now, so it has nothing to answer
    }
    elsif ($now - $unanswered > SILENCE_SECONDS) {
        leave(1, sprintf 'the node has not answered a heartbeat for %d s', SILENCE_SECONDS);
    }
    $out .= "\x93\x01\x00\x90";
    flush();
    return $came;
}

# Ends at once. Not by an exception: that would pass through a handler that reads its request, and the app could swallow it.
sub leave {
    my ($code, $text) = @_;
    print STDERR "cocaine: $text\n";
    POSIX::_exit($code);
}

sub broken    { return leave(BROKEN, "the node broke the protocol: $_[0]") }
sub node_gone { return POSIX::_exit(0) }    # nobody is left to tell; finishing what runs would be work for nobody

# What comes in.

# Everything that is here. Small whole requests to proven handlers are answered on the way.
sub parse {
    $due = now() + QUICK_SECONDS if $out eq '';
    while (1) {
        run(shift @ready) while @ready;
        return if length $in < $need || $in eq '';
        next if Cocaine::Shapes::burst(\$in, \$out, \$last, \$due);
        step() or return;
        step_answers() if @answering && now() > $due;
    }
}

# One message into channels and queues; runs no handler. False when it is not all here.
sub step {
    my ($number, $type, $args, $items, $end) = eval { Cocaine::Protocol::read_message(\$in) };
    broken($@ =~ s/\s+\z//r) if $@;
    if (!defined $end) {
        broken(sprintf 'a message of more than %d bytes', MAX_MESSAGE_BYTES) if length $in > MAX_MESSAGE_BYTES;
        $need = Cocaine::Protocol::bytes_needed(\$in);
        return 0;
    }
    substr $in, 0, $end, '';
    $need = 0;
    if (my $channel = $channels{$number}) {
        on_channel($channel, $type, $args);
    }
    elsif ($number == CONTROL) {
        on_control($type);
    }
    elsif ($number > $last) {
        broken("a message of type $type on channel $number, which is not open") if $type != WRITE || !is_text($args->[0]);
        $last = $number;
        on_invoke($number, $args->[0], $items);
    }
    elsif ($type > CLOSE) {
        broken("a message of type $type");
    }
    return 1;    # else it is late: for a channel that both sides have ended
}

sub is_text { return defined $_[0] && !ref $_[0] }

sub on_control {
    my ($type) = @_;
    if ($type == 0) {
        undef $unanswered;
    }
    elsif ($type == 1) {
        $draining = 1;
    }
    else {
        broken("a message of type $type on the control channel");
    }
    return;
}

sub on_invoke {
    my ($number, $event, $items) = @_;
    my $handler = $app->find($event);
    my $channel = Cocaine::Channel->new($number, "\x93" . Cocaine::MessagePack::integer($number), $handler, $items);
    $channels{$number} = $channel;
    $running++;
    if (!$handler) {
        end_with_error($channel, CATEGORY, NOT_FOUND, "there is no event '$event' in app '$app->{name}'");
    }
    elsif ($handler->{streams}) {
        push @ready, $channel;
    }
    return;
}

sub on_channel {
    my ($channel, $type, $args) = @_;
    if ($type == WRITE) {
        broken('a chunk without data') if !is_text($args->[0]);
        push @{ $channel->{chunks} }, $args->[0] if !$channel->{ended} && !$channel->{closed};
    }
    elsif ($type == CLOSE) {
        my $again = $channel->{closed};
        $channel->{closed} = 1;
        if ($channel->{ended}) {
            delete $channels{ $channel->{number} };
        }
        elsif (!$again && !$channel->{handler}{streams}) {
            push @ready, $channel;
        }
    }
    elsif ($type == ERROR) {
        $channel->{closed} = 1;
        if ($channel->{ended}) {
            delete $channels{ $channel->{number} };
        }
        else {
            $channel->{cancelled} = 1;    # a handler that runs finds out by itself; one that does not is not started
            end_with_error($channel, CATEGORY, APP_ERROR, 'cancelled') if !$channel->{started};
        }
    }
    else {
        broken("a message of type $type on a channel");
    }
    return;
}

# Takes in what has come, without running anything: a handler runs already.
sub take_in {
    my $now = now();
    my $came = beat($now);
    $came = 1 if fetch();
    while (has_whole_message()) {
        step() or last;
    }
    $listened = now();
    return $came;
}

# The same, but waits for something.
sub hear {
    flush();
    await($next_beat - now()) if !take_in();
    return;
}

# After a chunk of a handler that may take its time: sent at once, and now and then the node is listened to.
sub written {
    flush();
    take_in() if now() > $listened + QUICK_SECONDS;
    return;
}

# Handlers.

# Runs a handler to its end, or to the iterator that it gives.
sub run {
    my ($channel) = @_;
    return if $channel->{ended};    # cancelled before it began
    $channel->{started} = 1;
    my $handler = $channel->{handler};
    flush() if $handler->{streak} < PROVEN;
    my $before = $Cocaine::call;
    $Cocaine::call = $channel;
    my $then = now();
    my @answer;
    my $fine = eval {
        if ($handler->{streams}) {
            Cocaine::Guard::contained($handler->{code}, Cocaine::Request->new($channel), Cocaine::Response->new($channel));
        }
        else {
            @answer = Cocaine::Guard::contained($handler->{code}, $channel->body);
        }
        1;
    };
    my $failure = $@;
    Cocaine::Guard::end_child(!$fine, $failure) if Cocaine::Guard::is_child();
    judge($handler, now() - $then);
    $fine &&= eval { give($channel, @answer); 1 } || do { $failure = $@; 0 };
    end_with_failure($channel, $failure) if !$fine;
    end($channel) if !$channel->{next};
    $Cocaine::call = $before;
    return;
}

# The answer to a request that needed no channel until now.
sub answer_whole {
    my ($number, $head, $handler, @answer) = @_;
    my $channel = Cocaine::Channel->new($number, $head, $handler, [80, 81, 82]);
    @$channel{qw(closed started)} = (1, 1);
    $channels{$number} = $channel;
    $running++;
    eval { give($channel, @answer); 1 } or end_with_failure($channel, $@);
    end($channel) if !$channel->{next};
    return;
}

# The handler of an event, when its answers may be collected.
sub proven {
    my ($event) = @_;
    my $handler = $app->find($event);
    return $handler && $handler->{streak} >= PROVEN && !$handler->{streams} ? $handler : undef;
}

# What a handler gave back: strings, arrays of them, or an iterator.
sub give {
    my ($channel, @answer) = @_;
    if (@answer == 1 && ref $answer[0] eq 'CODE') {
        $channel->{next} = $answer[0];
        push @answering, $channel;
        return;
    }
    write_chunk($channel->{head}, $_) for map { ref $_ eq 'ARRAY' ? @$_ : defined $_ ? $_ : () } @answer;
    return;
}

# Every iterator gets a turn: until it has taken a moment, or given a batch.
sub step_answers {
    for my $channel (splice @answering) {
        $Cocaine::call = $channel;
        my $handler = $channel->{handler};
        my $then = now();
        my $until = $then + QUICK_SECONDS;
        my $more = 1;
        while ($more && !$channel->{cancelled} && !$channel->{ended}) {
            flush() if $handler->{streak} < PROVEN;
            my $chunk;
            my $fine = eval {
                ($chunk) = Cocaine::Guard::contained($channel->{next});
                Cocaine::Guard::end_child() if $Cocaine::Guard::forked;
                write_chunk($channel->{head}, $chunk) if defined $chunk;
                1;
            };
            if (!$fine) {
                end_with_failure($channel, $@);
                last;
            }
            my $now = now();
            judge($handler, $now - $then);
            $then = $now;
            $more = defined $chunk;
            if ($more && ($now > $until || length $out > BATCH_BYTES)) {
                push @answering, $channel;
                last;
            }
        }
        end_with_error($channel, CATEGORY, APP_ERROR, 'cancelled') if $channel->{cancelled};
        end($channel) if !$more;
        undef $channel->{next} if $channel->{ended};
        undef $Cocaine::call;
        flush() if now() > $due || $handler->{streak} < PROVEN;
    }
    return;
}

sub judge {
    my ($handler, $seconds) = @_;
    $handler->{streak} = $seconds > QUICK_SECONDS ? 0 : $handler->{streak} + 1;
    return;
}

# Answers.

sub write_chunk {
    my ($head, $chunk) = @_;
    if (my $type = ref $chunk) {
        die "a chunk is a string, not a $type reference\n" if $type =~ /^[A-Z]+\z/ || !overload::Method($chunk, '""');
        $chunk = "$chunk";
    }
    utf8::encode($chunk) if utf8::is_utf8($chunk);
    $out .= $head . "\x00\x91" . Cocaine::MessagePack::binary_head(length $chunk) . $chunk;
    flush() if length $out > BATCH_BYTES;
    return;
}

# Our one terminal message, unless it has been sent.
sub end            { return finish($_[0], "\x02\x90") }
sub end_with_error { my ($channel, @error) = @_; return finish($channel, Cocaine::Protocol::error_tail(@error)) }

sub end_with_failure {
    my ($channel, $failure) = @_;
    Cocaine::Guard::end_child(1, $failure) if Cocaine::Guard::is_child();
    if ($channel->{cancelled} && blessed $failure && UNIVERSAL::isa($failure, 'Cocaine::Cancelled')) {
        return end_with_error($channel, CATEGORY, APP_ERROR, 'cancelled');
    }
    return finish($channel, Cocaine::Protocol::failure_tail($failure));    # too late for the caller perhaps, not for the log
}

sub finish {
    my ($channel, $tail) = @_;
    return if $channel->{ended};
    $channel->{ended} = 1;
    $channel->{chunks} = [];
    $running--;
    $out .= $channel->{head} . $tail;
    delete $channels{ $channel->{number} } if $channel->{closed};
    return;
}

1;
