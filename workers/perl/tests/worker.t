use 5.030;
use strict;
use warnings;
use Test::More;
use Time::HiRes ();
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lib";
use FakeNode;

my $node;

sub gives {
    my ($expected, @call) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is_deeply [$node->call(@call)], [$expected, undef], $call[0];
}

sub fails {
    my ($chunks, $error, @call) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is_deeply [$node->call(@call)], [$chunks, $error], $call[0];
}

sub ends_well {
    $node->send_all([1, 1, [1, 'bye']]);
    return is $node->exit_code, 0, 'ends well';
}

subtest 'requests and answers' => sub {
    $node = FakeNode->start('app.pl');
    is_deeply $node->until(sub { $node->{inbox}{1} }), [[0, ['u-1', { flow => 1 }]]], 'handshake';
    gives(['data'], 'echo', 'data') for 1 .. 40;
    gives([''], 'echo');
    gives([''], 'echo', '');
    gives(['chunk by chunk'], 'echo', 'chunk ', 'by ', 'chunk');
    gives(["gr\xc3\xbc\xc3\x9f"], 'text');
    gives([], 'nothing');
    gives([], 'nil');
    gives([qw(a b c)], 'listed');
    gives([qw(a b)], 'array');
    gives([0 .. 2], 'count', '3');
    gives(['made x'], 'made', 'x');
    gives(['ok'], 'prints');
    $node->until(sub { $node->{heartbeats} });
    ends_well();
    is $node->stdout, "to stdout\n";
};

subtest 'a reading handler whose request is all here does not wait for more' => sub {
    $node = FakeNode->start('app.pl');
    my $least = 9;
    for (1 .. 5) {    # the least: a busy machine makes any single one slow
        my $then = Time::HiRes::time();
        gives(['<whole>'], 'relay', 'whole');
        my $took = Time::HiRes::time() - $then;
        $least = $took if $took < $least;
    }
    cmp_ok $least, '<', 1, 'far from the next heartbeat';
    ends_well();
};

subtest 'every size, and many at once' => sub {
    $node = FakeNode->start('app.pl');
    for my $size (0, 1, 31, 32, 255, 256, 65535, 65536, 300_000, 5_000_000) {
        my $data = substr 'abc' x ($size / 3 + 1), 0, $size;
        my ($chunks, $error) = $node->call('echo', $data);
        ok !$error && @$chunks == 1 && $chunks->[0] eq $data, "$size bytes";
    }
    my %expected = map { $node->invoke((qw(echo made listed))[$_ % 3], $_) => $_ } 1 .. 3000;
    my @wrong = grep {
        my $i = $expected{$_};
        my ($chunks, $error) = $node->answer($_);
        $error || "@$chunks" ne ("$i", "made $i", 'a b c')[$i % 3];
    } sort { $a <=> $b } keys %expected;
    is_deeply \@wrong, [];
    gives([0 .. 19_999], 'count', 20_000);
    gives([0 .. 99], 'count', 100) for 1 .. 20;
};

subtest 'errors' => sub {
    $node = FakeNode->start('app.pl');
    fails([], '1000 502 text', 'raises', 'x') for 1 .. 20;
    like +($node->call('at_line'))[1], qr{^1000 502 where at app\.pl line \d+\.\z}, 'no folders to callers';
    fails([], '1000 502 an object', 'objects');
    fails(['first'], '1000 502 later', 'raises_late');
    fails([], '1000 502 a chunk is a string, not a HASH reference', 'hash');
    fails([], '42 77 mine', 'refuses');
    for my $event (qw(zork floor SECRET _hidden Guard::new MODIFY_CODE_ATTRIBUTES BEGIN), '', '::x') {
        fails([], "1000 404 there is no event '$event' in app 'test'", $event);
    }
    like $node->stderr, qr/^text$/m;
    like $node->stderr, qr{^where at /.*/app\.pl line \d+\.$}m;
    gives(['on'], 'echo', 'on');
};

