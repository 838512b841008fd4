package Cocaine::Frames;

# The protocol's messages: [channel, type, args, headers?]. Reading any of them, and the pieces that written ones are made of.

use 5.030;
use strict;
use warnings;
use Exporter     qw(import);
use Scalar::Util qw(blessed);

use Cocaine::Failures;
use Cocaine::MessagePack;

our @EXPORT_OK = qw(
    CONTROL WRITE ERROR CLOSE HEARTBEAT TERMINATE FLOW RECALL BARE INVOKE_BYTE NODE_CATEGORY CLIENT_GONE NOT_FOUND TOO_LARGE
    APP_ERROR APP_CATEGORY HEARTBEAT_MESSAGE WRITE_TAIL CLOSE_TAIL
);

use constant {
    CONTROL => 1,                          # the channel of handshake, heartbeat and terminate
    HEARTBEAT => 0, TERMINATE => 1,        # types on it
    FLOW => 2,                             # another: hold the chunks of a channel, or go on
    RECALL => 3,                           # and one more: the node takes calls back
    WRITE => 0, ERROR => 1, CLOSE => 2,    # types on any other; an invoke is the first write
    BARE => [80, 81, 82],                  # the headers of a call without a trace: indexes of the static table

    INVOKE_BYTE => 0x94,                   # that an invoke begins with, and no other of the node's messages

    NODE_CATEGORY => 1000,                 # errors in the framework's name, with these codes
    CLIENT_GONE => 400, NOT_FOUND => 404, TOO_LARGE => 413, APP_ERROR => 502,
    APP_CATEGORY => 42,                    # an app's own, unless it says another

    HEARTBEAT_MESSAGE => "\x93\x01\x00\x90",
    WRITE_TAIL => "\x00\x91",              # after a message's head; the data follows
    CLOSE_TAIL => "\x02\x90",
};

# (channel, type, args, header items or undef, where the next one begins) of the message that the data begins with. Dies when it is none; an
# empty list when it is cut.
sub read_message {
    my ($data) = @_;

    # The usual ones by hand: fixarray of 3, [n, 0, [bytes]] and [n, 2, []].
    if (ord $$data == 0x93 && length $$data > 16) {
        my $code = ord substr $$data, 1, 1;
        my ($number, $at) = $code < 0x80 ? ($code, 2)
            : $code == 0xce ? (unpack('x2 N', $$data), 6)
            : $code == 0xcd ? (unpack('x2 n', $$data), 4)
            : $code == 0xcc ? (unpack('x2 C', $$data), 3) : (0, 0);
        if ($at) {
            my ($type, $array, $form, $small) = unpack "x$at C4", $$data;
            return ($number, CLOSE, [], undef, $at + 2) if $type == CLOSE && $array == 0x90;
            if ($number > 0 && $type == WRITE && $array == 0x91 && ($form == 0xc4 || $form == 0xc5 || $form == 0xc6)) {
                my ($begin, $size) = $form == 0xc4 ? ($at + 4, $small)
                    : $form == 0xc5 ? ($at + 5, unpack 'x' . ($at + 3) . ' n', $$data)
                    : ($at + 7, unpack 'x' . ($at + 3) . ' N', $$data);
                return if $begin + $size > length $$data;
                return ($number, WRITE, [substr $$data, $begin, $size], undef, $begin + $size);
            }
        }
    }
    return _read_any($data);
}

sub _read_any {
    my ($data) = @_;
    my ($message, $end) = Cocaine::MessagePack::decode($data, 0) or return;
    die "a message is an array of three or four\n" if ref $message ne 'ARRAY' || @$message < 3;
    my ($number, $type, $args, $items) = @$message;
    if (!_is_count($number) || $number < 1 || !_is_count($type) || ref $args ne 'ARRAY') {
        die "a message of the wrong form\n";
    }
    return ($number, $type, $args, ref $items eq 'ARRAY' ? $items : undef, $end);
}

sub _is_count { return defined $_[0] && !ref $_[0] && $_[0] =~ /^[0-9]+\z/ }

# How long the data must be before reading it again can help: so that a long message is not begun anew for each piece of it.
sub bytes_needed {
    my ($data) = @_;
    if ($$data =~ /^\x93(?:[\x00-\x7f]|\xcc.|\xcd..|\xce....|\xcf.{8})\x00\x91(?:\xc5(..)|\xc6(....))/s) {
        return $+[0] + (defined $1 ? unpack 'n', $1 : unpack 'N', $2);
    }
    return 1 + length $$data;
}

# The first message. The uuid goes as bin, which tells the node that we read bin; the map says what we can do.
sub handshake {
    my ($uuid, $has_page) = @_;
    my $offer = $has_page ? "\x82\xa4flow\x01\xa5begin\x01" : "\x81\xa4flow\x01";
    return head(CONTROL) . "\x00\x92" . Cocaine::MessagePack::binary_head(length $uuid) . $uuid . $offer;
}

# [1, 2, [n, 1 or 0]]: hold the chunks of the channel with that head, or go on.
sub flow_message { return "\x93\x01\x02\x92" . substr($_[0], 1) . ($_[1] ? "\x01" : "\x00") }

# Whether arguments are those of such a message.
sub is_flow {
    my ($args) = @_;
    return @$args == 2 && _is_number($args->[0]) && _is_number($args->[1]) && $args->[1] <= 1;
}

# Whether arguments are those of a recall.
sub is_recall {
    my ($args) = @_;
    return @$args == 2 && _is_number($args->[0]) && _is_number($args->[1]);
}

# A count that did not come as text: of a text and a number this operator makes a number, of two texts a text.
sub _is_number {
    no feature 'bitwise';
    no warnings 'numeric';
    return _is_count($_[0]) && length('' & $_[0]);
}

# Of a write, with these bytes.
sub data_tail { return WRITE_TAIL . Cocaine::MessagePack::binary_head(length $_[0]) . $_[0] }

# The first bytes of every message on a channel.
sub head { return "\x93" . Cocaine::MessagePack::integer($_[0]) }

sub error_tail {
    my ($category, $code, $reason) = @_;
    $reason = Cocaine::Failures::cut($reason);
    my $size = length $reason;
    return "\x01\x92\x92" . Cocaine::MessagePack::integer($category) . Cocaine::MessagePack::integer($code)
        . ($size < 32 ? chr(0xa0 | $size) : pack('Cn', 0xda, $size)) . $reason;
}

# Of a handler that died: its failure goes to the log, and without what is not the callers' into the message.
sub failure_tail {
    my ($failure) = @_;
    Cocaine::Failures::show($failure);
    my $is_long = blessed $failure && UNIVERSAL::isa($failure, 'Cocaine::ChunkTooLong');
    return error_tail(NODE_CATEGORY, $is_long ? TOO_LARGE : APP_ERROR, Cocaine::Failures::text_of($failure));
}

1;
