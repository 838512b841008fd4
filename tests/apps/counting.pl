# Writes down each begin of its handler, and then takes as long as the request says.

use strict;
use warnings;
use Fcntl      qw(O_APPEND O_CREAT O_WRONLY);
use Time::HiRes qw(sleep);

# The request is FILE|ID|MS, and the answer the id.
sub mark {
    my ($path, $job, $ms) = split /\|/, $_[0];
    sysopen my $file, $path, O_WRONLY | O_APPEND | O_CREAT, 0600 or die "$path: $!";
    syswrite $file, "$job\n";
    close $file;
    sleep $ms / 1000 if $ms;
    return $job;
}

1;
