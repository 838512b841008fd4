package Cocaine::ChunkTooLong;

# What a write dies with when the chunk is longer than a message may be. Written in pieces it may be as long as it likes.

use 5.030;
use strict;
use warnings;

use Cocaine::Limits qw(CHUNK_BYTES);

use overload '""' => \&text, 'bool' => sub { 1 }, fallback => 1;

sub new {
    my ($class, $size) = @_;
    return bless { size => $size }, $class;
}

sub size { return $_[0]{size} }
sub text { return sprintf "a chunk has at most %d bytes, and this one has %d: write it in pieces\n", CHUNK_BYTES, $_[0]{size} }

1;
