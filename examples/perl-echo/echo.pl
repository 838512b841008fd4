# Every sub here is an event: a client calls it by its name.
use strict;
use warnings;

sub echo {
    my ($request) = @_;
    return $request;
}

# count of "3" answers with the chunks 1, 2 and 3.
sub count {
    my ($last) = @_;
    my $number = 0;
    return sub { return $number < $last ? ++$number : undef };
}

# Gives every chunk back in capitals as it comes.
sub shout :Streams {
    my ($request, $response) = @_;
    while (defined(my $chunk = $request->read)) {
        $response->write(uc $chunk);
    }
}

1;
