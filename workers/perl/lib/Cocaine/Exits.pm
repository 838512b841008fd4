package Cocaine::Exits;

# Ways out of a handler that are neither return nor die, and would take the worker along: loop controls without a loop, and exit.

use 5.030;
use strict;
use warnings;

use Cocaine;
use Cocaine::Forks;

use constant LEFT => "the handler was left by next, last or redo, outside of any loop of its own: return leaves a sub\n";

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

# exit in a handler ends its call, not the worker, as under mod_perl. In a child, while the app is loaded, and at the end it is Perl's own.
sub exit_or_die {
    my ($code) = @_;
    die 'exit(' . ($code // 0) . ") was called in a handler: die ends a call, POSIX::_exit the worker\n"
        if defined $Cocaine::call && !$Cocaine::Forks::is_thread && !Cocaine::Forks::is_child();
    return CORE::exit($code // 0);
}

{
    no warnings 'once';
    # For what is compiled from now on: the app.
    *CORE::GLOBAL::exit = sub (;$) { return exit_or_die(@_) };
}

1;
