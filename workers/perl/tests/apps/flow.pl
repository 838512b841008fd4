use strict;
use warnings;

use Cocaine;

use constant CHUNK_BYTES => 40_000;

# An iterator over chunks that begin with their numbers.
sub _numbered {
    my ($count, $size) = (@_, CHUNK_BYTES);
    my $next = 0;
    return sub { return $next < $count ? sprintf('%08d', $next++) . "\0" x ($size - 8) : undef };
}

sub yields      { return _numbered($_[0]) }
sub yields_small { return _numbered($_[0], 1000) }

sub returns {
    my $next = _numbered($_[0]);
    my @all;
    while (defined(my $chunk = $next->())) { push @all, $chunk }
    return $_[0] % 2 ? @all : \@all;
}

sub writes :Streams {
    my ($request, $response) = @_;
    my $next = _numbered($request->read);
    while (defined(my $chunk = $next->())) { $response->write($chunk) }
}

sub errs   :Streams { $_[0]->read; $_[1]->error(7, 'mine'); return }
sub closes :Streams { $_[0]->read; $_[1]->close; return }

# Reads a chunk for each SIGHUP. Looks for a cancel meanwhile, so the SDK hears the node.
sub steps :Streams {
    my ($request, $response) = @_;
    my $steps = 0;
    local $SIG{HUP} = sub { $steps++ };
    $response->write('begun');
    while (1) {
        while (!$steps) {
            $request->cancelled;
            select undef, undef, undef, 0.001;
        }
        $steps--;
        my $chunk = $request->read // return;
        $response->write(substr $chunk, 0, 8);
    }
}

sub sums :Streams {
    my ($request, $response) = @_;
    my $sum = 0;
    while (defined(my $chunk = $request->read)) { $sum += length $chunk }
    $response->write($sum);
}

sub echo { return $_[0] }

sub cancelled :Streams {
    my ($request, $response) = @_;
    my $fine = eval { $response->write('x' x CHUNK_BYTES) while 1; 1 };
    print STDERR 'cancelled: ', ref $@, "\n";
    die $@;
}

1;
