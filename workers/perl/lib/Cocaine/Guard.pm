package Cocaine::Guard;

# What keeps an app's code from doing to the worker what it may only do to itself: loop controls without a loop, children that it forks,
# threads, exit; and a signal that shows where it hangs.

use 5.030;
use strict;
use warnings;
use POSIX ();

use Cocaine;
use Cocaine::Failure;

our $pid = $$;             # the worker's: a forked child has another
our $forked = 0;           # fork was called, and this is the child
our $is_thread = 0;        # in an interpreter that threads->create has cloned

use constant {
    LEFT => "the handler was left by next, last or redo, outside of any loop of its own: return leaves a sub\n",
    IN_THREAD => "a request and a response belong to the thread of their handler: a Thread::Queue can bring it what to write\n",
    MOST_FRAMES => 50,
};

# Calls a sub of the app. The block is a loop that runs once: what leaves it is a next, last or redo in the sub that found no loop of its
# own, and would have left the SDK's.
sub contained {
    my ($code, @args) = @_;
    my ($entered, $is_left, @answer) = (0, 1);
    {
        last if $entered++;
        @answer = $code->(@args);
        $is_left = 0;
    }
    die LEFT if $is_left;
    return @answer;
}

sub CLONE { return $is_thread = 1 }    # Perl calls it in each new thread

# What fork does not say is seen here: open with '-|' forks, too. It costs a system call.
sub is_child { return $forked || $$ != $pid }

# A child that the app has forked and that comes back into the SDK (its sub returns or dies, an exec fails) ends here: it has the worker's
# socket, and would be a second worker on it. Its exit code is what Perl would have given.
sub end_child {
    my ($has_failed, $failure) = @_;
    Cocaine::Failure::show($failure) if $has_failed;
    return POSIX::_exit($has_failed ? 255 : 0);
}

# The same for one that tries to answer.
sub end_writing_child {
    print STDERR "cocaine: a forked child cannot answer: it may tell its parent what to write, through a pipe\n";
    return POSIX::_exit(1);
}

# exit in a handler ends its call, not the worker, as under mod_perl. In a child, while the app is loaded, and at the end it is Perl's own.
sub exit_or_die {
    my ($code) = @_;
    die 'exit(' . ($code // 0) . ") was called in a handler: die ends a call, POSIX::_exit the worker\n"
        if defined $Cocaine::call && !$is_thread && !is_child();
    return CORE::exit($code // 0);
}

{
    no warnings 'once';
    # For what is compiled from now on: the app.
    *CORE::GLOBAL::exit = sub (;$) { return exit_or_die(@_) };
    *CORE::GLOBAL::fork = sub () {
        my $child = CORE::fork();
        $forked = 1 if defined $child && $child == 0;
        return $child;
    };
}

# The subs that run, without their arguments. Perl delivers a signal between two of its steps: a long regular expression is one step.
sub print_stack {
    my @lines;
    for my $depth (0 .. MOST_FRAMES) {
        my ($package, $file, $line, $sub) = caller $depth or last;
        push @lines, "  $sub called at $file line $line\n" if $depth > 0;
        push @lines, "  at $file line $line\n" if $depth == 0;
    }
    print STDERR "cocaine: process $$ is here (most recent call first):\n", @lines;
    return;
}

1;
