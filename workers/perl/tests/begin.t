use 5.030;
use strict;
use warnings;
use Config;
use Fcntl      qw(F_SETFD);
use File::Temp ();
use Test::More;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lib";
use FakeNode;

# What is begun: calls that stand on the socket begin as the page beside it says, and not when the node has taken them back.

plan skip_all => 'the page is for x86-64' if $Config{archname} !~ /^x86_64/;

BEGIN { $ENV{COCAINE_HEARTBEAT_MS} = 20 }

use constant BEATS => 10;    # of 20 ms, in which something would have come

my ($node, $page);

sub put {
    my ($at, $value) = @_;
    sysseek $page, $at, 0;
    return syswrite $page, pack 'V', $value;
}

sub begun {
    sysseek $page, 3072, 0;
    sysread $page, my $words, 16;
    my @words = unpack 'Q<2', $words;
    is $words[0], $words[1], 'both are the same';
    return $words[0];
}

sub start {
    my (%page) = (magic => 'CBEGIN01', size => 4096, most => 1, granted => 1, @_);
    $page = File::Temp->new;
    binmode $page;
    truncate $page, $page{size};
    sysseek $page, 0, 0;
    syswrite $page, $page{magic};
    put(60, $page{most});
    fcntl $page, F_SETFD, 0;
    $node = FakeNode->start('begin.pl', COCAINE_BEGIN_PAGE => fileno $page, has_begin => $page{granted});
    $node->until(sub { $node->{heartbeats} });
    return;
}

sub beats {
    my $before = $node->{heartbeats};
    $node->until(sub { $node->{heartbeats} > $before + BEATS });
    return;
}

sub offer { return join ' ', sort keys %{ $node->{inbox}{1}[0][1][1] } }
sub answered { return grep { $node->{inbox}{$_} } @_ }

sub ends_well {
    $node->send_all([1, 1, [1, 'bye']]);
    is $node->exit_code, 0, 'ends well' or diag $node->stderr;
    return;
}

subtest 'calls begin one after the other, and what the node takes back never begins' => sub {
    start();
    is begun(), 1, 'the page is kept';
    is offer(), 'begin flow', 'and offered';
    my $slow = $node->open_channel('waits');
    my @behind = map { $node->invoke('echo', $_) } qw(a b c);
    is $node->chunk($slow), 'waiting', 'the first runs';
    beats();
    is begun(), $slow, 'alone';
    put(3200, 1);
    $node->send_all([1, 3, [1, $behind[1]]]);
    beats();
    is_deeply [answered(@behind)], [], 'the others wait';
    $node->send_all([$slow, 2, []]);
    is_deeply [$node->answer($behind[0])], [['a'], undef], 'the one that is left';
    is_deeply [$node->call('echo', 'd')], [['d'], undef], 'a later one';
    is_deeply [answered(@behind[1, 2])], [], 'those that were taken back';
    is begun(), $behind[2] + 1, 'the later one is begun';
    ends_well();
};

subtest 'nothing begins while the node takes calls back and has not said which' => sub {
    start(most => 64);
    $node->call('echo', 'proven') for 1 .. 40;    # from then on calls begin together
    put(3200, 1);
    my @calls = ((map { $node->invoke('echo', $_) } qw(a b c)), $node->open_channel('waits'));
    beats();
    is_deeply [answered(@calls)], [], 'nothing begins';
    $node->send_all([1, 3, [1, $calls[1]]]);
    is_deeply [$node->answer($calls[0])], [['a'], undef], 'the one that is left';
    beats();
    is_deeply [answered(@calls[1 .. 3])], [], 'those that were taken back';
    ends_well();
};

subtest 'as many run side by side as the node lets' => sub {
    start(most => 2);
    my @calls = map { $node->invoke('ticks', '') } 1 .. 3;
    is $node->chunk($_), 'tick', 'runs' for @calls[0, 1];
    beats();
    is_deeply [answered($calls[2])], [], 'the third waits';
    $node->send_all([$calls[0], 1, [[1000, 520], 'gone']]);
    is $node->chunk($calls[2]), 'tick', 'and runs in the place of the first';
    $node->send_all(map { [$_, 1, [[1000, 520], 'gone']] } @calls[1, 2]);
    ends_well();
};

for my $other ([size => 8192], [magic => 'CBEGIN99']) {
    subtest "a page of another $other->[0] is not used" => sub {
        start(@$other, granted => 0);
        is offer(), 'flow', 'it is not offered';
        is_deeply [$node->call('env')], [['undef'], undef], 'the app does not see it';
        ends_well();
    };
}

subtest 'a page that the node does not grant is not used' => sub {
    start(granted => 0);
    my @calls = map { $node->invoke('ticks', '') } 1, 2;
    is $node->chunk($_), 'tick', 'runs' for @calls;
    is begun(), 0, 'the page is empty';
    $node->send_all(map { [$_, 1, [[1000, 520], 'gone']] } @calls);
    ends_well();
};

done_testing;
