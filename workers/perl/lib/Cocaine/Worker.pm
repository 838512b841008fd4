package Cocaine::Worker;

# Start of a worker: loads the app, connects, shakes hands, serves.

use 5.030;
use strict;
use warnings;

use Cocaine;
use Cocaine::App;
use Cocaine::Begin;
use Cocaine::Failures;
use Cocaine::Forks;
use Cocaine::Link;
use Cocaine::Session;
use Cocaine::Stacks;

my %valued = map { $_ => 1 } qw(--app --uuid --endpoint --locator --protocol);

sub main {
    my ($options, $source, @rest) = _parse(@_);
    if (!defined $source || !defined $options->{'--endpoint'}) {
        print STDERR "usage: cocaine-worker.pl --app NAME --uuid UUID --endpoint PATH --locator HOST:PORT --protocol 1 SOURCE\n";
        return 2;
    }
    $Cocaine::app_name    = $options->{'--app'}  // 'app';
    $Cocaine::uuid        = $options->{'--uuid'} // '';
    $Cocaine::app_version = $ENV{COCAINE_APP_VERSION} // 0;
    ($0, @ARGV) = ($source, @rest);
    STDOUT->autoflush(1);
    Cocaine::Stacks::install();
    my $page = Cocaine::Begin::open_page();    # before the app, which is not to see it
    my $app = eval { Cocaine::App->load($Cocaine::app_name, $source) };
    Cocaine::Forks::end_child(!defined $app, $@) if Cocaine::Forks::is_child();
    if (!defined $app) {
        Cocaine::Failures::show($@);
        return 1;
    }
    my $link = eval { Cocaine::Link->open_path($options->{'--endpoint'}) };
    if (!$link) {
        print STDERR $@;
        return 1;
    }
    Cocaine::Session->new($app, $link, $page)->serve($Cocaine::uuid);
    return 0;
}

# Options that the node gives, the app's path, and the app's own words after it. Unknown options are passed over.
sub _parse {
    my %options;
    while (@_) {
        my $word = shift;
        if ($valued{$word}) {
            $options{$word} = shift;
        }
        elsif ($word !~ /^--/) {
            return (\%options, $word, @_);
        }
    }
    return (\%options);
}

1;
