# Events that write much, and that read slowly.
use strict;
use warnings;

use Cocaine;

my $chunk = "\0" x (64 << 10);

sub pid { return $$ }

sub floods :Streams {
    my ($request, $response) = @_;
    $response->write($chunk) for 1 .. $request->body << 4;
}

sub yields {
    my $left = $_[0] << 4;
    return sub { return $left-- > 0 ? $chunk : undef };
}

# Begins to read after a while, and waits after each chunk.
sub swallows :Streams {
    my ($request, $response) = @_;
    my $size = 0;
    select undef, undef, undef, 0.2;
    while (defined(my $part = $request->read)) {
        $size += length $part;
        select undef, undef, undef, 0.0002;
    }
    $response->write($size);
}
