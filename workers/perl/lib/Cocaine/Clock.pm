package Cocaine::Clock;

# Time that only goes forward, in seconds. All of the SDK asks here, so that a test can let it run faster.

use 5.030;
use strict;
use warnings;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

sub now { return clock_gettime(CLOCK_MONOTONIC) }

1;
