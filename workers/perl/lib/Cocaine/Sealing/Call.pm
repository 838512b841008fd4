package Cocaine::Sealing::Call;

# The records of one sealed call, in both directions.

use 5.030;
use strict;
use warnings;

use Cocaine::Sealing::Session;

use constant { MORE => 0, LAST => 1, ERROR => 2 };    # the kinds of records

sub new {
    my ($class, $session, $place, $wishes, $opens) = @_;
    return bless {
        session => $session, place => $place, wishes => $wishes, job => 0, sent => 0, got => 0,
        opens => $opens,    # the call brings the opening of its session
        ended => 0,         # the record that ends the answer has come
        error => undef,     # [category, code, text] that it has
    }, $class;
}

# The next record of the request.
sub seal {
    my ($self, $chunk, $is_last) = @_;
    utf8::encode($chunk) if utf8::is_utf8($chunk);
    my ($counter, $kind) = ($self->{session}->next_counter, $is_last ? LAST : MORE);
    $self->{job} ||= $counter;
    return $self->{session}->seal($kind, $counter, $self->_tied($self->{sent}++, $kind), $chunk);
}

# The chunk of a record of the answer; undef for the record that ends it. Dies when it is not what the node has sealed for this call.
sub open {
    my ($self, $record) = @_;
    my $session = $self->{session};
    if ($self->{ended} || length $record < $session->HEAD_BYTES + $session->TAG_BYTES
        || substr($record, 0, $session->ID_BYTES) ne $session->{id}) {
        die "the answer goes on with what is no record of it\n";
    }
    my $kind = ord substr $record, $session->ID_BYTES, 1;
    my $text = $session->open($record, $self->_tied($self->{got}, $kind));
    die "a record of the answer does not open: it was changed, moved, or comes from somebody else\n" if !defined $text;
    $self->{got}++;
    return $text if $kind == MORE;
    $self->{ended} = 1;
    $self->{error} = [unpack 'l> l> a*', $text] if $kind == ERROR;
    return;
}

sub _tied {
    my ($self, $chunk, $kind) = @_;
    return $self->{place} . pack('Q> Q> C', $self->{job}, $chunk, $kind) . $self->{wishes};
}

1;
