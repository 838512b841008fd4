use 5.030;
use strict;
use warnings;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lib";
use FakeNode;
use Cocaine::Limits qw(GO_ON_BYTES HOLD_BYTES);

# Flow control of one channel: a writer whose caller is slow waits, and a reader that is slow lets the node wait; others go on.

BEGIN { $ENV{COCAINE_HEARTBEAT_MS} = 20 }

use constant CHUNKS => 400;
use constant LATE_BYTES => 3 << 20;    # what may be under way when the node asks to hold: sockets, and what is written between two looks
use constant PART => 'x' x 60_000;
use constant PARTS => 1 + int HOLD_BYTES / length PART;

my $node;

sub received { my ($number) = @_; return scalar @{ $node->{inbox}{$number} // [] } }

# Until nothing has come on a channel for many heartbeats. How much has come so far.
sub rests {
    my ($number) = @_;
    while (1) {
        my ($before, $beats) = (received($number), $node->{heartbeats});
        $node->until(sub { $node->{heartbeats} > $beats + 15 || received($number) != $before });
        return $before if received($number) == $before;
    }
}

# A call that writes much, and is held after its first chunk.
sub held {
    my ($event, $count) = @_;
    my $number = $node->invoke($event, $count // CHUNKS);
    $node->until(sub { received($number) });
    $node->hold($number);
    return $number;
}

sub is_in_order {
    my ($number, $count) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($chunks, $error) = $node->answer($number);
    return is_deeply [$error, map { 0 + substr $_, 0, 8 } @$chunks], [undef, 0 .. $count - 1], 'all in order';
}

sub ends_well {
    $node->send_all([1, 1, [1, 'bye']]);
    return is $node->exit_code, 0, 'ends well';
}

for my $case (['writes'], ['yields'], ['yields_small', 20_000], ['returns'], ['returns', CHUNKS + 1], ['yields', CHUNKS, 'proven']) {
    my ($event, $count, $proven) = @$case;
    $count //= CHUNKS;
    subtest "a held writer waits and goes on in order: @$case" => sub {
        $node = FakeNode->start('flow.pl');
        $node->call($event, 1) for 1 .. ($proven ? 40 : 0);
        my $number = held($event, $count);
        my $came = rests($number);
        my $size = 0;
        $size += length $_->[1][0] for @{ $node->{inbox}{$number} };
        cmp_ok $came, '<', $count;
        cmp_ok $size, '<', LATE_BYTES;
        for (1 .. 2) {
            $node->go_on($number);
            $node->until(sub { received($number) > $came });
            $node->hold($number);
            $came = rests($number);
        }
        $node->go_on($number);
        is_in_order($number, $count);
        ends_well();
    };
}

subtest 'iterators go on beside held ones, and a held writer hears others' => sub {
    $node = FakeNode->start('flow.pl');
    my @held = map { held($_ % 2 ? 'yields' : 'returns') } 1 .. 8;
    rests($_) for @held;
    is_deeply [$node->call('echo', 'on')], [['on'], undef];
    is_deeply [$node->call('sums', (PART) x 20)], [[20 * length PART], undef];
    is_in_order($node->invoke('writes', CHUNKS), CHUNKS);
    my $writes = held('writes');
    rests($writes);
    my $other = $node->open_channel('sums');
    $node->send_all(map { [$other, 0, [PART]] } 1 .. PARTS);
    $node->until(sub { @{ $node->asked_flow($other) } });
    my $given_up = $node->open_channel('sums');
    $node->send_all([$given_up, 1, [[1000, 520], 'gone']]);
    is +($node->answer($given_up))[1], '1000 502 cancelled';
    $node->go_on($writes);
    is_in_order($writes, CHUNKS);
    $node->until(sub { @{ $node->asked_flow($other) } == 2 });
    $node->send_all([$other, 2, []]);
    is_deeply [$node->answer($other)], [[PARTS * length PART], undef];
    $node->go_on($_) for @held;
    is_in_order($_, CHUNKS) for @held;
    ends_well();
};

subtest 'cancel wakes a held writer' => sub {
    $node = FakeNode->start('flow.pl');
    for my $event ('cancelled', 'yields', 'returns') {
        my $number = held($event);
        rests($number);
        $node->send_all([$number, 1, [[1000, 520], 'deadline']]);
        is +($node->answer($number))[1], '1000 502 cancelled';
    }
    like $node->stderr, qr/cancelled: Cocaine::Cancelled/;
    ends_well();
};

subtest 'the end is not held' => sub {
    $node = FakeNode->start('flow.pl');
    for (['errs', '42 7 mine'], ['closes', undef]) {
        my ($event, $error) = @$_;
        my $number = $node->open_channel($event);
        $node->hold($number);
        $node->send_all([$number, 0, ['now']]);
        is_deeply [$node->answer($number)], [[], $error];
        $node->send_all([$number, 2, []]);
    }
    ends_well();
};

subtest 'terminate lets held writers end their answers, a node that goes takes them along' => sub {
    for my $event ('writes', 'yields') {
        $node = FakeNode->start('flow.pl');
        my $number = held($event);
        rests($number);
        $node->send_all([1, 1, [1, 'bye']]);
        rests($number);
        $node->go_on($number);
        is_in_order($number, CHUNKS);
        is $node->exit_code, 0;
        $node = FakeNode->start('flow.pl');
        rests(held($event));
        close delete $node->{socket};
        is $node->exit_code, 0;
    }
};

subtest 'a slow reader asks at the thresholds' => sub {
    $node = FakeNode->start('flow.pl');
    my $step = sub { kill HUP => $node->{pid}; return };
    my $number = $node->open_channel('steps');
    is $node->chunk($number), 'begun';
    $node->send_all(map { [$number, 0, [PART]] } 1 .. PARTS);
    $node->until(sub { @{ $node->asked_flow($number) } });
    for my $left (reverse 0 .. PARTS - 1) {
        $step->();
        is $node->chunk($number), 'xxxxxxxx';
        is_deeply $node->asked_flow($number), $left * length PART >= GO_ON_BYTES ? [1] : [1, 0];
    }
    $node->send_all([$number, 2, []]);
    $step->();
    is_deeply [$node->answer($number)], [[], undef];
    my $ended = $node->invoke('steps', (PART) x PARTS);
    is $node->chunk($ended), 'begun';
    $node->until(sub { @{ $node->asked_flow($ended) } });
    for (1 .. PARTS) {
        $step->();
        is $node->chunk($ended), 'xxxxxxxx';
    }
    $step->();
    is_deeply [$node->answer($ended)], [[], undef];
    is_deeply $node->asked_flow($ended), [1], 'no go-on: all of the request has come';
    ends_well();
};

subtest 'whole requests are never held' => sub {
    $node = FakeNode->start('flow.pl');
    my $number = $node->open_channel('echo');
    $node->send_all(map { [$number, 0, [PART]] } 1 .. 10);
    rests($number);
    $node->send_all([$number, 2, []]);
    is length +($node->answer($number))[0][0], 10 * length PART;
    is_deeply $node->asked_flow($number), [];
};

subtest 'holds for what is not there, and messages of the wrong form' => sub {
    $node = FakeNode->start('flow.pl');
    my $ended = $node->invoke('echo', 'x');
    $node->answer($ended);
    for my $number (1, $ended, 999, 1 << 40) {
        $node->hold($number);
        $node->go_on($number);
    }
    $node->send_raw("\x93\x01\x02\x92\xcf\0\0\0\0\0\0\0\x03\x01" . "\x93\x01\x02\x92\xcc\x03\x00");
    is_deeply [$node->call('echo', 'on')], [['on'], undef];
    ends_well();
    my $yes = Cocaine::MessagePack::Boolean->of(1);
    for my $args ([], [2], [2, 2], [2, -1], [-2, 1], ['2', 1], [2, '1'], [2, 1, 1], [2, $yes], [2, undef], [[2], 1]) {
        $node = FakeNode->start('flow.pl');
        $node->send_all([1, 2, $args]);
        is $node->exit_code, 70;
        like $node->stderr, qr/broke the protocol/;
    }
};

subtest 'a node without it' => sub {
    $node = FakeNode->start('flow.pl', has_flow => 0);
    is_deeply [$node->call('sums', (PART) x 50)], [[50 * length PART], undef];
    is_deeply [grep { $_->[0] } @{ $node->{inbox}{1} }], [], 'nothing is asked';
    $node->hold($node->open_channel('sums'));
    is $node->exit_code, 70;
};

subtest 'nothing is kept of held channels' => sub {
    $node = FakeNode->start('flow.pl');
    my $memory = sub {
        open my $file, '<', "/proc/$node->{pid}/status" or die;
        my ($kib) = join('', <$file>) =~ /VmRSS:\s+(\d+)/;
        return $kib << 10;
    };
    my $calls = sub {
        my @numbers = map {
            my $number = $node->open_channel($_ % 2 ? 'sums' : 'writes');
            $node->send_all([1, 2, [$number, 1]], [1, 2, [$number, 0]], [1, 2, [$number, 1]], [$number, 1, [[1000, 520], 'gone']]);
            $number;
        } 1 .. 1000;
        $node->answer($_) for @numbers;
    };
    $calls->() for 1 .. 3;
    my $before = $memory->();
    $calls->() for 1 .. 10;
    cmp_ok $memory->() - $before, '<', 10_000 * 100, 'a channel has more than that';
    ends_well();
};

done_testing;
