#!/usr/bin/perl
# Starts a Perl worker; the node runs this file. See lib/Cocaine/Worker.pm.
use 5.030;
use strict;
use warnings;
use Cwd        ();
use File::Spec ();

BEGIN {
    my ($volume, $folder) = File::Spec->splitpath(Cwd::abs_path(__FILE__));
    unshift @INC, File::Spec->catpath($volume, $folder, 'lib');
}

use Cocaine::Worker;
exit Cocaine::Worker::main(@ARGV);
