package Cocaine;

use 5.030;
use strict;
use warnings;

our $VERSION = '0.1.0';

our $app_name    = undef;   # the app's name, set before its file is loaded
our $uuid        = undef;   # this worker's
our $app_version = 0;       # the manifest's "version"

our $call;                  # what the handler that runs now is answering

sub current { return $call }

1;

__END__

=head1 NAME

Cocaine - apps in Perl for a cocaine-fast node

=head1 SYNOPSIS

    # app.pl: every sub is an event
    use strict;
    use warnings;

    sub echo {
        my ($request) = @_;         # the whole request, as bytes
        return $request;            # one chunk; a list gives as many
    }

    sub count {
        my ($last) = @_;
        my $n = 0;
        return sub { $n < $last ? $n++ : undef };   # an iterator: a chunk a call, undef ends it
    }

    sub relay :Streams {            # both ways at once
        my ($request, $response) = @_;
        while (defined(my $chunk = $request->read)) {
            $response->write($chunk);
        }
    }

    1;

=head1 DESCRIPTION

The events are the subs of the file's first package (C<main> when it names none) that were written there: neither what is imported nor
constants nor names that begin with an underscore. What a sub gives back is the answer: nothing, strings, an array of strings, or a code
reference that gives a chunk each time it is called and undef at the end. Text (strings that Perl knows as characters) goes as UTF-8.
C<die> ends the answer with error 502 and its text.

Handlers run one after the other, whatever C<engine.concurrency> is; iterators take turns, so several answers stream at once. Heartbeats
go on while a handler reads from its request, writes or iterates; in one that computes or sleeps they wait, and so does everything else.

=head2 The call

C<Cocaine::current()> is the call that is being answered: C<event>, C<app>, C<headers> (a list of [name, value] pairs of bytes),
C<header(NAME)>, C<trace_id>, C<span_id>, C<parent_id> (0 when the caller has not sent them), and C<cancelled>, which looks whether the
caller has given up. C<cancellation> is the C<Cocaine::Cancelled> of a caller that has. The call is undef outside of handlers.
C<$Cocaine::app_name>, C<$Cocaine::uuid> and C<$Cocaine::app_version> are known while the file is loaded.

=head2 Streams

With the attribute C<:Streams> a sub gets two objects. C<< $request->read >> waits for the next chunk and is undef at the end; it dies
with a C<Cocaine::Cancelled> when the caller gives up, which has the C<category>, the C<code> and the C<reason> of the caller's error. C<< $request->body >> is all the rest. The request also has what
the call has. C<< $response->write(CHUNK) >>, C<< $response->error(CODE, TEXT) >>, an error of the app's own (category 42), and
C<< $response->close >>; the answer is closed when the sub returns.

A write waits while the caller is slow to take the answer, and an iterator gets no turn meanwhile; a caller waits while more than 256 KiB of
its request are unread. An older node has no such flow control of one call: then a handler that writes and does not read keeps what comes; past
16 MiB of it the worker takes nothing more from the node until something is read.

=head2 Tests

L<Cocaine::Testing> runs an app's handlers without a node, by the worker's own session:

    use Cocaine::Testing;
    my $answer = Cocaine::Testing->new('app.pl')->call('hello', 'you');
    is $answer->body, 'hello, you';         # ->chunks, and ->error: { category, code, reason }

=cut