subtest 'streams both ways' => sub {
    $node = FakeNode->start('app.pl');
    my $relay = $node->open_channel('relay');
    my @waiting;
    for my $chunk (qw(one two)) {
        $node->send_all([$relay, 0, [$chunk]]);
        is $node->chunk($relay), "<$chunk>";
        push @waiting, $node->invoke('echo', $chunk);
    }
    $node->send_all([$relay, 2, []]);
    is_deeply [$node->answer($relay)], [[], undef];
    is_deeply [map { @{ ($node->answer($_))[0] } } @waiting], [qw(one two)], 'others waited';
};

subtest 'iterators take turns' => sub {
    $node = FakeNode->start('app.pl');
    my $endless = $node->invoke('endless');
    $node->chunk($endless);
    gives(['meanwhile'], 'echo', 'meanwhile');
    $node->send_all([$endless, 1, [[1000, 520], 'deadline']]);
    is +($node->answer($endless))[1], '1000 502 cancelled';
    gives(['on'], 'echo', 'on');
    like $node->stderr, qr/endless was freed/;
};

subtest 'one after the other, and the node is listened to meanwhile' => sub {
    $node = FakeNode->start('app.pl');
    my $relay = $node->open_channel('relay');
    $node->send_all([$relay, 0, ['x']]);
    $node->chunk($relay);
    my ($waiting, $given_up) = map { $node->invoke('prints') } 1 .. 2;
    $node->send_all([$given_up, 1, [[1000, 520], 'deadline']]);
    is_deeply [$node->answer($given_up)], [[], '1000 502 cancelled'], 'a call that waits is cancelled at once';
    my $before = $node->{heartbeats};
    $node->until(sub { $node->{heartbeats} > $before });
    ok !$node->{inbox}{$waiting}, 'the other still waits';
    $node->send_all([$relay, 2, []]);
    is_deeply [$node->answer($relay)], [[], undef];
    is_deeply [$node->answer($waiting)], [['ok'], undef];
    ends_well();
    is $node->stdout, "to stdout\n", 'what was given up never ran';
};

subtest 'the answer to a heartbeat may stand behind a long message, a silent node is given up' => sub {
    $node = FakeNode->start('app.pl', CLOCK_SCALE => 100);
    my $slow = $node->open_channel('echo');
    $node->{is_mid_message} = 1;    # no answer to a heartbeat in between
    for my $byte (split //, "\x93\x02\x00\x91\xc4\x10" . 'x' x 16) {
        $node->send_raw($byte);
        1 while $node->is_readable(0.1) && $node->take;
    }
    $node->{is_mid_message} = 0;
    $node->send_all([$slow, 2, []]);
    is_deeply [$node->answer($slow)], [['x' x 16], undef], 'after 220 s of its clock';
    $node->{is_mid_message} = 1;
    is $node->exit_code, 1;
    like $node->stderr, qr/has not answered a heartbeat/;
};

subtest 'what a handler has not read has a bound' => sub {
    $node = FakeNode->start('app.pl', CLOCK_SCALE => 100, has_flow => 0);    # 30 s without a word from the node are 0.3 s
    my $deaf = $node->open_channel('deaf');
    $node->chunk($deaf);
    my $size = 1 << 20;
    my $message = "\x93\x02\x00\x91\xc6" . pack('N', $size) . 'y' x $size;
    my $sent = 0;
    $node->{is_mid_message} = 1;    # no answers to heartbeats in between
    $sent++ while $sent < 64 && $node->try_send($message, 1);
    cmp_ok $sent, '>=', 16, '16 MiB were taken';
    cmp_ok $sent, '<=', 20, 'and what a socket and a read hold';
    my $before = $node->{heartbeats};
    $node->until(sub { $node->{heartbeats} > $before + 40 });    # 2 s: it lives, and does not give the node up that it does not hear
    ok !defined $node->{code} && kill(0, $node->{pid}), 'it goes on';
    kill HUP => $node->{pid};
    $node->send_raw($node->{left});
    $node->send_raw($message) for 1 .. 20;
    $node->send_all([$deaf, 2, []]);
    $node->{is_mid_message} = 0;
    my ($chunks, $error) = $node->answer($deaf);
    is_deeply [$chunks->[-1], $error], ['read ' . ($sent + 1 + 20) * $size, undef], 'nothing is lost';
    ends_well();
};

