package Cocaine::Stacks;

# SIGUSR2 prints where the worker is. The node sends it before it kills a worker that hangs.

use 5.030;
use strict;
use warnings;

use Cocaine::Limits qw(STACK_FRAMES);

sub install { return $SIG{USR2} = \&print_stack }

# The subs that run, without their arguments. Perl delivers a signal between two of its steps: a long regular expression is one step.
sub print_stack {
    my @lines;
    for my $depth (0 .. STACK_FRAMES) {
        my ($package, $file, $line, $sub) = caller $depth or last;
        push @lines, "  $sub called at $file line $line\n" if $depth > 0;
        push @lines, "  at $file line $line\n" if $depth == 0;
    }
    print STDERR "cocaine: process $$ is here (most recent call first):\n", @lines;
    return;
}

1;
