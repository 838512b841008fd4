use strict;
use warnings;
use Config;
use Carp ();
use Cocaine;

sub plain { return $_[0] }

# Loop controls that have no loop of their own. `no warnings`: Perl would say "Exiting subroutine via next" for each.
no warnings 'exiting';

sub controls {
    my ($way) = @_;
    next if $way eq 'next';
    last if $way eq 'last';
    redo if $way eq 'redo';
    next NOWHERE if $way eq 'label';
    goto NOWHERE if $way eq 'goto';
    for my $i (1 .. 3) { return "own loop" if $i == 2 && $way eq 'own'; next }
    return 'done';
}

sub controls_late {
    my ($way) = @_;
    my $n = 0;
    return sub { return 'first' if $n++ == 0; return controls($way) if $n == 2; return undef };
}

sub controls_streaming :Streams {
    my ($request, $response) = @_;
    my $way = $request->read;
    $response->write('first');
    controls($way);
}

# Chunks that are too long.

sub gives_long { return 'x' x ((64 << 20) + 1) }

sub yields_long {
    my $n = 0;
    return sub { return $n++ ? 'x' x ((64 << 20) + 1) : 'first' };
}

sub writes_long :Streams {
    my ($request, $response) = @_;
    $response->write('first');
    $response->write('x' x ((64 << 20) + 1));
}

sub cuts :Streams {
    my ($request, $response) = @_;
    $response->write(ref $@ eq 'Cocaine::ChunkTooLong' ? "$@" : 'it was taken') if !eval { $response->write('x' x ((64 << 20) + 1)); 1 };
    $response->write('in pieces');
}

# Failures.

package Bad { use overload '""' => sub { die "in the overload\n" }, 'bool' => sub { die "in bool\n" }, 'eq' => sub { die "in eq\n" }; }
package Empty { use overload '""' => sub { return '' }, 'bool' => sub { return 0 }; }
package Nothing { use overload '""' => sub { return undef }; }
package Leaves { use overload '""' => sub { exit 4 }; }
package Loops { use overload '""' => sub { no warnings; next }; }
package Liar { sub isa { die "in isa\n" } sub can { die "in can\n" } use overload '""' => sub { return 'liar' }; }
package main;

my %failures = (
    undef => sub { die undef }, empty => sub { die '' }, hash => sub { die { a => 1 } }, code => sub { die sub { } },
    bad => sub { die bless {}, 'Bad' }, emptyobject => sub { die bless {}, 'Empty' }, nothing => sub { die bless {}, 'Nothing' },
    leaves => sub { die bless {}, 'Leaves' }, loops => sub { die bless {}, 'Loops' }, liar => sub { die bless {}, 'Liar' },
    huge => sub { die 'x' x (70 << 20) }, exit => sub { exit 3 }, confess => sub { Carp::confess('told') },
    missing => sub { require No::Such::Module }, wide => sub { die "gr\x{fc}\x{df} \x{263a}\n" },
    handler => sub { local $SIG{__DIE__} = sub { die "from the hook\n" }; die "first\n" },
);

sub fails { $failures{ $_[0] }->(); return }

sub fails_late {
    my ($name) = @_;
    my $n = 0;
    return sub { return 'first' if !$n++; $failures{$name}->() };
}

sub fails_streaming :Streams { $failures{ $_[0]->read }->(); return }

# Forks: the parent answers with the child's exit code.

sub code_of { my ($child) = @_; waitpid $child, 0; return $? >> 8 }

my %ways = (
    '' => sub { return "the child's answer" }, exit => sub { exit 3 }, die => sub { die "in the child\n" },
    exec => sub { exec '/no/such/program' or die "cannot exec\n" }, next => sub { next },
);

sub forks {
    my ($way) = @_;
    return 'no' if $way eq 'no';
    my $child = fork;
    return code_of($child) if $child;
    return $ways{$way}->();
}

sub forks_by_open {
    my $child = open my $pipe, '-|';
    return "the child's answer" if !$child;
    my $read = join '', <$pipe>;
    close $pipe;
    return $? >> 8;
}

sub forks_late {
    my ($way) = @_;
    my $n = 0;
    return sub {
        return $n == 1 ? 'first' : undef if ++$n != 2;
        my $child = fork;
        return $child ? code_of($child) : $ways{$way}->();
    };
}

sub child_writes :Streams {
    my ($request, $response) = @_;
    my $child = fork;
    $response->write($child ? code_of($child) : "the child's chunk");
}

sub mark {
    my ($name) = @_;
    open my $file, '>>', $ENV{MARKS} or die "marks: $!";
    print $file "$name $$\n";
    return 'marked';
}

sub shell { my $said = `echo from a shell`; return $said . system('/bin/true') }

# Threads.

sub in_thread :Streams {
    my ($request, $response) = @_;
    require threads;
    my $said = threads->create(sub {
        my @said;
        for my $use (sub { $response->write('torn') }, sub { $response->error(1, 'torn') }, sub { $response->close },
            sub { $request->read }, sub { $request->cancelled }, sub { $request->body }) {
            eval { $use->(); 1 } or push @said, $@;
        }
        return join '', @said;
    })->join;
    $response->write($said);
}

# Responses of calls that are over.

my @kept;

sub keeps :Streams { push @kept, $_[1]; $_[1]->write('kept'); return }

sub writes_late {
    my $response = pop @kept;
    return eval { $response->write('late'); 1 } ? 'was taken' : $@;
}

# Hangs.

sub spins :Streams { $_[1]->write('spinning'); 1 while 1 }
sub sleeps :Streams { $_[1]->write('sleeping'); sleep 600 while 1 }

1;