subtest 'a cancel is seen' => sub {
    $node = FakeNode->start('app.pl');
    my $waits = $node->open_channel('waits');
    is $node->chunk($waits), 'waiting';
    $node->send_all([$waits, 1, [[1000, 520], 'deadline']]);
    is_deeply [$node->answer($waits)], [[], '1000 502 cancelled'];
    like $node->stderr, qr/waits: Cocaine::Cancelled/;
    my $writes = $node->open_channel('writes');
    $node->chunk($writes);
    $node->send_all([$writes, 1, [[1000, 520], 'deadline']]);
    is +($node->answer($writes))[1], '1000 502 cancelled';
    my $never = $node->open_channel('echo');
    $node->send_all([$never, 0, ['part']], [$never, 1, [[1000, 520], 'before it began']]);
    is_deeply [$node->answer($never)], [[], '1000 502 cancelled'];
    $node->send_all([$never, 0, ['late']], [$never, 2, []]);
    ends_well();
};

subtest 'what a call knows' => sub {
    $node = FakeNode->start('app.pl');
    my $zero = '0' x 16;
    gives(["who test u-1 0 trace_id=$zero span_id=$zero parent_id=$zero"], 'who') for 1 .. 30;
    my $no = Cocaine::MessagePack::Boolean->of(0);
    my $number = $node->open_channel('who', [[$no, 80, "\7" . "\0" x 7], [$no, 'x', 'y'], 2, undef]);
    $node->send_all([$number, 2, []]);
    is_deeply [$node->answer($number)], [['who test u-1 7 trace_id=0700000000000000 x=79 :method=474554'], undef];
};

subtest 'every form of a message, cut anywhere' => sub {
    $node = FakeNode->start('app.pl');
    my $fixed = pack 'CQ>', 0xcf, 2;
    my $odd = "\x95$fixed\xd0\x00\x91\xd9\x04echo\xc0\xc3\xdc\x00\x03$fixed\x00\x91\xa2hi\x94$fixed\xcc\x02\xdc\x00\x00\xc0";
    $node->{is_mid_message} = 1;    # no answer to a heartbeat in between
    for my $byte (split //, $odd) {
        $node->send_raw($byte);
        select undef, undef, undef, 0.001;
    }
    $node->{is_mid_message} = 0;
    is_deeply [$node->answer(2)], [['hi'], undef];
    is $node->stderr, '', 'no warning';
    for my $first (120, 250, 65530, 0xfffffff0, 1 << 40) {
        $node->{next} = $first;
        my @wrong = grep { my ($chunks, $error) = $node->call('echo', $_); $error || "@$chunks" ne $_ } 1 .. 40;
        is_deeply \@wrong, [], "from $first";
    }
};

subtest 'terminate finishes what runs' => sub {
    $node = FakeNode->start('app.pl');
    my $relay = $node->open_channel('relay');
    $node->send_all([1, 1, [1, 'bye']], [$relay, 0, ['x']]);
    is $node->chunk($relay), '<x>';
    $node->send_all([$relay, 2, []]);
    is_deeply [$node->answer($relay)], [[], undef];
    is $node->exit_code, 0;
};

subtest 'a node that is gone, and one that is broken' => sub {
    $node = FakeNode->start('app.pl');
    $node->open_channel('waits');
    close delete $node->{socket};
    is $node->exit_code, 0;
    for my $message ([1, 7, []], [99, 2, []], [2, 0, []], ['x', 0, []], {}) {
        $node = FakeNode->start('app.pl');
        $node->send_all($message);
        is $node->exit_code, 70;
        like $node->stderr, qr/broke the protocol/;
    }
};

subtest 'apps' => sub {
    $node = FakeNode->start('broken.pl');
    is $node->exit_code, 1;
    like $node->stderr, qr{No/Such/Module\.pm};
    $node = FakeNode->start('syntax.pl');
    is $node->exit_code, 1;
    like $node->stderr, qr/syntax error/;
    $node = FakeNode->start('packaged.pl');
    gives(['My::App'], 'event');
};

done_testing;
