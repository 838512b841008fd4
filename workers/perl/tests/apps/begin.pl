use strict;
use warnings;

sub echo { return $_[0] }

sub waits :Streams {
    my ($request, $response) = @_;
    $response->write('waiting');
    $request->body;
}

# An iterator that goes on until its caller gives up.
sub ticks { return sub { select undef, undef, undef, 0.002; return 'tick' } }

sub env { return $ENV{COCAINE_BEGIN_PAGE} // 'undef' }

1;
