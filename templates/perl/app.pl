# Every sub here is an event: a client calls it by its name.
use strict;
use warnings;

# What is returned is the answer: a string, a list of them, or a code reference that gives one at a time.
sub hello {
    my ($request) = @_;
    return 'hello, ' . (length $request ? $request : 'world');
}

# Both ways are streams: each chunk is answered as it comes.
sub shout :Streams {
    my ($request, $response) = @_;
    while (defined(my $chunk = $request->read)) {
        $response->write(uc $chunk);
    }
}

1;
