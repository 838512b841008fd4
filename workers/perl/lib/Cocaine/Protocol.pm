package Cocaine::Protocol;

# The protocol's messages: [channel, type, args, headers?]. Reading any of them, and the pieces that written ones are made of.

use 5.030;
use strict;
use warnings;

use Cocaine::Failure;
use Cocaine::MessagePack;

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
            return ($number, 2, [], undef, $at + 2) if $type == 2 && $array == 0x90;
            if ($number > 0 && $type == 0 && $array == 0x91 && ($form == 0xc4 || $form == 0xc5 || $form == 0xc6)) {
                my ($begin, $size) = $form == 0xc4 ? ($at + 4, $small)
                    : $form == 0xc5 ? ($at + 5, unpack 'x' . ($at + 3) . ' n', $$data)
                    : ($at + 7, unpack 'x' . ($at + 3) . ' N', $$data);
                return if $begin + $size > length $$data;
                return ($number, 0, [substr $$data, $begin, $size], undef, $begin + $size);
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

sub error_tail {
    my ($category, $code, $reason) = @_;
    $reason = substr $reason, 0, Cocaine::Failure::MOST_CHARACTERS if length $reason > Cocaine::Failure::MOST_CHARACTERS;
    utf8::encode($reason) if utf8::is_utf8($reason);
    my $size = length $reason;
    return "\x01\x92\x92" . Cocaine::MessagePack::integer($category) . Cocaine::MessagePack::integer($code)
        . ($size < 32 ? chr(0xa0 | $size) : $size < 0x10000 ? pack('Cn', 0xda, $size) : pack('CN', 0xdb, $size)) . $reason;
}

# What a handler died with, for the caller and for the log.
sub failure_tail {
    my ($failure) = @_;
    Cocaine::Failure::show($failure);
    return error_tail(1000, 502, Cocaine::Failure::text_of($failure));
}

1;
