package Cocaine::Testing;

# Runs an app's handlers without a node:
#
#     use Cocaine::Testing;
#     my $app = Cocaine::Testing->new('app.pl');
#     is $app->call('hello', 'you')->body, 'hello, you';
#
# call(EVENT, CHUNKS…) gives the answer. For more than its name the event is a hash:
#
#     $app->call({ event => 'hello', headers => [[trace_id => 7], [note => 'x']] }, 'you')
#     $app->call({ event => 'relay', cancel => 1 }, 'one')       # the caller gives up after the last chunk
#
# The session is the worker's own, over a link whose other end is this file.

use 5.030;
use strict;
use warnings;

use Cocaine;
use Cocaine::App;
use Cocaine::Frames qw(CONTROL HEARTBEAT WRITE ERROR TERMINATE CLOSE_TAIL NODE_CATEGORY);
use Cocaine::MessagePack;
use Cocaine::Session;
use Cocaine::Testing::Answer;
use Cocaine::Testing::Link;

use constant { CHANNEL => 2, GIVEN_UP => 520 };    # the channel of the call, and the code of a caller that gives up

# The app, loaded once. Its name is what Cocaine::current()->app gives.
sub new {
    my ($class, $source, $name) = @_;
    $Cocaine::app_name = $name // 'app';
    $Cocaine::uuid //= 'testing';
    return bless { app => Cocaine::App->load($Cocaine::app_name, $source) }, $class;
}

sub call {
    my ($self, $event, @chunks) = @_;
    my $call = ref $event ? $event : { event => $event };
    my $head = Cocaine::Frames::head(CHANNEL);
    my @messages = (
        Cocaine::MessagePack::encode([CONTROL, HEARTBEAT, [{}]]),
        Cocaine::MessagePack::encode([CHANNEL, WRITE, ["$call->{event}"], _items($call->{headers})]),
        (map { $head . Cocaine::Frames::data_tail($_) } @chunks),
        $head . ($call->{cancel} ? Cocaine::Frames::error_tail(NODE_CATEGORY, GIVEN_UP, 'given up') : CLOSE_TAIL),
        Cocaine::MessagePack::encode([CONTROL, TERMINATE, [1, 'done']]),
    );
    my $link = Cocaine::Testing::Link->new(@messages);
    Cocaine::Session->new($self->{app}, $link)->serve($Cocaine::uuid);
    return _answer($link->{sent});
}

# As a node gives them: the three of a trace are always there.
sub _items {
    my ($headers) = @_;
    my %index = (trace_id => 80, span_id => 81, parent_id => 82);
    my %left = reverse %index;
    my $no = Cocaine::MessagePack::Boolean->of(0);
    my @items;
    for my $pair (@{ $headers // [] }) {
        my ($name, $value) = @$pair;
        my $index = $index{$name};
        delete $left{$index} if $index;
        push @items, $index ? [$no, $index, pack('Q<', $value)] : [$no, "$name", "$value"];
    }
    return [(map { 0 + $_ } sort keys %left), @items];
}

sub _answer {
    my ($sent) = @_;
    my @chunks;
    while (length $sent) {
        my ($number, $type, $args, undef, $end) = Cocaine::Frames::read_message(\$sent);
        die "the worker has written what is no message\n" if !defined $end;
        substr $sent, 0, $end, '';
        next if $number != CHANNEL;
        push @chunks, $args->[0] if $type == WRITE;
        return Cocaine::Testing::Answer->new(\@chunks, $args) if $type == ERROR;
    }
    return Cocaine::Testing::Answer->new(\@chunks);
}

1;
