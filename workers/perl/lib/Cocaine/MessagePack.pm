package Cocaine::MessagePack;

# MessagePack for apps, and for the protocol's uncommon messages.
#
#     my $bytes = Cocaine::MessagePack::pack({ a => [1, 2.5, "x"] });
#     my $value = Cocaine::MessagePack::unpack($bytes);
#
# Data::MessagePack does it when it is installed, the code below when not; both give the same. Strings are bytes when read.

use 5.030;
use strict;
use warnings;

use Cocaine::Limits qw(DEPTH);
use Cocaine::MessagePack::Boolean;

# Loaded at the first use: most apps need neither. 0 when it is not there.
my $library;

sub _library {
    return $library //= eval { require Data::MessagePack; Data::MessagePack->new } // 0;
}

sub true  { return _library() ? Data::MessagePack::true()  : Cocaine::MessagePack::Boolean->of(1) }
sub false { return _library() ? Data::MessagePack::false() : Cocaine::MessagePack::Boolean->of(0) }

sub pack {
    my ($value) = @_;
    my $codec = _library();
    return $codec ? $codec->pack($value) : encode($value);
}

sub unpack {
    my ($bytes) = @_;
    my $codec = _library();
    return $codec->unpack($bytes) if $codec;
    my ($value, $end) = decode(\$bytes, 0);
    die "the data ends inside a value\n" if !defined $end;
    die length($bytes) - $end, " bytes follow the value\n" if $end != length $bytes;
    return $value;
}

# The value at $at and where the next one begins. When the data ends inside of it: an empty list.
sub decode {
    my ($data, $at, $depth) = @_;
    $depth //= 0;
    my $left = length($$data) - $at;
    return if $left < 1;
    my $first = ord substr $$data, $at++, 1;
    return ($first, $at)       if $first < 0x80;
    return ($first - 256, $at) if $first >= 0xe0;
    return _map($data, $at, $first & 15, $depth)   if $first < 0x90;
    return _array($data, $at, $first & 15, $depth) if $first < 0xa0;
    return _bytes($data, $at, $first & 31) if $first < 0xc0;
    return _by_code($data, $at, $first, $depth);
}

my %number = (
    0xca => ['f>', 4], 0xcb => ['d>', 8], 0xcc => ['C', 1], 0xcd => ['n', 2], 0xce => ['N', 4], 0xcf => ['Q>', 8],
    0xd0 => ['c', 1], 0xd1 => ['s>', 2], 0xd2 => ['l>', 4], 0xd3 => ['q>', 8],
);
my %size = (
    0xc4 => ['C', 1], 0xc5 => ['n', 2], 0xc6 => ['N', 4], 0xd9 => ['C', 1], 0xda => ['n', 2], 0xdb => ['N', 4],
    0xdc => ['n', 2], 0xdd => ['N', 4], 0xde => ['n', 2], 0xdf => ['N', 4], 0xc7 => ['C', 1], 0xc8 => ['n', 2], 0xc9 => ['N', 4],
);

sub _by_code {
    my ($data, $at, $code, $depth) = @_;
    if (my $form = $number{$code}) {
        my ($template, $width) = @$form;
        return if $at + $width > length $$data;
        return (CORE::unpack("x$at $template", $$data), $at + $width);
    }
    if (my $form = $size{$code}) {
        my ($template, $width) = @$form;
        return if $at + $width > length $$data;
        my $count = CORE::unpack("x$at $template", $$data);
        $at += $width;
        return _array($data, $at, $count, $depth) if $code == 0xdc || $code == 0xdd;
        return _map($data, $at, $count, $depth)   if $code == 0xde || $code == 0xdf;
        return _bytes($data, $at, $count) if $code < 0xc7 || $code >= 0xd9;
        return _extension($data, $at, $count);
    }
    return (undef,   $at) if $code == 0xc0;
    return (false(), $at) if $code == 0xc2;
    return (true(),  $at) if $code == 0xc3;
    die "0xc1 begins no value\n" if $code == 0xc1;
    return _extension($data, $at, 1 << ($code - 0xd4));
}

