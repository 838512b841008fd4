package Cocaine::Forks;

# Copies of the worker that an app makes, by fork or by a thread: they have its socket, and must not be a second worker on it.

use 5.030;
use strict;
use warnings;
use POSIX ();

use Cocaine::Failures;

our $pid = $$;             # the worker's: a forked child has another
our $forked = 0;           # fork was called, and this is the child
our $is_thread = 0;        # in an interpreter that threads->create has cloned

use constant IN_THREAD =>
    "a request and a response belong to the thread of their handler: a Thread::Queue can bring it what to write\n";

sub CLONE { return $is_thread = 1 }    # Perl calls it in each new thread

# What fork does not say is seen here: open with '-|' forks, too. It costs a system call.
sub is_child { return $forked || $$ != $pid }

# A child that the app has forked and that comes back into the SDK (its sub returns or dies, an exec fails) ends here. Its exit code is what
# Perl would have given.
sub end_child {
    my ($has_failed, $failure) = @_;
    Cocaine::Failures::show($failure) if $has_failed;
    return POSIX::_exit($has_failed ? 255 : 0);
}

# The same for one that tries to answer.
sub end_writing_child {
    print STDERR "cocaine: a forked child cannot answer: it may tell its parent what to write, through a pipe\n";
    return POSIX::_exit(1);
}

{
    no warnings 'once';
    # For what is compiled from now on: the app.
    *CORE::GLOBAL::fork = sub () {
        my $child = CORE::fork();
        $forked = 1 if defined $child && $child == 0;
        return $child;
    };
}

1;
