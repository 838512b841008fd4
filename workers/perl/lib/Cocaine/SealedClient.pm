package Cocaine::SealedClient;

# A client whose calls are sealed: one connection to a native-server or native-sink, one call at a time.
#
#     use Cocaine::SealedClient;
#     my $client = Cocaine::SealedClient->new('tcp://node:9100', app => 'shop', key => 'billing.pem', node_key => 'node.pub');
#     print $client->call('invoice', '5 pieces');
#
# Errors of the node and of apps are objects with category, code, text and is_sealed; all others are texts.
# Other clients can seal with Cocaine::Sealing, which has no sockets.

use 5.030;
use strict;
use warnings;
use IO::Select;
use IO::Socket::IP;
use IO::Socket::UNIX;
use Socket qw(IPPROTO_TCP TCP_NODELAY);

use Cocaine::Frames qw(WRITE ERROR CLOSE WRITE_TAIL CLOSE_TAIL);
use Cocaine::Limits qw(MESSAGE_BYTES READ_BYTES);
use Cocaine::MessagePack;
use Cocaine::SealedClient::Error;
use Cocaine::Sealing;

use constant { UNAUTHENTICATED => 401, WAIT_SECONDS => 30 };

# An endpoint tcp://HOST:PORT or ipc:///path; files of keys; timeout: the longest silence of the node, seconds.
sub new {
    my ($class, $endpoint, %settings) = @_;
    my $timeout = $settings{timeout} // WAIT_SECONDS;
    my $sealer = Cocaine::Sealing->new(@settings{qw(app key node_key)});
    my $socket = _connect($endpoint, $timeout);
    $socket->blocking(0);
    return bless {
        sealer => $sealer, socket => $socket, select => IO::Select->new($socket), timeout => $timeout, received => '', channel => 0,
    }, $class;
}

sub close { return $_[0]->{socket}->close }

# Calls an event; the whole answer. Wishes: request_timeout and silence_timeout in ms, retry_limit, urgent.
sub call {
    my ($self, $event, $request, %wishes) = @_;
    my $answer = '';
    $self->stream($event, [$request // ''], sub { $answer .= $_[0] }, %wishes);
    return $answer;
}

# Calls an event with a request of several chunks; gives the chunks of the answer to a function, one after the other.
sub stream {
    my ($self, $event, $chunks, $take, %wishes) = @_;
    my ($seal, $call) = $self->{sealer}->begin($event, %wishes);
    my $head = Cocaine::Frames::head(++$self->{channel});
    my @wishes = grep { defined $wishes{$_} } sort keys %wishes;
    my $message = "\x94" . substr($head, 1) . WRITE_TAIL . Cocaine::MessagePack::encode("$event") . chr(0x91 + @wishes)
        . join('', map { _header($_, pack 'q<', $wishes{$_}) } @wishes) . _header('seal', $seal);
    my @left = @$chunks ? @$chunks : '';
    while (@left) {
        my $record = $call->seal(shift @left, !@left);
        $message .= $head . WRITE_TAIL . Cocaine::MessagePack::binary_head(length $record) . $record;
    }
    $self->_send($message . $head . CLOSE_TAIL);
    return $self->_answer($call, $take);
}

# [false, name, value]
sub _header { return "\x93\xc2" . Cocaine::MessagePack::encode("$_[0]") . Cocaine::MessagePack::binary_head(length $_[1]) . $_[1] }

sub _answer {
    my ($self, $call, $take) = @_;
    for (;;) {
        my ($channel, $kind, $args) = $self->_read;
        next if $channel != $self->{channel};    # of a call that was given up
        if ($kind == WRITE) {
            my $chunk = $call->open($args->[0]);
            $take->($chunk) if defined $chunk;
        } elsif ($call->{error}) {
            die Cocaine::SealedClient::Error->new(@{ $call->{error} }, 1);
        } elsif ($kind == ERROR) {
            my ($category, $code) = @{ $args->[0] };
            $self->{sealer}->forget($call) if $call->{opens} || $code == UNAUTHENTICATED;
            die Cocaine::SealedClient::Error->new($category, $code, $args->[1], 0);
        } elsif ($kind == CLOSE) {
            die "the answer was cut: the record that ends it did not come\n" if !$call->{ended};
            return;
        }
    }
}

# Sends, and takes what comes meanwhile: a node whose answers nobody reads stops reading, too.
sub _send {
    my ($self, $data) = @_;
    my $at = 0;
    local $SIG{PIPE} = 'IGNORE';
    while ($at < length $data) {
        my ($readable, $writable) = IO::Select->select($self->{select}, $self->{select}, undef, $self->{timeout})
            or die "the node takes nothing more\n";
        $self->_receive if @$readable;
        if (@$writable) {
            my $sent = $self->{socket}->syswrite($data, READ_BYTES, $at);
            die "the connection is broken: $!\n" if !defined $sent && !$!{EAGAIN} && !$!{EINTR};
            $at += $sent // 0;
        }
    }
    return;
}

sub _read {
    my ($self) = @_;
    my $need = 1;
    for (;;) {
        if (length $self->{received} >= $need) {
            my ($channel, $kind, $args, undef, $end) = Cocaine::Frames::read_message(\$self->{received});
            if (defined $end) {
                substr $self->{received}, 0, $end, '';
                return ($channel, $kind, $args);
            }
            $need = Cocaine::Frames::bytes_needed(\$self->{received});
            die "the node's message is too long\n" if $need > MESSAGE_BYTES;
        }
        $self->{select}->can_read($self->{timeout}) or die "the node is silent\n";
        $self->_receive;
    }
}

sub _receive {
    my ($self) = @_;
    my $count = $self->{socket}->sysread($self->{received}, READ_BYTES, length $self->{received});
    return if !defined $count && ($!{EAGAIN} || $!{EINTR});
    die "the node has closed the connection\n" if !$count;
    return;
}

sub _connect {
    my ($endpoint, $timeout) = @_;
    if ($endpoint =~ m{^ipc://(.+)\z}) {
        return IO::Socket::UNIX->new(Peer => $1, Timeout => $timeout) // die "$endpoint: $!\n";
    }
    my ($host, $port) = $endpoint =~ m{^tcp://\[?(.+?)\]?:(\d+)\z}
        or die "expected tcp://HOST:PORT or ipc:///path, found '$endpoint'\n";
    my $socket = IO::Socket::IP->new(PeerHost => $host, PeerPort => $port, Timeout => $timeout) // die "$endpoint: $@\n";
    $socket->setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
    return $socket;
}

1;
