use 5.030;
use strict;
use warnings;
use utf8;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Cocaine::MessagePack;

sub hex_of { return unpack 'H*', $_[0] }

for my $value (
    undef, 0, 127, 128, 255, 256, 65535, 65536, 4294967295, 4294967296, -1, -32, -33, -128, -129, -32768, -32769, -2147483648, -2147483649,
    1.5, -0.1, '', 'x' x 31, 'x' x 32, 'x' x 70000, [], [1, [2, [3]]], [(7) x 70000], { a => 1, b => { c => [] } },
) {
    my $bytes = Cocaine::MessagePack::encode($value);
    my ($back, $end) = Cocaine::MessagePack::decode(\$bytes, 0);
    is_deeply $back, $value;
    is $end, length $bytes;
    is_deeply Cocaine::MessagePack::unpack(Cocaine::MessagePack::pack($value)), $value, 'whichever codec is there';
}

is hex_of(Cocaine::MessagePack::encode([1, -1, 200, -200, 'a', 1.5])), '9601ffccc8d1ff38a161cb3ff8000000000000';
is hex_of(Cocaine::MessagePack::encode("grüß")), 'a6' . hex_of("gr\xc3\xbc\xc3\x9f"), 'text is UTF-8';
is hex_of(Cocaine::MessagePack::encode([Cocaine::MessagePack::Boolean->of(1), Cocaine::MessagePack::Boolean->of(0)])), '92c3c2';
ok Cocaine::MessagePack::unpack("\xc3") && !Cocaine::MessagePack::unpack("\xc2");

my $whole = Cocaine::MessagePack::encode({ key => [1, 'two', 'x' x 300, { x => 1.5 }] });
is_deeply [grep { my $cut = substr $whole, 0, $_; () = Cocaine::MessagePack::decode(\$cut, 0) } 0 .. length($whole) - 1], [], 'cut data';
ok !(() = Cocaine::MessagePack::decode(\"\xdd\xff\xff\xff\xff", 0)), 'a made-up count';
for my $bad ("\xc1", "\x91" x 100) {
    ok !eval { Cocaine::MessagePack::decode(\$bad, 0); 1 };
}

done_testing;
