package Cocaine::Worker;

# Start of a worker: loads the app, connects, shakes hands, serves.

use 5.030;
use strict;
use warnings;
use Fcntl  qw(F_GETFD F_SETFD F_GETFL F_SETFL FD_CLOEXEC O_NONBLOCK);
use Socket qw(AF_UNIX SOCK_STREAM pack_sockaddr_un);

use Cocaine;
use Cocaine::Guard;
use Cocaine::App;
use Cocaine::Session;

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
    $SIG{USR2} = \&Cocaine::Guard::print_stack;
    my $app = eval { Cocaine::App->load($Cocaine::app_name, $source) };
    Cocaine::Guard::end_child(!defined $app, $@) if Cocaine::Guard::is_child();
    if (!defined $app) {
        Cocaine::Failure::show($@);
        return 1;
    }
    my $socket = _connect($options->{'--endpoint'}) or return 1;
    Cocaine::Session::serve($app, $socket, $Cocaine::uuid);
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

sub _connect {
    my ($path) = @_;
    my $socket;
    if (!socket($socket, AF_UNIX, SOCK_STREAM, 0) || !connect($socket, pack_sockaddr_un($path))) {
        print STDERR "cannot reach the node at $path: $!\n";
        return;
    }
    fcntl $socket, F_SETFD, fcntl($socket, F_GETFD, 0) | FD_CLOEXEC;
    fcntl $socket, F_SETFL, fcntl($socket, F_GETFL, 0) | O_NONBLOCK;
    return $socket;
}

1;
