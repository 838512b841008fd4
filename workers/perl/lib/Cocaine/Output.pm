package Cocaine::Output;

# Messages that are written, and not sent yet.
#
# Answers are collected and sent together, because a send for each costs more than a small handler does. But an answer must not wait for
# other code that takes long: so a handler has to prove itself. Only after PROVEN_RUNS quick runs in a row are its answers collected; before
# each step of any other one, everything written so far is sent.
#
# bytes    those messages
# unheard  bytes that were sent since the node was listened to
# due      when they must be sent

use 5.030;
use strict;
use warnings;
use overload ();

use Cocaine::ChunkTooLong;
use Cocaine::Clock;
use Cocaine::Forks;
use Cocaine::Frames qw(WRITE_TAIL);
use Cocaine::Limits qw(BATCH_BYTES CHUNK_BYTES LISTEN_BYTES QUICK_SECONDS);
use Cocaine::MessagePack;

sub new {
    my ($class, $link) = @_;
    return bless { link => $link, bytes => '', unheard => 0, due => 0 }, $class;
}

sub flush {
    my ($self) = @_;
    Cocaine::Forks::end_writing_child()  if $Cocaine::Forks::forked;
    die Cocaine::Forks::IN_THREAD        if $Cocaine::Forks::is_thread;
    $self->{unheard} += length $self->{bytes};
    $self->{link}->send_all(\$self->{bytes}) if length $self->{bytes};
    $self->{due} = Cocaine::Clock::now() + QUICK_SECONDS;
    return;
}

# A chunk on the channel that the head names: text goes as UTF-8.
sub chunk {
    my ($self, $head, $chunk) = @_;
    if (my $type = ref $chunk) {
        die "a chunk is a string, not a $type reference\n" if $type =~ /^[A-Z]+\z/ || !overload::Method($chunk, '""');
        $chunk = "$chunk";
    }
    utf8::encode($chunk) if utf8::is_utf8($chunk);
    die Cocaine::ChunkTooLong->new(length $chunk) if length $chunk > CHUNK_BYTES;
    $self->{bytes} .= $head . WRITE_TAIL . Cocaine::MessagePack::binary_head(length $chunk);
    $self->{bytes} .= $chunk;    # by itself: joined with its head it would be copied once more
    $self->flush if length $self->{bytes} > BATCH_BYTES;
    return;
}

# An iterator over what a handler gave back, when that is so much that the node should be heard meanwhile; else nothing.
sub parted {
    my ($answer) = @_;
    return if @$answer < 2 && ref $answer->[0] ne 'ARRAY';
    my @chunks = grep { defined } map { ref $_ eq 'ARRAY' ? @$_ : $_ } @$answer;
    my $size = 0;
    $size += length for @chunks;
    return $size > LISTEN_BYTES ? sub { return shift @chunks } : ();
}

# What a handler gave back: strings and arrays of them; what is undef is no chunk.
sub chunks {
    my ($self, $head, $answer) = @_;
    for my $part (@$answer) {
        next if !defined $part;
        $self->chunk($head, $_) for ref $part eq 'ARRAY' ? @$part : $part;
    }
    return;
}

1;