sub _extension {
    my ($data, $at, $size) = @_;
    my ($body, $end) = _bytes($data, $at, $size + 1) or return;
    return (bless({ code => CORE::unpack('c', $body), data => substr $body, 1 }, 'Cocaine::MessagePack::Extension'), $end);
}

sub _bytes {
    my ($data, $at, $size) = @_;
    return if $at + $size > length $$data;
    return (substr($$data, $at, $size), $at + $size);
}

# A value is at least a byte, so a made-up count never costs more than the data's own length.
sub _array {
    my ($data, $at, $count, $depth) = @_;
    die 'nested deeper than ', DEPTH, "\n" if $depth >= DEPTH;
    return if $at + $count > length $$data;
    my @items;
    for (1 .. $count) {
        (my $item, $at) = decode($data, $at, $depth + 1);
        return if !defined $at;
        push @items, $item;
    }
    return (\@items, $at);
}

sub _map {
    my ($data, $at, $count, $depth) = @_;
    my ($items, $end) = _array($data, $at, 2 * $count, $depth) or return;
    for (my $i = 0; $i < @$items; $i += 2) {
        die "a map's key is a container\n" if ref $items->[$i] eq 'ARRAY' || ref $items->[$i] eq 'HASH';
    }
    no warnings qw(uninitialized);    # a nil key is the empty string
    return ({@$items}, $end);
}

sub encode {
    my ($value, $depth) = @_;
    $depth //= 0;
    return "\xc0" if !defined $value;
    my $type = ref $value;
    return _scalar($value) if !$type;
    die 'nested deeper than ', DEPTH, "\n" if $depth >= DEPTH;
    if ($type eq 'ARRAY') {
        return join '', _head(scalar @$value, 0x90, 16, 0xdc, 0xdd), map { encode($_, $depth + 1) } @$value;
    }
    if ($type eq 'HASH') {
        return join '', _head(scalar keys %$value, 0x80, 16, 0xde, 0xdf),
            map { _text($_), encode($value->{$_}, $depth + 1) } keys %$value;
    }
    return $$value ? "\xc3" : "\xc2" if $type =~ /::Boolean$/;
    die "MessagePack has no form for a $type\n";
}

# Perl does not say whether 5 is a number or a text; what it was made as does.
sub _scalar {
    my ($value) = @_;
    require B;
    my $flags = B::svref_2object(\$value)->FLAGS;
    return _text($value) if $flags & B->can('SVf_POK')->();
    return integer($value) if $flags & B->can('SVf_IOK')->();
    return $flags & B->can('SVf_NOK')->() ? "\xcb" . CORE::pack('d>', $value) : _text($value);
}

# Without str8, which the oldest peers do not read.
sub _text {
    my ($text) = @_;
    utf8::encode($text) if utf8::is_utf8($text);
    return _head(length $text, 0xa0, 32, 0xda, 0xdb) . $text;
}

sub _head {
    my ($count, $fix, $few, $medium, $large) = @_;
    return chr($fix | $count) if $count < $few;
    return $count < 0x10000 ? CORE::pack('Cn', $medium, $count) : CORE::pack('CN', $large, $count);
}

sub integer {
    my ($value) = @_;
    if ($value >= 0) {
        return chr $value                       if $value < 0x80;
        return CORE::pack('CC', 0xcc, $value)   if $value < 0x100;
        return CORE::pack('Cn', 0xcd, $value)   if $value < 0x10000;
        return CORE::pack('CN', 0xce, $value)   if $value <= 0xffffffff;
        return CORE::pack('CQ>', 0xcf, $value);
    }
    return CORE::pack('c', $value)          if $value >= -32;
    return CORE::pack('Cc', 0xd0, $value)   if $value >= -0x80;
    return CORE::pack('Cs>', 0xd1, $value)  if $value >= -0x8000;
    return CORE::pack('Cl>', 0xd2, $value)  if $value >= -0x80000000;
    return CORE::pack('Cq>', 0xd3, $value);
}

# The protocol's own payloads: bytes, always.
sub binary_head {
    my ($size) = @_;
    return $size < 0x100 ? CORE::pack('CC', 0xc4, $size) : $size < 0x10000 ? CORE::pack('Cn', 0xc5, $size) : CORE::pack('CN', 0xc6, $size);
}

1;
