use 5.030;
use strict;
use warnings;
use Config;
use File::Temp ();
use Test::More;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lib";
use FakeNode;

# Handlers that do what they should not: their calls are answered with an error, the worker lives and answers the others.

my $node;

sub gives {
    my ($expected, @call) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is_deeply [$node->call(@call)], [$expected, undef], "@call";
}

sub fails {
    my ($chunks, $pattern, @call) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($got, $error) = $node->call(@call);
    is_deeply $got, $chunks, "@call";
    like $error, qr/^1000 502 $pattern/s;
    unlike $error, qr{/|called at}, 'no folders and no stack to callers';
    return ok length $error < 4200, 'bounded';
}

sub ends_well {
    $node->send_all([1, 1, [1, 'bye']]);
    return is $node->exit_code, 0, 'ends well';
}

subtest 'next, last and redo leave no loop but their own' => sub {
    $node = FakeNode->start('faults.pl');
    for my $round (1 .. 2) {
        for my $way (qw(next last redo)) {
            fails([], 'the handler was left by next, last or redo', 'controls', $way);
            fails(['first'], 'the handler was left by next, last or redo', 'controls_late', $way);
            fails(['first'], 'the handler was left by next, last or redo', 'controls_streaming', $way);
        }
        fails([], 'Label not found', 'controls', 'label');
        fails([], q(Can't find label), 'controls', 'goto');
        gives(['own loop'], 'controls', 'own');
        gives(['done'], 'controls', $_) for 1 .. 40;    # from then on in batches
    }
    my %expected = map { $node->invoke('controls', $_) => $_ } ('next', 'fine', 'last', 'fine', 'redo', 'fine') x 20;
    my @wrong = grep {
        my ($chunks, $error) = $node->answer($_);
        $expected{$_} eq 'fine' ? $error || "@$chunks" ne 'done' : !$error || @$chunks;
    } sort { $a <=> $b } keys %expected;
    is_deeply \@wrong, [], 'all in one batch';
    ends_well();
};

subtest 'chunks that are too long' => sub {
    $node = FakeNode->start('faults.pl');
    my $text = 'a chunk has at most 67108864 bytes, and this one has 67108865: write it in pieces';
    for my $event (qw(gives_long yields_long writes_long)) {
        for (1 .. 2) {
            my ($chunks, $error) = $node->call($event, '');
            is_deeply $chunks, $event eq 'gives_long' ? [] : ['first'], $event;
            is $error, "1000 413 $text";
        }
    }
    gives(["$text\n", 'in pieces'], 'cuts', '');
    ends_well();
};

subtest 'however a handler fails' => sub {
    $node = FakeNode->start('faults.pl');
    my %texts = (
        undef => 'Died at faults.pl line', empty => 'Died at faults.pl line', hash => 'HASH', code => 'CODE', bad => 'a Bad, whose text',
        emptyobject => 'a Empty, whose text', nothing => 'a Nothing, whose text', leaves => 'a Leaves, whose text', loops => '.*',
        liar => 'liar',
        huge => 'x{3000,4096}', exit => 'exit\(3\) was called in a handler', confess => 'told at faults.pl line \d+\.?\z',
        missing => q(Can't locate No), wide => "gr\xc3\xbc", handler => 'from the hook',
    );
    for my $name (sort keys %texts) {
        next if $name eq 'missing';    # its text has slashes of its own
        fails([], $texts{$name}, 'fails', $name);
        fails(['first'], $texts{$name}, 'fails_late', $name);
        fails([], $texts{$name}, 'fails_streaming', $name);
    }
    my $error = ($node->call('fails', 'missing'))[1];
    like $error, qr{^1000 502 Can't locate No/Such/Module\.pm in \@INC [^/]*at faults\.pl line \d+\.\z};
    gives(['on'], 'plain', 'on');
    like $node->stderr, qr/told at \S*faults\.pl line \d+\.\n\s+main::/, 'the log has the stack';
    ends_well();
};

subtest 'a forked child that comes back ends, and answers nothing' => sub {
    my $marks = File::Temp->new;
    $node = FakeNode->start('faults.pl', MARKS => $marks->filename);
    my %codes = ('' => 0, exit => 3, die => 255, exec => 255, next => 255);
    for my $way (sort keys %codes) {
        gives([$codes{$way}], 'forks', $way);
        gives(['first', $codes{$way}], 'forks_late', $way);
    }
    gives([0], 'forks_by_open');
    gives([1], 'child_writes');
    gives(["from a shell\n0"], 'shell');
    like $node->stderr, qr/in the child\n/;
    like $node->stderr, qr/a forked child cannot answer/;
    for my $event (qw(forks mark)) {
        $node->call($event, 'no') for 1 .. 40;    # from then on in batches
    }
    my @numbers = map {
        my $way = $_;
        ($node->invoke('forks', $way), map { $node->invoke('mark', "job-$way-$_") } 1 .. 10);
    } sort keys %codes;
    my @failed = grep { ($node->answer($_))[1] } @numbers;
    is_deeply \@failed, [];
    open my $file, '<', $marks->filename or die;
    my @lines = map { [split] } grep { /^job/ } <$file>;
    is scalar @lines, 50, 'each job ran once';
    is_deeply [grep { $_->[1] != $node->{pid} } @lines], [], 'and in the worker';
    ends_well();
};

subtest 'threads are refused' => sub {
    plan skip_all => 'this Perl has no threads' if !$Config{useithreads};
    $node = FakeNode->start('faults.pl');
    for (1 .. 3) {
        my ($chunks, $error) = $node->call('in_thread');
        is $error, undef;
        is scalar(() = $chunks->[0] =~ /belong to the thread of their handler/g), 6;
    }
    ends_well();
};

subtest 'a call that is over takes nothing' => sub {
    $node = FakeNode->start('faults.pl');
    for (1 .. 3) {
        gives(['kept'], 'keeps');
        gives(["the response has ended\n"], 'writes_late');
    }
    ends_well();
};

subtest 'SIGUSR2 prints where it is' => sub {
    for my $event (qw(spins sleeps)) {
        $node = FakeNode->start('faults.pl');
        my $number = $node->invoke($event);
        $node->chunk($number);
        kill USR2 => $node->{pid};
        my $late = time + FakeNode::PATIENCE;
        select undef, undef, undef, 0.005 while $node->stderr !~ /main::$event called at/ && time < $late;
        like $node->stderr, qr{process \d+ is here.*main::$event called at}s;
    }
    $node = FakeNode->start('faults.pl');
    gives(['on'], 'plain', 'on');
    kill USR2 => $node->{pid};
    gives(['on'], 'plain', 'on');
    ends_well();
};

done_testing;
