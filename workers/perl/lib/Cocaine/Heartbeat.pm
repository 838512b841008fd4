package Cocaine::Heartbeat;

# Tells the node that the worker lives, and sees whether the node does.
#
# next         when the next one is due
# unanswered   since when one waits for its answer, and nothing else has come; undef when all are answered

use 5.030;
use strict;
use warnings;
use POSIX ();

use Cocaine::Frames qw(HEARTBEAT_MESSAGE);
use Cocaine::Limits qw(HEARTBEAT_SECONDS NODE_SILENCE_SECONDS);

use constant NODE_SILENT => 1;    # exit code

sub new {
    my ($class, $link, $output) = @_;
    return bless { link => $link, output => $output, next => 0, unanswered => undef }, $class;
}

sub answered { undef $_[0]{unanswered}; return }

# True when something has come.
sub beat {
    my ($self, $now) = @_;
    return 0 if $now < $self->{next};
    $self->{next} = $now + HEARTBEAT_SECONDS;

    # First what waits to be read: a handler that took long has read nothing, and an answer may stand behind a long message.
    my $link = $self->{link};
    my $came = $link->fetch;
    if (!defined $self->{unanswered} || $link->{heard}) {
        $self->{unanswered} = $now;
        $link->{heard} = 0;
    }
    elsif ($link->is_full || $link->is_node_behind) {
        $self->{unanswered} = $now;    # we do not read now, or it does not and has nothing to answer
    }
    elsif ($now - $self->{unanswered} > NODE_SILENCE_SECONDS) {
        printf STDERR "cocaine: the node has not answered a heartbeat for %d s\n", NODE_SILENCE_SECONDS;
        POSIX::_exit(NODE_SILENT);
    }
    $self->{output}{bytes} .= HEARTBEAT_MESSAGE;
    $self->{output}->flush;
    return $came;
}

1;
